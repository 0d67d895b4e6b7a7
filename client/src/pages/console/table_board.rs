//! A table's board, opened by the facilitator.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::id::{BoardKind, TableId};

use super::facts;
use super::for_facilitator;
use crate::i18n::{t, t_string, use_i18n};
use crate::parts::{self, Later};
use crate::state::cafe::Cafe;
use crate::state::identity::Identity;
use crate::ui::board_list::BoardList;
use crate::ui::clock::Clock;
use crate::ui::empty::Empty;
use crate::ui::icon::Icon;
use crate::ui::seg::{Choice, Segmented};
use crate::ui::table_badge::{TableBadge, table_class};

/// Below this width of the window the list is shown first.
const CANVAS_FROM: f64 = 700.0;

/// The board of one table.
#[component]
pub fn TableBoardPage() -> impl IntoView {
    for_facilitator(|identity| view! { <Opened identity /> }.into_any())
}

#[component]
fn Opened(identity: Identity) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = Cafe::open(identity);
    provide_context(cafe);
    let params = use_params_map();
    let table = Memo::new(move |_| {
        params.with(|params| params.get("table")).and_then(|table| table.parse().ok()).map_or(TableId(0), TableId)
    });
    // The number may be any; only a table of this café has a board.
    let there = cafe.memo(move |view| view.tables.iter().any(|brief| brief.id == table.get()));
    view! {
        {move || match there.get() {
            None => ().into_any(),
            Some(true) => view! { <TableBoard cafe table=table.get() /> }.into_any(),
            Some(false) => {
                view! {
                    <main id="main">
                        <Empty
                            text=move || t_string!(i18n, console.no_such_table).to_string()
                            icon=icondata_lu::LuSearchX
                        >
                            <a href=format!("/host/{}", cafe.workshop())>{t!(i18n, console.to_console)}</a>
                        </Empty>
                    </main>
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn TableBoard(cafe: Cafe, table: TableId) -> impl IntoView {
    let i18n = use_i18n();
    let brief = cafe.memo(move |view| facts::table(view, table).map(|facts| facts.brief));
    let brief = Memo::new(move |_| {
        brief.get().flatten().unwrap_or_else(|| shared::workshop::view::TableBrief {
            id: table,
            topic: String::new(),
            question: String::new(),
        })
    });
    let board = cafe.board(BoardKind::Table(table));
    let wide = window().inner_width().ok().and_then(|width| width.as_f64()).is_none_or(|width| width >= CANVAS_FROM);
    let canvas = RwSignal::new(wide);
    let choices = vec![
        Choice::new(true, Signal::derive(move || t_string!(i18n, console.canvas).to_string()))
            .icon(icondata_lu::LuLayoutDashboard),
        Choice::new(false, Signal::derive(move || t_string!(i18n, console.list).to_string()))
            .icon(icondata_lu::LuLayoutList),
    ];
    view! {
        <div class=format!("table-board {}", table_class(table))>
            <header class="table-board-head">
                <a
                    class="table-board-back"
                    href=format!("/host/{}", cafe.workshop())
                    aria-label=move || t_string!(i18n, console.to_console).to_string()
                >
                    <Icon icon=icondata_lu::LuArrowLeft />
                </a>
                <TableBadge id=table big=true />
                <div class="table-board-words">
                    <h1 class="table-board-topic clip">{move || brief.get().topic}</h1>
                    <p class="quiet table-board-question">{move || brief.get().question}</p>
                </div>
                <Segmented
                    label=move || t_string!(i18n, console.shown_as).to_string()
                    choices
                    value=canvas
                    on_change=move |chosen| canvas.set(chosen)
                />
                <Clock cafe />
            </header>
            <main id="main" class="table-board-main">
                {move || {
                    if canvas.get() {
                        view! { <Later part=parts::CANVAS of=board /> }.into_any()
                    } else {
                        view! { <BoardList board /> }.into_any()
                    }
                }}
            </main>
        </div>
    }
}
