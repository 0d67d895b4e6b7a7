//! Whether the write-ahead log that a process has left is whole, which SQLite does not say: it takes what follows on a damaged frame for
//! what was never written, and commits that were acknowledged would be gone without a word.
//!
//! A frame's checksum goes on from that of the frame before it. So past a damaged one the rest can still be told to be whole; and if it was
//! one bit, mostly, which. Where that cannot be told the frames are made to follow on one another as they are: the damaged page is then one
//! like any other, which whoever reads its rows finds out. What a power cut leaves is no damage: it can only tear the last commit, for each is on disk before the next begins.
//!
//! Source: the WAL file format, <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{DATABASE, StoreError};
use crate::clock;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first bytes of a log whose checksums are of little-endian words; the last bit says big-endian.
const MAGIC: u32 = 0x377f_0682;

/// The version of the format that SQLite writes.
const FORMAT: u32 = 3_007_000;

/// The two halves of a checksum.
type Sum = (u32, u32);

/// What is wrong with a log.
#[derive(Debug, PartialEq, Eq)]
struct Damage {
    /// The frame, from 1; 0 is the log's own header.
    frame: usize,
    /// Commits that follow on it, which SQLite would pass over.
    commits: usize,
    cure: Option<Cure>,
}

/// What makes a log readable to its end.
#[derive(Debug, PartialEq, Eq)]
enum Cure {
    /// This bit of this byte is flipped back, and it is whole.
    Bit(usize, u8),
    /// Frames are kept as they are, with checksums that say so: where these are to be written, in order.
    Sums(Vec<(usize, [u8; 8])>),
}

/// Looks at the log in `dir` before SQLite does, and mends it as far as it can be; a copy of it as it was is kept. Nobody may have the
/// database open.
///
/// # Errors
/// The log cannot be read, or not be copied or mended.
pub(super) fn settle(dir: &Path) -> Result<(), StoreError> {
    let path = path_in(dir);
    let log = read(&path)?;
    let Some(Damage { frame, commits, cure }) = examine(&log) else { return Ok(()) };
    let aside = dir.join(format!("{DATABASE}-wal.damaged-{}", clock::now()));
    fs::copy(&path, &aside).and_then(|_| File::open(&aside)?.sync_all()).map_err(|error| unusable(&aside, &error))?;
    metrics::counter!("tablehop_store_damaged_logs_total").increment(1);
    let aside = aside.display();
    let written = match cure {
        Some(Cure::Bit(at, bit)) => {
            tracing::error!(frame, commits, at, bit, %aside, "one bit of the write-ahead log was flipped, and is flipped back");
            let byte = log.get(at).map_or(0, |byte| byte ^ (1 << bit));
            write(&path, &[(at, &[byte])])
        }
        Some(Cure::Sums(sums)) => {
            tracing::error!(
                frame,
                commits,
                %aside,
                "a page in the write-ahead log is damaged, and taken as it is, for what follows is whole. Boards that it damages are refused when \
                 they are opened; `tablehop verify` names them"
            );
            let sums: Vec<(usize, &[u8])> = sums.iter().map(|(at, sum)| (*at, &sum[..])).collect();
            write(&path, &sums)
        }
        None => {
            tracing::error!(
                frame,
                commits,
                %aside,
                "the write-ahead log is damaged: so many commits that were acknowledged cannot be read any more. Devices that still have what was \
                 written bring it back"
            );
            Ok(())
        }
    };
    written.map_err(|error| unusable(&path, &error))
}

/// The same for who only looks: what is wrong, in words for the operator.
///
/// # Errors
/// The log cannot be read.
pub(super) fn fault(database: &Path) -> Result<Option<String>, StoreError> {
    let Some(dir) = database.parent() else { return Ok(None) };
    let path = path_in(dir);
    let log = read(&path)?;
    let Some(Damage { frame, commits, cure }) = examine(&log) else { return Ok(None) };
    if read(&path)?.get(..HEADER) != log.get(..HEADER) {
        // A server uses it, and has begun it anew while it was read.
        return Ok(None);
    }
    let then = match cure {
        Some(Cure::Bit(..)) => "a start mends it",
        Some(Cure::Sums(_)) => "a start can read these",
        None => "they cannot be read",
    };
    Ok(Some(format!("frame {frame} of the write-ahead log is damaged, and {commits} commits follow on it; {then}")))
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join(format!("{DATABASE}-wal"))
}

fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|error| unusable(path, &error)),
    }
}

fn write(path: &Path, changes: &[(usize, &[u8])]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    for (at, bytes) in changes {
        file.seek(SeekFrom::Start(*at as u64))?;
        file.write_all(bytes)?;
    }
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Io(format!("cannot use {}: {error}", path.display())),
    }
}

