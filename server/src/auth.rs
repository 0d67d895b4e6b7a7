//! Bearer tokens: who may act, and as what. A token is 128 random bits; the store knows only its SHA-256.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use shared::id::{Actor, ActorId, Role, WorkshopId};
use shared::limits;

use crate::clock;
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

/// Issues, checks and revokes tokens.
pub struct Tokens {
    store: Arc<dyn Store>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    valid: HashMap<[u8; 32], Principal>,
    /// Counts revocations: what was read from the store before one must not be remembered after it.
    revocations: u64,
}

impl Tokens {
    /// Over the tokens in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, cache: Mutex::default() }
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
            created_at: clock::now(),
            revoked_at: None,
        };
        self.store.put_token(hash(&token), record).await?;
        Ok(token)
    }

    /// Who a token stands for; `None` if it is unknown or has been revoked.
    ///
    /// # Errors
    /// If the store could not be read.
    pub async fn check(&self, token: &str) -> Result<Option<Principal>, StoreError> {
        if token.is_empty() || token.len() > limits::TOKEN_BYTES {
            return Ok(None);
        }
        let hash = hash(token);
        let revocations = {
            let cache = self.cache();
            if let Some(principal) = cache.valid.get(&hash) {
                return Ok(Some(principal.clone()));
            }
            cache.revocations
        };
        let Some(principal) = self.store.token(hash).await?.and_then(principal) else {
            return Ok(None);
        };
        let mut cache = self.cache();
        if cache.revocations == revocations {
            if cache.valid.len() >= CACHED_TOKENS {
                cache.valid.clear();
            }
            cache.valid.insert(hash, principal.clone());
        }
        Ok(Some(principal))
    }

    /// Voids every token of an actor, at once.
    ///
    /// # Errors
    /// If it could not be stored; then nothing is void.
    pub async fn revoke_actor(&self, workshop: &WorkshopId, actor: &ActorId) -> Result<(), StoreError> {
        self.store.revoke_participant(workshop.to_string(), actor.to_string(), clock::now()).await?;
        let mut cache = self.cache();
        cache.revocations += 1;
        cache.valid.retain(|_, p| p.workshop != *workshop || p.actor.id != *actor);
        Ok(())
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

fn principal(record: TokenRecord) -> Option<Principal> {
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
    Some(Principal { workshop: record.workshop.into(), actor })
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

    use super::*;
    use crate::store::SqliteStore;

    fn tokens(dir: &tempfile::TempDir) -> (Arc<SqliteStore>, Tokens) {
        let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        (store.clone(), Tokens::new(store))
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
        let li_here = Some(Principal { workshop: workshop.clone(), actor: li.clone() });
        assert_eq!(tokens.check(&phone).await, Ok(li_here.clone()));
        assert_eq!(tokens.check(&phone).await, Ok(li_here), "from the cache");

        tokens.revoke_actor(&workshop, &li.id).await.expect("revoked");
        for fresh in [false, true] {
            let tokens = if fresh { &Tokens::new(store.clone()) } else { &tokens };
            assert_eq!(tokens.check(&phone).await, Ok(None));
            assert_eq!(tokens.check(&laptop).await, Ok(None));
            let wang_here = Some(Principal { workshop: workshop.clone(), actor: wang.clone() });
            assert_eq!(tokens.check(&other).await, Ok(wang_here));
        }
    }

    #[tokio::test]
    async fn what_is_no_token_opens_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let (_store, tokens) = tokens(&dir);
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", &"x".repeat(10_000), "李\0"] {
            assert_eq!(tokens.check(bad).await, Ok(None));
        }
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
