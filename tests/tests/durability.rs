//! What was acknowledged is there: after SIGKILL, after a stop, and for everybody who is shown it.

use anyhow::Result;
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use shared::board::view::NoteKind;
use shared::id::{BoardKind, TableId};
use shared::workshop::{Command, Phase, RoundStatus};

/// Everything a guest was told is saved must be on the server's disk at that moment: the process gets no chance to write afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn d1_d3_acknowledged_notes_survive_sigkill() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let guests = cafe.guests(6).await?;
    let tables = cafe.next_round(&guests).await?;
    let mut written = Vec::new();
    for round in 0..20 {
        for (guest, table) in guests.iter().zip(&tables) {
            let text = format!("第 {round} 条，来自 {} 😀", guest.name);
            written.push((*table, guest.write(*table, NoteKind::Idea, &text, None)?, text));
        }
    }
    for guest in &guests {
        guest.saved().await?;
    }
    server.kill().await?;
    server.restart().await?;

    // A device that was never here before: what it sees can only come from the disk.
    let fresh =
        Guest::with_token(&server.api, guests[0].workshop.clone(), guests[0].id.clone(), "again", &guests[0].token);
    fresh.connect().await?;
    let facilitator = cafe.anew(&server, &[TableId(1), TableId(2)]).await?;
    let mut found = 0;
    for table in [TableId(1), TableId(2)] {
        let board = facilitator.table_board(table).unwrap_or_default();
        for (_, id, text) in written.iter().filter(|(t, _, _)| *t == table) {
            let note = board.notes.iter().find(|n| n.id == *id);
            assert_eq!(note.map(|n| &n.text), Some(text), "table {table}");
            found += 1;
        }
    }
    assert_eq!(found, 120, "the test wrote what it meant to write");
    assert_eq!(fresh.sees("the view", |_| true).await?.phase, Phase::Rounds);
    Ok(())
}

/// The clock is a deadline in the log, not a countdown in memory.
#[tokio::test(flavor = "multi_thread")]
async fn w4_the_clock_survives_a_restart() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let guests = cafe.guests(4).await?;
    cafe.next_round(&guests).await?;
    let before = cafe.facilitator.sees("a running clock", |v| v.round.is_some()).await?.round;
    let seats: Vec<_> = guests.iter().map(|g| g.seat().map(|s| s.table.id)).collect();
    server.kill().await?;
    server.restart().await?;
    for (guest, seat) in guests.iter().zip(seats) {
        let view = server.api.view(&guest.workshop, &guest.token).await?;
        assert_eq!(view.round, before, "same round, same deadline");
        guest.connect().await?;
        guest.sees("the view again", |_| true).await?;
        assert_eq!(guest.seat().map(|s| s.table.id), seat);
    }
    Ok(())
}

/// A round whose time came while the server was down is over when it is back, without anybody asking.
#[tokio::test(flavor = "multi_thread")]
async fn w4_a_round_that_ended_while_the_server_was_down_is_over() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 0.05)).await?;
    let guests = cafe.guests(4).await?;
    cafe.steer(Command::NextRound).await?;
    server.kill().await?;
    server.restart().await?;
    guests[0].connect().await?;
    guests[0].sees("the end of the round", |v| v.round.as_ref().is_some_and(|r| r.status == RoundStatus::Over)).await?;
    Ok(())
}

/// What was written without a connection is sent on return, and counts as saved only then.
#[tokio::test(flavor = "multi_thread")]
async fn b2_offline_edits_are_accepted_after_being_moved() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 2, 20.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let (traveller, table) = (&guests[3], tables[3]);
    traveller.disconnect();
    let note = traveller.write(table, NoteKind::Pain, "断网时写的，一个字也不能少", None)?;
    assert_eq!(traveller.with(BoardKind::Table(table), |r| r.is_saved()), Some(false));
    let other = if table == TableId(1) { TableId(2) } else { TableId(1) };
    cafe.steer(Command::MovePerson { participant: traveller.id.clone(), table: other }).await?;

    traveller.connect().await?;
    traveller.saved().await?;
    let mate = guests.iter().zip(&tables).find(|(g, t)| **t == table && g.id != traveller.id).map(|(g, _)| g);
    let mate = mate.ok_or_else(|| anyhow::anyhow!("somebody else sits there"))?;
    mate.until("the note", |g| {
        g.table_board(table)?.notes.iter().any(|n| n.id == note && n.text.contains("一个字")).then_some(())
    })
    .await
}

/// SIGTERM: clients are told, everything is on disk, the exit code is 0.
#[tokio::test(flavor = "multi_thread")]
async fn d3_a_stop_loses_nothing() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(2).await?;
    let tables = cafe.next_round(&guests).await?;
    let note = guests[0].write(tables[0], NoteKind::Idea, "停机前", None)?;
    guests[0].saved().await?;
    assert_eq!(server.stop().await?, Some(0));
    guests[0].until("the end of the connection", |g| (!g.is_connected()).then_some(())).await?;
    let unsaved = guests[0].write(tables[0], NoteKind::Idea, "停机时", None)?;
    server.restart().await?;
    guests[0].connect().await?;
    guests[0].saved().await?;
    cafe.facilitator.connect().await?;
    cafe.facilitator.open(BoardKind::Table(tables[0])).await?;
    let board = cafe.facilitator.table_board(tables[0]).unwrap_or_default();
    assert!([note, unsaved].iter().all(|id| board.notes.iter().any(|n| n.id == *id)));
    Ok(())
}

/// A second process on the same data would tear the log.
#[tokio::test(flavor = "multi_thread")]
async fn d7_a_second_process_is_refused() -> Result<()> {
    let server = Server::start().await?;
    assert!(Server::start_in(server.data()).await.is_err());
    // The first one did not notice.
    Cafe::open(&server, &small(2, 1, 20.0)).await?;
    Ok(())
}
