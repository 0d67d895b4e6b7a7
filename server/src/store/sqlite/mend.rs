//! A board or a café made whole again from a backup. Everything here blocks, and is for the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::archive::{ASIDE, Archive, Found, Inspected, inspect, open_to_change};
use super::registers::{self, Counts};
use super::{Loaded, Row, StoreError, StreamId, log};

/// Whether a stream can be folded into what it stands for; if not, why, in words for the operator.
pub type Folds<'a> = &'a dyn Fn(&StreamId, &Loaded) -> Result<(), String>;

/// What became of a stream that was mended.
#[derive(Debug)]
pub struct Mended {
    /// Which stream.
    pub stream: StreamId,
    /// Rows the stream has now.
    pub rows: u64,
    /// Rows among them that came from the backup because the ones that were there are damaged or missing.
    pub from_backup: u64,
    /// Rows that were there and could not be taken over, because one before them exists in neither copy.
    pub left_behind: u64,
    /// Under which name the stream that was there is kept, if there was one.
    pub aside: Option<StreamId>,
}

/// What became of a café that was mended.
#[derive(Debug, Default)]
pub struct MendedCafe {
    /// Streams that were damaged, or not there, and are whole now.
    pub mended: Vec<Mended>,
    /// How many were whole already, and were left as they are.
    pub whole: usize,
    /// Streams that are damaged and stay so, each with the reason.
    pub refused: Vec<(StreamId, String)>,
    /// Tokens, join codes and client ids that were not there.
    pub registers: Counts,
}

/// A stream as both copies together make it.
struct Made {
    loaded: Loaded,
    from_backup: u64,
    left_behind: u64,
}

/// Makes one stream in `dir` anew from its sound rows and, where they are damaged, the backup's. The stream that was there is kept under
/// another name. If the result does not fold, nothing is changed.
///
/// # Errors
/// A server is using the directory, the backup does not have the stream, or both copies together do not make one.
pub fn mend(dir: &Path, backup: &Archive, stream: &StreamId, now: u64, folds: Folds<'_>) -> Result<Mended, StoreError> {
    let (_lock, mut db) = open_to_change(dir)?;
    let spare = backup.inspect(stream)?.rows;
    if spare.is_empty() {
        return Err(StoreError::Io(format!("the backup has no {stream}")));
    }
    let transaction = db.transaction()?;
    let made = make(&transaction, stream, spare, folds)?;
    let mended = put(&transaction, stream, &made, now)?;
    transaction.commit()?;
    Ok(mended)
}

/// Makes a café whole: its events, its boards, and the tokens, join codes and client ids that are missing. What is whole stays as it is;
/// the rest is made as by [`mend`], all of it or nothing.
///
/// # Errors
/// A server is using the directory, or the backup does not have the café.
pub fn mend_cafe(
    dir: &Path,
    backup: &Archive,
    cafe: &str,
    now: u64,
    folds: Folds<'_>,
) -> Result<MendedCafe, StoreError> {
    let (_lock, mut db) = open_to_change(dir)?;
    let of_cafe = |streams: Vec<StreamId>| streams.into_iter().filter(|stream| stream.cafe() == Some(cafe));
    let spared: BTreeSet<StreamId> = of_cafe(backup.streams()?).collect();
    if spared.is_empty() {
        return Err(StoreError::Io(format!("the backup has no café {cafe}")));
    }
    let mut done = MendedCafe::default();
    let transaction = db.transaction()?;
    let here: BTreeSet<StreamId> = of_cafe(log::names(&transaction)?).collect();
    for stream in spared.union(&here) {
        let spare = backup.inspect(stream)?.rows;
        if is_whole(&transaction, stream, &spare, folds) {
            done.whole += 1;
        } else if spare.is_empty() {
            done.refused.push((stream.clone(), "it is damaged, and the backup does not have it".to_owned()));
        } else {
            match make(&transaction, stream, spare, folds) {
                Ok(made) => done.mended.push(put(&transaction, stream, &made, now)?),
                // One board that is beyond help is no reason to keep the others from being helped.
                Err(error) => done.refused.push((stream.clone(), error.to_string())),
            }
        }
    }
    done.registers = registers::bring_back(&transaction, cafe, &backup.registers(cafe)?)?;
    transaction.commit()?;
    Ok(done)
}

