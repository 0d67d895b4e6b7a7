//! Updates on which Yrs panics. Each leaves its document in memory for good (see [`Spoilt::Leaked`](crate::board::replica::Spoilt)), and
//! nobody knows one: so whoever finds one is not to send it again and again. Its sender loses the connection each time; a board on which it
//! happens a few times takes nothing more for a while, and one on which it happens when much is lost already, until the process ends. What is
//! lost is no longer there for others in the ledger. So all that can be lost is bounded.

use std::time::Duration;

use tokio::time::Instant;

use super::Room;

/// How often it may happen before the board rests.
const PANICS: u32 = 3;
/// How long a board rests, and how long it is remembered that it happened.
const REST: Duration = Duration::from_secs(600);
/// Longer than any process lives.
const FOR_GOOD: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Of all memory for boards, one in so many parts may be lost before the first time is the last.
const PARTS: usize = 4;

/// What has happened to a board.
#[derive(Debug, Default)]
pub(super) struct Hurt {
    panics: u32,
    until: Option<Instant>,
}

impl Hurt {
    /// Until when it is to be remembered, and so the board kept awake.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// Whether nothing is taken now. Each edit asks; the time is asked for only if it matters.
    pub fn rests(&self, now: impl FnOnce() -> Instant) -> bool {
        self.panics >= PANICS && self.until(now()).is_some()
    }

    /// It has happened again; perhaps when much is lost already.
    fn panics(&mut self, now: Instant, much_is_lost: bool) {
        let before = if self.until(now).is_some() { self.panics } else { 0 };
        let (panics, rest) = if much_is_lost { (PANICS, FOR_GOOD) } else { (before + 1, REST) };
        *self = Self { panics, until: Some(now + rest) };
    }
}

impl Room {
    /// Yrs has panicked, and so many bytes are lost.
    pub(super) fn is_hurt(&mut self, lost: usize) {
        let ledger = &self.inner.ledger;
        self.hurt.panics(Instant::now(), ledger.lost() > ledger.limit() / PARTS);
        tracing::error!(
            board = %self.board, lost, panics = self.hurt.panics,
            "the CRDT library panicked on an update: it was not taken, and the document that it was applied to stays in memory until the \
             server is started anew. Please report it"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h27_a_board_rests_after_a_few_and_forgets_them_when_it_has() {
        let (mut hurt, start) = (Hurt::default(), Instant::now());
        assert!(!hurt.rests(|| start) && hurt.until(start).is_none());
        for n in 0..PANICS {
            assert!(!hurt.rests(|| start), "{n} are not enough");
            hurt.panics(start, false);
            assert!(hurt.until(start).is_some());
        }
        let (still, after) = (start + REST - Duration::from_secs(1), start + REST);
        assert!(hurt.rests(|| still) && !hurt.rests(|| after) && hurt.until(after).is_none());
        hurt.panics(after, false);
        assert!(!hurt.rests(|| after), "it begins anew");
        hurt.panics(after, true);
        assert!(hurt.rests(|| after + 1_000 * REST), "when much is lost once is enough");
    }
}
