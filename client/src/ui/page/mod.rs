//! The frame of a page: its width, its heading, its one place for controls.

use leptos::prelude::*;

use crate::i18n::{t, use_i18n};
use crate::ui::icon::Icon;

/// How wide a page's content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// A form or a question: one column.
    Narrow,
    /// A document or a list.
    #[default]
    Normal,
    /// Several columns.
    Wide,
    /// All there is.
    Full,
}

/// The main part of a page.
#[component]
pub fn Page(
    /// How wide.
    #[prop(optional)]
    width: Width,
    /// Further classes.
    #[prop(optional, into)]
    class: MaybeProp<String>,
    /// What is on it.
    children: Children,
) -> impl IntoView {
    let own = match width {
        Width::Narrow => "page page-narrow",
        Width::Normal => "page",
        Width::Wide => "page page-wide",
        Width::Full => "page page-full",
    };
    view! {
        <main
            id="main"
            class=move || class.get().map_or_else(|| own.to_owned(), |more| format!("{own} {more}"))
        >
            {children()}
        </main>
    }
}

/// The heading of a page, the way back, and what can be done with the whole page.
#[component]
pub fn PageHeader(
    /// The heading.
    #[prop(into)]
    title: Signal<String>,
    /// One line below it.
    #[prop(optional, into)]
    subtitle: Signal<Option<String>>,
    /// Where the way back leads.
    #[prop(optional, into)]
    back: Signal<Option<String>>,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <header class="page-header">
            <div class="page-header-text">
                {move || {
                    back.get()
                        .map(|href| {
                            view! {
                                <a class="page-back" href=href>
                                    <Icon icon=icondata_lu::LuArrowLeft />
                                    {t!(i18n, kit.back)}
                                </a>
                            }
                        })
                }}
                <h1>{move || title.get()}</h1>
                {move || {
                    subtitle.get().map(|text| view! { <p class="page-subtitle">{text}</p> })
                }}
            </div>
            {children.map(|children| view! { <div class="page-header-actions">{children()}</div> })}
        </header>
    }
}
