//! Rows and snapshots, over a connection. Every function here runs within a transaction that the caller holds.
//!
//! No single damaged page hides rows, or a stream. Names are kept in two trees: a stream is unknown only if neither has it. A third
//! tree keeps where each ends ([`Known`]): whoever reads fewer rows has met damage. Each row's checksum covers the number of its
//! stream, so that none is taken for another's.
//!
//! The writer's thread remembers where streams end ([`TAILS`]), so that an append is one insert and one update: nobody else writes. While
//! thousands do, rows go into the [`Journal`] first.

use std::cell::RefCell;
use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::lib0::ReadError;

use super::journal::Journal;
use super::{Loaded, NewRow, Page, Row, Snapshot, StoreError, StreamId, schema};

/// Snapshots kept of a stream: the newest, and one to fall back on.
const SNAPSHOTS: i64 = 2;

/// Streams whose ends are remembered: about 10 MB, and past it they are looked up again.
const TAILS_KEPT: usize = 65_536;

/// A stream that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its number.
    pub(super) id: i64,
    /// Its last row.
    pub(super) last: u64,
}

thread_local! {
    /// Each stream that this thread has appended to, as of the transaction under way.
    static TAILS: RefCell<HashMap<StreamId, Known>> = RefCell::default();
}

/// For the writer, when something was undone: what is remembered may not be so.
pub(super) fn forget_tails() {
    TAILS.with_borrow_mut(HashMap::clear);
}

/// On the writer's thread only. Fails before it has written anything, or with an error of the database.
pub(super) fn append(
    db: &Connection,
    journal: &Journal,
    stream: &StreamId,
    expected: Option<u64>,
    rows: &[NewRow],
) -> Result<u64, StoreError> {
    let known = match TAILS.with_borrow(|tails| tails.get(stream).copied()) {
        None => find(db, stream)?.map(|known| journal.end(stream, known)),
        known => known,
    };
    let last = known.map_or(0, |known| known.last);
    if let Some(expected) = expected
        && expected != last
    {
        return Err(StoreError::Conflict { expected, actual: last });
    }
    if rows.is_empty() {
        return Ok(last);
    }
    let known = match known {
        Some(known) if journal.take(stream, known, rows)? => Known { last: last + rows.len() as u64, ..known },
        _ => {
            let rows =
                (last + 1..).zip(rows).map(|(seq, row)| (seq, row.principal.as_str(), row.at, row.payload.as_ref()));
            write_rows(db, stream, known, rows)?
        }
    };
    TAILS.with_borrow_mut(|tails| {
        if tails.len() >= TAILS_KEPT {
            tails.clear();
        }
        tails.insert(stream.clone(), known);
    });
    Ok(known.last)
}

/// Writes rows that were read elsewhere into a stream that does not exist yet.
pub(super) fn append_rows(db: &Connection, stream: &StreamId, rows: &[Row]) -> Result<(), StoreError> {
    write_rows(
        db,
        stream,
        None,
        rows.iter().map(|row| (row.seq, row.principal.as_str(), row.at, row.payload.as_ref())),
    )?;
    Ok(())
}

/// Writes rows under their numbers, and where the stream ends now.
pub(super) fn write_rows<'a>(
    db: &Connection,
    stream: &StreamId,
    known: Option<Known>,
    rows: impl Iterator<Item = (u64, &'a str, u64, &'a [u8])>,
) -> Result<Known, StoreError> {
    let is_new = known.is_none();
    let mut known = match known {
        Some(known) => known,
        None => {
            let id = db.prepare_cached("INSERT INTO streams (name) VALUES (?1)")?.insert([stream.as_str()])?;
            Known { id, last: 0 }
        }
    };
    let mut insert = db.prepare_cached(
        "INSERT INTO rows (stream, seq, at, principal, payload, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (seq, principal, at, payload) in rows {
        let crc = sealed(row_checksum(Some(known.id), seq, principal, at, payload));
        insert.execute(params![known.id, seq.cast_signed(), at.cast_signed(), principal, payload, crc])?;
        known.last = seq;
    }
    if is_new {
        put_tail(db, stream, known)?;
        return Ok(known);
    }
    let mut update = db.prepare_cached("UPDATE tails SET seq = ?2, crc = ?3 WHERE stream = ?1")?;
    match update.execute(params![known.id, known.last.cast_signed(), tail_checksum(stream, known)])? {
        1 => Ok(known),
        _ => Err(ends_elsewhere(stream)),
    }
}

