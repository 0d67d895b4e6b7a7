//! Whether a stream can still be made into what it stands for, in the same way as a server does it.

use shared::id::BoardId;
use shared::workshop::Workshop;

use crate::board::Replica;
use crate::store::{Loaded, Snapshot, StreamId};
use crate::workshop::snapshot;

/// What a stream stands for.
pub(super) enum Folded {
    Board(Box<Replica>),
    Cafe(Box<Workshop>),
}

/// Folds a stream; in words for the operator if that fails.
pub(super) fn fold(stream: &StreamId, loaded: &Loaded) -> Result<Folded, String> {
    match stream.as_str().split_once('/') {
        Some(("board", board)) if board.parse::<BoardId>().is_ok() => {
            Ok(Folded::Board(Box::new(Replica::load(loaded)?)))
        }
        Some(("workshop", _)) => {
            let state = snapshot::fold(stream, loaded).map_err(|error| error.to_string())?;
            Ok(Folded::Cafe(Box::new(state)))
        }
        _ => Err("this is the name of neither a board nor a café".to_owned()),
    }
}

/// Whether a snapshot is of another version of this program, which is no damage.
pub(super) fn is_foreign(stream: &StreamId, snapshot: &Snapshot) -> bool {
    stream.as_str().starts_with("workshop/") && snapshot::is_foreign(snapshot)
}

impl Folded {
    /// Whether both are the same.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Board(one), Self::Board(other)) => one.is_same_as(other),
            (Self::Cafe(one), Self::Cafe(other)) => one == other,
            _ => false,
        }
    }
}
