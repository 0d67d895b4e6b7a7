//! The templates as cards.

use leptos::prelude::*;
use shared::template::Template;

use crate::api;
use crate::i18n::{language, t, t_string, use_i18n};
use crate::ui::button::Button;
use crate::ui::empty::Empty;
use crate::ui::icon::Icon;
use crate::ui::table_badge::TableBadge;

/// What stands for "no template" in the address of the form.
pub const EMPTY: &str = "empty";

/// Templates there are; their place is kept free while they load.
const PLACES: usize = 4;

/// A card for each template, and one for an empty café; each leads to the form.
#[component]
pub fn TemplateCards() -> impl IntoView {
    let i18n = use_i18n();
    let templates = LocalResource::new(move || {
        let language = language(i18n.get_locale());
        async move { api::templates(language).await }
    });
    let cards = move || match templates.get() {
        None => {
            (0..PLACES).map(|_| view! { <li class="template-card template-waiting"></li> }).collect_view().into_any()
        }
        Some(Ok(list)) => {
            list.into_iter().map(|template| view! { <TemplateCard template /> }).collect_view().into_any()
        }
        Some(Err(error)) => view! {
            <li class="template-card template-failed">
                <Empty text=move || error.text(i18n) icon=icondata_lu::LuWifiOff>
                    <Button on_click=move |_| templates.refetch()>{move || t_string!(i18n, home.again)}</Button>
                </Empty>
            </li>
        }
        .into_any(),
    };
    view! {
        <ul class="template-cards">
            {cards} <li class="template-card template-empty">
                <a class="template-link" href=format!("/new?template={EMPTY}")>
                    <span class="template-name">
                        <Icon icon=icondata_lu::LuPlus />
                        {t!(i18n, home.empty)}
                    </span>
                </a>
                <p class="template-text">{t!(i18n, home.empty_hint)}</p>
            </li>
        </ul>
    }
}

#[component]
fn TemplateCard(template: Template) -> impl IntoView {
    let i18n = use_i18n();
    let Template { id, name, description, draft } = template;
    let tables = draft.tables.len();
    let rounds = draft.rounds.len();
    let minutes = draft.rounds.iter().map(|round| round.minutes).sum::<f64>().round();
    let topics = draft
        .tables
        .into_iter()
        .zip(1_u16..)
        .map(|(table, number)| {
            view! {
                <li>
                    <TableBadge id=shared::id::TableId(number) />
                    <span class="clip">{table.topic}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <li class="template-card">
            <a class="template-link" href=format!("/new?template={id}")>
                <span class="template-name">{name}</span>
            </a>
            <p class="template-text">{description}</p>
            <ul class="template-topics">{topics}</ul>
            <p class="template-figures figures">
                {t!(i18n, home.figures, tables = tables, rounds = rounds, minutes = minutes)}
            </p>
        </li>
    }
}
