//! Rows that come in a rush: never lost, never twice, never out of order, whoever reads them and whatever happens meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use tempfile::TempDir;

use super::super::super::{Loaded, NewRow, Page, Row, Snapshot, Store, StoreError, StreamId};
use super::super::archive::Archive;
use super::super::tests::Occupied;
use super::super::{DATABASE, SqliteStore, schema};
use super::{COPIES, Journal, KEPT, LARGE, Taking};
use crate::care::check::check;

fn open() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_in_a_rush(dir.path()).unwrap();
    (dir, store)
}

fn board(name: impl std::fmt::Display) -> StreamId {
    StreamId::board(&format!("w.{name}"))
}

fn row(at: u64, size: usize) -> NewRow {
    NewRow { principal: format!("p{}", at % 7), at, payload: Bytes::from(vec![at as u8; size]) }
}

/// A number about the store's files, by its writer, so that it is of now.
async fn count(store: &SqliteStore, sql: &'static str) -> i64 {
    store.write(0, move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
}

/// What a crash leaves: nothing closed, nothing folded back, nothing filed.
fn crashed(dir: &Path) -> TempDir {
    let crashed = tempfile::tempdir().unwrap();
    for name in [DATABASE, "tablehop.db-wal"] {
        std::fs::copy(dir.join(name), crashed.path().join(name)).unwrap();
    }
    crashed
}

/// Everything that a store may be asked for, at random, beside a model that is a map of lists; crashes among it.
#[tokio::test]
async fn d3_d8_d21_what_comes_in_a_rush_is_as_if_it_were_filed_at_once() {
    let seeds = match std::env::var("TABLEHOP_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..12_u64,
    };
    let mut seen = BTreeMap::<&str, usize>::new();
    for seed in seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut dir, mut store) = open();
        let mut model: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        for step in 0..250_u64 {
            let which = random.random_range(0..6);
            let stream = board(which);
            let rows = model.entry(which).or_default();
            let last = rows.len() as u64;
            let at = format!("seed {seed}, step {step}, {stream} of {last} rows");
            match random.random_range(0..20) {
                0..=11 => {
                    let size = if random.random_ratio(1, 12) { LARGE + 1 } else { random.random_range(0..120) };
                    let new: Vec<NewRow> = (0..random.random_range(1..4)).map(|_| row(step, size)).collect();
                    let expected = random.random_bool(0.5).then_some(last);
                    let stored = store.append(stream, expected, new.clone()).await;
                    rows.extend((last + 1..).zip(new).map(|(seq, new)| Row {
                        seq,
                        principal: new.principal,
                        at: new.at,
                        payload: new.payload,
                    }));
                    assert_eq!(stored, Ok(rows.len() as u64), "{at}");
                }
                12 => {
                    let refused = store.append(stream, Some(last + 1), vec![row(step, 9)]).await;
                    assert_eq!(refused, Err(StoreError::Conflict { expected: last + 1, actual: last }), "{at}");
                }
                13 if last > 0 => {
                    let seq = random.random_range(1..=last);
                    let snapshot = Snapshot { seq, payload: Bytes::from(seq.to_string()) };
                    assert_eq!(store.save_snapshot(stream, snapshot).await, Ok(()), "{at}");
                    *seen.entry("snapshots").or_default() += 1;
                }
                14 => {
                    let snapshot = Snapshot { seq: last + 1, payload: Bytes::new() };
                    let refused = store.save_snapshot(stream, snapshot).await;
                    assert_eq!(refused, Err(StoreError::Conflict { expected: last + 1, actual: last }), "{at}");
                }
                15 | 16 => {
                    let loaded = store.load(stream).await.expect(&at);
                    let after = loaded.snapshot.map_or(0, |snapshot| snapshot.seq);
                    assert_eq!((loaded.last_seq, &loaded.rows[..]), (last, &rows[after as usize..]), "{at}");
                }
                17 => {
                    let (after, page) = (random.random_range(0..=last), Page::rows(random.random_range(1..9)));
                    let read = store.history(stream, after, page).await.expect(&at);
                    let end = rows.len().min(after as usize + page.rows);
                    assert_eq!(read, rows[after as usize..end], "{at}");
                }
                18 => {
                    let archive = Archive::open(dir.path()).expect(&at);
                    let read: Vec<Row> =
                        archive.inspect(&stream).expect(&at).rows.into_iter().map(|(_, row)| row.expect(&at)).collect();
                    assert_eq!(&read, rows, "{at}");
                    *seen.entry("looked at from outside").or_default() += 1;
                }
                _ if random.random_ratio(1, 4) => {
                    let left = count(&store, "SELECT count(*) FROM journal").await;
                    *seen.entry("left behind").or_default() += usize::from(left > 0);
                    let copy = crashed(dir.path());
                    store.close().await;
                    dir = copy;
                    store = SqliteStore::open_in_a_rush(dir.path()).unwrap_or_else(|error| panic!("{at}: {error}"));
                    assert_eq!(count(&store, "SELECT count(*) FROM journal").await, 0, "{at}");
                }
                _ => {}
            }
        }
        for (which, rows) in &model {
            assert_eq!(
                store.history(board(which), 0, Page::ALL).await.as_ref(),
                Ok(rows),
                "seed {seed}, board {which}"
            );
        }
        *seen.entry("filed").or_default() += usize::from(count(&store, "SELECT count(*) FROM rows").await > 20);
        store.close().await;
        assert!(check(&Archive::open(dir.path()).unwrap()).unwrap().file_faults.is_empty());
    }
    println!("{seen:?}");
    assert!(seen.values().all(|count| *count > 2), "{seen:?}");
}

