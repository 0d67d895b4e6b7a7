//! One Yrs document with the client id that the server gave it: local edits, remote updates, undo, and what each of them touched.
//!
//! Observers only take notes, because no transaction may be opened inside one; [`Document::take`] hands the notes out after it.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use shared::board::{HarvestRoots, PlanRoots, Splice, TableRoots, new_doc, root};
use shared::id::{BoardKind, Millis};
use yrs::types::{Delta, Event, PathSegment};
use yrs::undo::Options as UndoOptions;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    DeepObservable, Doc, MapRef, Out, ReadTxn, StateVector, TextRef, Transact, Transaction, TransactionMut,
    UndoManager, Update,
};

use crate::platform;

/// Edits by this person that can be undone.
const LOCAL: &str = "local";
/// Edits by this person that undo leaves alone.
const LASTING: &str = "lasting";
/// What came from the server or from storage.
const REMOTE: &str = "remote";
/// Edits that follow each other within this time are undone together, in milliseconds.
const UNDO_TOGETHER: u64 = 500;
/// An update that changes nothing.
const EMPTY_UPDATE: [u8; 2] = [0, 0];

/// Bytes that are no update, or cannot be applied. The document may have taken a part of them and must be rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the update cannot be applied")]
pub struct Broken;

/// Handles of a board's root types.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Of a table's board.
    Table(TableRoots),
    /// Of the harvest board.
    Harvest(HarvestRoots),
    /// Of the plan board.
    Plan(PlanRoots),
}

/// Who made a change, as far as live texts must know: 0 for everybody but a live text of this page.
pub type Hand = u64;

/// Something in the document that a transaction changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Name of the root type.
    pub root: &'static str,
    /// Key in the root map; none for a root text.
    pub element: Option<String>,
    /// Key of the text inside the element, if a text was edited.
    pub field: Option<String>,
    /// How the text changed, one splice after the other.
    pub splices: Vec<Splice>,
    /// Who did it.
    pub by: Hand,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Updates made here, for the outbox.
    pub updates: Vec<Vec<u8>>,
    /// What changed, whoever did it.
    pub touched: Vec<Touch>,
}

/// The document.
pub struct Document {
    client: u64,
    roots: Roots,
    // Before `doc`: it takes its observers out of the document when it is dropped.
    undo: RefCell<UndoManager>,
    doc: Doc,
    hand: Rc<Cell<Hand>>,
    aftermath: Rc<RefCell<Aftermath>>,
}

impl Document {
    /// An empty document. Nobody else may ever have used this client id.
    pub fn new(client: u64, kind: BoardKind) -> Self {
        let doc = new_doc(client);
        let roots = match kind {
            BoardKind::Table(_) => Roots::Table(TableRoots::of(&doc)),
            BoardKind::Harvest => Roots::Harvest(HarvestRoots::of(&doc)),
            BoardKind::Plan => Roots::Plan(PlanRoots::of(&doc)),
        };
        let aftermath = Rc::new(RefCell::new(Aftermath::default()));
        let hand = Rc::new(Cell::new(0));
        let watch = Watch { aftermath: aftermath.clone(), hand: hand.clone() };
        let mut undo = UndoManager::with_options(UndoOptions {
            capture_timeout_millis: UNDO_TOGETHER,
            tracked_origins: HashSet::from([LOCAL.into()]),
            capture_transaction: None,
            timestamp: Arc::new(steady_now),
            init_undo_stack: Vec::new(),
            init_redo_stack: Vec::new(),
        });
        match &roots {
            Roots::Table(table) => {
                watch.map(&table.notes, root::NOTES);
                watch.map(&table.strokes, root::STROKES);
                watch.text(&table.so_far, root::HANDOVER_SO_FAR);
                watch.text(&table.open, root::HANDOVER_OPEN);
                watch.text(&table.build_here, root::HANDOVER_BUILD);
                undo.expand_scope(&doc, &table.notes);
                undo.expand_scope(&doc, &table.strokes);
                undo.expand_scope(&doc, &table.so_far);
                undo.expand_scope(&doc, &table.open);
                undo.expand_scope(&doc, &table.build_here);
            }
            Roots::Harvest(harvest) => {
                watch.map(&harvest.themes, root::THEMES);
                watch.map(&harvest.placements, root::PLACEMENTS);
                undo.expand_scope(&doc, &harvest.themes);
                undo.expand_scope(&doc, &harvest.placements);
            }
            Roots::Plan(plan) => {
                watch.map(&plan.actions, root::ACTIONS);
                undo.expand_scope(&doc, &plan.actions);
            }
        }
        let notes = aftermath.clone();
        // Fails only while a transaction is open, and nobody else has this document yet.
        let _ = doc.observe_update_v1("outbox", move |txn, event| {
            let remote = txn.origin().is_some_and(|origin| *origin == REMOTE.into());
            if !remote && event.update != EMPTY_UPDATE {
                notes.borrow_mut().updates.push(event.update.clone());
            }
        });
        Self { client, roots, undo: RefCell::new(undo), doc, hand, aftermath }
    }

