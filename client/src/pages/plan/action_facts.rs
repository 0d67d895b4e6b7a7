//! An action's fields to be read: those that say something.

use leptos::prelude::*;
use shared::board::view::{Action, ActionStatus, ActionText};

use super::action_block::status_word;
use super::field::field_name;
use crate::dates;
use crate::i18n::{t, t_string, use_i18n};

/// All fields except the title and what [`ActionBrief`] says.
const FIELDS: [ActionText; 8] = [
    ActionText::Reason,
    ActionText::Stage,
    ActionText::Helpers,
    ActionText::Kpi,
    ActionText::Baseline,
    ActionText::Target,
    ActionText::Cost,
    ActionText::Risk,
];

/// The fields with their names; empty ones are left out.
#[component]
pub fn ActionFacts(
    /// The action.
    action: Signal<Action>,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = FIELDS.map(|field| {
        let text = Memo::new(move |_| action.with(|action| action.text(field).trim().to_owned()));
        view! {
            <div class=format!("fact fact-{}", field.key()) hidden=move || text.with(String::is_empty)>
                <dt>{move || field_name(i18n, field)}</dt>
                <dd class="pre">{move || text.get()}</dd>
            </div>
        }
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }
}

/// Who, by when, how much and how far, in one line.
#[component]
pub fn ActionBrief(
    /// The action.
    action: Signal<Action>,
    /// Whether its decision is shown beside it.
    #[prop(optional, into)]
    decided: Signal<bool>,
) -> impl IntoView {
    let i18n = use_i18n();
    let who = Memo::new(move |_| action.with(|action| action.accountable.trim().to_owned()));
    let due = move || {
        action.with(|action| {
            (!action.due.is_empty()).then(|| {
                let date = dates::day(&action.due, i18n);
                view! { <span>{t_string!(i18n, review.due, date = date).to_string()}</span> }
            })
        })
    };
    let rated = move || {
        action.with(|action| {
            (action.effort > 0 && action.impact > 0).then(|| {
                let words = t_string!(i18n, review.rated, effort = action.effort, impact = action.impact);
                view! { <span>{words.to_string()}</span> }
            })
        })
    };
    view! {
        <span class="brief small figures">
            {move || {
                if who.with(String::is_empty) {
                    view! { <span class="brief-nobody">{t!(i18n, review.nobody)}</span> }.into_any()
                } else {
                    view! { <span class="strong">{who.get()}</span> }.into_any()
                }
            }}
            {due}
            {rated}
            // What is only proposed says nothing beside a decision.
            {move || {
                let status = action.with(|action| action.status);
                (status != ActionStatus::Proposed || !decided.get())
                    .then(|| view! { <span>{status_word(i18n, status)}</span> })
            }}
        </span>
    }
}
