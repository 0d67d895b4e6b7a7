//! One note in the harvest: it can be tapped, dragged, or sent to a theme by its number key.

use leptos::{ev, html, prelude::*};
use shared::board::view::NoteRef;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::drag;
use super::sorting::{Sorting, Target};
use crate::i18n::{t_string, use_i18n};
use crate::ui::icon::Icon;
use crate::ui::note::{NoteCard, quoted};

/// A note among the unplaced ones or in a theme.
#[component]
pub fn PlacedNote(note: NoteRef) -> impl IntoView {
    let sorting = expect_context::<Sorting>();
    let i18n = use_i18n();
    let board = untrack(|| sorting.tables.board(note.table))?;
    let may_sort = sorting.may_sort;
    let card = NodeRef::<html::Div>::new();
    let (id, key) = (note.note.clone(), note.key());
    let note = StoredValue::new(note);
    let is = move |other: &NoteRef| note.with_value(|note| note == other);
    let picked = Memo::new(move |_| sorting.picked.with(|picked| picked.as_ref().is_some_and(is)));
    let dragged =
        Memo::new(move |_| sorting.dragged.with(|dragged| dragged.as_ref().is_some_and(|(note, ..)| is(note))));
    let element = move || card.get_untracked().map(|card| -> Element { (*card).clone().unchecked_into() });
    let pick = move || {
        let next = if picked.get_untracked() { None } else { Some(note.get_value()) };
        sorting.picked.set(next);
    };
    let remember_next = move || {
        if let Some(card) = element() {
            sorting.next.set_value(neighbour(&card, &sorting.followers(&note.get_value())));
        }
    };
    let put = move |act: &dyn Fn(&NoteRef)| {
        remember_next();
        act(&note.get_value());
        focus_next(sorting);
    };
    let key_down = move |event: ev::KeyboardEvent| {
        if !may_sort.get_untracked() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "Enter" | " " => {
                event.prevent_default();
                remember_next();
                pick();
                focus_soon(".pick-theme:enabled");
            }
            "0" | "Backspace" | "Delete" => put(&|note| sorting.put(note, &Target::Nowhere)),
            digit if digit.len() == 1 => {
                if let Ok(n @ 1..=9) = digit.parse::<usize>() {
                    put(&|note| {
                        sorting.put_into_nth(note, n - 1);
                    });
                }
            }
            _ => {}
        }
    };
    let before = board.note(&id).map(|note| quoted(board, note));
    let before = Signal::derive(move || before.and_then(|before| before.get()));
    let label = move || {
        let words = sorting.tables.note(&note.get_value()).map(|n| n.with(|n| n.text.clone())).unwrap_or_default();
        let label =
            t_string!(i18n, harvest.note_label, table = note.with_value(|n| n.table.0), words = words).to_string();
        let label = match before.get() {
            Some(before) => format!("{label} ({} {before})", t_string!(i18n, board.replying)),
            None => label,
        };
        match sorting
            .tables
            .note(&note.get_value())
            .and_then(|n| n.with(|n| n.from.as_ref().map(|from| from.note.table.0)))
        {
            Some(table) => format!("{label} ({})", t_string!(i18n, bag.from_table, n = table)),
            None => label,
        }
    };
    Some(view! {
        <div
            class="placed"
            class:placed-picked=move || picked.get()
            class:placed-dragged=move || dragged.get()
            data-note=key
            node_ref=card
            role=move || may_sort.get().then_some("button")
            tabindex=move || may_sort.get().then_some("0")
            aria-pressed=move || may_sort.get().then(|| if picked.get() { "true" } else { "false" })
            aria-label=move || may_sort.get().then(label)
            on:keydown=key_down
            on:pointerdown=move |event| {
                if let Some(card) = element().filter(|_| may_sort.get_untracked()) {
                    drag::press(sorting, note.get_value(), &card, &event);
                }
            }
            on:pointermove=move |event| {
                if let Some(card) = element() {
                    drag::drag(sorting, &card, &event);
                }
            }
            on:pointercancel=move |_| drag::give_up(sorting)
            on:pointerup=move |_| drag::release(sorting)
            on:click=move |_| {
                if may_sort.get_untracked() && !sorting.swallow.get_value() {
                    sorting.next.set_value(None);
                    pick();
                }
            }
        >
            <NoteCard board id compact=true readonly=true show_table=true />
            <Show when=move || may_sort.get()>
                <span class="placed-grip" data-grip="" aria-hidden="true">
                    <Icon icon=icondata_lu::LuGripVertical />
                </span>
            </Show>
        </div>
    })
}

/// After a note was put away with the keyboard, the next one has the focus; nothing happens for those who use a pointer.
pub fn focus_next(sorting: Sorting) {
    let Some(next) = sorting.next.get_value() else { return };
    sorting.next.set_value(None);
    // Once the page shows the change.
    request_animation_frame(move || {
        let selector = format!("[data-note=\"{}\"]", next.key());
        let found = document().query_selector(&selector).ok().flatten();
        let found = found.or_else(|| document().query_selector(".unplaced .placed").ok().flatten());
        focus(found);
    });
}

fn focus_soon(selector: &'static str) {
    request_animation_frame(move || focus(document().query_selector(selector).ok().flatten()));
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only on an element that is gone.
        let _ = element.focus();
    }
}

/// The note after this one in its list, or the one before; none of those that go along with it.
fn neighbour(card: &Element, followers: &[NoteRef]) -> Option<NoteRef> {
    let note = |element: &Element| NoteRef::parse(&element.get_attribute("data-note")?);
    let stays = |element: &Element| note(element).filter(|note| !followers.contains(note));
    let behind = std::iter::successors(card.next_element_sibling(), Element::next_element_sibling);
    let before = std::iter::successors(card.previous_element_sibling(), Element::previous_element_sibling);
    // The last of its list: somewhere in what is left.
    behind.chain(before).find_map(|element| stays(&element)).or_else(|| note(card))
}
