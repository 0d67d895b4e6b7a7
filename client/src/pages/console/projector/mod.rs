//! The projector: the clock, the question or the QR picture, and nothing else.

use leptos::prelude::*;
use shared::workshop::Phase;

use super::facts;
use super::for_facilitator;
use super::lobby::{JoinWay, join_link};
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::state::identity::Identity;
use crate::ui::clock::{Reading, minutes_seconds, reading};

/// What the room sees.
#[component]
pub fn ProjectorPage() -> impl IntoView {
    for_facilitator(|identity| view! { <Projector identity /> }.into_any())
}

#[component]
fn Projector(identity: Identity) -> impl IntoView {
    let cafe = Cafe::open(identity);
    provide_context(cafe);
    let phase = cafe.memo(|view| view.phase);
    let seated = cafe.memo(|view| view.round.is_some());
    view! {
        <main id="main" class="projector">
            {move || match (phase.get(), seated.get()) {
                (None, _) => ().into_any(),
                (Some(Phase::Draft | Phase::Lobby), _) | (Some(Phase::Rounds), Some(false) | None) => {
                    view! { <Welcome cafe /> }.into_any()
                }
                (Some(Phase::Rounds), Some(true)) => view! { <Round cafe /> }.into_any(),
                (Some(phase), _) => view! { <Station cafe phase /> }.into_any(),
            }}
        </main>
    }
}

#[component]
fn Welcome(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let title = cafe.memo(|view| view.title.clone());
    let open = cafe.memo(|view| view.phase != Phase::Draft);
    let count = cafe.memo(|view| view.people_count);
    let code = cafe.memo(|view| facts::part(view).map(|part| part.join_code.clone()).unwrap_or_default());
    let link = join_link(cafe);
    view! {
        <h1 class="projector-title">{move || title.get()}</h1>
        <Show when=move || open.get() == Some(true)>
            <JoinWay code=Signal::derive(move || code.get().unwrap_or_default()) link />
            <p class="projector-line figures">
                {move || t_string!(i18n, console.here, n = count.get().unwrap_or(0)).to_string()}
            </p>
        </Show>
    }
}

#[component]
fn Round(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let reading = reading(cafe);
    let round = cafe.memo(facts::round);
    let question = cafe.memo(|view| {
        let index = usize::from(view.round.as_ref()?.index);
        view.rounds.get(index)?.question.clone()
    });
    let state = move || {
        let n = round.get().and_then(|round| round.index).map_or(1, |index| index + 1);
        match reading.get() {
            Reading::Moving(_) if n == 1 => t_string!(i18n, console.projector_seating).to_string(),
            Reading::Moving(_) => t_string!(i18n, console.projector_moving).to_string(),
            Reading::Paused(_) => t_string!(i18n, console.projector_paused, n = n).to_string(),
            Reading::Over => t_string!(i18n, console.projector_over, n = n).to_string(),
            Reading::Running(_) | Reading::None => t_string!(i18n, new.round, n = n).to_string(),
        }
    };
    view! {
        <p class="projector-line">{state}</p>
        <p class="projector-clock figures" role="timer" class:projector-ending=move || reading.get().is_ending()>
            {move || match reading.get() {
                Reading::Over => t_string!(i18n, kit.clock_over).to_string(),
                other => minutes_seconds(other.seconds()),
            }}
        </p>
        <h1 class="projector-question pre">{move || question.get().flatten()}</h1>
    }
}

/// After the rounds: what everybody is doing now.
#[component]
fn Station(cafe: Cafe, phase: Phase) -> impl IntoView {
    let i18n = use_i18n();
    let title = cafe.memo(|view| view.title.clone());
    let voters = cafe.memo(|view| view.vote.as_ref().filter(|vote| vote.open).map(|vote| vote.voters));
    let hint = move || match phase {
        Phase::Gallery => t_string!(i18n, console.projector_gallery).to_string(),
        Phase::Harvest => t_string!(i18n, console.projector_harvest).to_string(),
        Phase::Vote if voters.get().flatten().is_none() => t_string!(i18n, console.projector_voted).to_string(),
        Phase::Vote => t_string!(i18n, console.projector_vote).to_string(),
        Phase::Plan => t_string!(i18n, console.projector_plan).to_string(),
        _ => t_string!(i18n, console.projector_thanks).to_string(),
    };
    view! {
        <p class="projector-line">{move || title.get()}</p>
        <h1 class="projector-title">{move || facts::phase_word(phase, i18n)}</h1>
        <p class="projector-question">{hint}</p>
        {move || {
            voters
                .get()
                .flatten()
                .map(|voters| {
                    view! { <p class="projector-line figures">{t!(i18n, console.projector_voters, n = voters)}</p> }
                })
        }}
    }
}
