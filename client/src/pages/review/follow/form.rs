//! Recording what became of an action: where its measure stands, what was found, and four plain buttons that say how far it is.

use leptos::html;
use leptos::prelude::*;
use shared::board::view::Action;
use shared::id::ActionId;
use shared::limits;
use shared::workshop::Command;
use shared::workshop::follow_up::{FollowUp, Progress};

use super::{anchor, progress_icon, progress_word};
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::pages::review::reviewer::{Reviewer, Signature, Wrong};
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::{TextArea, TextField, next_id};

/// The form below the dates; filled with what was recorded before.
#[component]
pub(super) fn Form(
    id: ActionId,
    after_days: u8,
    action: Signal<Action>,
    before: Option<FollowUp>,
    open: RwSignal<Option<u8>>,
) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    let (measured, text) = before.map(|before| (before.measured, before.text)).unwrap_or_default();
    let (measured, text) = (RwSignal::new(measured), RwSignal::new(text));
    let wrong = Wrong::nothing();
    let wrong_measure = RwSignal::new(None::<String>);
    let busy = RwSignal::new(None::<Progress>);
    let anchor = StoredValue::new(anchor(&id, after_days));
    let group = next_id("follow");
    let id = StoredValue::new(id);
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            // Fails only on an element that is gone.
            let _ = field.focus();
        }
    });
    let close = move || {
        anchor.with_value(|anchor| back_to(anchor));
        open.set(None);
    };
    let record = move |progress: Progress| {
        wrong.clear();
        wrong_measure.set(None);
        if measured.with_untracked(|words| words.trim().chars().count() > limits::MEASURED_CHARS) {
            let limit = limits::MEASURED_CHARS;
            wrong_measure.set(Some(t_string!(i18n, common.error.too_long, limit = limit).to_string()));
            return;
        }
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(progress));
        let command = Command::FollowUp {
            action: id.get_value(),
            after_days,
            progress,
            measured: measured.get_untracked(),
            text: text.get_untracked(),
            name: reviewer.name.get_untracked(),
        };
        reviewer.send(cafe, command, wrong, move |stored| {
            let _ = busy.try_set(None);
            if stored {
                let _ = anchor.try_with_value(|anchor| back_to(anchor));
                let _ = open.try_set(None);
            }
        });
    };
    view! {
        <section
            class="decide follow-form no-print"
            aria-label=move || t_string!(i18n, follow.after, days = after_days).to_string()
        >
            <TextField
                label=Signal::derive(move || t_string!(i18n, follow.measured).to_string())
                hint=Signal::derive(move || Some(measure_hint(i18n, &action.get())))
                value=measured
                error=wrong_measure
                max_chars=limits::MEASURED_CHARS
                node_ref=field
            />
            <TextArea
                label=Signal::derive(move || t_string!(i18n, follow.found).to_string())
                hint=Signal::derive(move || Some(t_string!(i18n, follow.found_hint).to_string()))
                value=text
                error=wrong.text
                max_chars=limits::COMMENT_CHARS
            />
            <Signature error=wrong.name />
            <p class="strong" id=group.clone()>{t!(i18n, follow.how_far)}</p>
            <div class="follow-buttons" role="group" aria-labelledby=group>
                {Progress::ALL
                    .map(|progress| {
                        view! {
                            <Button
                                icon=progress_icon(progress)
                                busy=Signal::derive(move || busy.get() == Some(progress))
                                on_click=move |_| record(progress)
                            >
                                {move || progress_word(i18n, progress)}
                            </Button>
                        }
                    })
                    .into_iter()
                    .collect_view()}
            </div>
            <Button kind=ButtonKind::Plain class="follow-close" on_click=move |_| close()>
                {t!(i18n, follow.close)}
            </Button>
        </section>
    }
}

/// What the measure is, where it stood, and where it is to be.
fn measure_hint(i18n: I18n, action: &Action) -> String {
    let parts = [
        (t_string!(i18n, follow.kpi).to_string(), action.kpi.trim()),
        (t_string!(i18n, follow.baseline).to_string(), action.baseline.trim()),
        (t_string!(i18n, follow.target).to_string(), action.target.trim()),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| t_string!(i18n, follow.kpi_line, name = name, text = text).to_string())
        .collect();
    if parts.is_empty() { t_string!(i18n, follow.measured_hint).to_string() } else { parts.join(" · ") }
}

/// The keyboard goes on where the form was opened.
fn back_to(date: &str) {
    let date = document().get_element_by_id(date);
    if let Some(date) = date.and_then(|date| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(date).ok()) {
        // Fails only on an element that is gone.
        let _ = date.focus();
    }
}
