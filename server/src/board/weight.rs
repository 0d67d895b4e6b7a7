//! What a document costs beside its bytes: memory for each of its items, and the stretches of what was deleted, all of which everybody who
//! comes back sends and is sent in one frame.
//!
//! Both are known as *at most so much*, which costs an edit an addition. Where that would be too much the document is gone through and
//! counted: what is typed letter by letter becomes one item, and what is deleted side by side one stretch.

use std::collections::BTreeMap;

use shared::limits;
use shared::wire::scan::{self, ITEM_MEMORY, Placed, Range};
use yrs::{Doc, IdSet, ReadTxn, StateVector, Transact};

/// What must have come since the document was last counted for that to be worth it again: counting goes through all of it.
const WORTH_COUNTING: usize = limits::BOARD_MEMORY / 16;
/// Refusals after which it is counted all the same: something may have been taken away, and how much that was is not known.
const REFUSALS: u32 = 128;

/// The weight of one document.
#[derive(Debug)]
pub(super) struct Weight {
    /// Bytes of memory, at most.
    memory: usize,
    /// The same, when it was last counted.
    counted: usize,
    /// How often there has been no room since then.
    refused: u32,
    deleted: Deleted,
}

/// The stretches of deleted items: of one client, side by side.
#[derive(Debug)]
enum Deleted {
    /// So many at most, and no more than [`limits::DELETIONS_MAX`].
    AtMost(usize),
    /// These. What adds to them must be told from what repeats or lengthens one.
    Exactly(Stretches),
}

impl Weight {
    /// Counts a document.
    pub fn of(doc: &Doc) -> Self {
        let memory = memory_of(doc);
        Self { memory, counted: memory, refused: 0, deleted: Deleted::of(doc) }
    }

    /// Whether there is room for so much more memory, and for what is to be deleted.
    pub fn has_room(&mut self, doc: &Doc, memory: usize, deleted: &[Range]) -> bool {
        self.has_memory(doc, memory) && self.deleted.has_room(doc, deleted)
    }

    fn has_memory(&mut self, doc: &Doc, more: usize) -> bool {
        if more == 0 || self.memory + more <= limits::BOARD_MEMORY {
            return true;
        }
        if self.memory - self.counted >= WORTH_COUNTING || self.refused >= REFUSALS {
            self.memory = memory_of(doc);
            (self.counted, self.refused) = (self.memory, 0);
        }
        let fits = self.memory + more <= limits::BOARD_MEMORY;
        self.refused += u32::from(!fits);
        fits
    }

    /// Notes what was added.
    pub fn grow(&mut self, memory: usize) {
        self.memory += memory;
    }

    /// Notes what was deleted by an update, and by what that deleted. Each stretch may have cut an item at both ends.
    pub fn delete(&mut self, deleted: &IdSet) {
        let stretches: usize = deleted.iter().map(|(_, ranges)| ranges.len()).sum();
        self.memory += 2 * ITEM_MEMORY * stretches;
        match &mut self.deleted {
            Deleted::AtMost(most) => *most += stretches,
            Deleted::Exactly(known) => known.take_in(deleted),
        }
    }

    /// Bytes of memory, at most.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Stretches of deleted items, at most.
    pub fn stretches(&self) -> usize {
        match &self.deleted {
            Deleted::AtMost(most) => *most,
            Deleted::Exactly(known) => known.0.len(),
        }
    }

    /// Whether so many stretches have come to the `before` that there were that the document cannot be kept.
    pub fn is_torn(&mut self, doc: &Doc, before: usize) -> bool {
        if let Deleted::AtMost(most) = self.deleted
            && most > limits::DELETIONS_MAX
        {
            self.deleted = Deleted::of(doc);
        }
        let stretches = self.stretches();
        stretches > limits::DELETIONS_KEPT && stretches > before
    }
}

