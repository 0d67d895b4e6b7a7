//! Dragging a note onto a theme, with a mouse or a finger.

use leptos::{ev::PointerEvent, prelude::*};
use shared::board::view::NoteRef;
use shared::id::ThemeId;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::sorting::{Sorting, Target};
use crate::ui::note::NoteCard;

/// CSS pixels a pointer may tremble before it counts as dragging.
const SLACK: f64 = 6.0;
/// CSS pixels from the window's edge at which the page scrolls along, and how far at a time.
const EDGE: f64 = 72.0;
const STEP: f64 = 18.0;

/// A pointer that went down on a note.
#[derive(Clone, Debug)]
pub struct Press {
    note: NoteRef,
    /// Where it went down.
    x: f64,
    y: f64,
    /// The same within the card, and the card's width.
    within: (f64, f64),
    width: f64,
}

/// The pointer goes down: with a mouse anywhere on the card, with a finger on its grip (elsewhere a finger scrolls).
pub fn press(sorting: Sorting, note: NoteRef, card: &Element, event: &PointerEvent) {
    sorting.swallow.set_value(false);
    let on_grip = element(event).is_some_and(|e| e.closest("[data-grip]").ok().flatten().is_some());
    if event.button() != 0 || (event.pointer_type() != "mouse" && !on_grip) {
        return;
    }
    let (x, y) = place(event);
    let card = card.get_bounding_client_rect();
    let within = (x - card.left(), y - card.top());
    sorting.press.set_value(Some(Press { note, x, y, within, width: card.width() }));
}

/// The pointer moves.
pub fn drag(sorting: Sorting, card: &Element, event: &PointerEvent) {
    let Some(press) = sorting.press.get_value() else { return };
    let (x, y) = place(event);
    if sorting.dragged.with_untracked(Option::is_none) {
        if (x - press.x).hypot(y - press.y) < SLACK {
            return;
        }
        // Without capture the drag ends at the card's edge; browsers that refuse it still drag, only less well.
        let _ = card.set_pointer_capture(event.pointer_id());
        sorting.picked.set(None);
    }
    event.prevent_default();
    sorting.dragged.set(Some((press.note, x - press.within.0, y - press.within.1)));
    let over = target_at(x, y);
    if sorting.over.with_untracked(|before| *before != over) {
        sorting.over.set(over);
    }
    scroll_along(card, x, y);
}

/// The pointer goes up: the note goes where it is.
pub fn release(sorting: Sorting) {
    let dragged = sorting.dragged.get_untracked();
    let target = sorting.over.get_untracked();
    sorting.swallow.set_value(dragged.is_some());
    give_up(sorting);
    if let Some(((note, ..), target)) = dragged.zip(target) {
        sorting.put(&note, &target);
    }
}

/// The drag is given up; the note stays where it was.
pub fn give_up(sorting: Sorting) {
    sorting.press.set_value(None);
    if sorting.dragged.with_untracked(Option::is_some) {
        sorting.dragged.set(None);
        sorting.over.set(None);
    }
}

/// The note under the pointer while it is dragged: above everything, whatever its list clips.
#[component]
pub fn Ghost() -> impl IntoView {
    let sorting = expect_context::<Sorting>();
    let note = Memo::new(move |_| sorting.dragged.with(|dragged| dragged.as_ref().map(|(note, ..)| note.clone())));
    let at = move |pick: fn(&(NoteRef, f64, f64)) -> f64| {
        move || sorting.dragged.with(|dragged| dragged.as_ref().map(|dragged| format!("{}px", pick(dragged))))
    };
    move || {
        let note = note.get()?;
        let board = sorting.tables.board(note.table)?;
        let width = sorting.press.with_value(|press| press.as_ref().map(|press| format!("{}px", press.width)));
        Some(view! {
            <div
                class="drag-ghost"
                aria-hidden="true"
                style:left=at(|dragged| dragged.1)
                style:top=at(|dragged| dragged.2)
                style:width=width
            >
                <NoteCard board id=note.note compact=true readonly=true show_table=true />
            </div>
        })
    }
}

fn place(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}

fn element(event: &PointerEvent) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Near an edge, what lies beyond comes nearer: the page up and down, the row of themes left and right.
fn scroll_along(card: &Element, x: f64, y: f64) {
    let size = |side: Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue>| side.ok().and_then(|side| side.as_f64());
    let down = step(y, 0.0, size(window().inner_height()).unwrap_or(f64::MAX));
    if down != 0.0 {
        match card.closest(".cafe-scroll").ok().flatten() {
            Some(page) => page.set_scroll_top(page.scroll_top() + down as i32),
            None => window().scroll_by_with_x_and_y(0.0, down),
        }
    }
    if let Ok(Some(row)) = document().query_selector(".harvest-themes") {
        let place = row.get_bounding_client_rect();
        if x > place.left() {
            row.set_scroll_left(row.scroll_left() + step(x, place.left(), place.right()) as i32);
        }
    }
}

/// How far to scroll when the pointer is at `at` between two edges.
fn step(at: f64, from: f64, to: f64) -> f64 {
    if at < from + EDGE {
        -STEP
    } else if at > to - EDGE {
        STEP
    } else {
        0.0
    }
}

/// What lies below a point of the window. The ghost lets the pointer through (see its style).
fn target_at(x: f64, y: f64) -> Option<Target> {
    let element = document().element_from_point(x as f32, y as f32)?.closest("[data-drop]").ok().flatten()?;
    Some(match element.get_attribute("data-drop")?.as_str() {
        "nowhere" => Target::Nowhere,
        "new" => Target::New,
        theme => Target::Theme(ThemeId::from(theme)),
    })
}
