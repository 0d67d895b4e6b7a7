//! The one place where it is decided what a request does: [`decide`] for people, [`decide_internal`] for the server.
//!
//! A refusal changes nothing. A request for what is already so causes no events, so that clicking twice is harmless.

mod feelings;
mod people;
mod phases;
mod preparation;
mod review;
mod rounds;
mod vote;

use super::command::{Command, Internal};
use super::event::Event;
use super::plan::{Draft, line};
use super::refusal::Refusal;
use super::state::{Participant, Phase, ThemeRef, Workshop};
use crate::id::{ActionId, Actor, ActorId, Millis, Role};
use crate::limits;

/// What a decision needs to know beside the café's own state.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The time by the server's clock.
    pub now: Millis,
    /// Randomness for the seating.
    pub seed: u64,
    /// Live themes of the harvest board; for opening the vote.
    pub themes: Vec<ThemeRef>,
    /// Live actions of the plan board; for comments, decisions and follow-ups.
    pub actions: Vec<ActionId>,
}

/// The first event of a café.
///
/// # Errors
/// The first field of the draft that cannot be taken.
pub fn create(draft: Draft, join_code: String) -> Result<Event, Refusal> {
    Ok(Event::Created { draft: draft.checked()?, join_code })
}

/// What a request by somebody causes; no events if it is so already.
///
/// # Errors
/// Why it was refused: the role first, then the phase, then what was asked for.
pub fn decide(state: &Workshop, command: &Command, by: &Actor, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    if !may_ask(by.role, command) {
        return Err(Refusal::NotAllowed);
    }
    if state.has_ended(by) {
        return Err(Refusal::NotAllowed);
    }
    let always =
        matches!(command, Command::EndLink { .. } | Command::FollowUp { .. } | Command::GoTo { phase: Phase::Review });
    if state.phase == Phase::Closed && !always {
        return Err(wrong_phase(state));
    }
    if by.role == Role::Participant {
        match state.participants.get(&by.id) {
            None => return Err(Refusal::UnknownPerson),
            Some(person) if person.removed => return Err(Refusal::NotAllowed),
            Some(person) if person.left && *command != Command::Leave => return Err(Refusal::UnknownPerson),
            Some(_) => {}
        }
    }
    match command {
        Command::EditDraft { draft } => preparation::edit_draft(state, draft),
        Command::SetTable { table, topic, question } => preparation::set_table(state, *table, topic, question),
        Command::SetRoundQuestion { round, question } => preparation::set_round_question(state, *round, question),
        Command::Announce { text } => preparation::announce(state, text),
        Command::LockBoards { locked } => Ok(preparation::lock_boards(state, *locked)),
        Command::GoTo { phase } => phases::go_to(state, *phase, ctx),
        Command::NextRound => rounds::next_round(state, ctx),
        Command::StartRound => rounds::start(state, ctx),
        Command::PauseRound => rounds::pause(state, ctx),
        Command::ResumeRound => rounds::resume(state, ctx),
        Command::ExtendRound { minutes } => rounds::extend(state, *minutes, ctx),
        Command::EndRound => rounds::end(state),
        Command::MovePerson { participant, table } => rounds::move_person(state, participant, *table),
        Command::SetHost { table, participant } => rounds::set_host(state, *table, participant.as_ref()),
        Command::SetHelper { participant, helper } => people::set_helper(state, participant, *helper),
        Command::LowerHand { participant } => people::lower_hand(state, participant),
        Command::RemovePerson { participant } => people::remove(state, participant),
        Command::EndLink { actor } => people::end_link(state, actor, by),
        Command::SetDots { dots } => vote::set_dots(state, *dots),
        Command::SetLine { label, level } => feelings::set_line(state, label, *level),
        Command::CloseVote => vote::close(state),
        Command::ReopenVote => vote::reopen(state, ctx),
        Command::Rename { name, department } => people::rename(state, &by.id, name, department.as_deref()),
        Command::RaiseHand { raised } => people::raise_hand(state, &by.id, *raised),
        Command::Leave => Ok(people::leave(state, &by.id, false)),
        Command::CastVote { theme, dots } => vote::cast(state, &by.id, theme, *dots),
        Command::Feel { table, score } => feelings::feel(state, &by.id, *table, *score),
        Command::Comment { action, text, name } => review::comment(state, &by.id, action.as_ref(), text, name, ctx),
        Command::Decide { action, verdict, reason, name } => review::settle(state, action, *verdict, reason, name, ctx),
        Command::FollowUp { action, after_days, progress, measured, text, name } => {
            let said = review::Said { measured, text, name };
            review::follow_up(state, action, *after_days, *progress, &said, ctx)
        }
    }
}

/// What a request by the server itself causes.
///
/// # Errors
/// Why somebody could not join. A timer that comes too early or too late is no error: it causes nothing.
pub fn decide_internal(state: &Workshop, command: &Internal, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    match command {
        Internal::Join { participant, name, department } => {
            people::join(state, participant, name, department.as_deref(), ctx)
        }
        Internal::TimeUp => Ok(rounds::time_up(state, ctx)),
        Internal::ClockSet { step } => Ok(rounds::clock_set(state, *step)),
    }
}

fn may_ask(role: Role, command: &Command) -> bool {
    match command {
        Command::Rename { .. } | Command::RaiseHand { .. } | Command::Leave => role == Role::Participant,
        Command::CastVote { .. } | Command::Feel { .. } => role == Role::Participant,
        // A facilitator may write down what a reviewer said aloud.
        Command::Comment { .. } | Command::Decide { .. } | Command::FollowUp { .. } => role != Role::Participant,
        _ => role == Role::Facilitator,
    }
}

fn wrong_phase(state: &Workshop) -> Refusal {
    Refusal::WrongPhase { phase: state.phase }
}

fn require(state: &Workshop, phases: std::ops::RangeInclusive<Phase>) -> Result<(), Refusal> {
    if phases.contains(&state.phase) { Ok(()) } else { Err(wrong_phase(state)) }
}

fn person<'a>(state: &'a Workshop, id: &ActorId) -> Result<&'a Participant, Refusal> {
    state.person_here(id).ok_or(Refusal::UnknownPerson)
}

/// A person's name on a badge or under a comment.
fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = line("name", name, limits::NAME_CHARS)?;
    if name.is_empty() { Err(Refusal::empty("name")) } else { Ok(name) }
}

/// A department; an empty one is none.
fn checked_department(department: Option<&str>) -> Result<Option<String>, Refusal> {
    let department = line("department", department.unwrap_or_default(), limits::DEPARTMENT_CHARS)?;
    Ok(Some(department).filter(|d| !d.is_empty()))
}
