//! The café moves on, or back.

use super::{Context, Refusal, Workshop, rounds, vote};
use crate::workshop::event::Event;
use crate::workshop::state::Phase;

pub(super) fn go_to(state: &Workshop, to: Phase, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let from = state.phase;
    if from.next() != Some(to) && from.previous() != Some(to) {
        return Err(Refusal::NotNextPhase);
    }
    let mut events = Vec::new();
    match from {
        // Clocks run in the phase rounds alone, and votes are open in the phase vote alone.
        Phase::Rounds if rounds::is_on(state) => events.push(Event::RoundEnded),
        Phase::Vote if state.vote.open => events.push(Event::VoteClosed),
        Phase::Lobby if to == Phase::Rounds && state.people_here().next().is_none() => {
            return Err(Refusal::NobodyHere);
        }
        _ => {}
    }
    events.push(Event::PhaseChanged { phase: to });
    if (from, to) == (Phase::Harvest, Phase::Vote) {
        events.push(vote::open_on(ctx)?);
    }
    Ok(events)
}
