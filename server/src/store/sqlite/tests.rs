//! What is particular to SQLite: group commit, failing commits, the lock, and what is on disk.

use std::sync::mpsc;

use bytes::Bytes;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::super::{Health, Loaded, NewRow, Snapshot, Store, StoreError, StreamId, TokenRecord};
use super::archive::Archive;
use super::{DATABASE, SqliteStore, mend, schema};

fn open() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    (dir, store)
}

fn board(name: &str) -> StreamId {
    StreamId::board(name)
}

fn row(size: usize) -> Vec<NewRow> {
    vec![NewRow { principal: "p".to_owned(), at: 1, payload: Bytes::from(vec![b'x'; size]) }]
}

async fn last_seq(store: &SqliteStore, name: &str) -> u64 {
    store.load(board(name)).await.unwrap().last_seq
}

/// Occupies the writer until it is let go, so that what is asked meanwhile shares the next commit.
pub(super) struct Occupied {
    go: mpsc::Sender<()>,
    task: JoinHandle<Result<(), StoreError>>,
}

impl Occupied {
    pub(super) async fn take(store: &SqliteStore) -> Self {
        let (go, wait) = mpsc::channel::<()>();
        let (arrived, has_arrived) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(store.write(0, move |_| {
            let _ = arrived.send(());
            let _ = wait.recv();
            Ok(())
        }));
        has_arrived.await.unwrap();
        Self { go, task }
    }

    /// Waits until `count` requests are queued, and lets the writer go on.
    pub(super) async fn release(self, store: &SqliteStore, count: usize) {
        while store.inner.writer.waiting() < count {
            tokio::task::yield_now().await;
        }
        self.go.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn syncs_every_commit() {
    let (_dir, store) = open();
    let read = |pragma: &'static str| {
        store.write(0, move |db| Ok(db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))?))
    };
    assert_eq!(read("synchronous").await, Ok(2), "FULL");
    assert_eq!(read("temp_store").await, Ok(2), "MEMORY");
    let file = store.write(0, |db| Ok(db.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?));
    assert_eq!(file.await.as_deref(), Ok("wal"));
}

#[tokio::test]
async fn one_conflict_does_not_fail_the_others_of_its_commit() {
    let (_dir, store) = open();
    let occupied = Occupied::take(&store).await;
    let good = tokio::spawn(store.append(board("a"), None, row(1)));
    let bad = tokio::spawn(store.append(board("b"), Some(7), row(1)));
    // Fails after it has written, so its savepoint has something to undo.
    let late = tokio::spawn(store.write(0, |db| {
        db.execute("INSERT INTO join_codes (code, workshop) VALUES ('HALF', 'w')", [])?;
        Err::<(), _>(StoreError::ClientTaken { client: 1 })
    }));
    let after = tokio::spawn(store.append(board("a"), None, row(1)));
    occupied.release(&store, 4).await;

    assert!(good.await.unwrap().is_ok());
    assert_eq!(bad.await.unwrap(), Err(StoreError::Conflict { expected: 7, actual: 0 }));
    assert_eq!(late.await.unwrap(), Err(StoreError::ClientTaken { client: 1 }));
    assert!(after.await.unwrap().is_ok());
    assert_eq!(last_seq(&store, "a").await, 2);
    assert_eq!(store.workshop_by_join_code("HALF".to_owned()).await, Ok(None));
}

#[tokio::test]
async fn a_failed_commit_acknowledges_nothing() {
    let (dir, store) = open();
    // A deferred foreign key is only looked at by COMMIT, which is what has to fail here.
    let prepare = store.write(0, |db| {
        db.execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE orphans (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);",
        )?;
        Ok(())
    });
    prepare.await.unwrap();
    store.append(board("a"), None, row(1)).await.unwrap();

    let occupied = Occupied::take(&store).await;
    let first = tokio::spawn(store.append(board("a"), None, row(1)));
    let poison = tokio::spawn(store.write(0, |db| Ok(db.execute("INSERT INTO orphans VALUES (1)", [])?)));
    let conflict = tokio::spawn(store.append(board("a"), Some(1), row(1)));
    let new = tokio::spawn(store.append(board("new"), None, row(1)));
    occupied.release(&store, 4).await;

    for failed in [first.await.unwrap(), conflict.await.unwrap(), new.await.unwrap()] {
        assert!(matches!(failed, Err(StoreError::Io(_))), "{failed:?}");
    }
    assert!(poison.await.unwrap().is_err());
    assert_eq!(last_seq(&store, "a").await, 1);
    assert_eq!(last_seq(&store, "new").await, 0);

    // And the writer goes on.
    assert_eq!(store.append(board("a"), Some(1), row(1)).await, Ok(2));
    assert_eq!(store.append(board("new"), Some(0), row(1)).await, Ok(1));
    store.close().await;
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(last_seq(&store, "a").await, 2);
}

