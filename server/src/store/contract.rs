//! What every storage must keep, as one suite of tests. A storage joins in by implementing [`Storage`] and a line at the end.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};

use super::{Loaded, NewRow, Page, Row, Snapshot, Store, StoreError, StreamId, TokenRecord};

mod storages;

/// A storage under test: how to open and close it, and how to damage what it holds while it is closed.
trait Storage {
    fn open(&self) -> Result<Arc<dyn Store>, StoreError>;
    /// Closes what was opened, so that it can be opened again.
    async fn close(&self);
    /// Flips one bit of a row's payload.
    fn damage_row(&self, stream: &StreamId, seq: u64);
    /// Flips one bit of a snapshot's payload.
    fn damage_snapshot(&self, stream: &StreamId, seq: u64);
    /// Takes a row away.
    fn remove_row(&self, stream: &StreamId, seq: u64);
}

async fn reopen(storage: &impl Storage) -> Arc<dyn Store> {
    storage.close().await;
    storage.open().expect("opens again")
}

fn row(text: &str) -> NewRow {
    NewRow { principal: format!("participant/{text}"), at: 1_700_000_000_000, payload: Bytes::from(text.to_owned()) }
}

fn rows(texts: &[&str]) -> Vec<NewRow> {
    texts.iter().map(|text| row(text)).collect()
}

fn snapshot(seq: u64, text: &str) -> Snapshot {
    Snapshot { seq, payload: Bytes::from(text.to_owned()) }
}

fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| std::str::from_utf8(&row.payload).expect("text")).collect()
}

fn seqs(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.seq).collect()
}

async fn keeps_rows_in_order_without_gaps(storage: impl Storage) {
    let store = storage.open().unwrap();
    let board = StreamId::board("b1");
    assert_eq!(store.load(board.clone()).await.unwrap(), Loaded::default());
    assert_eq!(store.append(board.clone(), None, rows(&["一", "two"])).await, Ok(2));
    assert_eq!(store.append(board.clone(), None, vec![]).await, Ok(2));
    let last = NewRow { principal: String::new(), at: 0, payload: Bytes::new() };
    assert_eq!(store.append(board.clone(), None, vec![last]).await, Ok(3));
    assert_eq!(store.append(StreamId::board("b2"), None, rows(&["elsewhere"])).await, Ok(1));

    for store in [Some(store), None] {
        let store = match store {
            Some(store) => store,
            None => reopen(&storage).await,
        };
        let loaded = store.load(board.clone()).await.unwrap();
        assert_eq!(loaded.snapshot, None);
        assert_eq!(loaded.last_seq, 3);
        assert_eq!(seqs(&loaded.rows), [1, 2, 3]);
        assert_eq!(texts(&loaded.rows), ["一", "two", ""]);
        assert_eq!(loaded.rows[0].principal, "participant/一");
        assert_eq!(loaded.rows[0].at, 1_700_000_000_000);
        assert_eq!(loaded.rows[2].principal, "");
    }
}

async fn pages_through_history(storage: impl Storage) {
    let store = storage.open().unwrap();
    let board = StreamId::board("b");
    store.append(board.clone(), None, rows(&["1", "2", "3", "4", "5"])).await.unwrap();
    store.save_snapshot(board.clone(), snapshot(5, "all")).await.unwrap();
    let page = |after, rows| store.history(board.clone(), after, Page::rows(rows));
    assert_eq!(texts(&page(0, 2).await.unwrap()), ["1", "2"]);
    assert_eq!(texts(&page(2, 2).await.unwrap()), ["3", "4"]);
    assert_eq!(texts(&page(4, usize::MAX).await.unwrap()), ["5"]);
    assert_eq!(page(5, 2).await.unwrap(), []);
    assert_eq!(page(u64::MAX, 2).await.unwrap(), []);
    // A page is full once it has its bytes, and never empty for them.
    let bytes = |after, bytes| store.history(board.clone(), after, Page { rows: 9, bytes });
    assert_eq!(texts(&bytes(0, 2).await.unwrap()), ["1", "2"]);
    assert_eq!(texts(&bytes(2, 0).await.unwrap()), ["3"]);
    assert_eq!(store.history(StreamId::board("unknown"), 0, Page::rows(9)).await.unwrap(), []);
}

