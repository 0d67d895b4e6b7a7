//! The bar of the pens, in place of the notes' while somebody draws.

use leptos::prelude::*;
use shared::board::view::Pen;

use super::{Hand, Tool, pen_class};
use crate::i18n::{t_string, use_i18n};
use crate::ui::icon::Icon;

/// Colours, the width, the eraser, and the way back.
#[component]
pub fn Pens(
    /// Whose pens.
    hand: Hand,
) -> impl IntoView {
    let i18n = use_i18n();
    let word = move |pen| match pen {
        Pen::Ink => t_string!(i18n, board.pen_ink).to_string(),
        Pen::Coffee => t_string!(i18n, board.pen_coffee).to_string(),
        Pen::Red => t_string!(i18n, board.pen_red).to_string(),
        Pen::Green => t_string!(i18n, board.pen_green).to_string(),
    };
    let erases = move || hand.tool.get() == Some(Tool::Erase);
    let pens = Pen::ALL.into_iter().map(|pen| {
        view! {
            <button
                type="button"
                class=format!("canvas-tool pen {}", pen_class(pen))
                aria-label=move || word(pen)
                title=move || word(pen)
                aria-pressed=move || (!erases() && hand.pen.get() == pen).to_string()
                on:click=move |_| {
                    hand.pen.set(pen);
                    hand.tool.set(Some(Tool::Draw));
                }
            >
                <span class="pen-dot" class:pen-dot-wide=move || hand.wide.get()></span>
            </button>
        }
    });
    view! {
        {pens.collect_view()}
        <button
            type="button"
            class="canvas-tool"
            aria-label=move || t_string!(i18n, board.pen_wide).to_string()
            title=move || t_string!(i18n, board.pen_wide).to_string()
            aria-pressed=move || hand.wide.get().to_string()
            on:click=move |_| hand.wide.update(|wide| *wide = !*wide)
        >
            <Icon icon=icondata_lu::LuHighlighter />
        </button>
        <button
            type="button"
            class="canvas-tool"
            aria-label=move || t_string!(i18n, board.erase).to_string()
            title=move || t_string!(i18n, board.erase).to_string()
            aria-pressed=move || erases().to_string()
            on:click=move |_| hand.tool.set(Some(if erases() { Tool::Draw } else { Tool::Erase }))
        >
            <Icon icon=icondata_lu::LuEraser />
        </button>
        <span class="canvas-tools-line"></span>
    }
}
