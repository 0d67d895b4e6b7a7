//! The append-only store: the only truth there is. Boards and workshops are *streams* of rows; whatever lives in memory is a
//! fold of a stream and can be thrown away.
//!
//! # Layout
//!
//! - this file: the [`Store`] trait and the types that cross it
//! - [`sqlite`]: the store on one SQLite file
//! - [`faulty`]: a wrapper that fails on demand, for tests
//! - `contract`: one suite of tests, run against every storage
//!
//! The trait asks for nothing that only an embedded database can give: a workshop's single writer is a conditional append, and
//! boards append without a condition, so several server processes can share one database behind the same trait.
//!
//! [`StoreError`] is the only failure type of this layer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

pub mod faulty;
pub mod sqlite;

#[cfg(test)]
mod contract;

pub use sqlite::SqliteStore;

/// A boxed future, so that [`Store`] can be used as `Arc<dyn Store>`. It borrows nothing and may be moved into a task. Nothing
/// happens before it is first polled; once a write has been handed over, dropping the future does not undo it.
pub type Fut<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// Address of a stream: `workshop/<id>` or `board/<id>`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of events of a workshop.
    pub fn workshop(id: &str) -> Self {
        Self(format!("workshop/{id}").into())
    }

    /// The stream of updates of a board.
    pub fn board(id: &str) -> Self {
        Self(format!("board/{id}").into())
    }

    /// The stream of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self(name.into())
    }

    /// The id of the café that it belongs to: its events, or one of its boards.
    pub fn cafe(&self) -> Option<&str> {
        match self.0.split_once('/')? {
            ("workshop", cafe) => Some(cafe),
            ("board", board) => board.rsplit_once('.').map(|(cafe, _)| cafe),
            _ => None,
        }
    }

    /// The address as text, as it stands on the wire and in the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One row to append.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRow {
    /// Who made it.
    pub principal: String,
    /// When, in milliseconds since the epoch, UTC.
    pub at: u64,
    /// An update or an event; the store does not look inside.
    pub payload: Bytes,
}

/// One stored row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its place in the stream: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Who made it.
    pub principal: String,
    /// When, in milliseconds since the epoch, UTC.
    pub at: u64,
    /// An update or an event, as it was appended.
    pub payload: Bytes,
}

/// How much of a stream is read at a time: no more once there are so many rows, or so many bytes in their payloads. At least one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Rows.
    pub rows: usize,
    /// Bytes of payloads.
    pub bytes: usize,
}

impl Page {
    /// Everything.
    pub const ALL: Self = Self { rows: usize::MAX, bytes: usize::MAX };

    /// So many rows, however large.
    pub fn rows(rows: usize) -> Self {
        Self { rows, ..Self::ALL }
    }
}

/// The fold of a stream up to some row, so that loading need not start at the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Covers the rows up to and including this one.
    pub seq: u64,
    /// The folded state; the store does not look inside.
    pub payload: Bytes,
}

/// What is needed to rebuild a stream's live state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The newest snapshot whose checksum holds, if any.
    pub snapshot: Option<Snapshot>,
    /// All rows after the snapshot, in order.
    pub rows: Vec<Row>,
    /// The last row's `seq`; 0 for a stream without rows.
    pub last_seq: u64,
}

/// What a bearer token stands for. The token itself is never stored, only its hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRecord {
    /// Id of the workshop it opens.
    pub workshop: String,
    /// `facilitator`, `participant` or `reviewer`.
    pub role: String,
    /// Id of the participant it stands for, if it stands for one.
    pub participant: Option<String>,
    /// When it was issued, in milliseconds since the epoch, UTC.
    pub created_at: u64,
    /// Since when it is void, in milliseconds since the epoch, UTC.
    pub revoked_at: Option<u64>,
}

/// How well the store can write at the moment. Reading goes on in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// What is asked is stored.
    #[default]
    Good,
    /// No space is left on the disk. It is tried again until there is.
    Full,
    /// The disk or the database refuses writes for another reason. It is tried again until it does not.
    Failing,
    /// A sync failed: what the disk holds of the latest writes is unknown, and asking again would not tell. Nothing is written any more;
    /// the process has to end.
    Broken,
}

impl Health {
    /// What is answered to somebody who wants something stored while it cannot be relied on.
    pub fn refuses(self) -> Option<StoreError> {
        match self {
            Self::Good => None,
            Self::Full => Some(StoreError::Full),
            Self::Failing => Some(StoreError::Io("the disk does not take writes".to_owned())),
            Self::Broken => Some(StoreError::SyncFailed("the server is stopping".to_owned())),
        }
    }
}

