//! People come, go, and say who they are.

use super::{Context, Refusal, Workshop, checked_department, checked_name, person, require, rounds, wrong_phase};
use crate::id::{Actor, ActorId};
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::state::Phase;

pub(super) fn join(
    state: &Workshop,
    participant: &ActorId,
    name: &str,
    department: Option<&str>,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    let arrived = match state.participants.get(participant) {
        Some(known) if known.removed => return Err(Refusal::NotAllowed),
        Some(known) if known.is_here() => return Ok(vec![]),
        Some(_) => {
            match state.phase {
                Phase::Draft => return Err(wrong_phase(state)),
                Phase::Closed => return Err(Refusal::Closed),
                _ => {}
            }
            Event::Returned { participant: participant.clone() }
        }
        None => {
            match state.phase {
                Phase::Draft => return Err(wrong_phase(state)),
                Phase::Review | Phase::Closed => return Err(Refusal::Closed),
                _ => {}
            }
            // Those who left count too: their names stay with what they wrote.
            if state.participants.len() >= limits::PEOPLE_MAX {
                return Err(Refusal::Full);
            }
            Event::Joined {
                participant: participant.clone(),
                name: checked_name(name)?,
                department: checked_department(department)?,
            }
        }
    };
    let seat = rounds::late_seat(state, participant, ctx);
    let seated = seat.map(|table| Event::Seated { participant: participant.clone(), table });
    Ok([Some(arrived), seated].into_iter().flatten().collect())
}

pub(super) fn rename(
    state: &Workshop,
    participant: &ActorId,
    name: &str,
    department: Option<&str>,
) -> Result<Vec<Event>, Refusal> {
    let known = person(state, participant)?;
    let name = checked_name(name)?;
    let department = checked_department(department)?;
    if known.name == name && known.department == department {
        return Ok(vec![]);
    }
    Ok(vec![Event::Renamed { participant: participant.clone(), name, department }])
}

pub(super) fn raise_hand(state: &Workshop, participant: &ActorId, raised: bool) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Lobby..=Phase::Plan)?;
    if person(state, participant)?.hand == raised {
        return Ok(vec![]);
    }
    Ok(vec![Event::HandRaised { participant: participant.clone(), raised }])
}

/// By a facilitator. In every phase: a hand that went up before the review would stay up in it.
pub(super) fn lower_hand(state: &Workshop, participant: &ActorId) -> Result<Vec<Event>, Refusal> {
    if !person(state, participant)?.hand {
        return Ok(vec![]);
    }
    Ok(vec![Event::HandRaised { participant: participant.clone(), raised: false }])
}

/// Somebody goes, by themselves or taken out; the table they host is without a host then.
pub(super) fn leave(state: &Workshop, participant: &ActorId, removed: bool) -> Vec<Event> {
    if !removed && state.person_here(participant).is_none() {
        return vec![];
    }
    let hosted = state.hosted_by(participant).map(|table| Event::HostSet { table, participant: None });
    let left = Event::Left { participant: participant.clone(), removed };
    hosted.into_iter().chain([left]).collect()
}

pub(super) fn remove(state: &Workshop, participant: &ActorId) -> Result<Vec<Event>, Refusal> {
    // Somebody who left can be taken out too, so that they do not come back.
    match state.participants.get(participant) {
        Some(known) if !known.removed => Ok(leave(state, participant, true)),
        // Again: perhaps their token could not be voided the first time, or the answer was lost.
        Some(_) => Ok(vec![]),
        None => Err(Refusal::UnknownPerson),
    }
}

pub(super) fn set_helper(state: &Workshop, participant: &ActorId, helper: bool) -> Result<Vec<Event>, Refusal> {
    if person(state, participant)?.helper == helper {
        return Ok(vec![]);
    }
    Ok(vec![Event::HelperSet { participant: participant.clone(), helper }])
}

/// Whether there is such a link is for the server to know, which issued it.
pub(super) fn end_link(state: &Workshop, actor: &ActorId, by: &Actor) -> Result<Vec<Event>, Refusal> {
    if *actor == by.id {
        return Err(Refusal::OwnLink);
    }
    if state.ended_links.contains(actor) {
        return Ok(vec![]);
    }
    if state.ended_links.len() >= limits::LINKS_MAX {
        return Err(Refusal::TooMany { field: "links".to_owned(), limit: limits::LINKS_MAX });
    }
    Ok(vec![Event::LinkEnded { actor: actor.clone() }])
}
