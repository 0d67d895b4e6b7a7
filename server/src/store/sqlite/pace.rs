//! How quickly commits follow one another, and whether the process is busy, or even saturated.
//!
//! As long as few write nobody waits for company. While thousands of requests a second come, what a commit costs decides how many people
//! the server holds: docs/decisions/0018 and 0019. Once they use up the processors, everything queues in front of them, and only larger
//! batches make it less: docs/decisions/0020.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// While it is busy, commits begin no sooner after one another.
const PACE: Duration = Duration::from_millis(5);
/// The time over which it is decided whether it is busy.
const WINDOW: Duration = Duration::from_millis(10);
/// Requests a second that make it so: more than come from a few who each wait for their last one, on the fastest of disks.
const MANY: f64 = 4_000.0;

/// While it is saturated, commits begin no sooner after one another.
const PACE_SATURATED: Duration = Duration::from_millis(30);
/// The time over which it is decided whether it is saturated.
const LOAD_WINDOW: Duration = Duration::from_millis(200);
/// The share of all processors' time from which it is.
const SATURATED_FROM: f64 = 0.95;
/// The share down to which it stays so: larger batches take off less than that.
const SATURATED_TO: f64 = 0.80;

/// How long what was found with a commit holds. While it is so, commits follow on one another within milliseconds, and the windows are over
/// several times in this; once nobody writes any more, nothing else says that it is over.
const HOLDS: Duration = Duration::from_secs(1);

/// Whether this process is busy and has no processor time left.
static SATURATED: Finding = Finding::none();

/// Whether the newest window of any store in this process was busy.
static BUSY: Finding = Finding::none();

/// Whether a store of this process takes thousands of requests a second.
pub(super) fn is_busy() -> bool {
    BUSY.holds(Instant::now)
}

/// Whether that leaves the processors no time: everything waits its turn, and batches are to be large.
pub(super) fn is_saturated() -> bool {
    SATURATED.holds(Instant::now)
}

/// From when the time of findings counts.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Something that was found to be so, for a while.
struct Finding {
    /// Until when, in milliseconds from [`START`]; 0 if it is not so.
    until: AtomicU64,
}

impl Finding {
    const fn none() -> Self {
        Self { until: AtomicU64::new(0) }
    }

    fn note(&self, is_so: bool, now: Instant) {
        self.until.store(if is_so { millis(now + HOLDS) } else { 0 }, Ordering::Relaxed);
    }

    /// The time is asked for only if it matters.
    fn holds(&self, now: impl FnOnce() -> Instant) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until > 0 && millis(now()) < until
    }
}

fn millis(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*START).as_millis()).unwrap_or(u64::MAX)
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
    load: Load,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, since: now, requests: 0, busy: false, load: Load::new(now) }
    }

    /// How long to wait before the next commit, if at all.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let next = match (self.load.saturated, self.busy) {
            (true, _) => self.last + PACE_SATURATED,
            (false, true) => self.last + PACE,
            (false, false) => return None,
        };
        (now < next).then(|| next - now)
    }

    /// A commit begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.last = now;
        let counted = now - self.since;
        if counted >= WINDOW {
            self.busy = self.requests as f64 >= MANY * counted.as_secs_f64();
            BUSY.note(self.busy, now);
            self.since = now;
            self.requests = 0;
        }
        self.load.look(now);
    }

    /// So many requests go into it.
    pub(super) fn count(&mut self, requests: usize) {
        self.requests += requests;
        self.load.requests += requests;
    }
}

/// How much of the processors' time this process takes while requests come.
#[derive(Debug)]
struct Load {
    processors: f64,
    since: Instant,
    requests: usize,
    /// What it had taken by then; `None` where the system does not tell.
    taken: Option<ProcessTime>,
    saturated: bool,
}

impl Load {
    fn new(now: Instant) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        Self { processors, since: now, requests: 0, taken: ProcessTime::try_now().ok(), saturated: false }
    }

    fn look(&mut self, now: Instant) {
        let passed = now - self.since;
        if passed < LOAD_WINDOW {
            return;
        }
        let taken = ProcessTime::try_now().ok();
        let used = self.taken.zip(taken).map_or(Duration::ZERO, |(before, after)| after.duration_since(before));
        let share = used.as_secs_f64() / (passed.as_secs_f64() * self.processors);
        let rate = self.requests as f64 / passed.as_secs_f64();
        self.saturated = is_saturated_at(share, rate, self.saturated);
        SATURATED.note(self.saturated, now);
        (self.since, self.requests, self.taken) = (now, 0, taken);
    }
}

/// Whether that share of the processors' time is all there is, and so many requests a second use it up. With a gap between becoming so and
/// ceasing to be: larger batches are fewer, and cost less.
fn is_saturated_at(share: f64, rate: f64, before: bool) -> bool {
    match before {
        true => share >= SATURATED_TO && rate >= MANY / 4.0,
        false => share >= SATURATED_FROM && rate >= MANY / 2.0,
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

    #[test]
    fn saturated_is_who_has_no_processor_time_left_because_of_what_is_asked() {
        assert!(is_saturated_at(0.98, 9_000.0, false));
        assert!(!is_saturated_at(0.90, 9_000.0, false), "a tenth is left");
        assert!(!is_saturated_at(1.0, 50.0, false), "something else takes it");
        // Larger batches are fewer and cost less, which is no reason to go back to small ones.
        assert!(is_saturated_at(0.85, 3_000.0, true));
        assert!(!is_saturated_at(0.70, 3_000.0, true), "less to do");
        assert!(!is_saturated_at(0.98, 100.0, true), "nobody writes any more");
    }

    #[test]
    fn who_is_saturated_gathers_longer_and_who_idles_no_more_at_all() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.load.saturated = true;
        assert_eq!(pace.pause(start + PACE), Some(PACE_SATURATED - PACE));
        pace.begin(start + LOAD_WINDOW);
        assert_eq!(pace.pause(start + LOAD_WINDOW), None, "no request has come for a whole window");
    }

    #[test]
    fn who_writes_first_after_a_rush_does_not_find_it_still_on() {
        let (start, finding) = (Instant::now(), Finding::none());
        assert!(!finding.holds(|| start));
        finding.note(true, start);
        assert!(finding.holds(|| start + LOAD_WINDOW * 2));
        assert!(!finding.holds(|| start + HOLDS), "nobody has written for a while");
        finding.note(true, start + HOLDS);
        assert!(finding.holds(|| start + HOLDS));
        finding.note(false, start + HOLDS);
        assert!(!finding.holds(|| start + HOLDS));
    }
}