/// Why the store could not do what it was asked. Of a failed write nothing was acknowledged; with [`StoreError::Io`],
/// [`StoreError::SyncFailed`] and [`StoreError::Closed`] it may still have happened, so reload the stream before writing to it again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The stream does not end where the writer thought: somebody else has written, or rows are claimed that do not exist.
    #[error("expected the stream to end at row {expected}, but it ends at row {actual}")]
    Conflict {
        /// What the caller took for the last `seq`.
        expected: u64,
        /// The last `seq` there is.
        actual: u64,
    },
    /// A client id already belongs to another principal.
    #[error("client id {client} belongs to another principal")]
    ClientTaken {
        /// The id in question.
        client: u64,
    },
    /// What was read is not what was written.
    #[error("{stream} is damaged: {what}")]
    Corrupt {
        /// The stream, or the name of the database if the damage is not within one.
        stream: String,
        /// What is wrong with it.
        what: String,
    },
    /// No space is left on the disk.
    #[error("the disk is full")]
    Full,
    /// The disk failed while syncing, in words for the operator; see [`Health::Broken`].
    #[error("the disk failed while syncing: {0}")]
    SyncFailed(String),
    /// Anything else the file system or database reports, in words for the operator.
    #[error("{0}")]
    Io(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Append-only streams, and the few registers beside them. A read sees every write that was acknowledged before the read began.
pub trait Store: Send + Sync + 'static {
    /// Appends `rows`, all or none, and gives the stream's last `seq`. Durable (fsync) when it resolves. With `expected`, only
    /// if the stream ends at that `seq` (0: is empty), otherwise [`StoreError::Conflict`]; with `None`, after whatever is last.
    fn append(&self, stream: StreamId, expected: Option<u64>, rows: Vec<NewRow>) -> Fut<Result<u64, StoreError>>;

    /// The newest sound snapshot and the rows after it. A damaged snapshot falls back to the older one, then to all rows; a
    /// damaged or missing row is [`StoreError::Corrupt`]. An unknown stream is empty.
    fn load(&self, stream: StreamId) -> Fut<Result<Loaded, StoreError>>;

    /// As [`Store::load`], but passes over snapshots of row `below` and later: for one whose checksum holds and that does not fold.
    fn load_below(&self, stream: StreamId, below: u64) -> Fut<Result<Loaded, StoreError>>;

    /// A page of the rows after `after`, in order, from the first one ever appended; empty only at the end. [`StoreError::Corrupt`] as in
    /// `load`.
    fn history(&self, stream: StreamId, after: u64, page: Page) -> Fut<Result<Vec<Row>, StoreError>>;

    /// Keeps a snapshot; the two newest of a stream stay, and no row is ever deleted. [`StoreError::Conflict`] if it claims to
    /// cover rows that do not exist.
    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) -> Fut<Result<(), StoreError>>;

    /// Records a token under its SHA-256, replacing what was there.
    fn put_token(&self, hash: [u8; 32], token: TokenRecord) -> Fut<Result<(), StoreError>>;

    /// What the token with this hash stands for, revoked or not.
    fn token(&self, hash: [u8; 32]) -> Fut<Result<Option<TokenRecord>, StoreError>>;

    /// Voids a token from `at` (milliseconds since the epoch) on. The first revocation stands; an unknown token is ignored.
    fn revoke_token(&self, hash: [u8; 32], at: u64) -> Fut<Result<(), StoreError>>;

    /// Voids all tokens of a participant in a workshop from `at` on, as [`Store::revoke_token`] does one.
    fn revoke_participant(&self, workshop: String, participant: String, at: u64) -> Fut<Result<(), StoreError>>;

    /// The tokens of a workshop that were given to facilitators and reviewers and are not void, the oldest first.
    fn links(&self, workshop: String) -> Fut<Result<Vec<TokenRecord>, StoreError>>;

    /// Reserves a join code for a workshop; `false` if it is taken. Codes are compared as they are: normalise them first.
    fn reserve_join_code(&self, code: String, workshop: String) -> Fut<Result<bool, StoreError>>;

    /// The workshop a join code leads to.
    fn workshop_by_join_code(&self, code: String) -> Fut<Result<Option<String>, StoreError>>;

    /// Binds CRDT client ids to the principal they were issued to, for good, all or none. Again for the same principal is fine;
    /// for another one it is [`StoreError::ClientTaken`].
    fn bind_clients(&self, workshop: String, principal: String, clients: Vec<u64>) -> Fut<Result<(), StoreError>>;

    /// All client ids of a principal in a workshop, ascending.
    fn clients_of(&self, workshop: String, principal: String) -> Fut<Result<Vec<u64>, StoreError>>;

    /// The principal a client id was issued to.
    fn client_owner(&self, workshop: String, client: u64) -> Fut<Result<Option<String>, StoreError>>;

    /// Readiness: really writes a row, durably, and reads it back. Fails while [`Store::health`] is not good.
    fn check(&self) -> Fut<Result<(), StoreError>>;

    /// How well it can write, now and whenever that changes.
    fn health(&self) -> watch::Receiver<Health>;
}
