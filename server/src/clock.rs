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

/// A time as `2026-11-21 21:18 UTC`. The server does not know the reader's time zone.
pub fn utc(at: Millis) -> String {
    let minutes = at / 60_000;
    let (year, month, day) = civil(minutes / 1_440);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60 % 24, minutes % 60)
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    // Years from March on, so that the leap day comes last; eras of 400 years all have 146,097 days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
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

    #[test]
    fn times_are_those_of_the_calendar() {
        for (at, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_795_262_400_000, "2026-11-21 12:00 UTC"),
            (4_107_542_399_000, "2100-02-28 23:59 UTC"),
        ] {
            assert_eq!(utc(at), text);
        }
    }
}
