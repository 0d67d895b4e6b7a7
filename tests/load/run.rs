//! One measurement: a server, everybody at their tables, steady writing, everybody to another table, and the books closed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shared::board::doc::new_doc;
use shared::board::read::table_board;
use yrs::updates::decoder::Decode;
use yrs::{Doc, Transact, Update};

use super::asleep;
use super::cafe::{self, Cafe};
use super::crowd::{Crowd, Moved};
use super::ledger::numbers;
use super::proc;
use super::target::{Launch, Running, Target};

/// Sockets opened before the answers to them are read.
const CONNECTING: usize = 64;
/// How long the last deliveries may take, and a move of everybody.
const PATIENCE: Duration = Duration::from_secs(60);
/// Deliveries that have not come after so long without any are lost.
const STANDSTILL: Duration = Duration::from_secs(5);
/// Between the end of a round and the next one.
const QUIET: Duration = Duration::from_secs(1);
/// Seconds of the same load before measuring.
const WARM: Duration = Duration::from_secs(2);

/// How much.
#[derive(Clone, Copy, Debug, clap::Args, Serialize)]
pub struct Size {
    /// People, each with one socket
    #[arg(long, default_value_t = 500)]
    pub people: usize,
    /// Tables they sit at
    #[arg(long, default_value_t = 100)]
    pub tables: usize,
    /// Edits of each person a second
    #[arg(long, default_value_t = 2.0)]
    pub rate: f64,
    /// Seconds of measuring
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Facilitators who watch the whole café
    #[arg(long, default_value_t = 1)]
    pub facilitators: usize,
    /// Leave the rotation out; a relay has none, for it has no board that could be complete
    #[arg(long)]
    pub still: bool,
    /// Cafés asleep in the store meanwhile
    #[arg(long, default_value_t = 0)]
    pub asleep: usize,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Report {
    pub target: &'static str,
    pub people: usize,
    pub tables: usize,
    pub rate: f64,
    pub seconds: u64,
    pub asleep: usize,
    pub edits: usize,
    pub deliveries: u64,
    /// Deliveries that never came.
    pub losses: u64,
    /// Milliseconds from when an edit was due to when it was heard.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
    /// The server's processor time for each delivery, in microseconds. As all of its figures, unknown where its process is.
    pub cpu_per_delivery: Option<f64>,
    /// The server's share of one core.
    pub server_cpu: Option<f64>,
    /// The generator's share of its core.
    pub own_cpu: f64,
    /// How late the generator sent, in milliseconds; it is part of the latencies.
    pub late_p99: f64,
    /// KiB of the server for each connection, after the load, above what it had when it was empty.
    pub kib_per_connection: Option<f64>,
    /// Seconds until the last person had joined and was connected.
    pub joined: f64,
    /// Seconds until the last person knew their first table, and until they had written there.
    pub seated: f64,
    pub first_live: f64,
    /// The same of a rotation of everybody.
    pub rotation_seated: Option<f64>,
    pub rotation: Option<f64>,
    /// Views sent to people from the lobby to the end, and their KiB.
    pub views: u64,
    pub views_kib: u64,
    pub resyncs: u64,
    /// Documents that were read and found whole.
    pub documents: usize,
    /// What people heard and wrote, folded, equals the server's document: so many of them.
    pub replicas: usize,
    pub faults: Vec<String>,
}

impl Report {
    /// Fails if anything was lost or went wrong.
    pub fn check(&self) -> Result<()> {
        ensure!(self.losses == 0, "{}: {} deliveries were lost", self.target, self.losses);
        ensure!(self.faults.is_empty(), "{}: {:?}", self.target, self.faults);
        ensure!(self.deliveries > 0, "{}: nothing was delivered", self.target);
        Ok(())
    }
}

/// Measures one server, which is started and stopped, unless it runs elsewhere.
pub fn measure(target: Target, size: Size, launch: &Launch) -> Result<Report> {
    let mut server = match launch.at {
        Some(address) => Running::elsewhere(address, launch.pid)?,
        None => Running::start(target, launch)?,
    };
    if size.asleep > 0 {
        ensure!(
            target == Target::Tablehop && launch.at.is_none(),
            "only a Tablehop that is started here has sleeping cafés"
        );
        asleep::fill(&mut server, size.asleep)?;
        server = Running::start_on(target, launch, server.data()?)?;
    }
    let report = with(&server, target, size).with_context(|| server.said());
    server.ask_to_end()?;
    report
}

fn with(server: &Running, target: Target, size: Size) -> Result<Report> {
    let Size { people, tables, rate, seconds, facilitators, still, asleep } = size;
    let watchers = if target == Target::Tablehop { facilitators } else { 0 };
    let empty = server.resident_kib()?;
    let mut crowd = Crowd::new(target, server.address, people, watchers, tables)?;
    let began = Instant::now();
    let cafe = gather(&mut crowd, server, people, tables)?;
    let joined = began.elapsed();
    let first = to_tables(&mut crowd, cafe.as_ref(), people, 0)?;

    let pace = people as f64 * rate;
    crowd.write_for(WARM, pace)?;
    let (cpu, own) = (server.cpu_micros()?, proc::cpu_micros(std::process::id())?);
    let (delivered, began) = (crowd.ledger.delivered, Instant::now());
    crowd.ledger.time();
    let written = crowd.write_for(Duration::from_secs(seconds), pace)?;
    let wall = began.elapsed().as_micros() as f64;
    let cpu = server.cpu_micros()?.zip(cpu).map(|(after, before)| after - before);
    let own = proc::cpu_micros(std::process::id())? - own;
    let delivered = crowd.ledger.delivered - delivered;
    drain(&mut crowd)?;
    crowd.ledger.stop_timing();
    let resident = server.resident_kib()?.zip(empty).map(|(after, before)| after.saturating_sub(before));

    let mut rotation = None;
    if !still && target != Target::Relay && crowd.ledger.missing == 0 {
        rotation = Some(to_tables(&mut crowd, cafe.as_ref(), people, 1)?);
        // Everybody hears everybody at the new table.
        crowd.write_for(Duration::from_secs_f64(1.0 / rate.max(0.2)), pace)?;
        drain(&mut crowd)?;
    }
    let (documents, replicas) = compare(&mut crowd)?;

    let mut latencies = std::mem::take(&mut crowd.ledger.latencies);
    latencies.sort_unstable();
    Ok(Report {
        target: target.name(),
        people,
        tables,
        rate,
        seconds,
        asleep,
        edits: written.edits,
        deliveries: latencies.len() as u64,
        losses: crowd.ledger.missing,
        p50: millis(&latencies, 0.50),
        p95: millis(&latencies, 0.95),
        p99: millis(&latencies, 0.99),
        max: millis(&latencies, 1.0),
        cpu_per_delivery: cpu.map(|cpu| cpu / delivered.max(1) as f64),
        server_cpu: cpu.map(|cpu| cpu / wall),
        own_cpu: own / wall,
        late_p99: millis(&written.late, 0.99),
        kib_per_connection: resident.map(|kib| kib as f64 / people as f64),
        joined: joined.as_secs_f64(),
        seated: first.seated.as_secs_f64(),
        first_live: first.live.as_secs_f64(),
        rotation_seated: rotation.map(|moved| moved.seated.as_secs_f64()),
        rotation: rotation.map(|moved| moved.live.as_secs_f64()),
        views: crowd.views.0,
        views_kib: crowd.views.1 / 1024,
        resyncs: crowd.resyncs,
        documents,
        replicas,
        faults: faults(&mut crowd),
    })
}

fn faults(crowd: &mut Crowd) -> Vec<String> {
    let mut faults = std::mem::take(&mut crowd.faults);
    for (count, what) in [(crowd.ledger.twice, "twice"), (crowd.ledger.stray, "at the wrong table")] {
        if count > 0 {
            faults.push(format!("{count} deliveries came {what}"));
        }
    }
    faults
}

fn millis(ascending: &[u32], part: f64) -> f64 {
    let last = ascending.len().saturating_sub(1);
    let index = ((ascending.len() as f64 * part) as usize).min(last);
    ascending.get(index).map_or(0.0, |micros| f64::from(*micros) / 1e3)
}

/// Everybody joins and, where one socket is for all documents, connects.
fn gather(crowd: &mut Crowd, server: &Running, people: usize, tables: usize) -> Result<Option<Cafe>> {
    let cafe = match crowd.target {
        Target::Tablehop => {
            let cafe = Cafe::open(&format!("http://{}", server.address), tables, people)?;
            crowd.workshop = cafe.id();
            let tokens = cafe.join(people)?;
            for (person, token) in crowd.people.iter_mut().zip(tokens) {
                person.token = token;
            }
            crowd.people[people..].iter_mut().for_each(|watcher| watcher.token = cafe.facilitator_token());
            Some(cafe)
        }
        // Any token will do.
        Target::Hocuspocus | Target::Relay | Target::YWebsocket => None,
        Target::YSweet => {
            make_documents(server, tables)?;
            None
        }
    };
    if crowd.target == Target::Tablehop {
        for who in 0..crowd.people.len() {
            crowd.connect(who)?;
            if who % CONNECTING == CONNECTING - 1 {
                let first = who + 1 - CONNECTING;
                crowd.until("connecting", PATIENCE, |crowd| {
                    Ok(crowd.people[first..=who].iter().all(|person| person.socket.open))
                })?;
            }
        }
        // Their first view, and with it what the server does for newcomers, is over.
        let all = crowd.people.len() as u64;
        crowd.until("the first views", PATIENCE, |crowd| Ok(crowd.views.0 >= all))?;
    }
    Ok(cafe)
}

/// y-sweet opens only documents that were made before.
fn make_documents(server: &Running, tables: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let http = reqwest::Client::new();
        for table in 0..tables {
            let body = serde_json::json!({ "docId": Target::YSweet.document("", table) });
            let answer = http.post(format!("http://{}/doc/new", server.address)).json(&body).send().await?;
            answer.error_for_status()?;
        }
        Ok(())
    })
}

