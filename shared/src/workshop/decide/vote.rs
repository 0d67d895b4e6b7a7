//! Dots on themes.

use super::{Context, Refusal, Workshop, person, require};
use crate::id::{ActorId, ThemeId};
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::fit::shorten;
use crate::workshop::state::Phase;

pub(super) fn set_dots(state: &Workshop, dots: u8) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Draft..=Phase::Vote)?;
    if state.phase == Phase::Vote && !state.vote.open {
        return Err(Refusal::VoteClosed);
    }
    // Nobody's dots are taken away again.
    if !(1..=limits::DOTS_MAX).contains(&dots) || dots < most_placed(state) {
        return Err(Refusal::OutOfRange { field: "dots".into() });
    }
    if state.draft.settings.dots == dots {
        return Ok(vec![]);
    }
    Ok(vec![Event::DotsSet { dots }])
}

/// The most dots that any one person has placed.
pub(super) fn most_placed(state: &Workshop) -> u8 {
    state
        .vote
        .ballots
        .values()
        .map(|ballot| ballot.values().fold(0, |sum: u8, d| sum.saturating_add(*d)))
        .max()
        .unwrap_or(0)
}

pub(super) fn close(state: &Workshop) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Vote..=Phase::Vote)?;
    if state.vote.open { Ok(vec![Event::VoteClosed]) } else { Err(Refusal::VoteClosed) }
}

pub(super) fn reopen(state: &Workshop, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Vote..=Phase::Vote)?;
    if state.vote.open { Ok(vec![]) } else { Ok(vec![open_on(ctx)?]) }
}

/// Opens the vote on the themes that are there now.
pub(super) fn open_on(ctx: &Context) -> Result<Event, Refusal> {
    if ctx.themes.is_empty() {
        return Err(Refusal::NoThemes);
    }
    if ctx.themes.len() > limits::THEMES_MAX {
        return Err(Refusal::TooMany { field: "themes".into(), limit: limits::THEMES_MAX });
    }
    // A board is a CRDT and refuses nothing; what goes into everybody's view is bounded here.
    let mut themes = ctx.themes.clone();
    themes.iter_mut().for_each(|theme| shorten(&mut theme.title, limits::VOTE_TITLE_CHARS));
    Ok(Event::VoteOpened { themes })
}

pub(super) fn cast(state: &Workshop, voter: &ActorId, theme: &ThemeId, dots: u8) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Vote..=Phase::Vote)?;
    person(state, voter)?;
    if !state.vote.open {
        return Err(Refusal::VoteClosed);
    }
    if !state.vote.themes.iter().any(|t| t.id == *theme) {
        return Err(Refusal::UnknownTheme);
    }
    let ballot = state.vote.ballots.get(voter);
    if ballot.and_then(|ballot| ballot.get(theme)).copied().unwrap_or(0) == dots {
        return Ok(vec![]);
    }
    let elsewhere: u32 = ballot.into_iter().flatten().filter(|(t, _)| *t != theme).map(|(_, d)| u32::from(*d)).sum();
    if elsewhere + u32::from(dots) > u32::from(state.draft.settings.dots) {
        return Err(Refusal::NoDotsLeft);
    }
    Ok(vec![Event::VoteCast { participant: voter.clone(), theme: theme.clone(), dots }])
}
