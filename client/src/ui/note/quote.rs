//! What a note goes on from, quoted small above it where the two do not stand together: "Yes, and" means little without what came before.

use leptos::prelude::*;
use shared::board::view::Note;

use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::ui::icon::Icon;

/// The words that a note goes on from; none if there are none, or they were taken away.
pub fn quoted(board: Board, note: Signal<Note>) -> Memo<Option<String>> {
    Memo::new(move |_| {
        let before = board.note(&note.with(|note| note.builds_on.clone())?)?;
        before.with(|before| {
            let words = before.text.trim();
            (!before.deleted && !words.is_empty()).then(|| words.to_owned())
        })
    })
}

/// The quotation, cut after two lines.
#[component]
pub fn Quote(
    /// See [`quoted`].
    #[prop(into)]
    words: Signal<Option<String>>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        words.get().map(|words| {
            view! {
                <span class="note-quote">
                    <Icon
                        icon=icondata_lu::LuCornerDownRight
                        label=move || t_string!(i18n, board.replying).to_string()
                    />
                    <span class="note-quoted">{words}</span>
                </span>
            }
        })
    }
}
