//! The first page: what this is, joining with a code, starting a café, and the cafés this device knows.

pub mod join_form;
mod known;
mod scene;
pub mod templates;

use leptos::prelude::*;

use self::join_form::JoinForm;
use self::known::KnownCafes;
use self::scene::Scene;
use self::templates::TemplateCards;
use crate::i18n::{t, t_string, use_i18n};
use crate::ui::lang::LangSwitch;
use crate::ui::page::{Page, Width};
use crate::ui::theme::ThemeSwitch;

/// The home page.
#[component]
pub fn HomePage() -> impl IntoView {
    let i18n = use_i18n();
    // Chinese has no spaces to break at: lines end at a comma where they can.
    let sentence = move || {
        let sentence = t_string!(i18n, home.sentence).to_string();
        sentence
            .split_inclusive('，')
            .map(|clause| view! { <span class="home-clause">{clause.to_owned()}</span> })
            .collect_view()
    };
    view! {
        <TopBar />
        <Page width=Width::Wide class="home">
            <section class="home-hero">
                <div class="home-words">
                    <h1 class="home-sentence">{sentence}</h1>
                    <p class="home-more">{t!(i18n, home.more)}</p>
                    <JoinForm />
                </div>
                <Scene />
            </section>
            <KnownCafes />
            <section class="stack home-start" aria-labelledby="home-start">
                <div>
                    <h2 id="home-start">{t!(i18n, home.start)}</h2>
                    <p class="quiet">{t!(i18n, home.start_hint)}</p>
                </div>
                <TemplateCards />
            </section>
        </Page>
    }
}

/// The name of the product, and the switches for language and light. Shared by the pages outside a café.
#[component]
pub fn TopBar() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <header class="top-bar">
            <a class="top-bar-name" href="/">
                <img src="/favicon.svg" alt="" width="32" height="32" />
                <span>{t!(i18n, home.name)}</span>
            </a>
            <div class="top-bar-switches">
                <LangSwitch />
                <ThemeSwitch />
            </div>
        </header>
    }
}
