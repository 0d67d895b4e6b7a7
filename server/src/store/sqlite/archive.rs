//! A database as a file to look after: copied while a server writes to it, and looked through row by row. Everything here blocks, and is
//! for the command line.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::log::{row_holds, snapshot_holds};
use super::registers::{self, Registers};
use super::removal::{self, Held};
use super::{
    DATABASE, Loaded, Row, Snapshot, StoreError, StreamId, checkpoint, create_dir, journal, log, schema, take_lock, wal,
};

/// Streams under names that begin so are no longer served: what was there before something was restored.
pub(super) const ASIDE: &str = "aside/";
/// Pages copied between two looks at the destination: 16 MiB.
const STEP: i32 = 4_096;
/// What a copy is called until it is whole.
const PART: &str = "tablehop.db.part";

/// A database, as it is at one moment: everything is read in one transaction, whoever writes meanwhile.
pub struct Archive {
    db: Connection,
    file: PathBuf,
}

/// One row or snapshot as it was found: whole, or with what is wrong with it.
pub type Found<T> = Result<T, String>;

/// A stream as it was found, row by row.
#[derive(Debug, Default)]
pub struct Inspected {
    /// The rows with their numbers, in the order of the file.
    pub rows: Vec<(u64, Found<Row>)>,
    /// The snapshots with their numbers, the newest first.
    pub snapshots: Vec<(u64, Found<Snapshot>)>,
    /// The number of the last row that was written, if that can be told.
    pub last: Option<u64>,
}

impl Archive {
    /// Opens a data directory, a backup's directory, or a database file, for reading. A server may be using it.
    ///
    /// # Errors
    /// There is no database, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = if path.is_dir() { path.join(DATABASE) } else { path.to_owned() };
        if !file.is_file() {
            return Err(StoreError::Io(format!("there is no {DATABASE} in {}", path.display())));
        }
        match read(&file) {
            Ok(db) => Ok(Self { db, file }),
            // A database that is hardly begun is in its log only, and unreadable with it.
            Err(error) => Err(match wal::fault(&file)? {
                Some(what) => StoreError::Corrupt { stream: DATABASE.to_owned(), what },
                None => error,
            }),
        }
    }

    /// The database file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// All streams that are served, by name.
    ///
    /// # Errors
    /// The list itself is damaged.
    pub fn streams(&self) -> Result<Vec<StreamId>, StoreError> {
        let (served, _) = self.names()?;
        Ok(served)
    }

    /// The streams that were put aside when something was restored.
    ///
    /// # Errors
    /// As [`Archive::streams`].
    pub fn aside(&self) -> Result<Vec<StreamId>, StoreError> {
        let (_, aside) = self.names()?;
        Ok(aside)
    }

    fn names(&self) -> Result<(Vec<StreamId>, Vec<StreamId>), StoreError> {
        let names = log::names(&self.db)?.into_iter();
        Ok(names.partition(|stream| !stream.as_str().starts_with(ASIDE)))
    }

    /// What SQLite itself finds wrong with the file, in its words; empty if nothing.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn file_faults(&self) -> Result<Vec<String>, StoreError> {
        let mut query = self.db.prepare("PRAGMA integrity_check")?;
        let found = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let mut faults: Vec<String> = found.into_iter().filter(|line| line != "ok").collect();
        let lost: u64 =
            self.db.query_row("SELECT count(*) FROM rows WHERE stream NOT IN (SELECT id FROM streams)", [], |row| {
                row.get::<_, i64>(0).map(i64::cast_unsigned)
            })?;
        if lost > 0 {
            faults.push(format!("{lost} rows belong to no stream"));
        }
        faults.extend(journal::faults(&self.db)?);
        faults.extend(wal::fault(&self.file)?);
        Ok(faults)
    }

    /// What a server would load of a stream, from the newest sound snapshot before row `below`.
    ///
    /// # Errors
    /// As [`super::super::Store::load_below`].
    pub fn load(&self, stream: &StreamId, below: u64) -> Result<Loaded, StoreError> {
        log::load(&self.db, stream, below, Vec::new())
    }

    /// A stream, row by row, also past what is damaged.
    ///
    /// # Errors
    /// The file is damaged in such a way that the rows cannot even be listed.
    pub fn inspect(&self, stream: &StreamId) -> Result<Inspected, StoreError> {
        inspect(&self.db, stream)
    }

    /// The ids of all cafés of which there is a stream.
    ///
    /// # Errors
    /// The list itself is damaged.
    pub fn cafes(&self) -> Result<BTreeSet<String>, StoreError> {
        removal::cafes(&self.db)
    }

    /// What is stored of a café.
    ///
    /// # Errors
    /// It cannot be counted.
    pub fn held(&self, cafe: &str) -> Result<Held, StoreError> {
        removal::held(&self.db, cafe)
    }

    /// All tokens, join codes and client ids, looked through by their checksums.
    ///
    /// # Errors
    /// They cannot even be listed.
    pub fn inspect_registers(&self) -> Result<registers::Inspected, StoreError> {
        registers::inspect(&self.db)
    }

    /// The sound tokens, join codes and client ids of a café.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn registers(&self, cafe: &str) -> Result<Registers, StoreError> {
        registers::of_cafe(&self.db, cafe)
    }

    /// Copies all of it into `dir/tablehop.db`. The file appears under its name when it is whole and on disk.
    ///
    /// # Errors
    /// The directory holds a database already, or the copy fails; then nothing is left of it.
    pub fn copy_to(&self, dir: &Path) -> Result<PathBuf, StoreError> {
        refuse_occupied(dir)?;
        create_dir(dir)?;
        let part = dir.join(PART);
        let copied = self.copy(&part);
        if copied.is_err() {
            // Only a part; the reason is what counts.
            let _ = fs::remove_file(&part);
        }
        copied?;
        let file = dir.join(DATABASE);
        fs::rename(&part, &file).and_then(|()| sync_dir(dir)).map_err(|error| unusable(&file, &error))?;
        Ok(file)
    }

    fn copy(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            fs::remove_file(to).map_err(|error| unusable(to, &error))?;
        }
        let mut copy = Connection::open_with_flags(
            to,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        {
            // Page by page, so that a damaged one does not keep the sound ones out of the backup. The transaction holds the moment.
            let backup = Backup::new(&self.db, &mut copy)?;
            while backup.step(STEP)? != StepResult::Done {}
        }
        // One file that needs no other, and can be read where nothing can be written.
        let mode: String = copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
        copy.close().map_err(|(_, error)| StoreError::from(error))?;
        if !mode.eq_ignore_ascii_case("delete") {
            return Err(StoreError::Io(format!("the copy stayed in journal mode {mode}")));
        }
        File::open(to).and_then(|file| file.sync_all()).map_err(|error| unusable(to, &error))
    }
}

