//! All tables' boards together: what gallery, harvest, plan and review read from.

use leptos::prelude::*;
use shared::board::view::{Note, NoteRef};
use shared::id::{BoardKind, TableId};

use crate::state::board::Board;
use crate::state::cafe::Cafe;

/// The boards of all tables, opened for the component that made this.
#[derive(Clone, Copy)]
pub struct Tables(Memo<Vec<(TableId, Board)>>);

impl Tables {
    /// Opens them.
    pub fn open(cafe: Cafe) -> Self {
        let ids = cafe.memo(|view| view.tables.iter().map(|table| table.id).collect::<Vec<_>>());
        Self(Memo::new(move |_| {
            let ids = ids.get().unwrap_or_default();
            ids.into_iter().map(|id| (id, cafe.board(BoardKind::Table(id)))).collect()
        }))
    }

    /// The board of one table.
    pub fn board(self, table: TableId) -> Option<Board> {
        self.0.with(|all| all.iter().find(|(id, _)| *id == table).map(|(_, board)| *board))
    }

    /// Places of all notes, table by table, in time order.
    pub fn refs(self) -> Memo<Vec<NoteRef>> {
        Memo::new(move |_| {
            self.0.with(|all| {
                let mut refs = Vec::new();
                for (table, board) in all {
                    board.note_ids().with(|ids| {
                        refs.extend(ids.iter().map(|note| NoteRef { table: *table, note: note.clone() }));
                    });
                }
                refs
            })
        })
    }

    /// One note, wherever it lies; waits for its board.
    pub fn note(self, place: &NoteRef) -> Option<Signal<Note>> {
        let board = self.board(place.table)?;
        // The note itself wakes its readers; its arrival is told by the list of ids.
        board.note_ids().track();
        board.note(&place.note)
    }

    /// One note as it is now, without following it.
    pub fn peek(self, place: &NoteRef) -> Option<Note> {
        untrack(|| self.note(place).map(|note| note.get()))
    }
}
