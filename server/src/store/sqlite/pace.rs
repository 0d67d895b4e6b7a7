//! How quickly commits follow one another, and whether the process is busy, or even saturated.
//!
//! As long as few write nobody waits for company. While thousands of requests a second come, what a commit costs decides how many people
//! the server holds: docs/decisions/0018 and 0019. Once they use up the processors, everything queues in front of them, and only larger
//! batches make it less: docs/decisions/0020.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// The time over which it is decided whether it is busy.
const WINDOW: Duration = Duration::from_millis(10);
/// Requests a second that make it so: more than come from a few who each wait for their last one, on the fastest of disks.
const MANY: f64 = 4_000.0;

/// How long boards gather and how soon commits begin after one another, in milliseconds: what is not saturated, and then step by step, as far
/// as it takes until the processors have time again. One step too many is felt by everybody.
const STEPS: [(u64, u64); 5] = [(0, 5), (10, 5), (20, 10), (40, 15), (80, 30)];
/// The time over which it is decided whether it is saturated.
const LOAD_WINDOW: Duration = Duration::from_millis(200);
/// The share of all processors' time from which the next step is taken.
const SATURATED_FROM: f64 = 0.95;
/// The share below which one is taken back: each takes off less than that.
const SATURATED_TO: f64 = 0.80;

/// How long what was found with a commit holds. While it is so, commits follow on one another within milliseconds, and the windows are over
/// several times in this; once nobody writes any more, nothing else says that it is over.
const HOLDS: Duration = Duration::from_secs(1);

/// On which of the [`STEPS`] this process is, because it is busy and has no processor time left.
static SATURATED: Finding = Finding::none();

/// Whether the newest window of any store in this process was busy.
static BUSY: Finding = Finding::none();

/// Whether a store of this process takes thousands of requests a second.
pub(super) fn is_busy() -> bool {
    BUSY.holds(Instant::now).is_some()
}

/// How long a board is to wait for company, if that leaves the processors no time: everything waits its turn, and batches are to be large.
pub(super) fn gathering() -> Option<Duration> {
    SATURATED.holds(Instant::now).map(gather)
}

fn gather(step: usize) -> Duration {
    Duration::from_millis(STEPS.get(step).map_or(0, |(gather, _)| *gather))
}

fn pace(step: usize) -> Duration {
    Duration::from_millis(STEPS.get(step).map_or(0, |(_, pace)| *pace))
}

/// From when the time of findings counts.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Something that was found to be so, for a while.
struct Finding {
    /// How much so; 0 if it is not.
    step: AtomicUsize,
    /// Until when, in milliseconds from [`START`].
    until: AtomicU64,
}

impl Finding {
    const fn none() -> Self {
        Self { step: AtomicUsize::new(0), until: AtomicU64::new(0) }
    }

    fn note(&self, step: usize, now: Instant) {
        self.until.store(millis(now + HOLDS), Ordering::Relaxed);
        self.step.store(step, Ordering::Relaxed);
    }

    /// How much so, if it is. The time is asked for only if it matters.
    fn holds(&self, now: impl FnOnce() -> Instant) -> Option<usize> {
        let step = self.step.load(Ordering::Relaxed);
        (step > 0 && millis(now()) < self.until.load(Ordering::Relaxed)).then_some(step)
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
        if self.load.step == 0 && !self.busy {
            return None;
        }
        let next = self.last + pace(self.load.step);
        (now < next).then(|| next - now)
    }

    /// Whether thousands of requests a second came lately.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// A commit begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.last = now;
        let counted = now - self.since;
        if counted >= WINDOW {
            self.busy = self.requests as f64 >= MANY * counted.as_secs_f64();
            BUSY.note(usize::from(self.busy), now);
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
    /// Which of the [`STEPS`] it is on; 0 is not saturated.
    step: usize,
}

impl Load {
    fn new(now: Instant) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        Self { processors, since: now, requests: 0, taken: ProcessTime::try_now().ok(), step: 0 }
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
        self.step = next_step(share, rate, self.step);
        SATURATED.note(self.step, now);
        (self.since, self.requests, self.taken) = (now, 0, taken);
    }
}

/// The step that follows when the process takes that share of the processors' time for so many requests a second. With a gap between going on
/// and going back: larger batches are fewer, and cost less.
fn next_step(share: f64, rate: f64, step: usize) -> usize {
    let asked_for = if step == 0 { MANY / 2.0 } else { MANY / 4.0 };
    match step {
        _ if rate < asked_for => 0,
        _ if share >= SATURATED_FROM => (step + 1).min(STEPS.len() - 1),
        _ if share < SATURATED_TO => step.saturating_sub(1),
        _ => step,
    }
}

#[cfg(test)]
mod tests {
    use super::pace as pace_of;
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
        assert_eq!(
            pauses(&mut pace, &mut now, 2.0, fast),
            [Duration::ZERO; 0],
            "as fast as one can who waits for each commit"
        );
        let busy = pauses(&mut pace, &mut now, 8.0, fast);
        assert!(busy.len() > 70 && busy.iter().all(|pause| *pause <= pace_of(0)), "{busy:?}");
        now += Duration::from_secs(1);
        assert_eq!(pauses(&mut pace, &mut now, 2.0, fast), [Duration::ZERO; 0], "after a while");
    }

    #[test]
    fn while_it_waits_for_the_disk_it_waits_for_nothing_else() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        assert_eq!(pauses(&mut pace, &mut now, 20.0, Duration::from_millis(8)), [Duration::ZERO; 0]);
    }

    #[test]
    fn saturated_is_who_has_no_processor_time_left_because_of_what_is_asked() {
        assert_eq!(next_step(0.98, 9_000.0, 0), 1);
        assert_eq!(next_step(0.90, 9_000.0, 0), 0, "a tenth is left");
        assert_eq!(next_step(1.0, 50.0, 0), 0, "something else takes it");
        // Larger batches are fewer and cost less, which is no reason to go back to small ones.
        assert_eq!(next_step(0.85, 3_000.0, 1), 1);
        assert_eq!(next_step(0.70, 3_000.0, 2), 1, "less to do");
        assert_eq!(next_step(0.98, 100.0, 4), 0, "nobody writes any more");
        let highest = (0..10).fold(0, |step, _| next_step(0.99, 9_000.0, step));
        assert_eq!(gather(highest), Duration::from_millis(80), "as far as it takes, and no farther");
    }

    #[test]
    fn who_is_saturated_gathers_longer_and_who_idles_no_more_at_all() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.load.step = STEPS.len() - 1;
        let (slow, fast) = (pace_of(STEPS.len() - 1), pace_of(0));
        assert_eq!(pace.pause(start + fast), Some(slow - fast));
        pace.begin(start + LOAD_WINDOW);
        assert_eq!(pace.pause(start + LOAD_WINDOW), None, "no request has come for a whole window");
    }

    #[test]
    fn who_writes_first_after_a_rush_does_not_find_it_still_on() {
        let (start, finding) = (Instant::now(), Finding::none());
        assert_eq!(finding.holds(|| start), None);
        finding.note(2, start);
        assert_eq!(finding.holds(|| start + LOAD_WINDOW * 2), Some(2));
        assert_eq!(finding.holds(|| start + HOLDS), None, "nobody has written for a while");
        finding.note(1, start + HOLDS);
        assert_eq!(finding.holds(|| start + HOLDS), Some(1));
        finding.note(0, start + HOLDS);
        assert_eq!(finding.holds(|| start + HOLDS), None);
    }
}