fn put_tail(db: &Connection, stream: &StreamId, known: Known) -> Result<(), StoreError> {
    let name = params![stream.as_str(), known.id];
    db.prepare_cached("INSERT OR REPLACE INTO names (name, stream) VALUES (?1, ?2)")?.execute(name)?;
    let tail = params![known.id, known.last.cast_signed(), tail_checksum(stream, known)];
    db.prepare_cached("INSERT OR REPLACE INTO tails (stream, seq, crc) VALUES (?1, ?2, ?3)")?.execute(tail)?;
    Ok(())
}

/// From the newest sound snapshot of a row before `below`. `unfiled` are the rows that the journal had of this stream before this
/// transaction began to read.
pub(super) fn load(db: &Connection, stream: &StreamId, below: u64, unfiled: Vec<Row>) -> Result<Loaded, StoreError> {
    let Some(known) = find(db, stream)? else {
        return Ok(Loaded::default());
    };
    let last_seq = unfiled.last().map_or(known.last, |row| row.seq.max(known.last));
    let snapshot = newest_snapshot(db, stream, known.id, below)?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    if after > last_seq {
        return Err(corrupt(stream, format!("a snapshot covers row {after}, but row {last_seq} is the last")));
    }
    let mut rows = read_rows(db, stream, known, after, Page::ALL)?;
    follow(stream, known, after, unfiled, Page::ALL, &mut rows)?;
    Ok(Loaded { snapshot, rows, last_seq })
}

pub(super) fn history(
    db: &Connection,
    stream: &StreamId,
    after: u64,
    page: Page,
    unfiled: Vec<Row>,
) -> Result<Vec<Row>, StoreError> {
    let Some(known) = find(db, stream)? else { return Ok(Vec::new()) };
    let mut rows = read_rows(db, stream, known, after, page)?;
    follow(stream, known, after, unfiled, page, &mut rows)?;
    Ok(rows)
}

/// Adds the rows that were not filed yet to those that were, as far as the page goes.
fn follow(
    stream: &StreamId,
    known: Known,
    after: u64,
    unfiled: Vec<Row>,
    page: Page,
    rows: &mut Vec<Row>,
) -> Result<(), StoreError> {
    let mut bytes = rows.iter().map(|row| row.payload.len()).sum::<usize>();
    let beyond = unfiled.into_iter().skip_while(|row| row.seq <= known.last);
    for (next, row) in (known.last + 1..).zip(beyond) {
        if row.seq != next {
            return Err(corrupt(stream, format!("row {next} is missing")));
        }
        if row.seq > after && rows.len() < page.rows.max(1) && bytes < page.bytes.max(1) {
            bytes += row.payload.len();
            rows.push(row);
        }
    }
    Ok(())
}

pub(super) fn save_snapshot(
    db: &Connection,
    journal: &Journal,
    stream: &StreamId,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let known = find(db, stream)?.map(|known| journal.end(stream, known));
    let Some(Known { id, .. }) = known.filter(|known| snapshot.seq <= known.last) else {
        let actual = known.map_or(0, |known| known.last);
        return Err(StoreError::Conflict { expected: snapshot.seq, actual });
    };
    let crc = sealed(snapshot_checksum(Some(id), snapshot.seq, &snapshot.payload));
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
    let mut query = db.prepare_cached(match has_tails(db)? {
        true => "SELECT name FROM streams UNION SELECT name FROM names ORDER BY name",
        false => "SELECT name FROM streams ORDER BY name",
    })?;
    let names = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().map(|name| StreamId::named(name)).collect())
}