/// Everybody to their table of a round, and live there.
fn to_tables(crowd: &mut Crowd, cafe: Option<&Cafe>, people: usize, round: usize) -> Result<Moved> {
    if let (Some(cafe), 1..) = (cafe, round) {
        cafe.end_round()?;
        // What people are told of it is out of the way.
        let quiet = Instant::now() + QUIET;
        crowd.until("a quiet moment", PATIENCE, |_| Ok(Instant::now() > quiet))?;
    }
    crowd.stand_up();
    let began = Instant::now();
    match cafe {
        Some(cafe) => {
            let command = cafe.next_round();
            let moved = crowd.settle_in(began, PATIENCE, &[]);
            if moved.is_ok() || command.is_finished() {
                // If it was refused, nobody was seated, and this says why.
                cafe::done(command)?;
            }
            moved
        }
        None => {
            let tables = crowd.tables.len();
            // Neighbours part: each seat moves on by its own number of tables.
            let seats = people.div_ceil(tables);
            let moving: Vec<(usize, usize)> =
                (0..people).map(|who| (who, (who / seats + round * (who % seats + 1)) % tables)).collect();
            crowd.settle_in(began, PATIENCE, &moving)
        }
    }
}

fn drain(crowd: &mut Crowd) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    let (mut before, mut since) = (u64::MAX, Instant::now());
    while crowd.ledger.missing > 0 && Instant::now() < end && since.elapsed() < STANDSTILL {
        if crowd.ledger.missing < before {
            (before, since) = (crowd.ledger.missing, Instant::now());
        }
        crowd.turn(Duration::from_millis(20))?;
    }
    Ok(())
}

