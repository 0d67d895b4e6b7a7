//! Comments and decisions on the plan, and what became of it.

use super::{Context, Refusal, Workshop, checked_name, require};
use crate::id::{ActionId, ActorId};
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::follow_up::{AFTER_DAYS, FollowUp, Progress};
use crate::workshop::plan::{line, paragraph};
use crate::workshop::state::{Comment, Decision, Phase, Verdict};

pub(super) fn comment(
    state: &Workshop,
    by: &ActorId,
    action: Option<&ActionId>,
    text: &str,
    name: &str,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Plan..=Phase::Review)?;
    if let Some(action) = action {
        require_action(action, ctx)?;
    }
    let text = paragraph("text", text, limits::COMMENT_CHARS)?;
    if text.is_empty() {
        return Err(Refusal::empty("text"));
    }
    let name = checked_name(name)?;
    if state.comments.len() >= limits::COMMENTS_MAX {
        return Err(Refusal::TooMany { field: "comments".into(), limit: limits::COMMENTS_MAX });
    }
    let comment = Comment { action: action.cloned(), text, name, at: ctx.now };
    let through_link = state.commented.get(by).copied().unwrap_or(0) + comment.bytes();
    let together = state.commented.values().sum::<usize>() + comment.bytes();
    for (bytes, limit) in [(through_link, limits::COMMENTS_BYTES_PER_LINK), (together, limits::COMMENTS_BYTES)] {
        if bytes > limit {
            return Err(Refusal::TooMuchText { field: "text".into(), limit });
        }
    }
    let Comment { action, text, name, .. } = comment;
    Ok(vec![Event::Commented { action, text, name }])
}

pub(super) fn settle(
    state: &Workshop,
    action: &ActionId,
    verdict: Verdict,
    reason: &str,
    name: &str,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Review..=Phase::Review)?;
    require_action(action, ctx)?;
    let reason = paragraph("reason", reason, limits::COMMENT_CHARS)?;
    if reason.is_empty() && verdict != Verdict::Approve {
        return Err(Refusal::empty("reason"));
    }
    let name = checked_name(name)?;
    let decision = Decision { action: action.clone(), verdict, reason, name, at: ctx.now };
    let before = state.decisions.get(action);
    if before.is_some_and(|before| *before == Decision { at: before.at, ..decision.clone() }) {
        return Ok(vec![]);
    }
    // What takes the place of a longer one always finds room.
    let (less, more) = (before.map_or(0, Decision::bytes), decision.bytes());
    let together = state.decisions.values().map(Decision::bytes).sum::<usize>();
    if more > less && together - less + more > limits::DECISIONS_BYTES {
        return Err(Refusal::TooMuchText { field: "reason".into(), limit: limits::DECISIONS_BYTES });
    }
    let Decision { action, reason, name, .. } = decision;
    Ok(vec![Event::Decided { action, verdict, reason, name }])
}

/// What somebody says of an action they have looked at again.
pub(super) struct Said<'a> {
    /// Where its measure stands.
    pub measured: &'a str,
    /// What was found.
    pub text: &'a str,
    /// Their name.
    pub name: &'a str,
}

/// The one thing that is still open once a café is closed: an action takes longer than its review.
pub(super) fn follow_up(
    state: &Workshop,
    action: &ActionId,
    after_days: u8,
    progress: Progress,
    said: &Said<'_>,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    require(state, Phase::Review..=Phase::Closed)?;
    require_action(action, ctx)?;
    if state.decisions.get(action).is_none_or(|decision| decision.verdict != Verdict::Approve) {
        return Err(Refusal::NotApproved);
    }
    if !AFTER_DAYS.contains(&after_days) {
        return Err(Refusal::OutOfRange { field: "after_days".into() });
    }
    let measured = line("measured", said.measured, limits::MEASURED_CHARS)?;
    let text = paragraph("text", said.text, limits::COMMENT_CHARS)?;
    let name = checked_name(said.name)?;
    let found = FollowUp { action: action.clone(), after_days, progress, measured, text, name, at: ctx.now };
    let before = state.follow_ups.get(action).and_then(|days| days.get(&after_days));
    if before.is_some_and(|before| *before == FollowUp { at: before.at, ..found.clone() }) {
        return Ok(vec![]);
    }
    // As with decisions, what takes the place of a longer one always finds room.
    let (less, more) = (before.map_or(0, FollowUp::bytes), found.bytes());
    let together = state.follow_ups.values().flat_map(|days| days.values()).map(FollowUp::bytes).sum::<usize>();
    if more > less && together - less + more > limits::FOLLOW_UPS_BYTES {
        return Err(Refusal::TooMuchText { field: "text".into(), limit: limits::FOLLOW_UPS_BYTES });
    }
    let FollowUp { action, measured, text, name, .. } = found;
    Ok(vec![Event::FollowedUp { action, after_days, progress, measured, text, name }])
}

fn require_action(action: &ActionId, ctx: &Context) -> Result<(), Refusal> {
    if ctx.actions.contains(action) { Ok(()) } else { Err(Refusal::UnknownAction) }
}
