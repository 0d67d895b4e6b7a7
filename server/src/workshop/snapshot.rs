//! A café's state as a snapshot: JSON with the number of its format. One of another format is no damage; the events are read instead.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::workshop::Workshop;
use shared::workshop::state::STATE_FORMAT;

use crate::store::{Loaded, Snapshot, StoreError, StreamId};

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    state: &'a Workshop,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
struct Read {
    state: Workshop,
}

/// The state after row `seq`; nothing if it has no JSON form, which ours always has.
pub(super) fn take(seq: u64, state: &Workshop) -> Option<Snapshot> {
    let payload = serde_json::to_vec(&Written { format: STATE_FORMAT, state }).ok()?;
    Some(Snapshot { seq, payload: Bytes::from(payload) })
}

/// Whether a snapshot is of another version of this program.
pub(crate) fn is_foreign(snapshot: &Snapshot) -> bool {
    serde_json::from_slice::<Head>(&snapshot.payload).is_ok_and(|head| head.format != STATE_FORMAT)
}

/// A café as its snapshot and the events after it make it.
pub(crate) fn fold(stream: &StreamId, loaded: &Loaded) -> Result<Workshop, StoreError> {
    let mut state = match &loaded.snapshot {
        None => Workshop::default(),
        Some(snapshot) => read(snapshot).map_err(|what| StoreError::Corrupt {
            stream: stream.to_string(),
            what: format!("snapshot {}: {what}", snapshot.seq),
        })?,
    };
    for row in &loaded.rows {
        state.apply(&super::event_of(stream, row.seq, &row.payload)?);
    }
    Ok(state)
}

fn read(snapshot: &Snapshot) -> Result<Workshop, String> {
    if is_foreign(snapshot) {
        return Err("it is of another version".to_owned());
    }
    serde_json::from_slice::<Read>(&snapshot.payload).map(|read| read.state).map_err(|error| error.to_string())
}
