//! How the approved actions stand, in one sentence, and what is due now.

use leptos::prelude::*;
use shared::workshop::follow_up::Progress;

use super::Follow;
use super::due::{DueNow, Outlook};
use crate::dates as calendar;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::pages::plan::action_block::title_or;
use crate::pages::plan::{Planning, reference};
use crate::pages::review::decisions_of;
use crate::pages::review::reviewer::Reviewer;
use crate::platform;
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// The sentence from the first approval on; below it, for those who record, what is due.
#[component]
pub fn Outlooks() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Follow { found, today } = expect_context();
    let Planning { plan, .. } = expect_context();
    let reviewer = expect_context::<Reviewer>();
    let ids = plan.action_ids();
    let decisions = decisions_of(cafe);
    let outlook = Memo::new(move |_| {
        ids.with(|ids| {
            decisions.with(|decisions| {
                found.with(|found| today.with(|today| Outlook::new(ids, decisions, found, today, calendar::day_of)))
            })
        })
    });
    let due = Memo::new(move |_| outlook.with(|outlook| outlook.due.clone()));
    let lists = move || reviewer.may_follow_up.get() && !due.with(Vec::is_empty);
    view! {
        <Show when=move || { outlook.with(|outlook| outlook.approved > 0) }>
            <div class="outlook">
                <p class="figures" role="status">
                    {move || outlook.with(|outlook| sentence(i18n, outlook))}
                </p>
                <Show when=lists>
                    <section class="outlook-due no-print" aria-labelledby="outlook-due-title">
                        <h3 id="outlook-due-title">{t!(i18n, follow.due_title)}</h3>
                        <ul class="outlook-list">
                            <For each=move || due.get() key=|due| (due.action.clone(), due.after_days, due.overdue) let:due>
                                <Line due />
                            </For>
                        </ul>
                    </section>
                </Show>
            </div>
        </Show>
    }
}

/// One that is due, with the way down to it.
#[component]
fn Line(due: DueNow) -> impl IntoView {
    let i18n = use_i18n();
    let Planning { plan, .. } = expect_context();
    let Follow { today, .. } = expect_context();
    let DueNow { action: id, after_days, day, overdue } = due;
    let action = plan.action(&id);
    let ids = plan.action_ids();
    let anchor = format!("action-{id}");
    let place = Memo::new(move |_| ids.with(|ids| ids.iter().position(|other| *other == id)).unwrap_or(0));
    let icon = if overdue { icondata_lu::LuTriangleAlert } else { icondata_lu::LuBell };
    let when = move || {
        if today.with(|today| *today == day) {
            t_string!(i18n, follow.due_today, days = after_days).to_string()
        } else {
            let date = calendar::day(&day, i18n);
            t_string!(i18n, follow.due_since, days = after_days, date = date).to_string()
        }
    };
    view! {
        <li>
            <button type="button" class="outlook-line" on:click=move |_| platform::reveal(&anchor)>
                <span class="action-reference figures">{move || reference(place.get())}</span>
                <span class="outlook-what">
                    <span class="outlook-title">{move || action.map(|action| action.with(|a| title_or(i18n, a)))}</span>
                    <span class="outlook-when small figures" class:outlook-overdue=overdue class:quiet=!overdue>
                        <Icon icon />
                        {when}
                        {overdue
                            .then(|| view! { <span class="visually-hidden">{t!(i18n, follow.overdue)}</span> })}
                    </span>
                </span>
            </button>
        </li>
    }
}

fn sentence(i18n: I18n, outlook: &Outlook) -> String {
    let mut parts = Vec::new();
    for progress in [Progress::Done, Progress::Underway, Progress::NotStarted, Progress::Stopped] {
        let at = Progress::ALL.iter().position(|other| *other == progress).unwrap_or(0);
        let n = outlook.so_far[at];
        if n > 0 {
            parts.push(match progress {
                Progress::Done => t_string!(i18n, follow.part_done, n = n).to_string(),
                Progress::Underway => t_string!(i18n, follow.part_underway, n = n).to_string(),
                Progress::NotStarted => t_string!(i18n, follow.part_not_started, n = n).to_string(),
                Progress::Stopped => t_string!(i18n, follow.part_stopped, n = n).to_string(),
            });
        }
    }
    if outlook.unheard > 0 {
        parts.push(t_string!(i18n, follow.part_unheard, n = outlook.unheard).to_string());
    }
    let parts = parts.join(t_string!(i18n, follow.between));
    let n = outlook.approved;
    let more = match (outlook.due.len(), &outlook.next) {
        (0, None) => return t_string!(i18n, follow.outlook, n = n, parts = parts).to_string(),
        (0, Some(next)) => t_string!(i18n, follow.next, date = calendar::day(next, i18n)).to_string(),
        (1, _) => t_string!(i18n, follow.one_due).to_string(),
        (due, _) => t_string!(i18n, follow.n_due, n = due).to_string(),
    };
    t_string!(i18n, follow.outlook_more, n = n, parts = parts, more = more).to_string()
}
