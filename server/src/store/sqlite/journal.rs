//! Rows in the order in which they came, until they are filed under their streams (docs/decisions/0023).
//!
//! While thousands write at once a commit holds a row or two of each of dozens of streams, and to file one means to write a page of its
//! stream anew, and the page that says where it ends. So at such times a commit is one entry here, and a stream's rows are filed together,
//! a second or two later. An entry is written twice, into two trees: no single damaged page hides rows.
//!
//! Invariants:
//! - A row is on disk with the commit that acknowledges it, here or in its stream, and stays here until a commit has filed it.
//! - What is not filed is also in memory, as of the last commit; who reads a stream reads its rows and then these ([`Journal::unfiled`]).
//! - As long as a stream has rows here its next ones come here too, so that they are filed in their order.

//!
//! # Layout
//!
//! - this file: the journal in memory, and what each transaction does to it
//! - `entry`: an entry as bytes
//! - `found`: what a process has left in the journal, after a start and for those who only read

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use super::log::{self, Known};
use super::{NewRow, Row, StoreError, StreamId};
use entry::Entry;

mod entry;
mod found;
#[cfg(test)]
mod tests;

pub(super) use found::{faults, overlay, settle};

/// The two copies.
const COPIES: [&str; 2] = ["journal", "journal_copy"];

/// Bytes of rows that wait to be filed, a second's or two of a busy store. Past it the streams that have waited longest are filed, so that
/// each commit files about as much as it takes.
pub(super) const KEPT: usize = 1024 * 1024;
/// Rows of one stream that are filed without waiting for that, so that no commit takes long.
const MANY: u64 = 128;
/// Bytes of an append that goes to its stream at once: its own pages are written anew anyway.
const LARGE: usize = 2 * 1024;
/// Streams filed by one commit once few write, so that the journal is soon empty and no commit takes long.
const AT_ONCE: usize = 32;
/// Entries after which it is tried again to file what could not be filed.
const TRY_AGAIN: u64 = 1_000;
/// Commits between two times at which entries are taken out.
const TAKE_OUT_EVERY: u64 = 64;

/// Which rows come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Those of streams that have rows here already.
    Rest,
    /// All but large ones.
    All,
}

/// The journal, in memory: shared by the writer's thread and those who read.
#[derive(Default)]
pub(super) struct Journal {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of the last commit.
    unfiled: HashMap<StreamId, Unfiled>,
    /// Bytes of rows in them, and how many there may be.
    bytes: usize,
    kept: usize,
    /// Streams with rows here, in the order of the entries that hold their first ones. Some are no longer so.
    order: VecDeque<(u64, StreamId)>,
    /// Streams with so many rows here that they are filed by the next commit.
    many: Vec<StreamId>,
    /// The number of the next entry.
    next: u64,
    /// Entries before this one are taken out.
    out: u64,
    /// The transaction under way.
    now: Now,
}

/// A transaction.
#[derive(Default)]
struct Now {
    takes_all: bool,
    /// What will be its entry.
    entry: Entry,
    added: Vec<Added>,
    filed: Vec<StreamId>,
    /// Streams that could not be filed, and whose rows are in this entry once more.
    stuck: Vec<StreamId>,
    /// Entries before this one are taken out by it.
    out: Option<u64>,
}

/// Rows of a stream in the entry under way.
struct Added {
    stream: StreamId,
    id: i64,
    first: u64,
    last: u64,
    /// Where they are within it.
    bytes: Range<usize>,
}

/// Rows of one stream that are not filed.
struct Unfiled {
    id: i64,
    /// The entry that holds the first of them.
    since: u64,
    first: u64,
    last: u64,
    /// As they are in the entries.
    rows: Vec<u8>,
    /// Whether they could not be filed, because of damage.
    stuck: bool,
}

