//! The book of what was written: each edit has a number, which stands in its words, and must reach everybody at its table once.

use std::time::Instant;

use super::pen::WORDS;

/// Digits of an edit's number in its words.
const DIGITS: usize = 8;

/// One edit.
pub struct Edit {
    /// When it was to be sent.
    pub due: Instant,
    /// At which table.
    pub table: usize,
    /// The seats that must get it, the author's own among them.
    pub expected: u64,
    /// The seats that may get it or not: they came while it was under way, and find it in the document.
    pub optional: u64,
    /// Those that have got it.
    pub got: u64,
}

/// All edits of one run.
pub struct Ledger {
    edits: Vec<Edit>,
    /// Deliveries that are expected and have not come.
    pub missing: u64,
    /// Deliveries so far.
    pub delivered: u64,
    /// The same edit at the same client again.
    pub twice: u64,
    /// Edits at a client that sits elsewhere.
    pub stray: u64,
    /// Edits from here on are timed.
    timed_from: usize,
    /// Microseconds from when it was due to receipt.
    pub latencies: Vec<u32>,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            edits: Vec::new(),
            missing: 0,
            delivered: 0,
            twice: 0,
            stray: 0,
            timed_from: usize::MAX,
            latencies: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.edits.len()
    }

    pub fn get(&self, number: usize) -> Option<&Edit> {
        self.edits.get(number)
    }

    /// Starts timing with the next edit.
    pub fn time(&mut self) {
        self.timed_from = self.edits.len();
    }

    /// Ends timing: edits from now on do not count.
    pub fn stop_timing(&mut self) {
        self.timed_from = usize::MAX;
    }

    /// Enters an edit; returns its number and its words.
    pub fn enter(&mut self, table: usize, expected: u64, optional: u64, due: Instant) -> (usize, String) {
        let number = self.edits.len();
        self.edits.push(Edit { due, table, expected, optional, got: 0 });
        self.missing += u64::from(expected.count_ones());
        (number, words(number))
    }

    /// Takes an edit for delivered to a seat of a table.
    pub fn deliver(&mut self, number: usize, table: usize, seat: u8, now: Instant) {
        let Some(edit) = self.edits.get_mut(number) else {
            self.stray += 1;
            return;
        };
        let bit = 1_u64 << seat;
        if edit.table == table && edit.optional & bit != 0 {
            return;
        }
        if edit.table != table || edit.expected & bit == 0 {
            self.stray += 1;
        } else if edit.got & bit != 0 {
            self.twice += 1;
        } else {
            edit.got |= bit;
            self.missing -= 1;
            self.delivered += 1;
            if number >= self.timed_from {
                self.latencies
                    .push(u32::try_from(now.saturating_duration_since(edit.due).as_micros()).unwrap_or(u32::MAX));
            }
        }
    }

    /// The numbers of all edits so far, for each of so many tables.
    pub fn by_table(&self, tables: usize) -> Vec<Vec<usize>> {
        let mut by_table = vec![Vec::new(); tables];
        for (number, edit) in self.edits.iter().enumerate() {
            by_table[edit.table].push(number);
        }
        by_table
    }
}

/// The words of an edit: always as long.
pub fn words(number: usize) -> String {
    let mut words = format!("#{number:0DIGITS$x} in good words");
    words.truncate(WORDS);
    words
}

/// The numbers of the edits whose words are in these bytes.
pub fn numbers(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + bytes.get(from..)?.iter().position(|byte| *byte == b'#')? + 1;
            from = at;
            let digits = bytes.get(at..at + DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
            if let Some(number) = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()) {
                from = at + DIGITS;
                return Some(number);
            }
        }
    })
}
