//! A real server on a disk that misbehaves: killed between any two steps, cut from power, full, failing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::cafe::{Cafe, small};
use harness::disk::Disk;
use harness::guest::Guest;
use harness::server::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::view::NoteKind;
use shared::id::{BoardKind, TableId};
use shared::workshop::Command;
use shared::workshop::view::{Alert, Part, View};
use yrs::Text;

const TABLE: TableId = TableId(1);

/// A café of one round at work, and a guest of table 1.
async fn at_work(server: &Server) -> Result<(Cafe, Guest)> {
    let cafe = Cafe::open(server, &small(2, 1, 200.0)).await?;
    let mut guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let index = tables.iter().position(|table| *table == TABLE).context("nobody at table 1")?;
    Ok((cafe, guests.swap_remove(index)))
}

/// Somebody who comes anew with the facilitator's link: what they see can only come from the disk.
async fn anew(server: &Server, cafe: &Cafe) -> Result<Guest> {
    let fresh = Guest::with_token(
        &server.api,
        cafe.created.id.clone(),
        cafe.facilitator.id.clone(),
        "Fresh",
        &cafe.created.facilitator_token,
    );
    fresh.connect().await?;
    for table in [TableId(1), TableId(2)] {
        fresh.open(BoardKind::Table(table)).await?;
    }
    Ok(fresh)
}

/// The texts of all notes that a server has.
async fn notes_on(server: &Server, cafe: &Cafe) -> Result<Vec<String>> {
    let fresh = anew(server, cafe).await?;
    let boards = [TableId(1), TableId(2)].map(|table| fresh.table_board(table).unwrap_or_default());
    Ok(boards.into_iter().flat_map(|board| board.notes).map(|note| note.text).collect())
}

fn alerts(view: &View) -> &[Alert] {
    match &view.part {
        Part::Facilitator(part) => &part.alerts,
        _ => &[],
    }
}

fn seed() -> u64 {
    let seed = std::env::var("TABLEHOP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    eprintln!("TABLEHOP_SEED={seed}");
    seed
}

/// Before and after each write and each sync of a commit. An edit that was not acknowledged comes again, and counts once.
#[tokio::test(flavor = "multi_thread")]
async fn d3_d9_killed_at_every_step_between_receipt_and_acknowledgement() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, guest) = at_work(&server).await?;
    let mut written = Vec::new();
    let mut kills = 0;
    for step in 1.. {
        ensure!(step < 200, "a commit has no two hundred steps");
        let text = format!("第 {step} 步");
        disk.kill_in(step)?;
        guest.write(TABLE, NoteKind::Idea, &text, None)?;
        written.push(text);
        let saved = guest
            .until("saved, or the end of the connection", |guest| {
                let saved = guest.with(BoardKind::Table(TABLE), |replica| replica.is_saved())?;
                (saved || !guest.is_connected()).then_some(saved)
            })
            .await?;
        if saved {
            break;
        }
        assert_eq!(server.ended().await?, None, "killed by a signal at step {step}");
        kills += 1;
        disk.kill_in(0)?;
        server.restart().await?;
        guest.connect().await?;
        guest.saved().await?;
    }
    disk.kill_in(0)?;
    // At least: the frame's head, its page, and the sync, each before and after.
    assert!(kills >= 6, "only {kills} steps were killed");
    let mut found = notes_on(&server, &cafe).await?;
    found.sort();
    written.sort();
    assert_eq!(found, written, "each of them once");
    Ok(())
}

/// A café at which everybody writes until the power is cut, in the middle of whatever step comes then.
struct Cut {
    disk: Disk,
    cafe: Cafe,
    /// What was acknowledged by then.
    saved: Vec<String>,
}

impl Cut {
    async fn after(steps: u64, lies: bool) -> Result<Self> {
        let disk = Disk::new()?;
        let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
        let cafe = Cafe::open(&server, &small(2, 1, 200.0)).await?;
        let guests = cafe.guests(6).await?;
        let tables = cafe.next_round(&guests).await?;
        if lies {
            disk.lie()?;
        }
        let saved: Arc<Mutex<Vec<String>>> = Arc::default();
        let writers: Vec<_> = guests
            .iter()
            .zip(&tables)
            .map(|(guest, table)| {
                let (guest, table, saved) = (guest.clone(), *table, saved.clone());
                tokio::spawn(async move {
                    for count in 0.. {
                        let text = format!("{} 写了第 {count} 条", guest.name);
                        // An error is the power cut.
                        if guest.write(table, NoteKind::Idea, &text, None).is_err() || guest.saved().await.is_err() {
                            break;
                        }
                        saved.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    }
                })
            })
            .collect();
        disk.kill_in(steps)?;
        assert_eq!(server.ended().await?, None, "killed");
        writers.iter().for_each(tokio::task::JoinHandle::abort);
        let saved = saved.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure!(saved.len() > 20, "only {} notes were acknowledged before the cut", saved.len());
        Ok(Self { disk, cafe, saved })
    }

