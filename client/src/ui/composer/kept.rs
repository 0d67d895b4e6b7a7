//! What somebody has begun to write and not posted yet, on this device. It belongs to the table at which it was begun: who is moved in the
//! midst of a sentence must not put it on another board without noticing.

use serde::{Deserialize, Serialize};
use shared::board::view::NoteKind;
use shared::id::{BoardKind, TableId};

use crate::platform;

/// Half a note.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) kind: NoteKind,
}

fn prefix(scope: &str) -> String {
    format!("tablehop.draft.{scope}.")
}

/// Of a table's board; there is no composer on others.
fn key(scope: &str, board: BoardKind) -> Option<String> {
    match board {
        BoardKind::Table(table) => Some(format!("{}{table}", prefix(scope))),
        _ => None,
    }
}

fn read(key: &str) -> Option<Kept> {
    serde_json::from_str(&platform::local_get(key)?).ok()
}

/// What was begun at a table.
pub(super) fn load(scope: &str, board: BoardKind) -> Kept {
    key(scope, board).and_then(|key| read(&key)).unwrap_or_default()
}

/// Keeps it, or forgets it if there is nothing to keep.
pub(super) fn keep(scope: &str, board: BoardKind, kept: &Kept) {
    let Some(key) = key(scope, board) else { return };
    if *kept == Kept::default() {
        platform::local_remove(&key);
    } else if let Ok(json) = serde_json::to_string(kept) {
        platform::local_set(&key, &json);
    }
}

/// What was begun at other tables, in their order.
pub(super) fn elsewhere(scope: &str, here: BoardKind) -> Vec<(TableId, Kept)> {
    let prefix = prefix(scope);
    let mut found: Vec<_> = platform::local_keys()
        .into_iter()
        .filter_map(|key| {
            let table = TableId(key.strip_prefix(&prefix)?.parse().ok()?);
            let kept = read(&key).filter(|kept| BoardKind::Table(table) != here && !kept.text.trim().is_empty())?;
            Some((table, kept))
        })
        .collect();
    found.sort_by_key(|(table, _)| *table);
    found
}
