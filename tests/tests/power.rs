//! A real server whose machine loses power: whatever was written and not synced is lost, in whole or in part.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail, ensure};
use harness::cafe::{Cafe, small};
use harness::disk::Disk;
use harness::server::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::view::NoteKind;
use shared::id::TableId;

const BOTH: [TableId; 2] = [TableId(1), TableId(2)];

fn seed() -> u64 {
    let seed = std::env::var("TABLEHOP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    eprintln!("TABLEHOP_SEED={seed}");
    seed
}

/// A café at which everybody writes until the power is cut, in the middle of whatever step comes then.
struct Cut {
    disk: Disk,
    cafe: Cafe,
    /// What was acknowledged by then, and what was shown to somebody who had not written it.
    saved: HashSet<String>,
}

impl Cut {
    /// `rush`: as while thousands write.
    async fn after(steps: u64, rush: bool, lies: bool) -> Result<Self> {
        let disk = Disk::new()?;
        let env = if rush { disk.env_of_a_rush()? } else { disk.env_that_folds()? };
        let mut server = Server::start_in_with(&disk.data(), env).await?;
        let cafe = Cafe::open(&server, &small(2, 1, 200.0)).await?;
        let guests = cafe.guests(6).await?;
        let tables = cafe.next_round(&guests).await?;
        let size = || std::fs::metadata(disk.data().join("tablehop.db")).map(|file| file.len());
        let before = size()?;
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
        ensure!(size()? > before, "the log was never folded");
        let mut saved: HashSet<String> = saved.into_iter().collect();
        for (guest, table) in guests.iter().zip(&tables) {
            let board = guest.table_board(*table).unwrap_or_default();
            saved.extend(board.notes.into_iter().filter(|note| note.author != guest.id).map(|note| note.text));
        }
        Ok(Self { disk, cafe, saved })
    }

    /// What was acknowledged and is gone, if each later sector is kept with the chance `kept`; and how many bytes are lost.
    async fn missing(&self, kept: f64, random: &mut StdRng) -> Result<(Vec<String>, usize)> {
        let (after, lost) = self.disk.left_by_power_cut(kept, random)?;
        Ok((self.missing_on(&after.data()).await?, lost))
    }

    /// What was acknowledged and is gone from this directory.
    async fn missing_on(&self, data: &Path) -> Result<Vec<String>> {
        let server = Server::start_in(data).await?;
        let found = self.cafe.stored(&server, &BOTH).await?;
        let once: HashSet<&String> = found.iter().collect();
        ensure!(once.len() == found.len(), "each of them once: {found:?}");
        for file in std::fs::read_dir(data)? {
            let name = file?.file_name();
            ensure!(!name.to_string_lossy().contains("damaged"), "{name:?}: a cut was taken for damage");
        }
        Ok(self.saved.iter().filter(|text| !once.contains(text)).cloned().collect())
    }
}

/// Everything that was not synced is lost, or random sectors of it: what was acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn d10_d21_a_power_cut_loses_nothing_that_was_acknowledged() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed());
    let mut lost = 0;
    for rush in [false, true, true] {
        let cut = Cut::after(random.random_range(2_000..4_000), rush, false).await?;
        for kept in [0.0, 0.5, 0.9] {
            let (missing, bytes) = cut.missing(kept, &mut random).await?;
            lost += bytes;
            assert!(missing.is_empty(), "of {} acknowledged or shown these are gone: {missing:?}", cut.saved.len());
        }
    }
    assert!(lost > 0, "no cut lost anything that was written, so this showed nothing");
    // And a disk that only says that it has synced is found out.
    let (missing, _) = Cut::after(2_000, false, true).await?.missing(0.0, &mut random).await?;
    assert!(!missing.is_empty(), "this would not notice if nothing were synced");
    Ok(())
}

/// Starts a server on a disk that a crash has left, ends it at every `stride`th step of that, from the `first` on, and looks what a second
/// start finds: after the process was killed there, and after the power was cut. Returns how many starts were ended, and how many bytes were
/// lost.
async fn ended_while_it_starts(cut: &Cut, crashed: &Disk, first: u64, stride: u64, seed: u64) -> Result<(u64, usize)> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut ends, mut lost) = (0, 0);
    for step in (first..).step_by(stride as usize) {
        ensure!(step < 400, "a start has no four hundred steps");
        let disk = crashed.left_by_kill()?;
        disk.kill_in(step)?;
        let started = match Server::start_in_with(&disk.data(), disk.env()?).await {
            Ok(mut server) => {
                server.kill().await?;
                true
            }
            Err(error) => {
                ensure!(disk.has_killed()?, "{error:#}");
                false
            }
        };
        let (torn, bytes) = disk.left_by_power_cut(0.5, &mut random)?;
        let (bare, more) = disk.left_by_power_cut(0.0, &mut random)?;
        lost += bytes + more;
        for (how, disk) in [("killed", disk), ("cut from power, and half is lost", torn), ("cut from power", bare)] {
            let missing = cut.missing_on(&disk.data()).await?;
            assert!(missing.is_empty(), "{how} at step {step}, of {} these are gone: {missing:?}", cut.saved.len());
        }
        if started {
            break;
        }
        ends += 1;
    }
    Ok((ends, lost))
}

/// A start after a crash folds what it finds in the log, and empties that. The second crash comes at each of its steps.
#[tokio::test(flavor = "multi_thread")]
async fn d10_d15_power_that_is_cut_again_while_the_server_starts_loses_nothing() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed());
    let cut = Cut::after(random.random_range(2_000..2_500), true, false).await?;
    let (lay, _) = cut.disk.left_by_power_cut(0.5, &mut random)?;
    let killed = cut.disk.left_by_kill()?;
    for crashed in [&killed, &lay] {
        // Three at once share the steps among them.
        let (one, two, three) = tokio::try_join!(
            ended_while_it_starts(&cut, crashed, 1, 3, random.random()),
            ended_while_it_starts(&cut, crashed, 2, 3, random.random()),
            ended_while_it_starts(&cut, crashed, 3, 3, random.random())
        )?;
        assert!(one.0 + two.0 + three.0 >= 12, "{one:?}, {two:?} and {three:?} steps were cut");
        assert!(one.1 + two.1 + three.1 > 0, "no cut lost anything that was written, so this showed nothing");
    }
    // And this would notice: a start on a disk that only says that it has synced. Where the crash came just behind a folding there is nothing to
    // fold, nor to lose: then another crash is looked at.
    let mut cut = cut;
    for _ in 0..6 {
        let lying = cut.disk.left_by_kill()?;
        lying.lie()?;
        Server::start_in_with(&lying.data(), lying.env()?).await?.kill().await?;
        for _ in 0..15 {
            let (after, _) = lying.left_by_power_cut(0.5, &mut random)?;
            // An error is a store that is refused.
            if !matches!(cut.missing_on(&after.data()).await, Ok(missing) if missing.is_empty()) {
                return Ok(());
            }
        }
        cut = Cut::after(random.random_range(2_000..2_500), true, false).await?;
    }
    bail!("this would not notice if a start synced nothing")
}
