//! What a process has left in the journal: filed when the next one starts, and shown to those who only read.
//!
//! Damage here costs no more than damage elsewhere: an entry is read from whichever copy is sound, and a stream that cannot take its rows
//! stands alone.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::log::{self, Place};
use super::super::{DATABASE, Row, StoreError, StreamId, schema};
use super::entry::{self, Entry};
use super::{COPIES, Journal, State, Unfiled, put};

/// Where rows are filed.
const FILED: Place = Place { rows: "main.rows", tails: "main.tails" };
/// Where they stand for those who only read.
const SHOWN: Place = Place { rows: "temp.found", tails: "temp.ends" };

/// What is found in the journal of a database.
#[derive(Debug, Default)]
struct Found {
    /// Rows by the numbers of their streams.
    streams: BTreeMap<i64, BTreeMap<u64, Row>>,
    /// The number of the last entry; 0 if there is none.
    last: u64,
    /// What is wrong, in words for the operator.
    faults: Vec<String>,
}

impl Found {
    fn read(db: &Connection) -> Result<Self, StoreError> {
        let mut found = Self::default();
        // The number alone may be damaged.
        if schema::check_version(db)? < schema::JOURNAL && !is_there(db)? {
            return Ok(found);
        }
        let mut entries: BTreeMap<i64, Option<Vec<u8>>> = BTreeMap::new();
        let mut unread = 0;
        for copy in COPIES {
            if let Err(error) = read_copy(db, copy, &mut entries, &mut found.faults) {
                // The other copy has what this one hides.
                found.faults.push(format!("{copy} cannot be read: {error}"));
                unread += 1;
            }
        }
        if unread == COPIES.len() {
            // Whose rows it hides nobody can tell, so none is served short.
            let what = "neither copy of the journal can be read".to_owned();
            return Err(StoreError::Corrupt { stream: DATABASE.to_owned(), what });
        }
        let mut next = entries.keys().next().copied();
        for (id, entry) in entries {
            if let Some(missing) = next.filter(|next| *next < id) {
                found.faults.push(format!("entries {missing} to {} are missing, and rows with them", id - 1));
            }
            next = Some(id + 1);
            found.last = id.cast_unsigned();
            match entry.as_deref().map(|entry| entry::read(entry, &mut found.streams)) {
                Some(Ok(())) => {}
                Some(Err(error)) => found.faults.push(format!("entry {id} cannot be read: {error}")),
                None => found.faults.push(format!("entry {id} is damaged in both copies; its rows are lost")),
            }
        }
        Ok(found)
    }

    fn is_nothing(&self) -> bool {
        self.last == 0 && self.faults.is_empty()
    }
}

fn is_there(db: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN (?1, ?2)";
    let tables: i64 = db.query_row(sql, COPIES, |row| row.get(0))?;
    Ok(tables > 0)
}

/// Adds the sound entries of one copy to those of the other.
fn read_copy(
    db: &Connection,
    copy: &str,
    entries: &mut BTreeMap<i64, Option<Vec<u8>>>,
    faults: &mut Vec<String>,
) -> Result<(), rusqlite::Error> {
    let mut query = db.prepare(&format!("SELECT id, entry, crc FROM {copy} ORDER BY id"))?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let id = row.get(0)?;
        let read = || -> Result<(Vec<u8>, i64), rusqlite::Error> { Ok((row.get(1)?, row.get(2)?)) };
        let sound = read().ok().filter(|(entry, crc)| *crc == i64::from(entry::checksum(id, entry)));
        if sound.is_none() {
            faults.push(format!("the checksum of entry {id} in {copy} does not hold"));
        }
        let known = entries.entry(id).or_default();
        *known = known.take().or(sound.map(|(entry, _)| entry));
    }
    Ok(())
}

impl Journal {
    /// Files what is in the database's journal and begins anew. If the disk is too full for that nothing is changed, and it is kept in
    /// memory as well. `kept` bytes wait to be filed at most. For the writer's connection, before its thread has begun.
    pub(in super::super) fn open(db: &mut Connection, kept: usize) -> Result<Self, StoreError> {
        let left = match settle(db) {
            Err(StoreError::Full) => {
                let Found { streams, last, .. } = Found::read(db)?;
                Left { streams: streams.into_iter().collect(), next: last + 1, is_stuck: false }
            }
            settled => settled?,
        };
        let journal = Self::default();
        {
            let mut state = journal.lock();
            (state.next, state.out, state.kept) = (left.next, 1, kept);
            for (id, rows) in left.streams {
                // Of those without a name nobody will ask.
                if let Some(stream) = log::name_of(db, id)? {
                    let filed = log::find(db, &stream).ok().flatten().map_or(0, |known| known.last);
                    state.remember(stream, id, filed, rows, left.is_stuck);
                }
            }
        }
        Ok(journal)
    }
}

