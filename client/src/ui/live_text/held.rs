//! What is too long to be saved where it was written, kept on this device until it fits or is given up: the note may be closed and the
//! page reloaded before that.

use serde::{Deserialize, Serialize};
use shared::id::BoardKind;

use crate::platform;
use crate::state::live_text::TextAt;

/// What a field showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// What it was begun on: field and document agreed on this.
    pub(super) base: String,
    /// What the field showed.
    pub(super) text: String,
}

/// Where it is kept. `scope` names the person on this device.
pub(super) fn key(scope: &str, board: BoardKind, at: &TextAt) -> String {
    let board = match board {
        BoardKind::Table(table) => table.to_string(),
        BoardKind::Harvest => "harvest".to_owned(),
        BoardKind::Plan => "plan".to_owned(),
    };
    let place = match at {
        TextAt::Note(id) => format!("note.{id}"),
        TextAt::Handover(part) => format!("handover.{part:?}"),
        TextAt::ThemeTitle(id) => format!("theme.{id}"),
        TextAt::ThemeSummary(id) => format!("summary.{id}"),
        TextAt::Action(id, text) => format!("action.{id}.{}", text.key()),
    };
    format!("tablehop.held.{scope}.{board}.{place}")
}

/// What is kept there.
pub(super) fn load(key: &str) -> Option<Held> {
    serde_json::from_str(&platform::local_get(key)?).ok()
}

/// Keeps it. Where the device has no room it is in the field alone.
pub(super) fn keep(key: &str, held: &Held) {
    if let Ok(json) = serde_json::to_string(held) {
        platform::local_set(key, &json);
    }
}

/// It fits now, or was given up.
pub(super) fn forget(key: &str) {
    platform::local_remove(key);
}