fn read(file: &Path) -> Result<Connection, StoreError> {
    let db = schema::connect_reader(file)?;
    schema::check_version(&db)?;
    db.execute_batch("BEGIN")?;
    // A transaction takes its moment with the first read.
    db.query_row("SELECT count(*) FROM streams", [], |_| Ok(()))?;
    journal::overlay(&db)?;
    Ok(db)
}

/// Refuses a directory that holds a store already: restoring must not cost what is there.
///
/// # Errors
/// It does, in words for the operator.
pub fn refuse_occupied(dir: &Path) -> Result<(), StoreError> {
    if dir.exists() && !dir.is_dir() {
        return Err(StoreError::Io(format!("{} is not a directory", dir.display())));
    }
    for name in [DATABASE, "tablehop.db-wal"] {
        if dir.join(name).exists() {
            return Err(StoreError::Io(format!(
                "{} holds a store already; it was left as it is. Choose another directory, or move that one away first",
                dir.display()
            )));
        }
    }
    Ok(())
}

/// Opens the store in `dir` to change it, and keeps servers out for as long as the file is held.
///
/// # Errors
/// There is no store, or a server is using it.
pub(super) fn open_to_change(dir: &Path) -> Result<(File, Connection), StoreError> {
    let file = dir.join(DATABASE);
    if !file.is_file() {
        return Err(StoreError::Io(format!("there is no {DATABASE} in {}", dir.display())));
    }
    let lock = take_lock(dir)?;
    wal::settle(dir)?;
    let mut db = schema::connect_writer(&file)?;
    checkpoint::settle(&db)?;
    schema::migrate(&mut db)?;
    journal::settle(&mut db)?;
    Ok((lock, db))
}

/// Keeps servers out of a directory for as long as the file is held.
///
/// # Errors
/// A server is using it.
pub fn lock(dir: &Path) -> Result<File, StoreError> {
    create_dir(dir)?;
    take_lock(dir)
}

pub(super) fn inspect(db: &Connection, stream: &StreamId) -> Result<Inspected, StoreError> {
    let Some(id) = log::number(db, stream)? else { return Ok(Inspected::default()) };
    let last = log::find(db, stream).ok().flatten().map(|known| known.last);
    let mut inspected = Inspected { last, ..Inspected::default() };
    let mut query = db.prepare("SELECT seq, at, principal, payload, crc FROM rows WHERE stream = ?1 ORDER BY seq")?;
    let mut found = query.query([id])?;
    while let Some(row) = found.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        inspected.rows.push((seq, read_row(id, seq, row)));
    }
    let mut query = db.prepare("SELECT seq, payload, crc FROM snapshots WHERE stream = ?1 ORDER BY seq DESC")?;
    let mut found = query.query([id])?;
    while let Some(row) = found.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        inspected.snapshots.push((seq, read_snapshot(id, seq, row)));
    }
    Ok(inspected)
}

pub(super) fn read_row(id: i64, seq: u64, row: &rusqlite::Row<'_>) -> Found<Row> {
    let read = || -> Result<(Row, i64), rusqlite::Error> {
        let payload = Bytes::from(row.get::<_, Vec<u8>>(3)?);
        let stored = Row { seq, at: row.get::<_, i64>(1)?.cast_unsigned(), principal: row.get(2)?, payload };
        Ok((stored, row.get(4)?))
    };
    match read() {
        Ok((stored, crc)) if row_holds(crc, id, &stored) => Ok(stored),
        Ok(_) => Err(format!("the checksum of row {seq} does not hold")),
        Err(error) => Err(format!("row {seq} cannot be read: {error}")),
    }
}

fn read_snapshot(id: i64, seq: u64, row: &rusqlite::Row<'_>) -> Found<Snapshot> {
    let read = || -> Result<(Vec<u8>, i64), rusqlite::Error> { Ok((row.get(1)?, row.get(2)?)) };
    match read() {
        Ok((payload, crc)) if snapshot_holds(crc, id, seq, &payload) => {
            Ok(Snapshot { seq, payload: Bytes::from(payload) })
        }
        Ok(_) => Err(format!("the checksum of the snapshot of row {seq} does not hold")),
        Err(error) => Err(format!("the snapshot of row {seq} cannot be read: {error}")),
    }
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    // Elsewhere directories cannot be opened, and renames need no such care.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Io(format!("cannot use {}: {error}", path.display())),
    }
}
