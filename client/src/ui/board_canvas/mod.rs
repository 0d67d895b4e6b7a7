//! A table's board as a tablecloth with notes on it, to be written on together. Works with mouse, fingers and keys.

mod camera;
mod item;
mod tools;

use std::collections::HashMap;

use leptos::{ev, html, prelude::*};
use shared::board::view::NoteKind;
use shared::id::NoteId;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, PointerEvent};

use self::camera::{Area, Camera};
use self::item::CanvasNote;
use self::tools::Tools;
use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use crate::state::cafe::Cafe;
use crate::ui::bag::BagHere;
use crate::ui::empty::Empty;
use crate::ui::ink::{self, Hand, Ink};
use crate::ui::note::{Desk, DeskLayer, Threads};

/// Width and height of a new note.
const NEW: (f64, f64) = (220.0, 140.0);
/// What the bar covers at the lower edge.
const BAR: f64 = 72.0;
/// Where lines between notes meet them, from the top.
const KNOT: f64 = 44.0;

/// What the parts of one canvas share.
#[derive(Clone, Copy)]
pub struct Cloth {
    /// What is seen.
    camera: RwSignal<Camera>,
    /// The note that is chosen.
    chosen: RwSignal<Option<NoteId>>,
    stage: NodeRef<html::Div>,
    /// Who draws on it.
    hand: Hand,
    /// A drag has just ended; the click that follows is none.
    dragged: StoredValue<bool>,
}

impl Cloth {
    fn size(self) -> (f64, f64) {
        self.stage
            .get_untracked()
            .map_or((800.0, 600.0), |stage| (f64::from(stage.client_width()), f64::from(stage.client_height())))
    }

    /// A screen position from the canvas's corner.
    fn on_stage(self, x: i32, y: i32) -> (f64, f64) {
        let corner = self.stage.get_untracked().map(|stage| {
            let stage: &Element = stage.as_ref();
            stage.get_bounding_client_rect()
        });
        corner
            .map_or((f64::from(x), f64::from(y)), |corner| (f64::from(x) - corner.left(), f64::from(y) - corner.top()))
    }

    fn zoom_by(self, factor: f64) {
        let (w, h) = self.size();
        self.camera.update(|camera| *camera = camera.zoomed(factor, w / 2.0, h / 2.0));
    }

    /// Shows all notes, and all that was drawn.
    fn fit(self, board: Board) {
        let (w, h) = self.size();
        let mut areas = self.areas(board);
        areas.extend(untrack(|| ink::area(board)).map(|(x, y, w, h)| Area { x, y, w, h }));
        self.camera.set(Camera::fitting(&areas, w, h - BAR));
    }

    /// Where all notes lie.
    fn areas(self, board: Board) -> Vec<Area> {
        let heights = self.heights();
        board.note_ids().with_untracked(|ids| {
            ids.iter()
                .filter_map(|id| {
                    let (x, y, w) = board.note(id)?.with_untracked(|note| (note.x, note.y, note.w));
                    Some(Area { x, y, w, h: heights.get(id.as_str()).copied().unwrap_or(NEW.1) })
                })
                .collect()
        })
    }

    fn heights(self) -> HashMap<String, f64> {
        let mut heights = HashMap::new();
        let Some(stage) = self.stage.get_untracked() else { return heights };
        let Ok(notes) = stage.query_selector_all(".canvas-note") else { return heights };
        for index in 0..notes.length() {
            let note = notes.item(index).and_then(|note| note.dyn_into::<HtmlElement>().ok());
            if let Some((note, id)) = note.and_then(|note| note.get_attribute("data-note").map(|id| (note, id))) {
                heights.insert(id, f64::from(note.offset_height()));
            }
        }
        heights
    }

    fn show_area(self, area: Area) {
        let (w, h) = self.size();
        self.camera.update(|camera| *camera = camera.showing(area, w, h - BAR));
    }

    fn show(self, board: Board, id: &NoteId) {
        if let Some((x, y, w)) = board.note(id).map(|note| note.with_untracked(|note| (note.x, note.y, note.w))) {
            self.show_area(Area { x, y, w, h: 160.0 });
        }
    }

    /// A free place as near as possible to the middle of what is seen.
    fn free_middle(self, board: Board) -> (f64, f64) {
        let (w, h) = self.size();
        let (x, y) = self.camera.get_untracked().to_cloth(w / 2.0, (h - BAR) / 2.0);
        let wanted = Area { x: (x - NEW.0 / 2.0).round(), y: (y - NEW.1 / 2.0).round(), w: NEW.0, h: NEW.1 };
        camera::free_near(&self.areas(board), wanted)
    }

    /// Begins writing in a note that was just made.
    fn begin(self, board: Board, desk: Desk, id: NoteId) {
        self.show(board, &id);
        self.chosen.set(Some(id.clone()));
        desk.editing.set(Some(id));
    }

    fn was_dragged(self) -> bool {
        self.dragged.try_update_value(std::mem::take).unwrap_or(false)
    }
}

