//! A store that holds many cafés in which nobody is: starting on it, and what it costs those who are awake.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use harness::api::Api;
use server::store::sqlite::SqliteStore;
use server::store::{NewRow, Snapshot, Store, StreamId};
use shared::id::{BoardId, TableId, WorkshopId};

use super::ledger::words;
use super::pen::Template;
use super::target::{Launch, Running, Target};

/// Cafés made at the same time: they share commits.
const AT_ONCE: usize = 256;
/// Edits on the board of a café that has been written in.
const EDITS: usize = 20;
/// The client id they are written under.
const SOMEBODY: u64 = 0xf0f1_f2f3;

/// How long a start may take, and how much memory.
const START: Duration = Duration::from_secs(1);
const RESIDENT_MIB: f64 = 50.0;

/// Makes the cafés, stops the server, and starts it again.
///
/// # Errors
/// It takes longer than a second until it is ready, or more than 50 MB; or something fails.
pub fn measure(cafes: usize, launch: &Launch) -> Result<()> {
    let mut server = Running::start(Target::Tablehop, launch)?;
    fill(&mut server, cafes)?;
    let data = server.data()?;
    let size = std::fs::metadata(data.path().join("data/tablehop.db")).context("the database")?.len();
    let began = Instant::now();
    let mut server = Running::start_on(Target::Tablehop, launch, data)?;
    let started = began.elapsed();
    let resident = server.resident_kib()?.unwrap_or_default() as f64 / 1024.0;
    let report = serde_json::json!({
        "cafes": cafes, "written_in": cafes / 2, "database_mib": size / 1024 / 1024, "ready_seconds": started.as_secs_f64(),
        "resident_mib": resident,
    });
    println!("{report}");
    server.ask_to_end()?;
    ensure!(started <= START, "it was ready after {started:?}");
    ensure!(resident <= RESIDENT_MIB, "it takes {resident:.1} MiB");
    Ok(())
}

/// Makes so many cafés, ends the server, and has every second one written in.
pub fn fill(server: &mut Running, cafes: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    let made = runtime.block_on(make(server, cafes))?;
    server.ask_to_end()?;
    let written: Vec<WorkshopId> = made.into_iter().step_by(2).collect();
    runtime.block_on(write(&server.data()?.path().join("data"), &written))?;
    eprintln!("{cafes} cafés made, {} of them written in, in {:.1?}", written.len(), began.elapsed());
    Ok(())
}

async fn make(server: &Running, cafes: usize) -> Result<Vec<WorkshopId>> {
    let api = Api::new(&format!("http://{}", server.address));
    let (api, body) = (&api, &harness::cafe::small(4, 3, 20.0));
    stream::iter(0..cafes)
        .map(|n| async move {
            // As if each came from an address of its own, for one address may not ask that fast.
            let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + u32::try_from(n)?);
            let request = api.http.post(api.url("/api/workshops")).header("x-forwarded-for", from.to_string());
            let made = request.json(body).send().await?.error_for_status()?;
            anyhow::Ok(made.json::<shared::api::CreatedWorkshop>().await?.id)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// A note and more words in it on the first table of each, half of them with a snapshot: into the store, for it would take hours through
/// as many sockets.
async fn write(data: &std::path::Path, cafes: &[WorkshopId]) -> Result<()> {
    let store = Arc::new(SqliteStore::open(data)?);
    let (mut pen, note) = Template::new(SOMEBODY, &words(0))?.note(SOMEBODY, &words(0))?;
    let updates: Vec<Vec<u8>> = std::iter::once(note).chain((1..EDITS).map(|n| pen.write(&words(n)))).collect();
    let doc = super::run::fold(&updates)?;
    let whole = yrs::ReadTxn::encode_state_as_update_v2(&yrs::Transact::transact(&doc), &yrs::StateVector::default());
    let row = |update: &Vec<u8>| NewRow { principal: "p1".into(), at: 0, payload: update.clone().into() };
    let (store, rows, whole) = (&store, &updates.iter().map(row).collect::<Vec<_>>(), &whole);
    stream::iter(cafes.iter().enumerate())
        .map(|(n, cafe)| async move {
            let board = StreamId::board(&BoardId::table(cafe, TableId(1)).to_string());
            let seq = store.append(board.clone(), None, rows.clone()).await?;
            if n.is_multiple_of(2) {
                store.save_snapshot(board, Snapshot { seq, payload: whole.clone().into() }).await?;
            }
            anyhow::Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| async { Ok(()) })
        .await?;
    store.close().await;
    Ok(())
}
