//! How often one address may ask. Generous where a whole company sits behind one router, strict where somebody guesses.
//!
//! Join codes: an address may try [`wrong_code_limit`](Config::wrong_code_limit) wrong ones in ten minutes. After that it is told nothing
//! about any code, except those that have already proved right from there; so guessing ends after thirty tries, while a guest
//! behind the same router as the guesser can still join the café that the others are in.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared::id::WorkshopId;
use shared::limits;

use super::budget::Budgets;
use super::error::ApiError;
use crate::config::Config;

/// How long a wrong code counts.
const WRONG_CODE_WINDOW: Duration = Duration::from_secs(600);
/// Codes remembered as right for one address; more cafés do not meet behind one router.
const KNOWN_CODES: usize = 64;
/// Addresses remembered; past it all are forgotten, which only lets each of them try again.
const ADDRESSES: usize = 100_000;
/// Requests one address may make at once, and as many again each minute: a thousand people who vote.
const REQUESTS: u32 = 6_000;
/// Checks after which limiters drop the addresses that have not been seen for a while.
const SWEEP_EVERY: u32 = 4_096;

/// The limits of all addresses.
pub struct Gate {
    /// How fast cafés may be changed.
    pub commands: Budgets,
    requests: Limiter<IpAddr>,
    joins: Limiter<IpAddr>,
    joins_of_workshop: Limiter<WorkshopId>,
    creations: Limiter<IpAddr>,
    wrong_code_limit: u32,
    codes: Mutex<HashMap<IpAddr, Codes>>,
    sockets: Places,
}

/// So many places for each address.
#[derive(Clone)]
pub struct Places {
    limit: u32,
    taken: Arc<DashMap<IpAddr, u32>>,
}

/// A connection's place among those of its address, given back when this is dropped.
pub struct Admission {
    address: IpAddr,
    taken: Arc<DashMap<IpAddr, u32>>,
}

/// What one address has tried.
#[derive(Default)]
struct Codes {
    known: VecDeque<String>,
    /// When the first of `wrong` was tried.
    since: Option<Instant>,
    wrong: u32,
}

