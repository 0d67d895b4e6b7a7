//! A real server on a disk that misbehaves: full, failing, unreadable. killed.rs and power.rs have what is cut off in the middle.

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::disk::Disk;
use harness::guest::Guest;
use harness::raw::{Heard, Raw, auth};
use harness::running::at_work;
use harness::server::Server;
use shared::board::view::NoteKind;
use shared::id::{BoardKind, TableId};
use shared::wire::frame::ServerMessage;
use shared::workshop::Command;
use shared::workshop::view::{Alert, Part, View};

const TABLE: TableId = TableId(1);
const BOTH: [TableId; 2] = [TableId(1), TableId(2)];

fn alerts(view: &View) -> &[Alert] {
    match &view.part {
        Part::Facilitator(part) => &part.alerts,
        _ => &[],
    }
}

/// Nothing can be trusted after a sync that failed: the process ends, and says why.
#[tokio::test(flavor = "multi_thread")]
async fn d11_a_failed_sync_stops_the_process() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, guest) = at_work(&server).await?;
    cafe.facilitator.open(BoardKind::Table(TABLE)).await?;
    guest.write(TABLE, NoteKind::Idea, "之前", None)?;
    guest.saved().await?;

    disk.fail_syncs(true)?;
    guest.write(TABLE, NoteKind::Idea, "之中", None)?;
    assert_eq!(server.ended().await?, Some(74));
    let log = server.log();
    assert!(log.contains("failed while syncing") && log.contains("tablehop verify"), "{log}");
    guest.until("the end of the connection", |guest| (!guest.is_connected()).then_some(())).await?;
    assert_eq!(guest.with(BoardKind::Table(TABLE), |replica| replica.is_saved()), Some(false), "not acknowledged");
    let shown = cafe.facilitator.table_board(TABLE).unwrap_or_default();
    assert!(shown.notes.iter().all(|note| note.text != "之中"), "nor shown to anybody");
    assert!(disk.counts()?.refused > 0);

    // On the disk as it is, it does not even start.
    let refused = server.restart().await.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(refused.contains("failed while syncing"), "{refused}");
    disk.fail_syncs(false)?;
    server.restart().await?;
    guest.connect().await?;
    guest.saved().await?;
    let mut found = cafe.stored(&server, &BOTH).await?;
    found.sort();
    assert_eq!(found, ["之中", "之前"]);
    Ok(())
}

/// Full in the middle of a batch: everybody may only read, the facilitator is told, and nothing is acknowledged until there is room.
#[tokio::test(flavor = "multi_thread")]
async fn d12_a_full_disk_is_survived() -> Result<()> {
    let disk = Disk::new()?;
    let server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let cafe = Cafe::open(&server, &small(2, 1, 200.0)).await?;
    let guests = cafe.guests(6).await?;
    let tables = cafe.next_round(&guests).await?;
    guests[0].write(tables[0], NoteKind::Idea, "之前", None)?;
    guests[0].saved().await?;

    // Room for a page or two, and not for what everybody writes.
    disk.leave_room(Some(9_000))?;
    let long = "字".repeat(2_000);
    let mut written = vec!["之前".to_owned()];
    for (guest, table) in guests.iter().zip(&tables) {
        for count in 0..5 {
            let text = format!("{} {count} {long}", guest.name);
            guest.write(*table, NoteKind::Pain, &text, None)?;
            written.push(text);
        }
    }
    cafe.facilitator.sees("that the disk is full", |view| alerts(view).contains(&Alert::DiskFull)).await?;
    for (guest, table) in guests.iter().zip(&tables) {
        let board = BoardKind::Table(*table);
        guest
            .until("the board is read-only", |guest| guest.with(board, |replica| replica.read_only)?.then_some(()))
            .await?;
    }
    let unsaved = || {
        let waits = |(guest, table): (&Guest, &TableId)| guest.with(BoardKind::Table(*table), |r| !r.is_saved());
        guests.iter().zip(&tables).filter(|pair| waits(*pair) == Some(true)).count()
    };
    assert_eq!(unsaved(), guests.len(), "nobody was told that it is saved");
    // Also what would fit: a command, a vote, a new guest, another café. What has been done already is still answered.
    let refused = cafe.steer(Command::LockBoards { locked: true }).await.err().context("a command")?;
    assert_eq!(code_of(&refused), Some("store_full"));
    let refused = server.api.join(&cafe.created.join_code, "晚到的人", None).await.err().context("a guest")?;
    assert_eq!(code_of(&refused), Some("store_full"));
    let refused = Cafe::open(&server, &small(2, 1, 200.0)).await.err().context("another café")?;
    assert_eq!(code_of(&refused), Some("store_full"));
    let again = server.api.join(&cafe.created.join_code, &guests[0].name, Some(&guests[0].token)).await?;
    assert_eq!(again.participant, guests[0].id);
    // What is written meanwhile waits as well.
    let late = guests[1].write(tables[1], NoteKind::Idea, "磁盘满时写的", None)?;
    written.push("磁盘满时写的".to_owned());

    disk.leave_room(None)?;
    cafe.facilitator.sees("that all is well again", |view| alerts(view).is_empty()).await?;
    for guest in &guests {
        guest.saved().await?;
    }
    assert!(disk.counts()?.refused > 0);
    let board = guests[1].table_board(tables[1]).unwrap_or_default();
    assert!(board.notes.iter().any(|note| note.id == late));
    let mut found = cafe.stored(&server, &BOTH).await?;
    found.sort();
    written.sort();
    assert_eq!(found, written, "each of them once");
    Ok(())
}

