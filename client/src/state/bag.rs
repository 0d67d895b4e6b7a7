//! The traveller's bag: up to three notes that somebody carries to the next table. It is theirs alone, so it is kept on their device, per café
//! and person, and the server hears of it only when a note is put down. Works offline, survives a reload, and is one for all their tabs.
//!
//! [`Contents`] is what is in it and what can be done with it, without a browser; [`Bag`] is the handle that components hold.

use std::cell::RefCell;
use std::collections::HashMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::board::text::utf16_len;
use shared::board::view::{Note, NoteKind, NoteRef, Origin};
use shared::id::TableId;
use shared::limits;

use super::cafe::Cafe;
use crate::platform::{self, Listener};

/// A copy of a note, as it was when it was packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// What it says.
    pub text: String,
    /// What it is.
    pub kind: NoteKind,
    /// The note it is a copy of, and who wrote that.
    pub from: Origin,
}

impl Packed {
    /// A copy of a note of this table. None for one that says nothing.
    pub fn of(table: TableId, note: &Note, show_author: bool) -> Option<Self> {
        let author = if show_author { note.author_name.as_str() } else { "" };
        let from = Origin::new(NoteRef { table, note: note.id.clone() }, author)?;
        Self { text: note.text.trim().to_owned(), kind: note.kind, from }.checked()
    }

    /// What no note can be is none of ours: storage can be written by others.
    fn checked(self) -> Option<Self> {
        let says_something = !self.text.trim().is_empty();
        // The server keeps so much in one text, where several people wrote in it at once; such a note is carried whole, too.
        let fits = self.text.len() <= 4 * limits::TEXT_KEPT as usize && utf16_len(&self.text) <= limits::TEXT_KEPT;
        let from = Origin::new(self.from.note, &self.from.author_name)?;
        (says_something && fits).then_some(Self { from, ..self })
    }
}

/// What packing a note came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It is in the bag.
    Packed,
    /// It was in it already.
    There,
    /// There is no room.
    Full,
}

/// What is in a bag, in the order of packing; each note once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents(Vec<Packed>);

impl Contents {
    /// Reads what [`Contents::write`] wrote. What is not ours is passed over, the rest is there.
    pub fn read(json: &str) -> Self {
        let values: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
        let mut contents = Self::default();
        for packed in values.into_iter().filter_map(|value| serde_json::from_value::<Packed>(value).ok()?.checked()) {
            contents.pack(packed);
        }
        contents
    }

    /// As JSON, to be kept.
    pub fn write(&self) -> String {
        // Nothing in it can fail: strings, numbers, and names of fields.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Puts a note in.
    pub fn pack(&mut self, packed: Packed) -> Packing {
        if self.has(&packed.from.note) {
            return Packing::There;
        }
        if self.0.len() >= limits::BAG_NOTES {
            return Packing::Full;
        }
        self.0.push(packed);
        Packing::Packed
    }

    /// Takes the copy of a note out. None if it is not there, or no longer.
    pub fn take(&mut self, note: &NoteRef) -> Option<Packed> {
        let at = self.0.iter().position(|packed| packed.from.note == *note)?;
        Some(self.0.remove(at))
    }

    /// Whether a copy of this note is in it.
    pub fn has(&self, note: &NoteRef) -> bool {
        self.0.iter().any(|packed| packed.from.note == *note)
    }

    /// All notes, in the order of packing.
    pub fn notes(&self) -> &[Packed] {
        &self.0
    }

    /// How many notes were carried to this table from others.
    pub fn carried_to(&self, table: TableId) -> usize {
        self.0.iter().filter(|packed| packed.from.note.table != table).count()
    }
}

thread_local! {
    /// Bags that could not be written to localStorage: they last as long as the page.
    static UNWRITTEN: RefCell<HashMap<String, Contents>> = RefCell::default();
}

fn key(scope: &str) -> String {
    format!("tablehop.bag.{scope}")
}

fn load(scope: &str) -> Contents {
    if let Some(contents) = UNWRITTEN.with_borrow(|bags| bags.get(scope).cloned()) {
        return contents;
    }
    platform::local_get(&key(scope)).map(|json| Contents::read(&json)).unwrap_or_default()
}

fn keep(scope: &str, contents: &Contents) {
    let written = if *contents == Contents::default() {
        platform::local_remove(&key(scope));
        true
    } else {
        platform::local_set(&key(scope), &contents.write())
    };
    UNWRITTEN.with_borrow_mut(|bags| match written {
        true => bags.remove(scope),
        false => bags.insert(scope.to_owned(), contents.clone()),
    });
}

/// Forgets what somebody carried in a café that this device forgets.
pub(super) fn forget(scope: &str) {
    keep(scope, &Contents::default());
}

/// One person's bag in one café. A handle that may be copied freely, and a context where there is a bag.
#[derive(Clone, Copy)]
pub struct Bag {
    scope: StoredValue<String>,
    contents: RwSignal<Contents>,
}

impl Bag {
    /// Opens the bag for the components below.
    pub fn provide(cafe: Cafe) -> Self {
        let scope = cafe.identity().scope();
        let bag = Self { contents: RwSignal::new(load(&scope)), scope: StoredValue::new(scope) };
        // Other tabs of the same person; this one hears nothing of what it writes itself.
        let listener = Listener::on_window("storage", move || bag.refresh());
        let listener = StoredValue::new_local(Some(listener));
        on_cleanup(move || drop(listener.try_update_value(Option::take)));
        provide_context(bag);
        bag
    }

