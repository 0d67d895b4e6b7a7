//! The notes of one theme, to be read: in the vote, the plan and the review.

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::{BoardKind, ThemeId};

use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::empty::Empty;
use crate::ui::note::NoteCard;

/// Notes of a theme with their tables, rounds and authors.
#[component]
pub fn ThemeNotes(
    /// Which theme.
    theme: ThemeId,
) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let placements = cafe.board(BoardKind::Harvest).placements();
    let notes = Memo::new(move |_| {
        placements.with(|all| all.iter().filter(|(_, t)| *t == theme).map(|(note, _)| note.clone()).collect::<Vec<_>>())
    });
    view! {
        <ul class="theme-list">
            <For each=move || notes.get() key=NoteRef::key let:note>
                <li>
                    {
                        let board = cafe.read_board(BoardKind::Table(note.table));
                        let id = note.note.clone();
                        // Waits for the note to arrive.
                        let there = Memo::new(move |_| board.note_ids().with(|ids| ids.contains(&id)));
                        move || {
                            there
                                .get()
                                .then(|| {
                                    view! {
                                        <NoteCard board id=note.note.clone() compact=true readonly=true show_table=true />
                                    }
                                })
                        }
                    }
                </li>
            </For>
        </ul>
        <Show when=move || notes.with(Vec::is_empty)>
            <Empty text=Signal::derive(move || t_string!(i18n, harvest.theme_without_notes).to_string()) />
        </Show>
    }
}
