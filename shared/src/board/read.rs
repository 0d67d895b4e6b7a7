//! Whole documents into plain structs. Those that take a `Doc` open a transaction of their own; inside one, use those ending in `_in`.

use std::collections::HashSet;

use yrs::{Doc, Map, MapRef, Out, ReadTxn, Transact};

use super::doc::{HarvestRoots, PlanRoots, TableRoots};
use super::view::{HarvestBoard, PlanBoard, TableBoard};
use super::{action, handover, note, root, stroke, theme};

/// Reads a table's board.
pub fn table_board(doc: &Doc) -> TableBoard {
    let roots = TableRoots::of(doc);
    table_board_in(&doc.transact(), &roots)
}

/// Reads a table's board.
pub fn table_board_in<T: ReadTxn>(txn: &T, roots: &TableRoots) -> TableBoard {
    let mut notes: Vec<_> = elements(txn, &roots.notes).map(|(id, map)| note::read_map(txn, &map, id)).collect();
    notes.sort_unstable_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    TableBoard { notes, strokes: stroke::read_all(txn, roots), handover: handover::read(txn, roots) }
}

/// Reads the harvest board.
pub fn harvest_board(doc: &Doc) -> HarvestBoard {
    let roots = HarvestRoots::of(doc);
    harvest_board_in(&doc.transact(), &roots)
}

/// Reads the harvest board.
pub fn harvest_board_in<T: ReadTxn>(txn: &T, roots: &HarvestRoots) -> HarvestBoard {
    let mut themes: Vec<_> = elements(txn, &roots.themes)
        .map(|(id, map)| theme::read_map(txn, &map, id))
        .filter(|theme| !theme.deleted)
        .collect();
    themes.sort_unstable_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.id.cmp(&b.id)));
    let there: HashSet<_> = themes.iter().map(|theme| &theme.id).collect();
    let mut placements = theme::placements(txn, roots);
    placements.retain(|(_, theme)| there.contains(theme));
    HarvestBoard { themes, placements }
}

/// Reads the plan board.
pub fn plan_board(doc: &Doc) -> PlanBoard {
    let roots = PlanRoots::of(doc);
    plan_board_in(&doc.transact(), &roots)
}

/// Reads the plan board.
pub fn plan_board_in<T: ReadTxn>(txn: &T, roots: &PlanRoots) -> PlanBoard {
    let mut actions: Vec<_> = elements(txn, &roots.actions)
        .map(|(id, map)| action::read_map(txn, &map, id))
        .filter(|action| !action.deleted)
        .collect();
    actions.sort_unstable_by(|a, b| a.order.total_cmp(&b.order).then_with(|| a.id.cmp(&b.id)));
    PlanBoard { actions }
}

/// Notes on a table's board that are not deleted.
pub fn count_notes(doc: &Doc) -> u32 {
    let txn = doc.transact();
    // Without making the roots that are not there yet: every busy board is asked this each second.
    let Some(notes) = txn.get_map(root::NOTES) else { return 0 };
    elements(&txn, &notes).filter(|(_, map)| !note::is_deleted(&txn, map)).fold(0, |count, _| count + 1)
}

/// The elements of a root map with their ids; what is no map is passed over.
fn elements<'a, T: ReadTxn>(txn: &'a T, map: &'a MapRef) -> impl Iterator<Item = (&'a str, MapRef)> {
    map.iter(txn).filter_map(|(id, value)| match value {
        Out::YMap(element) => Some((id, element)),
        _ => None,
    })
}
