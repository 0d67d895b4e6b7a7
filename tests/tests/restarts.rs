//! The server ends, and the café goes on: in every phase, with commands and edits under way, killed and stopped.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::disk::Disk;
use harness::guest::Guest;
use harness::running::running;
use harness::server::Server;
use serde_json::Value;
use shared::board::view::NoteKind;
use shared::board::{action, theme};
use shared::id::{ActionId, BoardKind, NoteId, TableId, ThemeId};
use shared::workshop::state::Verdict;
use shared::workshop::{Command, Phase, Settings};
use tokio::io::AsyncWriteExt;

/// What of a café must survive: everything but the time, and who happens to be connected and busy. Notes are counted from the boards, with a second's delay; they are looked
/// for themselves, at the end.
async fn lasting(server: &Server, cafe: &Cafe, token: &str) -> Result<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for passing in ["now", "online", "last_edit", "activity", "notes"] {
                    fields.remove(passing);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut view = serde_json::to_value(server.api.view(&cafe.created.id, token).await?)?;
    strip(&mut view);
    Ok(view)
}

/// SIGKILL, start, and the same café for all roles.
async fn survives(server: &mut Server, cafe: &Cafe, guests: &[Guest], moment: &str) -> Result<()> {
    for guest in guests {
        guest.saved().await?;
    }
    let tokens = [&cafe.created.facilitator_token, &guests[0].token, &guests[3].token, &cafe.created.review_token];
    let mut before = Vec::new();
    for token in tokens {
        before.push(lasting(server, cafe, token).await?);
    }
    server.kill().await?;
    server.restart().await?;
    for (token, before) in tokens.into_iter().zip(before) {
        let after = lasting(server, cafe, token).await?;
        ensure!(after == before, "{moment}: after the restart\n{after:#}\nbefore\n{before:#}");
    }
    for guest in guests.iter().chain([&cafe.facilitator]) {
        guest.until("the lost connection", |g| (!g.is_connected()).then_some(())).await?;
        guest.connect().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_w1_a_restart_in_every_phase_changes_nothing() -> Result<()> {
    let mut server = Server::start().await?;
    let mut body = small(2, 2, 60.0);
    body.settings = body.settings.map(|s| Settings { moving_seconds: 600, ..s });
    let cafe = Cafe::create(&server.api, &body).await?;
    let boss = &cafe.facilitator;
    cafe.go_to(Phase::Lobby).await?;
    let guests = cafe.guests(4).await?;
    let set =
        Command::SetTable { table: TableId(1), topic: "收房".into(), question: "第一天怎样才安心？".into() };
    cafe.steer(set).await?;
    survives(&mut server, &cafe, &guests, "lobby").await?;

    cafe.steer(Command::NextRound).await?;
    survives(&mut server, &cafe, &guests, "while people move").await?;
    cafe.steer(Command::StartRound).await?;
    let table = guests[0].until("a seat", Guest::seat).await?.table.id;
    guests[0].open(BoardKind::Table(table)).await?;
    guests[0].write(table, NoteKind::Pain, "等了两小时", None)?;
    survives(&mut server, &cafe, &guests, "in a round").await?;
    cafe.steer(Command::PauseRound).await?;
    guests[0].write(table, NoteKind::Idea, "预约时段", None)?;
    survives(&mut server, &cafe, &guests, "paused").await?;
    cafe.steer(Command::ResumeRound).await?;
    cafe.steer(Command::EndRound).await?;
    cafe.steer(Command::LockBoards { locked: true }).await?;
    survives(&mut server, &cafe, &guests, "a round that is over").await?;

    cafe.go_to(Phase::Gallery).await?;
    survives(&mut server, &cafe, &guests, "gallery").await?;
    cafe.go_to(Phase::Harvest).await?;
    cafe.steer(Command::SetHelper { participant: guests[3].id.clone(), helper: true }).await?;
    let themes = [ThemeId::from("t1"), ThemeId::from("t2")];
    boss.open(BoardKind::Harvest).await?;
    boss.edit(BoardKind::Harvest, |txn, r| {
        theme::create(txn, &r.harvest, &themes[0], "主题一", 0.0);
        theme::create(txn, &r.harvest, &themes[1], "主题二", 1.0);
    })?;
    boss.saved().await?;
    survives(&mut server, &cafe, &guests, "harvest").await?;

    cafe.go_to(Phase::Vote).await?;
    guests[0].command(Command::CastVote { theme: themes[0].clone(), dots: 2 }).await?;
    survives(&mut server, &cafe, &guests, "an open vote").await?;
    guests[3].command(Command::CastVote { theme: themes[1].clone(), dots: 1 }).await?;
    cafe.steer(Command::CloseVote).await?;
    survives(&mut server, &cafe, &guests, "a closed vote").await?;

    cafe.go_to(Phase::Plan).await?;
    boss.open(BoardKind::Plan).await?;
    let id = ActionId::from("a1");
    boss.edit(BoardKind::Plan, |txn, r| {
        let new = action::NewAction {
            id: id.clone(),
            order: 0.0,
            title: "当天回访".into(),
            reason: String::new(),
            stage: String::new(),
            themes: vec![themes[0].clone()],
            sources: Vec::new(),
        };
        action::create(txn, &r.plan, new);
    })?;
    boss.saved().await?;
    survives(&mut server, &cafe, &guests, "plan").await?;
    cafe.go_to(Phase::Review).await?;
    let decide =
        Command::Decide { action: id, verdict: Verdict::Decline, reason: "明年再议".into(), name: "王总".into() };
    server.api.command(&cafe.created.id, &cafe.created.review_token, &decide).await?;
    survives(&mut server, &cafe, &guests, "review").await?;
    cafe.go_to(Phase::Closed).await?;
    survives(&mut server, &cafe, &guests, "closed").await?;

    let export = server.api.export(&cafe.created.id, &cafe.created.facilitator_token, "json").await?;
    for words in ["等了两小时", "预约时段", "主题二", "当天回访", "明年再议"] {
        ensure!(export.contains(words), "{words} is missing after thirteen restarts");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn w12_a_retried_command_acts_once_across_a_crash() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 3, 60.0)).await?;
    cafe.guests(4).await?;
    let (id, token) = (&cafe.created.id, &cafe.created.facilitator_token);
    let seq = async |server: &Server| anyhow::Ok(server.api.view(id, token).await?.seq);
    let extend = Command::ExtendRound { minutes: 5 };
    cafe.steer(Command::NextRound).await?;
    let ends = async |server: &Server| anyhow::Ok(server.api.view(id, token).await?.round.context("a round")?);
    let before = (seq(&server).await?, ends(&server).await?);

    // Sent, and the connection dropped before any answer: nobody knows what became of it.
    let body = serde_json::to_string(&extend)?;
    let request = format!(
        "POST /api/workshops/{id}/commands HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: \"one\"\r\nContent-Length: {}\r\n\r\n{body}",
        server.port(),
        body.len()
    );
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await?;
    socket.write_all(request.as_bytes()).await?;
    cafe.facilitator.sees("five minutes more", |view| view.seq > before.0).await?;
    drop(socket);
    let first = server.api.command_once(id, token, "one", &extend).await?;
    assert_eq!((first.len(), seq(&server).await?), (1, before.0 + 1));
    // The same from twenty devices at once, then after a crash.
    let again = (0..20).map(|_| server.api.command_once(id, token, "one", &extend));
    for answer in futures_util::future::join_all(again).await {
        assert_eq!(answer?, first);
    }
    server.kill().await?;
    server.restart().await?;
    assert_eq!(server.api.command_once(id, token, "one", &extend).await?, first);
    assert_eq!(seq(&server).await?, before.0 + 1);
    // A new key is a new command; without one, each counts.
    server.api.command_once(id, token, "two", &extend).await?;
    server.api.command(id, token, &extend).await?;
    assert_eq!(seq(&server).await?, before.0 + 3);

    let mistaken = server.api.command_once(id, token, "one", &Command::EndRound).await;
    assert_eq!(mistaken.err().as_ref().and_then(code_of), Some("idempotency_key_reused"));
    let unreadable = server.api.command_once(id, token, &"k".repeat(65), &extend).await;
    assert_eq!(unreadable.err().as_ref().and_then(code_of), Some("bad_idempotency_key"));
    assert_eq!(seq(&server).await?, before.0 + 3);
    Ok(())
}

/// SIGTERM while everybody writes: whoever was told "saved" was told the truth, everybody is told to come back, and it does not take long.
#[tokio::test(flavor = "multi_thread")]
async fn o3_a_stop_in_mid_typing_loses_nobody() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(4, 1, 60.0)).await?;
    let guests = cafe.guests(16).await?;
    let tables = cafe.next_round(&guests).await?;
    let writers = guests.iter().zip(&tables).map(|(guest, table)| {
        let (guest, table) = (guest.clone(), *table);
        tokio::spawn(async move {
            let mut written: Vec<NoteId> = Vec::new();
            while guest.is_connected() {
                written.push(guest.write(table, NoteKind::Idea, &format!("停机 {}", written.len()), None)?);
                // Never far ahead of the acknowledgements, never waiting for them.
                let ahead = written.len().saturating_sub(8);
                guest
                    .until("room for more", |g| {
                        let acknowledged = g.with(BoardKind::Table(table), |r| r.acknowledged)?;
                        (acknowledged >= ahead || !g.is_connected()).then_some(())
                    })
                    .await?;
            }
            anyhow::Ok(written)
        })
    });
    let writers: Vec<_> = writers.collect();
    for (guest, table) in guests.iter().zip(&tables) {
        guest
            .until("a few acknowledgements", |g| {
                g.with(BoardKind::Table(*table), |r| r.acknowledged).filter(|n| *n >= 20)
            })
            .await?;
    }
    let started = Instant::now();
    assert_eq!(server.stop().await?, Some(0));
    let took = started.elapsed();
    ensure!(took < Duration::from_secs(10), "stopping took {took:?}");
    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await??);
    }
    for guest in &guests {
        assert_eq!(guest.closed(), Some((1012, "restart".to_owned())), "{} is told to come back", guest.name);
    }
    // What had been acknowledged by then is there before anybody has come back to send it again.
    server.restart().await?;
    let boss = &cafe.facilitator;
    boss.connect().await?;
    let (mut acknowledged, mut pending) = (0, 0);
    for ((guest, table), notes) in guests.iter().zip(&tables).zip(&written) {
        boss.open(BoardKind::Table(*table)).await?;
        let board = boss.table_board(*table).unwrap_or_default();
        let known = guest.with(BoardKind::Table(*table), |r| r.acknowledged).unwrap_or_default();
        for note in &notes[..known] {
            ensure!(board.notes.iter().any(|n| n.id == *note), "{note} of {} was acknowledged and is gone", guest.name);
        }
        acknowledged += known;
        pending += notes.len() - known;
    }
    println!("stopped in {took:?}; {acknowledged} notes acknowledged, {pending} on their way");
    ensure!(acknowledged >= 320 && pending > 0, "{acknowledged} acknowledged, {pending} on their way");
    // And what had not arrives with those who come back.
    for guest in &guests {
        guest.connect().await?;
        guest.saved().await?;
    }
    for (table, notes) in tables.iter().zip(&written) {
        boss.until("every note", |f| {
            let board = f.table_board(*table)?;
            notes.iter().all(|note| board.notes.iter().any(|n| n.id == *note)).then_some(())
        })
        .await?;
    }
    Ok(())
}

/// A disk that does not answer any more keeps nobody from stopping the server, and what it kept is there.
#[tokio::test(flavor = "multi_thread")]
async fn o3_a_disk_that_hangs_does_not_hold_up_the_end() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, guests, tables) = running(&server, 2, 2).await?;
    let (guest, table) = (&guests[0], tables[0]);
    guest.write(table, NoteKind::Idea, "之前", None)?;
    guest.saved().await?;
    disk.stall()?;
    guest.write(table, NoteKind::Idea, "之中", None)?;
    // An answer within the 20 seconds after which supervisors kill.
    assert_eq!(server.stop().await?, Some(74));
    assert!(server.log().contains("does not answer"), "{}", server.log());
    assert_eq!(guest.with(BoardKind::Table(table), |replica| replica.is_saved()), Some(false), "not acknowledged");
    let server = Server::start_in(&disk.data()).await?;
    let found = cafe.stored(&server, &[table]).await?;
    assert!(found.contains(&"之前".to_owned()), "{found:?}");
    Ok(())
}
