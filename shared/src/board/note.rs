//! A note. Inside [`root::NOTES`](super::doc::root::NOTES) each is a nested map, created once under its id.

use yrs::{Any, Map, MapPrelim, MapRef, ReadTxn, TextRef, TransactionMut};

use super::doc::TableRoots;
use super::field;
use super::view::{Note, NoteKind, NoteRef, Origin};
use crate::id::{ActorId, Millis, NoteId};

mod key {
    pub const KIND: &str = "kind";
    pub const TEXT: &str = "text";
    pub const X: &str = "x";
    pub const Y: &str = "y";
    pub const W: &str = "w";
    pub const COLOR: &str = "color";
    pub const AUTHOR: &str = "author";
    pub const AUTHOR_NAME: &str = "author_name";
    pub const ROUND: &str = "round";
    pub const CREATED_AT: &str = "created_at";
    pub const BUILDS_ON: &str = "builds_on";
    pub const FROM: &str = "from";
    pub const FROM_AUTHOR: &str = "from_author";
    pub const DELETED: &str = "deleted";
    pub const STAR: &str = "star:";
}

/// Width of a note whose own is missing, in canvas units.
const WIDTH: f64 = 220.0;

/// A note to be written down; the fields are those of [`Note`].
#[derive(Clone, Debug, PartialEq)]
pub struct NewNote {
    /// Its id, unique in the workshop.
    pub id: NoteId,
    /// What it is.
    pub kind: NoteKind,
    /// What it says so far.
    pub text: String,
    /// Left edge, in canvas units.
    pub x: f64,
    /// Top edge, in canvas units.
    pub y: f64,
    /// Width, in canvas units.
    pub w: f64,
    /// Paper colour: 0 follows the kind, 1 to 6 are the palette's.
    pub color: u8,
    /// Who writes it.
    pub author: ActorId,
    /// Their name now.
    pub author_name: String,
    /// Round, from 0; none outside rounds.
    pub round: Option<u8>,
    /// When, by the server's clock.
    pub created_at: Millis,
    /// The note it builds on, on the same board.
    pub builds_on: Option<NoteId>,
    /// The note at another table whose words somebody carried here.
    pub from: Option<Origin>,
}

/// Writes a note down. Does nothing if its id is taken: creating it again would replace the words that are there.
pub fn create(txn: &mut TransactionMut, roots: &TableRoots, note: NewNote) {
    if roots.notes.contains_key(txn, note.id.as_str()) {
        return;
    }
    let mut map = MapPrelim::from([
        (key::KIND, field::new_value(note.kind.as_str())),
        (key::TEXT, field::new_text(&note.text)),
        (key::X, field::new_value(field::finite(note.x))),
        (key::Y, field::new_value(field::finite(note.y))),
        (key::W, field::new_value(field::finite(note.w))),
        (key::COLOR, field::new_value(u32::from(note.color))),
        (key::AUTHOR, field::new_value(note.author.as_str())),
        (key::AUTHOR_NAME, field::new_value(note.author_name)),
        (key::CREATED_AT, field::new_value(note.created_at as f64)),
    ]);
    if let Some(round) = note.round {
        map.insert(key::ROUND.into(), field::new_value(u32::from(round)));
    }
    if let Some(base) = note.builds_on {
        map.insert(key::BUILDS_ON.into(), field::new_value(base.as_str()));
    }
    if let Some(from) = note.from {
        map.insert(key::FROM.into(), field::new_value(from.note.key()));
        if !from.author_name.is_empty() {
            map.insert(key::FROM_AUTHOR.into(), field::new_value(from.author_name));
        }
    }
    roots.notes.insert(txn, note.id.as_str(), map);
}

/// Reads a note, a deleted one too. None if there is no such note.
pub fn read<T: ReadTxn>(txn: &T, roots: &TableRoots, id: &NoteId) -> Option<Note> {
    Some(read_map(txn, &element(txn, roots, id)?, id.as_str()))
}

