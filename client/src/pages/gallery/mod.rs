//! The gallery walk: all boards side by side; on a phone one table at a time.

mod room;
mod wall;

pub use room::{Tables, all_tables};
pub use wall::BoardWith;

use leptos::prelude::*;
use shared::id::TableId;
use shared::workshop::view::TableBrief;

use self::wall::Wall;
use crate::i18n::{t, t_string, use_i18n};
use crate::platform::Listener;
use crate::state::cafe::Cafe;
use crate::ui::journey::Lens;
use crate::ui::table_badge::{TableBadge, table_class};

/// Boards shown at once: a café's usual tables all, those of a large one in groups. A board is opened when it is shown.
const AT_ONCE: usize = 12;
/// Below this width, in CSS pixels, one board is shown. The style sheet has the same number.
const NARROW: f64 = 700.0;

/// Every table's board, to be read.
#[component]
pub fn Gallery() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let tables = all_tables(cafe);
    let unlisted = cafe.memo(|view| usize::from(view.table_count));
    let unlisted = Memo::new(move |_| unlisted.get().unwrap_or_default().saturating_sub(tables.with(Vec::len)));
    let chosen = RwSignal::new(None::<TableId>);
    let current = Memo::new(move |_| chosen.get().or_else(|| tables.with(|all| all.first().map(|table| table.id))));
    let narrow = narrow();
    let shown = Memo::new(move |_| {
        tables.with(|all| {
            let at = all.iter().position(|table| Some(table.id) == current.get()).unwrap_or(0);
            let (from, to) = if narrow.get() { (at, at + 1) } else { (at - at % AT_ONCE, at - at % AT_ONCE + AT_ONCE) };
            all.get(from..to.min(all.len())).unwrap_or_default().to_vec()
        })
    });
    let choose = move |table: TableId| {
        chosen.set(Some(table));
        if !narrow.get_untracked() {
            request_animation_frame(move || {
                if let Some(wall) = document().get_element_by_id(&format!("wall-{table}")) {
                    wall.scroll_into_view();
                }
            });
        }
    };
    let switching = move || narrow.get() || tables.with(Vec::len) > AT_ONCE;
    let step = move |by: isize| {
        let next = tables.with_untracked(|all| {
            let at = all.iter().position(|table| Some(table.id) == current.get_untracked())?;
            all.get(at.checked_add_signed(by)?).map(|table| table.id)
        });
        if let Some(next) = next {
            choose(next);
        }
    };
    view! {
        <section class="gallery" aria-labelledby="gallery-title">
            <header class="gallery-head">
                <h2 id="gallery-title">{t!(i18n, gallery.title)}</h2>
                <p class="quiet">{t!(i18n, gallery.lead)}</p>
            </header>
            <Lens />
            <Show when=switching>
                <nav class="gallery-tables" aria-label=move || t_string!(i18n, gallery.tables).to_string()>
                    <For each=move || tables.get() key=|table| (table.id, table.topic.clone()) let:table>
                        <Tab table current on_choose=move |table| choose(table) />
                    </For>
                </nav>
            </Show>
            <div class="gallery-boards">
                <For
                    each=move || shown.get()
                    key=|table| (table.id, table.topic.clone(), table.question.clone())
                    let:table
                >
                    <Wall table />
                </For>
            </div>
            <Show when=move || narrow.get() && (tables.with(Vec::len) > 1)>
                <NextTable tables current on_step=step />
            </Show>
            <p class="quiet small" hidden=move || unlisted.get() == 0>
                {move || t_string!(i18n, gallery.unlisted, n = unlisted.get()).to_string()}
            </p>
        </section>
    }
}

#[component]
fn Tab(table: TableBrief, current: Memo<Option<TableId>>, #[prop(into)] on_choose: Callback<TableId>) -> impl IntoView {
    let id = table.id;
    let button = NodeRef::<leptos::html::Button>::new();
    // The chosen one is always in sight, however it was chosen.
    Effect::new(move || {
        if current.get() == Some(id)
            && let Some(button) = button.get()
            && let Some(row) = button.parent_element()
        {
            let (row_at, at) = (row.get_bounding_client_rect(), button.get_bounding_client_rect());
            if at.left() < row_at.left() || at.right() > row_at.right() {
                row.set_scroll_left(row.scroll_left() + (at.left() - row_at.left() - 16.0) as i32);
            }
        }
    });
    view! {
        <button
            type="button"
            class=format!("gallery-tab {}", table_class(id))
            node_ref=button
            aria-pressed=move || if current.get() == Some(id) { "true" } else { "false" }
            on:click=move |_| on_choose.run(id)
        >
            <TableBadge id />
            <span class="gallery-tab-topic">{table.topic}</span>
        </button>
    }
}

/// At the end of a table's notes: on to the next.
#[component]
fn NextTable(
    tables: Memo<Vec<TableBrief>>,
    current: Memo<Option<TableId>>,
    #[prop(into)] on_step: Callback<isize>,
) -> impl IntoView {
    let i18n = use_i18n();
    let next = Memo::new(move |_| {
        tables.with(|all| {
            let at = all.iter().position(|table| Some(table.id) == current.get())?;
            all.get(at + 1).cloned()
        })
    });
    move || {
        next.get().map(|table| {
            view! {
                <button
                    type="button"
                    class=format!("gallery-next {}", table_class(table.id))
                    on:click=move |_| {
                        on_step.run(1);
                        if let Some(top) = document().get_element_by_id("gallery-title") {
                            top.scroll_into_view();
                        }
                    }
                >
                    <span class="quiet small">{t!(i18n, gallery.next)}</span>
                    <TableBadge id=table.id />
                    <span class="clip">{table.topic}</span>
                </button>
            }
        })
    }
}

/// Whether one table at a time is shown.
fn narrow() -> Memo<bool> {
    let width = || window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(NARROW);
    let now = RwSignal::new(width());
    let listener = Listener::on_window("resize", move || {
        // The window may outlive the page for a moment.
        let _ = now.try_set(width());
    });
    let listener = StoredValue::new_local(Some(listener));
    on_cleanup(move || drop(listener.try_update_value(Option::take)));
    Memo::new(move |_| now.get() < NARROW)
}
