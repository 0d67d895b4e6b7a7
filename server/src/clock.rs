//! The wall clock: the only place that reads it. Everything that decides something is given the time.
//!
//! Deadlines are times of day, so that they survive a restart. But a wall clock is set now and then, by hand or by NTP, and a round must
//! not end an hour early for that: [`Steps`] notices it by the runtime's clock, which only ever goes on.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shared::id::Millis;

/// Milliseconds since 1970-01-01 UTC.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// A wall clock that is passed in. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// This machine's.
    pub fn system() -> Self {
        Self::new(now)
    }

    /// One that shows what `read` returns.
    pub fn new(read: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now(&self) -> Millis {
        (self.0)()
    }

    /// The moment of the runtime's clock at which this clock will show `at`; now, if it is past. Ask again after long waits: the wall
    /// clock may have been set meanwhile.
    pub fn moment(&self, at: Millis) -> tokio::time::Instant {
        tokio::time::Instant::now() + Duration::from_millis(at.saturating_sub(self.now()))
    }
}

/// Notices when a wall clock is set. A machine that slept looks as if its clock had been set on by as much, for the runtime's clock stands
/// still meanwhile: then, too, as much is left of a round as before.
#[derive(Debug)]
pub struct Steps {
    wall: Millis,
    at: Instant,
}

impl Steps {
    /// Below this (milliseconds) it is reading two clocks one after the other, or a leap second, and nobody notices.
    const LEAST: u64 = 1_500;

    /// From the wall clock's `wall` at the moment `at` on.
    pub fn new(wall: Millis, at: Instant) -> Self {
        Self { wall, at }
    }

    /// By how many milliseconds the wall clock has been set since, if it shows `wall` at the moment `at`; 0 if it was not.
    pub fn since(&self, wall: Millis, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.at).as_millis();
        let expected = self.wall.saturating_add(Millis::try_from(passed).unwrap_or(Millis::MAX));
        let by = wall.cast_signed().saturating_sub(expected.cast_signed());
        if by.unsigned_abs() < Self::LEAST { 0 } else { by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn w11_a_clock_that_was_set_is_noticed_and_one_that_runs_is_not() {
        let start = Instant::now();
        let steps = Steps::new(10_000_000, start);
        let later = start + Duration::from_secs(600);
        for (shown, by) in [
            (10_600_000, 0),
            (10_601_000, 0),
            (10_600_000 + HOUR.cast_unsigned(), HOUR),
            (10_600_000 - HOUR.cast_unsigned(), -HOUR),
            (0, -10_600_000),
        ] {
            assert_eq!(steps.since(shown, later), by);
        }
    }

    #[test]
    fn a_moment_that_is_past_is_now() {
        let clock = Clock::new(|| 5_000);
        assert!(clock.moment(4_000) <= tokio::time::Instant::now());
        assert!(clock.moment(65_000) > tokio::time::Instant::now() + Duration::from_secs(50));
    }
}
