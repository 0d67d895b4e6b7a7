//! Bearer tokens: who may act, and as what. A token is 128 random bits; the store knows only its SHA-256.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use shared::id::{Actor, ActorId, Millis, Role, WorkshopId};
use shared::limits;

use crate::clock::Clock;
use crate::store::{Store, StoreError, TokenRecord};

/// Letters and digits: a token is part of a link, and survives being copied out of any chat.
const TOKEN_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// 22 letters out of 62 are 130 bits.
const TOKEN_CHARS: usize = 22;
const ID_ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// 16 letters out of 36 are 82 bits: nobody draws one twice.
const ID_CHARS: usize = 16;
/// Tokens held in memory: those of the largest café, and room. Past it the cache starts anew.
const CACHED_TOKENS: usize = 4 * limits::PEOPLE_MAX;

/// Somebody whose token was valid when it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The one workshop the token opens.
    pub workshop: WorkshopId,
    /// Who, as what.
    pub actor: Actor,
}

/// What a token is worth at the moment it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It opens its café for somebody.
    Valid(Principal),
    /// It was valid, and was issued too long ago.
    Expired,
    /// It is unknown, or has been revoked.
    Unknown,
}

/// Issues, checks and revokes tokens.
pub struct Tokens {
    store: Arc<dyn Store>,
    lifetime: Option<Duration>,
    clock: Clock,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    known: HashMap<[u8; 32], Known>,
    /// Counts revocations: what was read from the store before one must not be remembered after it.
    revocations: u64,
}

/// A token that has not been revoked. It may expire while it is remembered, so the time of that is remembered with it.
#[derive(Clone)]
struct Known {
    principal: Principal,
    created_at: Millis,
}

impl Tokens {
    /// Over the tokens in `store`, each good for `lifetime` from when it was issued; without one, for ever.
    pub fn new(store: Arc<dyn Store>, lifetime: Option<Duration>, clock: Clock) -> Self {
        Self { store, lifetime, clock, cache: Mutex::default() }
    }