    /// The id under which it writes.
    pub fn client(&self) -> u64 {
        self.client
    }

    /// Handles of its root types.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Reads it.
    pub fn read<R>(&self, read: impl FnOnce(&Transaction) -> R) -> R {
        read(&self.doc.transact())
    }

    /// Edits it; undo takes it back. `hand` is the live text through which it is done, or 0.
    pub fn edit<R>(&self, hand: Hand, edit: impl FnOnce(&mut TransactionMut) -> R) -> R {
        self.hand.set(hand);
        let answer = edit(&mut self.doc.transact_mut_with(LOCAL));
        self.hand.set(0);
        answer
    }

    /// Edits it in a way that undo leaves alone.
    pub fn edit_lastingly<R>(&self, edit: impl FnOnce(&mut TransactionMut) -> R) -> R {
        edit(&mut self.doc.transact_mut_with(LASTING))
    }

    /// Ends what is undone in one step.
    pub fn end_undo_step(&self) {
        self.undo.borrow_mut().reset();
    }

    /// Takes in an update from the server or from storage. After an error the document must be thrown away.
    pub fn apply(&self, update: &[u8]) -> Result<(), Broken> {
        let update = Update::decode_v1(update).map_err(|_| Broken)?;
        self.doc.transact_mut_with(REMOTE).apply_update(update).map_err(|_| Broken)
    }

    /// Whether updates are held back because earlier ones are missing.
    pub fn has_gap(&self) -> bool {
        self.doc.transact().has_missing_updates()
    }

    /// Takes back the last step of this person. Returns whether there was one.
    pub fn undo(&self) -> bool {
        self.undo.borrow_mut().undo_blocking()
    }

    /// Does again what was taken back. Returns whether there was something.
    pub fn redo(&self) -> bool {
        self.undo.borrow_mut().redo_blocking()
    }

    /// Whether there is something to take back, and something to do again.
    pub fn can_undo_redo(&self) -> (bool, bool) {
        let undo = self.undo.borrow();
        (undo.can_undo(), undo.can_redo())
    }

    /// What it has, as an encoded state vector.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// Everything that somebody with this encoded state vector lacks; none if the bytes are no state vector.
    pub fn diff(&self, state_vector: &[u8]) -> Option<Vec<u8>> {
        let theirs = StateVector::decode_v1(state_vector).ok()?;
        Some(self.doc.transact().encode_diff_v1(&theirs))
    }

    /// Whether it holds insertions that somebody with this encoded state vector lacks.
    pub fn is_ahead_of(&self, state_vector: &[u8]) -> bool {
        let Ok(theirs) = StateVector::decode_v1(state_vector) else { return false };
        let ours = self.doc.transact().state_vector();
        ours.iter().any(|(client, clock)| *clock > theirs.get(client))
    }

    /// All of it, as one update.
    pub fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// What happened since the last call.
    pub fn take(&self) -> Aftermath {
        self.aftermath.take()
    }
}

/// Puts observers on root types.
struct Watch {
    aftermath: Rc<RefCell<Aftermath>>,
    hand: Rc<Cell<Hand>>,
}

impl Watch {
    fn map(&self, map: &MapRef, root: &'static str) {
        let (aftermath, hand) = (self.aftermath.clone(), self.hand.clone());
        map.observe_deep("state", move |txn, events| {
            let mut aftermath = aftermath.borrow_mut();
            for event in events.iter() {
                let mut path = event.path().into_iter().map(|segment| match segment {
                    PathSegment::Key(key) => key.to_string(),
                    PathSegment::Index(index) => index.to_string(),
                });
                let touch = |element, field, splices| Touch { root, element, field, splices, by: hand.get() };
                match (event, path.next()) {
                    (Event::Map(event), None) => {
                        aftermath
                            .touched
                            .extend(event.keys(txn).keys().map(|key| touch(Some(key.to_string()), None, Vec::new())));
                    }
                    (Event::Text(event), element) => {
                        aftermath.touched.push(touch(element, path.next(), splices(event.delta(txn))));
                    }
                    (_, element) => aftermath.touched.push(touch(element, None, Vec::new())),
                }
            }
        });
    }

