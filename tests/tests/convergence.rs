//! Random edits, disconnections and rotations: in the end all replicas are equal and nothing acknowledged is missing.
//!
//! `TABLEHOP_SEED=<n> cargo test -p tablehop-tests --test convergence` repeats one plan; a failure prints the seed.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::script::scribble;
use harness::server::Server;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use shared::board::note;
use shared::board::view::{NoteKind, TableBoard};
use shared::id::{BoardKind, NoteId, TableId};
use shared::workshop::Command;

const TABLES: u16 = 3;
const PEOPLE: usize = 9;
const STEPS: usize = 400;

/// What the plan did, so that a run that did nothing fails.
#[derive(Debug, Default)]
struct Done {
    notes: usize,
    letters: usize,
    stars: usize,
    deletions: usize,
    disconnections: usize,
    returns: usize,
    rotations: usize,
    kills: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_replicas_converge_and_lose_nothing() -> Result<()> {
    let pinned = std::env::var("TABLEHOP_SEED").ok().and_then(|s| s.parse().ok());
    for seed in pinned.map_or_else(|| vec![1, 2, 3], |seed| vec![seed]) {
        run(seed).await.with_context(|| format!("TABLEHOP_SEED={seed}"))?;
    }
    Ok(())
}

async fn run(seed: u64) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(TABLES, 12, 60.0)).await?;
    let guests = cafe.guests(PEOPLE).await?;
    let mut tables = cafe.next_round(&guests).await?;
    let mut written: Vec<(TableId, NoteId)> = Vec::new();
    let mut done = Done::default();
    for step in 0..STEPS {
        let who = rng.random_range(0..PEOPLE);
        let (guest, table) = (&guests[who], tables[who]);
        match rng.random_range(0..100) {
            0..30 => {
                let words = format!("{seed}-{step} 业主👨‍👩‍👧说 {}", rng.random_range(0..1000));
                written.push((table, guest.write(table, NoteKind::Idea, &words, None)?));
                done.notes += 1;
            }
            30..70 => done.letters += usize::from(scribble(guest, table, &mut rng)?),
            70..80 => {
                if let Some(id) = any_note(guest, table, &mut rng) {
                    let up = rng.random_bool(0.7);
                    guest.edit(BoardKind::Table(table), |txn, r| {
                        note::set_star(txn, &r.table, &id, &guest.id, up);
                    })?;
                    done.stars += 1;
                }
            }
            80..85 => {
                if let Some(id) = any_note(guest, table, &mut rng) {
                    let away = rng.random_bool(0.6);
                    guest.edit(BoardKind::Table(table), |txn, r| {
                        note::set_deleted(txn, &r.table, &id, away);
                    })?;
                    done.deletions += 1;
                }
            }
            85..92 => {
                if guest.is_connected() {
                    guest.disconnect();
                    done.disconnections += 1;
                } else {
                    guest.connect().await?;
                    done.returns += 1;
                }
            }
            92..97 if !guest.is_connected() => {
                guest.connect().await?;
                done.returns += 1;
            }
            92..97 => {}
            _ if done.rotations < 4 => {
                for guest in &guests {
                    if !guest.is_connected() {
                        guest.connect().await?;
                        done.returns += 1;
                    }
                }
                cafe.steer(Command::EndRound).await?;
                tables = cafe.next_round(&guests).await?;
                done.rotations += 1;
            }
            _ => {}
        }
        if step == STEPS / 2 {
            server.kill().await?;
            server.restart().await?;
            for guest in guests.iter().chain([&cafe.facilitator]) {
                guest.until("the lost connection", |g| (!g.is_connected()).then_some(())).await?;
                guest.connect().await?;
            }
            done.kills += 1;
        }
    }
    for guest in &guests {
        if !guest.is_connected() {
            guest.connect().await?;
        }
    }
    for guest in &guests {
        guest.saved().await?;
    }

    // Everybody who has a table's board open sees what the facilitator sees.
    for table in (1..=TABLES).map(TableId) {
        cafe.facilitator.open(BoardKind::Table(table)).await?;
    }
    for table in (1..=TABLES).map(TableId) {
        let kind = BoardKind::Table(table);
        for guest in guests.iter().filter(|g| g.with(kind, |_| ()).is_some()) {
            guest
                .until(&format!("the board of table {table} to be equal"), |g| {
                    (g.table_board(table) == cafe.facilitator.table_board(table)).then_some(())
                })
                .await?;
        }
        let board = cafe.facilitator.table_board(table).unwrap_or_default();
        let there = ids(&board);
        for (_, id) in written.iter().filter(|(t, _)| *t == table) {
            ensure!(there.contains(id), "note {id} of table {table} is missing");
        }
    }
    let (made, acknowledged, received) = guests.iter().fold((0, 0, 0), |(m, a, r), g| {
        let mut sums = (m, a, r);
        for table in (1..=TABLES).map(TableId) {
            if let Some((made, acked, got)) = g.with(BoardKind::Table(table), |x| (x.made, x.acknowledged, x.received))
            {
                sums = (sums.0 + made, sums.1 + acked, sums.2 + got);
            }
        }
        sums
    });
    println!("seed {seed}: {done:?}, made {made}, acknowledged {acknowledged}, received {received}");
    ensure!(made == acknowledged, "{made} edits, {acknowledged} acknowledged");
    ensure!(made > 200 && received > made / 2, "the plan did its work");
    ensure!(done.notes > 50 && done.letters > 50 && done.stars > 5 && done.deletions > 3, "{done:?}");
    ensure!(done.disconnections > 3 && done.returns > 3 && done.rotations > 1 && done.kills == 1, "{done:?}");
    Ok(())
}

fn ids(board: &TableBoard) -> BTreeSet<NoteId> {
    board.notes.iter().map(|n| n.id.clone()).collect()
}

fn any_note(guest: &Guest, table: TableId, rng: &mut StdRng) -> Option<NoteId> {
    guest.table_board(table)?.notes.choose(rng).map(|n| n.id.clone())
}