/// The stream of this name. [`StoreError::Corrupt`] if what is known of it does not agree.
pub(super) fn find(db: &Connection, stream: &StreamId) -> Result<Option<Known>, StoreError> {
    let listed = listed(db, stream)?;
    if !has_tails(db)? {
        return listed.map(|id| Ok(Known { id, last: last_row(db, id)? })).transpose();
    }
    match (listed, tail(db, stream)?) {
        (None, None) => Ok(None),
        (Some(id), Some((known, true))) if id == known.id => Ok(Some(known)),
        _ => Err(ends_elsewhere(stream)),
    }
}

/// What is written down of where a stream ends, and whether its checksum holds.
fn tail(db: &Connection, stream: &StreamId) -> Result<Option<(Known, bool)>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT names.stream, seq, crc FROM names LEFT JOIN tails ON tails.stream = names.stream WHERE name = ?1",
    )?;
    let found = query.query_row([stream.as_str()], |row| {
        let last = row.get::<_, Option<i64>>(1)?.unwrap_or(0).cast_unsigned();
        let known = Known { id: row.get(0)?, last };
        Ok((known, row.get::<_, Option<i64>>(2)? == Some(tail_checksum(stream, known))))
    });
    Ok(found.optional()?)
}

/// The number of a stream, as far as it can be made out where something is damaged. For the command line.
pub(super) fn number(db: &Connection, stream: &StreamId) -> Result<Option<i64>, StoreError> {
    let listed = listed(db, stream)?;
    let tail = if has_tails(db)? { tail(db, stream)? } else { None };
    Ok(match tail {
        Some((known, true)) => Some(known.id),
        _ => listed,
    })
}

/// Where rows that were found in the journal are to stand, and where it is to be said that their stream ends with them.
pub(super) struct Place {
    pub(super) rows: &'static str,
    pub(super) tails: &'static str,
}

/// Files rows that were found in the journal, under the number of their stream, as far as they are not filed.
pub(super) fn file_found(db: &Connection, id: i64, rows: &[Row], place: &Place) -> Result<(), StoreError> {
    let Some(last) = rows.last().map(|row| row.seq) else { return Ok(()) };
    let stream = name_of(db, id)?;
    let known = match &stream {
        Some(stream) => find(db, stream).ok().flatten().filter(|known| known.id == id),
        None => None,
    };
    let filed = known.map_or(0, |known| known.last);
    let mut insert = db.prepare_cached(&format!(
        "INSERT INTO {} (stream, seq, at, principal, payload, crc) SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE NOT EXISTS (SELECT 1 FROM main.rows WHERE stream = ?1 AND seq = ?2)",
        place.rows
    ))?;
    for row in rows.iter().filter(|row| row.seq > filed) {
        let crc = sealed(row_checksum(Some(id), row.seq, &row.principal, row.at, &row.payload));
        let (seq, at) = (row.seq.cast_signed(), row.at.cast_signed());
        insert.execute(params![id, seq, at, row.principal, row.payload.as_ref(), crc])?;
    }
    match (stream, known) {
        // With a row missing in between, the end says so.
        (Some(stream), Some(known)) if known.last < last => {
            let crc = tail_checksum(&stream, Known { id, last });
            let sql = format!("INSERT OR REPLACE INTO {} (stream, seq, crc) VALUES (?1, ?2, ?3)", place.tails);
            db.prepare_cached(&sql)?.execute(params![id, last.cast_signed(), crc])?;
        }
        (Some(_), Some(_)) => {}
        (stream, _) => {
            // Its rows are there for whoever mends it.
            let stream = stream.map_or_else(|| format!("number {id}"), |stream| stream.to_string());
            tracing::error!(stream, "the journal holds rows of a stream whose name or end is damaged");
        }
    }
    Ok(())
}

