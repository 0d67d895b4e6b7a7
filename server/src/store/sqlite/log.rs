//! Rows and snapshots, over a connection. Every function here runs within a transaction that the caller holds.
//!
//! The writer's thread remembers where streams end ([`TAILS`]), so that an append is one insert: nobody else writes.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Loaded, NewRow, Page, Row, Snapshot, StoreError, StreamId};

/// Snapshots kept of a stream: the newest, and one to fall back on.
const SNAPSHOTS: i64 = 2;

/// Streams whose ends are remembered: about 10 MB, and past it they are looked up again.
const TAILS_KEPT: usize = 65_536;

thread_local! {
    /// Number and last row of each stream that this thread has appended to, as of the transaction under way.
    static TAILS: RefCell<HashMap<StreamId, (i64, u64)>> = RefCell::default();
}

/// For the writer, when something was undone: what is remembered may not be so.
pub(super) fn forget_tails() {
    TAILS.with_borrow_mut(HashMap::clear);
}

/// On the writer's thread only. Fails before it has written anything, or with an error of the database.
pub(super) fn append(
    db: &Connection,
    stream: &StreamId,
    expected: Option<u64>,
    rows: &[NewRow],
) -> Result<u64, StoreError> {
    let tail = TAILS.with_borrow(|tails| tails.get(stream).copied());
    let (known, last) = match tail {
        Some((id, last)) => (Some(id), last),
        None => {
            let known = find(db, stream)?;
            (known, known.map_or(Ok(0), |id| last_seq(db, id))?)
        }
    };
    if let Some(expected) = expected
        && expected != last
    {
        return Err(StoreError::Conflict { expected, actual: last });
    }
    if rows.is_empty() {
        return Ok(last);
    }
    let mut seq = last;
    let rows = rows.iter().map(|row| {
        seq += 1;
        (seq, row.principal.as_str(), row.at, &row.payload)
    });
    let id = write_rows(db, stream, known, rows)?;
    TAILS.with_borrow_mut(|tails| {
        if tails.len() >= TAILS_KEPT {
            tails.clear();
        }
        tails.insert(stream.clone(), (id, seq));
    });
    Ok(seq)
}

/// Writes rows that were read elsewhere into a stream that does not exist yet.
pub(super) fn append_rows(db: &Connection, stream: &StreamId, rows: &[Row]) -> Result<(), StoreError> {
    write_rows(db, stream, None, rows.iter().map(|row| (row.seq, row.principal.as_str(), row.at, &row.payload)))?;
    Ok(())
}

/// Writes rows under their numbers; gives the stream's.
fn write_rows<'a>(
    db: &Connection,
    stream: &StreamId,
    known: Option<i64>,
    rows: impl Iterator<Item = (u64, &'a str, u64, &'a Bytes)>,
) -> Result<i64, StoreError> {
    let id = match known {
        Some(id) => id,
        None => db.prepare_cached("INSERT INTO streams (name) VALUES (?1)")?.insert([stream.as_str()])?,
    };
    let mut insert = db.prepare_cached(
        "INSERT INTO rows (stream, seq, at, principal, payload, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (seq, principal, at, payload) in rows {
        let crc = row_checksum(seq, principal, at, payload);
        insert.execute(params![id, seq.cast_signed(), at.cast_signed(), principal, payload.as_ref(), crc])?;
    }
    Ok(id)
}

/// From the newest sound snapshot of a row before `below`.
pub(super) fn load(db: &Connection, stream: &StreamId, below: u64) -> Result<Loaded, StoreError> {
    let Some(id) = find(db, stream)? else {
        return Ok(Loaded::default());
    };
    let last_seq = last_seq(db, id)?;
    let snapshot = newest_snapshot(db, stream, id, below)?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    if after > last_seq {
        return Err(corrupt(stream, format!("a snapshot covers row {after}, but row {last_seq} is the last")));
    }
    let rows = read_rows(db, stream, id, after, Page::ALL)?;
    Ok(Loaded { snapshot, rows, last_seq })
}

pub(super) fn history(db: &Connection, stream: &StreamId, after: u64, page: Page) -> Result<Vec<Row>, StoreError> {
    match find(db, stream)? {
        Some(id) => read_rows(db, stream, id, after, page),
        None => Ok(Vec::new()),
    }
}