#[tokio::test]
async fn d21_a_rush_writes_few_pages_and_keeps_little() {
    let (dir, store) = open();
    let quiet = tempfile::tempdir().unwrap();
    let at_rest = SqliteStore::open(quiet.path()).unwrap();
    let log = |store: &SqliteStore| std::fs::metadata(store.inner.dir.join("tablehop.db-wal")).unwrap().len();
    let mut written = Vec::new();
    for store in [&store, &at_rest] {
        for which in 0..40 {
            store.append(board(which), None, vec![row(0, 80)]).await.unwrap();
        }
        assert_eq!(count(store, "SELECT count(*) FROM rows").await, 40, "the first row of a stream is filed at once");
        let before = log(store);
        for round in 0..60 {
            // Each round is one commit, as it is while thousands write.
            let occupied = Occupied::take(store).await;
            let rows: Vec<_> =
                (0..40).map(|which| tokio::spawn(store.append(board(which), None, vec![row(round, 80)]))).collect();
            occupied.release(store, 40).await;
            for stored in rows {
                stored.await.unwrap().unwrap();
            }
        }
        written.push((log(store) - before) / (4_096 + 24));
    }
    // The other one files at once, unless it comes to find that it is in a rush too.
    println!("{} pages in the log for 2,400 rows in a rush, {} otherwise", written[0], written[1]);
    assert!(written[0] < 2_400 / 2, "{written:?}");
    let entries = count(&store, "SELECT coalesce(sum(length(entry)), 0) FROM journal").await;
    assert!(entries > 0 && entries < 40 * 16 * 1024, "{entries}");
    assert!(count(&store, "SELECT count(*) FROM rows").await > 2_000, "most are filed");
    for store in [store, at_rest] {
        store.close().await;
    }
    let both: Vec<Vec<Loaded>> = [dir.path(), quiet.path()]
        .map(|dir| {
            let archive = Archive::open(dir).unwrap();
            (0..40).map(|which| archive.load(&board(which), u64::MAX).unwrap()).collect()
        })
        .to_vec();
    assert!(both[0] == both[1]);
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    for copy in COPIES {
        let left = db.query_row(&format!("SELECT count(*) FROM {copy}"), [], |row| row.get::<_, i64>(0));
        assert_eq!(left, Ok(0), "closing files all");
    }
}

/// Who stops writing leaves rows in the journal that no commit comes to file.
#[tokio::test]
async fn d21_after_a_rush_what_is_left_is_filed() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let mut rows = 0;
    // A real rush: as many as the writer takes, until it finds that thousands a second come.
    while store.inner.journal.waiting() == 0 {
        let all: Vec<_> = (0..500).map(|which| store.append(board(which % 100), None, vec![row(0, 5)])).collect();
        for stored in futures_util::future::join_all(all).await {
            stored.unwrap();
        }
        rows += 500;
    }
    tokio::select! {
        () = store.keep_watch() => panic!("the watch ends only with the store"),
        () = async { while store.inner.journal.waiting() > 0 { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(count(&store, "SELECT count(*) FROM rows").await, rows);
    assert_eq!(count(&store, "SELECT count(*) FROM journal").await, 0);
    assert_eq!(
        store.append(board(0), Some(rows.cast_unsigned() / 100), vec![row(0, 5)]).await,
        Ok(1 + rows.cast_unsigned() / 100)
    );
    assert_eq!(store.inner.journal.waiting(), 0, "and nothing more comes here");
}

/// A backup is taken, looked through and served while rows are not filed.
#[tokio::test]
async fn d16_d21_a_backup_taken_in_a_rush_is_whole() {
    let (dir, store) = open();
    for at in 0..9 {
        for which in 0..3 {
            store.append(board(which), None, vec![row(at, 20)]).await.unwrap();
        }
    }
    assert!(store.inner.journal.waiting() > 0);
    let backup = dir.path().join("backup");
    Archive::open(dir.path()).and_then(|archive| archive.copy_to(&backup)).unwrap();
    let report = check(&Archive::open(&backup).unwrap()).unwrap();
    assert_eq!((report.streams, report.rows), (3, 27));
    assert!(report.file_faults.is_empty(), "{:?}", report.file_faults);
    let held = Archive::open(&backup).and_then(|archive| archive.held("w")).unwrap();
    assert_eq!((held.rows, held.last), (27, Ok(Some(8))));
    let restored = SqliteStore::open(&backup).unwrap();
    for which in 0..3 {
        assert_eq!(restored.load(board(which)).await, store.load(board(which)).await);
    }
}

/// A start on a disk that has no room to file anything: it is read from the journal, and filed once there is.
#[tokio::test]
async fn d12_d21_what_cannot_be_filed_for_want_of_room_is_served_and_kept() {
    let (dir, store) = open();
    for at in 0..16 {
        store.append(board(1), None, vec![row(at, 600)]).await.unwrap();
    }
    let before = store.load(board(1)).await.unwrap();
    let copy = crashed(dir.path());
    let file = copy.path().join(DATABASE);
    let mut db = schema::connect_writer(&file).unwrap();
    let limit = |db: &Connection, pages: i64| {
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&db, 1);
    let rows = |db: &Connection| db.query_row("SELECT count(*) FROM rows", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows(&db), 1);
    let journal = Journal::open(&mut db, KEPT).unwrap();
    assert_eq!((rows(&db), journal.waiting()), (1, 1), "not filed");
    let load = |db: &Connection, journal: &Journal| {
        super::super::log::load(db, &board(1), u64::MAX, journal.unfiled(&board(1)).unwrap()).unwrap()
    };
    assert_eq!(load(&db, &journal), before);

    limit(&db, 1_000_000);
    db.execute_batch("BEGIN").unwrap();
    journal.begin(Taking::Rest);
    journal.write(&db).unwrap();
    db.execute_batch("COMMIT").unwrap();
    journal.committed();
    assert_eq!((rows(&db), journal.waiting()), (16, 0));
    assert_eq!(load(&db, &journal), before);
    assert!(super::faults(&db).unwrap().is_empty());
    let left = db.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0));
    assert_eq!(left, Ok(0));
}

