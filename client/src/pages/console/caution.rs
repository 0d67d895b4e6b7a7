//! What is still open in a phase, beside the button that leaves it: said, not forbidden.

use leptos::prelude::*;
use shared::id::BoardKind;
use shared::workshop::Phase;

use super::facts;
use crate::i18n::{t_string, use_i18n};
use crate::pages::harvest::unplaced_notes;
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// One line, or nothing. `open` is told how many things are open.
#[component]
pub(super) fn Caution(cafe: Cafe, open: RwSignal<usize>) -> impl IntoView {
    let i18n = use_i18n();
    let phase = cafe.memo(|view| view.phase);
    // The boards that it counts on are opened in their phase alone.
    let counted =
        Memo::new(move |_| phase.get().filter(|phase| matches!(phase, Phase::Harvest | Phase::Plan | Phase::Review)));
    move || {
        open.set(0);
        counted.get().map(|phase| {
            let count = match phase {
                Phase::Harvest => unplaced_notes(cafe),
                Phase::Plan => unfinished(cafe),
                _ => undecided(cafe),
            };
            Effect::new(move || open.set(count.get()));
            let words = move |n: usize| match phase {
                Phase::Harvest => t_string!(i18n, console.left_unplaced, n = n).to_string(),
                Phase::Plan => t_string!(i18n, console.left_unfinished, n = n).to_string(),
                _ => t_string!(i18n, console.left_undecided, n = n).to_string(),
            };
            view! {
                <p class="console-caution figures" role="status" hidden=move || count.get() == 0>
                    <Icon icon=icondata_lu::LuTriangleAlert />
                    <span>{move || words(count.get())}</span>
                </p>
            }
        })
    }
}

/// Actions that nobody could carry out as they are: without a title, or without somebody accountable.
fn unfinished(cafe: Cafe) -> Memo<usize> {
    let plan = cafe.board(BoardKind::Plan);
    let ids = plan.action_ids();
    Memo::new(move |_| {
        let lacks = |action: &shared::board::view::Action| {
            action.title.trim().is_empty() || action.accountable.trim().is_empty()
        };
        ids.with(|ids| ids.iter().filter(|id| plan.action(id).is_some_and(|action| action.with(lacks))).count())
    })
}

/// Actions on which management has not decided.
fn undecided(cafe: Cafe) -> Memo<usize> {
    let plan = cafe.board(BoardKind::Plan);
    let ids = plan.action_ids();
    let decided = cafe.memo(|view| {
        let decisions = facts::part(view).map(|part| part.decisions.as_slice()).unwrap_or_default();
        decisions.iter().map(|decision| decision.action.clone()).collect::<Vec<_>>()
    });
    Memo::new(move |_| {
        decided.with(|decided| {
            let decided = decided.as_deref().unwrap_or_default();
            ids.with(|ids| ids.iter().filter(|id| !decided.contains(id)).count())
        })
    })
}