    fn refresh(self) {
        let Some(now) = self.scope.try_with_value(|scope| load(scope)) else { return };
        if self.contents.try_with_untracked(|contents| *contents != now) == Some(true) {
            self.contents.set(now);
        }
    }

    /// What is in it.
    pub fn contents(self) -> Signal<Contents> {
        self.contents.into()
    }

    /// Whether a copy of this note is in it; follows it.
    pub fn has(self, note: &NoteRef) -> bool {
        self.contents.with(|contents| contents.has(note))
    }

    /// Puts a note in.
    pub fn pack(self, packed: Packed) -> Packing {
        self.change(|contents| contents.pack(packed))
    }

    /// Takes a note out. None if another tab has done so.
    pub fn take(self, note: &NoteRef) -> Option<Packed> {
        self.change(|contents| contents.take(note))
    }

    /// Whether a note is in it, as it stands on the device now.
    pub fn still_has(self, note: &NoteRef) -> bool {
        self.refresh();
        self.contents.with_untracked(|contents| contents.has(note))
    }

    /// Whether another note has room, as it stands on the device now.
    pub fn has_room(self) -> bool {
        self.refresh();
        self.contents.with_untracked(|contents| contents.notes().len() < limits::BAG_NOTES)
    }

    /// Changes what is on the device, whichever tab wrote it last.
    fn change<T>(self, change: impl FnOnce(&mut Contents) -> T) -> T {
        self.refresh();
        let mut contents = self.contents.get_untracked();
        let answer = change(&mut contents);
        self.scope.with_value(|scope| keep(scope, &contents));
        self.contents.set(contents);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(table: u16, note: &str) -> NoteRef {
        NoteRef { table: TableId(table), note: note.into() }
    }

    fn packed(table: u16, id: &str, text: &str) -> Packed {
        let note = Note {
            id: id.into(),
            text: text.into(),
            author_name: "李雷".into(),
            kind: NoteKind::Pain,
            ..Note::default()
        };
        Packed::of(TableId(table), &note, true).expect("a copy")
    }

    #[test]
    fn p19_a_bag_holds_three_notes_each_once_and_a_fourth_waits() {
        let mut bag = Contents::default();
        assert_eq!(bag.pack(packed(1, "a", "甲")), Packing::Packed);
        assert_eq!(bag.pack(packed(1, "a", "甲，后来改过")), Packing::There);
        assert_eq!(bag.pack(packed(1, "b", "乙")), Packing::Packed);
        assert_eq!(bag.pack(packed(2, "a", "丙")), Packing::Packed);
        assert_eq!(bag.pack(packed(2, "c", "丁")), Packing::Full);
        let texts = |bag: &Contents| bag.notes().iter().map(|packed| packed.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&bag), ["甲", "乙", "丙"], "as they were when they were packed");
        assert_eq!((bag.carried_to(TableId(1)), bag.carried_to(TableId(2)), bag.carried_to(TableId(3))), (1, 2, 3));
        // What is put down or left behind makes room, once.
        assert_eq!(bag.take(&at(1, "b")).map(|packed| packed.text), Some("乙".into()));
        assert_eq!(bag.take(&at(1, "b")), None);
        assert_eq!(bag.pack(packed(2, "c", "丁")), Packing::Packed);
        assert_eq!(texts(&bag), ["甲", "丙", "丁"]);
        assert!(bag.has(&at(2, "a")) && !bag.has(&at(1, "b")));
    }

