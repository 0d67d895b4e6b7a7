//! Texts and settings of the café, and what goes to all tables.

use super::{Refusal, Workshop, require};
use crate::id::TableId;
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::plan::{Draft, line, paragraph};
use crate::workshop::state::Phase;

pub(super) fn edit_draft(state: &Workshop, draft: &Draft) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Draft..=Phase::Draft)?;
    let draft = draft.clone().checked()?;
    // The café may have been taken back after rounds were held: no board that people wrote on may lose its table.
    let used = state.visited.values().filter_map(|tables| tables.last()).max().map_or(0, |table| usize::from(table.0));
    if draft.tables.len() < used {
        return Err(Refusal::TooFewTables { min: used });
    }
    if draft.rounds.len() < state.seats.len() {
        return Err(Refusal::OutOfRange { field: "rounds".into() });
    }
    if draft.settings.dots < super::vote::most_placed(state) {
        return Err(Refusal::OutOfRange { field: "settings.dots".into() });
    }
    if draft == state.draft {
        return Ok(vec![]);
    }
    Ok(vec![Event::DraftEdited { draft }])
}

pub(super) fn set_table(state: &Workshop, table: TableId, topic: &str, question: &str) -> Result<Vec<Event>, Refusal> {
    let plan = state.table_plan(table).ok_or(Refusal::UnknownTable)?;
    let topic = line("topic", topic, limits::TOPIC_CHARS)?;
    if topic.is_empty() {
        return Err(Refusal::empty("topic"));
    }
    let question = paragraph("question", question, limits::QUESTION_CHARS)?;
    if plan.topic == topic && plan.question == question {
        return Ok(vec![]);
    }
    let (before, after) = (plan.topic.len() + plan.question.len(), topic.len() + question.len());
    grow(state, before, after)?;
    Ok(vec![Event::TableSet { table, topic, question }])
}

pub(super) fn set_round_question(state: &Workshop, round: u8, question: &str) -> Result<Vec<Event>, Refusal> {
    let plan = state.draft.rounds.get(usize::from(round)).ok_or(Refusal::UnknownRound)?;
    let question = Some(paragraph("question", question, limits::QUESTION_CHARS)?).filter(|q| !q.is_empty());
    if plan.question == question {
        return Ok(vec![]);
    }
    grow(state, plan.question.as_ref().map_or(0, String::len), question.as_ref().map_or(0, String::len))?;
    Ok(vec![Event::RoundQuestionSet { round, question }])
}

/// A text of the plan gets longer, for which there must be room. Shorter it may always get.
fn grow(state: &Workshop, before: usize, after: usize) -> Result<(), Refusal> {
    if after > before { state.draft.bounded(after - before) } else { Ok(()) }
}

pub(super) fn announce(state: &Workshop, text: &str) -> Result<Vec<Event>, Refusal> {
    let text = paragraph("text", text, limits::QUESTION_CHARS)?;
    if text.is_empty() && state.announcement.is_none() {
        return Ok(vec![]);
    }
    // The same words twice are two messages: the second one calls for attention again.
    Ok(vec![Event::Announced { text }])
}

pub(super) fn lock_boards(state: &Workshop, locked: bool) -> Vec<Event> {
    if state.locked == locked { vec![] } else { vec![Event::BoardsLocked { locked }] }
}
