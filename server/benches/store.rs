//! What a commit costs and how long an edit waits for it: `cargo bench -p tablehop-server --bench store`. The figures and what they taught
//! are in docs/decisions/0017. On the disk under the system's temporary directory, or that of `TMPDIR`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use server::app::App;
use server::config::Config;
use server::store::{NewRow, SqliteStore, Store, StreamId};
use shared::board::new_doc;
use shared::id::{BoardId, TableId};
use yrs::{Text, Transact};

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

/// Opening a board of 20,000 updates: from its rows, and from its snapshot.
async fn opening() {
    let dir = tempfile::tempdir().expect("a directory");
    let board = BoardId::table(&"w".into(), TableId(1));
    let doc = new_doc(1);
    let texts: Vec<_> = (0..200).map(|n| doc.get_or_insert_text(format!("note {n}"))).collect();
    let mut rows = Vec::new();
    for n in 0..20_000_u32 {
        let text = &texts[(n.wrapping_mul(2_654_435_761) % 200) as usize];
        let mut txn = doc.transact_mut();
        text.push(&mut txn, "字");
        rows.push(NewRow { principal: "p".to_owned(), at: 1, payload: txn.encode_update_v1().into() });
    }
    let store = SqliteStore::open(dir.path()).expect("a store");
    store.append(StreamId::board(&board.to_string()), None, rows).await.expect("stored");
    store.close().await;
    for what in ["its 20,000 rows", "its snapshot", "its snapshot again"] {
        let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        let app = App::new(Config::new(([127, 0, 0, 1], 0).into(), dir.path().to_owned()), store.clone());
        let start = Instant::now();
        app.boards.table(&board.workshop, TableId(1)).await.expect("a board");
        println!("opening a board from {what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
        // Takes the snapshot.
        app.shut_down().await;
        store.close().await;
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