/// A database that fails one append fails its batch, once; after that the append stands alone.
#[tokio::test]
async fn one_damaged_stream_does_not_keep_failing_the_others() {
    let (_dir, store) = open();
    store.append(board("bad"), None, row(1)).await.unwrap();
    store.append(board("good"), None, row(1)).await.unwrap();
    // As damage may look to an insert: the row that comes next is there already.
    let damage = store.write(0, |db| {
        let known = "(SELECT id FROM streams WHERE name = 'board/bad')";
        Ok(db.execute(&format!("INSERT INTO rows SELECT {known}, 2, 1, 'p', x'00', 0"), [])?)
    });
    damage.await.unwrap();
    for attempt in 0..3 {
        let occupied = Occupied::take(&store).await;
        let good = tokio::spawn(store.append(board("good"), None, row(1)));
        let bad = tokio::spawn(store.append(board("bad"), Some(1), row(1)));
        occupied.release(&store, 2).await;
        assert!(bad.await.unwrap().is_err());
        assert_eq!(good.await.unwrap().is_ok(), attempt > 0, "attempt {attempt}");
    }
    assert_eq!(last_seq(&store, "good").await, 3);
}

#[tokio::test]
async fn d12_a_full_disk_is_told_and_survived() {
    let (_dir, store) = open();
    store.append(board("a"), None, row(1)).await.unwrap();
    let limit = |pages: &'static str| {
        store.write(0, move |db| {
            Ok(db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?)
        })
    };
    // Never below what is used already, so this allows no further page.
    limit("1").await.unwrap();

    let occupied = Occupied::take(&store).await;
    let small = tokio::spawn(store.append(board("a"), None, row(1)));
    let large = tokio::spawn(store.append(board("a"), None, row(100_000)));
    occupied.release(&store, 2).await;
    assert_eq!(large.await.unwrap(), Err(StoreError::Full));
    // Acknowledged or not, it must be the truth.
    let kept = small.await.unwrap().is_ok();
    assert_eq!(last_seq(&store, "a").await, if kept { 2 } else { 1 });

    let mut health = store.health();
    assert_eq!(*health.borrow(), Health::Full);
    assert_eq!(store.check().await, Err(StoreError::Full), "not ready, also if a probe still fits");

    limit("1000000").await.unwrap();
    assert!(store.append(board("a"), None, row(100_000)).await.is_ok());
    tokio::select! {
        () = store.keep_watch() => panic!("the watch ends only with the store"),
        good = health.wait_for(|health| *health == Health::Good) => drop(good.unwrap()),
    }
    assert_eq!(store.check().await, Ok(()));
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_files() {
    let (dir, store) = open();
    for _ in 0..20 {
        store.append(board("a"), None, row(1000)).await.unwrap();
    }
    // As a crash would leave it: nothing closed, nothing folded back.
    let crashed = tempfile::tempdir().unwrap();
    for name in [DATABASE, "tablehop.db-wal"] {
        std::fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
    }
    let recovered = SqliteStore::open(crashed.path()).unwrap();
    assert_eq!(recovered.load(board("a")).await, store.load(board("a")).await);
    assert_eq!(last_seq(&recovered, "a").await, 20);
}

#[tokio::test]
async fn closing_commits_what_is_waiting() {
    let (dir, store) = open();
    let occupied = Occupied::take(&store).await;
    let waiting: Vec<_> = (0..50).map(|_| tokio::spawn(store.append(board("a"), None, row(1)))).collect();
    // The rows and the order to stop; the second order waits for the first.
    tokio::join!(store.close(), store.close(), occupied.release(&store, 51));
    for append in waiting {
        assert!(append.await.unwrap().is_ok());
    }
    assert!(!dir.path().join("tablehop.db-wal").exists(), "the log is folded into the database");
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(last_seq(&store, "a").await, 50);
}