    fn text(&self, text: &TextRef, root: &'static str) {
        let (aftermath, hand) = (self.aftermath.clone(), self.hand.clone());
        text.observe_deep("state", move |txn, events| {
            for event in events.iter() {
                let splices = match event {
                    Event::Text(event) => splices(event.delta(txn)),
                    _ => Vec::new(),
                };
                let touch = Touch { root, element: None, field: None, splices, by: hand.get() };
                aftermath.borrow_mut().touched.push(touch);
            }
        });
    }
}

/// A delta as splices that are done one after the other.
fn splices(delta: &[Delta]) -> Vec<Splice> {
    let mut splices: Vec<Splice> = Vec::new();
    let mut at = 0;
    // Where the last splice ended, if the next change may join it.
    let mut joins = false;
    for part in delta {
        match part {
            Delta::Retain(length, _) => {
                at += length;
                joins = false;
            }
            Delta::Inserted(value, _) => {
                let Out::Any(yrs::Any::String(text)) = value else { continue };
                match splices.last_mut().filter(|_| joins) {
                    Some(last) => last.insert.push_str(text),
                    None => splices.push(Splice { at, delete: 0, insert: text.to_string() }),
                }
                at += text.encode_utf16().count() as u32;
                joins = true;
            }
            Delta::Deleted(length) => {
                match splices.last_mut().filter(|_| joins) {
                    Some(last) => last.delete += length,
                    None => splices.push(Splice { at, delete: *length, insert: String::new() }),
                }
                joins = true;
            }
        }
    }
    splices
}

