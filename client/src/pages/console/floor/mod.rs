//! The floor: tables as they stand in the room, and who sits around them.

use leptos::prelude::*;
use shared::id::TableId;
use shared::workshop::RoundStatus;
use shared::workshop::view::FloorPerson;

use super::Desk;
use super::facts::{self, TableFacts};
use super::floor_table::FloorTableView;
use super::spread::Spread;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::icon::Icon;
use crate::ui::journey::Lens;

/// Tables above which they are drawn smaller.
const DENSE: usize = 12;
/// Tables up to which they are drawn larger.
const FEW: usize = 4;

/// All tables with their people.
#[component]
pub(super) fn Floor(cafe: Cafe) -> impl IntoView {
    let tables = cafe.memo(facts::tables);
    let tables = Memo::new(move |_| tables.get().unwrap_or_default());
    let ids = Memo::new(move |_| tables.with(|tables| tables.iter().map(|table| table.brief.id).collect::<Vec<_>>()));
    let spread = cafe.memo(Spread::of);
    let spread = Memo::new(move |_| spread.get().flatten());
    view! {
        <div class="floor-page">
            <RoundLine cafe />
            <Standing cafe />
            <ul
                class="floor"
                class:floor-dense=move || { ids.with(Vec::len) > DENSE }
                class:floor-few=move || { ids.with(Vec::len) <= FEW }
            >
                <For
                    each=move || ids.get()
                    key=|id| *id
                    children=move |id| {
                        let facts = Memo::new(move |_| {
                            tables.with(|tables| tables.iter().find(|table| table.brief.id == id).cloned())
                        });
                        view! { <FloorPlace cafe id facts spread /> }
                    }
                />
            </ul>
            <Lens />
        </div>
    }
}

#[component]
fn FloorPlace(cafe: Cafe, id: TableId, facts: Memo<Option<TableFacts>>, spread: Memo<Option<Spread>>) -> impl IntoView {
    let desk = expect_context::<Desk>();
    view! {
        <li class="floor-place">
            <FloorTableView
                cafe
                id
                facts
                now=cafe.tick()
                spread
                on_open=Callback::new(move |()| desk.table.set(Some(id)))
            />
        </li>
    }
}

/// Which round, what it asks, and whether people are on their way.
#[component]
fn RoundLine(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let round = cafe.memo(facts::round);
    let question = cafe.memo(|view| {
        let index = usize::from(view.round.as_ref()?.index);
        view.rounds.get(index)?.question.clone()
    });
    let words = move || {
        let round = round.get()?;
        let (n, of) = (round.index? + 1, round.planned);
        Some(match round.status? {
            RoundStatus::Moving { .. } if n == 1 => t_string!(i18n, console.round_seating, of = of).to_string(),
            RoundStatus::Moving { .. } => t_string!(i18n, console.round_moving, n = n, of = of).to_string(),
            RoundStatus::Running { .. } => t_string!(i18n, console.round_running, n = n, of = of).to_string(),
            RoundStatus::Paused { .. } => t_string!(i18n, console.round_paused, n = n, of = of).to_string(),
            RoundStatus::Over => t_string!(i18n, console.round_over, n = n, of = of).to_string(),
        })
    };
    view! {
        <div class="round-line">
            <p class="round-line-state figures">{words}</p>
            {move || {
                question.get().flatten().map(|question| view! { <h2 class="round-line-question pre">{question}</h2> })
            }}
        </div>
    }
}

/// People without a seat stand on the floor until somebody seats them.
#[component]
fn Standing(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let standing = cafe.memo(|view| {
        // Before the first seating nobody has a seat, and that is no matter.
        if view.round.is_none() {
            return Vec::new();
        }
        facts::people(view).into_iter().filter(|person| person.table.is_none()).collect::<Vec<FloorPerson>>()
    });
    let standing = Memo::new(move |_| standing.get().unwrap_or_default());
    view! {
        <Show when=move || standing.with(|standing| !standing.is_empty())>
            <section class="standing" aria-labelledby="standing">
                <h2 id="standing" class="standing-title">
                    <Icon icon=icondata_lu::LuArmchair />
                    {t!(i18n, console.standing, n = move || standing.with(Vec::len))}
                </h2>
                <ul class="standing-list">
                    <For
                        each=move || standing.get()
                        key=|person| (person.person.id.clone(), person.person.name.clone(), person.person.online)
                        children=move |person| {
                            let id = person.person.id.clone();
                            let name = person.person.name.clone();
                            let shown = name.clone();
                            view! {
                                <li>
                                    <button
                                        type="button"
                                        class="standing-person"
                                        on:click=move |_| desk.person.set(Some(id.clone()))
                                        title=move || {
                                            t_string!(i18n, console.give_seat, name = name.clone()).to_string()
                                        }
                                    >
                                        <Avatar
                                            name=shown.clone()
                                            online=person.person.online
                                            decorative=true
                                        />
                                        <span>{shown}</span>
                                    </button>
                                </li>
                            }
                        }
                    />
                </ul>
            </section>
        </Show>
    }
}
