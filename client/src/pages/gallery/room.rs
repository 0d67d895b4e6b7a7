//! All tables' boards together: what gallery, harvest, plan and review read from.

use leptos::prelude::*;
use shared::board::view::{Note, NoteRef};
use shared::id::{BoardKind, TableId};
use shared::workshop::view::TableBrief;

use crate::api;
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::note::Originals;

/// Every table. The view of a large café lists a participant only those nearby; the others are asked for once.
pub fn all_tables(cafe: Cafe) -> Memo<Vec<TableBrief>> {
    let listed = cafe.memo(|view| view.tables.clone());
    let unlisted = cafe.memo(|view| usize::from(view.table_count) > view.tables.len());
    let asked = RwSignal::new(None::<Vec<TableBrief>>);
    Effect::new(move |before: Option<bool>| {
        if before == Some(true) || unlisted.get() != Some(true) {
            return before == Some(true);
        }
        let identity = cafe.identity();
        leptos::task::spawn_local(async move {
            // Without an answer those nearby are shown.
            if let Ok(all) = api::tables(&identity.workshop, &identity.token).await {
                let _ = asked.try_set(Some(all));
            }
        });
        true
    });
    Memo::new(move |_| {
        let listed = listed.get().unwrap_or_default();
        asked.get().filter(|all| all.len() > listed.len()).unwrap_or(listed)
    })
}

/// The boards of all tables, opened for the component that made this.
#[derive(Clone, Copy)]
pub struct Tables {
    /// Every table.
    pub briefs: Memo<Vec<TableBrief>>,
    boards: Memo<Vec<(TableId, Board)>>,
}

impl Tables {
    /// Opens them.
    pub fn open(cafe: Cafe) -> Self {
        let briefs = all_tables(cafe);
        let ids = Memo::new(move |_| briefs.with(|all| all.iter().map(|table| table.id).collect::<Vec<_>>()));
        let boards =
            Memo::new(move |_| ids.get().into_iter().map(|id| (id, cafe.read_board(BoardKind::Table(id)))).collect());
        Self { briefs, boards }
    }

    /// The board of one table.
    pub fn board(self, table: TableId) -> Option<Board> {
        self.boards.with(|all| all.iter().find(|(id, _)| *id == table).map(|(_, board)| *board))
    }

    /// Places of all notes, table by table, in time order.
    pub fn refs(self) -> Memo<Vec<NoteRef>> {
        Memo::new(move |_| {
            self.boards.with(|all| {
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

    /// Lets the cards below say what became of the notes they were carried from; `show` leads there.
    pub fn provide_originals(self, show: Option<Callback<NoteRef>>) {
        provide_context(Originals { note: Callback::new(move |place| self.note(&place)), show });
    }

    /// One note as it is now, without following it.
    pub fn peek(self, place: &NoteRef) -> Option<Note> {
        untrack(|| self.note(place).map(|note| note.get()))
    }
}
