//! One board: its document as fine-grained signals, and its edits. Edits show at once; [`super::cafe::Cafe::unsaved`] counts them
//! until the server has them on disk.

use leptos::prelude::*;
use shared::board::{
    Action, ActionStatus, Handover, NewAction, NewNote, Note, NoteKind, NoteRef, Origin, Pen, Stroke, Theme, action,
    note, stroke, theme,
};
use shared::id::{ActionId, ActorId, BoardKind, NoteId, StrokeId, ThemeId};
use shared::limits;
use std::rc::Rc;
use std::sync::Arc;
use yrs::TransactionMut;

use super::bag::Packed;
use super::cafe::Cafe;
use super::live_text::{LiveTextHandle, TextAt};
use super::place;
use super::presence::Doing;
use super::room::Room;
use crate::sync::doc::Roots;

/// A handle of an open board, held by a component; it may be copied freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    pub(super) cafe: Cafe,
    pub(super) index: usize,
}

/// Somebody else at the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client id of their document, unique at the board.
    pub client: u64,
    /// Who they are.
    pub user: PeerUser,
    /// The note they are editing.
    pub editing: Option<NoteId>,
    /// Whether they typed something in the last seconds.
    pub typing: bool,
}

/// Who a [`Peer`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerUser {
    /// Their id.
    pub id: ActorId,
    /// Their name.
    pub name: String,
}

/// A new action; what is left out is filled in later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewActionInput {
    /// What is to be done.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Stage of the journey, touchpoint or moment.
    pub stage: String,
    /// The themes it comes from.
    pub themes: Vec<ThemeId>,
    /// The notes it rests on.
    pub sources: Vec<NoteRef>,
}

impl Board {
    pub(super) fn room(self) -> Rc<Room> {
        self.cafe.inner().room(self.index)
    }

    pub(super) fn try_room(self) -> Option<Rc<Room>> {
        Some(self.cafe.try_inner()?.room(self.index))
    }

    /// Which board it is.
    pub fn kind(self) -> BoardKind {
        self.room().kind()
    }

    /// Whether there is something to show: what this device kept, or what the server sent.
    pub fn loaded(self) -> Signal<bool> {
        self.room().loaded.clone().into()
    }

    /// Whether one may write. Offline it is what was last known.
    pub fn writable(self) -> Signal<bool> {
        let room = self.room();
        let (writable, ready) = (room.writable.clone(), room.ready.clone());
        Signal::derive(move || writable.get() && ready.get())
    }

    /// Why the board cannot be opened, as a code for [`crate::api::ApiError::of`].
    pub fn failed(self) -> Signal<Option<String>> {
        self.room().failed.clone().into()
    }

    // -- A table's board

    /// Notes that are not deleted, sorted by (created_at, id); changes only when the set or its order does.
    pub fn note_ids(self) -> Signal<Vec<NoteId>> {
        self.room().projection.note_ids.clone().into()
    }

    /// One note; deleted ones too, as long as the page knows them.
    pub fn note(self, id: &NoteId) -> Option<Signal<Note>> {
        self.room().projection.notes.borrow().get(id).cloned().map(Into::into)
    }

    /// The host's words for those who come next.
    pub fn handover(self) -> Signal<Handover> {
        self.room().projection.handover.clone().into()
    }

    /// Writes a note and finds a place for it, unless one is given. None on a board that may not be written on.
    pub fn create_note(
        self,
        kind: NoteKind,
        text: &str,
        builds_on: Option<NoteId>,
        at: Option<(f64, f64)>,
    ) -> Option<NoteId> {
        self.write_note(kind, text, builds_on, at, None)
    }

    /// Puts a note down that was carried from another table: with its words, as a note of its carrier, where there is room. None on a board
    /// that may not be written on.
    pub fn put_down(self, packed: &Packed) -> Option<NoteId> {
        self.write_note(packed.kind, &packed.text, None, None, Some(packed.from.clone()))
    }

