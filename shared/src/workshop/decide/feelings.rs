//! How the stages of a journey feel, and the line they must not fall below.

use super::{Refusal, Workshop, require};
use crate::id::{ActorId, TableId};
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::journey::{LEVEL_MAX, LEVEL_MIN, SCORE_MAX, SCORE_MIN};
use crate::workshop::plan::line;
use crate::workshop::state::Phase;

/// As long as somebody may write at a table. A locked board does not matter: nothing is written on it.
pub(super) fn feel(
    state: &Workshop,
    person: &ActorId,
    table: TableId,
    score: Option<i8>,
) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Rounds..=Phase::Harvest)?;
    require_asked(state)?;
    state.table_plan(table).ok_or(Refusal::UnknownTable)?;
    if !state.visited.get(person).is_some_and(|tables| tables.contains(&table)) {
        return Err(Refusal::NotSeatedThere);
    }
    if score.is_some_and(|score| !(SCORE_MIN..=SCORE_MAX).contains(&score)) {
        return Err(Refusal::OutOfRange { field: "score".into() });
    }
    if state.score_of(person, table) == score {
        return Ok(vec![]);
    }
    Ok(vec![Event::Felt { participant: person.clone(), table, score }])
}

/// In every phase before the end: what is read in the review is drawn with it.
pub(super) fn set_line(state: &Workshop, label: &str, level: i8) -> Result<Vec<Event>, Refusal> {
    require_asked(state)?;
    let label = line("label", label, limits::LINE_CHARS)?;
    if !(LEVEL_MIN..=LEVEL_MAX).contains(&level) {
        return Err(Refusal::OutOfRange { field: "level".into() });
    }
    if state.feelings.line.label == label && state.feelings.line.level == level {
        return Ok(vec![]);
    }
    Ok(vec![Event::LineSet { label, level }])
}

fn require_asked(state: &Workshop) -> Result<(), Refusal> {
    if state.draft.settings.feelings { Ok(()) } else { Err(Refusal::FeelingsNotAsked) }
}
