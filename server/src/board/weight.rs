//! What a document costs beside its bytes: memory for each of its items.
//!
//! It is known as *at most so much*, which costs an edit an addition. Where that would be too much the document is gone through and counted:
//! what is typed letter by letter becomes one item.

use shared::limits;
use shared::wire::scan::{self, ITEM_MEMORY, Placed, Range};
use yrs::{Doc, IdSet, ReadTxn, StateVector, Transact};

/// What must have come since the document was last counted for that to be worth it again: counting goes through all of it.
const WORTH_COUNTING: usize = limits::BOARD_MEMORY / 16;
/// Refusals after which it is counted all the same: something may have been taken away, and how much that was is not known.
const REFUSALS: u32 = 128;
/// Deleting from the middle of an item cuts it at both ends.
const CUT_MEMORY: usize = 2 * ITEM_MEMORY;

/// The weight of one document, in bytes of memory.
#[derive(Debug)]
pub(super) struct Weight {
    /// At most so many.
    memory: usize,
    /// The same, when it was last counted.
    counted: usize,
    /// How often there has been no room since then.
    refused: u32,
}

impl Weight {
    /// Counts a document.
    pub fn of(doc: &Doc) -> Self {
        let memory = memory_of(doc);
        Self { memory, counted: memory, refused: 0 }
    }

    /// Whether there is room for so much more, and for what is to be deleted.
    pub fn has_room(&mut self, doc: &Doc, more: usize, deleted: &[Range]) -> bool {
        if self.memory + more + CUT_MEMORY * deleted.len() <= limits::BOARD_MEMORY {
            return true;
        }
        // Whoever comes back says all that they know to be deleted; what is gone already cuts nothing.
        let more = more + CUT_MEMORY * new_stretches(doc, deleted);
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

    /// Notes what was deleted by an update, and by what that deleted.
    pub fn delete(&mut self, deleted: &IdSet) {
        let stretches: usize = deleted.iter().map(|(_, ranges)| ranges.len()).sum();
        self.memory += CUT_MEMORY * stretches;
    }

    /// Bytes of memory, at most.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.memory
    }
}

/// How many of these stretches are not deleted yet, as a whole.
fn new_stretches(doc: &Doc, deleted: &[Range]) -> usize {
    if deleted.is_empty() {
        return 0;
    }
    let known = doc.transact().snapshot().delete_set;
    let mut stretches: Vec<(u64, u32, u32)> = known
        .iter()
        .flat_map(|(client, ranges)| ranges.iter().map(|range| (client.get(), range.start, range.end)))
        .collect();
    stretches.sort_unstable();
    let is_gone = |range: &&Range| {
        let before = stretches.partition_point(|(client, start, _)| (*client, *start) <= (range.client, range.clock));
        let last = before.checked_sub(1).and_then(|at| stretches.get(at));
        last.is_some_and(|(client, _, end)| *client == range.client && range.clock.saturating_add(range.len) <= *end)
    };
    deleted.len() - deleted.iter().filter(is_gone).count()
}

/// Bytes of memory that these items take at most: each may cut those it was put between.
pub(super) fn memory_for<'a>(items: impl Iterator<Item = &'a Placed>) -> usize {
    items.map(|item| ITEM_MEMORY * (1 + usize::from(item.left.is_some()) + usize::from(item.right.is_some()))).sum()
}

fn memory_of(doc: &Doc) -> usize {
    // What was taken can be read. If not, nothing is known to be too much.
    scan::memory(&doc.transact().encode_state_as_update_v1(&StateVector::default())).unwrap_or_default()
}
