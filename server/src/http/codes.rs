//! Who guesses join codes.
//!
//! An address may try [`wrong_code_limit`](crate::config::Config::wrong_code_limit) wrong ones in ten minutes. After that codes that have
//! proved right from there are looked up as ever. Of those that are sent for the first time one a second is, and one of those that are sent
//! again. So a guest behind the same router as the guesser gets in, though nobody from there came before: a guest tries the same code again,
//! and a guesser another one. Whether one of these was wrong, or not looked up at all, is answered alike, and of two a second one learns
//! little: there are 850,000 million.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::limits;
use tokio::sync::OwnedMutexGuard;

use super::error::ApiError;

/// How long a wrong code counts.
const WINDOW: Duration = Duration::from_secs(limits::WRONG_CODE_SECONDS);
/// Between two codes that are looked up for an address that has used up its wrong ones.
const LATE: Duration = Duration::from_secs(limits::LATE_CODE_SECONDS);

/// What all addresses have tried.
pub struct Codes {
    limit: u32,
    hasher: RandomState,
    addresses: Mutex<HashMap<IpAddr, Arc<Address>>>,
    /// Marks of codes that were sent from an address past its limit; a later one takes the place of an earlier. Made when it is needed.
    asked: Mutex<Vec<u32>>,
}

#[derive(Default)]
struct Address {
    tried: Mutex<Tried>,
    /// Held while a code is looked up that has not proved right yet. Of many that come at the same time each would otherwise be the last that
    /// is allowed.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What one address has tried.
#[derive(Default)]
struct Tried {
    known: VecDeque<String>,
    /// When the first of `wrong` was tried.
    since: Option<Instant>,
    wrong: u32,
    /// When a code was last looked up past the limit: one sent for the first time, one sent again.
    late: [Option<Instant>; 2],
}

/// A code that may be looked up. Say what came of it; dropped without a word, for the store failed, it does not count.
#[must_use]
pub struct Guess {
    address: Arc<Address>,
    code: String,
    late: bool,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Codes {
    /// With so many wrong codes for each address.
    pub fn new(limit: u32) -> Self {
        Self { limit, hasher: RandomState::new(), addresses: Mutex::default(), asked: Mutex::default() }
    }

    /// Before a code is looked up. May wait for others from there.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] if this address has tried too many wrong ones, this is not one it knows, and somebody else was faster.
    pub async fn guess(&self, address: IpAddr, code: &str) -> Result<Guess, ApiError> {
        let (place, address) = (address, self.of(address));
        let is_known = || address.tried().known.iter().any(|known| known == code);
        let guess = |late, turn| Guess { address: address.clone(), code: code.to_owned(), late, _turn: turn };
        if is_known() {
            return Ok(guess(false, None));
        }
        let turn = address.turn.clone().lock_owned().await;
        // Somebody else may have shown it to be right meanwhile: everybody who scans the first code of an evening does so at once.
        if is_known() {
            return Ok(guess(false, None));
        }
        let now = Instant::now();
        let late = address.tried().is_over(self.limit, now);
        if late && !address.tried().takes_late(self.asks_again(place, code), now) {
            return Err(refusal());
        }
        Ok(guess(late, Some(turn)))
    }

    /// This address has shown that it knows this code.
    pub fn right(&self, address: IpAddr, code: &str) {
        self.of(address).tried().knows(code);
    }

    /// Whether this code was sent from this address a moment ago. From now on it was.
    fn asks_again(&self, address: IpAddr, code: &str) -> bool {
        let number = self.hasher.hash_one((address, code));
        let mark = (number >> 32) as u32;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.resize(limits::LATE_CODES_MARKED, 0);
        let place = asked.get_mut(number as usize % limits::LATE_CODES_MARKED);
        place.is_some_and(|place| std::mem::replace(place, mark) == mark)
    }

    fn of(&self, address: IpAddr) -> Arc<Address> {
        let mut all = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= limits::ADDRESSES_KEPT && !all.contains_key(&address) {
            all.clear();
        }
        all.entry(address).or_default().clone()
    }
}

impl Guess {
    /// It leads to a café.
    pub fn right(self) {
        self.address.tried().knows(&self.code);
    }

    /// It leads nowhere; returns what to answer.
    pub fn wrong(self) -> ApiError {
        metrics::counter!("tablehop_wrong_codes_total").increment(1);
        self.address.tried().was_wrong(Instant::now());
        if self.late { refusal() } else { ApiError::BadCode }
    }
}

fn refusal() -> ApiError {
    ApiError::TooManyRequests { retry_after: limits::LATE_CODE_SECONDS }
}

impl Address {
    fn tried(&self) -> MutexGuard<'_, Tried> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    fn knows(&mut self, code: &str) {
        if !self.known.iter().any(|known| known == code) {
            self.known.push_back(code.to_owned());
            if self.known.len() > limits::CODES_KNOWN {
                self.known.pop_front();
            }
        }
    }

