//! Plain values in a map: lenient reads, and writes that say nothing when nothing changes.

use yrs::types::text::TextPrelim;
use yrs::{Any, GetString, In, Map, MapRef, Number, Out, ReadTxn, TextRef, TransactionMut};

/// The element `id` of a root map, if there is one.
pub(super) fn element<T: ReadTxn>(txn: &T, map: &MapRef, id: &str) -> Option<MapRef> {
    map.get(txn, id)?.cast().ok()
}

/// A nested text.
pub(super) fn text_ref<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<TextRef> {
    map.get(txn, key)?.cast().ok()
}

/// What a nested text says; empty if there is none.
pub(super) fn text<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> String {
    text_ref(txn, map, key).map(|t| t.get_string(txn)).unwrap_or_default()
}

/// A plain string.
pub(super) fn string<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<String> {
    match map.get(txn, key)? {
        Out::Any(Any::String(s)) => Some(s.to_string()),
        _ => None,
    }
}

/// A finite number.
pub(super) fn number<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<f64> {
    match map.get(txn, key)? {
        Out::Any(Any::Number(Number::Float(n))) if n.is_finite() => Some(n),
        Out::Any(Any::Number(Number::Int(n))) => Some(n as f64),
        _ => None,
    }
}

/// A small whole number from 0 to 255; what lies outside is not there.
pub(super) fn small<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<u8> {
    number(txn, map, key).filter(|n| (0.0..=255.0).contains(n)).map(|n| n as u8)
}

/// Whether a value is `true`.
pub(super) fn flag<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> bool {
    matches!(map.get(txn, key), Some(Out::Any(Any::Bool(true))))
}

/// What follows `prefix` in those keys whose value is `true`, sorted.
pub(super) fn members<T: ReadTxn>(txn: &T, map: &MapRef, prefix: &str) -> Vec<String> {
    let mut found: Vec<String> = map
        .iter(txn)
        .filter(|(_, value)| matches!(value, Out::Any(Any::Bool(true))))
        .filter_map(|(key, _)| key.strip_prefix(prefix))
        .filter(|rest| !rest.is_empty())
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found
}

/// Writes a plain value, unless it is there already.
pub(super) fn put(txn: &mut TransactionMut, map: &MapRef, key: &str, value: impl Into<Any>) {
    map.try_update(txn, key, value);
}

/// Adds a key to a set kept as `<prefix><member>` = true, or takes it out. Somebody who adds it at the same moment wins over a removal.
pub(super) fn set_member(txn: &mut TransactionMut, map: &MapRef, key: &str, present: bool) {
    if present {
        put(txn, map, key, true);
    } else if map.contains_key(txn, key) {
        map.remove(txn, key);
    }
}

/// A finite number as a value; anything else is 0, so that no element can be written out of reach.
pub(super) fn finite(n: f64) -> Any {
    Any::from(if n.is_finite() { n } else { 0.0 })
}

/// A nested text to be created.
pub(super) fn new_text(says: &str) -> In {
    TextPrelim::new(says).into()
}

/// A plain value to be created.
pub(super) fn new_value(value: impl Into<Any>) -> In {
    In::Any(value.into())
}