async fn d8_appends_on_condition(storage: impl Storage) {
    let store = storage.open().unwrap();
    let workshop = StreamId::workshop("w");
    let conflict = |expected, actual| Err(StoreError::Conflict { expected, actual });
    assert_eq!(store.append(workshop.clone(), Some(1), rows(&["early"])).await, conflict(1, 0));
    assert_eq!(store.append(workshop.clone(), Some(0), rows(&["a", "b"])).await, Ok(2));
    assert_eq!(store.append(workshop.clone(), Some(0), rows(&["late"])).await, conflict(0, 2));
    assert_eq!(store.append(workshop.clone(), Some(9), vec![]).await, conflict(9, 2));
    assert_eq!(store.append(workshop.clone(), Some(2), rows(&["c"])).await, Ok(3));
    assert_eq!(texts(&store.load(workshop).await.unwrap().rows), ["a", "b", "c"]);
}

async fn lets_exactly_one_of_two_writers_win(storage: impl Storage) {
    let store = storage.open().unwrap();
    let workshop = StreamId::workshop("w");
    for last in 0..20 {
        let race = join_all((0..4).map(|_| store.append(workshop.clone(), Some(last), rows(&["x"])))).await;
        assert_eq!(race.iter().filter(|outcome| **outcome == Ok(last + 1)).count(), 1, "{race:?}");
        let lost = Err(StoreError::Conflict { expected: last, actual: last + 1 });
        assert_eq!(race.iter().filter(|outcome| **outcome == lost).count(), 3, "{race:?}");
    }
}

async fn keeps_concurrent_appends(storage: impl Storage) {
    let store = storage.open().unwrap();
    let appends = (0..400).map(|n| {
        let (store, stream) = (store.clone(), StreamId::board(&format!("b{}", n % 40)));
        tokio::spawn(async move { store.append(stream, None, rows(&["x", "y", "z"])).await })
    });
    for outcome in try_join_all(appends).await.unwrap() {
        assert_eq!(outcome.unwrap() % 3, 0);
    }
    drop(store);
    let store = reopen(&storage).await;
    for n in 0..40 {
        let loaded = store.load(StreamId::board(&format!("b{n}"))).await.unwrap();
        assert_eq!(loaded.last_seq, 30);
        assert_eq!(seqs(&loaded.rows), (1..=30).collect::<Vec<_>>());
        // The rows of one append stay together.
        assert_eq!(texts(&loaded.rows), ["x", "y", "z"].repeat(10));
    }
}

async fn shows_what_was_acknowledged(storage: impl Storage) {
    let store = storage.open().unwrap();
    let board = StreamId::board("b");
    for n in 1..=50 {
        store.append(board.clone(), None, rows(&["x"])).await.unwrap();
        let reads = join_all((0..6).map(|_| store.load(board.clone()))).await;
        assert!(reads.iter().all(|loaded| loaded.as_ref().is_ok_and(|loaded| loaded.last_seq == n)));
    }
}

async fn loads_from_the_newest_snapshot(storage: impl Storage) {
    let store = storage.open().unwrap();
    let board = StreamId::board("b");
    store.append(board.clone(), None, rows(&["1", "2", "3"])).await.unwrap();
    for (seq, text) in [(1, "one"), (2, "old two"), (2, "two"), (3, "three")] {
        store.save_snapshot(board.clone(), snapshot(seq, text)).await.unwrap();
    }
    let loaded = store.load(board.clone()).await.unwrap();
    assert_eq!(loaded, Loaded { snapshot: Some(snapshot(3, "three")), rows: vec![], last_seq: 3 });

    store.append(board.clone(), None, rows(&["4", "5"])).await.unwrap();
    drop(store);
    let store = reopen(&storage).await;
    let loaded = store.load(board.clone()).await.unwrap();
    assert_eq!(loaded.snapshot, Some(snapshot(3, "three")));
    assert_eq!((seqs(&loaded.rows), loaded.last_seq), (vec![4, 5], 5));
    // Rows are kept for good.
    assert_eq!(texts(&store.history(board, 0, Page::rows(9)).await.unwrap()), ["1", "2", "3", "4", "5"]);
}