pub(super) fn save_snapshot(db: &Connection, stream: &StreamId, snapshot: &Snapshot) -> Result<(), StoreError> {
    let known = find(db, stream)?;
    let actual = known.map_or(Ok(0), |id| last_seq(db, id))?;
    let Some(id) = known.filter(|_| snapshot.seq <= actual) else {
        return Err(StoreError::Conflict { expected: snapshot.seq, actual });
    };
    let crc = snapshot_checksum(snapshot.seq, &snapshot.payload);
    db.prepare_cached("INSERT OR REPLACE INTO snapshots (stream, seq, payload, crc) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, snapshot.seq.cast_signed(), snapshot.payload.as_ref(), crc])?;
    db.prepare_cached(
        "DELETE FROM snapshots WHERE stream = ?1 AND seq NOT IN
             (SELECT seq FROM snapshots WHERE stream = ?1 ORDER BY seq DESC LIMIT ?2)",
    )?
    .execute(params![id, SNAPSHOTS])?;
    Ok(())
}

/// Every stream there is, by name.
pub(super) fn names(db: &Connection) -> Result<Vec<StreamId>, StoreError> {
    let mut query = db.prepare_cached("SELECT name FROM streams ORDER BY name")?;
    let names = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().map(|name| StreamId::named(name)).collect())
}

pub(super) fn find(db: &Connection, stream: &StreamId) -> Result<Option<i64>, StoreError> {
    let mut query = db.prepare_cached("SELECT id FROM streams WHERE name = ?1")?;
    Ok(query.query_row([stream.as_str()], |row| row.get(0)).optional()?)
}

fn last_seq(db: &Connection, id: i64) -> Result<u64, StoreError> {
    let mut query = db.prepare_cached("SELECT max(seq) FROM rows WHERE stream = ?1")?;
    let last: Option<i64> = query.query_row([id], |row| row.get(0))?;
    Ok(last.unwrap_or(0).cast_unsigned())
}

fn newest_snapshot(db: &Connection, stream: &StreamId, id: i64, below: u64) -> Result<Option<Snapshot>, StoreError> {
    let mut query =
        db.prepare_cached("SELECT seq, payload, crc FROM snapshots WHERE stream = ?1 AND seq < ?2 ORDER BY seq DESC")?;
    let mut found = query.query(params![id, i64::try_from(below).unwrap_or(i64::MAX)])?;
    while let Some(row) = found.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let payload: Vec<u8> = row.get(1)?;
        if row.get::<_, i64>(2)? == i64::from(snapshot_checksum(seq, &payload)) {
            return Ok(Some(Snapshot { seq, payload: Bytes::from(payload) }));
        }
        // All rows are kept, so nothing is lost by passing over it.
        tracing::warn!(%stream, seq, "passed over a damaged snapshot");
        metrics::counter!("tablehop_store_damaged_snapshots_total").increment(1);
    }
    Ok(None)
}

/// Rows after `after`, each checked, and together checked for gaps.
fn read_rows(db: &Connection, stream: &StreamId, id: i64, after: u64, page: Page) -> Result<Vec<Row>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, at, principal, payload, crc FROM rows WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(page.rows.max(1)).unwrap_or(i64::MAX);
    let after_signed = i64::try_from(after).unwrap_or(i64::MAX);
    let mut found = query.query(params![id, after_signed, limit])?;
    let mut rows = Vec::new();
    let mut previous = after;
    let mut bytes = 0;
    while let Some(row) = found.next()? {
        let stored = Row {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            principal: row.get(2)?,
            payload: Bytes::from(row.get::<_, Vec<u8>>(3)?),
        };
        if stored.seq != previous + 1 {
            return Err(corrupt(stream, format!("row {} is missing", previous + 1)));
        }
        let crc = row_checksum(stored.seq, &stored.principal, stored.at, &stored.payload);
        if row.get::<_, i64>(4)? != i64::from(crc) {
            return Err(corrupt(stream, format!("the checksum of row {} does not hold", stored.seq)));
        }
        previous = stored.seq;
        bytes += stored.payload.len();
        rows.push(stored);
        if bytes >= page.bytes {
            break;
        }
    }
    Ok(rows)
}

fn corrupt(stream: &StreamId, what: String) -> StoreError {
    StoreError::Corrupt { stream: stream.to_string(), what }
}

pub(super) fn row_checksum(seq: u64, principal: &str, at: u64, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&seq.to_le_bytes());
    // With its length, so that bytes cannot move between principal and payload unnoticed.
    crc.update(&(principal.len() as u64).to_le_bytes());
    crc.update(principal.as_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

pub(super) fn snapshot_checksum(seq: u64, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&seq.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}
