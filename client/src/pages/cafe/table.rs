//! At a table: the question, the people, the handover, and the board as a list or as a canvas.

use leptos::prelude::*;
use shared::id::{BoardKind, TableId};

use super::seat::{self, Asked};
use crate::i18n::{t, t_string, use_i18n};
use crate::parts::{self, Later};
use crate::platform::{self, Listener};
use crate::state::board::Board;
use crate::state::cafe::Cafe;

use crate::ui::bag::{BagHere, BagLayer, Carrying};
use crate::ui::board_list::BoardList;
use crate::ui::button::Button;
use crate::ui::clock::{Reading, reading};
use crate::ui::feel::Feel;
use crate::ui::handover::HandoverCard;
use crate::ui::icon::Icon;
use crate::ui::presence::TablePeople;
use crate::ui::seg::{Choice, Segmented};
use crate::ui::table_badge::table_class;

/// From this width (CSS pixels) on there is room for the canvas and a rail beside it.
const WIDE: f64 = 900.0;
/// How long the words for the last minute stay.
const LAST_MINUTE_WORDS: u64 = 52;

/// One table.
#[component]
pub fn Table(table: TableId) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let board = cafe.board(BoardKind::Table(table));
    BagHere::provide(cafe, board);
    let wide = wide();
    let chosen = RwSignal::new(platform::local_get(SHOWN).map(|shown| shown == CANVAS));
    // Laptops begin with the canvas, phones with the list; what somebody chose is remembered for each.
    let canvas = Memo::new(move |_| chosen.get().unwrap_or_else(|| wide.get()));
    let round = cafe.memo(|view| view.round.as_ref().map_or(0, |round| round.index));
    let hosting = cafe.memo(|view| seat::seat(view).is_some_and(|seat| seat.host.as_ref() == Some(&view.me.id)));
    let hosting = Signal::derive(move || hosting.get() == Some(true));
    let visit = Memo::new(move |_| format!("{}.{table}.{}", cafe.workshop(), round.get().unwrap_or(0)));
    let handover = move || {
        let visit = visit.get();
        view! {
            <HandoverCard board editable=hosting visit=visit.clone() unfolded=wide.get_untracked() />
            <Carrying visit />
        }
    };
    let choose = move |canvas: bool| {
        chosen.set(Some(canvas));
        platform::local_set(SHOWN, if canvas { CANVAS } else { LIST });
    };
    let host = cafe.memo(|view| {
        let seat = seat::seat(view)?;
        let host = seat.host.as_ref()?;
        seat.people.iter().find(|person| person.id == *host).map(|person| person.name.clone())
    });
    // The word first: where there is no room for the whole name, it is still said whose the filled circle is.
    let host = move || match host.get().flatten() {
        Some(_) if hosting.get() => Some((t_string!(i18n, cafe.you_host).to_string(), String::new())),
        Some(name) => Some((t_string!(i18n, cafe.host).to_string(), name)),
        None => None,
    };
    let host = move || {
        host().map(|(word, name)| {
            view! {
                <span class="sit-host-word">{word}</span>
                <span class="sit-host-name clip">{name}</span>
            }
        })
    };
    let switch = move || {
        let choices = vec![
            Choice::new(false, Signal::derive(move || t_string!(i18n, cafe.as_list).to_string()))
                .icon(icondata_lu::LuList),
            Choice::new(true, Signal::derive(move || t_string!(i18n, cafe.as_canvas).to_string()))
                .icon(icondata_lu::LuLayoutDashboard),
        ];
        view! {
            <Segmented
                label=Signal::derive(move || t_string!(i18n, cafe.shown_as).to_string())
                class="sit-switch"
                choices
                value=Signal::derive(move || canvas.get())
                on_change=choose
            />
        }
    };
    let shown = move || match (wide.get(), canvas.get()) {
        (true, true) => view! { <Later part=parts::CANVAS of=board /> }.into_any(),
        // A phone has no rail, so the handover lies above the cloth.
        (false, true) => view! {
            <div class="sit-cloth">
                <div class="sit-cloth-handover">{handover}</div>
                <Later part=parts::CANVAS of=board />
            </div>
        }
        .into_any(),
        (true, false) => view! { <BoardList board /> }.into_any(),
        (false, false) => view! { <BoardList board>{handover}</BoardList> }.into_any(),
    };
    view! {
        <main id="main" class=format!("sit {}", table_class(table)) class:sit-wide=move || wide.get()>
            {move || {
                if wide.get() {
                    view! {
                        <aside class="sit-rail" aria-label=move || t_string!(i18n, cafe.board_rail).to_string()>
                            <Question />
                            <Feel table />
                            <section class="stack sit-rail-people" aria-labelledby="sit-people">
                                <h2 id="sit-people" class="sit-rail-title">
                                    {t!(i18n, board.people)}
                                </h2>
                                <People board names=true />
                            </section>
                            {handover}
                            {switch}
                        </aside>
                    }
                        .into_any()
                } else {
                    view! {
                        <div class="sit-head">
                            <Question />
                            <Feel table />
                            <div class="sit-head-row">
                                <People board names=false />
                                <p class="sit-host">{host}</p>
                                <Button
                                    class="sit-switch"
                                    icon=Signal::derive(move || {
                                        if canvas.get() { icondata_lu::LuList } else { icondata_lu::LuLayoutDashboard }
                                    })
                                    on_click=move |_| choose(!canvas.get_untracked())
                                >
                                    {move || {
                                        if canvas.get() {
                                            t_string!(i18n, cafe.as_list).to_string()
                                        } else {
                                            t_string!(i18n, cafe.as_canvas).to_string()
                                        }
                                    }}
                                </Button>
                            </div>
                        </div>
                    }
                        .into_any()
                }
            }}
            <div class="sit-board">{shown} <TimeNotice /></div>
            <BagLayer />
        </main>
    }
}