async fn refuses_snapshots_of_what_is_not_there(storage: impl Storage) {
    let store = storage.open().unwrap();
    let board = StreamId::board("b");
    let conflict = |expected, actual| Err(StoreError::Conflict { expected, actual });
    assert_eq!(store.save_snapshot(board.clone(), snapshot(1, "x")).await, conflict(1, 0));
    store.append(board.clone(), None, rows(&["1"])).await.unwrap();
    assert_eq!(store.save_snapshot(board.clone(), snapshot(2, "x")).await, conflict(2, 1));
    assert_eq!(store.load(board).await.unwrap().snapshot, None);
}

async fn d6_passes_over_damaged_snapshots(storage: impl Storage) {
    let board = StreamId::board("b");
    let store = storage.open().unwrap();
    store.append(board.clone(), None, rows(&["1", "2", "3"])).await.unwrap();
    store.save_snapshot(board.clone(), snapshot(1, "one")).await.unwrap();
    store.save_snapshot(board.clone(), snapshot(2, "two")).await.unwrap();

    storage.close().await;
    storage.damage_snapshot(&board, 2);
    let store = storage.open().unwrap();
    let loaded = store.load(board.clone()).await.unwrap();
    assert_eq!(loaded.snapshot, Some(snapshot(1, "one")));
    assert_eq!(seqs(&loaded.rows), [2, 3]);

    storage.close().await;
    storage.damage_snapshot(&board, 1);
    let store = storage.open().unwrap();
    let loaded = store.load(board).await.unwrap();
    assert_eq!(loaded.snapshot, None);
    assert_eq!(texts(&loaded.rows), ["1", "2", "3"]);
}

async fn d13_a_row_that_a_snapshot_covers_may_be_damaged(storage: impl Storage) {
    let board = StreamId::board("b");
    let store = storage.open().unwrap();
    store.append(board.clone(), None, rows(&["1", "2", "3"])).await.unwrap();
    store.save_snapshot(board.clone(), snapshot(1, "one")).await.unwrap();
    store.save_snapshot(board.clone(), snapshot(2, "two")).await.unwrap();
    storage.close().await;
    storage.damage_row(&board, 2);
    let store = storage.open().unwrap();
    let loaded = store.load(board.clone()).await.unwrap();
    assert_eq!((loaded.snapshot, seqs(&loaded.rows)), (Some(snapshot(2, "two")), vec![3]));
    // The older one does not cover it.
    assert!(store.load_below(board.clone(), 2).await.is_err());
    storage.close().await;
    storage.damage_snapshot(&board, 2);
    let store = storage.open().unwrap();
    assert!(matches!(store.load(board).await, Err(StoreError::Corrupt { .. })), "both copies are damaged");
}

async fn d5_reports_a_damaged_row(storage: impl Storage) {
    let (bad, good) = (StreamId::board("bad"), StreamId::board("good"));
    let store = storage.open().unwrap();
    store.append(bad.clone(), None, rows(&["1", "2", "3"])).await.unwrap();
    store.append(good.clone(), None, rows(&["1"])).await.unwrap();
    storage.close().await;
    storage.damage_row(&bad, 2);
    let store = storage.open().unwrap();

    let is_corrupt = |error: &StoreError| matches!(error, StoreError::Corrupt { stream, .. } if stream == bad.as_str());
    assert!(store.load(bad.clone()).await.is_err_and(|error| is_corrupt(&error)));
    assert!(store.history(bad.clone(), 0, Page::rows(9)).await.is_err_and(|error| is_corrupt(&error)));
    // It costs that stream alone, and what lies before it can still be read.
    assert_eq!(texts(&store.history(bad, 0, Page::rows(1)).await.unwrap()), ["1"]);
    assert_eq!(store.load(good).await.unwrap().last_seq, 1);
}