impl Deleted {
    /// What a document holds. Where there is plenty of room, how many they are is enough.
    fn of(doc: &Doc) -> Self {
        let deleted = doc.transact().snapshot().delete_set;
        match deleted.iter().map(|(_, ranges)| ranges.len()).sum() {
            few if few <= limits::DELETIONS_MAX / 4 * 3 => Self::AtMost(few),
            _ => Self::Exactly(Stretches::of(&deleted)),
        }
    }

    fn has_room(&mut self, doc: &Doc, ranges: &[Range]) -> bool {
        if let Self::AtMost(most) = self {
            if *most + ranges.len() <= limits::DELETIONS_MAX {
                return true;
            }
            // Most of these may be known: clients of other makes answer a Step1 with all that they know to be deleted.
            *self = Self::Exactly(Stretches::of(&doc.transact().snapshot().delete_set));
        }
        let Self::Exactly(known) = self else { return true };
        let more = ranges.iter().filter(|range| !known.touches(range)).count();
        let fits = more == 0 || known.0.len() + more <= limits::DELETIONS_MAX;
        if known.0.len() <= limits::DELETIONS_MAX / 2 {
            *self = Self::AtMost(known.0.len());
        }
        fits
    }
}

/// Stretches of clocks that are neither empty nor side by side: for each client and first clock the clock after the last.
#[derive(Debug, Default)]
struct Stretches(BTreeMap<(u64, u32), u32>);

impl Stretches {
    fn of(deleted: &IdSet) -> Self {
        let mut stretches = Self::default();
        stretches.take_in(deleted);
        stretches
    }

    fn take_in(&mut self, deleted: &IdSet) {
        for (client, ranges) in deleted.iter() {
            ranges.iter().for_each(|range| self.insert(client.get(), range.start, range.end));
        }
    }

    fn insert(&mut self, client: u64, mut start: u32, mut end: u32) {
        while let Some((first, last)) = self.beside(client, start, end) {
            self.0.remove(&(client, first));
            (start, end) = (start.min(first), end.max(last));
        }
        self.0.insert((client, start), end);
    }

    /// A stretch that these clocks overlap or stand beside.
    fn beside(&self, client: u64, start: u32, end: u32) -> Option<(u32, u32)> {
        let (&(_, first), &last) = self.0.range((client, 0)..=(client, end)).next_back()?;
        (last >= start).then_some((first, last))
    }

    fn touches(&self, range: &Range) -> bool {
        self.beside(range.client, range.clock, range.clock.saturating_add(range.len)).is_some()
    }
}

/// Bytes of memory that these items take at most: each may cut those it was put between.
pub(super) fn memory_for<'a>(items: impl Iterator<Item = &'a Placed>) -> usize {
    items.map(|item| ITEM_MEMORY * (1 + usize::from(item.left.is_some()) + usize::from(item.right.is_some()))).sum()
}

fn memory_of(doc: &Doc) -> usize {
    // What was taken can be read. If not, nothing is known to be too much.
    scan::memory(&doc.transact().encode_state_as_update_v1(&StateVector::default())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_join_what_stands_side_by_side() {
        let mut stretches = Stretches::default();
        for (start, end) in [(0, 1), (4, 6), (2, 3), (8, 9)] {
            stretches.insert(7, start, end);
        }
        stretches.insert(8, 1, 2);
        assert_eq!(stretches.0.len(), 5);
        let touches = |client, clock| stretches.touches(&Range { client, clock, len: 1 });
        assert!(touches(7, 0) && touches(7, 1) && touches(7, 3) && touches(7, 7) && touches(8, 0));
        assert!(!touches(7, 10) && !touches(8, 3) && !touches(6, 0) && !touches(9, 0));
        stretches.insert(7, 1, 2);
        assert_eq!(stretches.0.get(&(7, 0)), Some(&3));
        stretches.insert(7, 3, 20);
        assert_eq!(stretches.0.into_iter().collect::<Vec<_>>(), [((7, 0), 20), ((8, 1), 2)]);
    }
}
