//! An `<input>` or a `<textarea>`: their common part. Positions are UTF-16 units.

use leptos::prelude::document;
use shared::board::text::{Splice, diff, transform_caret, utf16_len};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

/// The element that a person writes in.
#[derive(Clone, Debug)]
pub enum Field {
    /// One line.
    Line(HtmlInputElement),
    /// Several lines.
    Area(HtmlTextAreaElement),
}

impl Field {
    /// What it shows.
    pub fn value(&self) -> String {
        match self {
            Self::Line(line) => line.value(),
            Self::Area(area) => area.value(),
        }
    }

    /// Where the caret is, or the end of the selection.
    pub fn caret(&self) -> u32 {
        self.selection().1
    }

    /// Shows a text, with the caret at `caret`. Only what differs is touched, so that the field does not scroll.
    pub fn show(&self, text: &str, caret: u32) {
        let Some(splice) = diff(&self.value(), text) else { return };
        self.replace(&splice);
        if self.has_focus() {
            self.select(caret, caret, "none");
        }
    }

    /// Does what somebody else did; caret and selection stay with the letters they were at.
    pub fn splice(&self, splice: &Splice) {
        let (start, end) = self.selection();
        let direction = self.direction();
        self.replace(splice);
        // Some phones give the focus to a field whose selection is set.
        if self.has_focus() {
            self.select(transform_caret(start, splice), transform_caret(end, splice), &direction);
        }
    }

    /// Takes the focus, with the caret after the last letter.
    pub fn focus_at_end(&self) {
        let _ = self.element().focus();
        let end = utf16_len(&self.value());
        self.select(end, end, "none");
    }

    fn element(&self) -> &HtmlElement {
        match self {
            Self::Line(line) => line,
            Self::Area(area) => area,
        }
    }

    fn has_focus(&self) -> bool {
        let own: &Element = self.element().unchecked_ref();
        document().active_element().is_some_and(|active| active == *own)
    }

    fn selection(&self) -> (u32, u32) {
        let read = |position: Result<Option<u32>, JsValue>| position.ok().flatten().unwrap_or(0);
        match self {
            Self::Line(line) => (read(line.selection_start()), read(line.selection_end())),
            Self::Area(area) => (read(area.selection_start()), read(area.selection_end())),
        }
    }

    fn direction(&self) -> String {
        let direction = match self {
            Self::Line(line) => line.selection_direction(),
            Self::Area(area) => area.selection_direction(),
        };
        direction.ok().flatten().unwrap_or_else(|| "none".to_owned())
    }

    fn replace(&self, splice: &Splice) {
        let (start, end) = (splice.at, splice.at + splice.delete);
        // Fails only where start lies behind end.
        let _ = match self {
            Self::Line(line) => line.set_range_text_with_start_and_end(&splice.insert, start, end),
            Self::Area(area) => area.set_range_text_with_start_and_end(&splice.insert, start, end),
        };
    }

    fn select(&self, start: u32, end: u32, direction: &str) {
        let _ = match self {
            Self::Line(line) => line.set_selection_range_with_direction(start, end, direction),
            Self::Area(area) => area.set_selection_range_with_direction(start, end, direction),
        };
    }
}