/// The canvas of a board. It fills what it stands in.
#[component]
pub fn BoardCanvas(
    /// The table's board.
    board: Board,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let desk = Desk::provide(cafe);
    let stage = NodeRef::<html::Div>::new();
    let cloth = Cloth {
        camera: RwSignal::new(Camera { x: 32.0, y: 32.0, zoom: 1.0 }),
        chosen: RwSignal::new(None),
        stage,
        hand: Hand::default(),
        dragged: StoredValue::new(false),
    };
    let hand = cloth.hand;
    // A cloth that is locked meanwhile is not drawn on.
    Effect::new(move || {
        if !board.writable().get() {
            hand.put_away();
        }
    });
    let threads = Threads::of_board(board);
    let ids = board.note_ids();
    let loaded = board.loaded();
    let failed = board.failed();
    let pointers = StoredValue::new(HashMap::<i32, (f64, f64)>::new());
    let panning = RwSignal::new(false);

    Effect::new(move |fitted: Option<bool>| {
        // Nothing moves under a hand that draws.
        if fitted == Some(true) || hand.tool.with(Option::is_some) {
            return true;
        }
        if stage.get().is_none() || !loaded.get() || (ids.with(Vec::is_empty) && ink::area(board).is_none()) {
            return false;
        }
        // Once the notes are laid out and have a height.
        request_animation_frame(move || cloth.fit(board));
        true
    });

    BagHere::on_landed(move |id| {
        cloth.show(board, &id);
        cloth.chosen.set(Some(id));
    });
    let down = move |event: PointerEvent| {
        if event.button() > 1 {
            return;
        }
        let at = cloth.on_stage(event.client_x(), event.client_y());
        pointers.update_value(|pointers| {
            pointers.insert(event.pointer_id(), at);
        });
        if let Some(stage) = stage.get_untracked() {
            let _ = stage.set_pointer_capture(event.pointer_id());
        }
        cloth.dragged.set_value(false);
        if hand.is_busy() {
            let fingers = pointers.with_value(HashMap::len);
            if fingers == 1 && event.button() == 0 {
                let camera = cloth.camera.get_untracked();
                return hand.begin(board, camera.to_cloth(at.0, at.1), camera.zoom);
            }
            // Two fingers move the cloth, also with the pen in the hand.
            hand.cancel();
        }
        panning.set(true);
        cloth.chosen.set(None);
        // Ends writing, as a press beside a note should.
        if let Some(active) = document().active_element().and_then(|active| active.dyn_into::<HtmlElement>().ok()) {
            let _ = active.blur();
        }
    };
    let go = move |event: PointerEvent| {
        let now = cloth.on_stage(event.client_x(), event.client_y());
        let id = event.pointer_id();
        let Some(before) = pointers.with_value(|pointers| pointers.get(&id).copied()) else { return };
        let other = pointers.with_value(|pointers| pointers.iter().find(|(other, _)| **other != id).map(|(_, at)| *at));
        pointers.update_value(|pointers| {
            pointers.insert(id, now);
        });
        if hand.is_busy() && other.is_none() && !panning.get_untracked() {
            let camera = cloth.camera.get_untracked();
            return hand.go(board, camera.to_cloth(now.0, now.1), camera.zoom);
        }
        cloth.camera.update(|camera| {
            *camera = match other {
                None => camera.panned(now.0 - before.0, now.1 - before.1),
                // Two fingers: what was between them stays between them.
                Some(other) => {
                    let apart = |a: (f64, f64)| (a.0 - other.0).hypot(a.1 - other.1).max(1.0);
                    let (x, y) = ((now.0 + other.0) / 2.0, (now.1 + other.1) / 2.0);
                    let moved = camera.panned((now.0 - before.0) / 2.0, (now.1 - before.1) / 2.0);
                    moved.zoomed(apart(now) / apart(before), x, y)
                }
            };
        });
    };
    let up = move |event: PointerEvent| {
        pointers.update_value(|pointers| {
            pointers.remove(&event.pointer_id());
        });
        hand.end(board, cloth.camera.with_untracked(|camera| camera.zoom));
        if pointers.with_value(HashMap::is_empty) {
            panning.set(false);
        }
    };
    let on_wheel = move |event: ev::WheelEvent| {
        event.prevent_default();
        // Lines and pages become pixels.
        let unit = match event.delta_mode() {
            0 => 1.0,
            1 => 24.0,
            _ => 400.0,
        };
        let (dx, dy) = (event.delta_x() * unit, event.delta_y() * unit);
        let (x, y) = cloth.on_stage(event.client_x(), event.client_y());
        cloth.camera.update(|camera| {
            *camera = if event.ctrl_key() || event.meta_key() {
                camera.zoomed((-dy.clamp(-60.0, 60.0) * 0.006).exp(), x, y)
            } else if event.shift_key() && dx == 0.0 {
                camera.panned(-dy, 0.0)
            } else {
                camera.panned(-dx, -dy)
            };
        });
    };
    let on_dblclick = move |event: ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if hand.is_busy() || target.is_some_and(|target| target.closest(".canvas-tools").ok().flatten().is_some()) {
            return;
        }
        let (x, y) = cloth.on_stage(event.client_x(), event.client_y());
        let (x, y) = cloth.camera.get_untracked().to_cloth(x, y);
        if let Some(id) = board.create_note(NoteKind::Idea, "", None, Some((x.round() - 24.0, y.round() - 24.0))) {
            cloth.begin(board, desk, id);
        }
    };
    let on_keydown = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && hand.is_busy() {
            return hand.put_away();
        }
        if !(event.ctrl_key() || event.meta_key()) {
            return;
        }
        match event.key().as_str() {
            "z" | "Z" if event.shift_key() => board.redo(),
            "z" => board.undo(),
            "y" => board.redo(),
            "=" | "+" => cloth.zoom_by(1.25),
            "-" => cloth.zoom_by(0.8),
            "0" => cloth.fit(board),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div
            class="canvas"
            class:canvas-panning=move || panning.get()
            class:canvas-drawing=move || hand.tool.with(Option::is_some)
            role="region"
            aria-label=move || t_string!(i18n, board.canvas).to_string()
            aria-describedby="canvas-help"
            on:keydown=on_keydown
        >
            <p id="canvas-help" class="visually-hidden">
                {move || t_string!(i18n, board.canvas_help).to_string()}
            </p>
            <div
                class="canvas-stage"
                node_ref=stage
                on:pointerdown=down
                // Focus stays in the bar of pens, and with it the keys: to undo, and to put the pen away.
                on:mousedown=move |event: ev::MouseEvent| {
                    if hand.is_busy() {
                        event.prevent_default();
                    }
                }
                on:pointermove=go
                on:pointerup=up
                on:pointercancel=up
                on:wheel=on_wheel
                on:dblclick=on_dblclick
                // The focus may scroll even what cannot be scrolled; the camera alone says what is seen.
                on:scroll=move |_| {
                    if let Some(stage) = stage.get_untracked() {
                        stage.set_scroll_top(0);
                        stage.set_scroll_left(0);
                    }
                }
            >
                <div
                    class="canvas-world"
                    style:transform=move || {
                        let Camera { x, y, zoom } = cloth.camera.get();
                        format!("translate({x}px, {y}px) scale({zoom})")
                    }
                >
                    <Ink board hand />
                    <svg class="canvas-lines" aria-hidden="true">
                        <For
                            each=move || ids.get()
                            key=|id| id.clone()
                            children=move |id| view! { <Line board id threads /> }
                        />
                    </svg>
                    <ol class="canvas-notes" aria-label=move || t_string!(i18n, board.notes).to_string()>
                        <For
                            each=move || ids.get()
                            key=|id| id.clone()
                            children=move |id| view! { <CanvasNote board id cloth threads /> }
                        />
                    </ol>
                </div>
            </div>
            {move || {
                let words = if failed.get().is_some() {
                    t_string!(i18n, board.failed).to_string()
                } else if !loaded.get() {
                    t_string!(i18n, board.loading).to_string()
                } else if !ids.with(Vec::is_empty) || board.strokes().with(|strokes| !strokes.is_empty())
                    || hand.tool.with(Option::is_some)
                {
                    return None;
                } else if board.writable().get() {
                    t_string!(i18n, board.empty_canvas).to_string()
                } else {
                    t_string!(i18n, board.empty_read).to_string()
                };
                Some(view! { <div class="canvas-empty"><Empty text=words /></div> })
            }}
            {move || {
                hand.full
                    .get()
                    .then(|| view! { <p class="canvas-full" role="status">{move || t_string!(i18n, board.cloth_full).to_string()}</p> })
            }}
            <Tools board cloth />
            <DeskLayer />
        </div>
    }
}

/// From a note to the one it builds on. It runs below the notes, so their heights do not matter.
#[component]
fn Line(board: Board, id: NoteId, threads: Memo<Threads>) -> impl IntoView {
    let note = board.note(&id)?;
    let on = note.with_untracked(|note| note.builds_on.clone())?;
    let end = |note: Signal<shared::board::view::Note>| {
        Memo::new(move |_| note.with(|note| (note.x + note.w / 2.0, note.y + KNOT)))
    };
    let from = end(board.note(&on)?);
    let to = end(note);
    // A note taken away keeps no line.
    let there = Memo::new(move |_| threads.with(|threads| threads.answers(&on) > 0));
    let path = move || {
        let ((x1, y1), (x2, y2)) = (from.get(), to.get());
        let bend = ((y2 - y1).abs() / 2.0).max(24.0);
        format!("M {x1} {y1} C {x1} {}, {x2} {}, {x2} {y2}", y1 + bend, y2 - bend)
    };
    Some(view! { <path d=path visibility=move || if there.get() { "visible" } else { "hidden" } /> })
}
