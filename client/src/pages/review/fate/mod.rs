//! What became of what somebody wrote: shown to that person alone, on their own device, above the plan.

mod reckon;

use std::sync::Arc;

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::{ActionId, ThemeId};
use shared::workshop::follow_up::FollowUp;
use shared::workshop::state::Verdict;
use shared::workshop::view::Part;

use self::reckon::{Fate, Fates, Written, fates};
use super::action::VerdictSign;
use super::decision_on;
use super::follow::{Follow, progress_icon, progress_word};
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::harvest::named;
use crate::pages::plan::action_block::title_or;
use crate::pages::plan::{Planning, reference};
use crate::pages::vote::ranking;
use crate::platform;
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;
use crate::ui::table_badge::TableBadge;

/// The reader's own notes, gathered by the way they went: first into actions, then into themes, the rest folded.
#[component]
pub fn YourNotes() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Planning { plan, harvest, tables, .. } = expect_context();
    let me = cafe.memo(|view| view.me.id.clone());
    let visited = cafe.memo(|view| match &view.part {
        Part::Participant(part) => part.visited.clone(),
        _ => Vec::new(),
    });
    // In a café of many tables boards are read in turns, and one that cannot be read keeps nobody waiting.
    let here = Memo::new(move |_| {
        let boards = visited.get().unwrap_or_default().into_iter();
        boards.filter_map(|table| Some((table, tables.board(table)?))).collect::<Vec<_>>()
    });
    let ready = Memo::new(move |_| {
        let is_there = |board: crate::state::board::Board| board.loaded().get() || board.failed().with(Option::is_some);
        let all = visited.with(|visited| visited.as_ref().is_some_and(|all| all.len() == here.with(Vec::len)));
        all && is_there(plan) && is_there(harvest) && here.get().into_iter().all(|(_, board)| is_there(board))
    });
    let ways = Memo::new(move |_| {
        if !ready.get() {
            return Fates::default();
        }
        let boards: Vec<_> = here
            .get()
            .into_iter()
            .map(|(table, board)| {
                let ids = board.note_ids().get();
                (table, ids.iter().filter_map(|id| Some(board.note(id)?.get())).collect::<Vec<_>>())
            })
            .collect();
        let themes: Vec<ThemeId> = harvest.themes().with(|all| all.iter().map(|theme| theme.id.clone()).collect());
        let ids = plan.action_ids().get();
        let actions: Vec<_> = ids.iter().filter_map(|id| Some(plan.action(id)?.get())).collect();
        me.with(|me| {
            let me = me.clone().unwrap_or_default();
            harvest.placements().with(|placements| fates(&me, &boards, &themes, placements, &actions))
        })
    });
    let lead = move || {
        ways.with(|ways| {
            let wrote = match ways.count() {
                1 => t_string!(i18n, fate.one_note).to_string(),
                n => t_string!(i18n, fate.n_notes, n = n).to_string(),
            };
            let acted = match (ways.acted(), ways.count()) {
                (0, _) => String::new(),
                (1, 1) => t_string!(i18n, fate.one_acted).to_string(),
                (n, _) => t_string!(i18n, fate.n_acted, n = n).to_string(),
            };
            // Chinese sentences follow each other without a space.
            let between = if wrote.is_ascii() && !acted.is_empty() { " " } else { "" };
            format!("{wrote}{between}{acted}")
        })
    };
    let nothing = move || {
        if ready.get() { t_string!(i18n, fate.nothing).to_string() } else { t_string!(i18n, fate.looking).to_string() }
    };
    let body = move || {
        if !ready.get() || ways.with(|ways| ways.count() == 0) {
            return view! { <p class="quiet">{nothing}</p> }.into_any();
        }
        let Fates { reached, kept } = ways.get();
        let alone = reached.is_empty();
        view! {
            <p class="fate-lead">{lead} <span class="quiet small">{t!(i18n, fate.only_you)}</span></p>
            <ul class="fate-list">
                {reached.into_iter().map(|fate| view! { <Way fate /> }).collect_view()}
            </ul>
            {(!kept.is_empty()).then(|| view! { <Kept kept alone /> })}
        }
        .into_any()
    };
    view! {
        <section class="fate no-print" aria-labelledby="fate-title">
            <h2 id="fate-title">{t!(i18n, fate.title)}</h2>
            {body}
        </section>
    }
}

