//! Themes by their votes, each ready to become an action.

use leptos::prelude::*;
use shared::board::view::Theme;

use super::Planning;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::harvest::named;
use crate::pages::harvest::theme_notes::ThemeNotes;
use crate::pages::vote::ranking;
use crate::state::board::NewActionInput;
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::toast::{ToastKind, toast};

/// Below this width, in CSS pixels, the themes lie above the plan and are folded. The style sheet has the same number.
const NARROW: f64 = 900.0;

/// The themes beside the plan.
#[component]
pub fn PlanThemes() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let planning = expect_context::<Planning>();
    let ranking = ranking(cafe);
    let themes = planning.harvest.themes();
    let rows = Memo::new(move |_| {
        let mut rows: Vec<(Theme, Option<u32>)> = themes.with(|themes| {
            ranking.with(|ranking| {
                themes
                    .iter()
                    .map(|theme| {
                        let dots = ranking.iter().find(|(id, ..)| *id == theme.id).map(|(.., dots)| *dots);
                        (theme.clone(), dots)
                    })
                    .collect()
            })
        });
        rows.sort_by_key(|(_, dots)| std::cmp::Reverse(dots.unwrap_or(0)));
        rows
    });
    let width = window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(NARROW);
    let unfolded = width >= NARROW || planning.plan.writable().get_untracked();
    view! {
        <details class="plan-themes" open=unfolded>
            <summary>
                <h3>{t!(i18n, plan.themes)}</h3>
                <span class="figures quiet">{move || rows.with(Vec::len)}</span>
            </summary>
            <ul class="plan-theme-list">
                <For
                    each=move || rows.get()
                    key=|(theme, dots)| (theme.id.clone(), theme.title.clone(), theme.summary.clone(), *dots)
                    let:row
                >
                    <PlanTheme theme=row.0 dots=row.1 />
                </For>
            </ul>
            <Show when=move || rows.with(Vec::is_empty)>
                <p class="quiet small">{t!(i18n, plan.no_themes)}</p>
            </Show>
        </details>
    }
}

#[component]
fn PlanTheme(theme: Theme, dots: Option<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let planning = expect_context::<Planning>();
    let Planning { plan, harvest, .. } = planning;
    let writable = plan.writable();
    let theme = StoredValue::new(theme);
    let name = move || theme.with_value(|theme| named(i18n, &theme.title));
    let used = Memo::new(move |_| {
        plan.action_ids().with(|ids| {
            let rests_on =
                |action: &shared::board::view::Action| theme.with_value(|theme| action.themes.contains(&theme.id));
            ids.iter().filter(|id| plan.action(id).is_some_and(|action| action.with(rests_on))).count()
        })
    });
    let make = move |_| {
        let Theme { id, title, summary, .. } = theme.get_value();
        let sources = harvest
            .placements()
            .with_untracked(|all| all.iter().filter(|(_, theme)| *theme == id).map(|(note, _)| note.clone()).collect());
        let input = NewActionInput { title, reason: summary, themes: vec![id], sources, ..NewActionInput::default() };
        if planning.make(input) {
            toast(ToastKind::Good, t_string!(i18n, plan.made).to_string());
        }
    };
    let unfolded = RwSignal::new(false);
    view! {
        <li class="plan-theme">
            <div class="plan-theme-line">
                <strong>{name}</strong>
                {dots.map(|n| {
                    view! {
                        <span class="plan-theme-dots small figures">
                            {move || t_string!(i18n, vote.dots, n = n).to_string()}
                        </span>
                    }
                })}
            </div>
            {move || {
                let summary = theme.with_value(|theme| theme.summary.trim().to_owned());
                (!summary.is_empty()).then(|| view! { <p class="quiet small pre">{summary}</p> })
            }}
            <details
                class="plan-theme-notes"
                on:toggle=move |event| {
                    let open = event_target::<web_sys::Element>(&event).has_attribute("open");
                    unfolded.update(|unfolded| *unfolded |= open);
                }
            >
                <summary class="small">{t!(i18n, vote.what_was_said)}</summary>
                <Show when=move || unfolded.get()>
                    <ThemeNotes theme=theme.with_value(|theme| theme.id.clone()) />
                </Show>
            </details>
            <div class="plan-theme-line">
                <span class="quiet small figures">
                    {move || {
                        let n = used.get();
                        (n > 0).then(|| t_string!(i18n, plan.used, n = n).to_string())
                    }}
                </span>
                <Show when=move || writable.get()>
                    <Button class="button-small" icon=icondata_lu::LuPlus on_click=make>
                        {t!(i18n, plan.make)}
                        <span class="visually-hidden">{name}</span>
                    </Button>
                </Show>
            </div>
        </li>
    }
}