/// Whether nothing of a stream is damaged or missing, as far as it and the backup tell.
fn is_whole(db: &Connection, stream: &StreamId, spare: &[(u64, Found<Row>)], folds: Folds<'_>) -> bool {
    let Ok(found) = inspect(db, stream) else { return false };
    let (count, last) = (found.rows.len(), spare.last().map_or(0, |(seq, _)| *seq));
    let rows: Vec<Row> =
        (1..).zip(found.rows).map_while(|(next, (seq, row))| row.ok().filter(|_| seq == next)).collect();
    let last_seq = rows.len() as u64;
    rows.len() == count
        && last_seq >= last.max(1)
        && log::find(db, stream).is_ok_and(|known| known.is_some_and(|known| known.last == last_seq))
        && found.snapshots.iter().all(|(_, snapshot)| snapshot.is_ok())
        && folds(stream, &Loaded { snapshot: None, rows, last_seq }).is_ok()
}

/// Changes nothing yet.
fn make(
    db: &Connection,
    stream: &StreamId,
    spare: Vec<(u64, Found<Row>)>,
    folds: Folds<'_>,
) -> Result<Made, StoreError> {
    // A page that cannot be read at all leaves nothing to take over.
    let Inspected { rows: found, last: written, .. } = inspect(db, stream).unwrap_or_default();
    let last = found.iter().chain(&spare).map(|(seq, _)| *seq).max().unwrap_or(0);
    let (mut found, mut spare) = (sound(found), sound(spare));
    if found.iter().any(|(seq, row)| spare.get(seq).is_some_and(|same| same != row)) {
        return Err(StoreError::Io(format!(
            "the sound rows of {stream} differ from those of the backup, so it is a backup of something else, or of a time before an \
             earlier restore"
        )));
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut from_backup = 0;
    for seq in 1..=last {
        match (found.remove(&seq), spare.remove(&seq)) {
            (Some(row), _) => rows.push(row),
            (None, Some(row)) => {
                from_backup += 1;
                rows.push(row);
            }
            // What follows may build on what is missing.
            (None, None) => break,
        }
    }
    // Also those of which nothing is left but their number.
    let left_behind = written.unwrap_or(0).saturating_sub(rows.len() as u64).max(found.len() as u64);
    let loaded = Loaded { snapshot: None, last_seq: rows.len() as u64, rows };
    if loaded.rows.is_empty() {
        return Err(StoreError::Io(format!("the first row of {stream} is damaged in the backup, too")));
    }
    folds(stream, &loaded).map_err(|what| StoreError::Corrupt { stream: stream.to_string(), what })?;
    Ok(Made { loaded, from_backup, left_behind })
}

fn put(db: &Connection, stream: &StreamId, made: &Made, now: u64) -> Result<Mended, StoreError> {
    let aside = match log::number(db, stream)? {
        Some(id) => {
            let aside = StreamId::named(&format!("{ASIDE}{now}/{stream}"));
            log::rename(db, id, stream, &aside)?;
            Some(aside)
        }
        None => None,
    };
    log::append_rows(db, stream, &made.loaded.rows)?;
    if log::load(db, stream, u64::MAX, Vec::new())? != made.loaded {
        return Err(StoreError::Corrupt {
            stream: stream.to_string(),
            what: "what was written reads differently".to_owned(),
        });
    }
    Ok(Mended {
        stream: stream.clone(),
        rows: made.loaded.last_seq,
        from_backup: made.from_backup,
        left_behind: made.left_behind,
        aside,
    })
}

fn sound(rows: Vec<(u64, Found<Row>)>) -> BTreeMap<u64, Row> {
    rows.into_iter().filter_map(|(seq, row)| Some((seq, row.ok()?))).collect()
}
