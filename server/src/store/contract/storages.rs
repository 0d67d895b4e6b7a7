//! The storages that the contract is run against.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::super::faulty::FaultyStore;
use super::super::sqlite::DATABASE;
use super::super::{SqliteStore, Store, StoreError, StreamId};
use super::Storage;

/// SQLite in a directory of its own, opened as it is or behind a wrapper.
pub(super) struct Sqlite {
    dir: TempDir,
    opened: Mutex<Option<Arc<SqliteStore>>>,
    open: fn(&Path) -> Result<SqliteStore, StoreError>,
    wrap: fn(Arc<SqliteStore>) -> Arc<dyn Store>,
}

impl Sqlite {
    pub(super) fn plain() -> Self {
        Self::wrapped(|store| store)
    }

    /// As it is while thousands write: rows go by way of the journal.
    pub(super) fn in_a_rush() -> Self {
        Self { open: SqliteStore::open_in_a_rush, ..Self::plain() }
    }

    pub(super) fn behind_no_fault() -> Self {
        Self::wrapped(|store| Arc::new(FaultyStore::new(store).0))
    }

    fn wrapped(wrap: fn(Arc<SqliteStore>) -> Arc<dyn Store>) -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), opened: Mutex::new(None), open: SqliteStore::open, wrap }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join(DATABASE)
    }

    fn change(&self, sql: &str, stream: &StreamId, seq: u64) {
        let db = Connection::open(self.file()).expect("opens");
        let changed = db.execute(sql, params![stream.as_str(), seq.cast_signed()]).expect("runs");
        assert_eq!(changed, 1, "nothing to damage");
    }

    fn damage(&self, table: &str, stream: &StreamId, seq: u64) {
        let db = Connection::open(self.file()).expect("opens");
        let at = "stream = (SELECT id FROM streams WHERE name = ?1) AND seq = ?2";
        let key = params![stream.as_str(), seq.cast_signed()];
        let mut payload: Vec<u8> = db
            .query_row(&format!("SELECT payload FROM {table} WHERE {at}"), key, |row| row.get(0))
            .expect("something to damage");
        payload[0] ^= 1;
        db.execute(
            &format!("UPDATE {table} SET payload = ?3 WHERE {at}"),
            params![stream.as_str(), seq.cast_signed(), payload],
        )
        .expect("damages");
    }
}

impl Storage for Sqlite {
    fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        let store = Arc::new((self.open)(self.dir.path())?);
        *self.opened.lock().unwrap() = Some(store.clone());
        Ok((self.wrap)(store))
    }

    async fn close(&self) {
        let opened = self.opened.lock().unwrap().take();
        if let Some(store) = opened {
            store.close().await;
        }
    }

    fn damage_row(&self, stream: &StreamId, seq: u64) {
        self.damage("rows", stream, seq);
    }

    fn damage_snapshot(&self, stream: &StreamId, seq: u64) {
        self.damage("snapshots", stream, seq);
    }

    fn remove_row(&self, stream: &StreamId, seq: u64) {
        let sql = "DELETE FROM rows WHERE stream = (SELECT id FROM streams WHERE name = ?1) AND seq = ?2";
        self.change(sql, stream, seq);
    }
}
