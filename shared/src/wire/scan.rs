//! A look at the bytes of a Yjs update (v1) before Yrs sees them, and whose edits it holds.
//!
//! Yrs trusts what it decodes: a few bytes can make it reserve half a gigabyte, and deep nesting overflows its stack, which ends the
//! process. So every number is first checked against what the rest of the bytes could hold. The scan is about safety, not about
//! permission: whether an update's authors may write, and whether it joins what is known, is for the one who applies it, by means of
//! [`Checked`].
//!
//! It accepts what Yjs 13 and Yrs write for maps, texts, arrays, formats, embeds, deletions, GC and Skip. It refuses XML types and
//! subdocuments, which boards do not have, and the JSON content that Yjs no longer writes and Yrs misreads.

use std::collections::HashMap;

use yrs::Update;
use yrs::updates::decoder::Decode;

use super::lib0::ReadError;
use read::{Walked, walk, walk_whole};

mod part;
mod read;

pub use part::{Part, part};

/// Bytes of memory that an item takes in Yrs, however short it is: measured 200 to 300, most of them for its neighbours and what it was written
/// between.
pub const ITEM_MEMORY: usize = 256;

/// The update is not one that may reach Yrs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The bytes break off, or a number or text in them is malformed.
    #[error("malformed update: {0}")]
    Malformed(#[from] ReadError),
    /// A count larger than what the remaining bytes could hold.
    #[error("count exceeds the update's length")]
    Count,
    /// A client id of 2^53 or more.
    #[error("client id out of range")]
    Client,
    /// A clock of 2^31 or more, or a reference of a client to its own future.
    #[error("clock out of range")]
    Clock,
    /// A client that is listed twice, or with nothing of its own.
    #[error("client listed twice or without structs")]
    Section,
    /// A struct of length 0 where there must not be one, or deletions out of order.
    #[error("range empty or out of order")]
    Range,
    /// Content that boards do not have, with its reference number.
    #[error("unsupported content {0}")]
    Content(u8),
    /// A shared type that boards do not have, with its reference number.
    #[error("unsupported type {0}")]
    Type(u8),
    /// Values or shared types nested too deep.
    #[error("nested too deep")]
    Depth,
    /// A key or a value longer than its limit.
    #[error("{0} too long")]
    TooLong(&'static str),
    /// Bytes are left over after the update.
    #[error("bytes after the end of the update")]
    Trailing,
    /// Yrs refused it all the same.
    #[error("not an update: {0}")]
    Refused(String),
}

/// Clocks `clock` to `clock + len - 1` of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The client id.
    pub client: u64,
    /// The first clock.
    pub clock: u32,
    /// How many; at least 1.
    pub len: u32,
}

/// An update that passed, decoded, with what must be known of it before it is applied.
#[derive(Debug)]
pub struct Checked {
    /// To be applied.
    pub update: Update,
    /// What it inserts, what has been deleted since included, ascending: all of its authors.
    pub inserted: Vec<Range>,
    /// What it deletes, ascending.
    pub deleted: Vec<Range>,
    /// For each client whose structs it refers to without bringing them: the highest such clock.
    pub needs: Vec<(u64, u32)>,
    /// The shared types it brings.
    pub types: Vec<SharedType>,
    /// Whether it puts a shared type into one that it does not bring, or beside something there. How deep such a one lies cannot be
    /// told from the bytes.
    pub lazy: bool,
    /// Where it puts its items: those of one client stand together, with ascending clocks.
    pub items: Vec<Placed>,
    /// Bytes of memory that its shared types and values take, about, beside [`ITEM_MEMORY`] for each item. A few bytes of an update can be
    /// many values.
    pub content: usize,
}

/// A shared type that an update brings: a note, its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedType {
    /// Whose.
    pub client: u64,
    /// Its clock.
    pub clock: u32,
    /// Whether it lies in a root type: an element of the board.
    pub at_root: bool,
}

/// One clock of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The client id.
    pub client: u64,
    /// The clock.
    pub clock: u32,
}

/// What an item is put into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parent {
    /// The root type of this name.
    Root(Box<str>),
    /// The shared type that is this item.
    In(Id),
}

/// Where an update puts an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its first clock.
    pub id: Id,
    /// How many clocks it takes; at least 1.
    pub len: u32,
    /// What it was put behind.
    pub left: Option<Id>,
    /// What it was put before.
    pub right: Option<Id>,
    /// What it was put into; with a neighbour nothing: there it is where this one is.
    pub parent: Option<Parent>,
    /// The key whose value it is; `None` in a sequence. With a neighbour it is what this one is.
    pub key: Option<Box<str>>,
}

impl Placed {
    /// The clock after its last.
    pub fn end(&self) -> u32 {
        self.id.clock + self.len
    }
}

impl Checked {
    /// Whether everything that the update builds on is there, where `known` tells how many clocks of a client are. If not, Yrs would
    /// keep a part of it aside, in memory and out of sight.
    pub fn joins(&self, known: impl Fn(u64) -> u32) -> bool {
        let mut ends = HashMap::new();
        for range in &self.inserted {
            let end = ends.entry(range.client).or_insert_with(|| known(range.client));
            if range.clock > *end {
                return false;
            }
            *end = (*end).max(range.clock + range.len);
        }
        let end_of = |client| ends.get(&client).copied().unwrap_or_else(|| known(client));
        self.needs.iter().all(|&(client, clock)| clock < end_of(client))
            && self.deleted.iter().all(|range| range.clock + range.len <= end_of(range.client))
    }
}

/// Whether an update may be given to Yrs.
pub fn scan(update: &[u8]) -> Result<(), ScanError> {
    walk(update).map(|_| ())
}

/// Where the items of a whole document are that was made of updates which passed.
pub fn items(state: &[u8]) -> Result<Vec<Placed>, ScanError> {
    Ok(walk_whole(state, false)?.items)
}

/// Whether a whole document that was made of updates which passed holds values that are bytes (`Uint8Array`).
pub fn holds_binary(state: &[u8]) -> Result<bool, ScanError> {
    Ok(walk_whole(state, true)?.binary)
}

/// Bytes of memory that the items of a whole document take, about, beside its words.
pub fn memory(state: &[u8]) -> Result<usize, ScanError> {
    let structs = walk_whole(state, true)?;
    Ok(structs.count * ITEM_MEMORY + structs.content)
}

/// Scans and decodes an update.
pub fn check(update: &[u8]) -> Result<Checked, ScanError> {
    let Walked { needs, types, lazy, items, content } = walk(update)?;
    let update = Update::decode_v1(update).map_err(|e| ScanError::Refused(e.to_string()))?;
    let inserted = ranges(&update.insertions(true));
    let deleted = ranges(update.delete_set());
    Ok(Checked { update, inserted, deleted, needs, types, lazy, items, content })
}

/// Whose structs an update inserts: ascending ranges of clocks, those deleted since included.
pub fn authors(update: &[u8]) -> Result<Vec<Range>, ScanError> {
    check(update).map(|checked| checked.inserted)
}

/// What an update deletes: ascending ranges of clocks.
pub fn deletions(update: &[u8]) -> Result<Vec<Range>, ScanError> {
    check(update).map(|checked| checked.deleted)
}

fn ranges(set: &yrs::IdSet) -> Vec<Range> {
    set.iter()
        .flat_map(|(client, ranges)| {
            ranges
                .iter()
                .map(|range| Range { client: client.get(), clock: range.start, len: range.end - range.start })
                .collect::<Vec<_>>()
        })
        .filter(|range| range.len > 0)
        .collect()
}

#[cfg(test)]
mod tests;
