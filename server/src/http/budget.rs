//! How fast the commands of a café may make its log grow. Requests are bounded in number by [`super::gate`]; a command may be two
//! megabytes, and what it leaves in the log may be far more than itself: a round seats thousands, a vote quotes every theme.
//!
//! Each café has two budgets, that of its facilitators and that of its reviewers, so that whoever has the reviewers' link cannot hold up
//! those who steer. A command counts with the larger of its body and its events. The body is known before, and must fit; the events are
//! known afterwards, and may overdraw the budget: then the next command waits until the debt is paid.

use std::time::Instant;

use dashmap::DashMap;
use shared::id::{Role, WorkshopId};
use shared::limits;

use super::error::ApiError;

/// Budgets held in memory before those that are full again are let go: a few megabytes.
const HELD: usize = 16_384;

const PER_SECOND: f64 = limits::COMMAND_BYTES_PER_SECOND as f64;
const BURST: f64 = limits::COMMAND_BYTES_BURST as f64;

/// The budgets of all cafés that are being changed.
#[derive(Default)]
pub struct Budgets {
    open: DashMap<(WorkshopId, Role), Level>,
}

/// Bytes left at a moment; below zero they are owed.
#[derive(Clone, Copy)]
struct Level {
    left: f64,
    at: Instant,
}

impl Level {
    fn at(self, now: Instant) -> Self {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * PER_SECOND;
        Self { left: (self.left + earned).min(BURST), at: now }
    }
}

impl Budgets {
    /// Takes so many bytes; what is more than a whole budget counts as one.
    ///
    /// # Errors
    /// [`ApiError::TooFast`] if there are fewer; then none are taken.
    pub fn take(&self, cafe: &WorkshopId, role: Role, bytes: u64, now: Instant) -> Result<(), ApiError> {
        let bytes = (bytes as f64).min(BURST);
        let mut entry = self.level(cafe, role, now);
        let level = entry.at(now);
        let lacking = bytes - level.left;
        *entry = level;
        if lacking > 0.0 {
            return Err(ApiError::TooFast { retry_after: (lacking / PER_SECOND).ceil() as u64 });
        }
        entry.left -= bytes;
        Ok(())
    }

    /// A command that was counted with `taken` bytes turned out to have so many: the rest is given back, or owed.
    pub fn settle(&self, cafe: &WorkshopId, role: Role, taken: u64, bytes: u64, now: Instant) {
        if taken == bytes {
            return;
        }
        let mut entry = self.level(cafe, role, now);
        let level = entry.at(now);
        *entry = Level { left: (level.left + taken as f64 - bytes as f64).min(BURST), at: now };
    }

    fn level(
        &self,
        cafe: &WorkshopId,
        role: Role,
        now: Instant,
    ) -> dashmap::mapref::one::RefMut<'_, (WorkshopId, Role), Level> {
        let key = (cafe.clone(), role);
        if self.open.len() >= HELD && !self.open.contains_key(&key) {
            self.open.retain(|_, level| level.at(now).left < BURST);
        }
        self.open.entry(key).or_insert(Level { left: BURST, at: now })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HALF: u64 = limits::COMMAND_BYTES_BURST as u64 / 2;

    #[test]
    fn h23_a_cafe_takes_a_burst_and_then_the_average() {
        let (budgets, start, cafe) = (Budgets::default(), Instant::now(), WorkshopId::from("w"));
        let take = |role, bytes, now| budgets.take(&cafe, role, bytes, now);
        assert_eq!(take(Role::Facilitator, HALF, start), Ok(()));
        assert_eq!(take(Role::Facilitator, HALF, start), Ok(()));
        let wait = HALF / u64::from(limits::COMMAND_BYTES_PER_SECOND);
        assert_eq!(take(Role::Facilitator, HALF, start), Err(ApiError::TooFast { retry_after: wait }));
        assert_eq!(take(Role::Reviewer, HALF, start), Ok(()), "a budget of their own");
        assert_eq!(budgets.take(&"other".into(), Role::Facilitator, HALF, start), Ok(()));
        let later = start + Duration::from_secs(wait);
        assert_eq!(take(Role::Facilitator, HALF, later), Ok(()));
        assert!(take(Role::Facilitator, 1, later).is_err());
        assert_eq!(
            take(Role::Facilitator, u64::MAX, later + Duration::from_secs(3_600)),
            Ok(()),
            "a whole one is enough"
        );
    }

    #[test]
    fn h23_what_a_command_left_in_the_log_is_owed() {
        let (budgets, start, cafe) = (Budgets::default(), Instant::now(), WorkshopId::from("w"));
        assert_eq!(budgets.take(&cafe, Role::Facilitator, 40, start), Ok(()));
        budgets.settle(&cafe, Role::Facilitator, 40, 6 * HALF, start);
        let wait = 4 * HALF / u64::from(limits::COMMAND_BYTES_PER_SECOND);
        assert_eq!(budgets.take(&cafe, Role::Facilitator, 0, start), Err(ApiError::TooFast { retry_after: wait }));
        assert_eq!(budgets.take(&cafe, Role::Facilitator, 0, start + Duration::from_secs(wait)), Ok(()));
        // What was taken for a body whose size was not known comes back.
        assert_eq!(budgets.take(&cafe, Role::Reviewer, 2 * HALF, start), Ok(()));
        budgets.settle(&cafe, Role::Reviewer, 2 * HALF, 100, start);
        assert_eq!(budgets.take(&cafe, Role::Reviewer, 2 * HALF - 100, start), Ok(()));
    }

    #[test]
    fn budgets_that_are_full_again_are_let_go() {
        let (budgets, start) = (Budgets::default(), Instant::now());
        for n in 0..HELD {
            budgets.take(&n.to_string().into(), Role::Facilitator, 1, start).expect("a full budget");
        }
        let later = start + Duration::from_secs(1);
        budgets.take(&"one more".into(), Role::Facilitator, 1, later).expect("a full budget");
        assert_eq!(budgets.open.len(), 1);
    }
}
