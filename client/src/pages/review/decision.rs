//! Three plain buttons and a reason.

use leptos::prelude::*;
use shared::id::ActionId;
use shared::limits;
use shared::workshop::Command;
use shared::workshop::state::{Decision, Verdict};

use super::reviewer::{Reviewer, Signature, Wrong};
use crate::dates;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::TextArea;
use crate::ui::icon::Picture;

/// A decision that was made, in words.
pub fn verdict_word(i18n: I18n, verdict: Verdict) -> String {
    match verdict {
        Verdict::Approve => t_string!(i18n, review.approved).to_string(),
        Verdict::Change => t_string!(i18n, review.change_wanted).to_string(),
        Verdict::Decline => t_string!(i18n, review.declined).to_string(),
    }
}

/// The same as a name for style sheets.
pub fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "verdict verdict-approve",
        Verdict::Change => "verdict verdict-change",
        Verdict::Decline => "verdict verdict-decline",
    }
}

/// What was decided, and the buttons to decide.
#[component]
pub fn Decide(action: ActionId, decision: Memo<Option<Decision>>) -> impl IntoView {
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    // Management is asked until it has decided; afterwards, and for facilitators, the form waits behind a button.
    let opened = RwSignal::new(false);
    let undecided = Memo::new(move |_| decision.with(Option::is_none));
    let asked = Memo::new(move |_| opened.get() || (reviewer.decides && undecided.get()));
    let action = StoredValue::new(action);
    let made = move || {
        decision.get().map(|made| {
            let reason = made.reason.trim().to_owned();
            let at = made.at;
            view! {
                <div class="decision-made">
                    <p class="decision-line">
                        <span class=verdict_class(made.verdict)>{move || verdict_word(i18n, made.verdict)}</span>
                        <strong>{made.name}</strong>
                        <time class="quiet small">{move || dates::moment(at, i18n)}</time>
                    </p>
                    {(!reason.is_empty()).then(|| view! { <p class="pre">{reason}</p> })}
                </div>
            }
        })
    };
    view! {
        <div aria-live="polite" class="decision-place">{made}</div>
        <Show when=move || reviewer.may_decide.get()>
            <Show
                when=move || asked.get()
                fallback=move || {
                    view! {
                        <Button kind=ButtonKind::Plain class="decide-again" on_click=move |_| opened.set(true)>
                            {move || {
                                if undecided.get() {
                                    t_string!(i18n, review.record).to_string()
                                } else {
                                    t_string!(i18n, review.decide_again).to_string()
                                }
                            }}
                        </Button>
                    }
                }
            >
                <Form action opened />
            </Show>
        </Show>
    }
}

#[component]
fn Form(action: StoredValue<ActionId>, opened: RwSignal<bool>) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    let reason = RwSignal::new(String::new());
    let wrong = Wrong::nothing();
    let busy = RwSignal::new(None::<Verdict>);
    let field = NodeRef::new();
    let decide = move |verdict: Verdict| {
        wrong.clear();
        // Said here as well as by the server, so that nobody has to wait to be told.
        if verdict != Verdict::Approve && reason.with_untracked(|text| text.trim().is_empty()) {
            wrong.text.set(Some(t_string!(i18n, review.reason_needed).to_string()));
            focus(field);
            return;
        }
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(verdict));
        let command = Command::Decide {
            action: action.get_value(),
            verdict,
            reason: reason.get_untracked(),
            name: reviewer.name.get_untracked(),
        };
        reviewer.send(cafe, command, wrong, move |stored| {
            let _ = busy.try_set(None);
            if stored {
                let _ = reason.try_set(String::new());
                let _ = opened.try_set(false);
            }
        });
    };
    let buttons: [(Verdict, Picture); 3] = [
        (Verdict::Approve, icondata_lu::LuCheck),
        (Verdict::Change, icondata_lu::LuPencil),
        (Verdict::Decline, icondata_lu::LuX),
    ];
    let word = move |verdict| match verdict {
        Verdict::Approve => t_string!(i18n, review.approve).to_string(),
        Verdict::Change => t_string!(i18n, review.ask_change).to_string(),
        Verdict::Decline => t_string!(i18n, review.decline).to_string(),
    };
    view! {
        <section class="decide no-print" aria-label=move || t_string!(i18n, review.decision).to_string()>
            <h4>{t!(i18n, review.decision)}</h4>
            <TextArea
                label=Signal::derive(move || t_string!(i18n, review.reason).to_string())
                hint=Signal::derive(move || Some(t_string!(i18n, review.reason_hint).to_string()))
                value=reason
                error=wrong.text
                max_chars=limits::COMMENT_CHARS
                node_ref=field
            />
            <Signature error=wrong.name />
            <div class="decide-buttons">
                {buttons
                    .map(|(verdict, icon)| {
                        view! {
                            <Button
                                icon
                                busy=Signal::derive(move || busy.get() == Some(verdict))
                                on_click=move |_| decide(verdict)
                            >
                                {move || word(verdict)}
                            </Button>
                        }
                    })
                    .into_iter()
                    .collect_view()}
            </div>
        </section>
    }
}

fn focus(field: NodeRef<leptos::html::Textarea>) {
    if let Some(field) = field.get_untracked() {
        // Fails only on an element that is gone.
        let _ = field.focus();
    }
}
