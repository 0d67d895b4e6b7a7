//! One table's board on the wall: its question, the handover, and its notes with what goes on from them.

use leptos::prelude::*;
use shared::id::{BoardKind, NoteId};
use shared::workshop::view::TableBrief;

use super::Tables;
use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::empty::Empty;
use crate::ui::feel::Feel;
use crate::ui::ink::Drawing;
use crate::ui::note::{NoteCard, Threads};
use crate::ui::table_badge::{TableBadge, table_class};

/// One table's board.
#[component]
pub fn Wall(table: TableBrief) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let board = cafe.board(BoardKind::Table(table.id));
    let id = table.id;
    let loaded = board.loaded();
    let failed = board.failed();
    let count = Memo::new(move |_| board.note_ids().with(Vec::len));
    let question =
        (!table.question.is_empty()).then(|| view! { <p class="quiet small wall-question">{table.question}</p> });
    let topic = table.topic.clone();
    let nothing = move || {
        if failed.with(Option::is_some) {
            t_string!(i18n, board.failed).to_string()
        } else if loaded.get() {
            t_string!(i18n, board.empty_read).to_string()
        } else {
            t_string!(i18n, board.loading).to_string()
        }
    };
    view! {
        <article class=format!("wall {}", table_class(id)) id=format!("wall-{id}") aria-label=topic>
            <header class="wall-head">
                <TableBadge id />
                <div class="wall-titles">
                    <h3>{table.topic}</h3>
                    {question}
                </div>
                <span class="wall-count figures quiet small">
                    {move || loaded.get().then(|| t_string!(i18n, gallery.notes, n = count.get()).to_string())}
                </span>
            </header>
            <Feel table=id />
            <Handover board />
            <BoardNotes board starring=true />
            <Drawing board />
            <Show when=move || count.get() == 0>
                <Empty text=Signal::derive(nothing) />
            </Show>
        </article>
    }
}

/// The host's words, as far as there are any.
#[component]
fn Handover(board: Board) -> impl IntoView {
    let i18n = use_i18n();
    let handover = board.handover();
    move || {
        let words = handover.get();
        let parts = [
            (t_string!(i18n, board.so_far).to_string(), words.so_far),
            (t_string!(i18n, board.open).to_string(), words.open),
            (t_string!(i18n, board.build_here).to_string(), words.build_here),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect();
        (!parts.is_empty()).then(|| {
            let parts = parts.into_iter().map(|(name, text)| {
                view! {
                    <div>
                        <dt>{name}</dt>
                        <dd class="pre">{text}</dd>
                    </div>
                }
            });
            view! { <dl class="wall-handover">{parts.collect_view()}</dl> }
        })
    }
}

/// A board's notes in threads, to be read.
#[component]
pub fn BoardNotes(
    /// A table's board.
    board: Board,
    /// Whether stars can be set where the board allows it.
    #[prop(optional)]
    starring: bool,
    /// A note to be marked and brought into sight.
    #[prop(optional)]
    marked: Option<NoteId>,
) -> impl IntoView {
    let threads = Threads::of_board(board);
    let marked = StoredValue::new(marked);
    view! {
        <ul class="wall-notes">
            <For each=move || threads.with(|threads| threads.roots.clone()) key=Clone::clone let:root>
                {
                    let below = {
                        let root = root.clone();
                        Memo::new(move |_| threads.with(|threads| threads.below(&root).to_vec()))
                    };
                    view! {
                        <WallNote board id=root starring marked>
                            <Show when=move || !below.with(Vec::is_empty)>
                                <ul class="wall-below">
                                    <For each=move || below.get() key=Clone::clone let:id>
                                        <WallNote board id starring marked />
                                    </For>
                                </ul>
                            </Show>
                        </WallNote>
                    }
                }
            </For>
        </ul>
    }
}

#[component]
fn WallNote(
    board: Board,
    id: NoteId,
    starring: bool,
    marked: StoredValue<Option<NoteId>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let is_marked = marked.with_value(|marked| marked.as_ref() == Some(&id));
    let item = NodeRef::<leptos::html::Div>::new();
    if is_marked {
        Effect::new(move || {
            if let Some(item) = item.get() {
                // Once the dialog around it has its size.
                request_animation_frame(move || item.scroll_into_view_with_bool(true));
            }
        });
    }
    view! {
        <li>
            <div class="wall-note" class:wall-marked=is_marked node_ref=item>
                <NoteCard board id readonly=true starring />
            </div>
            {children.map(|children| children())}
        </li>
    }
}

/// The board of the table a note lies on, with the note marked.
#[component]
pub fn BoardWith(
    /// All tables' boards.
    tables: Tables,
    /// Which note.
    place: shared::board::view::NoteRef,
) -> impl IntoView {
    let board = untrack(|| tables.board(place.table));
    board.map(|board| view! { <BoardNotes board marked=place.note /> })
}