/// Notes that went one way, and that way.
#[component]
fn Way(fate: Fate) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Planning { harvest, .. } = expect_context();
    let Fate { notes, theme, actions } = fate;
    let ranking = ranking(cafe);
    let themes = harvest.themes();
    let theme = theme.map(|id| {
        let id = Arc::new(id);
        let title = {
            let id = Arc::clone(&id);
            move || themes.with(|all| all.iter().find(|theme| theme.id == *id).map(|theme| named(i18n, &theme.title)))
        };
        let dots = move || {
            let dots = ranking.with(|all| all.iter().find(|(theme, ..)| *theme == *id).map(|(.., dots)| *dots));
            dots.map(|n| t_string!(i18n, vote.dots, n = n).to_string())
        };
        view! {
            <p class="fate-theme">
                <Icon icon=icondata_lu::LuLayers label=move || t_string!(i18n, fate.theme).to_string() />
                <strong>{title}</strong>
                <span class="quiet small figures">{dots}</span>
            </p>
        }
    });
    view! {
        <li class="fate-way">
            <Notes notes />
            <div class="fate-to">
                {theme} {actions.into_iter().map(|id| view! { <Under id /> }).collect_view()}
            </div>
        </li>
    }
}

/// Somebody's own notes with their tables, and how many went on from them.
#[component]
fn Notes(notes: Vec<Written>) -> impl IntoView {
    let i18n = use_i18n();
    let one = |written: Written| {
        let Written { place: NoteRef { table, .. }, text, went_on } = written;
        let went_on = (went_on > 0).then(|| {
            view! {
                <span class="fate-went-on quiet small">
                    <Icon icon=icondata_lu::LuCornerDownRight />
                    {move || match went_on {
                        1 => t_string!(i18n, fate.went_on_one).to_string(),
                        n => t_string!(i18n, fate.went_on, n = n).to_string(),
                    }}
                </span>
            }
        });
        view! {
            <li class="fate-note">
                <TableBadge id=table />
                <span class="fate-words">
                    <span class="pre">{text}</span>
                    {went_on}
                </span>
            </li>
        }
    };
    view! { <ul class="fate-notes">{notes.into_iter().map(one).collect_view()}</ul> }
}

/// An action that rests on them: what was decided, and what was found since.
#[component]
fn Under(id: ActionId) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Planning { plan, .. } = expect_context();
    let follow = expect_context::<Follow>();
    let action = plan.action(&id)?;
    let ids = plan.action_ids();
    let decision = decision_on(cafe, id.clone());
    let anchor = format!("action-{id}");
    let stored = StoredValue::new(id);
    let name = move || {
        let at = ids.with(|ids| stored.with_value(|id| ids.iter().position(|other| other == id)));
        reference(at.unwrap_or(0))
    };
    let reason = move || {
        let made = decision.get().filter(|made| !made.reason.trim().is_empty())?;
        // An approval speaks for itself on a page that is to be read in a minute.
        (made.verdict != Verdict::Approve).then(|| view! { <p class="fate-reason small pre">{made.reason}</p> })
    };
    let found = Memo::new(move |_| stored.with_value(|id| follow.of(id)));
    Some(view! {
        <div class="fate-action">
            <p class="fate-action-line">
                <button
                    type="button"
                    class="fate-link"
                    title=move || t_string!(i18n, fate.action, reference = name()).to_string()
                    on:click=move |_| platform::reveal(&anchor)
                >
                    <span class="action-reference figures">{name}</span>
                    <span class="fate-title">{move || action.with(|action| title_or(i18n, action))}</span>
                </button>
                <VerdictSign decision />
            </p>
            {reason}
            <ul class="fate-found">
                <For each=move || found.get() key=|found: &FollowUp| (found.after_days, found.at) let:found>
                    <Since found />
                </For>
            </ul>
        </div>
    })
}

#[component]
fn Since(found: FollowUp) -> impl IntoView {
    let i18n = use_i18n();
    let FollowUp { after_days, progress, measured, text, .. } = found;
    view! {
        <li class="small">
            <span class="fate-since">
                <Icon icon=progress_icon(progress) />
                {move || {
                    let progress = progress_word(i18n, progress);
                    t_string!(i18n, fate.found, days = after_days, progress = progress).to_string()
                }}
            </span>
            {(!measured.is_empty()).then(|| view! { <span class="figures">" · " {measured}</span> })}
            {(!text.is_empty()).then(|| view! { <span class="fate-text pre">{text}</span> })}
        </li>
    }
}

/// Notes that went nowhere yet: folded, unless there is nothing else.
#[component]
fn Kept(kept: Vec<Written>, alone: bool) -> impl IntoView {
    let i18n = use_i18n();
    let n = kept.len();
    let title = move || match (alone, n) {
        (true, 1) => t_string!(i18n, fate.one_kept_only).to_string(),
        (true, n) => t_string!(i18n, fate.n_kept_only, n = n).to_string(),
        (false, 1) => t_string!(i18n, fate.one_kept).to_string(),
        (false, n) => t_string!(i18n, fate.n_kept, n = n).to_string(),
    };
    view! {
        <details class="fate-kept" open=alone>
            <summary>{title}</summary>
            <p class="quiet small">{t!(i18n, fate.kept_text)}</p>
            <Notes notes=kept />
        </details>
    }
}
