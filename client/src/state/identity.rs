//! Who one is in which café, on this device: tokens in localStorage. Where that is blocked, they last as long as the page.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use shared::id::{ActorId, Millis, Role, WorkshopId};
use shared::workshop::view::Me;
use wasm_bindgen_futures::spawn_local;

use super::bag;
use crate::platform;
use crate::sync::storage::Storage;

const KEY: &str = "tablehop.cafes";
/// Cafés that are remembered.
const KEPT: usize = 24;

/// Somebody in one café.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which café.
    pub workshop: WorkshopId,
    /// As what.
    pub role: Role,
    /// The bearer token.
    pub token: String,
    /// Their id, once it is known.
    #[serde(default)]
    pub participant: Option<ActorId>,
    /// The name they gave; empty for facilitators, and for reviewers who gave none.
    #[serde(default)]
    pub name: String,
}

impl Identity {
    /// Names this person on this device, for what is stored beside the token. Not reversible.
    pub fn scope(&self) -> String {
        // FNV-1a: only to tell tokens apart.
        let hash = self
            .token
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{}-{hash:x}", self.workshop)
    }
}

/// A café that this device knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Who one is there.
    #[serde(flatten)]
    pub identity: Identity,
    /// Its title; empty until it was opened once.
    #[serde(default)]
    pub title: String,
    /// When it was last opened, by this device's clock.
    #[serde(default)]
    pub at: Millis,
    /// The join code, where one came in with it: to come back with.
    #[serde(default)]
    pub code: String,
    /// They have left, and not come back yet.
    #[serde(default)]
    pub left: bool,
}

thread_local! {
    /// What could not be written to localStorage.
    static UNWRITTEN: RefCell<Option<Vec<Recent>>> = const { RefCell::new(None) };
}

/// Cafés that this device knows, the last opened first.
pub fn recent() -> Vec<Recent> {
    if let Some(list) = UNWRITTEN.with_borrow(Clone::clone) {
        return list;
    }
    let mut list: Vec<Recent> =
        platform::local_get(KEY).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    list.sort_by_key(|recent| std::cmp::Reverse(recent.at));
    list
}

/// Who one is in a café as this role, if this device knows.
pub fn load(workshop: &WorkshopId, role: Role) -> Option<Identity> {
    recent().into_iter().map(|recent| recent.identity).find(|known| known.workshop == *workshop && known.role == role)
}

/// As [`load`], but a token in the address (`#<token>`) comes first: it is stored, and removed from the address.
pub fn adopt(workshop: &WorkshopId, role: Role) -> Option<Identity> {
    let Some(token) = platform::fragment().filter(|token| is_token(token)) else { return load(workshop, role) };
    platform::remove_fragment();
    let known = load(workshop, role).filter(|known| known.token == token);
    let identity =
        known.unwrap_or(Identity { workshop: workshop.clone(), role, token, participant: None, name: String::new() });
    save(&identity);
    Some(identity)
}

/// Remembers who one is; replaces what was known for the same café and role.
pub fn save(identity: &Identity) {
    let mut list = recent();
    let before = take(&mut list, identity);
    let (title, code) = before.as_ref().map(|known| (known.title.clone(), known.code.clone())).unwrap_or_default();
    let left = before.is_some_and(|known| known.left && known.identity.token == identity.token);
    list.insert(0, Recent { identity: identity.clone(), title, at: platform::now(), code, left });
    write(list);
}

/// What is remembered of a café beside an identity that is known.
pub fn beside(identity: &Identity) -> Option<Recent> {
    recent().into_iter().find(|known| known.identity.token == identity.token)
}

/// Remembers that somebody is in a café, and the code that let them in.
pub fn remember_in(identity: &Identity, code: &str) {
    amend(identity, |known| {
        code.clone_into(&mut known.code);
        known.left = false;
    });
}

/// Remembers that somebody has left a café, so that they are asked in again when they come back.
pub fn remember_left(identity: &Identity) {
    amend(identity, |known| known.left = true);
}

/// Remembers a café's title beside an identity that is known.
pub fn remember_title(identity: &Identity, title: &str) {
    amend(identity, |known| title.clone_into(&mut known.title));
}

/// Remembers what the café says about itself and about the person, beside an identity that is known.
pub fn remember(identity: &Identity, title: &str, me: &Me) {
    amend(identity, |known| {
        title.clone_into(&mut known.title);
        known.identity.participant = Some(me.id.clone());
        if !me.name.is_empty() {
            known.identity.name.clone_from(&me.name);
        }
    });
}

/// Forgets who one was in a café, and everything that this device kept of it.
pub fn forget(identity: &Identity) {
    let mut list = recent();
    if take(&mut list, identity).is_some() {
        write(list);
    }
    let scope = identity.scope();
    bag::forget(&scope);
    spawn_local(async move { Storage::open().await.forget(&scope).await });
}

fn same(a: &Identity, b: &Identity) -> bool {
    a.workshop == b.workshop && a.role == b.role
}

/// Changes what is remembered beside a token, if it is known; writes only what has changed.
fn amend(identity: &Identity, amend: impl FnOnce(&mut Recent)) {
    let mut list = recent();
    let Some(known) = list.iter_mut().find(|known| known.identity.token == identity.token) else { return };
    let before = known.clone();
    amend(known);
    if *known != before {
        write(list);
    }
}

fn take(list: &mut Vec<Recent>, identity: &Identity) -> Option<Recent> {
    let at = list.iter().position(|known| same(&known.identity, identity))?;
    Some(list.remove(at))
}

fn write(mut list: Vec<Recent>) {
    list.truncate(KEPT);
    let written = serde_json::to_string(&list).is_ok_and(|json| platform::local_set(KEY, &json));
    UNWRITTEN.set((!written).then_some(list));
}

/// Fragments are also used for places in a page.
fn is_token(text: &str) -> bool {
    text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
