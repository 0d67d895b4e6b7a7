//! The host's handover: three root texts of a table's board, edited through [`TableRoots::handover`] and [`super::text::edit`].

use yrs::{GetString, ReadTxn};

use super::doc::TableRoots;
use super::view::Handover;

/// Reads the three parts.
pub fn read<T: ReadTxn>(txn: &T, roots: &TableRoots) -> Handover {
    Handover {
        so_far: roots.so_far.get_string(txn),
        open: roots.open.get_string(txn),
        build_here: roots.build_here.get_string(txn),
    }
}
