//! Rounds, their clock, and who sits where.

use super::{Context, Refusal, Workshop, person, require, wrong_phase};
use crate::id::{ActorId, Millis, TableId};
use crate::seating;
use crate::workshop::apply::MINUTE;
use crate::workshop::event::Event;
use crate::workshop::state::{Phase, RoundStatus};

/// Whether a round has been seated and is not over.
pub(super) fn is_on(state: &Workshop) -> bool {
    state.round.as_ref().is_some_and(|round| round.status != RoundStatus::Over)
}

pub(super) fn next_round(state: &Workshop, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Lobby..=Phase::Rounds)?;
    if is_on(state) {
        return Err(Refusal::WrongRoundStatus);
    }
    let round = state.round.as_ref().map_or(0, |round| usize::from(round.index) + 1);
    let plan = state.draft.rounds.get(round).ok_or(Refusal::NoRoundLeft)?;
    let round = u8::try_from(round).map_err(|_| Refusal::NoRoundLeft)?;
    let people: Vec<ActorId> = state.people_here().map(|(id, _)| id.clone()).collect();
    if people.is_empty() {
        return Err(Refusal::NobodyHere);
    }
    let plan_of_seats = seating::seat(&seating::Request {
        tables: u16::try_from(state.draft.tables.len()).unwrap_or(u16::MAX),
        seats_per_table: state.draft.settings.seats_per_table,
        people: &people,
        hosts: &state.hosts,
        history: &state.seats,
        visited: &state.visited,
        seed: ctx.seed,
    })?;
    let mut events = Vec::with_capacity(3);
    if state.phase == Phase::Lobby {
        events.push(Event::PhaseChanged { phase: Phase::Rounds });
    }
    let moving = Millis::from(state.draft.settings.moving_seconds) * 1_000;
    events.push(Event::RoundSeated {
        round,
        seats: plan_of_seats.seats,
        hosts: plan_of_seats.hosts,
        starts_at: ctx.now.saturating_add(moving),
    });
    if moving == 0 {
        events.push(Event::RoundStarted { ends_at: ctx.now.saturating_add(length(plan.minutes)) });
    }
    Ok(events)
}

pub(super) fn start(state: &Workshop, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    match status(state)? {
        RoundStatus::Moving { .. } => Ok(vec![started(state, ctx)]),
        _ => Err(Refusal::WrongRoundStatus),
    }
}

pub(super) fn pause(state: &Workshop, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    match status(state)? {
        RoundStatus::Running { ends_at } => Ok(vec![Event::RoundPaused { left: ends_at.saturating_sub(ctx.now) }]),
        _ => Err(Refusal::WrongRoundStatus),
    }
}

pub(super) fn resume(state: &Workshop, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    match status(state)? {
        RoundStatus::Paused { left } => Ok(vec![Event::RoundResumed { ends_at: ctx.now.saturating_add(left) }]),
        _ => Err(Refusal::WrongRoundStatus),
    }
}

pub(super) fn extend(state: &Workshop, minutes: u8, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let status = status(state)?;
    if !(1..=60).contains(&minutes) {
        return Err(Refusal::OutOfRange { field: "minutes".into() });
    }
    let extended = Event::RoundExtended { minutes };
    match status {
        RoundStatus::Running { .. } | RoundStatus::Paused { .. } => Ok(vec![extended]),
        RoundStatus::Over => {
            let ends_at = ctx.now.saturating_add(Millis::from(minutes) * MINUTE);
            Ok(vec![extended, Event::RoundResumed { ends_at }])
        }
        RoundStatus::Moving { .. } => Err(Refusal::WrongRoundStatus),
    }
}

pub(super) fn end(state: &Workshop) -> Result<Vec<Event>, Refusal> {
    match status(state)? {
        RoundStatus::Over => Err(Refusal::WrongRoundStatus),
        _ => Ok(vec![Event::RoundEnded]),
    }
}

/// The deadline has come. A timer that is too early, or for a round that was ended meanwhile, causes nothing.
pub(super) fn time_up(state: &Workshop, ctx: &Context) -> Vec<Event> {
    match status(state) {
        Ok(RoundStatus::Moving { starts_at }) if ctx.now >= starts_at => vec![started(state, ctx)],
        Ok(RoundStatus::Running { ends_at }) if ctx.now >= ends_at => vec![Event::RoundEnded],
        _ => vec![],
    }
}

