//! The store on one SQLite file: a writer thread with group commit, and a few connections for reading.
//!
//! # Layout
//!
//! - this file: opening, closing, and the [`Store`] trait in terms of the others
//! - `schema`: tables, their version, and how a connection is set up
//! - `writer`: the thread that owns the only writing connection
//! - `pace`: how quickly its commits follow one another
//! - `checkpoint`: the thread beside it that folds the write-ahead log into the database
//! - `space`: whether there is room on the disk again
//! - `wal`: whether the write-ahead log that a process has left is whole
//! - `reader`: the pool of reading connections
//! - `journal`: rows in the order in which they came, until they are filed under their streams
//! - `log`: rows and snapshots, over a connection
//! - [`archive`]: a database as a file to copy and look through, for the command line
//! - [`mend`]: a board or a café made whole again from a backup, for the command line
//! - [`removal`]: cafés taken away for good, for the command line
//! - [`registers`]: tokens, join codes and client ids, over a connection

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::watch;

use super::{Fut, Health, Loaded, NewRow, Page, Row, Snapshot, Store, StoreError, StreamId, TokenRecord};

pub mod archive;
mod checkpoint;
mod journal;
mod log;
pub mod mend;
mod pace;
mod reader;
pub mod registers;
pub mod removal;
mod schema;
mod space;
#[cfg(test)]
mod tests;
mod wal;
mod writer;

use checkpoint::Checkpointer;
use journal::{Journal, Taking};
use reader::Readers;
use writer::{Kind, Writer};

/// Name of the database file within the data directory.
pub(super) const DATABASE: &str = "tablehop.db";
const LOCK: &str = "tablehop.lock";

/// `TABLEHOP_JOURNAL` has rows go by way of the journal even while few write, and it keep so many bytes of them, so that tests see it done.
static JOURNAL: LazyLock<Option<u32>> = LazyLock::new(|| crate::config::for_tests("TABLEHOP_JOURNAL"));

/// How often it is seen whether rows in the journal are left to be filed.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// How often a disk that was full or failing is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// The store on `DIR/tablehop.db`. Share it as `Arc<dyn Store>`. Dropped without [`SqliteStore::close`] it still finishes what
/// it was given, in the background.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    writer: Writer,
    readers: Readers,
    journal: Arc<Journal>,
    health: watch::Sender<Health>,
}