/// A log in memory. What it does not have reads as nothing.
struct Log<'a> {
    bytes: &'a [u8],
    page: usize,
    big_endian: bool,
}

fn examine(bytes: &[u8]) -> Option<Damage> {
    let log = Log::of(bytes)?;
    let mut sum = log.header_sum();
    let whole = sum == log.stored(0);
    // The first part whose checksum does not follow from the one before it.
    let broken = match whole {
        false => 0,
        true => (1..=log.frames()).find(|frame| {
            let before = sum;
            sum = log.sum(*frame, before);
            sum != log.stored(*frame) || !log.is_of_now(*frame)
        })?,
    };
    let commits = log.commits_after(broken);
    // The last commit may have been torn.
    (commits >= 2).then(|| {
        let bit = log.flipped(broken).map(|(at, bit)| Cure::Bit(at, bit));
        Damage { frame: broken, commits, cure: bit.or_else(|| log.as_it_is(broken).map(Cure::Sums)) }
    })
}

impl<'a> Log<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let magic = word(bytes, 0)?;
        let size = word(bytes, 8)? as usize;
        // Damage in these shows nowhere else.
        let (page, big_endian) = (if is_size(size) { size } else { 4_096 }, magic == MAGIC | 1);
        (bytes.len() > HEADER).then_some(Self { bytes, page, big_endian })
    }

    fn frames(&self) -> usize {
        (self.bytes.len() - HEADER) / (FRAME_HEADER + self.page)
    }

    /// Where a frame begins; frame 0 is the header.
    fn start(&self, frame: usize) -> usize {
        match frame {
            0 => 0,
            _ => HEADER + (frame - 1) * (FRAME_HEADER + self.page),
        }
    }

    /// The checksum that stands in it.
    fn stored(&self, frame: usize) -> Sum {
        let at = self.start(frame) + if frame == 0 { HEADER } else { FRAME_HEADER } - 8;
        (word(self.bytes, at).unwrap_or(0), word(self.bytes, at + 4).unwrap_or(0))
    }

    fn header_sum(&self) -> Sum {
        add((0, 0), self.bytes.get(..HEADER - 8).unwrap_or_default(), self.big_endian)
    }

    /// The checksum that it ought to have after one that ends so.
    fn sum(&self, frame: usize, before: Sum) -> Sum {
        if frame == 0 {
            return self.header_sum();
        }
        let start = self.start(frame);
        let head = self.bytes.get(start..start + 8).unwrap_or_default();
        let page = self.bytes.get(start + FRAME_HEADER..start + FRAME_HEADER + self.page).unwrap_or_default();
        add(add(before, head, self.big_endian), page, self.big_endian)
    }

    /// Whether a frame is of this log, and not left from before it began anew.
    fn is_of_now(&self, frame: usize) -> bool {
        let start = self.start(frame);
        self.bytes.get(start + 8..start + 16) == self.bytes.get(16..24)
    }

    /// Commits in the frames beyond one that follow on one another.
    fn commits_after(&self, broken: usize) -> usize {
        self.beyond(broken).filter(|frame| self.pages(*frame) > 0).count()
    }

    /// The frames beyond one that follow on one another.
    fn beyond(&self, broken: usize) -> impl Iterator<Item = usize> {
        let follows = |frame: &usize| self.sum(*frame, self.stored(frame - 1)) == self.stored(*frame);
        let beyond = (broken + 1..=self.frames()).skip_while(move |frame| !follows(frame));
        // Their salts say which log they are of, unless it was the header that was damaged.
        beyond.take_while(move |frame| follows(frame) && (broken == 0 || self.is_of_now(*frame)))
    }

    /// Pages in the database after the commit that a frame ends; 0 if it ends none.
    fn pages(&self, frame: usize) -> u32 {
        word(self.bytes, self.start(frame) + 4).unwrap_or(0)
    }

    /// The one bit that makes a frame follow on the one before it, and the one after it on this one. The checksum adds up words, and there are
    /// many places where flipping a high bit of one comes to the same; then none is known to be it.
    fn flipped(&self, frame: usize) -> Option<(usize, u8)> {
        let before = if frame == 0 { (0, 0) } else { self.stored(frame - 1) };
        let missing = minus(self.stored(frame), self.sum(frame, before));
        let weights = self.weights();
        let mut bytes = self.bytes.to_vec();
        let places = (self.start(frame)..self.start(frame + 1)).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        // Of tens of thousands only those that add up are looked at closely.
        let places =
            places.filter(|(at, bit)| self.adds(&weights, frame, *at, *bit).is_none_or(|adds| adds == missing));
        let cures = places.filter(|(at, bit)| {
            bytes[*at] ^= 1 << bit;
            let cured = Log::of(&bytes).is_some_and(|log| {
                log.page == self.page
                    && log.is_plausible()
                    && log.is_of_now(frame.max(1))
                    && log.sum(frame, before) == log.stored(frame)
                    && log.sum(frame + 1, log.stored(frame)) == log.stored(frame + 1)
            });
            bytes[*at] ^= 1 << bit;
            cured
        });
        let mut cures = cures.take(2);
        cures.next().filter(|_| cures.next().is_none())
    }

    /// What each pair of words that counts in a frame's checksum is taken times in it, from the last pair to the first.
    fn weights(&self) -> Vec<(Sum, Sum)> {
        let next = |(one, two): Sum| (one.wrapping_add(two), one.wrapping_add(two).wrapping_add(two));
        let pairs =
            std::iter::successors(Some(((1, 1), (0, 1))), |(first, second)| Some((next(*first), next(*second))));
        pairs.take(self.page / 8 + 1).collect()
    }

    /// What flipping a bit of a frame adds to its checksum; nothing is said of bits that do not count in it, nor of the header's.
    fn adds(&self, weights: &[(Sum, Sum)], frame: usize, at: usize, bit: u8) -> Option<Sum> {
        let within = at - self.start(frame);
        let place = match within {
            _ if frame == 0 => return None,
            0..8 => within,
            FRAME_HEADER.. => within - FRAME_HEADER + 8,
            _ => return None,
        };
        let (first, second) = weights.get(weights.len().checked_sub(1 + place / 8)?)?;
        let weight = if place % 8 < 4 { first } else { second };
        let byte = place % 4;
        let high = 8 * if self.big_endian { 3 - byte } else { byte };
        let value = 1_u32 << (high + usize::from(bit));
        let added = if self.bytes.get(at)? & (1 << bit) == 0 { value } else { value.wrapping_neg() };
        Some((weight.0.wrapping_mul(added), weight.1.wrapping_mul(added)))
    }

    /// The checksums with which a damaged frame and all beyond it follow on one another.
    fn as_it_is(&self, broken: usize) -> Option<Vec<(usize, [u8; 8])>> {
        let last = self.beyond(broken).last().filter(|_| broken > 0)?;
        let pages = self.beyond(broken).map(|frame| self.pages(frame)).max()?;
        let mut sum = self.stored(broken - 1);
        let sums = (broken..=last).map(|frame| {
            // One that does not know its place would take another's.
            let is_placed = word(self.bytes, self.start(frame)).is_some_and(|page| (1..=pages).contains(&page));
            sum = self.sum(frame, sum);
            let mut bytes = [0; 8];
            bytes[..4].copy_from_slice(&sum.0.to_be_bytes());
            bytes[4..].copy_from_slice(&sum.1.to_be_bytes());
            (is_placed && self.is_of_now(frame)).then_some((self.start(frame) + FRAME_HEADER - 8, bytes))
        });
        sums.collect()
    }

    /// Whether the header says what headers say.
    fn is_plausible(&self) -> bool {
        let word = |at| word(self.bytes, at).unwrap_or(0);
        word(0) | 1 == MAGIC | 1 && word(4) == FORMAT && is_size(word(8) as usize)
    }
}