    /// What was acknowledged and is gone, if each later sector is kept with the chance `kept`; and how many bytes are lost.
    async fn missing(&self, kept: f64, random: &mut StdRng) -> Result<(Vec<String>, usize)> {
        let after = tempfile::tempdir()?;
        let lost = self.disk.cut_power(after.path(), kept, random)?;
        let server = Server::start_in(after.path()).await?;
        let found: HashSet<String> = notes_on(&server, &self.cafe).await?.into_iter().collect();
        Ok((self.saved.iter().filter(|text| !found.contains(*text)).cloned().collect(), lost))
    }
}

/// Everything that was not synced is lost, or random sectors of it: what was acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn d10_a_power_cut_loses_nothing_that_was_acknowledged() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed());
    let mut lost = 0;
    for _ in 0..3 {
        let cut = Cut::after(random.random_range(2_000..4_000), false).await?;
        for kept in [0.0, 0.5, 0.9] {
            let (missing, bytes) = cut.missing(kept, &mut random).await?;
            lost += bytes;
            assert!(missing.is_empty(), "of {} acknowledged these are gone: {missing:?}", cut.saved.len());
        }
    }
    assert!(lost > 0, "no cut lost anything that was written, so this showed nothing");
    // And a disk that only says that it has synced is found out.
    let (missing, _) = Cut::after(2_000, true).await?.missing(0.0, &mut random).await?;
    assert!(!missing.is_empty(), "this would not notice if nothing were synced");
    Ok(())
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
    let mut found = notes_on(&server, &cafe).await?;
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
    let mut found = notes_on(&server, &cafe).await?;
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
        let mut found = notes_on(&server, &cafe).await?;
        found.retain(|text| acknowledged.contains(text));
        assert_eq!(found.len(), acknowledged.len(), "stopped: {stopped}");
        cafe.facilitator.connect().await?;
        cafe.facilitator.sees("that the disk is full", |view| alerts(view).contains(&Alert::DiskFull)).await?;

        disk.leave_room(None)?;
        cafe.facilitator.sees("that all is well again", |view| alerts(view).is_empty()).await?;
        guest.connect().await?;
        guest.saved().await?;
        assert_eq!(notes_on(&server, &cafe).await?.len(), acknowledged.len() + 1, "what waited is stored");
    }
    Ok(())
}

/// Snapshots are taken when a board is unloaded, and the log is folded when the store is closed and opened.
#[tokio::test(flavor = "multi_thread")]
async fn d15_killed_at_every_step_of_taking_a_snapshot_and_folding_the_log() -> Result<()> {
    let disk = Disk::new()?;
    let mut server = Server::start_in_with(&disk.data(), disk.env()?).await?;
    let (cafe, guest) = at_work(&server).await?;
    let mut written = 0;
    let (mut stops, mut starts) = (0, 0);
    let (mut step, mut stopped) = (1, false);
    while !stopped {
        ensure!(step < 400, "stopping has no four hundred steps");
        // Enough for a snapshot.
        for _ in 0..101 {
            guest.edit(BoardKind::Table(TABLE), |txn, replica| replica.table.so_far.push(txn, "字"))?;
            written += 1;
        }
        guest.saved().await?;
        disk.kill_in(step)?;
        stopped = server.stop().await? == Some(0);
        stops += u32::from(!stopped);
        // And now and then a further time while it starts.
        disk.kill_in(step % 7)?;
        while server.restart().await.is_err() {
            starts += 1;
            disk.kill_in(0)?;
        }
        disk.kill_in(0)?;
        guest.connect().await?;
        guest.saved().await?;
        // Every step at first, then in strides: most of them copy page after page.
        step += if step < 24 { 1 } else { 9 };
    }
    assert!(stops >= 10 && starts >= 3, "{stops} stops and {starts} starts were killed");
    let (code, report) = Server::command(&["verify", "--data", &disk.data().display().to_string()]).await?;
    assert_eq!(code, Some(0), "{report}");
    let fresh = anew(&server, &cafe).await?;
    let board = fresh.table_board(TABLE).unwrap_or_default();
    assert_eq!(board.handover.so_far, "字".repeat(written));
    Ok(())
}
