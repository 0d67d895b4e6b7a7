//! A real server that is killed between any two steps of what it does with its files. power.rs has what a power cut adds.

use anyhow::{Result, ensure};
use harness::api::{Api, code_of};
use harness::disk::Disk;
use harness::guest::Guest;
use harness::raw::{Heard, Raw};
use harness::running::at_work;
use harness::server::Server;
use shared::board::view::NoteKind;
use shared::id::{BoardId, BoardKind, TableId};
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::wire::presence;
use shared::workshop::Command;
use shared::workshop::view::Part;
use yrs::Text;

const TABLE: TableId = TableId(1);
const BOTH: [TableId; 2] = [TableId(1), TableId(2)];

/// Before and after each write and each sync of a commit. An edit that was not acknowledged comes again, and counts once.
#[tokio::test(flavor = "multi_thread")]
async fn d3_d9_killed_at_every_step_between_receipt_and_acknowledgement() -> Result<()> {
    let disk = Disk::new()?;
    let env = disk.env()?;
    killed_between_receipt_and_acknowledgement(&disk, env).await
}

/// The same while thousands write, when a commit is an entry in the journal.
#[tokio::test(flavor = "multi_thread")]
async fn d3_d9_d21_killed_at_every_step_of_a_commit_in_a_rush() -> Result<()> {
    let disk = Disk::new()?;
    let env = disk.env_of_a_rush()?;
    killed_between_receipt_and_acknowledgement(&disk, env).await
}

async fn killed_between_receipt_and_acknowledgement(disk: &Disk, env: Vec<(String, String)>) -> Result<()> {
    let mut server = Server::start_in_with(&disk.data(), env).await?;
    let (cafe, guest) = at_work(&server).await?;
    let mut written = Vec::new();
    let mut kills = 0;
    for step in 1.. {
        ensure!(step < 200, "a commit has no two hundred steps");
        let text = format!("第 {step} 步");
        let synced = disk.counts()?.syncs;
        disk.kill_in(step)?;
        guest.write(TABLE, NoteKind::Idea, &text, None)?;
        let saved = guest
            .until("saved, or the end of the connection", |guest| {
                let saved = guest.with(BoardKind::Table(TABLE), |replica| replica.is_saved())?;
                (saved || !guest.is_connected()).then_some(saved)
            })
            .await?;
        if saved {
            assert!(disk.counts()?.syncs > synced, "acknowledged, and nothing was synced");
            written.push(text);
            break;
        }
        assert_eq!(server.ended().await?, None, "killed by a signal at step {step}");
        kills += 1;
        disk.kill_in(0)?;
        server.restart().await?;
        // Before the one who wrote it returns, and mends what is missing.
        let mut found = cafe.stored(&server, &BOTH).await?;
        found.retain(|found| *found != text);
        found.sort();
        written.sort();
        assert_eq!(found, written, "what was acknowledged, after step {step}");
        guest.connect().await?;
        guest.saved().await?;
        written.push(text);
    }
    // Once more, right behind the acknowledgement; folding beside it may have come to the step as well by then.
    server.kill().await?;
    disk.kill_in(0)?;
    server.restart().await?;
    // At least: the frame's head, its page, and the sync, each before and after.
    assert!(kills >= 6, "only {kills} steps were killed");
    let mut found = cafe.stored(&server, &BOTH).await?;
    found.sort();
    written.sort();
    assert_eq!(found, written, "each of them once");
    Ok(())
}

/// Nothing is damaged in a store that nobody uses; what `verify` says of it.
async fn verified(disk: &Disk) -> Result<String> {
    let (code, report) = Server::command(&["verify", "--data", &disk.data().display().to_string()]).await?;
    assert_eq!(code, Some(0), "{report}");
    Ok(report)
}

