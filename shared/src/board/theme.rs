//! Themes of the harvest, and which note lies in which.

use yrs::{Any, Map, MapPrelim, MapRef, Out, ReadTxn, TextRef, TransactionMut};

use super::doc::HarvestRoots;
use super::field;
use super::view::{NoteRef, Theme};
use crate::id::ThemeId;

mod key {
    pub const TITLE: &str = "title";
    pub const SUMMARY: &str = "summary";
    pub const ORDER: &str = "order";
    pub const DELETED: &str = "deleted";
}

/// Adds a theme with an empty summary. Does nothing if its id is taken.
pub fn create(txn: &mut TransactionMut, roots: &HarvestRoots, id: &ThemeId, title: &str, order: f64) {
    if roots.themes.contains_key(txn, id.as_str()) {
        return;
    }
    let map = MapPrelim::from([
        (key::TITLE, field::new_text(title)),
        (key::SUMMARY, field::new_text("")),
        (key::ORDER, field::new_value(field::finite(order))),
    ]);
    roots.themes.insert(txn, id.as_str(), map);
}

/// Reads a theme, a deleted one too. None if there is no such theme.
pub fn read<T: ReadTxn>(txn: &T, roots: &HarvestRoots, id: &ThemeId) -> Option<Theme> {
    Some(read_map(txn, &element(txn, roots, id)?, id.as_str()))
}

/// The text of a theme's name. None if there is no such theme.
pub fn title_of<T: ReadTxn>(txn: &T, roots: &HarvestRoots, id: &ThemeId) -> Option<TextRef> {
    field::text_ref(txn, &element(txn, roots, id)?, key::TITLE)
}

/// The text of a theme's summary. None if there is no such theme.
pub fn summary_of<T: ReadTxn>(txn: &T, roots: &HarvestRoots, id: &ThemeId) -> Option<TextRef> {
    field::text_ref(txn, &element(txn, roots, id)?, key::SUMMARY)
}

/// Sets the place among the themes, ascending. Nothing happens if there is no such theme; so for what follows.
pub fn set_order(txn: &mut TransactionMut, roots: &HarvestRoots, id: &ThemeId, order: f64) {
    if let Some(map) = element(txn, roots, id) {
        field::put(txn, &map, key::ORDER, field::finite(order));
    }
}

/// Takes the theme away, or brings it back, with the notes that lay in it.
pub fn set_deleted(txn: &mut TransactionMut, roots: &HarvestRoots, id: &ThemeId, deleted: bool) {
    if let Some(map) = element(txn, roots, id) {
        field::put(txn, &map, key::DELETED, deleted);
    }
}

/// Lays a note in a theme, or takes it out of every theme. A note lies in one theme at most; the last hand to move it wins.
pub fn place(txn: &mut TransactionMut, roots: &HarvestRoots, note: &NoteRef, theme: Option<&ThemeId>) {
    let key = note.key();
    match theme {
        Some(theme) => field::put(txn, &roots.placements, &key, theme.as_str()),
        None if roots.placements.contains_key(txn, &key) => field::put(txn, &roots.placements, &key, Any::Null),
        None => {}
    }
}

/// Where a note was last laid, be that theme deleted or not. None while it lies in no theme.
pub fn place_of<T: ReadTxn>(txn: &T, roots: &HarvestRoots, note: &NoteRef) -> Option<ThemeId> {
    field::string(txn, &roots.placements, &note.key()).map(ThemeId)
}

/// All placements, those in deleted or unknown themes too, sorted by note.
pub(super) fn placements<T: ReadTxn>(txn: &T, roots: &HarvestRoots) -> Vec<(NoteRef, ThemeId)> {
    let mut found: Vec<_> = roots
        .placements
        .iter(txn)
        .filter_map(|(key, value)| match value {
            Out::Any(Any::String(theme)) => Some((NoteRef::parse(key)?, ThemeId(theme.to_string()))),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found
}

/// Reads the map of a theme.
pub(super) fn read_map<T: ReadTxn>(txn: &T, map: &MapRef, id: &str) -> Theme {
    Theme {
        id: id.into(),
        title: field::text(txn, map, key::TITLE),
        summary: field::text(txn, map, key::SUMMARY),
        order: field::number(txn, map, key::ORDER).unwrap_or_default(),
        deleted: field::flag(txn, map, key::DELETED),
    }
}

fn element<T: ReadTxn>(txn: &T, roots: &HarvestRoots, id: &ThemeId) -> Option<MapRef> {
    field::element(txn, &roots.themes, id.as_str())
}
