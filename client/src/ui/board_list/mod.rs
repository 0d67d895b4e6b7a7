//! A table's board as a list to read quickly and to write from with the thumb.

use std::collections::HashSet;

use leptos::{html, prelude::*};
use shared::id::NoteId;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::bag::{BagButton, BagHere};
use crate::ui::composer::Composer;
use crate::ui::empty::Empty;
use crate::ui::icon::Icon;
use crate::ui::ink::Drawing;
use crate::ui::note::{Desk, DeskLayer, NoteCard, Threads, beginning};

/// Nearer to the end than this (CSS pixels) one reads along, and the list follows new notes.
const READING_ALONG: i32 = 160;

/// The notes of a board under one another, "yes, and" below the note it goes on from; and the composer, where one may write.
#[component]
pub fn BoardList(
    /// The table's board.
    board: Board,
    /// Stands above the notes and scrolls with them.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let desk = Desk::provide(cafe);
    let threads = Threads::of_board(board);
    let reply = RwSignal::new(None::<NoteId>);
    let scroller = NodeRef::<html::Div>::new();
    let at_end = RwSignal::new(false);
    let unseen = RwSignal::new(Vec::<NoteId>::new());
    let said = RwSignal::new(String::new());
    let loaded = board.loaded();
    let failed = board.failed();
    let ids = board.note_ids();

    let to_end = move || {
        if let Some(scroller) = scroller.get_untracked() {
            scroller.set_scroll_top(scroller.scroll_height());
        }
        unseen.set(Vec::new());
    };
    let show = move |id: NoteId| {
        request_animation_frame(move || {
            let found = scroller
                .get_untracked()
                .and_then(|scroller| scroller.query_selector(&format!("[data-note=\"{id}\"]")).ok().flatten());
            if let Some(note) = found {
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Nearest);
                note.scroll_into_view_with_scroll_into_view_options(&options);
            }
            unseen.update(|unseen| unseen.retain(|other| *other != id));
        });
    };
    let measure = move || {
        let Some(scroller) = scroller.try_get_untracked().flatten() else { return };
        let left = scroller.scroll_height() - scroller.scroll_top() - scroller.client_height();
        at_end.set(left < READING_ALONG && !is_reading_handover(&scroller));
    };
    // Tells of notes by others: follows them for those who read along, counts them for those who read further up. What was there when one
    // came is no news: everybody begins at the top.
    Effect::new(move |known: Option<Option<HashSet<NoteId>>>| {
        let now = ids.get();
        if !loaded.get() {
            return None;
        }
        let all: HashSet<NoteId> = now.iter().cloned().collect();
        let Some(known) = known.flatten() else {
            request_animation_frame(measure);
            return Some(all);
        };
        let me = desk.me.get_untracked();
        let fresh = now.iter().filter(|id| !known.contains(id)).filter_map(|id| {
            let note = board.note(id)?.get_untracked();
            (Some(&note.author) != me.as_ref()).then_some(note)
        });
        let fresh: Vec<_> = fresh.collect();
        if let Some(last) = fresh.last() {
            let name = match desk.show_authors.get_untracked() {
                Some(true) => last.author_name.clone(),
                _ => t_string!(i18n, board.somebody).to_string(),
            };
            let words = beginning(&last.text);
            // On the canvas a note is there before its first word.
            said.set(if words.is_empty() {
                t_string!(i18n, board.writes, name = name).to_string()
            } else {
                t_string!(i18n, board.added, name = name, words = words).to_string()
            });
            let roots_only = fresh.iter().all(|note| note.builds_on.is_none());
            if at_end.get_untracked() && roots_only {
                request_animation_frame(to_end);
            } else {
                unseen.update(|unseen| unseen.extend(fresh.iter().map(|note| note.id.clone())));
            }
        }
        unseen.update(|unseen| unseen.retain(|id| all.contains(id)));
        Some(all)
    });
    BagHere::on_landed(show);
    let on_scroll = move |_| {
        let Some(scroller) = scroller.get_untracked() else { return };
        measure();
        if unseen.with_untracked(|unseen| !unseen.is_empty()) {
            unseen.update(|unseen| unseen.retain(|id| !is_visible(&scroller, id)));
        }
    };
    let on_reply = Callback::new(move |id: NoteId| reply.set(Some(id)));
    let card = move |id: NoteId| {
        let counted = id.clone();
        let yes_ands = Memo::new(move |_| threads.with(|threads| threads.answers(&counted)));
        view! { <NoteCard board id press_to_edit=true on_reply yes_ands=Signal::derive(move || yes_ands.get()) /> }
    };
    view! {
        <div class="board-list">
            <div
                class="board-list-scroll"
                node_ref=scroller
                on:scroll=on_scroll
                // A press may fold the handover.
                on:click=move |_| request_animation_frame(measure)
                tabindex="0"
                role="region"
                aria-label=move || t_string!(i18n, board.notes).to_string()
            >
                {children.map(|children| children())}
                {move || {
                    failed
                        .get()
                        .map(|_| {
                            view! {
                                <Empty
                                    icon=icondata_lu::LuCircleAlert
                                    text=move || t_string!(i18n, board.failed).to_string()
                                />
                            }
                        })
                }}
                {move || {
                    if failed.get().is_some() {
                        return None;
                    }
                    if !loaded.get() {
                        return Some(view! { <Empty text=move || t_string!(i18n, board.loading).to_string() /> });
                    }
                    ids.with(Vec::is_empty)
                        .then(|| {
                            view! {
                                <Empty text=move || {
                                    if board.writable().get() {
                                        t_string!(i18n, board.empty).to_string()
                                    } else {
                                        t_string!(i18n, board.empty_read).to_string()
                                    }
                                } />
                            }
                        })
                }}
                <ol class="board-threads">
                    <For
                        each=move || threads.with(|threads| threads.roots.clone())
                        key=|id| id.clone()
                        children=move |root| {
                            let name = root.to_string();
                            let below = StoredValue::new(root.clone());
                            view! {
                                <li class="board-thread" data-note=name>
                                    {card(root)}
                                    <ol class="board-answers">
                                        <For
                                            each=move || {
                                                threads.with(|threads| threads.below(&below.get_value()).to_vec())
                                            }
                                            key=|id| id.clone()
                                            children=move |id| {
                                                let name = id.to_string();
                                                view! { <li data-note=name>{card(id)}</li> }
                                            }
                                        />
                                    </ol>
                                </li>
                            }
                        }
                    />
                </ol>
                <Drawing board />
            </div>
            <p class="visually-hidden" aria-live="polite">
                {move || said.get()}
            </p>
            {move || {
                let count = unseen.with(Vec::len);
                (count > 0)
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="board-unseen"
                                on:click=move |_| {
                                    if let Some(id) = unseen.with_untracked(|unseen| unseen.first().cloned()) {
                                        show(id);
                                    }
                                }
                            >
                                <Icon icon=icondata_lu::LuArrowDown />
                                {move || t_string!(i18n, board.new_notes, n = count).to_string()}
                            </button>
                        }
                    })
            }}
            {move || {
                if board.writable().get() && loaded.get() {
                    view! { <Composer board reply on_posted=show /> }.into_any()
                } else if loaded.get() {
                    view! {
                        <div class="board-locked">
                            <Icon icon=icondata_lu::LuLock />
                            <span>{move || t_string!(i18n, board.locked).to_string()}</span>
                            <BagButton />
                        </div>
                    }
                        .into_any()
                } else {
                    ().into_any()
                }
            }}
            <DeskLayer />
        </div>
    }
}

/// Whether an unfolded handover is still in sight: who reads it is not taken away from it.
fn is_reading_handover(scroller: &HtmlElement) -> bool {
    let Some(body) = scroller.query_selector(".handover-body:not([hidden])").ok().flatten() else { return false };
    let scroller: &Element = scroller.unchecked_ref();
    let (frame, body) = (scroller.get_bounding_client_rect(), body.get_bounding_client_rect());
    body.height() > 0.0 && body.bottom() > frame.top()
}

fn is_visible(scroller: &HtmlElement, id: &NoteId) -> bool {
    let Some(note) = scroller.query_selector(&format!("[data-note=\"{id}\"]")).ok().flatten() else { return false };
    let scroller: &Element = scroller.unchecked_ref();
    let (frame, note) = (scroller.get_bounding_client_rect(), note.get_bounding_client_rect());
    note.top() < frame.bottom() - 24.0 && note.bottom() > frame.top()
}