/// The name of a stream, from whichever tree has it.
pub(super) fn name_of(db: &Connection, id: i64) -> Result<Option<StreamId>, StoreError> {
    let name = |sql: &str| db.prepare_cached(sql)?.query_row([id], |row| row.get::<_, String>(0)).optional();
    let found = match name("SELECT name FROM streams WHERE id = ?1") {
        Ok(Some(name)) => Some(name),
        _ => name("SELECT name FROM names WHERE stream = ?1")?,
    };
    Ok(found.map(|name| StreamId::named(&name)))
}

/// Gives a stream another name. For the command line.
pub(super) fn rename(db: &Connection, id: i64, from: &StreamId, to: &StreamId) -> Result<(), StoreError> {
    db.execute("DELETE FROM streams WHERE name = ?1", [from.as_str()])?;
    db.execute("INSERT OR REPLACE INTO streams (id, name) VALUES (?1, ?2)", params![id, to.as_str()])?;
    db.execute("DELETE FROM names WHERE name = ?1", [from.as_str()])?;
    put_tail(db, to, Known { id, last: last_row(db, id)? })
}

/// Takes a stream away, with all that is in it. For the command line.
pub(super) fn delete(db: &Connection, stream: &StreamId) -> Result<(), StoreError> {
    let numbers = [listed(db, stream)?, tail(db, stream)?.map(|(known, _)| known.id)];
    for id in numbers.into_iter().flatten() {
        // With a number that is damaged: not those of another stream.
        let is_anothers = db.query_row(
            "SELECT count(*) FROM streams WHERE id = ?1 AND name <> ?2",
            params![id, stream.as_str()],
            |row| row.get::<_, i64>(0),
        )? > 0;
        for table in ["rows", "snapshots", "tails"] {
            if !is_anothers {
                db.execute(&format!("DELETE FROM {table} WHERE stream = ?1"), [id])?;
            }
        }
    }
    for table in ["streams", "names"] {
        db.execute(&format!("DELETE FROM {table} WHERE name = ?1"), [stream.as_str()])?;
    }
    Ok(())
}

/// Writes down where each stream ends, in a database from before that was done: where its rows end now.
pub(super) fn seal(db: &Connection) -> Result<(), StoreError> {
    let mut query = db.prepare("SELECT id, name FROM streams")?;
    let streams = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for found in streams {
        let (id, name) = found?;
        put_tail(db, &StreamId::named(&name), Known { id, last: last_row(db, id)? })?;
    }
    Ok(())
}

fn has_tails(db: &Connection) -> Result<bool, StoreError> {
    Ok(schema::check_version(db)? >= schema::TAILS_SEALED)
}

fn listed(db: &Connection, stream: &StreamId) -> Result<Option<i64>, StoreError> {
    let mut query = db.prepare_cached("SELECT id FROM streams WHERE name = ?1")?;
    Ok(query.query_row([stream.as_str()], |row| row.get(0)).optional()?)
}

/// The last row that is found; a damaged page may hide later ones.
fn last_row(db: &Connection, id: i64) -> Result<u64, StoreError> {
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
        if snapshot_holds(row.get(2)?, id, seq, &payload) {
            return Ok(Some(Snapshot { seq, payload: Bytes::from(payload) }));
        }
        // All rows are kept, so nothing is lost by passing over it.
        tracing::warn!(%stream, seq, "passed over a damaged snapshot");
        metrics::counter!("tablehop_store_damaged_snapshots_total").increment(1);
    }
    Ok(None)
}

