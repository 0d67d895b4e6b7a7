//! A table's number in its colour. The two always go together.

use leptos::prelude::*;
use shared::id::TableId;

use crate::i18n::{t_string, use_i18n};

/// Colours there are; further tables begin again, which is why the number is always shown.
const COLOURS: u16 = 12;

/// The class that sets `--table`, `--table-soft` and `--table-ink` for everything inside.
pub fn table_class(table: TableId) -> String {
    format!("table-c{}", table.0.saturating_sub(1) % COLOURS + 1)
}

/// A table's number in its colour.
#[component]
pub fn TableBadge(
    /// Which table.
    #[prop(into)]
    id: Signal<TableId>,
    /// Larger, for headings.
    #[prop(optional)]
    big: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <span class=move || {
            let size = if big { " table-badge-big" } else { "" };
            format!("table-badge figures {}{size}", table_class(id.get()))
        }>
            <span class="visually-hidden">{move || t_string!(i18n, kit.table)} " "</span>
            {move || id.get().0}
        </span>
    }
}
