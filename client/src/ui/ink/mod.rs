//! What people draw on the cloth: the lines as they lie there, and the hand that draws them.

mod line;
pub mod pens;

use std::sync::Arc;

use leptos::prelude::*;
use shared::board::view::{Pen, Stroke};
use shared::limits;

use crate::i18n::{t_string, use_i18n};
use crate::state::board::Board;
use line::Point;

/// Widths of a line, in canvas units: a pencil and a marker.
const THIN: u8 = 3;
const WIDE: u8 = 9;
/// How far a line may be from the hand that drew it, in screen pixels.
const TOLERANCE: f64 = 0.6;
/// Nearer than this to the last one no point is taken, in screen pixels.
const STEP: f64 = 1.5;
/// How near the eraser comes, in screen pixels: half a finger.
const REACH: f64 = 11.0;
/// Space around a drawing that is shown by itself, in canvas units.
const MARGIN: f64 = 16.0;

/// What the hand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// It draws.
    Draw,
    /// It takes lines away.
    Erase,
}

/// The hand that draws on one canvas.
#[derive(Clone, Copy)]
pub struct Hand {
    /// What it does; none while it moves the cloth and the notes.
    pub tool: RwSignal<Option<Tool>>,
    /// What it draws with.
    pub pen: RwSignal<Pen>,
    /// Whether it draws wide lines.
    pub wide: RwSignal<bool>,
    /// The line that is being drawn.
    line: RwSignal<Vec<Point>>,
    /// Whether something is being drawn or erased.
    down: StoredValue<bool>,
    /// Whether there was no room for a line.
    pub full: RwSignal<bool>,
}

impl Default for Hand {
    fn default() -> Self {
        Self {
            tool: RwSignal::new(None),
            pen: RwSignal::new(Pen::Ink),
            wide: RwSignal::new(false),
            line: RwSignal::new(Vec::new()),
            down: StoredValue::new(false),
            full: RwSignal::new(false),
        }
    }
}

impl Hand {
    /// Whether it draws or erases, instead of moving things.
    pub fn is_busy(self) -> bool {
        self.tool.with_untracked(Option::is_some)
    }

    /// Puts the pen down at a place on the cloth; `zoom` is pixels a canvas unit.
    pub fn begin(self, board: Board, at: Point, zoom: f64) {
        self.down.set_value(true);
        self.full.set(false);
        board.end_step();
        match self.tool.get_untracked() {
            Some(Tool::Draw) => self.line.set(vec![at]),
            Some(Tool::Erase) => erase(board, at, zoom),
            None => {}
        }
    }

    /// Goes on to a place.
    pub fn go(self, board: Board, at: Point, zoom: f64) {
        if !self.down.get_value() {
            return;
        }
        match self.tool.get_untracked() {
            Some(Tool::Draw) => {
                let last = self.line.with_untracked(|line| line.last().copied());
                if last.is_some_and(|(x, y)| (at.0 - x).hypot(at.1 - y) * zoom < STEP) {
                    return;
                }
                self.line.update(|line| line.push(at));
                // A line is one message: a long one goes on as the next.
                if self.line.with_untracked(Vec::len) >= limits::STROKE_POINTS {
                    self.leave(board, zoom);
                    self.line.set(vec![at]);
                }
            }
            Some(Tool::Erase) => erase(board, at, zoom),
            None => {}
        }
    }

    /// Lifts the pen: the line stays on the cloth.
    pub fn end(self, board: Board, zoom: f64) {
        if self.down.get_value() {
            self.down.set_value(false);
            self.leave(board, zoom);
            board.end_step();
        }
    }

    /// A second finger has come: the first was not drawing.
    pub fn cancel(self) {
        self.down.set_value(false);
        self.line.set(Vec::new());
    }

    /// Moves things again.
    pub fn put_away(self) {
        self.cancel();
        self.tool.set(None);
    }

    fn width(self) -> u8 {
        if self.wide.get() { WIDE } else { THIN }
    }

    fn leave(self, board: Board, zoom: f64) {
        let points = self.line.with_untracked(|line| line::simplified(line, TOLERANCE / zoom));
        if !points.is_empty() {
            let drawn = board.draw(self.pen.get_untracked(), untrack(|| self.width()), points);
            self.full.set(drawn.is_none());
        }
        self.line.set(Vec::new());
    }
}

/// Left, top, width and height of all that is drawn on a board, with some space around it; none where nothing is.
pub fn area(board: Board) -> Option<(f64, f64, f64, f64)> {
    let bounds = board.strokes().with(|strokes| line::bounds(strokes.iter().flat_map(|stroke| &stroke.points)));
    bounds.map(|(left, top, right, bottom)| {
        (left - MARGIN, top - MARGIN, right - left + 2.0 * MARGIN, bottom - top + 2.0 * MARGIN)
    })
}

/// Takes away the lines at a place.
fn erase(board: Board, at: Point, zoom: f64) {
    let met: Vec<_> = board.strokes().with_untracked(|strokes| {
        let reach = |stroke: &Stroke| f64::from(stroke.width) / 2.0 + REACH / zoom;
        let near = |stroke: &&Arc<Stroke>| line::distance(&stroke.points, at) <= reach(stroke);
        strokes.iter().filter(near).map(|stroke| stroke.id.clone()).collect()
    });
    for id in met {
        board.erase(&id);
    }
}

/// The lines on a canvas, and the one that is being drawn there.
#[component]
pub fn Ink(
    /// A table's board.
    board: Board,
    /// Who draws on this canvas.
    hand: Hand,
) -> impl IntoView {
    view! {
        <svg class="ink" aria-hidden="true">
            <Strokes board />
            <path
                class=move || pen_class(hand.pen.get())
                stroke-width=move || hand.width()
                d=move || hand.line.with(|line| line::path(line))
            />
        </svg>
    }
}

/// The drawing of a board by itself, as large as its place; nothing where nothing was drawn.
#[component]
pub fn Drawing(
    /// A table's board.
    board: Board,
) -> impl IntoView {
    let i18n = use_i18n();
    let strokes = board.strokes();
    let area = Memo::new(move |_| area(board));
    let words = move || t_string!(i18n, board.drawing, n = strokes.with(Vec::len)).to_string();
    view! {
        <Show when=move || area.get().is_some()>
            <figure class="drawing">
                <svg
                    class="ink"
                    role="img"
                    aria-label=words
                    viewBox=move || {
                        area.get().map(|(x, y, w, h)| format!("{x:.0} {y:.0} {w:.0} {h:.0}"))
                    }
                >
                    <Strokes board />
                </svg>
                <figcaption class="quiet small">{words}</figcaption>
            </figure>
        </Show>
    }
}

#[component]
fn Strokes(board: Board) -> impl IntoView {
    let strokes = board.strokes();
    view! {
        <For each=move || strokes.get() key=|stroke| stroke.id.clone() let:stroke>
            <path class=pen_class(stroke.pen) stroke-width=stroke.width d=line::path(&stroke.points) />
        </For>
    }
}

/// The class that gives a pen its colour.
fn pen_class(pen: Pen) -> &'static str {
    match pen {
        Pen::Ink => "pen-ink",
        Pen::Coffee => "pen-coffee",
        Pen::Red => "pen-red",
        Pen::Green => "pen-green",
    }
}