/// Rows after `after`, each checked, and together checked for gaps, the one before the end too.
fn read_rows(db: &Connection, stream: &StreamId, known: Known, after: u64, page: Page) -> Result<Vec<Row>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT seq, at, principal, payload, crc, stream FROM rows WHERE stream = ?1 AND seq > ?2 ORDER BY seq",
    )?;
    let most = page.rows.max(1);
    let after_signed = i64::try_from(after).unwrap_or(i64::MAX);
    let mut found = query.query(params![known.id, after_signed])?;
    let mut rows = Vec::new();
    let mut previous = after;
    let mut bytes = 0;
    while rows.len() < most && bytes < page.bytes.max(1) {
        let Some(row) = found.next()? else {
            if previous < known.last {
                return Err(corrupt(stream, format!("row {} is missing", previous + 1)));
            }
            break;
        };
        let stored = Row {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            at: row.get::<_, i64>(1)?.cast_unsigned(),
            principal: row.get(2)?,
            payload: Bytes::from(row.get::<_, Vec<u8>>(3)?),
        };
        if stored.seq != previous + 1 {
            return Err(corrupt(stream, format!("row {} is missing", previous + 1)));
        }
        if row.get::<_, i64>(5)? != known.id || !row_holds(row.get(4)?, known.id, &stored) {
            return Err(corrupt(stream, format!("the checksum of row {} does not hold", stored.seq)));
        }
        if stored.seq > known.last {
            return Err(corrupt(stream, format!("row {} follows the last one", stored.seq)));
        }
        previous = stored.seq;
        bytes += stored.payload.len();
        rows.push(stored);
    }
    Ok(rows)
}

pub(super) fn corrupt(stream: &StreamId, what: String) -> StoreError {
    StoreError::Corrupt { stream: stream.to_string(), what }
}

pub(super) fn unreadable(stream: &StreamId, error: ReadError) -> StoreError {
    corrupt(stream, format!("its rows in the journal cannot be read: {error}"))
}

pub(super) fn ends_elsewhere(stream: &StreamId) -> StoreError {
    corrupt(stream, "its name, or where it ends, is not what was written".to_owned())
}

// -- Checksums
//
// Those that cover the number of the stream are kept as negative numbers, so that they are told from those of earlier versions, which do not.

fn sealed(crc: u32) -> i64 {
    !i64::from(crc)
}

/// Whether a row is what was written into this stream.
pub(super) fn row_holds(crc: i64, id: i64, row: &Row) -> bool {
    let checksum = |id| row_checksum(id, row.seq, &row.principal, row.at, &row.payload);
    if crc < 0 { crc == sealed(checksum(Some(id))) } else { crc == i64::from(checksum(None)) }
}

/// Whether a snapshot is what was kept of this stream.
pub(super) fn snapshot_holds(crc: i64, id: i64, seq: u64, payload: &[u8]) -> bool {
    let checksum = |id| snapshot_checksum(id, seq, payload);
    if crc < 0 { crc == sealed(checksum(Some(id))) } else { crc == i64::from(checksum(None)) }
}

fn row_checksum(id: Option<i64>, seq: u64, principal: &str, at: u64, payload: &[u8]) -> u32 {
    let mut crc = begin(id);
    crc.update(&seq.to_le_bytes());
    // With its length, so that bytes cannot move between principal and payload unnoticed.
    crc.update(&(principal.len() as u64).to_le_bytes());
    crc.update(principal.as_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

fn snapshot_checksum(id: Option<i64>, seq: u64, payload: &[u8]) -> u32 {
    let mut crc = begin(id);
    crc.update(&seq.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// Always a number of the same size, so that it is written over the one that was there.
fn tail_checksum(stream: &StreamId, known: Known) -> i64 {
    let mut crc = begin(Some(known.id));
    crc.update(&known.last.to_le_bytes());
    crc.update(stream.as_str().as_bytes());
    i64::from(crc.finalize()) | 1 << 40
}

fn begin(id: Option<i64>) -> crc32fast::Hasher {
    let mut crc = crc32fast::Hasher::new();
    if let Some(id) = id {
        crc.update(&id.to_le_bytes());
    }
    crc
}
