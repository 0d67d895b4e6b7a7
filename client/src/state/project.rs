//! A document as signals: what a transaction touched is read again, and nothing else.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leptos::prelude::*;
use shared::board::read::{harvest_board_in, plan_board_in, table_board_in};
use shared::board::{Action, Handover, Note, NoteRef, Stroke, Theme, action, handover, note, root, stroke, theme};
use shared::id::{ActionId, NoteId, StrokeId, ThemeId};
use yrs::Transaction;

use crate::sync::doc::{Document, Roots, Touch};

/// Signals of one document. Those that do not belong to its kind stay empty.
#[derive(Default)]
pub struct Projection {
    /// Notes that are not deleted, sorted by (created_at, id).
    pub note_ids: ArcRwSignal<Vec<NoteId>>,
    /// Every note, deleted ones too.
    pub notes: RefCell<BTreeMap<NoteId, ArcRwSignal<Note>>>,
    /// Lines that were drawn, sorted by id.
    pub strokes: ArcRwSignal<Vec<Arc<Stroke>>>,
    /// The handover.
    pub handover: ArcRwSignal<Handover>,
    /// Themes that are not deleted, sorted by (order, id).
    pub themes: ArcRwSignal<Vec<Theme>>,
    /// Which note lies in which theme.
    pub placements: ArcRwSignal<Vec<(NoteRef, ThemeId)>>,
    /// Actions that are not deleted, sorted by (order, id).
    pub action_ids: ArcRwSignal<Vec<ActionId>>,
    /// Every action, deleted ones too.
    pub actions: RefCell<BTreeMap<ActionId, ArcRwSignal<Action>>>,
}

impl Projection {
    /// Reads the whole document.
    pub fn load(&self, document: &Document) {
        document.read(|txn| match document.roots() {
            Roots::Table(roots) => {
                let board = table_board_in(txn, roots);
                let there: BTreeSet<_> = board.notes.iter().map(|note| note.id.clone()).collect();
                self.notes.borrow_mut().retain(|id, _| there.contains(id));
                for note in board.notes {
                    put(&mut self.notes.borrow_mut(), note.id.clone(), note);
                }
                set(&self.strokes, board.strokes.into_iter().map(Arc::new).collect());
                set(&self.handover, board.handover);
                self.order_notes();
            }
            Roots::Harvest(roots) => {
                let board = harvest_board_in(txn, roots);
                set(&self.themes, board.themes);
                set(&self.placements, board.placements);
            }
            Roots::Plan(roots) => {
                // A deleted action comes back only by a touch.
                let board = plan_board_in(txn, roots);
                let there: BTreeSet<_> = board.actions.iter().map(|action| action.id.clone()).collect();
                self.actions.borrow_mut().retain(|id, _| there.contains(id));
                for action in board.actions {
                    put(&mut self.actions.borrow_mut(), action.id.clone(), action);
                }
                self.order_actions();
            }
        });
    }

    /// Reads again what was touched.
    pub fn refresh(&self, document: &Document, touched: &[Touch]) {
        if touched.is_empty() {
            return;
        }
        document.read(|txn| match document.roots() {
            Roots::Table(roots) => {
                for id in elements(touched, root::NOTES) {
                    let id = NoteId(id);
                    match note::read(txn, roots, &id) {
                        Some(note) => put(&mut self.notes.borrow_mut(), id, note),
                        None => drop(self.notes.borrow_mut().remove(&id)),
                    }
                }
                if touched.iter().any(|touch| touch.root == root::NOTES) {
                    self.order_notes();
                }
                self.redraw(txn, roots, touched);
                if touched.iter().any(|touch| ![root::NOTES, root::STROKES].contains(&touch.root)) {
                    set(&self.handover, handover::read(txn, roots));
                }
            }
            Roots::Harvest(roots) => {
                let only_texts = touched.iter().all(|touch| touch.root == root::THEMES && touch.field.is_some());
                if only_texts {
                    self.refresh_themes(txn, roots, touched);
                } else {
                    let board = harvest_board_in(txn, roots);
                    set(&self.themes, board.themes);
                    set(&self.placements, board.placements);
                }
            }
            Roots::Plan(roots) => {
                for id in elements(touched, root::ACTIONS) {
                    let id = ActionId(id);
                    match action::read(txn, roots, &id) {
                        Some(action) => put(&mut self.actions.borrow_mut(), id, action),
                        None => drop(self.actions.borrow_mut().remove(&id)),
                    }
                }
                self.order_actions();
            }
        });
    }

    /// Shows nothing.
    pub fn clear(&self) {
        set(&self.note_ids, Vec::new());
        set(&self.action_ids, Vec::new());
        set(&self.themes, Vec::new());
        set(&self.placements, Vec::new());
        set(&self.strokes, Vec::new());
        set(&self.handover, Handover::default());
        self.notes.borrow_mut().clear();
        self.actions.borrow_mut().clear();
    }

    fn refresh_themes(&self, txn: &Transaction, roots: &shared::board::HarvestRoots, touched: &[Touch]) {
        for id in elements(touched, root::THEMES) {
            let Some(now) = theme::read(txn, roots, &ThemeId(id)) else { continue };
            let shown = self.themes.with_untracked(|themes| themes.iter().position(|theme| theme.id == now.id));
            if let Some(at) = shown {
                self.themes.update(|themes| themes[at] = now);
            }
        }
    }

    fn redraw(&self, txn: &Transaction, roots: &shared::board::TableRoots, touched: &[Touch]) {
        let lines = elements(touched, root::STROKES);
        if lines.is_empty() {
            return;
        }
        self.strokes.update(|strokes| {
            for id in lines.into_iter().map(StrokeId) {
                let at = strokes.binary_search_by(|stroke| stroke.id.cmp(&id));
                match (at, stroke::read(txn, roots, &id).map(Arc::new)) {
                    (Ok(at), Some(line)) => strokes[at] = line,
                    (Err(at), Some(line)) => strokes.insert(at, line),
                    (Ok(at), None) => drop(strokes.remove(at)),
                    (Err(_), None) => {}
                }
            }
        });
    }

    fn order_notes(&self) {
        let mut order: Vec<_> = self
            .notes
            .borrow()
            .values()
            .filter_map(|note| note.with_untracked(|note| (!note.deleted).then(|| (note.created_at, note.id.clone()))))
            .collect();
        order.sort_unstable();
        set(&self.note_ids, order.into_iter().map(|(_, id)| id).collect());
    }

    fn order_actions(&self) {
        let mut order: Vec<_> = self
            .actions
            .borrow()
            .values()
            .filter_map(|action| {
                action.with_untracked(|action| (!action.deleted).then(|| (action.order, action.id.clone())))
            })
            .collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        set(&self.action_ids, order.into_iter().map(|(_, id)| id).collect());
    }
}

/// Ids of the touched elements of a root map, each once.
fn elements(touched: &[Touch], root: &str) -> BTreeSet<String> {
    touched.iter().filter(|touch| touch.root == root).filter_map(|touch| touch.element.clone()).collect()
}

/// Sets a signal whose value has changed; equal values wake nobody.
pub fn set<T: PartialEq + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

fn put<K: Ord, T: PartialEq + Send + Sync + 'static>(map: &mut BTreeMap<K, ArcRwSignal<T>>, id: K, value: T) {
    match map.get(&id) {
        Some(signal) => set(signal, value),
        None => drop(map.insert(id, ArcRwSignal::new(value))),
    }
}
