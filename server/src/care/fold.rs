//! Whether a stream can still be made into what it stands for, in the same way as a server does it.

use shared::id::BoardId;
use shared::workshop::Workshop;

use crate::board::Replica;
use crate::store::{Loaded, StreamId};
use crate::workshop::host;

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
            let state = host::fold(stream, loaded).map_err(|error| error.to_string())?;
            Ok(Folded::Cafe(Box::new(state)))
        }
        _ => Err("this is the name of neither a board nor a café".to_owned()),
    }
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