fn minus(one: Sum, other: Sum) -> Sum {
    (one.0.wrapping_sub(other.0), one.1.wrapping_sub(other.1))
}

fn is_size(size: usize) -> bool {
    size.is_power_of_two() && (512..=65_536).contains(&size)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn add(sum: Sum, bytes: &[u8], big_endian: bool) -> Sum {
    let read = |bytes: &[u8]| match bytes.try_into() {
        Ok(bytes) if big_endian => u32::from_be_bytes(bytes),
        Ok(bytes) => u32::from_le_bytes(bytes),
        Err(_) => 0,
    };
    bytes.chunks_exact(8).fold(sum, |(one, two), words| {
        let (first, second) = words.split_at(4);
        let one = one.wrapping_add(read(first)).wrapping_add(two);
        (one, two.wrapping_add(read(second)).wrapping_add(one))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::super::{NewRow, Store, StreamId};
    use super::super::SqliteStore;
    use super::super::archive::Archive;
    use super::*;

    /// What a killed process leaves: its database, and a log of many commits.
    async fn killed() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path()).unwrap();
        for at in 0..12 {
            let row = NewRow { principal: "p".to_owned(), at, payload: Bytes::from(vec![at as u8; 300]) };
            store.append(StreamId::board("w.t1"), None, vec![row]).await.unwrap();
        }
        let killed = copy(dir.path());
        store.close().await;
        killed
    }

    fn copy(dir: &Path) -> tempfile::TempDir {
        let to = tempfile::tempdir().unwrap();
        for name in [DATABASE, "tablehop.db-wal"] {
            fs::copy(dir.join(name), to.path().join(name)).unwrap();
        }
        to
    }

    async fn loaded(dir: &Path) -> Result<u64, StoreError> {
        let store = SqliteStore::open(dir)?;
        let loaded = store.load(StreamId::board("w.t1")).await;
        store.close().await;
        loaded.map(|loaded| loaded.last_seq)
    }

    #[tokio::test]
    async fn d22_a_log_that_is_whole_or_torn_at_its_end_is_no_damage() {
        let killed = killed().await;
        let log = fs::read(path_in(killed.path())).unwrap();
        assert!(Log::of(&log).unwrap().frames() > 24);
        assert_eq!(examine(&log), None);
        for cut in [0, 1, HEADER, HEADER + 5, log.len() - 1, log.len() - 4_000, log.len() - 5_000] {
            assert_eq!(examine(&log[..cut]), None, "cut to {cut}");
        }
        // The pages of the last commit reach the disk in any order.
        let mut torn = log.clone();
        let last = Log::of(&log).unwrap().frames();
        let start = Log::of(&log).unwrap().start(last - 1);
        torn[start..start + 2_000].fill(0);
        assert_eq!(examine(&torn), None);
        assert_eq!(loaded(killed.path()).await, Ok(12));
    }

    #[tokio::test]
    async fn d22_a_bit_flipped_in_the_log_of_a_killed_server_costs_one_board_at_most() {
        let killed = killed().await;
        let log = fs::read(path_in(killed.path())).unwrap();
        let frames = Log::of(&log).unwrap().frames();
        let start = |frame: usize| Log::of(&log).unwrap().start(frame);
        let mut places: Vec<usize> = (0..HEADER).collect();
        for frame in [1, frames / 2] {
            places.extend(start(frame)..start(frame) + FRAME_HEADER);
        }
        for frame in 1..frames / 2 {
            places.extend([start(frame) + 31 + 500 * (frame % 8), start(frame + 1) - 1 - frame % 4]);
        }
        let (mut whole, mut damaged) = (0, 0);
        for (at, bit) in places.into_iter().zip((0..8).cycle()) {
            let dir = copy(killed.path());
            write(&path_in(dir.path()), &[(at, &[log[at] ^ (1 << bit)])]).unwrap();
            let faults = Archive::open(dir.path()).and_then(|archive| archive.file_faults());
            let is_named = |fault: &str| fault.contains("write-ahead log");
            match faults {
                Ok(faults) => assert!(faults.iter().any(|fault| is_named(fault)), "bit {bit} of byte {at}"),
                Err(error) => assert!(is_named(&error.to_string()), "bit {bit} of byte {at}: {error}"),
            }
            match loaded(dir.path()).await {
                Ok(rows) => {
                    assert_eq!(rows, 12, "bit {bit} of byte {at}");
                    whole += 1;
                }
                Err(StoreError::Corrupt { .. }) => damaged += 1,
                Err(error) => panic!("bit {bit} of byte {at}: {error}"),
            }
        }
        println!("{whole} cost nothing, {damaged} a board");
        assert!(whole > 4 * damaged, "{whole} and {damaged}");
    }

    #[tokio::test]
    async fn d22_of_a_log_that_is_worse_damaged_all_that_is_whole_is_kept() {
        let killed = killed().await;
        let path = path_in(killed.path());
        let whole = fs::read(&path).unwrap();
        let start = Log::of(&whole).unwrap().start(9);
        for (from, to, kept) in [(start + 100, start + 300, true), (start, start + 40, false)] {
            let dir = copy(killed.path());
            let mut log = whole.clone();
            log[from..to].fill(0xA7);
            fs::write(path_in(dir.path()), &log).unwrap();
            let found = examine(&log).unwrap();
            assert!(found.frame == 9 && found.commits > 4, "{found:?}");
            assert_eq!(matches!(found.cure, Some(Cure::Sums(_))), kept);
            match loaded(dir.path()).await {
                // The page was written once more later on.
                Ok(rows) => assert_eq!(rows == 12, kept, "{rows}"),
                Err(error) => assert!(kept && matches!(error, StoreError::Corrupt { .. }), "{error}"),
            }
            let copies: Vec<_> = fs::read_dir(dir.path())
                .unwrap()
                .filter_map(|entry| {
                    Some(entry.ok()?.path()).filter(|path| path.display().to_string().contains("damaged"))
                })
                .collect();
            assert_eq!(copies.len(), 1);
            assert!(fs::read(&copies[0]).unwrap() == log);
        }
    }
}
