//! A right that is taken away in the middle of a flood of edits, on the sockets of a real process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use harness::cafe::Cafe;
use harness::disk::stored;
use harness::guest::Guest;
use harness::raw::{Heard, Raw, frame, string_at_root, update, yjs_sync};
use harness::running::{board_of, running};
use harness::server::Server;
use server::clock;
use shared::id::{BoardKind, TableId};
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::workshop::{Command, Recorded};
use yrs::{ReadTxn, Text, Transact};

/// Edits sent as fast as they can be, as many as a connection may send at once; then as many a second as it may.
const AT_ONCE: u32 = 1_900;
const APART: Duration = Duration::from_millis(20);
/// For how long those go on who do not care for what they are told, after the right was taken away (milliseconds).
const GO_ON: u64 = 2_500;
const CLIENT: u64 = 4_242;

/// When the floods end, and how much has been sent of each by now.
#[derive(Default)]
struct Floods {
    until: AtomicU64,
    sent: [AtomicU32; 3],
}

impl Floods {
    /// Counts an edit of this flood as sent; `false` if it is over. Keeps its rate.
    async fn goes_on(&self, flood: usize) -> bool {
        let sent = self.sent[flood].fetch_add(1, Ordering::Relaxed);
        if sent >= AT_ONCE {
            tokio::time::sleep(APART).await;
        } else if sent.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
        let until = self.until.load(Ordering::Relaxed);
        until == 0 || clock::now() < until
    }
}

/// What is there afterwards.
struct Flooded {
    server: Server,
    cafe: Cafe,
    /// Whoever wrote on our client.
    ours: Guest,
}

/// Three people at tables of their own, each in full flood: on our client, on another one, and on the other socket.
async fn taken_away(command: impl Fn(&Guest) -> Command) -> Result<Flooded> {
    let server = Server::start().await?;
    let (cafe, guests, seats) = running(&server, 3, 6).await?;
    let tables = [TableId(1), TableId(2), TableId(3)];
    let mut people = Vec::new();
    let mut received = Vec::new();
    for table in tables {
        let seat = seats.iter().position(|seat| *seat == table).context("nobody sits there")?;
        people.push(guests[seat].clone());
        cafe.facilitator.open(BoardKind::Table(table)).await?;
        received.push(cafe.facilitator.with(BoardKind::Table(table), |r| r.received).context("a board")?);
    }
    let boards = tables.map(|table| board_of(&cafe, table));
    let Address::Board(on_yjs) = &boards[2] else { bail!("a board") };
    let mut other = Raw::signed(&server, &boards[1], &people[1].token).await?;
    let mut yjs = Raw::yjs(&server, on_yjs, &people[2].token).await?;

    let floods = Arc::new(Floods::default());
    let ours = {
        let (floods, ours) = (floods.clone(), people[0].clone());
        tokio::spawn(async move {
            while floods.goes_on(0).await {
                ours.edit(BoardKind::Table(TableId(1)), |txn, replica| replica.table.so_far.push(txn, "字"))?;
            }
            anyhow::Ok(())
        })
    };
    let others = {
        let (floods, board) = (floods.clone(), boards[1].clone());
        tokio::spawn(async move {
            let mut clock = 0;
            while floods.goes_on(1).await {
                let update = update(CLIENT, clock, &[string_at_root("x")]);
                other.sends(frame(&board, ClientMessage::Update { update })).await;
                clock += 1;
            }
            (other, clock)
        })
    };
    let on_yjs = {
        let floods = floods.clone();
        tokio::spawn(async move {
            let mut clock = 0;
            while floods.goes_on(2).await {
                yjs.sends(yjs_sync(2, &update(CLIENT + 1, clock, &[string_at_root("x")]))).await;
                clock += 1;
            }
            yjs
        })
    };
    for (table, before) in tables.into_iter().zip(received) {
        let seen = |guest: &Guest| guest.with(BoardKind::Table(table), |r| r.received > before).filter(|seen| *seen);
        cafe.facilitator.until("the flood", seen).await?;
    }

    let sent = |n: usize| floods.sent[n].load(Ordering::Relaxed) as usize;
    let (mut taken, mut under_way) = ([0; 3], [0; 3]);
    for (n, person) in people.iter().enumerate() {
        under_way[n] = sent(n);
        let events = cafe.steer(command(person)).await?;
        // All of them at once, where one command does it.
        taken[n] = events.last().map_or(taken[0], |event: &Recorded| event.at);
    }
    floods.until.store(taken[2] + GO_ON, Ordering::Relaxed);
    ours.await??;
    let (mut other, others_sent) = others.await?;
    let mut yjs = on_yjs.await?;
    // All that is still on its way is answered, or the connection has ended.
    let mut acknowledged = [people[0].with(BoardKind::Table(tables[0]), |r| r.acknowledged).context("a board")?, 0];
    let mut answers = 0;
    while answers < others_sent {
        match other.next_that(|message| matches!(message, ServerMessage::SyncStatus(_))).await? {
            Heard::Message(ServerMessage::SyncStatus(stored)) => {
                ensure!(!stored || acknowledged[1] == answers as usize, "it builds on one that was refused");
                acknowledged[1] += usize::from(stored);
                answers += 1;
            }
            _ => break,
        }
    }
    yjs.sends(yjs_sync(0, &[0])).await;
    let _ = yjs.next_bytes(|bytes| bytes.starts_with(&[0, 1])).await?;

    // Each row says when it was stored, and by whom.
    let rows = stored(server.data(), &cafe.created.id)?;
    for (n, person) in people.iter().enumerate() {
        let times: Vec<u64> = rows
            .iter()
            .map(|row| row.split(' ').collect::<Vec<_>>())
            .filter(|row| row[0].starts_with("board/") && row[3] == person.id.as_str())
            .map(|row| row[2].parse())
            .collect::<Result<_, _>>()?;
        let late = times.iter().filter(|at| **at > taken[n] + 1_000).count();
        assert!(late == 0 && !times.is_empty(), "{late} of {} rows of the {n}th came later than a second", times.len());
    }
    let shown = shown(&cafe, &server, &tables).await?;
    for (n, acknowledged) in acknowledged.into_iter().enumerate() {
        assert!(
            shown[n] >= acknowledged,
            "{acknowledged} edits of the {n}th were acknowledged, {} are there",
            shown[n]
        );
        assert!(shown[n] < sent(n), "nothing of the {n}th was refused, so this shows nothing");
    }
    let on_the_way = |n: usize| under_way[n].saturating_sub(shown[n]);
    assert!(on_the_way(1) + on_the_way(2) > 0, "nothing was on its way, so this shows too little");
    Ok(Flooded { server, cafe, ours: people.swap_remove(0) })
}

