//! "You go to table 3": the whole screen in the new table's colour, for ten seconds or until one says that one is there.

use std::time::Duration;

use leptos::{html, prelude::*};
use shared::workshop::view::SeatView;

use crate::i18n::{t_string, use_i18n};
use crate::ui::bag::carrying;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::icon::Icon;
use crate::ui::table_badge::table_class;

/// Why somebody sees their seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first seat of the day.
    First,
    /// A new round, another table.
    Travel,
    /// A new round, the same table.
    Stay,
    /// The facilitator asked for it in the midst of a round.
    Asked,
}

impl Reason {
    /// Seconds until the screen goes by itself.
    fn seconds(self) -> u32 {
        if self == Self::Stay { 6 } else { 10 }
    }
}

/// One's seat, on the whole screen.
#[component]
pub fn Moving(
    /// Where to.
    seat: SeatView,
    /// Why.
    reason: Reason,
    /// What the round asks everywhere.
    round: Option<String>,
    /// What is asked at this table.
    table: Option<String>,
    /// Whether one is the table's host oneself.
    hosting: bool,
    /// Notes from other tables in one's bag.
    brought: usize,
    /// Called when one is there.
    #[prop(into)]
    on_there: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let number = seat.table.id.0;
    let host = seat
        .host
        .as_ref()
        .and_then(|host| seat.people.iter().find(|person| &person.id == host))
        .map(|person| person.name.clone())
        .filter(|name| !hosting && !name.is_empty());
    let left = RwSignal::new(reason.seconds());
    let ticking = set_interval_with_handle(
        move || {
            if left.try_update(|left| *left = left.saturating_sub(1)).is_some() && left.get_untracked() == 0 {
                on_there.run(());
            }
        },
        Duration::from_secs(1),
    );
    on_cleanup(move || {
        if let Ok(handle) = ticking {
            handle.clear();
        }
    });
    let screen = NodeRef::<html::Div>::new();
    Effect::new(move || {
        // The button: whoever has arrived presses Enter.
        if let Some(button) = screen.get().and_then(|screen| screen.query_selector("button").ok().flatten()) {
            use wasm_bindgen::JsCast;
            if let Ok(button) = button.dyn_into::<web_sys::HtmlElement>() {
                let _ = button.focus();
            }
        }
    });
    let line = move || match reason {
        Reason::First => t_string!(i18n, cafe.moving_first).to_string(),
        Reason::Travel => t_string!(i18n, cafe.moving_travel).to_string(),
        Reason::Stay => t_string!(i18n, cafe.moving_stay).to_string(),
        Reason::Asked => t_string!(i18n, cafe.moving_asked).to_string(),
    };
    let topic = seat.table.topic.clone();
    view! {
        <div
            class=format!("moving {}", table_class(seat.table.id))
            class:moving-short=reason == Reason::Stay
            role="dialog"
            aria-modal="true"
            aria-labelledby="moving-title"
            aria-describedby="moving-more"
            node_ref=screen
        >
            <div class="moving-words">
                <h1 id="moving-title" class="moving-title">
                    <span class="moving-line">{line}</span>
                    <span class="visually-hidden">" " {move || t_string!(i18n, kit.table)} " "</span>
                    <span class="moving-number figures">
                        {number}
                        <span class="moving-unit" aria-hidden="true">
                            {move || t_string!(i18n, cafe.moving_unit)}
                        </span>
                    </span>
                    <span class="moving-topic">{topic}</span>
                </h1>
                <div id="moving-more" class="moving-more">
                    {round
                        .map(|question| {
                            view! {
                                <div>
                                    <p class="moving-asks">{move || t_string!(i18n, cafe.round_asks)}</p>
                                    <p class="moving-question">{question}</p>
                                </div>
                            }
                        })}
                    {table
                        .map(|question| {
                            view! {
                                <div>
                                    <p class="moving-asks">{move || t_string!(i18n, cafe.table_asks)}</p>
                                    <p class="moving-question">{question}</p>
                                </div>
                            }
                        })}
                    {host
                        .map(|name| {
                            view! {
                                <p>{move || t_string!(i18n, cafe.moving_host, name = name.clone()).to_string()}</p>
                            }
                        })}
                    {(brought > 0)
                        .then(|| {
                            view! {
                                <p class="moving-carry">
                                    <Icon icon=icondata_lu::LuBackpack />
                                    <span>{move || carrying(i18n, brought)}</span>
                                </p>
                            }
                        })}
                    {hosting
                        .then(|| {
                            view! {
                                <p class="moving-hint">
                                    {move || {
                                        if reason == Reason::First {
                                            t_string!(i18n, cafe.hosting_first).to_string()
                                        } else {
                                            t_string!(i18n, cafe.hosting_again).to_string()
                                        }
                                    }}
                                </p>
                            }
                        })}
                </div>
            </div>
            <div class="moving-foot">
                <span class="moving-ring" aria-hidden="true">
                    <svg viewBox="0 0 44 44">
                        <circle class="moving-ring-track" cx="22" cy="22" r="19"></circle>
                        <circle class="moving-ring-left" cx="22" cy="22" r="19" pathLength="100"></circle>
                    </svg>
                    <span class="figures">{move || left.get()}</span>
                </span>
                <Button
                    kind=ButtonKind::Quiet
                    class="button-big moving-there"
                    on_click=move |_| on_there.run(())
                >
                    {move || {
                        if reason == Reason::Stay {
                            t_string!(i18n, cafe.dismiss).to_string()
                        } else {
                            t_string!(i18n, cafe.i_am_here).to_string()
                        }
                    }}
                </Button>
            </div>
        </div>
    }
}
