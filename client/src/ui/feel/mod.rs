//! How the stage at this table feels: one line until it is pressed, five words with a face each, and one line again.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::id::TableId;
use shared::workshop::journey::{SCORE_MAX, SCORE_MIN};
use shared::workshop::view::Part;
use shared::workshop::{Command, Phase};

use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::{Cafe, Connection};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::next_id;
use crate::ui::icon::{Icon, Picture};
use crate::ui::journey::score_word;

fn face(score: i8) -> Picture {
    match score {
        ..=-2 => icondata_lu::LuFrown,
        -1 => icondata_lu::LuAnnoyed,
        0 => icondata_lu::LuMeh,
        1 => icondata_lu::LuSmile,
        2.. => icondata_lu::LuLaugh,
    }
}

/// Milliseconds until a press that did not get through is sent again.
const AGAIN_AFTER: u32 = 4_000;

/// What one has pressed and the server has not been seen to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    score: Option<i8>,
    /// Tells one press from the next.
    press: u32,
    /// It did not get through, and is sent again.
    waits: bool,
}

/// The question and one's answer, where the café asks and one has sat at this table.
#[component]
pub fn Feel(
    /// Which table.
    table: TableId,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    // What the server knows; the outer option: whether one is asked.
    let told = cafe.memo(move |view| {
        let feelings = view.feelings.as_ref()?;
        let Part::Participant(part) = &view.part else { return None };
        let asked = (Phase::Rounds..=Phase::Gallery).contains(&view.phase) && part.visited.contains(&table);
        asked.then(|| feelings.mine.iter().find(|(id, _)| *id == table).map(|(_, score)| *score))
    });
    let told = Memo::new(move |_| told.get().flatten());
    let asked = Memo::new(move |_| told.with(Option::is_some));
    let wanted = RwSignal::new(None::<Wanted>);
    let presses = StoredValue::new(0u32);
    let refused = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let mine = Memo::new(move |_| match wanted.get() {
        Some(wanted) => wanted.score,
        None => told.get().flatten(),
    });
    let waits = Memo::new(move |_| wanted.with(|wanted| wanted.is_some_and(|wanted| wanted.waits)));
    let send = move |score: Option<i8>, press: u32| {
        spawn_local(async move {
            loop {
                let answer = cafe.try_command(Command::Feel { table, score }).await;
                // A later press has its own answer.
                let is_latest = wanted.try_with_untracked(|now| now.is_some_and(|now| now.press == press));
                if is_latest == Some(false) {
                    return;
                }
                match answer {
                    // Also for somebody who has been moved to another table meanwhile: they said it of this one.
                    Err(error) if error.offline => {
                        let _ = wanted.try_set(Some(Wanted { score, press, waits: true }));
                        TimeoutFuture::new(AGAIN_AFTER).await;
                    }
                    Ok(()) => {
                        let _ = wanted.try_set(Some(Wanted { score, press, waits: false }));
                        return;
                    }
                    Err(error) => {
                        let _ = wanted.try_set(None);
                        let _ = refused.try_set(Some(error.text(i18n)));
                        let _ = open.try_set(true);
                        return;
                    }
                }
            }
        });
    };
    let choose = move |score: Option<i8>| {
        let press = presses.get_value() + 1;
        presses.set_value(press);
        refused.set(None);
        wanted.set(Some(Wanted { score, press, waits: false }));
        open.set(false);
        send(score, press);
    };
    // What the view shows needs no remembering.
    Effect::new(move || {
        let known = told.get().flatten();
        if wanted.get().is_some_and(|wanted| wanted.score == known && !wanted.waits) {
            wanted.set(None);
        }
    });
    let connection = cafe.connection();
    let online = Memo::new(move |_| connection.with(|connection| *connection == Connection::Online));
    let id = next_id("feel");
    let (head, body) = (format!("{id}-question"), format!("{id}-choices"));
    let (labelled, controls) = (head.clone(), body.clone());
    let choices = move || {
        (SCORE_MIN..=SCORE_MAX)
            .map(|score| {
                let chosen = move || mine.get() == Some(score);
                view! {
                    <button
                        type="button"
                        class="feel-choice"
                        aria-pressed=move || if chosen() { "true" } else { "false" }
                        on:click=move |_| choose(Some(score))
                    >
                        <Icon icon=face(score) />
                        <span>{move || score_word(score, i18n)}</span>
                    </button>
                }
            })
            .collect_view()
    };
    let words = move || match mine.get() {
        Some(score) => t_string!(i18n, journey.given, score = score_word(score, i18n)).to_string(),
        None => t_string!(i18n, journey.ask).to_string(),
    };
    let state = move || match (refused.get(), waits.get(), online.get()) {
        (Some(why), ..) => Some(why),
        (None, true, _) => Some(t_string!(i18n, journey.unsent).to_string()),
        (None, false, false) if open.get() => Some(t_string!(i18n, journey.offline).to_string()),
        _ => None,
    };
    move || {
        asked.get().then(|| {
            view! {
                <section class="feel" aria-labelledby=labelled.clone()>
                    <button
                        type="button"
                        class="feel-head"
                        id=head.clone()
                        aria-expanded=move || if open.get() { "true" } else { "false" }
                        aria-controls=controls.clone()
                        on:click=move |_| open.update(|open| *open = !*open)
                    >
                        <Icon icon=Signal::derive(move || mine.get().map_or(icondata_lu::LuSmile, face)) />
                        <span class="feel-words">{words}</span>
                        <Icon icon=Signal::derive(move || {
                            if open.get() { icondata_lu::LuChevronUp } else { icondata_lu::LuChevronDown }
                        }) />
                    </button>
                    <div class="feel-body" id=body.clone() hidden=move || !open.get()>
                        <p class="small" hidden=move || mine.get().is_none()>
                            {t!(i18n, journey.ask)}
                        </p>
                        <div class="feel-choices">{choices}</div>
                        <div class="feel-foot">
                            <p class="quiet small">{t!(i18n, journey.counted)}</p>
                            <Show when=move || mine.get().is_some()>
                                <Button kind=ButtonKind::Plain class="button-small" on_click=move |_| choose(None)>
                                    {t!(i18n, journey.take_back)}
                                </Button>
                            </Show>
                        </div>
                    </div>
                    <p class="feel-state small" role="status">
                        {state}
                    </p>
                </section>
            }
        })
    }
}
