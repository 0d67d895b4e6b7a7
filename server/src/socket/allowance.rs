//! How much each person may still do with all their connections together: bytes of edits, questions after whole documents, readings of the
//! register of client ids. A connection's own buckets begin full, so whoever came again and again would go on without end.
//!
//! A person's buckets are there as long as they are connected, and afterwards until they would be full again: then new ones are the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct Allowance(Arc<Mutex<Buckets>>);

#[derive(Debug)]
struct Buckets {
    edit_bytes: Bucket,
    syncs: Bucket,
    look_ups: Bucket,
}

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
        let buckets = Buckets {
            edit_bytes: Bucket::new(limits::EDIT_BYTES_PER_SECOND, limits::EDIT_BYTES_BURST, now),
            syncs: Bucket::new(limits::SYNCS_PER_SECOND_PER_PERSON, limits::SYNCS_BURST_PER_PERSON, now),
            look_ups: Bucket::new(limits::LOOK_UPS_PER_SECOND, limits::LOOK_UPS_BURST, now),
        };
        Self(Arc::new(Mutex::new(buckets)))
    }

    /// Takes an edit of so many bytes, [`limits::EDIT_BYTES_LEAST`] at least; `false` if there are fewer left.
    pub fn edit(&self, now: Instant, bytes: usize) -> bool {
        self.lock().edit_bytes.take_many(now, bytes.max(limits::EDIT_BYTES_LEAST))
    }

    /// Takes one question after a whole document; `false` if none is left.
    pub fn sync(&self, now: Instant) -> bool {
        self.lock().syncs.take(now)
    }

    /// Takes so many readings of the register of client ids; `false` if there are fewer left.
    pub fn look_up(&self, now: Instant, readings: usize) -> bool {
        self.lock().look_ups.take_many(now, readings)
    }

    fn is_full(&self, now: Instant) -> bool {
        let mut buckets = self.lock();
        let Buckets { edit_bytes, syncs, look_ups } = &mut *buckets;
        [edit_bytes, syncs, look_ups].into_iter().all(|bucket| bucket.is_full(now))
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    const LEAST: usize = limits::EDIT_BYTES_LEAST;

    #[test]
    fn h23_who_comes_back_has_what_they_had_left() {
        let (allowances, now) = (Allowances::default(), Instant::now());
        let of = |person: &str| allowances.of(&"w".into(), &person.into(), now);
        let (phone, laptop) = (of("ann"), of("ann"));
        assert!(phone.edit(now, BURST - LEAST) && laptop.edit(now, LEAST) && !laptop.edit(now, 1));
        drop((phone, laptop));
        assert!(!of("ann").edit(now, 1));
        assert!(of("bob").edit(now, BURST) && allowances.of(&"v".into(), &"ann".into(), now).edit(now, BURST));
        assert!(of("ann").edit(now + Duration::from_secs(1), limits::EDIT_BYTES_PER_SECOND as usize));
        // However small they are, edits are counted; and so is what else all connections share.
        let (ann, later) = (of("ann"), now + Duration::from_secs(2));
        assert_eq!((0..1_000).filter(|_| ann.edit(later, 1)).count(), limits::EDIT_BYTES_PER_SECOND as usize / LEAST);
        let asked = (0..).take_while(|_| of("ann").sync(now)).count();
        assert_eq!(asked, limits::SYNCS_BURST_PER_PERSON as usize);
        assert!(
            ann.look_up(now, limits::LOOK_UPS_BURST as usize)
                && !of("ann").look_up(now, 1)
                && of("bob").look_up(now, 1)
        );
    }

    #[test]
    fn h23_no_more_is_remembered_than_has_to_be() {
        let (allowances, start) = (Allowances::default(), Instant::now());
        let come = |n: usize, now| allowances.of(&"w".into(), &format!("p{n}").into(), now);
        let here: Vec<Allowance> = (0..FEW).map(|n| come(n, start)).collect();
        // They write and go, and others come.
        for n in FEW..20 * FEW {
            assert!(come(n, start).edit(start, 1 + n % 2 * BURST / 2));
        }
        assert!(here.iter().all(|allowance| allowance.edit(start, BURST)));
        let later = start + Duration::from_secs(10);
        allowances.sweep(later);
        assert!((10 * FEW..12 * FEW).contains(&allowances.people.len()), "{}", allowances.people.len());
        assert!(!come(0, later).edit(later, BURST), "who is here is remembered");
        allowances.sweep(start + Duration::from_secs(3_600));
        assert_eq!(allowances.people.len(), FEW);
        // Everybody writes as much as they may, and goes.
        for n in 0..2 * limits::ALLOWANCES_KEPT {
            assert!(come(n + 100 * FEW, later).edit(later, BURST));
        }
        assert!(allowances.people.len() <= 2 * (limits::ALLOWANCES_KEPT + FEW) + 1, "{}", allowances.people.len());
        assert!(!come(0, later).edit(later, BURST), "who is here is remembered all the same");
    }
}
