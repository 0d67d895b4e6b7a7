//! What a commit costs and how long an edit waits for it: `cargo bench -p tablehop-server --bench store`. The figures and what they taught
//! are in docs/decisions/0017. On the disk under the system's temporary directory, or that of `TMPDIR`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use server::app::App;
use server::board::replica::Replica;
use server::config::Config;
use server::socket::guard::Attributed;
use server::store::{NewRow, SqliteStore, Store, StreamId};
use shared::board::doc::TableRoots;
use shared::board::new_doc;
use shared::board::note::{self, NewNote};
use shared::board::view::NoteKind;
use shared::id::{BoardId, NoteId, TableId};
use yrs::updates::decoder::Decode;
use yrs::{Text, TextRef, Transact, TransactionMut, Update};

/// How long each load lasts.
const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    for writers in [1, 20, 200, 800] {
        load(writers).await;
    }
    batches().await;
    opening().await;
}

fn row(bytes: usize) -> NewRow {
    NewRow { principal: "p0123456789".to_owned(), at: 1, payload: vec![7; bytes].into() }
}

/// So many boards, each of which waits for its commit before it asks for the next.
async fn load(writers: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
    let end = Instant::now() + RUN;
    let tasks: Vec<_> = (0..writers)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let stream = StreamId::board(&format!("w.t{n}"));
                let mut waits = Vec::new();
                while Instant::now() < end {
                    let start = Instant::now();
                    store.append(stream.clone(), None, vec![row(60)]).await.expect("stored");
                    waits.push(start.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("ran"));
    }
    report(&format!("{writers} boards, a row each"), &mut waits, RUN);
    store.close().await;
}

/// One board, two hundred rows at once.
async fn batches() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    let (mut waits, begin) = (Vec::new(), Instant::now());
    while begin.elapsed() < RUN {
        let rows = (0..200).map(|_| row(60)).collect();
        let start = Instant::now();
        store.append(StreamId::board("w.t1"), None, rows).await.expect("stored");
        waits.push(start.elapsed());
    }
    report("1 board, 200 rows at once", &mut waits, begin.elapsed());
    store.close().await;
}

/// How long opening a large board may take once it has a snapshot, and the first edit in the middle of one of its texts.
const OPENS_WITHIN: Duration = Duration::from_millis(50);

/// A way in which somebody writes.
type Hand = fn(&mut TransactionMut<'_>, &TextRef, u32);

/// Opening a board of 20,000 updates: from its rows, and from its snapshot; and the first edit on it, for which the board is gone through
/// once.
async fn opening() {
    // As most people do.
    let at_the_end: Hand = |txn, text, _| text.push(txn, "字");
    // The worst for a document: every letter somewhere else, and some taken away again.
    let everywhere: Hand = |txn, text, n| {
        let len = text.len(txn);
        match n % 8 {
            0 if len > 1 => text.remove_range(txn, n.wrapping_mul(40_503) % len, 1),
            _ => text.insert(txn, n.wrapping_mul(40_503) % (len + 1), "字"),
        }
    };
    for (how, clients, hand) in [("at the end", 1, at_the_end), ("everywhere, by five", 5, everywhere)] {
        let dir = tempfile::tempdir().expect("a directory");
        let board = BoardId::table(&"w".into(), TableId(1));
        let stream = StreamId::board(&board.to_string());
        let (rows, edit) = written(clients, hand);
        let store = SqliteStore::open(dir.path()).expect("a store");
        store.append(stream.clone(), None, rows).await.expect("stored");
        store.close().await;
        for what in ["its 20,000 rows", "its snapshot", "its snapshot again"] {
            let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
            let app = App::new(Config::new(([127, 0, 0, 1], 0).into(), dir.path().to_owned()), store.clone());
            let start = Instant::now();
            app.boards.table(&board.workshop, TableId(1)).await.expect("a board");
            let took = start.elapsed();
            println!("opening a board, written {how}, from {what}: {:.1} ms", took.as_secs_f64() * 1e3);
            assert!(what.contains("rows") || took <= OPENS_WITHIN, "{took:?}");
            let mut replica = Replica::load(&store.load(stream.clone()).await.expect("a stream")).expect("a document");
            let start = Instant::now();
            replica.check(&edit).expect("an edit");
            replica.apply(&edit).expect("applied");
            let took = start.elapsed();
            println!("the first edit in the middle of it: {:.1} ms", took.as_secs_f64() * 1e3);
            assert!(took <= OPENS_WITHIN, "{took:?}");
            // Takes the snapshot.
            app.shut_down().await;
            store.close().await;
        }
    }
}

/// 20,000 updates of so many people on 200 notes, and one more in the middle of a note.
fn written(clients: u64, hand: Hand) -> (Vec<NewRow>, Attributed) {
    const NOTES: u32 = 200;
    let docs: Vec<_> = (1..=clients).map(new_doc).collect();
    let mut rows = Vec::new();
    for n in 0..20_000_u32 {
        let update = {
            let doc = &docs[n as usize % docs.len()];
            let roots = TableRoots::of(doc);
            let mut txn = doc.transact_mut();
            if n < NOTES {
                note::create(&mut txn, &roots, new_note(n));
            } else {
                let id = new_note(n.wrapping_mul(2_654_435_761) % NOTES).id;
                let text = note::text_of(&txn, &roots, &id).expect("a note");
                hand(&mut txn, &text, n);
            }
            txn.encode_update_v1()
        };
        for other in docs.iter().enumerate().filter(|(at, _)| *at != n as usize % docs.len()).map(|(_, doc)| doc) {
            let known = Update::decode_v1(&update).expect("an update");
            other.transact_mut().apply_update(known).expect("applied");
        }
        rows.push(NewRow { principal: "p".to_owned(), at: 1, payload: update.into() });
    }
    let roots = TableRoots::of(&docs[0]);
    let mut txn = docs[0].transact_mut();
    let text = note::text_of(&txn, &roots, &new_note(7).id).expect("a note");
    let middle = text.len(&txn) / 2;
    text.insert(&mut txn, middle, "中");
    (rows, Attributed::scan(txn.encode_update_v1()).expect("an edit"))
}

fn new_note(n: u32) -> NewNote {
    NewNote {
        id: NoteId(format!("n-{n}")),
        kind: NoteKind::Idea,
        text: String::new(),
        x: f64::from(n),
        y: 40.0,
        w: 220.0,
        color: 0,
        author: "p".into(),
        author_name: "Guest".into(),
        round: Some(0),
        created_at: 0,
        builds_on: None,
        from: None,
    }
}

fn report(what: &str, waits: &mut [Duration], took: Duration) {
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{what}: {:.0} appends/s; wait p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        waits.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