/// A clock that never goes back: the undo manager subtracts without looking.
fn steady_now() -> Millis {
    thread_local!(static LATEST: Cell<Millis> = const { Cell::new(0) });
    LATEST.with(|latest| {
        latest.set(latest.get().max(platform::now()));
        latest.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::board::{NewNote, note, text};
    use shared::id::{NoteId, TableId};

    fn document(client: u64) -> Document {
        Document::new(client, BoardKind::Table(TableId(1)))
    }

    fn table(document: &Document) -> &TableRoots {
        match document.roots() {
            Roots::Table(table) => table,
            other => panic!("{other:?}"),
        }
    }

    fn write(document: &Document, id: &NoteId, says: &str) {
        let new = NewNote {
            id: id.clone(),
            kind: Default::default(),
            text: says.to_owned(),
            x: 0.0,
            y: 0.0,
            w: 220.0,
            color: 0,
            author: "p1".into(),
            author_name: "李".to_owned(),
            round: None,
            created_at: 1,
            builds_on: None,
            from: None,
        };
        document.edit(0, |txn| note::create(txn, table(document), new));
    }

    fn splice_note(document: &Document, hand: Hand, id: &NoteId, splice: &Splice) {
        document.edit(hand, |txn| {
            let target = note::text_of(txn, table(document), id).expect("the note");
            text::edit(txn, &target, splice);
        });
    }

    fn says(document: &Document, id: &NoteId) -> String {
        document.read(|txn| note::read(txn, table(document), id)).expect("the note").text
    }

    fn insert(at: u32, insert: &str) -> Splice {
        Splice { at, delete: 0, insert: insert.to_owned() }
    }

    fn exchange(from: &Document, to: &Document) {
        for update in from.take().updates {
            to.apply(&update).expect("a good update");
        }
    }

    #[test]
    fn edits_here_make_updates_and_edits_elsewhere_do_not() {
        let (a, b) = (document(1), document(2));
        let id = NoteId::from("1-1");
        write(&a, &id, "业主");
        exchange(&a, &b);
        assert_eq!(says(&b, &id), "业主");
        let aftermath = b.take();
        assert!(aftermath.updates.is_empty());
        assert!(aftermath.touched.iter().any(|touch| touch.element.as_deref() == Some("1-1")));
    }

    #[test]
    fn a_text_edit_arrives_as_splices_in_utf16() {
        let (a, b) = (document(1), document(2));
        let id = NoteId::from("1-1");
        write(&a, &id, "😀业主");
        exchange(&a, &b);
        b.take();
        splice_note(&a, 7, &id, &Splice { at: 2, delete: 1, insert: "🏠客".to_owned() });
        let here = a.take();
        let touch = here.touched.iter().find(|touch| touch.field.is_some()).expect("a text touch");
        assert_eq!((touch.by, touch.field.as_deref()), (7, Some("text")));
        for update in here.updates {
            b.apply(&update).expect("a good update");
        }
        let there = b.take().touched;
        let touch = there.iter().find(|touch| touch.field.is_some()).expect("a text touch");
        assert_eq!(touch.by, 0);
        let mut shown = "😀业主".to_owned();
        for splice in &touch.splices {
            shown = text::apply(&shown, splice);
        }
        assert_eq!(shown, "😀🏠客主");
    }

    #[test]
    fn root_texts_are_watched_too() {
        let a = document(1);
        a.edit(3, |txn| text::edit(txn, &table(&a).so_far, &insert(0, "已有")));
        let aftermath = a.take();
        let expected =
            Touch {
                root: root::HANDOVER_SO_FAR, element: None, field: None, splices: vec![insert(0, "已有")], by: 3
            };
        assert_eq!(aftermath.touched, [expected]);
    }

    #[test]
    fn b6_undo_takes_back_ones_own_words_only() {
        let (a, b) = (document(1), document(2));
        let id = NoteId::from("1-1");
        write(&a, &id, "");
        exchange(&a, &b);
        a.end_undo_step();
        splice_note(&a, 0, &id, &insert(0, "mine"));
        exchange(&a, &b);
        splice_note(&b, 0, &id, &insert(4, " theirs"));
        exchange(&b, &a);
        assert_eq!(a.can_undo_redo(), (true, false));
        assert!(a.undo());
        assert_eq!(says(&a, &id), " theirs");
        assert_eq!(a.can_undo_redo(), (true, true));
        assert!(!a.take().updates.is_empty(), "others see the undo");
        assert!(a.redo());
        assert_eq!(says(&a, &id), "mine theirs");
    }

    #[test]
    fn undoing_a_creation_keeps_the_words() {
        let a = document(1);
        let id = NoteId::from("1-1");
        let roots = table(&a).clone();
        a.edit_lastingly(|txn| {
            let new = NewNote {
                id: id.clone(),
                kind: Default::default(),
                text: "words".to_owned(),
                x: 0.0,
                y: 0.0,
                w: 220.0,
                color: 0,
                author: "p1".into(),
                author_name: String::new(),
                round: None,
                created_at: 1,
                builds_on: None,
                from: None,
            };
            note::create(txn, &roots, new);
            note::set_deleted(txn, &roots, &id, true);
        });
        a.edit(0, |txn| note::set_deleted(txn, &roots, &id, false));
        let read = || a.read(|txn| note::read(txn, &roots, &id)).expect("the note");
        assert!(!read().deleted);
        assert!(a.undo());
        assert!(read().deleted);
        assert_eq!(read().text, "words");
        assert!(!a.undo(), "the creation itself stays");
        assert!(a.redo());
        assert!(!read().deleted);
    }

    #[test]
    fn the_difference_brings_offline_edits_back() {
        let (a, b) = (document(1), document(2));
        let id = NoteId::from("1-1");
        write(&a, &id, "first");
        exchange(&a, &b);
        let known = b.state_vector();
        assert!(!a.is_ahead_of(&known));
        splice_note(&a, 0, &id, &insert(5, ", offline"));
        assert!(a.is_ahead_of(&known));
        b.apply(&a.diff(&known).expect("a state vector")).expect("a good update");
        assert_eq!(says(&b, &id), "first, offline");
        assert_eq!(a.diff(&[0xff; 3]), None);
    }

    #[test]
    fn a_missing_update_is_noticed() {
        let (a, b) = (document(1), document(2));
        let id = NoteId::from("1-1");
        write(&a, &id, "first");
        let held = a.take().updates;
        splice_note(&a, 0, &id, &insert(5, "!"));
        exchange(&a, &b);
        assert!(b.has_gap());
        for update in held {
            b.apply(&update).expect("a good update");
        }
        assert!(!b.has_gap());
        assert_eq!(says(&b, &id), "first!");
    }

    #[test]
    fn broken_bytes_are_an_error() {
        assert_eq!(document(1).apply(&[1, 2, 3]), Err(Broken));
    }
}