/// Damage keeps one stream's rows from being filed: they are kept, its writers are told, and nobody else notices.
#[tokio::test]
async fn d5_a_stream_that_cannot_take_its_rows_stands_alone() {
    let (dir, store) = open();
    for which in ["bad", "good"] {
        store.append(board(which), None, vec![row(0, 9)]).await.unwrap();
        store.append(board(which), None, vec![row(1, 9)]).await.unwrap();
    }
    // As damage may look to an insert: the row that comes next is there already.
    count(
        &store,
        "INSERT INTO rows SELECT id, 2, 1, 'p', x'00', 0 FROM streams WHERE name = 'board/w.bad' RETURNING 1",
    )
    .await;
    let mut good = 2;
    let refused = loop {
        assert!(good < 2_000, "it is never tried to file it");
        for _ in 0..20 {
            good = store.append(board("good"), Some(good), vec![row(2, 300)]).await.unwrap();
        }
        if let Err(refused) = store.append(board("bad"), None, vec![row(3, 9)]).await {
            break refused;
        }
    };
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert!(matches!(store.load(board("bad")).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.append(board("good"), Some(good), vec![row(4, 9)]).await, Ok(good + 1));
    store.close().await;
    assert_eq!(store.append(board("good"), None, vec![row(4, 9)]).await, Err(StoreError::Closed));
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    let left = db.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(left > 0, "what is not filed is kept");

    // The damage taken away, they are filed after all.
    db.execute("DELETE FROM rows WHERE crc = 0", []).unwrap();
    db.close().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let loaded = store.load(board("bad")).await.unwrap();
    assert!(
        loaded.last_seq >= 2
            && loaded.rows[1] == Row { seq: 2, principal: "p1".into(), at: 1, payload: row(1, 9).payload }
    );
    assert_eq!(store.load(board("good")).await.map(|loaded| loaded.last_seq), Ok(good + 1));
}

/// Whatever is damaged in one copy is read from the other, and `verify` says so.
#[tokio::test]
async fn d5_d17_either_copy_of_the_journal_is_enough() {
    let (dir, store) = open();
    for at in 0..20 {
        store.append(board(at % 2), None, vec![row(at, 50)]).await.unwrap();
    }
    let before = [store.load(board(0)).await.unwrap(), store.load(board(1)).await.unwrap()];
    let crash = crashed(dir.path());
    for (damage, is_found) in [
        ("UPDATE journal SET entry = x'01'", true),
        ("UPDATE journal_copy SET crc = 7 WHERE id % 2 = 0", true),
        ("UPDATE journal SET id = id + 1000", true),
        ("DELETE FROM journal_copy", false),
        ("DELETE FROM journal", false),
    ] {
        let copy = crashed(crash.path());
        let db = Connection::open(copy.path().join(DATABASE)).unwrap();
        assert!(db.execute(damage, []).unwrap() > 5, "{damage}");
        db.close().unwrap();
        let archive = Archive::open(copy.path()).unwrap();
        assert_eq!(!archive.file_faults().unwrap().is_empty(), is_found, "{damage}");
        for (which, before) in before.iter().enumerate() {
            assert_eq!(archive.load(&board(which), u64::MAX).as_ref(), Ok(before), "{damage}");
        }
        drop(archive);
        let store = SqliteStore::open(copy.path()).unwrap();
        for (which, before) in before.iter().enumerate() {
            assert_eq!(store.load(board(which)).await.as_ref(), Ok(before), "{damage}");
        }
        store.close().await;
        assert!(Archive::open(copy.path()).and_then(|archive| archive.file_faults()).unwrap().is_empty(), "{damage}");
    }
}
