//! The notes of one theme, to be read: in the vote, the plan and the review.

use leptos::prelude::*;
use shared::board::view::NoteRef;
use shared::id::{BoardKind, ThemeId};

use crate::i18n::{t_string, use_i18n};
use crate::pages::gallery::Tables;
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
    let tables = Tables::open(cafe);
    let placements = cafe.board(BoardKind::Harvest).placements();
    let notes = Memo::new(move |_| {
        placements.with(|all| all.iter().filter(|(_, t)| *t == theme).map(|(note, _)| note.clone()).collect::<Vec<_>>())
    });
    view! {
        <ul class="theme-list">
            <For each=move || notes.get() key=NoteRef::key let:note>
                <li>
                    {move || {
                        let board = tables.board(note.table)?;
                        // Waits for the note to arrive.
                        board.note_ids().track();
                        Some(view! { <NoteCard board id=note.note.clone() compact=true readonly=true show_table=true /> })
                    }}
                </li>
            </For>
        </ul>
        <Show when=move || notes.with(Vec::is_empty)>
            <Empty text=Signal::derive(move || t_string!(i18n, harvest.theme_without_notes).to_string()) />
        </Show>
    }
}