    /// Makes a token for an actor; an actor may hold several, one for each device.
    ///
    /// # Errors
    /// If it could not be stored.
    pub async fn issue(&self, workshop: &WorkshopId, actor: &Actor) -> Result<String, StoreError> {
        let token = random_text(TOKEN_ALPHABET, TOKEN_CHARS)?;
        let record = TokenRecord {
            workshop: workshop.to_string(),
            role: role_name(actor.role).to_owned(),
            participant: Some(actor.id.to_string()),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        self.store.put_token(hash(&token), record).await?;
        Ok(token)
    }

    /// Who a token stands for, if it is good now.
    ///
    /// # Errors
    /// If the store could not be read.
    pub async fn check(&self, token: &str) -> Result<Standing, StoreError> {
        if token.is_empty() || token.len() > limits::TOKEN_BYTES {
            return Ok(Standing::Unknown);
        }
        let hash = hash(token);
        let revocations = {
            let cache = self.cache();
            if let Some(known) = cache.known.get(&hash) {
                return Ok(self.standing(known));
            }
            cache.revocations
        };
        let Some(known) = self.store.token(hash).await?.and_then(known) else {
            return Ok(Standing::Unknown);
        };
        let standing = self.standing(&known);
        let mut cache = self.cache();
        if cache.revocations == revocations {
            if cache.known.len() >= CACHED_TOKENS {
                cache.known.clear();
            }
            cache.known.insert(hash, known);
        }
        Ok(standing)
    }

    /// Who a token stands for, if it was found good lately and still is. Asks nobody: for what comes before a token is really checked.
    pub fn recall(&self, token: &str) -> Option<Principal> {
        if token.len() > limits::TOKEN_BYTES {
            return None;
        }
        let hash = hash(token);
        match self.cache().known.get(&hash).map(|known| self.standing(known)) {
            Some(Standing::Valid(principal)) => Some(principal),
            _ => None,
        }
    }

    fn standing(&self, known: &Known) -> Standing {
        // A clock that was set back makes tokens of the future; they are young, not old.
        let age = Duration::from_millis(self.clock.now().saturating_sub(known.created_at));
        if self.lifetime.is_some_and(|lifetime| age >= lifetime) {
            return Standing::Expired;
        }
        Standing::Valid(known.principal.clone())
    }

    /// The links of a workshop that still open it to facilitators and reviewers: to whom they do, and since when, the oldest first. Whoever
    /// has several tokens is there once.
    ///
    /// # Errors
    /// If the store could not be read.
    pub async fn links(&self, workshop: &WorkshopId) -> Result<Vec<(Actor, Millis)>, StoreError> {
        let known = self.store.links(workshop.to_string()).await?.into_iter().filter_map(known);
        let mut links: Vec<(Actor, Millis)> = Vec::new();
        for known in known.filter(|known| matches!(self.standing(known), Standing::Valid(_))) {
            if links.iter().all(|(actor, _)| *actor != known.principal.actor) {
                links.push((known.principal.actor, known.created_at));
            }
        }
        Ok(links)
    }

    /// Voids every token of an actor, at once.
    ///
    /// # Errors
    /// If it could not be stored; then nothing is void.
    pub async fn revoke_actor(&self, workshop: &WorkshopId, actor: &ActorId) -> Result<(), StoreError> {
        // Before, so that from the commit on the store is asked; and after, for what was read from it until then.
        self.forget(workshop, actor);
        let revoked = self.store.revoke_participant(workshop.to_string(), actor.to_string(), self.clock.now()).await;
        self.forget(workshop, actor);
        revoked
    }

    fn forget(&self, workshop: &WorkshopId, actor: &ActorId) {
        let mut cache = self.cache();
        cache.revocations += 1;
        cache.known.retain(|_, known| known.principal.workshop != *workshop || known.principal.actor.id != *actor);
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Nothing that holds the lock can leave the cache half changed.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new id for somebody of this role: `p…`, `f…` or `r…`.
///
/// # Errors
/// If the system has no randomness.
pub fn new_actor(role: Role) -> Result<Actor, StoreError> {
    let first = match role {
        Role::Participant => 'p',
        Role::Facilitator => 'f',
        Role::Reviewer => 'r',
    };
    let rest = random_text(ID_ALPHABET, ID_CHARS)?;
    Ok(Actor { id: ActorId(format!("{first}{rest}")), role })
}

/// `chars` letters drawn evenly from `alphabet` (at most 256 of them).
///
/// # Errors
/// If the system has no randomness.
pub fn random_text(alphabet: &[u8], chars: usize) -> Result<String, StoreError> {
    // Bytes at the uneven end are drawn again, so that no letter is likelier than another.
    let even = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(chars);
    let mut bytes = [0u8; 64];
    while text.len() < chars {
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Io(format!("no randomness: {error}")))?;
        let letters = bytes.iter().filter(|b| usize::from(**b) < even);
        let letters = letters.map(|b| char::from(alphabet[usize::from(*b) % alphabet.len()]));
        text.extend(letters.take(chars - text.len()));
    }
    Ok(text)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn known(record: TokenRecord) -> Option<Known> {
    if record.revoked_at.is_some() {
        return None;
    }
    let role = match record.role.as_str() {
        "facilitator" => Role::Facilitator,
        "participant" => Role::Participant,
        "reviewer" => Role::Reviewer,
        _ => return None,
    };
    let actor = Actor { id: record.participant?.into(), role };
    let principal = Principal { workshop: record.workshop.into(), actor };
    Some(Known { principal, created_at: record.created_at })
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Facilitator => "facilitator",
        Role::Participant => "participant",
        Role::Reviewer => "reviewer",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::store::SqliteStore;

    fn tokens(dir: &tempfile::TempDir) -> (Arc<SqliteStore>, Tokens) {
        let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        (store.clone(), Tokens::new(store, None, Clock::system()))
    }

    fn somebody() -> Actor {
        new_actor(Role::Participant).expect("randomness")
    }

    #[tokio::test]
    async fn a_token_opens_one_workshop_until_it_is_revoked() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, tokens) = tokens(&dir);
        let (workshop, li, wang) = (WorkshopId::from("w"), somebody(), somebody());
        let phone = tokens.issue(&workshop, &li).await.expect("a token");
        let laptop = tokens.issue(&workshop, &li).await.expect("a token");
        let other = tokens.issue(&workshop, &wang).await.expect("a token");
        let li_here = Standing::Valid(Principal { workshop: workshop.clone(), actor: li.clone() });
        assert_eq!(tokens.recall(&phone), None, "nobody has checked it");
        assert_eq!(tokens.check(&phone).await, Ok(li_here.clone()));
        assert_eq!(tokens.check(&phone).await, Ok(li_here.clone()), "from the cache");
        assert_eq!(tokens.recall(&phone).map(Standing::Valid), Some(li_here));

        tokens.revoke_actor(&workshop, &li.id).await.expect("revoked");
        assert_eq!(tokens.recall(&phone), None);
        for fresh in [false, true] {
            let tokens = if fresh { &Tokens::new(store.clone(), None, Clock::system()) } else { &tokens };
            assert_eq!(tokens.check(&phone).await, Ok(Standing::Unknown));
            assert_eq!(tokens.check(&laptop).await, Ok(Standing::Unknown));
            let wang_here = Standing::Valid(Principal { workshop: workshop.clone(), actor: wang.clone() });
            assert_eq!(tokens.check(&other).await, Ok(wang_here));
        }
    }

    #[tokio::test]
    async fn what_is_no_token_opens_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let (_store, tokens) = tokens(&dir);
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", &"x".repeat(10_000), "李\0"] {
            assert_eq!(tokens.check(bad).await, Ok(Standing::Unknown));
        }
    }

    #[tokio::test]
    async fn h24_a_token_expires_by_its_age_whether_it_is_remembered_or_not() {
        const DAY: u64 = 86_400_000;
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        let now = Arc::new(AtomicU64::new(1_000 * DAY));
        let tokens = |days: Option<u64>| {
            let now = now.clone();
            let clock = Clock::new(move || now.load(Ordering::Relaxed));
            Tokens::new(store.clone(), days.map(|days| Duration::from_millis(days * DAY)), clock)
        };
        let (workshop, li) = (WorkshopId::from("w"), somebody());
        let (month, always) = (tokens(Some(30)), tokens(None));
        let token = month.issue(&workshop, &li).await.expect("a token");
        let li_here = Standing::Valid(Principal { workshop: workshop.clone(), actor: li.clone() });
        for (days, expected) in [
            (0, &li_here),
            (29, &li_here),
            (30, &Standing::Expired),
            (400, &Standing::Expired),
            // The clock was wrong, and is set right, or further wrong.
            (10, &li_here),
            (-500, &li_here),
        ] {
            now.store((1_000 * DAY).saturating_add_signed(days * DAY.cast_signed()), Ordering::Relaxed);
            assert_eq!(month.check(&token).await.as_ref(), Ok(expected), "remembered, after {days} days");
            assert_eq!(tokens(Some(30)).check(&token).await.as_ref(), Ok(expected), "after {days} days");
            assert_eq!(always.check(&token).await.as_ref(), Ok(&li_here), "without an end, after {days} days");
        }
        now.store(1_031 * DAY, Ordering::Relaxed);
        let new = month.issue(&workshop, &li).await.expect("a token");
        assert_eq!(month.check(&new).await, Ok(li_here), "a new one of the same person");
        month.revoke_actor(&workshop, &li.id).await.expect("revoked");
        assert_eq!(month.check(&token).await, Ok(Standing::Unknown), "revoked says more than expired");
    }

    #[test]
    fn random_texts_use_the_whole_alphabet_and_do_not_repeat() {
        let texts: HashSet<String> = (0..200).map(|_| random_text(TOKEN_ALPHABET, 22).expect("randomness")).collect();
        assert_eq!(texts.len(), 200);
        let letters: HashSet<char> = texts.iter().flat_map(|t| t.chars()).collect();
        assert_eq!(letters.len(), TOKEN_ALPHABET.len());
        assert!(texts.iter().all(|t| t.len() == 22));
    }
}
