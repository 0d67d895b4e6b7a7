//! The vote from the facilitator's side, and its result for everybody.

use leptos::prelude::*;
use shared::id::ThemeId;
use shared::limits;
use shared::workshop::Command;

use super::ballot::WhatWasSaid;
use super::vote_of;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::harvest::named;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::empty::Empty;

/// How many have voted, the number of dots, closing and opening again; the ranking once it is closed.
#[component]
pub fn VoteResults() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let vote = vote_of(cafe);
    let people = cafe.memo(|view| view.people_count);
    let people = move || people.get().unwrap_or_default();
    let open = Memo::new(move |_| vote.with(|v| v.as_ref().is_some_and(|v| v.open)));
    let dots = Memo::new(move |_| vote.with(|v| v.as_ref().map_or(0, |v| v.dots)));
    let voters = Memo::new(move |_| vote.with(|v| v.as_ref().map_or(0, |v| v.voters)));
    let themes = Memo::new(move |_| vote.with(|v| v.as_ref().map(|v| v.themes.clone()).unwrap_or_default()));
    view! {
        <section class="vote" aria-labelledby="vote-results-title">
            <header class="vote-head">
                <h2 id="vote-results-title">{t!(i18n, vote.title)}</h2>
                <p class="quiet">
                    {move || {
                        if open.get() {
                            t_string!(i18n, vote.running).to_string()
                        } else {
                            t_string!(i18n, vote.closed).to_string()
                        }
                    }}
                </p>
            </header>
            <div class="vote-panel">
                <p class="vote-voters" role="status">
                    <span class="vote-figure figures">{move || voters.get()}</span>
                    <span>{move || t_string!(i18n, vote.voters, people = people()).to_string()}</span>
                </p>
                <progress
                    max=move || people().max(1)
                    prop:value=move || f64::from(voters.get())
                    aria-label=move || t_string!(i18n, vote.progress).to_string()
                ></progress>
                <div class="vote-controls">
                    <Show
                        when=move || open.get()
                        fallback=move || {
                            view! {
                                <Show when=move || !themes.with(Vec::is_empty)>
                                    <Button
                                        icon=icondata_lu::LuRotateCcw
                                        on_click=move |_| cafe.command(Command::ReopenVote)
                                    >
                                        {t!(i18n, vote.reopen)}
                                    </Button>
                                </Show>
                            }
                        }
                    >
                        <div
                            class="vote-setting"
                            role="group"
                            aria-label=move || t_string!(i18n, vote.dots_each).to_string()
                        >
                            <span>{t!(i18n, vote.dots_each)}</span>
                            <Button
                                kind=ButtonKind::Quiet
                                icon=icondata_lu::LuMinus
                                label=Signal::derive(move || Some(t_string!(i18n, vote.fewer).to_string()))
                                disabled=Signal::derive(move || dots.get() <= 1)
                                on_click=move |_| {
                                    cafe.command(Command::SetDots { dots: dots.get_untracked().saturating_sub(1) });
                                }
                            />
                            <strong class="figures vote-each" aria-live="polite">{move || dots.get()}</strong>
                            <Button
                                kind=ButtonKind::Quiet
                                icon=icondata_lu::LuPlus
                                label=Signal::derive(move || Some(t_string!(i18n, vote.more_dots).to_string()))
                                disabled=Signal::derive(move || dots.get() >= limits::DOTS_MAX)
                                on_click=move |_| {
                                    cafe.command(Command::SetDots { dots: dots.get_untracked().saturating_add(1) });
                                }
                            />
                        </div>
                    </Show>
                </div>
            </div>
            <Show when=move || open.get() fallback=move || view! { <Ranking foldable=true /> }>
                <p class="quiet">{t!(i18n, vote.hidden)}</p>
                <ul class="vote-themes">
                    <For each=move || themes.get() key=|theme| (theme.id.clone(), theme.title.clone()) let:theme>
                        <li class="vote-theme">
                            <h3 class="vote-name">
                                {
                                    let title = theme.title.clone();
                                    move || named(i18n, &title)
                                }
                            </h3>
                            <WhatWasSaid theme=theme.id.clone() />
                        </li>
                    </For>
                </ul>
            </Show>
        </section>
    }
}

/// Themes by their dots, most first; ties keep the order of the harvest.
#[component]
pub fn Ranking(
    /// Each theme's notes can be unfolded.
    #[prop(optional)]
    foldable: bool,
) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let ranking = ranking(cafe);
    let most = Memo::new(move |_| ranking.with(|all| all.iter().map(|(_, _, dots)| *dots).max().unwrap_or(0).max(1)));
    view! {
        <ol class="ranking">
            <For each=move || ranking.get() key=|(id, title, dots)| (id.clone(), title.clone(), *dots) let:row>
                {
                    let (id, title, dots) = row;
                    view! {
                        <li class="ranking-row">
                            <h3 class="vote-name">{move || named(i18n, &title)}</h3>
                            <span class="ranking-dots figures">
                                {move || t_string!(i18n, vote.dots, n = dots).to_string()}
                            </span>
                            <span class="ranking-bar" aria-hidden="true">
                                <span style:inline-size=move || format!("{}%", dots * 100 / most.get())></span>
                            </span>
                            {foldable.then(|| view! { <WhatWasSaid theme=id /> })}
                        </li>
                    }
                }
            </For>
        </ol>
        <Show when=move || ranking.with(Vec::is_empty)>
            <Empty icon=icondata_lu::LuVote text=Signal::derive(move || t_string!(i18n, vote.nothing).to_string()) />
        </Show>
    }
}

/// Themes of the vote with their dots, most first; empty until the vote is closed.
pub fn ranking(cafe: Cafe) -> Memo<Vec<(ThemeId, String, u32)>> {
    let vote = vote_of(cafe);
    Memo::new(move |_| {
        vote.with(|vote| {
            let Some((themes, tally)) = vote.as_ref().and_then(|v| v.tally.as_ref().map(|t| (&v.themes, t))) else {
                return Vec::new();
            };
            let mut rows: Vec<_> = themes
                .iter()
                .map(|theme| {
                    let dots = tally.iter().find(|(id, _)| *id == theme.id).map_or(0, |(_, dots)| *dots);
                    (theme.id.clone(), theme.title.clone(), dots)
                })
                .collect();
            rows.sort_by_key(|(_, _, dots)| std::cmp::Reverse(*dots));
            rows
        })
    })
}
