//! A note on the canvas: where it lies, how it is dragged and resized, and what the keys do with it.

use leptos::{ev, html, prelude::*};
use shared::board::view::{Note, NoteKind};
use shared::id::NoteId;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

use super::Cloth;
use super::camera::Area;
use crate::i18n::{t_string, use_i18n};
use crate::platform;
use crate::state::board::Board;
use crate::ui::note::{Desk, NoteCard, Threads};
use crate::ui::note_kind::kind_word;

/// Movement (CSS pixels) below which a press is a press.
const STILL: f64 = 4.0;
/// Milliseconds between two writes while dragging: about fifteen a second.
const WRITE_EVERY: u64 = 66;
/// Narrowest and widest a note may be made.
const WIDTH: (f64, f64) = (160.0, 560.0);
/// What an arrow key moves, in canvas units, and with Shift.
const STEP: (f64, f64) = (12.0, 60.0);

/// What a pointer is doing with a note.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drag {
    pointer: i32,
    /// Where the pointer went down, on the screen.
    from: (f64, f64),
    /// The note's left edge, top edge and width then.
    start: (f64, f64, f64),
    /// At the handle at its side.
    resizing: bool,
    /// Whether it has moved far enough.
    moved: bool,
}

/// One note.
#[component]
pub fn CanvasNote(board: Board, id: NoteId, cloth: Cloth, threads: Memo<Threads>) -> impl IntoView {
    let note = board.note(&id)?;
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let name = id.to_string();
    let counted = id.clone();
    let yes_ands = Memo::new(move |_| threads.with(|threads| threads.answers(&counted)));
    let card_id = id.clone();
    let id = StoredValue::new(id);
    let item = NodeRef::<html::Li>::new();
    let chosen = Memo::new(move |_| cloth.chosen.with(|chosen| chosen.as_ref() == Some(&id.get_value())));
    let editing = Memo::new(move |_| desk.editing.with(|editing| editing.as_ref() == Some(&id.get_value())));
    let lies = Memo::new(move |_| note.with(|note| (note.x, note.y, note.w)));
    // While it is dragged it follows the pointer, whatever the document says meanwhile.
    let held = RwSignal::new(None::<(f64, f64, f64)>);
    let seen = Memo::new(move |_| held.get().unwrap_or_else(|| lies.get()));
    let drag = StoredValue::new(None::<Drag>);
    let written = StoredValue::new(0_u64);

    let write = move |(x, y, w): (f64, f64, f64), resizing: bool| {
        written.set_value(platform::now());
        if resizing {
            board.resize_note(&id.get_value(), w);
        } else {
            board.move_note(&id.get_value(), x, y);
        }
    };
    let down = move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let over =
            |selector: &str| target.as_ref().and_then(|target| target.closest(selector).ok().flatten()).is_some();
        if editing.get_untracked() || over(".note-tool") {
            event.stop_propagation();
            return;
        }
        // Where nothing can be moved, a note is part of the cloth.
        if !board.writable().get_untracked() {
            return;
        }
        event.stop_propagation();
        let resizing = over(".canvas-resize");
        if resizing && let Some(item) = item.get_untracked() {
            let _ = item.set_pointer_capture(event.pointer_id());
        }
        drag.set_value(Some(Drag {
            pointer: event.pointer_id(),
            from: (f64::from(event.client_x()), f64::from(event.client_y())),
            start: lies.get_untracked(),
            resizing,
            moved: false,
        }));
    };
    let go = move |event: PointerEvent| {
        let Some(mut now) = drag.get_value().filter(|drag| drag.pointer == event.pointer_id()) else { return };
        let (dx, dy) = (f64::from(event.client_x()) - now.from.0, f64::from(event.client_y()) - now.from.1);
        if !now.moved {
            if dx.hypot(dy) < STILL {
                return;
            }
            now.moved = true;
            drag.set_value(Some(now));
            cloth.chosen.set(Some(id.get_value()));
            // Only now: a captured pointer would take the press from the buttons inside.
            if let Some(item) = item.get_untracked() {
                let _ = item.set_pointer_capture(now.pointer);
            }
        }
        let zoom = cloth.camera.with_untracked(|camera| camera.zoom);
        let (x, y, w) = now.start;
        let place = if now.resizing {
            (x, y, (w + dx / zoom).clamp(WIDTH.0, WIDTH.1))
        } else {
            (x + dx / zoom, y + dy / zoom, w)
        };
        held.set(Some(place));
        if platform::now().saturating_sub(written.get_value()) >= WRITE_EVERY {
            write(place, now.resizing);
        }
    };
    let up = move |event: PointerEvent| {
        let Some(now) = drag.get_value().filter(|drag| drag.pointer == event.pointer_id()) else { return };
        drag.set_value(None);
        if let Some(place) = held.get_untracked().filter(|_| now.moved) {
            write((place.0.round(), place.1.round(), place.2.round()), now.resizing);
            cloth.dragged.set_value(true);
        }
        held.set(None);
    };
    // Who ends writing with Escape is back at the note.
    Effect::new(move |wrote: Option<bool>| {
        let writes = editing.get();
        if wrote == Some(true) && !writes {
            request_animation_frame(move || {
                let lost = document().active_element().is_none_or(|active| active.tag_name() == "BODY");
                if lost && chosen.try_get_untracked() == Some(true) {
                    focus_grip(
                        item.get_untracked().and_then(|item| item.query_selector(".canvas-grip").ok().flatten()),
                    );
                }
            });
        }
        writes
    });
    let edit = move || {
        if board.writable().get_untracked() {
            cloth.chosen.set(Some(id.get_value()));
            desk.editing.set(Some(id.get_value()));
        }
    };
    let on_keydown = move |event: ev::KeyboardEvent| {
        let (x, y, w) = lies.get_untracked();
        let step = if event.shift_key() { STEP.1 } else { STEP.0 };
        let writable = board.writable().get_untracked();
        let resize = |w: f64| write((x, y, w.clamp(WIDTH.0, WIDTH.1)), true);
        let shift = |dx: f64, dy: f64| {
            write((x + dx, y + dy, w), false);
            cloth.show(board, &id.get_value());
        };
        match event.key().as_str() {
            "Enter" => edit(),
            "Escape" => cloth.chosen.set(None),
            "Delete" | "Backspace" if writable => {
                focus_neighbour(item);
                desk.take_away(board, id.get_value());
            }
            "ArrowLeft" if writable && event.alt_key() => resize(w - step),
            "ArrowRight" if writable && event.alt_key() => resize(w + step),
            "ArrowLeft" if writable => shift(-step, 0.0),
            "ArrowRight" if writable => shift(step, 0.0),
            "ArrowUp" if writable => shift(0.0, -step),
            "ArrowDown" if writable => shift(0.0, step),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let on_reply = Callback::new(move |id: NoteId| {
        if let Some(new) = board.create_note(NoteKind::Idea, "", Some(id), None) {
            cloth.begin(board, desk, new);
        }
    });
    let label = move || {
        let (kind, text) = note.with(|note: &Note| (note.kind, note.text.clone()));
        let kind = kind_word(kind).get();
        let stars = note.with(|note| note.stars.len());
        if stars > 0 {
            t_string!(i18n, board.note_label_stars, kind = kind, text = text, n = stars).to_string()
        } else {
            t_string!(i18n, board.note_label, kind = kind, text = text).to_string()
        }
    };
    let area = move || {
        let (x, y, w) = lies.get_untracked();
        let h = item.get_untracked().map_or(140.0, |item| f64::from(item.offset_height()));
        Area { x, y, w, h }
    };
    Some(view! {
        <li
            class="canvas-note"
            class:canvas-note-chosen=move || chosen.get()
            class:canvas-note-held=move || held.with(Option::is_some)
            class:canvas-note-editing=move || editing.get()
            data-note=name
            node_ref=item
            style:transform=move || {
                let (x, y, _) = seen.get();
                format!("translate({x}px, {y}px)")
            }
            style:width=move || format!("{}px", seen.get().2)
            on:pointerdown=down
            on:pointermove=go
            on:pointerup=up
            on:pointercancel=up
            on:dblclick=move |event| {
                event.stop_propagation();
                edit();
            }
        >
            {move || {
                (!editing.get())
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="canvas-grip"
                                aria-label=label
                                aria-pressed=move || if chosen.get() { "true" } else { "false" }
                                on:click=move |_| {
                                    if !cloth.was_dragged() {
                                        cloth.chosen.set(Some(id.get_value()));
                                    }
                                }
                                on:focus=move |event| {
                                    if focus_is_visible(&event) {
                                        cloth.show_area(area());
                                    }
                                }
                                on:keydown=on_keydown
                            ></button>
                        }
                    })
            }}
            <NoteCard board id=card_id on_reply yes_ands=Signal::derive(move || yes_ands.get()) />
            {move || {
                board.writable().get().then(|| view! { <span class="canvas-resize" aria-hidden="true"></span> })
            }}
        </li>
    })
}

/// Focus that came by keyboard; a press must not move the cloth under the pointer.
fn focus_is_visible(event: &ev::FocusEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|target| target.matches(":focus-visible").unwrap_or(false))
}

/// The focus goes to the note beside one that is about to go.
fn focus_neighbour(item: NodeRef<html::Li>) {
    let Some(item) = item.get_untracked() else { return };
    let neighbour = item.next_element_sibling().or_else(|| item.previous_element_sibling());
    focus_grip(neighbour.and_then(|note| note.query_selector(".canvas-grip").ok().flatten()));
}

fn focus_grip(grip: Option<Element>) {
    if let Some(grip) = grip.and_then(|grip| grip.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = grip.focus();
    }
}
