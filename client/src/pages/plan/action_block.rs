//! One action of the plan, as a block of the document.

use leptos::prelude::*;
use shared::board::view::{Action, ActionStatus, ActionText};
use shared::id::ActionId;
use shared::limits;

use super::action_facts::{ActionBrief, ActionFacts};
use super::field::{ActionField, field_name};
use super::sources::Sources;
use super::{Planning, keep_focus, reference};
use crate::dates;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::state::board::Board;
use crate::state::live_text::TextAt;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::{SelectField, next_id};
use crate::ui::icon::Icon;
use crate::ui::live_text::LiveText;
use crate::ui::seg::{Choice, Segmented};

/// Who, below the reason.
const WHO: [ActionText; 2] = [ActionText::Accountable, ActionText::Helpers];
/// The other text fields of the form.
const FIELDS: [ActionText; 6] =
    [ActionText::Stage, ActionText::Cost, ActionText::Kpi, ActionText::Baseline, ActionText::Target, ActionText::Risk];

/// How far an action is, in words.
pub fn status_word(i18n: I18n, status: ActionStatus) -> String {
    match status {
        ActionStatus::Proposed => t_string!(i18n, plan.status_proposed).to_string(),
        ActionStatus::Doing => t_string!(i18n, plan.status_doing).to_string(),
        ActionStatus::Done => t_string!(i18n, plan.status_done).to_string(),
        ActionStatus::Paused => t_string!(i18n, plan.status_paused).to_string(),
    }
}

/// An action's title, or the words for one that has none.
pub fn title_or(i18n: I18n, action: &Action) -> String {
    let title = action.title.trim();
    if title.is_empty() { t_string!(i18n, review.untitled).to_string() } else { title.to_owned() }
}

/// An action with all its fields: to be written in, or to be read.
#[component]
pub fn ActionBlock(
    /// Which action.
    id: ActionId,
) -> impl IntoView {
    let planning = expect_context::<Planning>();
    let i18n = use_i18n();
    let plan = planning.plan;
    let action = plan.action(&id)?;
    let writable = plan.writable();
    let ids = plan.action_ids();
    let anchor = format!("action-{id}");
    let stored = StoredValue::new(id.clone());
    let place = Memo::new(move |_| {
        stored.with_value(|id| ids.with(|ids| ids.iter().position(|other| other == id))).unwrap_or(0)
    });
    let fresh = planning.fresh.with_value(|fresh| fresh.as_ref() == Some(&id));
    if fresh {
        planning.fresh.set_value(None);
    }
    let title = move || {
        if writable.get() {
            view! {
                <LiveText
                    board=plan
                    at=TextAt::Action(stored.get_value(), ActionText::Title)
                    multiline=true
                    class="action-title"
                    max_chars=limits::FIELD_CHARS
                    autofocus=fresh
                    on_enter=move |()| {}
                    aria_label=Signal::derive(move || field_name(i18n, ActionText::Title))
                    placeholder=Signal::derive(move || t_string!(i18n, plan.title_hint).to_string())
                />
            }
            .into_any()
        } else {
            view! { <h3 class="action-title">{move || action.with(|action| title_or(i18n, action))}</h3> }.into_any()
        }
    };
    Some(view! {
        <li class="action" id=anchor>
            <header class="action-head">
                <span class="action-reference figures">{move || reference(place.get())}</span>
                {title}
                <Show when=move || writable.get()>
                    <Tools id=stored place />
                </Show>
            </header>
            <Show
                when=move || writable.get()
                fallback=move || {
                    view! {
                        <ActionBrief action />
                        <ActionFacts action />
                    }
                }
            >
                <Form plan action id=stored />
            </Show>
            <Sources action=id editable=writable />
        </li>
    })
}

/// Up, down, away.
#[component]
fn Tools(id: StoredValue<ActionId>, place: Memo<usize>) -> impl IntoView {
    let Planning { plan, regret, .. } = expect_context::<Planning>();
    let i18n = use_i18n();
    let ids = plan.action_ids();
    let last = Memo::new(move |_| place.get() + 1 >= ids.with(Vec::len));
    let shift = move |by: isize| {
        let order = ids.with_untracked(|ids| {
            let to = place.get_untracked().checked_add_signed(by).filter(|to| *to < ids.len())?;
            let order_of =
                |i: usize| plan.action(ids.get(i)?).map(|action| action.with_untracked(|action| action.order));
            let beside = order_of(to)?;
            let beyond = to.checked_add_signed(by).and_then(order_of);
            Some(beyond.map_or(beside + by as f64, |beyond| f64::midpoint(beside, beyond)))
        });
        if let Some(order) = order {
            plan.move_action(&id.get_value(), order);
        }
    };
    let take_away = move || {
        let id = id.get_value();
        let title = plan.action(&id).map(|action| action.with_untracked(|action| title_or(i18n, action)));
        let words = t_string!(i18n, plan.taken, title = title.unwrap_or_default()).to_string();
        plan.delete_action(&id);
        regret.offer(words, move || plan.restore_action(&id));
    };
    let name = move || reference(place.get());
    view! {
        <span class="action-tools">
            <Button
                kind=ButtonKind::Plain
                icon=icondata_lu::LuArrowUp
                label=Signal::derive(move || Some(t_string!(i18n, plan.up, reference = name()).to_string()))
                disabled=Signal::derive(move || place.get() == 0)
                on_click=move |event| {
                    shift(-1);
                    keep_focus(&event);
                }
            />
            <Button
                kind=ButtonKind::Plain
                icon=icondata_lu::LuArrowDown
                label=Signal::derive(move || Some(t_string!(i18n, plan.down, reference = name()).to_string()))
                disabled=Signal::derive(move || last.get())
                on_click=move |event| {
                    shift(1);
                    keep_focus(&event);
                }
            />
            <Button
                kind=ButtonKind::Plain
                icon=icondata_lu::LuTrash2
                label=Signal::derive(move || Some(t_string!(i18n, plan.take_away, reference = name()).to_string()))
                on_click=move |_| take_away()
            />
        </span>
    }
}