/// Edits of each flood that are on its board.
async fn shown(cafe: &Cafe, server: &Server, tables: &[TableId; 3]) -> Result<[usize; 3]> {
    let fresh = cafe.anew(server, tables).await?;
    let of = |table, client: u64| {
        fresh.with(BoardKind::Table(table), |r| {
            r.doc.transact().state_vector().get(&yrs::ClientID::new(client)) as usize
        })
    };
    let ours = fresh.table_board(tables[0]).context("open")?.handover.so_far.chars().count();
    Ok([ours, of(tables[1], CLIENT).context("open")?, of(tables[2], CLIENT + 1).context("open")?])
}

/// Everybody's right goes, and nobody's connection. What our client had sent or kept comes when it is given back, and once.
#[tokio::test(flavor = "multi_thread")]
async fn h21_d1_a_lock_in_the_middle_of_a_flood_of_edits_stops_it_and_loses_nothing() -> Result<()> {
    let Flooded { server, cafe, ours } = taken_away(|_| Command::LockBoards { locked: true }).await?;
    assert!(ours.with(BoardKind::Table(TableId(1)), |r| r.read_only && !r.is_saved()).context("a board")?);
    cafe.steer(Command::LockBoards { locked: false }).await?;
    ours.saved().await?;
    let made = ours.with(BoardKind::Table(TableId(1)), |r| r.made).context("a board")?;
    let there = shown(&cafe, &server, &[TableId(1), TableId(2), TableId(3)]).await?[0];
    assert_eq!(there, made, "each of them once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h21_d1_taking_somebody_out_in_the_middle_of_their_flood_of_edits_stops_it() -> Result<()> {
    taken_away(|person| Command::RemovePerson { participant: person.id.clone() }).await.map(drop)
}