/// Killed while there is no room, and started again on the same full disk: what was acknowledged can be read, by somebody who has nothing of
/// it, and nothing is written until there is room.
#[tokio::test(flavor = "multi_thread")]
async fn d3_d12_a_server_starts_on_a_full_disk_and_serves_what_was_acknowledged() -> Result<()> {
    for stopped in [false, true] {
        let disk = Disk::new()?;
        let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
        let (cafe, guest) = at_work(&server).await?;
        disk.leave_room(Some(500_000))?;
        let mut acknowledged = Vec::new();
        for count in 0.. {
            ensure!(count < 1_000, "the disk is never full");
            let text = format!("第 {count} 条 {}", "字".repeat(50));
            guest.write(TABLE, NoteKind::Idea, &text, None)?;
            let board = BoardKind::Table(TABLE);
            let saved = guest.until("saved, or read-only", |guest| {
                guest.with(board, |replica| (replica.is_saved() || replica.read_only).then(|| replica.is_saved()))?
            });
            if !saved.await? {
                break;
            }
            acknowledged.push(text);
        }
        ensure!(acknowledged.len() > 5, "only {} notes fitted", acknowledged.len());
        disk.leave_room(Some(0))?;
        if stopped {
            server.stop().await?;
        } else {
            server.kill().await?;
        }
        server.restart().await?;
        let mut found = cafe.stored(&server, &BOTH).await?;
        found.retain(|text| acknowledged.contains(text));
        assert_eq!(found.len(), acknowledged.len(), "stopped: {stopped}");
        cafe.facilitator.connect().await?;
        cafe.facilitator.sees("that the disk is full", |view| alerts(view).contains(&Alert::DiskFull)).await?;

        disk.leave_room(None)?;
        cafe.facilitator.sees("that all is well again", |view| alerts(view).is_empty()).await?;
        guest.connect().await?;
        guest.saved().await?;
        assert_eq!(cafe.stored(&server, &BOTH).await?.len(), acknowledged.len() + 1, "what waited is stored");
    }
    Ok(())
}

/// A sync of the database fails, where the log is folded, and not one of the log, on which commits wait.
#[tokio::test(flavor = "multi_thread")]
async fn d11_a_failed_sync_while_the_log_is_folded_stops_the_process_too() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env_that_folds()?).await?;
    let (cafe, guest) = at_work(&server).await?;
    disk.fail_syncs_of_the_database()?;
    let mut acknowledged = Vec::new();
    for count in 0.. {
        ensure!(count < 1_000, "the log is never folded");
        let text = format!("第 {count} 条");
        guest.write(TABLE, NoteKind::Idea, &text, None)?;
        let saved = guest.until("saved, or the end of the connection", |guest| {
            let saved = guest.with(BoardKind::Table(TABLE), |replica| replica.is_saved())?;
            (saved || !guest.is_connected()).then_some(saved)
        });
        if !saved.await? {
            break;
        }
        acknowledged.push(text);
    }
    assert_eq!(server.ended().await?, Some(74));
    let log = server.log();
    assert!(log.contains("folding the write-ahead log failed") && log.contains("tablehop verify"), "{log}");
    assert!(disk.counts()?.refused > 0);
    disk.fail_syncs(false)?;
    server.restart().await?;
    let found = cafe.stored(&server, &BOTH).await?;
    assert!(acknowledged.iter().all(|text| found.contains(text)), "{found:?} of {acknowledged:?}");
    Ok(())
}

/// The disk does not give a board: nobody is let in as if it were empty, and nothing is written over it.
#[tokio::test(flavor = "multi_thread")]
async fn d14_a_board_that_the_disk_does_not_give_lets_nobody_in() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, guest) = at_work(&server).await?;
    guest.write(TABLE, NoteKind::Idea, "之前", None)?;
    guest.saved().await?;
    server.stop().await?;
    server.restart().await?;
    let rows = || -> Result<i64> {
        let db = rusqlite::Connection::open(disk.data().join("tablehop.db"))?;
        Ok(db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0))?)
    };
    let before = rows()?;
    disk.fail_reads(true)?;
    let mut raw = Raw::open(&server).await?;
    let board = guest.address(BoardKind::Table(TABLE));
    raw.says(&board, auth(&cafe.created.facilitator_token)).await?;
    let denied = ServerMessage::Denied { reason: "store_unavailable".into() };
    assert_eq!(raw.next().await?, Heard::Message(denied), "told so, and not thrown out");
    // Who was there before writes on; nothing of it is taken for the beginning of a board.
    guest.write(TABLE, NoteKind::Idea, "之后", None)?;
    let _ = guest.connect().await;
    assert!(disk.counts()?.refused > 0);
    assert_eq!(rows()?, before);
    disk.fail_reads(false)?;
    guest.connect().await?;
    guest.saved().await?;
    assert_eq!(cafe.stored(&server, &BOTH).await?.len(), 2);
    Ok(())
}