impl SqliteStore {
    /// Opens or creates the store in `dir`, and the directory too. Blocks; call it before serving. Fails with
    /// [`StoreError::Io`] and words for the operator if the directory cannot be used, if another process has it open, or if a
    /// newer version of Tablehop wrote it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        match *JOURNAL {
            Some(kept) => Self::open_with(dir, Taking::All, kept as usize),
            None => Self::open_with(dir, Taking::Rest, journal::KEPT),
        }
    }

    /// As it is while thousands write: rows go by way of the journal, and are filed soon.
    #[cfg(test)]
    pub(crate) fn open_in_a_rush(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Taking::All, 16 * 1024)
    }

    /// With what goes by way of the journal while few write, and how many bytes of it are kept there.
    fn open_with(dir: &Path, at_rest: Taking, kept: usize) -> Result<Self, StoreError> {
        create_dir(dir)?;
        let lock = take_lock(dir)?;
        let file = dir.join(DATABASE);
        wal::settle(dir)?;
        let mut connection = schema::connect_writer(&file)?;
        writer::describe_metrics();
        let health = watch::Sender::new(Health::Good);
        match checkpoint::settle(&connection) {
            Ok(()) => {}
            // All is read from the log as it is, once that is on disk, and nothing is written until there is room.
            Err(StoreError::Full) => {
                sync_log(dir)?;
                writer::note(&health, Health::Full);
            }
            Err(error) => return Err(error),
        }
        schema::migrate(&mut connection)?;
        let journal = Arc::new(Journal::open(&mut connection, kept)?);
        let checkpointer = Checkpointer::start(schema::connect_checkpointer(&file)?, health.clone())?;
        let writer = Writer::start(connection, lock, checkpointer, journal.clone(), at_rest, health.clone())?;
        let readers = Readers::new(file);
        Ok(Self { inner: Arc::new(Inner { dir: dir.to_owned(), writer, readers, journal, health }) })
    }

    /// While the disk is full or failing, finds out every second whether it takes writes again; then [`Store::health`] is good. And once a
    /// rush is over, has what is left in the journal filed. Run it beside the store; it ends when a sync has failed, after which nothing can
    /// get better.
    pub async fn keep_watch(&self) {
        tokio::select! {
            () = self.watch_health() => {}
            () = self.tidy() => {}
        }
    }

    /// A commit files a few streams, and who writes has commits made; after a rush nobody may.
    async fn tidy(&self) {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            let mut before = usize::MAX;
            while !is_busy() && (1..before).contains(&self.inner.journal.waiting()) {
                before = self.inner.journal.waiting();
                // What it cannot do is done after the next start.
                let _ = self.inner.writer.run(0, Kind::Clean, |_| Ok(())).await;
            }
        }
    }

    async fn watch_health(&self) {
        let mut health = self.inner.health.subscribe();
        loop {
            // The sender is `self`, so the wait cannot end for want of one.
            let _ = health.wait_for(|health| *health != Health::Good).await;
            while matches!(*health.borrow(), Health::Full | Health::Failing) {
                tokio::time::sleep(TRY_EVERY).await;
                let dir = self.inner.dir.clone();
                let room = tokio::task::spawn_blocking(move || space::is_there(&dir)).await.unwrap_or(false);
                if room && self.probe().await.is_ok() {
                    writer::note(&self.inner.health, Health::Good);
                }
            }
            if *health.borrow() == Health::Broken {
                return;
            }
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let written = self.inner.writer.run(0, Kind::Partial, registers::write_probe).await?;
        let read = self.inner.readers.run(registers::read_probe).await?;
        // Another check may have written since, so "at least".
        if read >= written { Ok(()) } else { Err(StoreError::Io(format!("wrote probe {written}, but read {read}"))) }
    }

    /// Commits everything that was handed over before, ends the writer thread and gives the directory free. Everything asked
    /// afterwards is [`StoreError::Closed`]. Closing twice is fine.
    pub async fn close(&self) {
        // Readers first, so that the writer's is the last connection and folds the write-ahead log into the database.
        self.inner.readers.close().await;
        self.inner.writer.stop().await;
    }

    fn write<T, F>(&self, weight: usize, work: F) -> Fut<Result<T, StoreError>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = self.inner.clone();
        Box::pin(async move { inner.writer.run(weight, Kind::Partial, work).await })
    }

    fn read<T, F>(&self, work: F) -> Fut<Result<T, StoreError>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = self.inner.clone();
        Box::pin(async move { inner.readers.run(work).await })
    }
}

/// Whether a store of this process takes thousands of requests a second, so that answers come a few milliseconds apart anyway.
pub fn is_busy() -> bool {
    pace::is_busy()
}

/// Whether that leaves the processors no time, so that larger batches make everybody wait less (docs/decisions/0020).
pub fn gathering() -> Option<Duration> {
    pace::gathering()
}

impl Store for SqliteStore {
    fn append(&self, stream: StreamId, expected: Option<u64>, rows: Vec<NewRow>) -> Fut<Result<u64, StoreError>> {
        let weight = rows.iter().map(|row| row.payload.len() + row.principal.len()).sum();
        let inner = self.inner.clone();
        Box::pin(async move {
            let journal = inner.journal.clone();
            inner.writer.run(weight, Kind::Clean, move |db| log::append(db, &journal, &stream, expected, &rows)).await
        })
    }

    fn load(&self, stream: StreamId) -> Fut<Result<Loaded, StoreError>> {
        self.load_below(stream, u64::MAX)
    }

    fn load_below(&self, stream: StreamId, below: u64) -> Fut<Result<Loaded, StoreError>> {
        let journal = self.inner.journal.clone();
        self.read(move |db| log::load(db, &stream, below, journal.unfiled(&stream)?))
    }

    fn history(&self, stream: StreamId, after: u64, page: Page) -> Fut<Result<Vec<Row>, StoreError>> {
        let journal = self.inner.journal.clone();
        self.read(move |db| log::history(db, &stream, after, page, journal.unfiled(&stream)?))
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) -> Fut<Result<(), StoreError>> {
        let journal = self.inner.journal.clone();
        self.write(snapshot.payload.len(), move |db| log::save_snapshot(db, &journal, &stream, &snapshot))
    }

    fn put_token(&self, hash: [u8; 32], token: TokenRecord) -> Fut<Result<(), StoreError>> {
        self.write(0, move |db| registers::put_token(db, &hash, &token))
    }

