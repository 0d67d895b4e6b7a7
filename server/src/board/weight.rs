//! What a document costs beside its bytes: memory for each of its items.
//!
//! It is known as *at most so much*, which costs an edit an addition. Where that would be too much the document is gone through and counted:
//! what is typed letter by letter becomes one item.

use shared::limits;
use shared::wire::scan::{self, ITEM_MEMORY, Placed, Range};
use yrs::{Doc, IdSet, ReadTxn, StateVector, Transact};

/// The part of a bound that must have come since the document was last counted for that to be worth it again: counting goes through all
/// of it.
const WORTH_COUNTING: usize = 16;
/// Refusals after which it is counted all the same: something may have been taken away, and how much that was is not known.
const REFUSALS: u32 = 128;
/// What there is beyond the bound for those who only take away: a full board gets emptier by that, though it cuts items at first.
const RESERVE: usize = limits::BOARD_MEMORY / 16;
/// Deleting from the middle of an item cuts it at both ends.
const CUT_MEMORY: usize = 2 * ITEM_MEMORY;

/// Something that a document has at most so much of, which is counted only where that decides.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    at_most: usize,
    /// The same, when it was last counted.
    counted: usize,
    /// How often there has been no room since then.
    refused: u32,
}

impl Gauge {
    /// Nothing was counted yet.
    pub fn estimated(at_most: usize) -> Self {
        Self { at_most, ..Self::default() }
    }

    /// It was counted just now.
    pub fn counted(counted: usize) -> Self {
        Self { at_most: counted, counted, refused: 0 }
    }

    /// Whether there is room for so much more within a bound.
    pub fn has_room(&mut self, more: usize, bound: usize, count: impl FnOnce() -> usize) -> bool {
        if self.at_most + more <= bound {
            return true;
        }
        if self.at_most - self.counted >= bound / WORTH_COUNTING || self.refused >= REFUSALS {
            *self = Self::counted(count());
        }
        let fits = self.at_most + more <= bound;
        self.refused += u32::from(!fits);
        fits
    }

    /// Notes what was added.
    pub fn grow(&mut self, more: usize) {
        self.at_most += more;
    }

    /// How much it is at most.
    pub fn at_most(&self) -> usize {
        self.at_most
    }

    /// How much of that was not counted.
    pub fn uncounted(&self) -> usize {
        self.at_most - self.counted
    }
}

/// The weight of one document, in bytes of memory.
#[derive(Debug)]
pub(super) struct Weight(Gauge);

impl Weight {
    /// Counts a document, encoded as a v1 update.
    pub fn of(state: &[u8]) -> Self {
        Self(Gauge::counted(memory_of(state)))
    }

    /// Whether there is room for so much more, and for what is to be deleted. `gone` is what is deleted, if that is known.
    pub fn has_room(&mut self, doc: &Doc, more: usize, deleted: &[Range], gone: &mut Option<Gone>) -> bool {
        if self.0.at_most + more + memory_of_cuts(deleted, None) <= limits::BOARD_MEMORY {
            return true;
        }
        // Whoever comes back says all that they know to be deleted; what is gone already cuts nothing.
        let gone = gone.get_or_insert_with(|| Gone::of(doc));
        let cuts = memory_of_cuts(deleted, Some(gone));
        let bound = if more == 0 { limits::BOARD_MEMORY + RESERVE } else { limits::BOARD_MEMORY };
        more + cuts == 0 || self.0.has_room(more + cuts, bound, || memory_of(&state_of(doc)))
    }

    /// Items, at most.
    pub fn items(&self) -> u64 {
        (self.0.at_most / ITEM_MEMORY) as u64
    }

    /// Notes what was added.
    pub fn grow(&mut self, memory: usize) {
        self.0.grow(memory);
    }

    /// Notes what was deleted by an update, and by what that deleted.
    pub fn delete(&mut self, deleted: &IdSet) {
        let stretches: usize = deleted.iter().map(|(_, ranges)| ranges.len()).sum();
        self.0.grow(CUT_MEMORY * stretches);
    }

    /// Bytes of memory, at most.
    pub fn memory(&self) -> usize {
        self.0.at_most
    }

    /// How many of them were not counted.
    pub fn uncounted(&self) -> usize {
        self.0.uncounted()
    }
}

/// What is deleted in a document: client, first clock and the one after the last, ascending and apart from one another.
#[derive(Debug)]
pub(super) struct Gone(Vec<(u64, u32, u32)>);

impl Gone {
    /// Goes through a document.
    pub fn of(doc: &Doc) -> Self {
        let known = doc.transact().snapshot().delete_set;
        let mut stretches: Vec<(u64, u32, u32)> = known
            .iter()
            .flat_map(|(client, ranges)| ranges.iter().map(|range| (client.get(), range.start, range.end)))
            .collect();
        stretches.sort_unstable();
        stretches.dedup_by(|(client, start, end), before| {
            let joins = *client == before.0 && *start <= before.2;
            if joins {
                before.2 = before.2.max(*end);
            }
            joins
        });
        Self(stretches)
    }

    /// Whether all of a stretch is deleted.
    pub fn holds(&self, range: &Range) -> bool {
        let before = self.0.partition_point(|(client, start, _)| (*client, *start) <= (range.client, range.clock));
        let last = before.checked_sub(1).and_then(|at| self.0.get(at));
        last.is_some_and(|(client, _, end)| *client == range.client && range.clock.saturating_add(range.len) <= *end)
    }
}

/// Bytes of memory that these items take at most: each may cut those it was put between.
pub(super) fn memory_for<'a>(items: impl Iterator<Item = &'a Placed>) -> usize {
    items.map(|item| ITEM_MEMORY * (1 + usize::from(item.left.is_some()) + usize::from(item.right.is_some()))).sum()
}

/// Bytes of memory that deleting these takes at most. `gone` is what is deleted already, and cuts nothing.
pub(super) fn memory_of_cuts(deleted: &[Range], gone: Option<&Gone>) -> usize {
    CUT_MEMORY * deleted.iter().filter(|range| gone.is_none_or(|gone| !gone.holds(range))).count()
}

/// A document as a v1 update.
pub(super) fn state_of(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

fn memory_of(state: &[u8]) -> usize {
    // What was taken can be read. If not, nothing is known to be too much.
    scan::memory(state).unwrap_or_default()
}