    fn was_wrong(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.wrong = self.wrong.saturating_add(1);
    }

    /// Whether so many were wrong lately.
    fn is_over(&mut self, limit: u32, now: Instant) -> bool {
        if self.since.is_some_and(|since| now.saturating_duration_since(since) >= WINDOW) {
            (self.since, self.wrong) = (None, 0);
        }
        self.wrong >= limit
    }

    /// Whether one more may be looked up all the same, of those that are sent for the first time or again.
    fn takes_late(&mut self, again: bool, now: Instant) -> bool {
        let late = &mut self.late[usize::from(again)];
        let takes = late.is_none_or(|late| now.saturating_duration_since(late) >= LATE);
        if takes {
            *late = Some(now);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 8));

    #[tokio::test]
    async fn h2_of_guesses_that_come_at_the_same_time_no_more_are_answered() {
        let codes = Codes::new(30);
        codes.right(OFFICE, "RIGHT234");
        let guesses = join_all((0..300).map(async |n| {
            let guess = codes.guess(OFFICE, &format!("GUESS{n}")).await?;
            // As a store that takes its time.
            tokio::task::yield_now().await;
            Err::<(), _>(guess.wrong())
        }));
        let answers = guesses.await;
        let told = answers.iter().filter(|answer| **answer == Err(ApiError::BadCode)).count();
        assert_eq!(told, 30);
        assert!(codes.of(OFFICE).tried().wrong <= 30 + 2, "one more is looked up at once");
        assert!(codes.guess(OFFICE, "RIGHT234").await.is_ok(), "a guest behind the same router");
        let elsewhere = codes.guess(ELSEWHERE, "OTHER234").await.map(Guess::wrong);
        assert_eq!(elsewhere.err().or(Some(ApiError::BadCode)), Some(ApiError::BadCode), "a guest elsewhere");
    }

    #[tokio::test]
    async fn h2_everybody_who_comes_at_once_with_the_first_code_of_the_evening_gets_in_at_once() {
        let codes = Codes::new(3);
        let begun = Instant::now();
        let guests = join_all((0..500).map(async |_| {
            let guess = codes.guess(OFFICE, "RIGHT234").await?;
            tokio::task::yield_now().await;
            guess.right();
            Ok::<_, ApiError>(())
        }));
        assert!(guests.await.iter().all(Result::is_ok));
        assert!(begun.elapsed() < LATE, "{:?}", begun.elapsed());
    }

    #[test]
    fn h2_few_codes_a_second_are_looked_up_past_the_limit_and_a_guests_is_among_them() {
        let (mut tried, now) = (Tried::default(), Instant::now());
        (0..30).for_each(|_| tried.was_wrong(now));
        assert!(tried.is_over(30, now) && !tried.is_over(31, now));
        let codes = Codes::new(30);
        // A hundred guesses a millisecond, for ten seconds.
        let at = |n: u64| now + Duration::from_millis(n);
        let mut looked_up = 0;
        for moment in 0..10_000 {
            let first = (0..100).filter(|n| !codes.asks_again(OFFICE, &format!("{moment} {n}")));
            looked_up += first.filter(|_| tried.takes_late(false, at(moment))).count();
        }
        assert_eq!(looked_up, 10);
        // A guest, who tries again in a moment, is looked up then, though 5,000 guesses came in between; elsewhere it is the first time.
        let again = (0..100).filter(|guest| {
            let code = format!("guest {guest}");
            assert!(!codes.asks_again(OFFICE, &code));
            (0..5_000).for_each(|n| _ = codes.asks_again(OFFICE, &format!("{guest} {n}")));
            assert!(!codes.asks_again(ELSEWHERE, &code));
            codes.asks_again(OFFICE, &code)
        });
        assert!(again.count() > 70);
        assert!(tried.takes_late(true, at(10_000)) && !tried.takes_late(true, at(10_999)));
        assert!(tried.is_over(30, now + WINDOW - Duration::from_millis(1)) && !tried.is_over(30, now + WINDOW));
    }

    #[test]
    fn an_address_remembers_its_last_codes_only() {
        let mut tried = Tried::default();
        (0..=limits::CODES_KNOWN).for_each(|n| tried.knows(&n.to_string()));
        assert_eq!(tried.known.front().map(String::as_str), Some("1"));
        assert_eq!(tried.known.len(), limits::CODES_KNOWN);
    }
}
