//! The head of the participant's café: where one is, how long still, how the connection stands, and a hand to raise.

use leptos::prelude::*;
use shared::workshop::{Command, Phase};

use super::menu::Menu;
use super::seat;
use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::clock::Clock;
use crate::ui::connection::ConnectionSign;
use crate::ui::table_badge::{TableBadge, table_class};

/// The head.
#[component]
pub fn Bar() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let title = cafe.memo(|view| view.title.clone());
    let rounds = cafe.memo(|view| view.phase == Phase::Rounds);
    let brief = cafe.memo(|view| seat::seat(view).map(|seat| seat.table.clone()));
    let brief = Memo::new(move |_| brief.get().flatten().filter(|_| rounds.get() == Some(true)));
    let round = cafe.memo(|view| view.round.as_ref().map(|round| (round.index + 1, view.rounds.len())));
    let hand = cafe.memo(|view| seat::part(view).is_some_and(|part| part.hand));
    let phase = cafe.memo(|view| view.phase);
    let open = RwSignal::new(false);
    let raised = Signal::derive(move || hand.get() == Some(true));
    // The facilitator walks the floor until the plan is made.
    let can_raise = move || phase.get().is_some_and(|phase| (Phase::Lobby..=Phase::Plan).contains(&phase));
    let heading = move || match brief.get() {
        Some(brief) => brief.topic,
        None => title.get().unwrap_or_default(),
    };
    // All in one: a list of classes that changes takes those away that were set beside it.
    let class = move || {
        let long = if is_long(&heading()) { " cafe-bar-long" } else { "" };
        match brief.get() {
            Some(brief) => format!("cafe-bar cafe-bar-table {}{long}", table_class(brief.id)),
            None => format!("cafe-bar{long}"),
        }
    };
    view! {
        <header class=class>
            <div class="cafe-bar-where">
                {move || match brief.get() {
                    Some(brief) => {
                        view! {
                            <TableBadge id=brief.id />
                            <h1 class="cafe-bar-title">{brief.topic}</h1>
                        }
                            .into_any()
                    }
                    None => view! { <h1 class="cafe-bar-title">{title.get().unwrap_or_default()}</h1> }.into_any(),
                }}
            </div>
            <div class="cafe-bar-end">
                <div class="cafe-bar-tools">
                    <ConnectionSign />
                    {move || {
                        can_raise()
                            .then(|| {
                                view! {
                                    <Button
                                        kind=ButtonKind::Plain
                                        class="cafe-hand"
                                        icon=icondata_lu::LuHand
                                        pressed=raised
                                        label=Signal::derive(move || {
                                            if raised.get() {
                                                t_string!(i18n, cafe.lower_hand).to_string()
                                            } else {
                                                t_string!(i18n, cafe.raise_hand).to_string()
                                            }
                                        })
                                        on_click=move |_| {
                                            cafe.command(Command::RaiseHand {
                                                raised: !raised.get_untracked(),
                                            });
                                        }
                                    >
                                        {move || {
                                            if raised.get() {
                                                t_string!(i18n, cafe.hand_lower).to_string()
                                            } else {
                                                t_string!(i18n, cafe.hand_raise).to_string()
                                            }
                                        }}
                                    </Button>
                                }
                            })
                    }}
                    <Button
                        kind=ButtonKind::Plain
                        icon=icondata_lu::LuEllipsisVertical
                        label=Signal::derive(move || t_string!(i18n, cafe.menu).to_string())
                        on_click=move |_| open.set(true)
                    />
                </div>
                {move || {
                    (rounds.get() == Some(true))
                        .then(|| {
                            view! {
                                <div class="cafe-bar-time">
                                    <span class="cafe-bar-round">
                                        {move || {
                                            round
                                                .get()
                                                .flatten()
                                                .map(|(n, _)| t_string!(i18n, cafe.round_of, n = n).to_string())
                                        }}
                                    </span>
                                    <Clock cafe />
                                </div>
                            }
                        })
                }}
            </div>
            <p class="visually-hidden" role="status">
                {move || raised.get().then(|| t_string!(i18n, cafe.hand_up).to_string())}
            </p>
        </header>
        <Menu open />
    }
}

/// Whether a phone's head has no room for this beside its buttons, in two lines either: then it has a row of its own.
fn is_long(heading: &str) -> bool {
    // In tenths of the width of a Chinese character.
    heading.chars().map(|c| if c.is_ascii() { 6 } else { 10 }).sum::<usize>() > 110
}

#[cfg(test)]
mod tests {
    use super::is_long;

    #[test]
    fn short_topics_stand_beside_the_buttons() {
        for short in ["", "报修与投诉", "社区生活与日常相处", "Moving in"] {
            assert!(!is_long(short), "{short}");
        }
        for long in ["业主委员会与物业公司的日常沟通", "Handover and moving in"] {
            assert!(is_long(long), "{long}");
        }
    }
}
