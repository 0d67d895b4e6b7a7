//! When a café's views are shown. Pure.
//!
//! 1. The first change after a quiet time is shown at once; then there is a least time between two views of one person.
//! 2. A café of thousands, whose people all come at once, is busy with their edits and not with telling each of every other: between two views
//!    passes a multiple of what making the last ones took. How busy the tables are, of which there is always something new, waits longest.
//! 3. What the facilitator does, and the end of a round, everybody waits for: nothing but the least time holds it up.
//! 4. Whoever has just come sees something at once.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two views of one person.
const BETWEEN: Duration = Duration::from_millis(250);
/// Between two views pass this many times what making the last ones took.
const SHARE: u32 = 4;
/// The same for views that only tell how busy the tables are.
const FLOOR_SHARE: u32 = 128;
/// The longest time between two such views, if there is something new.
const FLOOR_AT_MOST: Duration = Duration::from_secs(2);

/// Which viewers are to be shown something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those who steer, and those who have not been shown anything yet.
    Steering,
    /// Those who have not been shown anything yet.
    New,
}

/// What is to be shown, and when.
pub(super) struct Schedule {
    /// Whose views may have changed since they were last shown.
    changed: Option<Which>,
    /// Whether everybody waits for it.
    steered: bool,
    /// Whether somebody waits for their first view.
    newcomers: bool,
    /// Nobody but newcomers is shown anything before this.
    soonest: Instant,
    /// When views may be shown again, and those that only tell how busy the tables are.
    again: Instant,
    floor_again: Instant,
}

impl Schedule {
    /// Nothing was shown yet.
    pub fn new(now: Instant) -> Self {
        Self { changed: None, steered: false, newcomers: false, soonest: now, again: now, floor_again: now }
    }

    /// Views may have changed: everybody's, or those of the ones who steer.
    pub fn changed(&mut self, which: Which) {
        if self.changed != Some(Which::All) {
            self.changed = Some(which);
        }
    }

    /// Everybody waits to see it.
    pub fn steered(&mut self) {
        self.changed(Which::All);
        self.steered = true;
    }

    /// Somebody waits for their first view.
    pub fn newcomer(&mut self) {
        self.newcomers = true;
    }

    /// When to show what has changed, if anything has.
    pub fn at(&self) -> Option<Instant> {
        self.changed.map(|which| match which {
            _ if self.steered => self.soonest,
            Which::Steering => self.floor_again,
            Which::All | Which::New => self.again,
        })
    }

    /// Whom to show their views now.
    pub fn take(&mut self, now: Instant) -> Option<Which> {
        let newcomers = std::mem::take(&mut self.newcomers);
        if self.at().is_some_and(|at| now >= at) {
            self.steered = false;
            return self.changed.take();
        }
        newcomers.then_some(Which::New)
    }

    /// They were shown, from a moment on and for so long.
    pub fn shown(&mut self, began: Instant, took: Duration) {
        self.soonest = began + BETWEEN;
        self.again = began + BETWEEN.max(took * (SHARE + 1));
        self.floor_again = self.again.max(began + FLOOR_AT_MOST.min(took * (FLOOR_SHARE + 1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_change_is_shown_at_once_and_the_next_after_a_pause() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert_eq!((schedule.at(), schedule.take(start)), (None, None));
        schedule.changed(Which::All);
        assert_eq!(schedule.take(start), Some(Which::All));
        schedule.shown(start, ms(1));
        schedule.changed(Which::All);
        assert_eq!(schedule.take(start + ms(249)), None);
        assert_eq!(schedule.at(), Some(start + BETWEEN));
        assert_eq!(schedule.take(start + BETWEEN), Some(Which::All));
    }

    #[test]
    fn a_large_cafe_pauses_longer_but_not_for_those_who_steer() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.shown(start, ms(200));
        schedule.changed(Which::Steering);
        assert_eq!(schedule.at(), Some(start + FLOOR_AT_MOST));
        schedule.changed(Which::All);
        schedule.changed(Which::Steering);
        assert_eq!(schedule.at(), Some(start + ms(1_000)), "everybody's is the larger change");
        schedule.steered();
        assert_eq!(schedule.at(), Some(start + BETWEEN));
        assert_eq!(schedule.take(start + BETWEEN), Some(Which::All));
        schedule.changed(Which::All);
        assert_eq!(schedule.at(), Some(start + ms(1_000)), "only once");
    }

    #[test]
    fn newcomers_do_not_wait() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.shown(start, ms(500));
        schedule.changed(Which::All);
        schedule.newcomer();
        assert_eq!(schedule.take(start), Some(Which::New));
        assert_eq!(schedule.take(start), None, "once");
        assert!(schedule.at().is_some(), "the others still get theirs");
    }
}
