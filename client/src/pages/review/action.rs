//! One action as management reads it.

use leptos::prelude::*;
use shared::id::ActionId;
use shared::workshop::state::Decision;

use super::comments::Comments;
use super::decision::{Decide, verdict_class, verdict_word};
use super::follow::FollowUps;
use super::reviewer::Reviewer;
use super::{comments_on, decision_on};
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::harvest::named;
use crate::pages::plan::action_block::title_or;
use crate::pages::plan::action_facts::{ActionBrief, ActionFacts};
use crate::pages::plan::sources::Sources;
use crate::pages::plan::{Planning, reference};
use crate::pages::vote::ranking;
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// Plans of so many actions are shown unfolded.
const FEW: usize = 2;

/// An action: one line with what matters, and everything else when it is opened.
#[component]
pub fn ReviewAction(id: ActionId) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let Planning { plan, harvest, .. } = expect_context::<Planning>();
    let reviewer = expect_context::<Reviewer>();
    let action = plan.action(&id)?;
    let ids = plan.action_ids();
    let anchor = format!("action-{id}");
    let stored = StoredValue::new(id.clone());
    let place = Memo::new(move |_| {
        stored.with_value(|id| ids.with(|ids| ids.iter().position(|other| other == id))).unwrap_or(0)
    });
    let decision = decision_on(cafe, id.clone());
    let comments = comments_on(cafe, Some(id.clone()));
    let ranking = ranking(cafe);
    let themes = harvest.themes();
    // The themes it comes from, each with its dots, as far as there was a vote.
    let from = Memo::new(move |_| {
        let ids = action.with(|action| action.themes.clone());
        themes.with(|themes| {
            let dots = |id| ranking.with(|all| all.iter().find(|(theme, ..)| theme == id).map(|(.., dots)| *dots));
            let here = themes.iter().filter(|theme| ids.contains(&theme.id));
            here.map(|theme| (theme.title.clone(), dots(&theme.id))).collect::<Vec<_>>()
        })
    });
    let votes = Memo::new(move |_| from.with(|from| from.iter().filter_map(|(_, dots)| *dots).sum::<u32>()));
    let sources = Memo::new(move |_| action.with(|action| action.sources.len()));
    let weight = move || {
        let mut words = t_string!(i18n, review.weight, votes = votes.get(), notes = sources.get()).to_string();
        let said = comments.with(Vec::len);
        if said > 0 {
            words.push_str(" · ");
            words.push_str(&t_string!(i18n, review.comment_count, n = said).to_string());
        }
        words
    };
    let voted = move || {
        from.with(|from| {
            from.iter()
                .map(|(title, dots)| {
                    let title = named(i18n, title);
                    let dots = dots.map(|n| t_string!(i18n, vote.dots, n = n).to_string());
                    view! {
                        <li>
                            {title} {dots.map(|dots| view! { <span class="quiet small figures">{dots}</span> })}
                        </li>
                    }
                })
                .collect_view()
        })
    };
    Some(view! {
        <li class="review-action" id=anchor>
            <details open=ids.with_untracked(|ids| ids.len() <= FEW)>
                <summary class="review-line">
                    <span class="action-reference figures">{move || reference(place.get())}</span>
                    <span class="review-what">
                        <h3 class="review-title">{move || action.with(|action| title_or(i18n, action))}</h3>
                        <ActionBrief action decided=Signal::derive(move || decision.with(Option::is_some)) />
                        <span class="quiet small figures">{weight}</span>
                    </span>
                    <VerdictSign decision />
                    <span class="review-fold">
                        <Icon icon=icondata_lu::LuChevronDown />
                    </span>
                </summary>
                <div class="review-open">
                    <ActionFacts action />
                    <section class="review-votes" hidden=move || from.with(Vec::is_empty)>
                        <h4>{t!(i18n, review.from_themes)}</h4>
                        <ul class="review-themes">{voted}</ul>
                    </section>
                    <Sources action=id.clone() editable=Signal::stored(false) />
                    <Decide action=id.clone() decision />
                    {reviewer
                        .reviews
                        .then(|| {
                            view! {
                                <section
                                    class="review-talk"
                                    class:review-silent=move || comments.with(Vec::is_empty)
                                    aria-label=move || t_string!(i18n, review.comments).to_string()
                                >
                                    <h4>{t!(i18n, review.comments)}</h4>
                                    <Comments action=Some(id) />
                                </section>
                            }
                        })}
                </div>
            </details>
            <FollowUps id=stored.get_value() action decision />
        </li>
    })
}

/// The decision as a small sign in words and colour.
#[component]
pub fn VerdictSign(decision: Memo<Option<Decision>>) -> impl IntoView {
    let i18n = use_i18n();
    move || match decision.with(|decision| decision.as_ref().map(|decision| decision.verdict)) {
        None => view! { <span class="verdict">{t!(i18n, review.undecided)}</span> }.into_any(),
        Some(verdict) => view! { <span class=verdict_class(verdict)>{verdict_word(i18n, verdict)}</span> }.into_any(),
    }
}
