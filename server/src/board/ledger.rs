//! What all boards that are awake take of memory together, and how much that may be.
//!
//! Each board has a share of it from the moment it is woken, and more in steps as it grows. [`Held`] is what it has: it is given back when that
//! is dropped, however the board's task ends. What a board takes is known as *at most so much*, and counted anew only where the next step
//! begins; so an edit costs an addition and a comparison.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::limits::BOARD_SHARE;
use tokio::time::Instant;

/// Of every so many parts of the whole one is for boards that are open: at the rest of it no further board is opened.
const PARTS: usize = 4;
/// How often it is logged that there is no memory left: refusals may be thousands.
const TELL_EVERY: Duration = Duration::from_secs(600);

/// What a board needs memory for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be opened.
    Opening,
    /// For what somebody has written on it, or to go on after a failure.
    GoingOn,
}

/// The whole of it.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Bytes that all may take.
    limit: usize,
    held: AtomicUsize,
    /// Tells how many are lost for good.
    lost: fn() -> usize,
    /// When it was last logged that the limit is met.
    told: Mutex<Option<Instant>>,
}

impl Ledger {
    /// Of so many bytes, without those that `lost` says are lost.
    pub fn new(limit: usize, lost: fn() -> usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0), lost, told: Mutex::default() })
    }

    /// Bytes that boards may take at all.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are lost for good.
    pub fn lost(&self) -> usize {
        (self.lost)()
    }

    /// Bytes that boards take, at most.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Notes that somebody was refused; now and then that is logged.
    pub fn refuses(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(
                held = self.held(),
                lost = self.lost(),
                limit = self.limit,
                "boards take as much memory as they may (--boards-memory): no further board is opened until others are left"
            );
        }
    }

    fn take(&self, bytes: usize, purpose: Purpose) -> bool {
        let most = match purpose {
            Purpose::Opening => self.limit - self.limit / PARTS,
            Purpose::GoingOn => self.limit,
        };
        let free = most.saturating_sub(self.lost());
        let with = |held: usize| held.checked_add(bytes).filter(|held| *held <= free);
        let taken = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with).is_ok();
        if taken {
            metrics::gauge!("tablehop_boards_memory_bytes").increment(bytes as f64);
        }
        taken
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        metrics::gauge!("tablehop_boards_memory_bytes").decrement(bytes as f64);
    }
}

/// What one board has of it.
#[derive(Debug)]
pub struct Held {
    ledger: Arc<Ledger>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn nothing(ledger: &Arc<Ledger>) -> Self {
        Self { ledger: ledger.clone(), bytes: 0 }
    }

    /// Bytes that it has.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it has so much.
    pub fn covers(&self, bytes: usize) -> bool {
        bytes <= self.bytes
    }

    /// Takes what it lacks of so much; `false`, and nothing is taken, if there is not as much.
    pub fn reach(&mut self, bytes: usize, purpose: Purpose) -> bool {
        let more = in_steps(bytes).saturating_sub(self.bytes);
        let reached = more == 0 || self.ledger.take(more, purpose);
        if reached {
            self.bytes += more;
        }
        reached
    }

    /// Gives back what is more than so much.
    pub fn settle(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(in_steps(bytes));
        if less > 0 {
            self.bytes -= less;
            self.ledger.give_back(less);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ledger.give_back(self.bytes);
    }
}

/// At least one share.
fn in_steps(bytes: usize) -> usize {
    bytes.max(1).div_ceil(BOARD_SHARE).saturating_mul(BOARD_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h26_what_is_held_is_never_more_than_the_whole_and_all_of_it_comes_back() {
        let ledger = Ledger::new(8 * BOARD_SHARE, || 0);
        let mut boards: Vec<Held> = (0..8).map(|_| Held::nothing(&ledger)).collect();
        // Three quarters for opening, in whole shares.
        let opened = boards.iter_mut().filter_map(|held| held.reach(1, Purpose::Opening).then_some(())).count();
        assert_eq!((opened, ledger.held()), (6, 6 * BOARD_SHARE));
        // The rest for those that are open.
        assert!(boards[0].covers(BOARD_SHARE) && boards[0].reach(BOARD_SHARE, Purpose::GoingOn));
        assert_eq!(ledger.held(), 6 * BOARD_SHARE, "its share");
        assert!(boards[0].reach(BOARD_SHARE + 1, Purpose::GoingOn) && !boards[7].reach(1, Purpose::Opening));
        assert!(!boards[1].reach(3 * BOARD_SHARE, Purpose::GoingOn), "there are not two more");
        assert_eq!(boards[1].bytes(), BOARD_SHARE);
        assert!(boards[1].reach(2 * BOARD_SHARE, Purpose::GoingOn) && !boards[2].reach(usize::MAX, Purpose::GoingOn));
        assert_eq!(ledger.held(), ledger.limit());
        boards[1].settle(0);
        assert_eq!((boards[1].bytes(), ledger.held()), (BOARD_SHARE, 7 * BOARD_SHARE));
        boards[1].settle(5 * BOARD_SHARE);
        assert_eq!(boards[1].bytes(), BOARD_SHARE, "it is no way to get more");
        drop(boards);
        assert_eq!(ledger.held(), 0);
    }

    #[test]
    fn h27_what_is_lost_is_not_there_for_others() {
        let ledger = Ledger::new(8 * BOARD_SHARE, || 5 * BOARD_SHARE);
        let mut boards: Vec<Held> = (0..3).map(|_| Held::nothing(&ledger)).collect();
        assert!(boards[0].reach(1, Purpose::Opening) && !boards[1].reach(1, Purpose::Opening));
        assert!(
            boards[0].reach(3 * BOARD_SHARE, Purpose::GoingOn) && !boards[0].reach(4 * BOARD_SHARE, Purpose::GoingOn)
        );
    }

    #[test]
    fn h26_many_at_once_take_no_more_than_there_is() {
        let ledger = Ledger::new(400 * BOARD_SHARE, || 0);
        let takes = |_| {
            let ledger = ledger.clone();
            std::thread::spawn(move || {
                let mut boards: Vec<Held> = (0..100).map(|_| Held::nothing(&ledger)).collect();
                boards.retain_mut(|held| held.reach(1, Purpose::Opening));
                boards
            })
        };
        let threads: Vec<_> = (0..8).map(takes).collect();
        let boards: Vec<Held> = threads.into_iter().flat_map(|thread| thread.join().expect("boards")).collect();
        assert_eq!((boards.len(), ledger.held()), (300, 300 * BOARD_SHARE));
        drop(boards);
        assert_eq!(ledger.held(), 0);
    }
}