const SHOWN: &str = "tablehop.board";
const CANVAS: &str = "canvas";
const LIST: &str = "list";

#[component]
fn People(board: Board, names: bool) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let people = cafe.memo(|view| seat::seat(view).map(|seat| seat.people.clone()).unwrap_or_default());
    let host = cafe.memo(|view| seat::seat(view).and_then(|seat| seat.host.clone()));
    let me = cafe.memo(|view| view.me.id.clone());
    view! {
        <TablePeople
            board
            people=Signal::derive(move || people.get().unwrap_or_default())
            host=Signal::derive(move || host.get().flatten())
            me=Signal::derive(move || me.get())
            names
        />
    }
}

/// What is asked here, by the round and by the table. On a phone the beginning of each, and all of it on a press.
#[component]
fn Question() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let asked = cafe.memo(Asked::of);
    let asked = Memo::new(move |_| asked.get().unwrap_or_default());
    let index = cafe.memo(|view| view.round.as_ref().map(|round| round.index + 1));
    let whole = RwSignal::new(false);
    view! {
        <button
            type="button"
            class="sit-question"
            class:sit-question-whole=move || whole.get()
            hidden=move || asked.with(Asked::is_empty)
            aria-expanded=move || if whole.get() { "true" } else { "false" }
            title=move || t_string!(i18n, cafe.show_question).to_string()
            on:click=move |_| whole.update(|whole| *whole = !*whole)
        >
            {move || {
                asked
                    .with(|asked| asked.round.clone())
                    .map(|question| {
                        view! {
                            <span class="sit-question-words">
                                <span class="sit-asks">
                                    {move || {
                                        index
                                            .get()
                                            .flatten()
                                            .map(|n| t_string!(i18n, cafe.round_of, n = n).to_string())
                                    }}
                                </span>
                                " "
                                {question}
                            </span>
                        }
                    })
            }}
            {move || {
                asked
                    .with(|asked| asked.table.clone())
                    .map(|question| {
                        view! {
                            <span class="sit-question-words">
                                <span class="sit-asks">{t!(i18n, cafe.this_table)}</span>
                                " "
                                {question}
                            </span>
                        }
                    })
            }}
        </button>
    }
}

/// The last minute, the end and a pause, in words above the board.
#[component]
fn TimeNotice() -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let reading = reading(cafe);
    let state = Memo::new(move |_| match reading.get() {
        Reading::Running(left) if (LAST_MINUTE_WORDS..=60).contains(&left) => Some(Notice::LastMinute),
        Reading::Over => Some(Notice::Over),
        Reading::Paused(_) => Some(Notice::Paused),
        _ => None,
    });
    view! {
        <div class="sit-notice" role="status" aria-live="polite">
            {move || {
                state
                    .get()
                    .map(|state| {
                        let (icon, class) = match state {
                            Notice::LastMinute => (icondata_lu::LuTimer, "sit-notice-pill"),
                            Notice::Over => (icondata_lu::LuBellRing, "sit-notice-pill sit-notice-over"),
                            Notice::Paused => (icondata_lu::LuPause, "sit-notice-pill"),
                        };
                        view! {
                            <p class=class>
                                <Icon icon />
                                <span>
                                    {move || match state {
                                        Notice::LastMinute => t_string!(i18n, cafe.last_minute).to_string(),
                                        Notice::Over => t_string!(i18n, cafe.time_up).to_string(),
                                        Notice::Paused => t_string!(i18n, cafe.paused).to_string(),
                                    }}
                                </span>
                            </p>
                        }
                    })
            }}
        </div>
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    LastMinute,
    Over,
    Paused,
}

/// Whether the window is wide, now and whenever it changes.
fn wide() -> Memo<bool> {
    let measure = || window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(0.0);
    let width = RwSignal::new(measure());
    let listener = StoredValue::new_local(Some(Listener::on_window("resize", move || {
        let _ = width.try_set(measure());
    })));
    on_cleanup(move || listener.set_value(None));
    Memo::new(move |_| width.get() >= WIDE)
}