async fn d5_reports_missing_rows(storage: impl Storage) {
    let [hole, cut, empty, covered] = ["hole", "cut", "empty", "covered"].map(StreamId::board);
    let store = storage.open().unwrap();
    for stream in [&hole, &cut, &covered] {
        store.append(stream.clone(), None, rows(&["1", "2", "3"])).await.unwrap();
    }
    store.append(empty.clone(), None, rows(&["1"])).await.unwrap();
    store.save_snapshot(covered.clone(), snapshot(3, "all")).await.unwrap();
    storage.close().await;
    storage.remove_row(&hole, 2);
    storage.remove_row(&cut, 3);
    storage.remove_row(&empty, 1);
    storage.remove_row(&covered, 3);
    let store = storage.open().unwrap();
    for stream in [hole, cut, empty] {
        assert!(matches!(store.load(stream.clone()).await, Err(StoreError::Corrupt { .. })), "{stream}");
        assert!(matches!(store.history(stream, 0, Page::ALL).await, Err(StoreError::Corrupt { .. })));
    }
    // As with a damaged row that a snapshot covers; its number is not given a second time.
    let loaded = store.load(covered.clone()).await.unwrap();
    assert_eq!((loaded.last_seq, loaded.rows), (3, Vec::new()));
    assert!(matches!(store.history(covered.clone(), 0, Page::ALL).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(store.append(covered, None, rows(&["4"])).await, Ok(4));
}

async fn keeps_tokens(storage: impl Storage) {
    let store = storage.open().unwrap();
    let facilitator = TokenRecord {
        workshop: "w".to_owned(),
        role: "facilitator".to_owned(),
        participant: None,
        created_at: 7,
        revoked_at: None,
    };
    let guest =
        TokenRecord { role: "participant".to_owned(), participant: Some("李".to_owned()), ..facilitator.clone() };
    store.put_token([1; 32], facilitator.clone()).await.unwrap();
    store.put_token([2; 32], guest.clone()).await.unwrap();
    store.revoke_token([2; 32], 8).await.unwrap();
    store.revoke_token([2; 32], 9).await.unwrap();
    store.revoke_token([3; 32], 9).await.unwrap();
    let other = TokenRecord { participant: Some("王".to_owned()), ..facilitator.clone() };
    let elsewhere = TokenRecord { workshop: "v".to_owned(), ..other.clone() };
    store.put_token([4; 32], other.clone()).await.unwrap();
    store.put_token([5; 32], elsewhere.clone()).await.unwrap();
    store.revoke_participant("w".to_owned(), "王".to_owned(), 10).await.unwrap();
    for store in [Some(store), None] {
        let store = match store {
            Some(store) => store,
            None => reopen(&storage).await,
        };
        assert_eq!(store.token([1; 32]).await.unwrap(), Some(facilitator.clone()));
        assert_eq!(store.token([2; 32]).await.unwrap(), Some(TokenRecord { revoked_at: Some(8), ..guest.clone() }));
        let revoked = TokenRecord { revoked_at: Some(10), ..other.clone() };
        assert_eq!(store.token([4; 32]).await.unwrap(), Some(revoked));
        assert_eq!(store.token([5; 32]).await.unwrap(), Some(elsewhere.clone()));
        assert_eq!(store.token([3; 32]).await.unwrap(), None);
        assert_eq!(
            store.links("w".to_owned()).await.unwrap(),
            std::slice::from_ref(&facilitator),
            "neither guests nor void ones"
        );
        assert_eq!(store.links("v".to_owned()).await.unwrap(), std::slice::from_ref(&elsewhere));
        assert_eq!(store.links("u".to_owned()).await.unwrap(), []);
    }
}

async fn gives_a_join_code_once(storage: impl Storage) {
    let store = storage.open().unwrap();
    let reserve = |code: &str, workshop: &str| store.reserve_join_code(code.to_owned(), workshop.to_owned());
    assert_eq!(reserve("ABCD2345", "w1").await, Ok(true));
    assert_eq!(reserve("ABCD2345", "w2").await, Ok(false));
    assert_eq!(reserve("WXYZ6789", "w2").await, Ok(true));
    let race = join_all((0..8).map(|n| reserve("RACE2345", &format!("w{n}")))).await;
    assert_eq!(race.iter().filter(|outcome| **outcome == Ok(true)).count(), 1);
    drop(store);
    let store = reopen(&storage).await;
    assert_eq!(store.workshop_by_join_code("ABCD2345".to_owned()).await.unwrap().as_deref(), Some("w1"));
    assert_eq!(store.workshop_by_join_code("NONE2345".to_owned()).await.unwrap(), None);
}

async fn binds_clients_for_good(storage: impl Storage) {
    let store = storage.open().unwrap();
    let bind = |workshop: &str, principal: &str, clients: &[u64]| {
        store.bind_clients(workshop.to_owned(), principal.to_owned(), clients.to_vec())
    };
    bind("w", "ann", &[3, 1, u64::MAX]).await.unwrap();
    bind("w", "ann", &[1, 2]).await.unwrap();
    bind("other", "bob", &[1]).await.unwrap();
    // All or none: 9 must not be bound by the refused request.
    assert_eq!(bind("w", "bob", &[9, 2]).await, Err(StoreError::ClientTaken { client: 2 }));
    drop(store);
    let store = reopen(&storage).await;
    let clients = |principal: &str| store.clients_of("w".to_owned(), principal.to_owned());
    assert_eq!(clients("ann").await.unwrap(), [1, 2, 3, u64::MAX]);
    assert_eq!(clients("bob").await.unwrap(), [0; 0]);
    let owner = |workshop: &str, client| store.client_owner(workshop.to_owned(), client);
    assert_eq!(owner("w", 1).await.unwrap().as_deref(), Some("ann"));
    assert_eq!(owner("other", 1).await.unwrap().as_deref(), Some("bob"));
    assert_eq!(owner("w", 9).await.unwrap(), None);
}

async fn is_ready_until_closed(storage: impl Storage) {
    let store = storage.open().unwrap();
    assert!(join_all((0..10).map(|_| store.check())).await.iter().all(Result::is_ok));
    storage.close().await;
    let board = StreamId::board("b");
    assert_eq!(store.check().await, Err(StoreError::Closed));
    assert_eq!(store.append(board.clone(), None, rows(&["x"])).await, Err(StoreError::Closed));
    assert_eq!(store.load(board).await, Err(StoreError::Closed));
}

macro_rules! contract {
    ($name:ident, $storage:expr) => {
        contract!($name, $storage;
            keeps_rows_in_order_without_gaps,
            pages_through_history,
            d8_appends_on_condition,
            lets_exactly_one_of_two_writers_win,
            keeps_concurrent_appends,
            shows_what_was_acknowledged,
            loads_from_the_newest_snapshot,
            refuses_snapshots_of_what_is_not_there,
            d6_passes_over_damaged_snapshots,
            d13_a_row_that_a_snapshot_covers_may_be_damaged,
            d5_reports_a_damaged_row,
            d5_reports_missing_rows,
            keeps_tokens,
            gives_a_join_code_once,
            binds_clients_for_good,
            is_ready_until_closed,
        );
    };
    ($name:ident, $storage:expr; $($case:ident,)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($storage).await;
                }
            )*
        }
    };
}

contract!(sqlite, super::storages::Sqlite::plain());
contract!(sqlite_in_a_rush, super::storages::Sqlite::in_a_rush());
contract!(faulty_without_faults, super::storages::Sqlite::behind_no_fault());