    #[test]
    fn p19_what_is_packed_is_kept_with_its_words_its_kind_and_where_it_came_from() {
        let mut bag = Contents::default();
        bag.pack(packed(12, "3f-1", " \"等了\"三天\n😀 "));
        let kept = Contents::read(&bag.write());
        assert_eq!(kept, bag);
        let one = &kept.notes()[0];
        assert_eq!((one.text.as_str(), one.kind), ("\"等了\"三天\n😀", NoteKind::Pain));
        assert_eq!((one.from.note.key().as_str(), one.from.author_name.as_str()), ("12/3f-1", "李雷"));
        // Where authors are hidden no name leaves the table; a note that says nothing is not carried.
        let note = Note { id: "a".into(), text: "词".into(), author_name: "李雷".into(), ..Note::default() };
        assert_eq!(Packed::of(TableId(1), &note, false).map(|packed| packed.from.author_name), Some(String::new()));
        assert_eq!(Packed::of(TableId(1), &Note { text: " \n".into(), ..note }, true), None);
    }

    #[test]
    fn p19_nonsense_on_the_device_is_passed_over_and_the_rest_is_there() {
        let mut bag = Contents::default();
        bag.pack(packed(1, "a", "甲"));
        let good = bag.write();
        for nonsense in
            ["", "null", "{", "[", "3", "\"x\"", "{\"notes\":[]}", "[1,null,[],{}]", &good[..good.len() - 2]]
        {
            assert_eq!(Contents::read(nonsense), Contents::default(), "{nonsense}");
        }
        let entry = good.trim_start_matches('[').trim_end_matches(']').to_owned();
        let long = "长".repeat(limits::TEXT_KEPT as usize + 1);
        let odd = [
            entry.replace("甲", &long),
            entry.replace("甲", "  "),
            entry.replace("\"table\":1", "\"table\":0"),
            entry.replace("\"table\":1", "\"table\":\"1\""),
            entry.replace("\"a\"", "\"\""),
            entry.replace("\"pain\"", "\"other\""),
        ];
        for odd in &odd {
            assert_ne!(*odd, entry);
            let read = Contents::read(&format!("[{odd},{entry}]"));
            assert_eq!(read.notes(), bag.notes(), "{odd:.80}");
        }
        // As long as several people may have written together is carried whole; a name that is none is left out.
        let whole = "长".repeat(limits::TEXT_KEPT as usize);
        assert_eq!(Contents::read(&format!("[{}]", entry.replace("甲", &whole))).notes()[0].text, whole);
        let name = Contents::read(&format!("[{}]", entry.replace("李雷", &"名".repeat(limits::NAME_CHARS + 1))));
        assert_eq!(name.notes()[0].from.author_name, "");
        // More than fit, and the same twice.
        let many: Vec<String> =
            (1..=9).map(|n| entry.replace("\"table\":1", &format!("\"table\":{}", n / 2 + 1))).collect();
        assert_eq!(Contents::read(&format!("[{}]", many.join(","))).notes().len(), limits::BAG_NOTES);
    }
}
