//! Speaking to all tables at once.

use leptos::prelude::*;
use shared::limits;
use shared::workshop::Command;

use super::facts;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::TextArea;
use crate::ui::toast::{ToastKind, toast};

/// A message to all screens, and the one that is up now.
#[component]
pub(super) fn Announce(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let current = cafe.memo(|view| {
        view.announcement.as_ref().map(|announcement| announcement.text.clone()).filter(|text| !text.is_empty())
    });
    let text = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let words = text.with_untracked(|text| text.trim().to_owned());
        if words.is_empty() {
            return;
        }
        let done = t_string!(i18n, console.announced).to_string();
        facts::send(cafe, i18n, busy, Command::Announce { text: words }, move || {
            text.set(String::new());
            toast(ToastKind::Good, done);
        });
    };
    let take_down = move |_| facts::send(cafe, i18n, busy, Command::Announce { text: String::new() }, || {});
    view! {
        <div class="stack">
            {move || {
                current
                    .get()
                    .flatten()
                    .map(|words| {
                        view! {
                            <div class="announced">
                                <p class="small quiet">{t!(i18n, console.announced_now)}</p>
                                <p class="pre">{words}</p>
                                <Button kind=ButtonKind::Plain class="button-small" busy on_click=take_down>
                                    {t!(i18n, console.take_down)}
                                </Button>
                            </div>
                        }
                    })
            }}
            <form class="stack" on:submit=send novalidate>
                <TextArea
                    label=move || t_string!(i18n, console.message).to_string()
                    hint=move || t_string!(i18n, console.message_hint).to_string()
                    value=text
                    max_chars=limits::QUESTION_CHARS
                    rows=3
                />
                <div>
                    <Button
                        submit=true
                        busy
                        icon=icondata_lu::LuMegaphone
                        disabled=Signal::derive(move || text.with(|text| text.trim().is_empty()))
                    >
                        {t!(i18n, console.send)}
                    </Button>
                </div>
            </form>
        </div>
    }
}
