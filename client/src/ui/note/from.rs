//! Where a note was carried from: "from table 2 · Li", with the table's colour as a dot beside its number.

use leptos::prelude::*;
use shared::board::view::{Note, NoteRef, Origin};

use crate::i18n::{t, t_string, use_i18n};
use crate::ui::table_badge::table_class;

/// Where all boards are read, the notes that others were carried from: a context that pages provide.
#[derive(Clone, Copy)]
pub struct Originals {
    /// The note at a place, as far as it is there; follows it.
    pub note: Callback<NoteRef, Option<Signal<Note>>>,
    /// Shows the table that it lies on; none where the page does not.
    pub show: Option<Callback<NoteRef>>,
}

/// What is known of where a note was carried from.
#[derive(Clone, PartialEq)]
struct Known {
    place: NoteRef,
    /// Who wrote it, where authors are shown.
    author: Option<String>,
    /// It was taken away at its table since.
    gone: bool,
    /// The page can show it.
    there: bool,
}

/// Where a note was carried from; nothing for one that was written where it lies.
#[component]
pub fn FromLine(
    /// The origin as the note says it.
    #[prop(into)]
    from: Signal<Option<Origin>>,
    /// Whether authors are named.
    #[prop(into)]
    named: Signal<bool>,
    /// One press shows the note there, where the page can do so.
    #[prop(optional)]
    leads: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let originals = use_context::<Originals>();
    let known = Memo::new(move |_| {
        let Origin { note: place, author_name } = from.get()?;
        let first = originals.and_then(|originals| originals.note.run(place.clone()));
        // What the note says itself is truer than what its carrier says of it.
        let author = first.map_or(author_name, |first| first.with(|first| first.author_name.clone()));
        let gone = first.is_some_and(|first| first.with(|first| first.deleted));
        Some(Known {
            place,
            author: Some(author).filter(|name| named.get() && !name.is_empty()),
            gone,
            there: first.is_some(),
        })
    });
    move || {
        let Known { place, author, gone, there } = known.get()?;
        let class = table_class(place.table);
        let number = place.table.0;
        let words = view! {
            <span class="note-from-dot" aria-hidden="true"></span>
            <span>
                {move || t_string!(i18n, bag.from_table, n = number).to_string()}
                {author.map(|author| format!(" · {author}"))}
                {gone.then(|| view! { " · " {t!(i18n, bag.taken_off)} })}
            </span>
        };
        let show = originals.and_then(|originals| originals.show).filter(|_| leads && there && !gone);
        let line = match show {
            Some(show) => view! {
                <button type="button" class=format!("note-from note-from-way {class}") on:click=move |_| show.run(place.clone())>
                    {words}
                </button>
            }
            .into_any(),
            None => view! { <span class=format!("note-from {class}")>{words}</span> }.into_any(),
        };
        Some(line)
    }
}