/// The text of a note, to be edited with [`super::text::edit`]. None if there is no such note.
pub fn text_of<T: ReadTxn>(txn: &T, roots: &TableRoots, id: &NoteId) -> Option<TextRef> {
    field::text_ref(txn, &element(txn, roots, id)?, key::TEXT)
}

/// Says what the note is. Nothing happens if there is no such note; so for all that follow.
pub fn set_kind(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, kind: NoteKind) {
    put(txn, roots, id, key::KIND, kind.as_str());
}

/// Moves the note's left and top edges there, in canvas units.
pub fn move_to(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, x: f64, y: f64) {
    put(txn, roots, id, key::X, field::finite(x));
    put(txn, roots, id, key::Y, field::finite(y));
}

/// Sets the note's width, in canvas units.
pub fn resize(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, w: f64) {
    put(txn, roots, id, key::W, field::finite(w));
}

/// Sets the paper colour: 0 follows the kind, 1 to 6 are the palette's.
pub fn set_color(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, color: u8) {
    put(txn, roots, id, key::COLOR, u32::from(color));
}

/// Sets or takes away this person's star; everybody has their own.
pub fn set_star(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, actor: &ActorId, starred: bool) {
    if let Some(map) = element(txn, roots, id) {
        field::set_member(txn, &map, &format!("{}{actor}", key::STAR), starred);
    }
}

/// Takes the note away, or brings it back. Its words stay.
pub fn set_deleted(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, deleted: bool) {
    put(txn, roots, id, key::DELETED, deleted);
}

/// Whether the map of a note says that it is taken away.
pub(super) fn is_deleted<T: ReadTxn>(txn: &T, map: &MapRef) -> bool {
    field::flag(txn, map, key::DELETED)
}

/// Reads the map of a note.
pub(super) fn read_map<T: ReadTxn>(txn: &T, map: &MapRef, id: &str) -> Note {
    Note {
        id: id.into(),
        kind: NoteKind::parse(&field::string(txn, map, key::KIND).unwrap_or_default()),
        text: field::text(txn, map, key::TEXT),
        x: field::number(txn, map, key::X).unwrap_or_default(),
        y: field::number(txn, map, key::Y).unwrap_or_default(),
        w: field::number(txn, map, key::W).unwrap_or(WIDTH),
        color: field::small(txn, map, key::COLOR).unwrap_or_default(),
        author: field::string(txn, map, key::AUTHOR).unwrap_or_default().into(),
        author_name: field::string(txn, map, key::AUTHOR_NAME).unwrap_or_default(),
        round: field::small(txn, map, key::ROUND),
        // The cast saturates: a negative time is 0.
        created_at: field::number(txn, map, key::CREATED_AT).unwrap_or_default() as Millis,
        builds_on: field::string(txn, map, key::BUILDS_ON).map(NoteId),
        from: read_from(txn, map),
        stars: field::members(txn, map, key::STAR).into_iter().map(ActorId).collect(),
        deleted: is_deleted(txn, map),
    }
}

/// Where a note was carried from. Nobody checks what its author says of it, so what cannot be a note's place is as if it were not there.
fn read_from<T: ReadTxn>(txn: &T, map: &MapRef) -> Option<Origin> {
    let note = NoteRef::parse(&field::string(txn, map, key::FROM)?)?;
    Origin::new(note, &field::string(txn, map, key::FROM_AUTHOR).unwrap_or_default())
}

fn element<T: ReadTxn>(txn: &T, roots: &TableRoots, id: &NoteId) -> Option<MapRef> {
    field::element(txn, &roots.notes, id.as_str())
}

fn put(txn: &mut TransactionMut, roots: &TableRoots, id: &NoteId, key: &str, value: impl Into<Any>) {
    if let Some(map) = element(txn, roots, id) {
        field::put(txn, &map, key, value);
    }
}
