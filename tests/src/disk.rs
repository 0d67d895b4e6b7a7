//! A disk that can be told to misbehave, beneath a real server process: `tests/shim/disk.c`.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rand::Rng;
use rusqlite::Connection;
use shared::id::WorkshopId;
use tempfile::TempDir;

use crate::shim::{Switches, compile};

/// Bytes that a disk writes all or none of.
const SECTOR: usize = 512;
/// The switches, in the order of `struct control`.
const FAIL_SYNC: u64 = 0;
const ROOM: u64 = 1;
const KILL_IN: u64 = 2;
const WRITES: u64 = 3;
const SYNCS: u64 = 4;
const REFUSED: u64 = 5;
const LIE: u64 = 6;
const STALL: u64 = 7;
const FAIL_READ: u64 = 8;
const FOLDS: u64 = 9;
const SWITCHES: u64 = 10;

/// A data directory on such a disk.
pub struct Disk {
    root: TempDir,
    switches: Switches,
}

/// What has happened on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Writes done.
    pub writes: u64,
    /// Syncs done.
    pub syncs: u64,
    /// Writes and syncs that were answered with an error.
    pub refused: u64,
    /// Syncs done of the database itself: how often the log was folded into it.
    pub folds: u64,
}

impl Disk {
    /// An empty directory on a disk that works.
    ///
    /// # Errors
    /// The shim cannot be compiled: these tests need 64-bit Linux and `cc`.
    pub fn new() -> Result<Self> {
        let root = tempfile::tempdir()?;
        compile("disk", root.path())?;
        Self::in_folder(root)
    }

    /// With the library in this folder.
    fn in_folder(root: TempDir) -> Result<Self> {
        fs::create_dir(root.path().join("data"))?;
        fs::create_dir(root.path().join("shadow"))?;
        let switches = Switches::new(&root.path().join("control"), SWITCHES)?;
        Ok(Self { root, switches })
    }

    /// A copy, as it is when the process has been killed: the system still has all that was written, and still has to sync it. The server
    /// must have ended.
    ///
    /// # Errors
    /// A file cannot be copied.
    pub fn left_by_kill(&self) -> Result<Self> {
        let copy = self.another()?;
        for folder in ["data", "shadow"] {
            copy_all(&self.root.path().join(folder), &copy.root.path().join(folder))?;
        }
        Ok(copy)
    }