impl Journal {
    /// The rows of a stream that may not be filed yet. To be asked for *before* the stream is read: what is filed meanwhile is in both.
    pub(super) fn unfiled(&self, stream: &StreamId) -> Result<Vec<Row>, StoreError> {
        let state = self.lock();
        let Some(unfiled) = state.unfiled.get(stream) else { return Ok(Vec::new()) };
        let rows = entry::rows(&unfiled.rows).map_err(|error| log::unreadable(stream, error))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// How many streams have rows here.
    pub(super) fn waiting(&self) -> usize {
        self.lock().unfiled.len()
    }

    // -- For the writer's thread

    /// A transaction begins.
    pub(super) fn begin(&self, taking: Taking) {
        self.lock().now = Now { takes_all: taking == Taking::All, ..Now::default() };
    }

    /// Where a stream ends of which the database says this.
    pub(super) fn end(&self, stream: &StreamId, known: Known) -> Known {
        let state = self.lock();
        let added = state.now.added.iter().rev().find(|added| added.stream == *stream).map(|added| added.last);
        let last = added.or_else(|| state.unfiled.get(stream).map(|unfiled| unfiled.last));
        Known { last: last.map_or(known.last, |last| last.max(known.last)), ..known }
    }

    /// Takes rows into the entry under way, if that is where they belong; returns whether it did.
    pub(super) fn take(&self, stream: &StreamId, known: Known, rows: &[NewRow]) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let is_here = match state.unfiled.get(stream) {
            Some(unfiled) if unfiled.stuck => return Err(log::ends_elsewhere(stream)),
            Some(_) => true,
            None => state.now.added.iter().any(|added| added.stream == *stream),
        };
        let is_large = || rows.iter().map(|row| row.payload.len()).sum::<usize>() > LARGE;
        if !is_here && (!state.now.takes_all || is_large()) {
            return Ok(false);
        }
        let now = &mut state.now;
        let (first, count) = (known.last + 1, rows.len() as u64);
        let begin = now.entry.begin(known.id, count);
        for (seq, row) in (first..).zip(rows) {
            now.entry.row(seq, row.at, &row.principal, &row.payload);
        }
        let bytes = begin..now.entry.bytes().len();
        now.added.push(Added { stream: stream.clone(), id: known.id, first, last: known.last + count, bytes });
        Ok(true)
    }

