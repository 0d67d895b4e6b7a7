//! The café in one paragraph of figures.

use leptos::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::id::Role;

use super::decisions_of;
use crate::api;
use crate::i18n::{t_string, use_i18n};
use crate::pages::plan::Planning;
use crate::state::cafe::Cafe;

/// People, tables, notes, themes, actions: where the plan comes from, in one sentence; and how far the review is.
#[component]
pub fn Figures() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Planning { plan, harvest, tables, .. } = expect_context::<Planning>();
    let people = took_part(cafe);
    let count = cafe.memo(|view| view.table_count);
    let rounds = cafe.memo(|view| view.rounds.len());
    let notes = tables.refs();
    let themes = harvest.themes();
    let ids = plan.action_ids();
    let decisions = decisions_of(cafe);
    let sentence = move || {
        let themes = match themes.with(Vec::len) {
            1 => t_string!(i18n, review.one_theme).to_string(),
            n => t_string!(i18n, review.n_themes, n = n).to_string(),
        };
        let actions = match ids.with(Vec::len) {
            1 => t_string!(i18n, review.one_action).to_string(),
            n => t_string!(i18n, review.n_actions, n = n).to_string(),
        };
        let rounds = match rounds.get().unwrap_or_default() {
            1 => t_string!(i18n, review.one_round).to_string(),
            n => t_string!(i18n, review.n_rounds, n = n).to_string(),
        };
        t_string!(
            i18n,
            review.figures,
            people = people.get(),
            tables = count.get().unwrap_or_default(),
            rounds = rounds,
            notes = notes.with(Vec::len),
            themes = themes,
            actions = actions
        )
        .to_string()
    };
    let decided = move || {
        let decided =
            decisions.with(|all| ids.with(|ids| all.iter().filter(|made| ids.contains(&made.action)).count()));
        t_string!(i18n, review.decided, n = decided, total = ids.with(Vec::len)).to_string()
    };
    view! {
        <p class="review-figures figures">{sentence}</p>
        <Show when=move || !ids.with(Vec::is_empty)>
            <p class="quiet figures" role="status">{decided}</p>
        </Show>
    }
}

/// Who took part, those who have left included: their notes count, too. The view counts who is here; management, who are few, ask for the
/// whole list.
fn took_part(cafe: Cafe) -> Signal<u32> {
    #[derive(Deserialize)]
    struct Export {
        participants: Vec<IgnoredAny>,
    }
    let here = cafe.memo(|view| view.people_count);
    let identity = cafe.identity();
    let all = LocalResource::new(move || {
        let identity = identity.clone();
        async move {
            if identity.role == Role::Participant {
                return None;
            }
            let export = api::export(&identity.workshop, &identity.token, "json").await.ok()?;
            let Export { participants } = serde_json::from_str(&export).ok()?;
            u32::try_from(participants.len()).ok()
        }
    });
    Signal::derive(move || all.get().flatten().unwrap_or_default().max(here.get().unwrap_or_default()))
}