#[tokio::test]
async fn dropping_it_loses_nothing_and_frees_the_directory() {
    let (dir, store) = open();
    let occupied = Occupied::take(&store).await;
    let waiting = tokio::spawn(store.append(board("a"), None, row(1)));
    occupied.release(&store, 1).await;
    drop(store);
    assert_eq!(waiting.await.unwrap(), Ok(1));
    let store = loop {
        match SqliteStore::open(dir.path()) {
            Ok(store) => break store,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(last_seq(&store, "a").await, 1);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let (dir, store) = open();
    let Err(StoreError::Io(message)) = SqliteStore::open(dir.path()).map(|_| ()) else {
        panic!("opened twice");
    };
    assert!(message.contains("in use by another Tablehop"), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    store.close().await;
    assert!(SqliteStore::open(dir.path()).is_ok());
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (dir, store) = open();
    store.close().await;
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    let Err(StoreError::Io(message)) = SqliteStore::open(dir.path()).map(|_| ()) else {
        panic!("opened a database from the future");
    };
    assert!(message.contains("version 999"), "{message}");
}

/// As a server of version 1 left it, and its backups: without checksums beside the log.
#[tokio::test]
async fn an_older_database_is_read_and_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(DATABASE);
    let mut db = schema::connect_writer(&file).unwrap();
    schema::migrate_to(&mut db, 1).unwrap();
    let token = TokenRecord {
        workshop: "w".to_owned(),
        role: "participant".to_owned(),
        participant: Some("p".to_owned()),
        created_at: 7,
        revoked_at: None,
    };
    db.execute("INSERT INTO tokens VALUES (?1, 'w', 'participant', 'p', 7, NULL)", [[1_u8; 32]]).unwrap();
    db.execute("INSERT INTO join_codes VALUES ('ABCD2345', 'w')", []).unwrap();
    db.execute("INSERT INTO clients VALUES ('w', -1, 'p')", []).unwrap();
    db.close().unwrap();

    let archive = Archive::open(dir.path()).unwrap();
    let beside = archive.registers("w").unwrap();
    assert_eq!(archive.inspect_registers().unwrap().count, 0, "nothing can be said of them");
    drop(archive);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.token([1; 32]).await, Ok(Some(token)));
    assert_eq!(store.workshop_by_join_code("ABCD2345".to_owned()).await.unwrap().as_deref(), Some("w"));
    assert_eq!(store.client_owner("w".to_owned(), u64::MAX).await.unwrap().as_deref(), Some("p"));
    store.close().await;
    let archive = Archive::open(dir.path()).unwrap();
    assert_eq!(archive.registers("w").unwrap(), beside);
    let inspected = archive.inspect_registers().unwrap();
    assert_eq!((inspected.count, inspected.faults.len()), (3, 0));
}

/// As a server of version 3 left it, and its backups: checksums without the number of the stream, and nowhere a word on where streams end.
#[tokio::test]
async fn d5_an_older_log_is_read_and_its_ends_are_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(DATABASE);
    let crc = |seq: u64, payload: &[u8]| {
        let mut crc = crc32fast::Hasher::new();
        for bytes in [&seq.to_le_bytes()[..], &1_u64.to_le_bytes(), b"p", &7_u64.to_le_bytes(), payload] {
            crc.update(bytes);
        }
        crc.finalize()
    };
    let mut db = schema::connect_writer(&file).unwrap();
    schema::migrate_to(&mut db, 3).unwrap();
    for (id, name) in [(1, "board/a"), (2, "board/b"), (3, "aside/9/board/a")] {
        db.execute("INSERT INTO streams VALUES (?1, ?2)", (id, name)).unwrap();
        for seq in 1..=3_u64 {
            let values = (id, seq.cast_signed(), b"words", crc(seq, b"words"));
            db.execute("INSERT INTO rows VALUES (?1, ?2, 7, 'p', ?3, ?4)", values).unwrap();
        }
    }
    db.close().unwrap();

    let archive = Archive::open(dir.path()).unwrap();
    let before = archive.load(&board("a"), u64::MAX).unwrap();
    assert_eq!((before.last_seq, before.rows.len()), (3, 3));
    assert_eq!(archive.load(&board("new"), u64::MAX), Ok(Loaded::default()));
    drop(archive);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.load(board("a")).await, Ok(before));
    assert_eq!(store.append(board("a"), Some(3), row(5)).await, Ok(4));
    assert_eq!(store.load(board("a")).await.map(|loaded| loaded.rows.len()), Ok(4), "rows of both kinds");
    assert_eq!(store.append(board("new"), Some(0), row(5)).await, Ok(1));
    store.close().await;

    // From now on the end is known, of what was written before too.
    let db = Connection::open(&file).unwrap();
    db.execute("DELETE FROM rows WHERE stream = 2 AND seq = 3", []).unwrap();
    db.close().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    assert!(matches!(store.load(board("b")).await, Err(StoreError::Corrupt { .. })));
}