/// The wall clock was set. Only a deadline minds: what is left of a paused round is not a time of day.
pub(super) fn clock_set(state: &Workshop, step: i64) -> Vec<Event> {
    if step != 0 && state.deadline().is_some() { vec![Event::ClockSet { step }] } else { vec![] }
}

pub(super) fn move_person(state: &Workshop, who: &ActorId, table: TableId) -> Result<Vec<Event>, Refusal> {
    status(state)?;
    person(state, who)?;
    state.table_plan(table).ok_or(Refusal::UnknownTable)?;
    if state.seat_of(who) == Some(table) {
        return Ok(vec![]);
    }
    require_room(state, table)?;
    let mut events = Vec::with_capacity(2);
    if let Some(hosted) = state.hosted_by(who).filter(|hosted| *hosted != table) {
        events.push(Event::HostSet { table: hosted, participant: None });
    }
    events.push(Event::Seated { participant: who.clone(), table });
    Ok(events)
}

pub(super) fn set_host(state: &Workshop, table: TableId, who: Option<&ActorId>) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Lobby..=Phase::Rounds)?;
    state.table_plan(table).ok_or(Refusal::UnknownTable)?;
    let Some(who) = who else {
        let hosted = state.hosts.contains_key(&table);
        return Ok(if hosted { vec![Event::HostSet { table, participant: None }] } else { vec![] });
    };
    person(state, who)?;
    let mut events = Vec::with_capacity(3);
    let sits_there = state.seat_of(who) == Some(table);
    let must_sit = state.phase == Phase::Rounds && state.round.is_some() && !sits_there;
    if must_sit {
        require_room(state, table)?;
    }
    if let Some(hosted) = state.hosted_by(who).filter(|hosted| *hosted != table) {
        events.push(Event::HostSet { table: hosted, participant: None });
    }
    if must_sit {
        events.push(Event::Seated { participant: who.clone(), table });
    }
    if state.hosts.get(&table) != Some(who) {
        events.push(Event::HostSet { table, participant: Some(who.clone()) });
    }
    Ok(events)
}

/// A seat for somebody who comes while a round is on; none if there is no round, or no room.
pub(super) fn late_seat(state: &Workshop, who: &ActorId, ctx: &Context) -> Option<TableId> {
    let round = state.round.as_ref().filter(|_| state.phase == Phase::Rounds)?;
    let seats = state.seats_now()?;
    if let Some((index, table)) = state.participants.get(who).and_then(|person| person.seat_left)
        && index == round.index
        && state.table_plan(table).is_some()
        && has_room(state, table)
    {
        return Some(table);
    }
    let nowhere = Default::default();
    seating::seat_late(&seating::Late {
        tables: u16::try_from(state.draft.tables.len()).unwrap_or(u16::MAX),
        seats_per_table: state.draft.settings.seats_per_table,
        person: who,
        seats,
        history: state.seats.get(..usize::from(round.index)).unwrap_or_default(),
        visited: state.visited.get(who).unwrap_or(&nowhere),
        seed: ctx.seed,
    })
}

fn status(state: &Workshop) -> Result<RoundStatus, Refusal> {
    if state.phase != Phase::Rounds {
        return Err(wrong_phase(state));
    }
    state.round.as_ref().map(|round| round.status).ok_or(Refusal::WrongRoundStatus)
}

fn started(state: &Workshop, ctx: &Context) -> Event {
    let round = state.round.as_ref().map_or(0, |round| usize::from(round.index));
    let minutes = state.draft.rounds.get(round).map_or(0.0, |plan| plan.minutes);
    Event::RoundStarted { ends_at: ctx.now.saturating_add(length(minutes)) }
}

fn length(minutes: f64) -> Millis {
    // Casting saturates, and a draft's minutes are at most four hours.
    (minutes * MINUTE as f64).round() as Millis
}

fn has_room(state: &Workshop, table: TableId) -> bool {
    state.seated_at(table) < usize::from(state.draft.settings.seats_per_table)
}

fn require_room(state: &Workshop, table: TableId) -> Result<(), Refusal> {
    if has_room(state, table) { Ok(()) } else { Err(Refusal::TableFull) }
}
