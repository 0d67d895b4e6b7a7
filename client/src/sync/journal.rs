//! Edits on their way into IndexedDB, in localStorage, which has written before it returns.
//!
//! A browser that closes a tab throws away transactions that have not ended, and there is nothing left to wait in. So each edit is
//! written here first, in the same breath in which it is made, and taken out once it is in IndexedDB ([`super::storage`]) or on the
//! server's disk. Where there is no IndexedDB it stays here until then. It usually holds nothing, or one edit.
//!
//! Where localStorage is blocked or full, IndexedDB stands alone.

use super::outbox::EditKey;
use crate::platform::{local_get, local_keys, local_remove, local_set};

/// Sets these keys apart from what else is in localStorage.
const PREFIX: &str = "tablehop.edit/";

/// Writes an edit down.
pub(super) fn put(key: &EditKey, update: &[u8]) {
    let _ = local_set(&format!("{PREFIX}{key}"), &to_text(update));
}

/// Takes edits out.
pub(super) fn remove(keys: &[EditKey]) {
    for key in keys {
        local_remove(&format!("{PREFIX}{key}"));
    }
}

/// The edits whose keys begin so, in the order of their keys.
pub(super) fn edits(start: &str) -> Vec<(EditKey, Vec<u8>)> {
    keys(start)
        .into_iter()
        .filter_map(|key| {
            let update = from_text(&local_get(&format!("{PREFIX}{key}"))?)?;
            Some((key, update))
        })
        .collect()
}

/// The keys that begin so, sorted.
pub(super) fn keys(start: &str) -> Vec<EditKey> {
    let start = format!("{PREFIX}{start}");
    let mut keys: Vec<EditKey> = local_keys()
        .into_iter()
        .filter(|key| key.starts_with(&start))
        .filter_map(|key| Some(key.strip_prefix(PREFIX)?.to_owned()))
        .collect();
    keys.sort_unstable();
    keys
}

/// localStorage holds text alone: one character a byte, which browsers keep as one byte.
fn to_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn from_text(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_text(&to_text(&bytes)), Some(bytes));
        assert_eq!(from_text("中"), None, "not ours");
    }
}
