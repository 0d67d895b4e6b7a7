//! How far one has to go to put a value under a key.
//!
//! The values of a key stand in a row, each behind the one that it replaced. Where several replaced the same one, Yrs walks along what stands
//! behind that; and to the beginning of the row and back for each that replaced nothing. Here is how long the rows are, which says how far
//! at most.

use std::collections::HashMap;

use shared::wire::scan::{Id, Parent, Placed};

/// The values of all keys of one board, without what they are.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The row of a key.
    rows: HashMap<(Parent, Box<str>), usize>,
    /// How many values a row has, and the longest.
    lengths: Vec<u32>,
    longest: u32,
    /// Each value, by its last clock.
    values: HashMap<Id, Value>,
    /// Values of which it is not known what row they are in: somebody put them behind a part of another one, or behind what is gone.
    strays: u32,
}

#[derive(Debug)]
struct Value {
    row: usize,
    /// Whether another one replaced it.
    replaced: bool,
}

impl Keys {
    /// Takes a value in; gives how many others Yrs walks along to put it where it stands, at most.
    pub fn put(&mut self, item: &Placed) -> u64 {
        let (row, along) = match (item.left, &item.parent, &item.key) {
            (None, Some(parent), Some(key)) => {
                let row = self.row(parent, key);
                // To the beginning, along the row, and to the beginning again.
                (row, 3 * self.length(row))
            }
            (left, ..) => match left.and_then(|left| self.behind(left)) {
                Some(behind) => behind,
                None => {
                    self.strays += 1;
                    return u64::from(self.longest) + u64::from(self.strays);
                }
            },
        };
        self.lengths[row] += 1;
        self.longest = self.longest.max(self.lengths[row]);
        let last = Id { clock: item.end() - 1, ..item.id };
        self.values.insert(last, Value { row, replaced: false });
        along
    }

    /// The row behind a value, and how many stand in the way there.
    fn behind(&mut self, left: Id) -> Option<(usize, u64)> {
        let value = self.values.get_mut(&left)?;
        let (row, forked) = (value.row, std::mem::replace(&mut value.replaced, true));
        Some((row, if forked { self.length(row) } else { 1 }))
    }

    fn row(&mut self, parent: &Parent, key: &str) -> usize {
        let next = self.lengths.len();
        let row = *self.rows.entry((parent.clone(), key.into())).or_insert(next);
        if row == next {
            self.lengths.push(0);
        }
        row
    }

    fn length(&self, row: usize) -> u64 {
        u64::from(self.lengths[row]) + u64::from(self.strays)
    }
}
