//! How quickly commits follow one another, and whether the process is busy.
//!
//! As long as few write nobody waits for company. While thousands of requests a second come, what a commit costs decides how many people
//! the server holds: docs/decisions/0018 and 0019.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// While it is busy, commits begin no sooner after one another.
const PACE: Duration = Duration::from_millis(5);
/// The time over which it is decided whether it is busy.
const WINDOW: Duration = Duration::from_millis(10);
/// Requests in that time that make it so: more than come from a few who each wait for their last one, on the fastest of disks.
const MANY: usize = 40;

/// Whether the newest window of any store in this process was busy.
static BUSY: AtomicBool = AtomicBool::new(false);

/// Whether a store of this process takes thousands of requests a second.
pub(super) fn is_busy() -> bool {
    BUSY.load(Ordering::Relaxed)
}

/// When the next commit may begin (docs/decisions/0018).
#[derive(Debug)]
pub(super) struct Pace {
    /// When the last commit began.
    last: Instant,
    /// Since when requests are counted, and how many came.
    since: Instant,
    requests: usize,
    /// Whether many came in the window before.
    busy: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, since: now, requests: 0, busy: false }
    }

    /// How long to wait before the next commit, if at all.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let next = self.last + PACE;
        (self.busy && now < next).then(|| next - now)
    }

    /// A commit begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.last = now;
        let counted = now - self.since;
        if counted >= WINDOW {
            // Who pauses longer than a window is not busy, however many came before.
            self.busy = self.requests >= MANY && counted < WINDOW * 2;
            BUSY.store(self.busy, Ordering::Relaxed);
            self.since = now;
            self.requests = 0;
        }
    }

    /// So many requests go into it.
    pub(super) fn count(&mut self, requests: usize) {
        self.requests += requests;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many requests a millisecond come, and a commit takes so long; gives the pauses made in a hundred commits.
    fn pauses(pace: &mut Pace, now: &mut Instant, per_millisecond: f64, commit: Duration) -> Vec<Duration> {
        let mut pauses = Vec::new();
        let mut taken = *now;
        for _ in 0..100 {
            *now += commit;
            if let Some(pause) = pace.pause(*now) {
                *now += pause;
                pauses.push(pause);
            }
            pace.begin(*now);
            let came = (*now - taken).as_secs_f64() * 1_000.0 * per_millisecond;
            pace.count(came as usize);
            taken = *now;
        }
        pauses
    }

    #[test]
    fn a_batch_waits_for_company_only_while_thousands_a_second_come() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let fast = Duration::from_micros(500);
        assert_eq!(pauses(&mut pace, &mut now, 2.0, fast), [], "as fast as one can who waits for each commit");
        let busy = pauses(&mut pace, &mut now, 8.0, fast);
        assert!(busy.len() > 70 && busy.iter().all(|pause| *pause <= PACE), "{busy:?}");
        now += Duration::from_secs(1);
        assert_eq!(pauses(&mut pace, &mut now, 2.0, fast), [], "after a while");
    }

    #[test]
    fn while_it_waits_for_the_disk_it_waits_for_nothing_else() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        assert_eq!(pauses(&mut pace, &mut now, 20.0, Duration::from_millis(8)), []);
    }
}