impl State {
    /// Rows that are in the journal already, in entry 1 or a later one. That one is missing before the first of them shows by its number.
    fn remember(&mut self, stream: StreamId, id: i64, filed: u64, rows: BTreeMap<u64, Row>, stuck: bool) {
        let mut entry = Entry::default();
        let begin = entry.begin(id, rows.len() as u64);
        let mut last = filed;
        for row in rows.into_values().filter(|row| row.seq > filed) {
            last = row.seq;
            entry.row(row.seq, row.at, &row.principal, &row.payload);
        }
        let rows = entry.bytes().get(begin..).unwrap_or_default().to_vec();
        if rows.is_empty() {
            return;
        }
        self.bytes += rows.len();
        self.order.push_back((1, stream.clone()));
        self.unfiled.insert(stream, Unfiled { id, since: 1, first: filed + 1, last, rows, stuck });
    }
}

/// What could not be filed, and is still in the journal.
#[derive(Default)]
pub(in super::super) struct Left {
    streams: Vec<(i64, BTreeMap<u64, Row>)>,
    /// The number of the next entry.
    next: u64,
    is_stuck: bool,
}

/// Files all that is in the journal, in one transaction, and empties it.
///
/// # Errors
/// Nothing was changed. Damage is none: what it keeps from being filed stays in the journal.
pub(in super::super) fn settle(db: &mut Connection) -> Result<Left, StoreError> {
    let found = Found::read(db)?;
    if found.is_nothing() {
        return Ok(Left { next: 1, ..Left::default() });
    }
    for fault in &found.faults {
        tracing::error!("the journal is damaged: {fault}");
    }
    let mut transaction = db.transaction()?;
    let mut left = Left { next: 1, is_stuck: true, ..Left::default() };
    let mut entry = Entry::default();
    for (id, rows) in found.streams {
        let rows_of: Vec<Row> = rows.values().cloned().collect();
        let filed = alone(&mut transaction, |db| log::file_found(db, id, &rows_of, &FILED))?;
        if let Err(error) = filed {
            tracing::error!(stream = id, %error, "rows could not be filed; they are kept in the journal");
            entry.begin(id, rows.len() as u64);
            for row in &rows_of {
                entry.row(row.seq, row.at, &row.principal, &row.payload);
            }
            left.streams.push((id, rows));
        }
    }
    for copy in COPIES {
        let emptied = alone(&mut transaction, |db| Ok(db.execute(&format!("DELETE FROM {copy}"), [])?))?;
        if let Err(error) = emptied {
            tracing::error!(copy, %error, "the journal could not be emptied, and is put aside");
            put_aside(&transaction, copy)?;
        }
    }
    if !entry.is_empty() {
        put(&transaction, left.next, &entry)?;
        left.next += 1;
    }
    transaction.commit()?;
    Ok(left)
}

/// Does something within a savepoint. The outer error ends the transaction; the inner one is damage, and what was done is undone.
fn alone<T>(
    transaction: &mut rusqlite::Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<Result<T, StoreError>, StoreError> {
    let savepoint = transaction.savepoint()?;
    match work(&savepoint) {
        Ok(done) => {
            savepoint.commit()?;
            Ok(Ok(done))
        }
        Err(error @ (StoreError::Full | StoreError::SyncFailed(_))) => Err(error),
        Err(error) => {
            savepoint.finish()?;
            Ok(Err(error))
        }
    }
}

/// A copy whose pages are damaged keeps them, under another name.
fn put_aside(db: &Connection, copy: &str) -> Result<(), StoreError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let sql: String =
        db.query_row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", [copy], |row| row.get(0))?;
    db.execute_batch(&format!("ALTER TABLE {copy} RENAME TO damaged_{tables}"))?;
    db.execute_batch(&sql)?;
    Ok(())
}

/// Has a connection that only reads see the rows as if they were filed: tables of its own stand before those of the database.
pub(in super::super) fn overlay(db: &Connection) -> Result<(), StoreError> {
    let found = Found::read(db)?;
    if found.streams.is_empty() {
        return Ok(());
    }
    db.execute_batch(
        "CREATE TEMP TABLE found (
             stream INTEGER, seq INTEGER, at INTEGER, principal TEXT, payload BLOB, crc INTEGER,
             PRIMARY KEY (stream, seq)
         ) WITHOUT ROWID;
         CREATE TEMP TABLE ends (stream INTEGER PRIMARY KEY, seq INTEGER, crc INTEGER);",
    )?;
    for (id, rows) in found.streams {
        // What damage keeps from being shown is found by whoever looks through the stream.
        if let Err(error) = log::file_found(db, id, &rows.into_values().collect::<Vec<_>>(), &SHOWN) {
            tracing::error!(stream = id, %error, "rows in the journal cannot be shown");
        }
    }
    db.execute_batch(
        "CREATE TEMP VIEW rows AS
             SELECT stream, seq, at, principal, payload, crc FROM main.rows UNION ALL
             SELECT stream, seq, at, principal, payload, crc FROM temp.found;
         CREATE TEMP VIEW tails AS
             SELECT tails.stream AS stream, coalesce(ends.seq, tails.seq) AS seq, coalesce(ends.crc, tails.crc) AS crc
             FROM main.tails LEFT JOIN temp.ends ON ends.stream = tails.stream;",
    )?;
    Ok(())
}

/// What is wrong with the journal, in words for the operator.
pub(in super::super) fn faults(db: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(Found::read(db)?.faults)
}
