//! The rounds: one's table, and being moved from one to the next.

use leptos::prelude::*;
use shared::workshop::view::SeatView;

use super::seat::{self, Asked, Told};
use super::table::Table;
use crate::i18n::{t_string, use_i18n};
use crate::parts;
use crate::state::bag::Bag;
use crate::state::cafe::Cafe;
use crate::ui::bag::brought;
use crate::ui::empty::Empty;
use crate::ui::moving::{Moving, Reason};

/// What somebody is told of their new seat.
#[derive(Clone, PartialEq)]
struct News {
    told: Told,
    reason: Reason,
    seat: SeatView,
    asked: Asked,
    hosting: bool,
}

/// The rounds.
#[component]
pub fn Rounds() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    Bag::provide(cafe);
    let table = seat::table(cafe);
    let known = RwSignal::new(Told::remembered(&cafe.workshop()));
    let told = cafe.memo(Told::of);
    // Changes with seat and round alone: people who come and go must not begin the ten seconds anew.
    let news = Memo::new(move |_| {
        let told = told.get().flatten()?;
        let reason = told.reason(known.get())?;
        cafe.view().with_untracked(|view| {
            let view = view.as_ref()?;
            let seat = seat::seat(view)?.clone();
            let hosting = seat.host.as_ref() == Some(&view.me.id);
            Some(News { told, reason, seat, asked: Asked::of(view), hosting })
        })
    });
    let there = move |told: Told| {
        told.remember(&cafe.workshop());
        known.set(Some(told));
    };
    let moving = Memo::new(move |_| news.with(Option::is_some));
    // While people sit and write, the network fetches what they will need when the rounds are over, or when they turn to the canvas.
    parts::GALLERY.prefetch();
    parts::CANVAS.prefetch();
    view! {
        // The new table is laid while one is on the way to it.
        <div class="cafe-table" inert=move || moving.get()>
            // Another table is drawn anew: what is only rebuilt keeps its elements, and with them how far one had scrolled.
            <For each=move || table.get() key=|table| *table let:table>
                <Table table />
            </For>
            {move || {
                table
                    .get()
                    .is_none()
                    .then(|| {
                        view! {
                            <main id="main" class="cafe-main cafe-wait">
                                <Empty
                                    icon=icondata_lu::LuArmchair
                                    text=Signal::derive(move || t_string!(i18n, cafe.no_seat).to_string())
                                />
                            </main>
                        }
                    })
            }}
        </div>
        {move || {
            news.get()
                .map(|news| {
                    let News { told, reason, seat, asked: Asked { round, table }, hosting } = news;
                    let brought = brought(seat.table.id);
                    view! { <Moving seat reason round table hosting brought on_there=move |()| there(told) /> }
                })
        }}
    }
}
