//! How often one address may ask. Generous where a whole company sits behind one router, strict where somebody guesses (see [`super::codes`]).

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared::id::{ActorId, WorkshopId};
use shared::limits;

use super::budget::Budgets;
use super::codes::Codes;
use super::error::ApiError;
use crate::auth::Principal;
use crate::config::Config;

/// Checks after which limiters drop the addresses that have not been seen for a while.
const SWEEP_EVERY: u32 = 4_096;

/// The limits of all addresses.
pub struct Gate {
    /// How fast cafés may be changed.
    pub commands: Budgets,
    /// Who guesses join codes.
    pub codes: Codes,
    requests: Limiter<IpAddr>,
    requests_of_person: Limiter<(WorkshopId, ActorId)>,
    joins: Limiter<IpAddr>,
    joins_of_workshop: Limiter<WorkshopId>,
    creations: Limiter<IpAddr>,
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

impl Gate {
    /// With the limits of this configuration.
    pub fn new(config: &Config) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            commands: Budgets::default(),
            codes: Codes::new(config.wrong_code_limit),
            requests: Limiter::new(config.request_limit, minute),
            requests_of_person: Limiter::new(limits::REQUESTS_PER_PERSON, minute),
            joins: Limiter::new(config.join_limit, minute),
            joins_of_workshop: Limiter::new(limits::PEOPLE_MAX as u32, minute),
            creations: Limiter::new(config.create_limit, 60 * minute),
            sockets: Places::new(config.connection_limit),
        }
    }

    /// A WebSocket; `None` if its address has too many open.
    pub fn connect(&self, address: IpAddr) -> Option<Admission> {
        self.sockets.take(address)
    }

    /// Any request; with who sent it, if that is known already. Those are counted for themselves as long as that is enough. A link that many
    /// read through is one person, and then they are counted like anybody behind their address.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`].
    pub fn request(&self, address: IpAddr, by: Option<&Principal>) -> Result<(), ApiError> {
        let by = by.map(|by| (by.workshop.clone(), by.actor.id.clone()));
        if by.is_some_and(|by| self.requests_of_person.check(&by).is_ok()) {
            return Ok(());
        }
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

    #[test]
    fn h23_who_floods_without_a_token_uses_up_nothing_of_those_who_have_one() {
        let mut config = Config::new(([127, 0, 0, 1], 0).into(), PathBuf::new());
        config.request_limit = 5;
        let gate = Gate::new(&config);
        let person = |id: &str| Principal {
            workshop: "w".into(),
            actor: shared::id::Actor { id: id.into(), role: shared::id::Role::Participant },
        };
        assert_eq!((0..100).filter(|_| gate.request(OFFICE, None).is_ok()).count(), 5);
        let (li, wang) = (person("li"), person("wang"));
        let most = limits::REQUESTS_PER_PERSON as usize;
        let asked = (0..2 * most).filter(|_| gate.request(OFFICE, Some(&li)).is_ok()).count();
        assert!((most..most + 100).contains(&asked), "{asked}, what is earned meanwhile included");
        assert_eq!(gate.request(OFFICE, Some(&wang)), Ok(()));
        assert_eq!(gate.request(ELSEWHERE, Some(&li)), Ok(()), "their address has not been used up");
    }

    #[test]
    fn h23_everybody_of_the_largest_cafe_votes_from_one_address_within_a_minute() {
        let config = Config::new(([127, 0, 0, 1], 0).into(), PathBuf::new());
        let gate = Gate::new(&config);
        // Three dots each, though nobody's token were known.
        assert!((0..3 * limits::PEOPLE_MAX).all(|_| gate.request(OFFICE, None).is_ok()));
    }
}
