//! Dialogs: the browser's own `<dialog>`, which keeps the focus inside, closes on Escape and gives the focus back.

use std::sync::OnceLock;

use leptos::{html, prelude::*};

use crate::i18n::{t_string, use_i18n};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::next_id;
use crate::ui::toast::ToastHost;

/// The dialogs that are open, the topmost last. What lies outside of a modal dialog can be neither seen well nor pressed, so messages
/// are shown inside of it.
fn open_dialogs() -> ArcRwSignal<Vec<String>> {
    static OPEN: OnceLock<ArcRwSignal<Vec<String>>> = OnceLock::new();
    OPEN.get_or_init(|| ArcRwSignal::new(Vec::new())).clone()
}

/// The dialog above everything else, by the name it gave to its [`ToastHost`].
pub fn topmost() -> Option<String> {
    open_dialogs().with(|open| open.last().cloned())
}

/// A dialog above the page. Its children exist only while it is open.
#[component]
pub fn Dialog(
    /// Whether it is open; set to false when a person closes it.
    open: RwSignal<bool>,
    /// What it is about.
    #[prop(into)]
    title: Signal<String>,
    /// Stands at the side of a wide screen and covers a small one, instead of in the middle.
    #[prop(optional)]
    side: bool,
    /// Further classes.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    let i18n = use_i18n();
    let dialog = NodeRef::<html::Dialog>::new();
    let title_id = StoredValue::new(next_id("dialog"));
    let children = StoredValue::new(children);
    let list = {
        let name = title_id.get_value();
        move |here: bool| {
            open_dialogs().update(|open| {
                open.retain(|other| *other != name);
                if here {
                    open.push(name.clone());
                }
            });
        }
    };
    let gone = list.clone();
    on_cleanup(move || gone(false));
    Effect::new(move |before: Option<bool>| {
        let Some(dialog) = dialog.get() else { return false };
        let wanted = open.get();
        if wanted != before.unwrap_or(false) {
            list(wanted);
        }
        if wanted {
            // Fails only on a dialog that is open already.
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        } else if dialog.open() {
            dialog.close();
        }
        wanted
    });
    view! {
        <dialog
            node_ref=dialog
            class=move || {
                let place = if side { "dialog dialog-side" } else { "dialog" };
                class.get().map_or_else(|| place.to_owned(), |more| format!("{place} {more}"))
            }
            aria-labelledby=title_id.get_value()
            on:close=move |_| open.set(false)
            // A press on what lies behind reaches the dialog itself; its content fills the rest.
            on:click=move |event| {
                let hit_itself = event
                    .target()
                    .zip(dialog.get_untracked())
                    .is_some_and(|(target, dialog)| {
                        let own: &web_sys::EventTarget = dialog.as_ref();
                        &target == own
                    });
                if hit_itself {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <div class="dialog-body">
                    <div class="dialog-head">
                        <h2 id=title_id.get_value() class="dialog-title">
                            {move || title.get()}
                        </h2>
                        <Button
                            kind=ButtonKind::Plain
                            icon=icondata_lu::LuX
                            label=move || t_string!(i18n, kit.close).to_string()
                            on_click=move |_| open.set(false)
                        />
                    </div>
                    {children.with_value(|children| children())}
                </div>
                <ToastHost within=title_id.get_value() />
            </Show>
        </dialog>
    }
}

/// Asks before something that cannot be undone.
#[component]
pub fn Confirm(
    /// Whether it is asked now.
    open: RwSignal<bool>,
    /// The question.
    #[prop(into)]
    title: Signal<String>,
    /// What happens, and what stays.
    #[prop(into)]
    text: Signal<String>,
    /// The word on the button that does it.
    #[prop(into)]
    action: Signal<String>,
    /// Does it.
    #[prop(into)]
    on_yes: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Dialog open title>
            <p>{move || text.get()}</p>
            <div class="dialog-actions">
                <Button on_click=move |_| open.set(false)>{move || t_string!(i18n, kit.cancel)}</Button>
                <Button
                    kind=ButtonKind::Danger
                    on_click=move |_| {
                        open.set(false);
                        on_yes.run(());
                    }
                >
                    {move || action.get()}
                </Button>
            </div>
        </Dialog>
    }
}
