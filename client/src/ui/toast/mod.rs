//! Short messages about what just happened. They may be shown from anywhere, also after an answer from the server.

use std::sync::OnceLock;
use std::time::Duration;

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};
use crate::ui::dialog::topmost;
use crate::ui::icon::Icon;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToastKind {
    /// Something worked.
    Good,
    /// Something to know.
    Plain,
    /// Something did not work; stays longer.
    Bad,
}

#[derive(Clone, Debug, PartialEq)]
struct Message {
    id: u32,
    kind: ToastKind,
    text: String,
}

/// Messages shown at once; older ones make room.
const AT_ONCE: usize = 3;

/// The messages shown now. There is one list for the whole page: what arrives from the server has no owner in which to look
/// for a context.
#[derive(Clone, Debug)]
pub struct Toasts(ArcRwSignal<Vec<Message>>);

impl Toasts {
    /// The page's list.
    pub fn new() -> Self {
        static TOASTS: OnceLock<Toasts> = OnceLock::new();
        TOASTS.get_or_init(|| Self(ArcRwSignal::new(Vec::new()))).clone()
    }

    /// Shows a message for a few seconds.
    pub fn show(&self, kind: ToastKind, text: impl Into<String>) {
        toast(kind, text);
    }
}

impl Default for Toasts {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows a message for a few seconds. The same message is not shown twice at once.
pub fn toast(kind: ToastKind, text: impl Into<String>) {
    let text = text.into();
    let mut added = None;
    Toasts::new().0.update(|list| {
        list.retain(|message| message.text != text);
        let id = list.iter().map(|message| message.id).max().unwrap_or(0) + 1;
        list.push(Message { id, kind, text });
        let surplus = list.len().saturating_sub(AT_ONCE);
        list.drain(..surplus);
        added = list.last().cloned();
    });
    let Some(added) = added else { return };
    let seconds = if kind == ToastKind::Bad { 9 } else { 5 };
    set_timeout(move || dismiss(&added), Duration::from_secs(seconds));
}

// By id and text: an id may be used again once the list is empty.
fn dismiss(gone: &Message) {
    Toasts::new().0.update(|list| list.retain(|message| message != gone));
}

/// The place of the messages: once in the application's frame, and in every open dialog. They are shown in the topmost alone.
#[component]
pub fn ToastHost(
    /// The dialog it stands in; none in the frame.
    #[prop(optional, into)]
    within: Option<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let list = Toasts::new().0;
    let shown = move || if topmost() == within { list.get() } else { Vec::new() };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For
                each=shown
                key=|message| (message.id, message.text.clone())
                children=move |message| {
                    let (class, icon) = match message.kind {
                        ToastKind::Good => ("toast toast-good", icondata_lu::LuCircleCheck),
                        ToastKind::Plain => ("toast", icondata_lu::LuInfo),
                        ToastKind::Bad => ("toast toast-bad", icondata_lu::LuCircleAlert),
                    };
                    let text = message.text.clone();
                    view! {
                        <div class=class>
                            <Icon icon />
                            <p class="toast-text">{text}</p>
                            <button
                                type="button"
                                class="toast-close"
                                aria-label=move || t_string!(i18n, kit.dismiss).to_string()
                                on:click=move |_| dismiss(&message)
                            >
                                <Icon icon=icondata_lu::LuX />
                            </button>
                        </div>
                    }
                }
            />
        </div>
    }
}
