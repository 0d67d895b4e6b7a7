//! What the console reads from the facilitator's view.

use leptos::prelude::*;
use shared::id::{ActorId, TableId};
use shared::workshop::view::{FacilitatorPart, FloorPerson, FloorTable, Part, TableBrief, View};
use shared::workshop::{Command, Phase, RoundStatus};

use crate::i18n::{I18n, t_string};
use crate::state::cafe::Cafe;
use crate::ui::toast::{ToastKind, toast};

/// The facilitator's part of a view.
pub(super) fn part(view: &View) -> Option<&FacilitatorPart> {
    match &view.part {
        Part::Facilitator(part) => Some(part),
        Part::Participant(_) | Part::Reviewer(_) => None,
    }
}

/// A table with everything the floor shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableFacts {
    pub(super) brief: TableBrief,
    pub(super) floor: FloorTable,
    /// Its people, the host first.
    pub(super) people: Vec<FloorPerson>,
}

/// Every table, in order.
pub(super) fn tables(view: &View) -> Vec<TableFacts> {
    let Some(part) = part(view) else { return Vec::new() };
    let mut facts: Vec<TableFacts> = view
        .tables
        .iter()
        .map(|brief| TableFacts {
            brief: brief.clone(),
            floor: part.floor.iter().find(|floor| floor.id == brief.id).cloned().unwrap_or_else(|| FloorTable {
                id: brief.id,
                host: None,
                notes: 0,
                last_edit: None,
                activity: Vec::new(),
            }),
            people: Vec::new(),
        })
        .collect();
    for person in &part.people {
        // Tables are numbered from 1 in order; a search for each of ten thousand people would be felt.
        let place = person.table.and_then(|table| facts.get_mut(usize::from(table.0).checked_sub(1)?));
        if let Some(table) = place {
            table.people.push(person.clone());
        }
    }
    for table in &mut facts {
        let host = table.floor.host.clone();
        table.people.sort_by_key(|person| Some(&person.person.id) != host.as_ref());
    }
    facts
}

/// One table.
pub(super) fn table(view: &View, id: TableId) -> Option<TableFacts> {
    tables(view).into_iter().find(|table| table.brief.id == id)
}

/// Everybody who is here.
pub(super) fn people(view: &View) -> Vec<FloorPerson> {
    part(view).map(|part| part.people.clone()).unwrap_or_default()
}

/// The table somebody hosts.
pub(super) fn hosted_by(view: &View, person: &ActorId) -> Option<TableId> {
    part(view)?.floor.iter().find(|table| table.host.as_ref() == Some(person)).map(|table| table.id)
}

/// Tables as choices of a list: number and topic.
pub(super) fn table_choices(view: &View) -> Vec<(String, String)> {
    view.tables.iter().map(|table| (table.id.to_string(), format!("{} · {}", table.id, table.topic))).collect()
}

/// A phase in words.
pub(super) fn phase_word(phase: Phase, i18n: I18n) -> String {
    match phase {
        Phase::Draft => t_string!(i18n, console.phase_draft).to_string(),
        Phase::Lobby => t_string!(i18n, console.phase_lobby).to_string(),
        Phase::Rounds => t_string!(i18n, console.phase_rounds).to_string(),
        Phase::Gallery => t_string!(i18n, console.phase_gallery).to_string(),
        Phase::Harvest => t_string!(i18n, console.phase_harvest).to_string(),
        Phase::Vote => t_string!(i18n, console.phase_vote).to_string(),
        Phase::Plan => t_string!(i18n, console.phase_plan).to_string(),
        Phase::Review => t_string!(i18n, console.phase_review).to_string(),
        Phase::Closed => t_string!(i18n, console.phase_closed).to_string(),
    }
}

/// Index and state of the round, and how many rounds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoundFacts {
    pub(super) index: Option<u8>,
    pub(super) status: Option<RoundStatus>,
    pub(super) planned: usize,
}

/// How the rounds stand.
pub(super) fn round(view: &View) -> RoundFacts {
    RoundFacts {
        index: view.round.as_ref().map(|round| round.index),
        status: view.round.as_ref().map(|round| round.status),
        planned: view.rounds.len(),
    }
}

/// Sends a command; `busy` is true until the answer, and a refusal is shown. `then` is called when it was carried out.
pub(super) fn send(cafe: Cafe, i18n: I18n, busy: RwSignal<bool>, command: Command, then: impl FnOnce() + 'static) {
    send_all(cafe, i18n, busy, vec![command], then);
}

/// Sends a command whose effect is already shown; `undo` shows what is, if it was refused.
pub(super) fn send_shown(
    cafe: Cafe,
    i18n: I18n,
    busy: RwSignal<bool>,
    command: Command,
    undo: impl FnOnce() + 'static,
) {
    run(cafe, i18n, busy, vec![command], move |done| {
        if !done {
            undo();
        }
    });
}

/// Sends commands one after the other, and stops at the first that is refused.
pub(super) fn send_all(
    cafe: Cafe,
    i18n: I18n,
    busy: RwSignal<bool>,
    commands: Vec<Command>,
    then: impl FnOnce() + 'static,
) {
    run(cafe, i18n, busy, commands, move |done| {
        if done {
            then();
        }
    });
}

fn run(cafe: Cafe, i18n: I18n, busy: RwSignal<bool>, commands: Vec<Command>, ended: impl FnOnce(bool) + 'static) {
    if busy.get_untracked() {
        ended(false);
        return;
    }
    busy.set(true);
    leptos::task::spawn_local(async move {
        let mut refused = None;
        for command in commands {
            if let Err(error) = cafe.try_command(command).await {
                refused = Some(error);
                break;
            }
        }
        // The page may have been left meanwhile.
        let _ = busy.try_set(false);
        if let Some(error) = &refused {
            toast(ToastKind::Bad, error.text(i18n));
        }
        ended(refused.is_none());
    });
}