/// Reads every table's document from the server: all edits are in it, once, and it is what witnesses have.
fn compare(crowd: &mut Crowd) -> Result<(usize, usize)> {
    if crowd.target == Target::Relay {
        return Ok((0, 0));
    }
    let used: Vec<usize> = (0..crowd.tables.len()).filter(|table| !crowd.tables[*table].is_empty()).collect();
    for &table in &used {
        crowd.ask_for_document(table)?;
        crowd.turn(Duration::ZERO)?;
    }
    let count = used.len();
    crowd.until("the documents", PATIENCE, |crowd| Ok(crowd.documents.len() == count))?;
    let written = crowd.ledger.by_table(crowd.tables.len());
    let (mut whole, mut equal) = (0, 0);
    for &table in &used {
        let doc = fold([&crowd.documents[&table]])?;
        let board = table_board(&doc);
        let mut found: Vec<usize> = board.notes.iter().flat_map(|note| numbers(note.text.as_bytes())).collect();
        found.sort_unstable();
        let mut problems = Vec::new();
        if found == written[table] {
            whole += 1;
        } else {
            let (found, written): (BTreeSet<_>, BTreeSet<_>) =
                (found.into_iter().collect(), written[table].iter().copied().collect());
            problems.push(format!("table {table} lacks {} edits", written.difference(&found).count()));
        }
        for who in &crowd.tables[table] {
            if let Some(heard) = crowd.heard.get(who) {
                if table_board(&fold(heard)?) == board {
                    equal += 1;
                } else {
                    problems.push(format!("{who} has another document than table {table}"));
                }
            }
        }
        crowd.faults.extend(problems);
    }
    Ok((whole, equal))
}

pub fn fold<'a>(updates: impl IntoIterator<Item = &'a Vec<u8>>) -> Result<Doc> {
    let doc = new_doc(1);
    let mut txn = doc.transact_mut();
    for update in updates {
        txn.apply_update(Update::decode_v1(update)?)?;
    }
    drop(txn);
    Ok(doc)
}
