//! A participant's ballot.

use leptos::prelude::*;
use shared::workshop::state::ThemeRef;

use super::dots::Dots;
use super::vote_of;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::harvest::named;
use crate::pages::harvest::theme_notes::ThemeNotes;
use crate::pages::vote::results::Ranking;
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::empty::Empty;

/// Themes with one's dots on them, and the counts once the vote is closed.
#[component]
pub fn VotePage() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let vote = vote_of(cafe);
    let dots = Dots::new(cafe, vote);
    let themes = Memo::new(move |_| vote.with(|v| v.as_ref().map(|v| v.themes.clone()).unwrap_or_default()));
    let open = Memo::new(move |_| vote.with(|v| v.as_ref().is_some_and(|v| v.open)));
    let told = Memo::new(move |_| vote.with(|v| v.as_ref().is_some_and(|v| v.tally.is_some())));
    let left = Memo::new(move |_| dots.left());
    let all = Memo::new(move |_| vote.with(|v| v.as_ref().map_or(0, |v| u32::from(v.dots))));
    view! {
        <section class="vote" aria-labelledby="vote-title">
            <header class="vote-head">
                <h2 id="vote-title">{t!(i18n, vote.title)}</h2>
                <p class="quiet">
                    {move || {
                        if open.get() {
                            t_string!(i18n, vote.lead).to_string()
                        } else {
                            t_string!(i18n, vote.closed).to_string()
                        }
                    }}
                </p>
            </header>
            <Show when=move || open.get() && !themes.with(Vec::is_empty)>
                <div class="vote-left">
                    <span class="vote-dots" aria-hidden="true">
                        {move || {
                            (0..all.get())
                                .map(|n| view! { <i class="vote-dot" class:vote-dot-spent=move || left.get() <= n></i> })
                                .collect_view()
                        }}
                    </span>
                    <span class="figures" role="status">
                        {move || {
                            if left.get() == 0 {
                                t_string!(i18n, vote.none_left).to_string()
                            } else {
                                t_string!(i18n, vote.left, n = left.get()).to_string()
                            }
                        }}
                    </span>
                </div>
            </Show>
            <Show when=move || open.get() || !told.get() fallback=move || view! { <Ranking foldable=true /> }>
                <Show
                    when=move || !themes.with(Vec::is_empty)
                    fallback=move || {
                        view! {
                            <Empty
                                icon=icondata_lu::LuVote
                                text=Signal::derive(move || t_string!(i18n, vote.nothing).to_string())
                            />
                        }
                    }
                >
                    <ul class="vote-themes">
                        <For each=move || themes.get() key=|theme| (theme.id.clone(), theme.title.clone()) let:theme>
                            <Choice theme dots left open />
                        </For>
                    </ul>
                </Show>
            </Show>
        </section>
    }
}

/// One theme with the dots one has put on it.
#[component]
fn Choice(theme: ThemeRef, dots: Dots, left: Memo<u32>, open: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let id = StoredValue::new(theme.id.clone());
    let mine = Memo::new(move |_| id.with_value(|id| dots.on(id)));
    let title = theme.title;
    let name = Memo::new(move |_| named(i18n, &title));
    let put = move |count: u8| id.with_value(|id| dots.put(id, count));
    view! {
        <li class="vote-theme" class:vote-theme-mine=move || mine.get() != 0>
            <div class="vote-row">
                <h3 class="vote-name">{move || name.get()}</h3>
                <div class="vote-buttons">
                    <Button
                        icon=icondata_lu::LuMinus
                        label=Signal::derive(move || Some(t_string!(i18n, vote.less, theme = name.get()).to_string()))
                        disabled=Signal::derive(move || !open.get() || mine.get() == 0)
                        on_click=move |_| put(mine.get_untracked().saturating_sub(1))
                    />
                    <span class="vote-mine figures">
                        <strong aria-hidden="true">{move || mine.get()}</strong>
                        <span class="visually-hidden" role="status">
                            {move || t_string!(i18n, vote.dots, n = mine.get()).to_string()}
                        </span>
                    </span>
                    <Button
                        icon=icondata_lu::LuPlus
                        label=Signal::derive(move || Some(t_string!(i18n, vote.more, theme = name.get()).to_string()))
                        disabled=Signal::derive(move || !open.get() || left.get() == 0)
                        on_click=move |_| put(mine.get_untracked().saturating_add(1))
                    />
                </div>
            </div>
            <span class="vote-dots vote-dots-mine" aria-hidden="true">
                {move || (0..mine.get()).map(|_| view! { <i class="vote-dot"></i> }).collect_view()}
            </span>
            <WhatWasSaid theme=theme.id />
        </li>
    }
}

/// The notes of a theme, folded until somebody wants them; their boards are opened then.
#[component]
pub fn WhatWasSaid(
    /// Which theme.
    theme: shared::id::ThemeId,
) -> impl IntoView {
    let i18n = use_i18n();
    let unfolded = RwSignal::new(false);
    let theme = StoredValue::new(theme);
    view! {
        <details
            class="vote-notes"
            on:toggle=move |event| {
                let open = event_target::<web_sys::Element>(&event).has_attribute("open");
                unfolded.update(|unfolded| *unfolded |= open);
            }
        >
            <summary>{t!(i18n, vote.what_was_said)}</summary>
            <Show when=move || unfolded.get()>
                <ThemeNotes theme=theme.get_value() />
            </Show>
        </details>
    }
}
