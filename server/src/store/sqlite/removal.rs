//! Cafés taken away for good: nothing of them is left in the file. Everything here blocks, and is for the command line.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::archive::{ASIDE, Found, open_to_change, read_row};
use super::registers::{self, Counts};
use super::{DATABASE, StoreError, StreamId, checkpoint, log};

/// What is stored of a café.
#[derive(Debug)]
pub struct Held {
    /// Its streams: events and boards, and what was put aside when something was restored.
    pub streams: usize,
    /// Rows in them.
    pub rows: u64,
    /// Snapshots of them.
    pub snapshots: u64,
    /// Bytes of what was written, in rows and snapshots.
    pub bytes: u64,
    /// What stands beside the streams.
    pub registers: Counts,
    /// When something last happened; what is wrong if the rows do not tell. Nothing if there is no row.
    pub last: Found<Option<u64>>,
}

impl Held {
    /// Whether nothing at all is stored.
    pub fn is_nothing(&self) -> bool {
        self.streams == 0 && self.registers == Counts::default()
    }
}

/// A store from which cafés are taken away. No server can use it meanwhile.
pub struct Removal {
    db: Connection,
    file: PathBuf,
    _lock: File,
}

impl Removal {
    /// Opens the store in `dir`.
    ///
    /// # Errors
    /// There is no store, or a server is using it.
    pub fn begin(dir: &Path) -> Result<Self, StoreError> {
        let (lock, db) = open_to_change(dir)?;
        Ok(Self { db, file: dir.join(DATABASE), _lock: lock })
    }

    /// Takes cafés away, all of them or none.
    ///
    /// # Errors
    /// The store could not be changed; then nothing was.
    pub fn remove(&mut self, cafes: &[&str]) -> Result<(), StoreError> {
        let transaction = self.db.transaction()?;
        let streams = log::names(&transaction)?;
        for stream in streams.iter().filter(|stream| owner(stream).is_some_and(|owner| cafes.contains(&owner.as_str())))
        {
            log::delete(&transaction, stream)?;
        }
        for cafe in cafes {
            registers::remove(&transaction, cafe)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Whether the file has room in it that was taken up once; what stood there may still be read.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn has_free_room(&self) -> Result<bool, StoreError> {
        let pages: i64 = self.db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        Ok(pages > 0)
    }

    /// Writes the file anew without what is free in it, and empties the write-ahead log. Returns by how many bytes it is smaller. Overwriting
    /// what is deleted would not do: snapshots that were replaced long ago have left the same words in pages that have been free since.
    ///
    /// # Errors
    /// The disk is full, another process is reading the file, or a part of it is damaged. What was removed stays removed.
    pub fn give_back(&self) -> Result<u64, StoreError> {
        let size = || fs::metadata(&self.file).map(|meta| meta.len()).unwrap_or(0);
        let before = size();
        let written = self.write_anew();
        // In any case: until the log is folded, the file is what it was.
        if !checkpoint::empty(&self.db)? {
            return Err(StoreError::Io(format!(
                "another process, perhaps `tablehop backup` or `tablehop verify`, is reading {}",
                self.file.display()
            )));
        }
        written?;
        Ok(before.saturating_sub(size()))
    }

    fn write_anew(&self) -> Result<(), StoreError> {
        // A second copy of everything for a while: where there is room for such, and nowhere that others look after.
        if let Some(dir) = self.file.parent().and_then(Path::to_str) {
            self.db.pragma_update(None, "temp_store_directory", dir)?;
        }
        self.db.pragma_update(None, "temp_store", "FILE")?;
        self.db.execute_batch("VACUUM")?;
        Ok(())
    }
}

/// The ids of all cafés of which there is a stream.
pub(super) fn cafes(db: &Connection) -> Result<BTreeSet<String>, StoreError> {
    Ok(log::names(db)?.iter().filter_map(owner).collect())
}

/// What is stored of a café.
pub(super) fn held(db: &Connection, cafe: &str) -> Result<Held, StoreError> {
    let registers = registers::count(db, cafe)?;
    let mut held = Held { streams: 0, rows: 0, snapshots: 0, bytes: 0, registers, last: Ok(None) };
    for stream in log::names(db)?.iter().filter(|stream| owner(stream).as_deref() == Some(cafe)) {
        let Some(id) = log::number(db, stream)? else { continue };
        held.streams += 1;
        for (table, count) in [("rows", &mut held.rows), ("snapshots", &mut held.snapshots)] {
            let sql = format!("SELECT count(*), coalesce(sum(length(payload)), 0) FROM {table} WHERE stream = ?1");
            let (found, bytes): (i64, i64) = db.query_row(&sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            *count += found.cast_unsigned();
            held.bytes += bytes.cast_unsigned();
        }
        held.last = match (held.last, last_of(db, id)?) {
            (Ok(one), Ok(other)) => Ok(one.max(other)),
            (Err(what), _) => Err(what),
            (_, Err(what)) => Err(format!("{stream}: {what}")),
        };
    }
    Ok(held)
}

/// When the last row of a stream was made. Only a sound one tells: a flipped bit must not make a café old.
fn last_of(db: &Connection, id: i64) -> Result<Found<Option<u64>>, StoreError> {
    let sql = "SELECT seq, at, principal, payload, crc FROM rows WHERE stream = ?1 ORDER BY seq DESC LIMIT 1";
    let read = db.query_row(sql, params![id], |row| {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        Ok(read_row(id, seq, row).map(|row| Some(row.at)))
    });
    Ok(read.optional()?.unwrap_or(Ok(None)))
}

/// The café that a stream belongs to, also of one that was put aside.
fn owner(stream: &StreamId) -> Option<String> {
    let aside = stream.as_str().strip_prefix(ASIDE).and_then(|rest| rest.split_once('/'));
    let served = aside.map(|(_, name)| StreamId::named(name));
    served.as_ref().unwrap_or(stream).cafe().map(str::to_owned)
}
