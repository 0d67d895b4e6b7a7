//! What is needed now and then: questions, locking, links, the projector, the way back.

use leptos::prelude::*;
use shared::limits;
use shared::workshop::{Command, Phase};

use super::facts;
use super::links::Links;
use super::takeaway::TakeAway;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, LinkButton};
use crate::ui::dialog::Confirm;
use crate::ui::field::{CheckField, NumberField, TextArea};
use crate::ui::toast::{ToastKind, toast};

/// All tools, each where it can be used.
#[component]
pub(super) fn Tools(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let phase = cafe.memo(|view| view.phase);
    let workshop = cafe.workshop();
    view! {
        <div class="stack tools">
            <LinkButton href=format!("/host/{workshop}/projector") icon=icondata_lu::LuProjector new_tab=true>
                {t!(i18n, console.projector)}
            </LinkButton>
            <Show when=move || { phase.get().is_some_and(|phase| phase >= Phase::Lobby && phase < Phase::Closed) }>
                <LockBoards cafe />
            </Show>
            <Show when=move || matches!(phase.get(), Some(Phase::Lobby | Phase::Rounds))>
                <RoundQuestions cafe />
            </Show>
            <Show when=move || { phase.get().is_some_and(|phase| phase < Phase::Vote) }>
                <Dots cafe />
            </Show>
            <Links cafe />
            <TakeAway cafe />
            <SkipRounds cafe />
            <StepBack cafe />
        </div>
    }
}

#[component]
fn LockBoards(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let locked = cafe.memo(|view| view.locked);
    let busy = RwSignal::new(false);
    let value = RwSignal::new(false);
    Effect::new(move || value.set(locked.get() == Some(true)));
    let lock = move |wanted: bool| {
        facts::send_shown(cafe, i18n, busy, Command::LockBoards { locked: wanted }, move || {
            let _ = value.try_set(locked.try_get_untracked().flatten() == Some(true));
        });
    };
    view! {
        <CheckField
            label=move || t_string!(i18n, console.lock).to_string()
            hint=move || t_string!(i18n, console.lock_hint).to_string()
            value
            on_change=lock
        />
    }
}

/// The questions that all tables share, one a round.
#[component]
fn RoundQuestions(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let rounds = cafe.memo(|view| view.rounds.len());
    view! {
        <section class="stack" aria-labelledby="round-questions">
            <h2 id="round-questions">{t!(i18n, console.round_questions)}</h2>
            {move || {
                (0..u8::try_from(rounds.get().unwrap_or(0)).unwrap_or(u8::MAX))
                    .map(|round| view! { <RoundQuestion cafe round /> })
                    .collect_view()
            }}
        </section>
    }
}

#[component]
fn RoundQuestion(cafe: Cafe, round: u8) -> impl IntoView {
    let i18n = use_i18n();
    let known = cafe.memo(move |view| {
        view.rounds.get(usize::from(round)).and_then(|round| round.question.clone()).unwrap_or_default()
    });
    let known = Memo::new(move |_| known.get().unwrap_or_default());
    let value = RwSignal::new(known.get_untracked());
    let busy = RwSignal::new(false);
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let done = t_string!(i18n, console.question_changed).to_string();
        let command = Command::SetRoundQuestion { round, question: value.get_untracked() };
        facts::send(cafe, i18n, busy, command, move || toast(ToastKind::Good, done));
    };
    view! {
        <form class="stack tools-question" on:submit=save novalidate>
            <TextArea
                label=move || t_string!(i18n, new.round, n = round + 1).to_string()
                value
                max_chars=limits::QUESTION_CHARS
            />
            <Show when=move || value.get() != known.get()>
                <div>
                    <Button submit=true busy icon=icondata_lu::LuCheck>
                        {t!(i18n, console.save_question)}
                    </Button>
                </div>
            </Show>
        </form>
    }
}

/// Dots a person, until the vote begins; from then on they stand beside the vote itself.
#[component]
fn Dots(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let known = cafe.memo(|view| facts::part(view).map(|part| part.draft.settings.dots).unwrap_or_default());
    let value = RwSignal::new(String::new());
    Effect::new(move || value.set(known.get().map(|dots| dots.to_string()).unwrap_or_default()));
    let busy = RwSignal::new(false);
    let changed = move || value.get().trim().parse::<u8>().ok() != known.get();
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // What is no number is out of range, and the refusal says so.
        let dots = value.with_untracked(|value| value.trim().parse().unwrap_or(0));
        facts::send(cafe, i18n, busy, Command::SetDots { dots }, || {});
    };
    view! {
        <form class="stack" on:submit=save novalidate>
            <NumberField
                label=move || t_string!(i18n, new.dots).to_string()
                value
                min=1.0
                max=f64::from(limits::DOTS_MAX)
            />
            <Show when=changed>
                <div>
                    <Button submit=true busy icon=icondata_lu::LuCheck>
                        {t!(i18n, console.save_dots)}
                    </Button>
                </div>
            </Show>
        </form>
    }
}

/// On to the gallery while there are rounds left, after asking.
#[component]
fn SkipRounds(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let left = cafe.memo(|view| {
        let facts::RoundFacts { index, planned, .. } = facts::round(view);
        let begun = index.map(|index| usize::from(index) + 1).filter(|_| view.phase == Phase::Rounds);
        begun.map_or(0, |begun| planned.saturating_sub(begun))
    });
    let left = move || left.get().unwrap_or(0);
    let asking = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let go = move |()| facts::send(cafe, i18n, busy, Command::GoTo { phase: Phase::Gallery }, || {});
    view! {
        <Show when=move || left() != 0>
            <Button icon=icondata_lu::LuSkipForward busy on_click=move |_| asking.set(true)>
                {t!(i18n, console.skip_rounds)}
            </Button>
        </Show>
        <Confirm
            open=asking
            title=move || t_string!(i18n, console.skip_rounds_title).to_string()
            text=move || t_string!(i18n, console.skip_rounds_text, n = left()).to_string()
            action=move || t_string!(i18n, console.next_gallery).to_string()
            on_yes=Callback::new(go)
        />
    }
}

/// One phase back, after asking.
#[component]
fn StepBack(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let previous = cafe.memo(|view| view.phase.previous());
    let previous = Memo::new(move |_| previous.get().flatten());
    let asking = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let word = move || previous.get().map(|phase| facts::phase_word(phase, i18n)).unwrap_or_default();
    let go = move |()| {
        if let Some(phase) = previous.get_untracked() {
            facts::send(cafe, i18n, busy, Command::GoTo { phase }, || {});
        }
    };
    view! {
        <Show when=move || previous.get().is_some()>
            <Button icon=icondata_lu::LuArrowLeft busy on_click=move |_| asking.set(true)>
                {move || t_string!(i18n, console.step_back, phase = word()).to_string()}
            </Button>
        </Show>
        <Confirm
            open=asking
            title=move || t_string!(i18n, console.step_back_title, phase = word()).to_string()
            text=move || t_string!(i18n, console.step_back_text).to_string()
            action=move || t_string!(i18n, console.step_back_yes).to_string()
            on_yes=Callback::new(go)
        />
    }
}