    fn write_note(
        self,
        kind: NoteKind,
        text: &str,
        builds_on: Option<NoteId>,
        at: Option<(f64, f64)>,
        from: Option<Origin>,
    ) -> Option<NoteId> {
        let room = self.room();
        let (x, y) = at.unwrap_or_else(|| {
            let notes: Vec<Note> = room.projection.notes.borrow().values().map(|note| note.get_untracked()).collect();
            let parent = builds_on.as_ref().and_then(|id| notes.iter().find(|note| note.id == *id));
            place::free_place(&notes, parent, text)
        });
        let (author, author_name) = self.cafe.author();
        let new = NewNote {
            id: NoteId(room.new_id()?),
            kind,
            text: text.to_owned(),
            x,
            y,
            w: place::WIDTH,
            color: 0,
            author,
            author_name,
            round: self.cafe.round(),
            created_at: self.cafe.server_now(),
            builds_on,
            from,
        };
        let id = new.id.clone();
        let mut new = Some(new);
        self.create(|txn, roots| {
            let Roots::Table(roots) = roots else { return };
            match new.take() {
                Some(new) => {
                    note::create(txn, roots, new);
                    note::set_deleted(txn, roots, &id, true);
                }
                None => note::set_deleted(txn, roots, &id, false),
            }
        })?;
        Some(id)
    }

    /// Says what a note is.
    pub fn set_note_kind(self, id: &NoteId, kind: NoteKind) {
        self.step(|txn, roots| table(roots, |roots| note::set_kind(txn, roots, id, kind)));
    }

    /// Moves a note's left top corner there, in canvas units.
    pub fn move_note(self, id: &NoteId, x: f64, y: f64) {
        self.edit(|txn, roots| table(roots, |roots| note::move_to(txn, roots, id, x, y)));
    }

    /// Sets a note's width, in canvas units.
    pub fn resize_note(self, id: &NoteId, w: f64) {
        self.edit(|txn, roots| table(roots, |roots| note::resize(txn, roots, id, w)));
    }

    /// Sets a note's paper: 0 follows the kind, 1 to 6 are the palette's.
    pub fn set_note_color(self, id: &NoteId, color: u8) {
        self.step(|txn, roots| table(roots, |roots| note::set_color(txn, roots, id, color)));
    }

    /// Sets or takes away one's own star.
    pub fn star(self, id: &NoteId, starred: bool) {
        let (author, _) = self.cafe.author();
        self.step(|txn, roots| table(roots, |roots| note::set_star(txn, roots, id, &author, starred)));
    }

    /// Takes a note away; its words are kept.
    pub fn delete_note(self, id: &NoteId) {
        self.step(|txn, roots| table(roots, |roots| note::set_deleted(txn, roots, id, true)));
    }

    /// Lines that were drawn on the cloth, sorted by id.
    pub fn strokes(self) -> Signal<Vec<Arc<Stroke>>> {
        self.room().projection.strokes.clone().into()
    }

    /// Draws a line through these points, in canvas units. None on a board that may not be written on, or that has no room for a line.
    pub fn draw(self, pen: Pen, width: u8, points: Vec<(f64, f64)>) -> Option<StrokeId> {
        let room = self.room();
        if room.projection.strokes.with_untracked(Vec::len) >= limits::STROKES_MAX {
            return None;
        }
        let line = Stroke { id: StrokeId(room.new_id()?), pen, width, points };
        self.step(|txn, roots| table(roots, |roots| stroke::create(txn, roots, &line)));
        Some(line.id)
    }

    /// Takes a line away.
    pub fn erase(self, id: &StrokeId) {
        self.edit(|txn, roots| table(roots, |roots| stroke::remove(txn, roots, id)));
    }

    /// What follows is undone by itself.
    pub fn end_step(self) {
        self.room().edit(|document| document.end_undo_step());
    }

    /// Brings a note back.
    pub fn restore_note(self, id: &NoteId) {
        self.step(|txn, roots| table(roots, |roots| note::set_deleted(txn, roots, id, false)));
    }

    // -- The harvest board

    /// Themes, sorted by (order, id).
    pub fn themes(self) -> Signal<Vec<Theme>> {
        self.room().projection.themes.clone().into()
    }

