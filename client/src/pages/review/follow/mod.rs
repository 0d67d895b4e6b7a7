//! What became of the approved actions: three dates below each, what was found, and the form to record it.

mod due;
mod form;
mod summary;

use leptos::prelude::*;
use shared::board::view::Action;
use shared::id::ActionId;
use shared::workshop::follow_up::{FollowUp, Progress};
use shared::workshop::state::Decision;
use shared::workshop::view::Part;

use self::due::{Date, Standing, dates};
use self::form::Form;
pub use self::summary::Outlooks;
use super::reviewer::Reviewer;
use crate::dates as calendar;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::icon::{Icon, Picture};

/// What was found so far, and which day it is.
#[derive(Clone, Copy)]
pub struct Follow {
    found: Memo<Vec<FollowUp>>,
    /// Today by the server's clock, in this device's zone.
    today: Memo<String>,
}

impl Follow {
    /// As the café's view tells it.
    pub fn new(cafe: Cafe) -> Self {
        let found = cafe.memo(|view| match &view.part {
            Part::Facilitator(part) => part.follow_ups.clone(),
            Part::Reviewer(part) => part.follow_ups.clone(),
            Part::Participant(part) => part.follow_ups.clone(),
        });
        let now = cafe.tick();
        Self {
            found: Memo::new(move |_| found.get().unwrap_or_default()),
            today: Memo::new(move |_| calendar::day_of(now.get(), 0)),
        }
    }

    /// What was found of one action.
    pub fn of(self, action: &ActionId) -> Vec<FollowUp> {
        self.found.with(|all| all.iter().filter(|found| found.action == *action).cloned().collect())
    }
}

/// How far an action is, in words.
pub fn progress_word(i18n: I18n, progress: Progress) -> String {
    match progress {
        Progress::NotStarted => t_string!(i18n, follow.not_started).to_string(),
        Progress::Underway => t_string!(i18n, follow.underway).to_string(),
        Progress::Done => t_string!(i18n, follow.done).to_string(),
        Progress::Stopped => t_string!(i18n, follow.stopped).to_string(),
    }
}

/// The same as an icon.
pub fn progress_icon(progress: Progress) -> Picture {
    match progress {
        Progress::NotStarted => icondata_lu::LuCircle,
        Progress::Underway => icondata_lu::LuCircleDot,
        Progress::Done => icondata_lu::LuCircleCheck,
        Progress::Stopped => icondata_lu::LuCircleX,
    }
}

fn standing_word(i18n: I18n, standing: Standing) -> String {
    match standing {
        Standing::Recorded(progress) => progress_word(i18n, progress),
        Standing::NotNeeded => t_string!(i18n, follow.not_needed).to_string(),
        Standing::ToCome => t_string!(i18n, follow.to_come).to_string(),
        Standing::Due => t_string!(i18n, follow.due).to_string(),
        Standing::Overdue => t_string!(i18n, follow.overdue).to_string(),
    }
}

fn standing_look(standing: Standing) -> (Picture, &'static str) {
    match standing {
        Standing::Recorded(progress) => (progress_icon(progress), "follow-date follow-recorded"),
        Standing::NotNeeded => (icondata_lu::LuMinus, "follow-date"),
        Standing::ToCome => (icondata_lu::LuCalendar, "follow-date"),
        Standing::Due => (icondata_lu::LuBell, "follow-date follow-due"),
        Standing::Overdue => (icondata_lu::LuTriangleAlert, "follow-date follow-overdue"),
    }
}

