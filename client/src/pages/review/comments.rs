//! Comments on one action or on the whole plan.

use leptos::prelude::*;
use shared::id::ActionId;
use shared::limits;
use shared::workshop::Command;
use shared::workshop::state::Comment;

use super::comments_on;
use super::reviewer::{Reviewer, Signature, Wrong};
use crate::dates;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::field::TextArea;

/// What was said, and a field to say something.
#[component]
pub fn Comments(
    /// On which action; on the whole plan if none.
    action: Option<ActionId>,
) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    let comments = comments_on(cafe, action.clone());
    let text = RwSignal::new(String::new());
    let wrong = Wrong::nothing();
    let busy = RwSignal::new(false);
    let action = StoredValue::new(action);
    let send = move || {
        wrong.clear();
        if text.with_untracked(|text| text.trim().is_empty()) {
            wrong.text.set(Some(t_string!(i18n, review.comment_needed).to_string()));
            return;
        }
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let command = Command::Comment {
            action: action.get_value(),
            text: text.get_untracked(),
            name: reviewer.name.get_untracked(),
        };
        reviewer.send(cafe, command, wrong, move |stored| {
            let _ = busy.try_set(false);
            if stored {
                let _ = text.try_set(String::new());
            }
        });
    };
    view! {
        <ul class="comments" aria-live="polite">
            <For each=move || comments.get() key=|comment: &Comment| (comment.at, comment.text.clone()) let:comment>
                <li class="comment">
                    <p class="comment-who small">
                        <strong>{comment.name}</strong>
                        <time class="quiet">{move || dates::moment(comment.at, i18n)}</time>
                    </p>
                    <p class="pre">{comment.text}</p>
                </li>
            </For>
        </ul>
        <Show when=move || reviewer.may_comment.get()>
            <form
                class="comment-form no-print"
                novalidate
                on:submit=move |event| {
                    event.prevent_default();
                    send();
                }
            >
                <TextArea
                    label=Signal::derive(move || t_string!(i18n, review.comment).to_string())
                    hide_label=true
                    placeholder=Signal::derive(move || Some(t_string!(i18n, review.comment_hint).to_string()))
                    value=text
                    error=wrong.text
                    max_chars=limits::COMMENT_CHARS
                />
                <div class="comment-send">
                    <Signature error=wrong.name />
                    <Button submit=true busy icon=icondata_lu::LuSend>
                        {t!(i18n, review.send)}
                    </Button>
                </div>
            </form>
        </Show>
    }
}