    /// Which note lies in which theme, sorted by note.
    pub fn placements(self) -> Signal<Vec<(NoteRef, ThemeId)>> {
        self.room().projection.placements.clone().into()
    }

    /// Adds a theme behind the others. None on a board that may not be written on.
    pub fn create_theme(self, title: &str) -> Option<ThemeId> {
        let room = self.room();
        let order =
            room.projection.themes.with_untracked(|themes| themes.last().map_or(0.0, |theme| theme.order)) + 1.0;
        let id = ThemeId(room.new_id()?);
        let mut title = Some(title);
        self.create(|txn, roots| {
            let Roots::Harvest(roots) = roots else { return };
            match title.take() {
                Some(title) => {
                    theme::create(txn, roots, &id, title, order);
                    theme::set_deleted(txn, roots, &id, true);
                }
                None => theme::set_deleted(txn, roots, &id, false),
            }
        })?;
        Some(id)
    }

    /// Lays a note in a theme, or takes it out.
    pub fn place(self, note: &NoteRef, theme: Option<&ThemeId>) {
        self.step(|txn, roots| harvest(roots, |roots| theme::place(txn, roots, note, theme)));
    }

    /// Sets a theme's place among the others, ascending.
    pub fn move_theme(self, id: &ThemeId, order: f64) {
        self.step(|txn, roots| harvest(roots, |roots| theme::set_order(txn, roots, id, order)));
    }

    /// Takes a theme away; its notes are unplaced again.
    pub fn delete_theme(self, id: &ThemeId) {
        self.step(|txn, roots| harvest(roots, |roots| theme::set_deleted(txn, roots, id, true)));
    }

    /// Brings a theme back, with those of its notes that were not placed elsewhere meanwhile.
    pub fn restore_theme(self, id: &ThemeId) {
        self.step(|txn, roots| harvest(roots, |roots| theme::set_deleted(txn, roots, id, false)));
    }

    // -- The plan board

    /// Actions that are not deleted, sorted by (order, id).
    pub fn action_ids(self) -> Signal<Vec<ActionId>> {
        self.room().projection.action_ids.clone().into()
    }

    /// One action.
    pub fn action(self, id: &ActionId) -> Option<Signal<Action>> {
        self.room().projection.actions.borrow().get(id).cloned().map(Into::into)
    }

    /// Adds an action behind the others. None on a board that may not be written on.
    pub fn create_action(self, input: NewActionInput) -> Option<ActionId> {
        let room = self.room();
        let last = room
            .projection
            .actions
            .borrow()
            .values()
            .map(|action| action.with_untracked(|action| action.order))
            .fold(0.0, f64::max);
        let id = ActionId(room.new_id()?);
        let NewActionInput { title, reason, stage, themes, sources } = input;
        let mut new = Some(NewAction { id: id.clone(), order: last + 1.0, title, reason, stage, themes, sources });
        self.create(|txn, roots| {
            let Roots::Plan(roots) = roots else { return };
            match new.take() {
                Some(new) => {
                    action::create(txn, roots, new);
                    action::set_deleted(txn, roots, &id, true);
                }
                None => action::set_deleted(txn, roots, &id, false),
            }
        })?;
        Some(id)
    }

    /// Sets an action's due date: `YYYY-MM-DD`, or empty.
    pub fn set_due(self, id: &ActionId, due: &str) {
        self.step(|txn, roots| plan(roots, |roots| action::set_due(txn, roots, id, due)));
    }

    /// Sets an action's effort: 1 (little) to 5 (much), 0 for not yet said.
    pub fn set_effort(self, id: &ActionId, effort: u8) {
        self.step(|txn, roots| plan(roots, |roots| action::set_effort(txn, roots, id, effort)));
    }

    /// Sets an action's impact: 1 (little) to 5 (much), 0 for not yet said.
    pub fn set_impact(self, id: &ActionId, impact: u8) {
        self.step(|txn, roots| plan(roots, |roots| action::set_impact(txn, roots, id, impact)));
    }