/// The three dates of an approved action and what was found; nothing below one that was never approved.
#[component]
pub fn FollowUps(id: ActionId, action: Signal<Action>, decision: Memo<Option<Decision>>) -> impl IntoView {
    let i18n = use_i18n();
    let follow = expect_context::<Follow>();
    let reviewer = expect_context::<Reviewer>();
    let stored = StoredValue::new(id);
    let found = Memo::new(move |_| stored.with_value(|id| follow.of(id)));
    let dates = Memo::new(move |_| {
        decision.with(|made| {
            found.with(|found| follow.today.with(|today| dates(made.as_ref(), found, today, calendar::day_of)))
        })
    });
    // The one whose form is open.
    let open = RwSignal::new(None::<u8>);
    let days = Memo::new(move |_| dates.with(|dates| dates.iter().map(|date| date.after_days).collect::<Vec<_>>()));
    let shown = Memo::new(move |_| !days.with(Vec::is_empty) || !found.with(Vec::is_empty));
    let asked = Memo::new(move |_| {
        open.get().filter(|open| reviewer.may_follow_up.get() && days.with(|days| days.contains(open)))
    });
    view! {
        <Show when=move || shown.get()>
            <section class="follow" aria-label=move || t_string!(i18n, follow.title).to_string()>
                <h4 class="follow-title">{t!(i18n, follow.title)}</h4>
                <ol class="follow-dates">
                    <For each=move || days.get() key=|days| *days let:after_days>
                        <li>
                            <DateSign id=stored.get_value() dates after_days open />
                        </li>
                    </For>
                </ol>
                {move || {
                    asked
                        .get()
                        .map(|after_days| {
                            let id = stored.get_value();
                            let before = found
                                .with_untracked(|found| {
                                    found.iter().find(|found| found.after_days == after_days).cloned()
                                });
                            view! { <Form id after_days action before open /> }
                        })
                }}
                <ul class="follow-found">
                    <For each=move || found.get() key=|found: &FollowUp| (found.after_days, found.at) let:found>
                        <Found found />
                    </For>
                </ul>
            </section>
        </Show>
    }
}

/// The id of a date in the page.
fn anchor(id: &ActionId, after_days: u8) -> String {
    format!("follow-{id}-{after_days}")
}

/// One date: a button for those who may record, words for the others.
#[component]
fn DateSign(id: ActionId, dates: Memo<Vec<Date>>, after_days: u8, open: RwSignal<Option<u8>>) -> impl IntoView {
    let anchor = anchor(&id, after_days);
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    let date = Memo::new(move |_| dates.with(|all| all.iter().find(|date| date.after_days == after_days).cloned()));
    let words = move || {
        date.get().map(|Date { day, standing, .. }| {
            let (icon, _) = standing_look(standing);
            view! {
                <span class="follow-when">{t_string!(i18n, follow.after, days = after_days).to_string()}</span>
                <time class="follow-day figures" datetime=day.clone()>
                    {calendar::day(&day, i18n)}
                </time>
                <span class="follow-standing">
                    <Icon icon />
                    {standing_word(i18n, standing)}
                </span>
            }
        })
    };
    let class = move || date.with(|date| date.as_ref().map_or("follow-date", |date| standing_look(date.standing).1));
    let is_open = move || open.get() == Some(after_days);
    move || {
        if reviewer.may_follow_up.get() {
            view! {
                <button
                    type="button"
                    class=class
                    id=anchor.clone()
                    aria-expanded=move || if is_open() { "true" } else { "false" }
                    on:click=move |_| open.set((open.get_untracked() != Some(after_days)).then_some(after_days))
                >
                    {words}
                </button>
            }
            .into_any()
        } else {
            view! { <div class=class>{words}</div> }.into_any()
        }
    }
}

/// What was found: how far, the measure, the words, and who says so.
#[component]
fn Found(found: FollowUp) -> impl IntoView {
    let i18n = use_i18n();
    let FollowUp { after_days, progress, measured, text, name, at, .. } = found;
    let measured = (!measured.is_empty()).then(|| view! { <span class="figures">{measured}</span> });
    let name = (!name.is_empty()).then(|| view! { <span>{name}</span> });
    view! {
        <li class="follow-one">
            <p class="follow-line">
                <span class="quiet small">{move || t_string!(i18n, follow.after, days = after_days).to_string()}</span>
                <strong class="follow-progress">
                    <Icon icon=progress_icon(progress) />
                    {move || progress_word(i18n, progress)}
                </strong>
                {measured}
                <span class="follow-who quiet small">{name} <time>{move || calendar::moment(at, i18n)}</time></span>
            </p>
            {(!text.is_empty()).then(|| view! { <p class="pre">{text}</p> })}
        </li>
    }
}