    fn token(&self, hash: [u8; 32]) -> Fut<Result<Option<TokenRecord>, StoreError>> {
        self.read(move |db| registers::token(db, &hash))
    }

    fn revoke_token(&self, hash: [u8; 32], at: u64) -> Fut<Result<(), StoreError>> {
        self.write(0, move |db| registers::revoke_token(db, &hash, at))
    }

    fn revoke_participant(&self, workshop: String, participant: String, at: u64) -> Fut<Result<(), StoreError>> {
        self.write(0, move |db| registers::revoke_participant(db, &workshop, &participant, at))
    }

    fn links(&self, workshop: String) -> Fut<Result<Vec<TokenRecord>, StoreError>> {
        self.read(move |db| registers::links(db, &workshop))
    }

    fn reserve_join_code(&self, code: String, workshop: String) -> Fut<Result<bool, StoreError>> {
        self.write(0, move |db| registers::reserve_join_code(db, &code, &workshop))
    }

    fn workshop_by_join_code(&self, code: String) -> Fut<Result<Option<String>, StoreError>> {
        self.read(move |db| registers::workshop_by_join_code(db, &code))
    }

    fn bind_clients(&self, workshop: String, principal: String, clients: Vec<u64>) -> Fut<Result<(), StoreError>> {
        self.write(0, move |db| registers::bind_clients(db, &workshop, &principal, &clients))
    }

    fn clients_of(&self, workshop: String, principal: String) -> Fut<Result<Vec<u64>, StoreError>> {
        self.read(move |db| registers::clients_of(db, &workshop, &principal))
    }

    fn client_owner(&self, workshop: String, client: u64) -> Fut<Result<Option<String>, StoreError>> {
        self.read(move |db| registers::client_owner(db, &workshop, client))
    }

    fn check(&self) -> Fut<Result<(), StoreError>> {
        let store = Self { inner: self.inner.clone() };
        Box::pin(async move {
            store.probe().await?;
            store.inner.health.borrow().refuses().map_or(Ok(()), Err)
        })
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.subscribe()
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(failure, _) = &error {
            match failure.extended_code {
                ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => return Self::SyncFailed(error.to_string()),
                // The index of the write-ahead log could not be made larger.
                ffi::SQLITE_IOERR_SHMSIZE => return Self::Full,
                _ => {}
            }
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => return Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {}
            Some(_) => return Self::Io(format!("SQLite: {error}")),
            None => match error {
                // A flipped bit in a record's header turns one type into another.
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => {}
                _ => return Self::Io(format!("SQLite: {error}")),
            },
        }
        Self::Corrupt { stream: DATABASE.to_owned(), what: error.to_string() }
    }
}

fn create_dir(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir)
        .map_err(|error| StoreError::Io(format!("cannot create the data directory {}: {error}", dir.display())))?;
    // SQLite syncs the directory's contents, but nobody else the directory's own entry in its parent.
    #[cfg(unix)]
    if let Some(parent) = fs::canonicalize(dir).ok().as_deref().and_then(Path::parent)
        && let Ok(parent) = File::open(parent)
        && let Err(error) = parent.sync_all()
    {
        tracing::warn!(%error, "could not sync the parent of the data directory");
    }
    Ok(())
}

/// What a process left in the write-ahead log that was killed before it had synced it.
fn sync_log(dir: &Path) -> Result<(), StoreError> {
    match File::open(dir.join(format!("{DATABASE}-wal"))).and_then(|log| log.sync_all()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::SyncFailed(error.to_string())),
        _ => Ok(()),
    }
}

/// SQLite itself would let a second process in; its writer would then break what rooms and workshops take for granted.
fn take_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let unusable = |error: std::io::Error| StoreError::Io(format!("cannot use {}: {error}", path.display()));
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Only for the message, so an unreadable owner is no reason for another one.
            let _ = file.read_to_string(&mut owner);
            let owner = owner.trim().parse::<u32>().map(|id| format!(" (process {id})")).unwrap_or_default();
            return Err(StoreError::Io(format!(
                "the data directory {} is in use by another Tablehop{owner}; stop that one or choose another directory",
                dir.display()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    // Only for that message: on a full disk it is the lock that counts.
    if let Err(error) = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())) {
        tracing::warn!(%error, "the number of this process could not be written to {LOCK}");
    }
    Ok(file)
}