    /// Before the commit: files what has waited for long, and writes the entry.
    pub(super) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let mut state = self.lock();
        for stream in state.due() {
            state.file(db, stream)?;
        }
        put(db, state.next, &state.now.entry)?;
        state.take_out(db)
    }

    /// The transaction is on disk.
    pub(super) fn committed(&self) {
        self.lock().committed();
    }

    /// The transaction was undone.
    pub(super) fn undone(&self) {
        self.lock().now = Now::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic could leave half changed is undone with the transaction.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unfiled {
    fn count(&self) -> u64 {
        self.last + 1 - self.first
    }

    fn is_much(&self) -> bool {
        !self.stuck && self.count() >= MANY
    }
}

impl State {
    /// Streams with rows here, those that have waited longest first.
    fn waiting(&self) -> impl Iterator<Item = (&StreamId, &Unfiled)> {
        self.order.iter().filter_map(|(since, stream)| {
            let unfiled = self.unfiled.get(stream).filter(|unfiled| unfiled.since == *since)?;
            Some((stream, unfiled))
        })
    }

    /// Streams whose turn it is to be filed.
    fn due(&self) -> Vec<StreamId> {
        let mut due: Vec<StreamId> = self.many.clone();
        let fits = |unfiled: &&Unfiled| !unfiled.stuck || unfiled.since + TRY_AGAIN <= self.next;
        let mut bytes = self.bytes;
        for (stream, unfiled) in self.waiting().filter(|(_, unfiled)| fits(unfiled)) {
            let is_enough = if self.now.takes_all { bytes <= self.kept } else { due.len() >= AT_ONCE };
            if is_enough {
                break;
            }
            bytes -= unfiled.rows.len();
            if !self.many.contains(stream) {
                due.push(stream.clone());
            }
        }
        due
    }

    fn file(&mut self, db: &Connection, stream: StreamId) -> Result<(), StoreError> {
        let Some(unfiled) = self.unfiled.get(&stream) else { return Ok(()) };
        let execute = |sql: &str| db.prepare_cached(sql)?.execute([]).map(|_| ());
        let rows = entry::rows(&unfiled.rows).map_err(|error| log::unreadable(&stream, error))?;
        execute("SAVEPOINT filing")?;
        let known = Known { id: unfiled.id, last: unfiled.first - 1 };
        match log::write_rows(db, &stream, Some(known), rows.into_iter().map(entry::Row::parts)) {
            Ok(_) => self.now.filed.push(stream),
            // The whole transaction has been undone, or is to be.
            Err(error) if db.is_autocommit() => return Err(error),
            Err(error @ (StoreError::Full | StoreError::SyncFailed(_))) => return Err(error),
            Err(error) => {
                tracing::error!(%stream, %error, "rows could not be filed; they are kept, and it is tried again");
                execute("ROLLBACK TO filing")?;
                self.now.entry.begin(unfiled.id, unfiled.count());
                self.now.entry.again(&unfiled.rows);
                self.now.stuck.push(stream);
            }
        }
        execute("RELEASE filing")?;
        Ok(())
    }

    /// Takes out the entries all of whose rows are filed, now and then.
    fn take_out(&mut self, db: &Connection) -> Result<(), StoreError> {
        let Now { filed, stuck, entry, .. } = &self.now;
        let stays = |stream: &StreamId| !filed.contains(stream) && !stuck.contains(stream);
        let oldest = self.waiting().find(|(stream, _)| stays(stream)).map(|(_, unfiled)| unfiled.since);
        let is_last = oldest.is_none() && entry.is_empty();
        let before = oldest.unwrap_or(self.next);
        if before <= self.out || (before < self.out + TAKE_OUT_EVERY && !is_last) {
            return Ok(());
        }
        for copy in COPIES {
            db.prepare_cached(&format!("DELETE FROM {copy} WHERE id < ?1"))?.execute([before.cast_signed()])?;
        }
        self.now.out = Some(before);
        Ok(())
    }

    fn committed(&mut self) {
        let Now { entry, added, filed, stuck, out, .. } = mem::take(&mut self.now);
        let number = self.next;
        for stream in filed {
            self.bytes -= self.unfiled.remove(&stream).map_or(0, |unfiled| unfiled.rows.len());
        }
        for stream in stuck {
            if let Some(unfiled) = self.unfiled.get_mut(&stream) {
                (unfiled.since, unfiled.stuck) = (number, true);
                self.order.push_back((number, stream));
            }
        }
        for Added { stream, id, first, last, bytes } in added {
            let rows = entry.bytes().get(bytes).unwrap_or_default();
            let unfiled = self.unfiled.entry(stream.clone()).or_insert_with(|| {
                self.order.push_back((number, stream.clone()));
                Unfiled { id, since: number, first, last, rows: Vec::new(), stuck: false }
            });
            unfiled.last = last;
            unfiled.rows.extend_from_slice(rows);
            self.bytes += rows.len();
            if unfiled.is_much() {
                self.many.push(stream);
            }
        }
        if !entry.is_empty() {
            self.next += 1;
        }
        self.out = out.unwrap_or(self.out);
        let unfiled = &self.unfiled;
        let is_so = |since: u64, stream: &StreamId| unfiled.get(stream).is_some_and(|unfiled| unfiled.since == since);
        while self.order.pop_front_if(|(since, stream)| !is_so(*since, stream)).is_some() {}
        self.many.retain(|stream| unfiled.get(stream).is_some_and(Unfiled::is_much));
    }
}

fn put(db: &Connection, number: u64, entry: &Entry) -> Result<(), StoreError> {
    if entry.is_empty() {
        return Ok(());
    }
    let id = number.cast_signed();
    for copy in COPIES {
        let sql = format!("INSERT INTO {copy} (id, entry, crc) VALUES (?1, ?2, ?3)");
        db.prepare_cached(&sql)?.execute(params![id, entry.bytes(), entry::checksum(id, entry.bytes())])?;
    }
    Ok(())
}