    /// Says how far an action is.
    pub fn set_status(self, id: &ActionId, status: ActionStatus) {
        self.step(|txn, roots| plan(roots, |roots| action::set_status(txn, roots, id, status)));
    }

    /// Sets an action's place in the plan, ascending.
    pub fn move_action(self, id: &ActionId, order: f64) {
        self.step(|txn, roots| plan(roots, |roots| action::set_order(txn, roots, id, order)));
    }

    /// Takes an action away.
    pub fn delete_action(self, id: &ActionId) {
        self.step(|txn, roots| plan(roots, |roots| action::set_deleted(txn, roots, id, true)));
    }

    /// Brings an action back.
    pub fn restore_action(self, id: &ActionId) {
        self.step(|txn, roots| plan(roots, |roots| action::set_deleted(txn, roots, id, false)));
    }

    /// Adds a note to what an action rests on, or takes it out.
    pub fn set_source(self, id: &ActionId, note: &NoteRef, present: bool) {
        self.step(|txn, roots| plan(roots, |roots| action::set_source(txn, roots, id, note, present)));
    }

    /// Adds a theme to what an action comes from, or takes it out.
    pub fn set_theme(self, id: &ActionId, theme: &ThemeId, present: bool) {
        self.step(|txn, roots| plan(roots, |roots| action::set_theme(txn, roots, id, theme, present)));
    }

    // -- Texts

    /// A hold on one text; each field needs its own. None if there is no such text on this board.
    pub fn text(self, at: TextAt) -> Option<LiveTextHandle> {
        self.room().has_text(&at).then(|| LiveTextHandle::new(self, at))
    }

    // -- Undo of one's own edits on this board

    /// Takes back one's last edit.
    pub fn undo(self) {
        self.room().edit(|document| {
            document.undo();
        });
    }

    /// Does again what was taken back.
    pub fn redo(self) {
        self.room().edit(|document| {
            document.redo();
        });
    }

    /// Whether there is something to take back.
    pub fn can_undo(self) -> Signal<bool> {
        self.room().can_undo.clone().into()
    }

    /// Whether there is something to do again.
    pub fn can_redo(self) -> Signal<bool> {
        self.room().can_redo.clone().into()
    }

    // -- Presence

    /// Who else is at the board.
    pub fn peers(self) -> Signal<Vec<Peer>> {
        self.room().peers.clone().into()
    }

    /// Says what one does at the board; sent at most four times a second.
    pub fn set_presence(self, editing: Option<NoteId>, typing: bool) {
        self.room().set_doing(Doing { editing, typing });
    }

    /// An edit that undo may join with those just before.
    fn edit(self, edit: impl FnOnce(&mut TransactionMut, &Roots)) {
        self.room().edit(|document| document.edit(0, |txn| edit(txn, document.roots())));
    }

    /// An edit that undo takes back by itself.
    fn step(self, edit: impl FnOnce(&mut TransactionMut, &Roots)) {
        self.room().edit(|document| {
            document.end_undo_step();
            document.edit(0, |txn| edit(txn, document.roots()));
            document.end_undo_step();
        });
    }

    /// Creates an element in two transactions: `create` first makes it, deleted, then brings it back. Undo knows only the second, so it
    /// hides the element without destroying what others may have written into it by then.
    fn create(self, mut create: impl FnMut(&mut TransactionMut, &Roots)) -> Option<()> {
        self.room().edit(|document| {
            document.end_undo_step();
            document.edit_lastingly(|txn| create(txn, document.roots()));
            document.edit(0, |txn| create(txn, document.roots()));
            document.end_undo_step();
        })
    }
}

fn table(roots: &Roots, edit: impl FnOnce(&shared::board::TableRoots)) {
    if let Roots::Table(roots) = roots {
        edit(roots);
    }
}

fn harvest(roots: &Roots, edit: impl FnOnce(&shared::board::HarvestRoots)) {
    if let Roots::Harvest(roots) = roots {
        edit(roots);
    }
}

fn plan(roots: &Roots, edit: impl FnOnce(&shared::board::PlanRoots)) {
    if let Roots::Plan(roots) = roots {
        edit(roots);
    }
}