    /// A copy, as it is when the power was cut: of each file what was synced, and of every later write each sector with the chance `kept`.
    /// With how many bytes were lost. The server must have ended.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn left_by_power_cut(&self, kept: f64, random: &mut impl Rng) -> Result<(Self, usize)> {
        let copy = self.another()?;
        let lost = self.cut_power(&copy.data(), kept, random)?;
        // What is there is on the disk.
        copy_all(&copy.data(), &copy.root.path().join("shadow"))?;
        Ok((copy, lost))
    }

    fn another(&self) -> Result<Self> {
        let root = tempfile::tempdir()?;
        fs::copy(self.root.path().join("libdisk.so"), root.path().join("libdisk.so"))?;
        Self::in_folder(root)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// What a server needs in its environment to use it.
    ///
    /// # Errors
    /// The directory has no real path.
    pub fn env(&self) -> Result<Vec<(String, String)>> {
        let root = self.root.path().canonicalize()?;
        let path = |name: &str| root.join(name).display().to_string();
        Ok(vec![
            ("LD_PRELOAD".into(), path("libdisk.so")),
            ("DISK_DIR".into(), path("data")),
            ("DISK_CONTROL".into(), path("control")),
            ("DISK_SHADOW".into(), path("shadow")),
        ])
    }

    /// The same, for a server that folds its log and takes snapshots often: what otherwise takes hours of writing.
    ///
    /// # Errors
    /// As [`Disk::env`].
    pub fn env_that_folds(&self) -> Result<Vec<(String, String)>> {
        let mut env = self.env()?;
        env.push(("TABLEHOP_FOLD_PAGES".into(), "12".into()));
        env.push(("TABLEHOP_SNAPSHOT_ROWS".into(), "40".into()));
        Ok(env)
    }

    /// The same, for a server that takes everything by way of its journal, as it does while thousands write, and files it soon.
    ///
    /// # Errors
    /// As [`Disk::env`].
    pub fn env_of_a_rush(&self) -> Result<Vec<(String, String)>> {
        let mut env = self.env_that_folds()?;
        env.push(("TABLEHOP_JOURNAL".into(), "3000".into()));
        Ok(env)
    }

    /// From now on every sync fails with EIO, or none does.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn fail_syncs(&self, fail: bool) -> Result<()> {
        self.switches.set(FAIL_SYNC, u64::from(fail))
    }

    /// From now on every sync of the database fails with EIO, and those of its log do not.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn fail_syncs_of_the_database(&self) -> Result<()> {
        self.switches.set(FAIL_SYNC, 2)
    }

    /// From now on every read fails with EIO, or none does.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn fail_reads(&self, fail: bool) -> Result<()> {
        self.switches.set(FAIL_READ, u64::from(fail))
    }

    /// From now on every sync is said to be done, and is not: the disk lies. For showing that a test would notice.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn lie(&self) -> Result<()> {
        self.switches.set(LIE, 1)
    }

    /// From now on no sync answers.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn stall(&self) -> Result<()> {
        self.switches.set(STALL, 1)
    }

    /// Files may grow by so many bytes more; without a number, by as many as they like.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn leave_room(&self, bytes: Option<u64>) -> Result<()> {
        self.switches.set(ROOM, bytes.map_or(0, |bytes| bytes + 1))
    }

    /// Kills the process at the `step`th step from now: before or after a write, truncation or sync. 0 calls it off.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn kill_in(&self, step: u64) -> Result<()> {
        self.switches.set(KILL_IN, step)
    }

    /// Whether the step has come that was chosen by [`Disk::kill_in`].
    ///
    /// # Errors
    /// The switch cannot be read.
    pub fn has_killed(&self) -> Result<bool> {
        Ok(self.switches.get(KILL_IN)? == 0)
    }

    /// What has happened so far.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        let get = |switch| self.switches.get(switch);
        Ok(Counts { writes: get(WRITES)?, syncs: get(SYNCS)?, refused: get(REFUSED)?, folds: get(FOLDS)? })
    }

    /// Whether something of the database itself was written and not synced: the log was being folded.
    pub fn is_amid_folding(&self) -> bool {
        self.root.path().join("shadow/tablehop.db.pending").exists()
    }

    /// Makes the files in `to`, and returns how many bytes were lost.
    fn cut_power(&self, to: &Path, kept: f64, random: &mut impl Rng) -> Result<usize> {
        let mut lost = 0;
        for name in ["tablehop.db", "tablehop.db-wal"] {
            let shadow = self.root.path().join("shadow");
            let mut bytes = fs::read(shadow.join(name)).unwrap_or_default();
            let pending = fs::read(shadow.join(format!("{name}.pending"))).unwrap_or_default();
            let mut rest = pending.as_slice();
            // The last entry may be torn: the process was killed while it was noted.
            while let Some((at, length)) = head(&mut rest) {
                if length == u64::MAX {
                    if random.random_bool(kept) {
                        bytes.resize(at as usize, 0);
                    }
                    continue;
                }
                let Some((written, after)) = rest.split_at_checked(length as usize) else { break };
                rest = after;
                for (index, sector) in written.chunks(SECTOR).enumerate() {
                    if !random.random_bool(kept) {
                        lost += sector.len();
                        continue;
                    }
                    let start = at as usize + index * SECTOR;
                    if bytes.len() < start + sector.len() {
                        bytes.resize(start + sector.len(), 0);
                    }
                    bytes[start..start + sector.len()].copy_from_slice(sector);
                }
            }
            if !bytes.is_empty() {
                fs::write(to.join(name), bytes)?;
            }
        }
        Ok(lost)
    }
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

fn head(rest: &mut &[u8]) -> Option<(u64, u64)> {
    let mut word = [0; 8];
    rest.read_exact(&mut word).ok()?;
    let at = u64::from_ne_bytes(word);
    rest.read_exact(&mut word).ok()?;
    Some((at, u64::from_ne_bytes(word)))
}

/// Every place in the database of a server that was stopped where `text` is stored: in rows, in snapshots, and in space that is free again.
///
/// # Errors
/// It is nowhere.
pub fn places_of(data: &Path, text: &str) -> Result<Vec<usize>> {
    let file = data.join("tablehop.db");
    let (bytes, text) = (fs::read(&file)?, text.as_bytes());
    let places: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, here)| *here == text).map(|(at, _)| at).collect();
    ensure!(!places.is_empty(), "it is nowhere in {}", file.display());
    Ok(places)
}

/// Everything that is stored of a café, as it stands in the file of a server that was stopped.
///
/// # Errors
/// It cannot be read.
pub fn stored(data: &Path, cafe: &WorkshopId) -> Result<Vec<String>> {
    let db = Connection::open(data.join("tablehop.db"))?;
    let mut query = db.prepare(
        "SELECT name || ' ' || seq || ' ' || at || ' ' || principal || ' ' || hex(payload) || ' ' || crc
             FROM rows JOIN streams ON stream = id WHERE instr(name, ?1)
         UNION ALL SELECT hex(hash) || ' ' || role || ' ' || participant || ' ' || created_at FROM tokens WHERE workshop = ?1
         UNION ALL SELECT code FROM join_codes WHERE workshop = ?1
         UNION ALL SELECT client || ' ' || principal FROM clients WHERE workshop = ?1 ORDER BY 1",
    )?;
    let found = query.query_map([cafe.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(found)
}

/// Flips one bit at this place of the database; a second time flips it back.
///
/// # Errors
/// The file cannot be changed.
pub fn flip_bit(data: &Path, place: usize) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(data.join("tablehop.db"))?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, place as u64)?;
    byte[0] ^= 1;
    file.write_all_at(&byte, place as u64)?;
    Ok(())
}