impl Gate {
    /// With the limits of this configuration.
    pub fn new(config: &Config) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            commands: Budgets::default(),
            requests: Limiter::new(REQUESTS, minute),
            joins: Limiter::new(config.join_limit, minute),
            joins_of_workshop: Limiter::new(limits::PEOPLE_MAX as u32, minute),
            creations: Limiter::new(config.create_limit, 60 * minute),
            wrong_code_limit: config.wrong_code_limit,
            codes: Mutex::default(),
            sockets: Places::new(config.connection_limit),
        }
    }

    /// A WebSocket; `None` if its address has too many open.
    pub fn connect(&self, address: IpAddr) -> Option<Admission> {
        self.sockets.take(address)
    }

    /// Any request.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn request(&self, address: IpAddr) -> Result<(), ApiError> {
        self.requests.check(&address)
    }

    /// Creating a café.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn create(&self, address: IpAddr) -> Result<(), ApiError> {
        self.creations.check(&address)
    }

    /// Joining any café.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn join(&self, address: IpAddr) -> Result<(), ApiError> {
        self.joins.check(&address)
    }

    /// Joining this café, from wherever.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn join_workshop(&self, workshop: &WorkshopId) -> Result<(), ApiError> {
        self.joins_of_workshop.check(workshop)
    }

    /// Before a code is looked up.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] if this address has tried too many wrong ones and this is not one it knows.
    pub fn try_code(&self, address: IpAddr, code: &str, now: Instant) -> Result<(), ApiError> {
        let mut all = self.codes();
        let Some(codes) = all.get_mut(&address) else { return Ok(()) };
        let Some(since) = codes.since else { return Ok(()) };
        let left = WRONG_CODE_WINDOW.saturating_sub(now.saturating_duration_since(since));
        if left.is_zero() {
            codes.since = None;
            codes.wrong = 0;
        } else if codes.wrong >= self.wrong_code_limit && !codes.known.iter().any(|known| known == code) {
            return Err(ApiError::TooManyRequests { retry_after: left.as_secs() + 1 });
        }
        Ok(())
    }

    /// A code that leads nowhere was tried.
    pub fn wrong_code(&self, address: IpAddr, now: Instant) {
        let mut all = self.codes();
        let codes = entry(&mut all, address);
        codes.since.get_or_insert(now);
        codes.wrong = codes.wrong.saturating_add(1);
        metrics::counter!("tablehop_wrong_codes_total").increment(1);
    }

    /// This address has shown that it knows this code.
    pub fn right_code(&self, address: IpAddr, code: &str) {
        let mut all = self.codes();
        let known = &mut entry(&mut all, address).known;
        if !known.iter().any(|k| k == code) {
            known.push_back(code.to_owned());
            if known.len() > KNOWN_CODES {
                known.pop_front();
            }
        }
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<IpAddr, Codes>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// With this many for each address, all free.
    pub fn new(limit: u32) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// One of an address's places; `None` if all are taken.
    pub fn take(&self, address: IpAddr) -> Option<Admission> {
        let mut taken = self.taken.entry(address).or_default();
        if *taken >= self.limit {
            return None;
        }
        *taken += 1;
        Some(Admission { address, taken: self.taken.clone() })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Entry::Occupied(mut taken) = self.taken.entry(self.address) {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

fn entry(all: &mut HashMap<IpAddr, Codes>, address: IpAddr) -> &mut Codes {
    if all.len() >= ADDRESSES && !all.contains_key(&address) {
        all.clear();
    }
    all.entry(address).or_default()
}

/// `burst` at once, and as many again, evenly, over a period.
struct Limiter<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(burst: u32, period: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period / burst.get()).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) }
    }

    fn check(&self, key: &K) -> Result<(), ApiError> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            ApiError::TooManyRequests { retry_after: wait.as_secs() + 1 }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn gate() -> Gate {
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), PathBuf::new());
        config.join_limit = 3;
        Gate::new(&config)
    }

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 8));

    #[test]
    fn guessing_ends_and_guests_still_join() {
        let (gate, now) = (gate(), Instant::now());
        gate.right_code(OFFICE, "RIGHT234");
        let mut tries = 0;
        while gate.try_code(OFFICE, "GUESS234", now).is_ok() {
            gate.wrong_code(OFFICE, now);
            tries += 1;
        }
        assert_eq!(tries, 30);
        assert_eq!(gate.try_code(OFFICE, "OTHER234", now), Err(ApiError::TooManyRequests { retry_after: 601 }));
        assert_eq!(gate.try_code(OFFICE, "RIGHT234", now), Ok(()), "a guest behind the same router");
        assert_eq!(gate.try_code(ELSEWHERE, "OTHER234", now), Ok(()), "a guest elsewhere");

        let later = now + WRONG_CODE_WINDOW;
        assert_eq!(gate.try_code(OFFICE, "OTHER234", later), Ok(()));
    }

    #[test]
    fn an_address_remembers_its_last_codes_only() {
        let (gate, now) = (gate(), Instant::now());
        (0..=KNOWN_CODES).for_each(|n| gate.right_code(OFFICE, &n.to_string()));
        (0..30).for_each(|_| gate.wrong_code(OFFICE, now));
        assert!(gate.try_code(OFFICE, "0", now).is_err());
        assert!(gate.try_code(OFFICE, "1", now).is_ok());
    }

    #[test]
    fn h22_an_address_has_so_many_sockets_and_gets_them_back() {
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), PathBuf::new());
        config.connection_limit = 2;
        let gate = Gate::new(&config);
        let one = gate.connect(OFFICE);
        let two = gate.connect(OFFICE);
        assert!(one.is_some() && two.is_some() && gate.connect(OFFICE).is_none());
        assert!(gate.connect(ELSEWHERE).is_some());
        drop(one);
        assert!(gate.connect(OFFICE).is_some());
        drop(two);
        assert!(gate.sockets.taken.is_empty(), "nobody is remembered who is not here");
    }

    #[test]
    fn joins_are_limited_by_address() {
        let gate = gate();
        assert!((0..3).all(|_| gate.join(OFFICE).is_ok()));
        assert!(matches!(gate.join(OFFICE), Err(ApiError::TooManyRequests { retry_after: 1..=60 })));
        assert_eq!(gate.join(ELSEWHERE), Ok(()));
    }
}
