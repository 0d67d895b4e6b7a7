//! What people write, as Yjs updates made by hand: a note, then words at its end. A document for each person would cost the generator
//! more than it has; one note is made by one, and serves everybody as a template.

use anyhow::{Context, Result};
use shared::board::doc::{TableRoots, new_doc};
use shared::board::note::{self, NewNote};
use shared::board::view::NoteKind;
use shared::id::NoteId;
use shared::wire::lib0::{Reader, Writer};
use yrs::{GetString, Text, Transact};

/// Letters of one edit, the number of the edit among them.
pub const WORDS: usize = 20;

/// Somebody's place in their own note.
pub struct Pen {
    client: u64,
    /// The clock of the next letter.
    next: u32,
    /// The clock of the letter before it.
    last: u32,
}

/// A new note as an update, to be written in anybody's name: the client and the words in it are replaced where they stand.
pub struct Template {
    client: u64,
    words: String,
    update: Vec<u8>,
    next: u32,
    last: u32,
}

impl Template {
    /// Has Yrs make a note.
    pub fn new(client: u64, words: &str) -> Result<Self> {
        let doc = new_doc(client);
        let roots = TableRoots::of(&doc);
        let id = NoteId(id_of(client));
        let update = {
            let mut txn = doc.transact_mut();
            let new = NewNote {
                id: id.clone(),
                kind: NoteKind::Idea,
                text: words.to_owned(),
                x: 40.0,
                y: 40.0,
                w: 220.0,
                color: 0,
                author: "p1".into(),
                author_name: "Guest".into(),
                round: Some(0),
                created_at: 0,
                builds_on: None,
                from: None,
            };
            note::create(&mut txn, &roots, new);
            txn.encode_update_v1()
        };
        let mut txn = doc.transact_mut();
        let text = note::text_of(&txn, &roots, &id).context("the note's text")?;
        let end = text.get_string(&txn).encode_utf16().count() as u32;
        text.insert(&mut txn, end, "+");
        let (next, last) = place_of(&txn.encode_update_v1()).context("the note's end")?;
        Ok(Self { client, words: words.to_owned(), update, next, last })
    }

    /// A note of somebody's own; returns the update. `words` are as long as the template's.
    pub fn note(&self, client: u64, words: &str) -> Result<(Pen, Vec<u8>)> {
        if written(client).len() != written(self.client).len() || id_of(client).len() != id_of(self.client).len() {
            // The length is part of the format.
            let own = Self::new(client, words)?;
            return Ok((Pen { client, next: own.next, last: own.last }, own.update));
        }
        let update = replace(&self.update, &written(self.client), &written(client));
        let update = replace(&update, id_of(self.client).as_bytes(), id_of(client).as_bytes());
        let update = replace(&update, self.words.as_bytes(), words.as_bytes());
        Ok((Pen { client, next: self.next, last: self.last }, update))
    }
}

fn id_of(client: u64) -> String {
    format!("{client:x}-1")
}

fn written(client: u64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(client);
    writer.into_bytes()
}

fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(old) {
            out.extend_from_slice(new);
            at += old.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

impl Pen {
    /// Adds words, plain ones; returns the update.
    pub fn write(&mut self, words: &str) -> Vec<u8> {
        const TEXT_AFTER: u8 = 0x84;
        let mut update = Writer::new();
        update.var_uint(1).var_uint(1).var_uint(self.client).var_uint(u64::from(self.next)).byte(TEXT_AFTER);
        update.var_uint(self.client).var_uint(u64::from(self.last)).var_string(words).var_uint(0);
        let letters = words.len() as u32;
        self.last = self.next + letters - 1;
        self.next += letters;
        update.into_bytes()
    }
}

/// Clock and origin's clock of the one struct of an update.
fn place_of(update: &[u8]) -> Result<(u32, u32)> {
    let mut reader = Reader::new(update);
    let (_, _, _, clock) = (reader.var_uint()?, reader.var_uint()?, reader.var_uint()?, reader.var_u32()?);
    let (_, _, origin) = (reader.byte()?, reader.var_uint()?, reader.var_u32()?);
    Ok((clock, origin))
}