/// All fields, to be written in.
#[component]
fn Form(plan: Board, action: Signal<Action>, id: StoredValue<ActionId>) -> impl IntoView {
    let i18n = use_i18n();
    let due = Memo::new(move |_| action.with(|action| action.due.clone()));
    let effort = Memo::new(move |_| action.with(|action| action.effort));
    let impact = Memo::new(move |_| action.with(|action| action.impact));
    let status = RwSignal::new(String::new());
    Effect::new(move || {
        let now = action.with(|action| action.status.as_str());
        if status.with_untracked(|shown| shown != now) {
            status.set(now.to_owned());
        }
    });
    let statuses = Signal::derive(move || {
        ActionStatus::ALL.map(|status| (status.as_str().to_owned(), status_word(i18n, status))).to_vec()
    });
    let due_id = next_id("due");
    let due_error_id = format!("{due_id}-error");
    let due_wrong = RwSignal::new(false);
    let (earliest, latest) = dates::due_range();
    let set_due = move |event: leptos::ev::Event| {
        let day = event_target_value(&event);
        let fits = dates::is_within(&day, &dates::due_range());
        due_wrong.set(!fits);
        if fits {
            plan.set_due(&id.get_value(), &day);
        }
    };
    let due_error = move || {
        due_wrong.get().then(|| {
            let (from, to) = dates::due_range();
            let (from, to) = (dates::day(&from, i18n), dates::day(&to, i18n));
            let words = t_string!(i18n, plan.due_range, from = from, to = to).to_string();
            view! {
                <Icon icon=icondata_lu::LuCircleAlert />
                <span>{words}</span>
            }
        })
    };
    let text = |field| view! { <ActionField board=plan action=id.get_value() field /> };
    view! {
        <ActionField board=plan action=id.get_value() field=ActionText::Reason />
        <div class="action-fields">
            {WHO.map(text).into_iter().collect_view()}
            <div class="action-field" class:field-wrong=move || due_wrong.get()>
                <label for=due_id.clone()>{t!(i18n, plan.due)}</label>
                <input
                    class="field-input"
                    type="date"
                    id=due_id
                    min=earliest
                    max=latest
                    aria-invalid=move || due_wrong.get().then_some("true")
                    aria-describedby=due_error_id.clone()
                    prop:value=move || due.get()
                    on:change=set_due
                />
                <p class="field-error" id=due_error_id aria-live="polite">
                    {due_error}
                </p>
            </div>
            <SelectField
                class="action-field"
                label=Signal::derive(move || t_string!(i18n, plan.status).to_string())
                value=status
                options=statuses
                on_change=move |chosen: String| plan.set_status(&id.get_value(), ActionStatus::parse(&chosen))
            />
            <Level
                label=Signal::derive(move || t_string!(i18n, plan.effort).to_string())
                hint=Signal::derive(move || t_string!(i18n, plan.effort_scale).to_string())
                value=effort
                on_change=move |level| plan.set_effort(&id.get_value(), level)
            />
            <Level
                label=Signal::derive(move || t_string!(i18n, plan.impact).to_string())
                hint=Signal::derive(move || t_string!(i18n, plan.impact_scale).to_string())
                value=impact
                on_change=move |level| plan.set_impact(&id.get_value(), level)
            />
            {FIELDS.map(text).into_iter().collect_view()}
        </div>
    }
}

/// One to five.
#[component]
fn Level(
    label: Signal<String>,
    hint: Signal<String>,
    value: Memo<u8>,
    #[prop(into)] on_change: Callback<u8>,
) -> impl IntoView {
    let levels = (1..=5_u8).map(|level| Choice::new(level, Signal::stored(level.to_string()))).collect::<Vec<_>>();
    view! {
        <div class="action-field action-level">
            <span class="action-label">
                {move || label.get()} <span class="action-scale">{move || hint.get()}</span>
            </span>
            <Segmented
                class="seg-wide figures"
                label=Signal::derive(move || format!("{} {}", label.get(), hint.get()))
                choices=levels
                value
                on_change
            />
        </div>
    }
}