/// Kills a server that is stopped at every `stride`th step of that, from the `first` on, until it comes to its end. Returns how often.
async fn killed_while_it_stops(first: u64, stride: u64) -> Result<u64> {
    let disk = Disk::new()?;
    // All is left for the end: of each board a snapshot, and of the log all of it.
    let mut env = disk.env()?;
    env.push(("TABLEHOP_LAST_SNAPSHOT_ROWS".into(), "1".into()));
    if first == 2 {
        // And what is in the journal, to be filed.
        env.push(("TABLEHOP_JOURNAL".into(), "100000".into()));
    }
    let mut server = Server::start_in_with(&disk.data(), env).await?;
    let (cafe, guest) = at_work(&server).await?;
    let so_far = |guest: &Guest| guest.table_board(TABLE).unwrap_or_default().handover.so_far;
    let snapshots = || -> Result<(i64, i64)> {
        let db = rusqlite::Connection::open(disk.data().join("tablehop.db"))?;
        let sql = "SELECT (SELECT coalesce(max(seq), 0) FROM snapshots WHERE stream = id), (SELECT max(seq) FROM rows WHERE stream = id)
            FROM streams WHERE name = ?1";
        let name = format!("board/{}", BoardId::table(&cafe.created.id, TABLE));
        Ok(db.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    let (mut written, mut stops) = (0, 0);
    for step in (first..).step_by(stride as usize) {
        ensure!(step < 400, "stopping has no four hundred steps");
        for _ in 0..10 {
            guest.edit(BoardKind::Table(TABLE), |txn, replica| replica.table.so_far.push(txn, "字"))?;
            written += 1;
        }
        guest.saved().await?;
        disk.kill_in(step)?;
        let stopped = server.stop().await? == Some(0);
        disk.kill_in(0)?;
        if stopped {
            // It had all that to do which the others did not come to.
            let (covered, rows) = snapshots()?;
            assert_eq!(covered, rows, "a snapshot covers everything");
            assert!(!disk.data().join("tablehop.db-wal").exists(), "all is folded");
        }
        server.restart().await?;
        // Before the one who wrote it returns, and mends what is missing.
        assert_eq!(so_far(&cafe.anew(&server, &BOTH).await?), "字".repeat(written), "after step {step}");
        if stopped {
            break;
        }
        stops += 1;
        guest.connect().await?;
        guest.saved().await?;
    }
    verified(&disk).await?;
    Ok(stops)
}

/// Snapshots are taken when a board is unloaded, and the log is folded when the store is closed.
#[tokio::test(flavor = "multi_thread")]
async fn d15_killed_at_every_step_of_taking_a_snapshot_and_folding_the_log() -> Result<()> {
    // Three at once share the steps among them: each waits most of the time, for processes that end and start.
    let (one, two, three) =
        tokio::try_join!(killed_while_it_stops(1, 3), killed_while_it_stops(2, 3), killed_while_it_stops(3, 3))?;
    assert!(one + two + three >= 24, "{one}, {two} and {three} steps were killed");
    Ok(())
}

/// Kills a server at which somebody writes at every `stride`th step, from the `first` on, until one of them comes after the log was folded
/// twice: whatever is done between two foldings, and the second itself, was under way by then at each of its steps. Returns how often it was
/// killed in the middle of folding.
async fn killed_while_it_folds(first: u64, stride: u64) -> Result<u64> {
    let disk = Disk::new()?;
    // One of three as while thousands write.
    let env = if first == 2 { disk.env_of_a_rush()? } else { disk.env_that_folds()? };
    let mut server = Server::start_in_with(&disk.data(), env).await?;
    let (cafe, guest) = at_work(&server).await?;
    let board = BoardKind::Table(TABLE);
    let so_far = |guest: &Guest| guest.table_board(TABLE).unwrap_or_default().handover.so_far.chars().count();
    let (mut acknowledged, mut amid) = (0, 0);
    for step in (first..).step_by(stride as usize) {
        ensure!(step < 1_000, "the log is never folded");
        let folds = disk.counts()?.folds;
        disk.kill_in(step)?;
        let mut made = acknowledged;
        loop {
            guest.edit(board, |txn, replica| replica.table.so_far.push(txn, "字"))?;
            made += 1;
            let saved = guest.until("saved, or the end of the connection", |guest| {
                let saved = guest.with(board, |replica| replica.is_saved())?;
                (saved || !guest.is_connected()).then_some(saved)
            });
            if !saved.await? {
                break;
            }
            acknowledged = made;
        }
        assert_eq!(server.ended().await?, None, "killed");
        disk.kill_in(0)?;
        let folded = disk.counts()?.folds - folds;
        amid += u64::from(disk.is_amid_folding());
        server.restart().await?;
        let found = so_far(&cafe.anew(&server, &BOTH).await?);
        assert!(found == acknowledged || found == made, "{found} of {acknowledged} acknowledged, step {step}");
        guest.connect().await?;
        guest.saved().await?;
        acknowledged = made;
        if folded > 1 {
            break;
        }
    }
    server.stop().await?;
    let report = verified(&disk).await?;
    assert!(!report.contains(" 0 snapshots"), "snapshots were taken of a board in use: {report}");
    Ok(amid)
}

/// The log is folded, and snapshots are taken, while people write: killed at each step of that.
#[tokio::test(flavor = "multi_thread")]
async fn d15_killed_while_the_log_is_folded_beneath_those_who_write() -> Result<()> {
    let (one, two, three) =
        tokio::try_join!(killed_while_it_folds(1, 3), killed_while_it_folds(2, 3), killed_while_it_folds(3, 3))?;
    assert!(one + two + three >= 12, "{one}, {two} and {three} were killed in the middle of folding");
    Ok(())
}

/// A guest, their client ids, and what they do: killed between receipt and answer, at every step of each.
#[tokio::test(flavor = "multi_thread")]
async fn d3_killed_at_every_step_of_a_join_and_of_a_command() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, _) = at_work(&server).await?;
    let mut kills = [0, 0, 0];
    let (mut done, mut step) = (false, 0);
    while !done {
        step += 1;
        ensure!(step < 200, "a join has no two hundred steps");
        let synced = disk.counts()?.syncs;
        disk.kill_in(step)?;
        // On a connection of its own: one that is kept may have ended with the last process.
        let api = Api::new(&server.api.base);
        let joined = api.join(&cafe.created.join_code, &format!("第 {step} 位"), None).await;
        if let Err(error) = &joined {
            ensure!(code_of(error).is_none(), "{error:#} at step {step}");
        }
        done = joined.is_ok();
        kills[0] += u32::from(!done);
        if done {
            assert!(disk.counts()?.syncs > synced, "answered, and nothing was synced");
            disk.kill_in(0)?;
            server.kill().await?;
        }
        assert_eq!(server.ended().await?, None, "killed");
        disk.kill_in(0)?;
        server.restart().await?;
        if let Ok(joined) = joined {
            let view = server.api.view(&cafe.created.id, &joined.token).await?;
            assert!(matches!(view.part, Part::Participant(_)), "{view:?}");
        }
    }
    let (mut done, mut step) = (false, 0);
    while !done {
        step += 1;
        ensure!(step < 200, "a command has no two hundred steps");
        // Other than now, for the one before may have been stored though its answer was lost.
        let (id, token) = (&cafe.created.id, &cafe.created.facilitator_token);
        let locked = !server.api.view(id, token).await?.locked;
        disk.kill_in(step)?;
        let (api, command) = (Api::new(&server.api.base), Command::LockBoards { locked });
        let answer = api.command(id, token, &command).await;
        if let Err(error) = &answer {
            ensure!(code_of(error).is_none(), "{error:#} at step {step}");
        }
        done = answer.is_ok();
        kills[1] += u32::from(!done);
        if done {
            disk.kill_in(0)?;
            server.kill().await?;
        }
        assert_eq!(server.ended().await?, None, "killed");
        disk.kill_in(0)?;
        server.restart().await?;
        if done {
            assert_eq!(server.api.view(id, token).await?.locked, locked, "it was answered");
        }
    }
    // Client ids are given out only when they are bound for good.
    let mut done = false;
    for step in 1.. {
        ensure!(step < 200, "ids have no two hundred steps");
        disk.kill_in(step)?;
        let mut raw = Raw::open(&server).await?;
        let (token, version) = (cafe.created.facilitator_token.clone(), Some(presence::CLIENT_VERSION.to_owned()));
        raw.says(&Address::Workshop(cafe.created.id.clone()), ClientMessage::Auth { token, version }).await?;
        let mut given = Vec::new();
        while given.len() < 4 {
            match raw.next().await {
                Ok(Heard::Message(ServerMessage::Assigned { client })) => given.push(client),
                Ok(Heard::Message(_)) => {}
                _ => break,
            }
        }
        done |= given.len() == 4;
        kills[2] += u32::from(given.is_empty());
        if done {
            disk.kill_in(0)?;
            server.kill().await?;
        }
        assert_eq!(server.ended().await?, None, "killed");
        disk.kill_in(0)?;
        server.restart().await?;
        let db = rusqlite::Connection::open(disk.data().join("tablehop.db"))?;
        for client in given {
            let sql = "SELECT count(*) FROM clients WHERE client = ?1";
            let bound: i64 = db.query_row(sql, [client.cast_signed()], |row| row.get(0))?;
            assert_eq!(bound, 1, "given out at step {step}");
        }
        if done {
            break;
        }
    }
    assert!(kills.iter().all(|kills| *kills >= 4), "{kills:?} steps were killed");
    Ok(())
}
