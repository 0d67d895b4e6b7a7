//! How many bytes of edits each person may still send, with all their connections together. A connection's own bucket begins full, so whoever
//! came again and again would write without end.
//!
//! A person's bucket is there as long as they are connected, and afterwards until it would be full again: then a new one is the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;
use shared::id::{ActorId, WorkshopId};
use shared::limits;
use tokio::time::Instant;

use super::rate::Bucket;

/// Fewer than these are not looked through for such as are not needed any more.
const FEW: usize = 1_024;

/// The allowances of all who are connected, and of those who have just gone.
#[derive(Debug)]
pub struct Allowances {
    /// By a number made of café and person, for they are many. Should two share one, they share a bucket.
    people: DashMap<u64, Allowance>,
    hasher: RandomState,
    /// How many there may be before they are looked through.
    enough: AtomicUsize,
}

/// One person's allowance.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<Mutex<Bucket>>);

impl Default for Allowances {
    fn default() -> Self {
        Self { people: DashMap::new(), hasher: RandomState::new(), enough: AtomicUsize::new(FEW) }
    }
}

impl Allowances {
    /// A person's allowance, as all their connections have left it.
    pub fn of(&self, workshop: &WorkshopId, person: &ActorId, now: Instant) -> Allowance {
        let number = self.hasher.hash_one((workshop, person));
        let allowance = self.people.entry(number).or_insert_with(|| Allowance::full(now)).clone();
        if self.people.len() > self.enough.load(Ordering::Relaxed) {
            self.sweep(now);
        }
        allowance
    }

    /// Lets go of those that nobody needs. Should there be too many of people who have gone, of all of these.
    fn sweep(&self, now: Instant) {
        let mut gone = 0;
        self.people.retain(|_, allowance| {
            let stays = allowance.is_held() || !allowance.is_full(now);
            gone += usize::from(stays && !allowance.is_held());
            stays
        });
        if gone > limits::ALLOWANCES_KEPT {
            self.people.retain(|_, allowance| allowance.is_held());
        }
        self.enough.store(FEW.max(2 * self.people.len()), Ordering::Relaxed);
    }
}

impl Allowance {
    fn full(now: Instant) -> Self {
        let bucket = Bucket::new(limits::EDIT_BYTES_PER_SECOND, limits::EDIT_BYTES_BURST, now);
        Self(Arc::new(Mutex::new(bucket)))
    }

    /// Takes so many bytes; `false` if there are fewer.
    pub fn take(&self, now: Instant, bytes: usize) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take_many(now, bytes)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_full(now)
    }

    /// Whether a connection has it.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BURST: usize = limits::EDIT_BYTES_BURST as usize;

    #[test]
    fn h23_who_comes_back_has_what_they_had_left() {
        let (allowances, now) = (Allowances::default(), Instant::now());
        let of = |person: &str| allowances.of(&"w".into(), &person.into(), now);
        let (phone, laptop) = (of("ann"), of("ann"));
        assert!(phone.take(now, BURST - 10) && laptop.take(now, 9) && !laptop.take(now, 2));
        drop((phone, laptop));
        assert!(!of("ann").take(now, 2));
        assert!(of("bob").take(now, BURST) && allowances.of(&"v".into(), &"ann".into(), now).take(now, BURST));
        assert!(of("ann").take(now + Duration::from_secs(1), limits::EDIT_BYTES_PER_SECOND as usize));
    }

    #[test]
    fn h23_no_more_is_remembered_than_has_to_be() {
        let (allowances, start) = (Allowances::default(), Instant::now());
        let come = |n: usize, now| allowances.of(&"w".into(), &format!("p{n}").into(), now);
        let here: Vec<Allowance> = (0..FEW).map(|n| come(n, start)).collect();
        // They write and go, and others come.
        for n in FEW..20 * FEW {
            assert!(come(n, start).take(start, 1 + n % 2 * BURST / 2));
        }
        assert!(here.iter().all(|allowance| allowance.take(start, BURST)));
        let later = start + Duration::from_secs(10);
        allowances.sweep(later);
        assert!((10 * FEW..12 * FEW).contains(&allowances.people.len()), "{}", allowances.people.len());
        assert!(!come(0, later).take(later, BURST), "who is here is remembered");
        allowances.sweep(start + Duration::from_secs(3_600));
        assert_eq!(allowances.people.len(), FEW);
        // Everybody writes as much as they may, and goes.
        for n in 0..2 * limits::ALLOWANCES_KEPT {
            assert!(come(n + 100 * FEW, later).take(later, BURST));
        }
        assert!(allowances.people.len() <= 2 * (limits::ALLOWANCES_KEPT + FEW) + 1, "{}", allowances.people.len());
        assert!(!come(0, later).take(later, BURST), "who is here is remembered all the same");
    }
}
