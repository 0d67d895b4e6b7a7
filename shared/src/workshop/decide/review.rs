//! Comments and decisions on the plan.

use super::{Context, Refusal, Workshop, checked_name, require};
use crate::id::ActionId;
use crate::limits;
use crate::workshop::event::Event;
use crate::workshop::plan::paragraph;
use crate::workshop::state::{Phase, Verdict};

pub(super) fn comment(
    state: &Workshop,
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
    Ok(vec![Event::Commented { action: action.cloned(), text, name }])
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
    let same = |d: &crate::workshop::state::Decision| d.verdict == verdict && d.reason == reason && d.name == name;
    if state.decisions.get(action).is_some_and(same) {
        return Ok(vec![]);
    }
    Ok(vec![Event::Decided { action: action.clone(), verdict, reason, name }])
}

fn require_action(action: &ActionId, ctx: &Context) -> Result<(), Refusal> {
    if ctx.actions.contains(action) { Ok(()) } else { Err(Refusal::UnknownAction) }
}