/// Either tree of names, and the number in it, damaged alone: neither a stream that is hidden nor one that takes another's place.
#[tokio::test]
async fn d5_a_stream_that_is_hidden_is_damage_and_can_be_put_aside() {
    for (change, loads) in [
        ("DELETE FROM names WHERE name = 'board/a'", false),
        ("DELETE FROM tails WHERE stream = 1", false),
        ("DELETE FROM streams WHERE name = 'board/a'", false),
        ("UPDATE tails SET seq = 1 WHERE stream = 1", false),
        ("UPDATE names SET stream = 2 WHERE name = 'board/a'", false),
        ("UPDATE streams SET id = 9 WHERE name = 'board/a'", false),
        ("UPDATE snapshots SET stream = 1 WHERE stream = 2", true),
        ("UPDATE rows SET stream = 1, seq = 4 WHERE stream = 2 AND seq = 3", false),
    ] {
        let (dir, store) = open();
        for name in ["a", "b"] {
            for _ in 0..3 {
                store.append(board(name), None, row(9)).await.unwrap();
            }
        }
        let snapshot = Snapshot { seq: 2, payload: Bytes::from_static(b"of b") };
        store.save_snapshot(board("b"), snapshot).await.unwrap();
        store.close().await;
        let copy = tempfile::tempdir().unwrap();
        let backup = copy.path().join("backup");
        Archive::open(dir.path()).and_then(|archive| archive.copy_to(&backup)).unwrap();
        let backup = Archive::open(&backup).unwrap();
        let before = backup.load(&board("a"), u64::MAX).unwrap();

        let db = Connection::open(dir.path().join(DATABASE)).unwrap();
        assert_eq!(db.execute(change, []), Ok(1), "{change}");
        db.close().unwrap();
        let store = SqliteStore::open(dir.path()).unwrap();
        match store.load(board("a")).await {
            Ok(loaded) => assert!(loads && loaded == before, "{change}"),
            Err(error) => assert!(!loads && matches!(error, StoreError::Corrupt { .. }), "{change}: {error}"),
        }
        store.close().await;
        let mended = mend::mend(dir.path(), &backup, &board("a"), 1, &|_, _| Ok(())).unwrap();
        assert!(mended.aside.is_some() && mended.rows == 3, "{change}: {mended:?}");
        let store = SqliteStore::open(dir.path()).unwrap();
        assert_eq!(store.load(board("a")).await, Ok(before), "{change}");
        store.close().await;
        let aside = Archive::open(dir.path()).and_then(|archive| archive.inspect(&mended.aside.unwrap())).unwrap();
        assert!(aside.rows.len() >= 3, "{change}");
    }
}

#[test]
fn an_unusable_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let Err(StoreError::Io(message)) = SqliteStore::open(&file.join("data")).map(|_| ()) else {
        panic!("opened below a file");
    };
    assert!(message.contains("a file"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(DATABASE), "not a database, but long enough to be taken for one".repeat(100))
        .unwrap();
    assert!(matches!(SqliteStore::open(dir.path()).map(|_| ()), Err(StoreError::Corrupt { .. })));
}
