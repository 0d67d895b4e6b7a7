//! The review: management reads the plan as a document, comments and decides.

mod action;
mod comments;
mod decision;
mod fate;
mod figures;
mod follow;
mod reviewer;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::id::{ActionId, Role, WorkshopId};
use shared::workshop::Phase;
use shared::workshop::state::{Comment, Decision};
use shared::workshop::view::Part;
use web_sys::Element;

use self::action::ReviewAction;
use self::comments::Comments;
use self::fate::YourNotes;
use self::figures::Figures;
use self::follow::{Follow, Outlooks};
use self::reviewer::Reviewer;
use crate::api::ApiError;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::console::takeaway::TakeAway;
use crate::pages::home::TopBar;
use crate::pages::plan::Planning;
use crate::pages::plan::sources::ShowTable;
use crate::platform::Listener;
use crate::state::cafe::Cafe;
use crate::state::identity::{self, Identity};
use crate::ui::button::{Button, ButtonKind, LinkButton};
use crate::ui::connection::ConnectionSign;
use crate::ui::effort_impact::EffortImpact;
use crate::ui::empty::Empty;
use crate::ui::journey::Lens;
use crate::ui::page::{Page, Width};

/// Management's page: the link is enough, no code and no name before reading.
#[component]
pub fn ReviewPage() -> impl IntoView {
    let params = use_params_map();
    let i18n = use_i18n();
    let workshop = Memo::new(move |_| WorkshopId(params.with(|params| params.get("id").unwrap_or_default())));
    move || match identity::adopt(&workshop.get(), Role::Reviewer) {
        Some(identity) => view! { <Review identity /> }.into_any(),
        None => {
            let words = Signal::derive(move || t_string!(i18n, review.no_key).to_string());
            view! { <NoWay words /> }.into_any()
        }
    }
}

/// Why the plan cannot be shown, and the way home.
#[component]
fn NoWay(words: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <TopBar />
        <Page width=Width::Narrow>
            <h1>{t!(i18n, review.title)}</h1>
            <Empty icon=icondata_lu::LuKeyRound text=words>
                <LinkButton kind=ButtonKind::Primary href=Signal::stored("/".to_owned())>
                    {t!(i18n, review.home)}
                </LinkButton>
            </Empty>
        </Page>
    }
}

#[component]
fn Review(identity: Identity) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = Cafe::open(identity);
    provide_context(cafe);
    let title = cafe.memo(|view| view.title.clone());
    let purpose = cafe.memo(|view| view.purpose.clone());
    let written = cafe.memo(|view| view.phase >= Phase::Plan);
    let denied = cafe.denied();
    Effect::new(move || {
        if let Some(title) = title.get().filter(|title| !title.is_empty()) {
            document().set_title(&title);
        }
    });
    move || {
        match denied.get() {
        Some(code) => {
            let words = Signal::derive(move || ApiError::of(&code).text(i18n));
            view! { <NoWay words /> }.into_any()
        }
        None => view! {
            <TopBar />
            <Page>
                <header class="review-cover">
                    <div class="review-cover-line">
                        <h1>{move || title.get()}</h1>
                        <div class="no-print">
                            <ConnectionSign />
                        </div>
                    </div>
                    <p class="quiet pre" hidden=move || purpose.with(|text| text.as_deref().unwrap_or_default().is_empty())>
                        {move || purpose.get()}
                    </p>
                </header>
                <ReviewBody />
                <Show when=move || written.get() == Some(true)>
                    <section class="review-take no-print" aria-labelledby="review-take-title">
                        <h3 id="review-take-title">{t!(i18n, review.take)}</h3>
                        <TakeAway cafe />
                    </section>
                </Show>
            </Page>
        }
        .into_any(),
    }
    }
}

/// The plan as a document. Also what facilitators and participants see of the review.
#[component]
pub fn ReviewBody() -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let phase = cafe.memo(|view| view.phase);
    move || match phase.get() {
        None => view! { <Empty text=Signal::derive(move || t_string!(i18n, review.loading).to_string()) /> }.into_any(),
        Some(phase) if phase < Phase::Plan => {
            let words = Signal::derive(move || t_string!(i18n, review.not_yet).to_string());
            view! { <Empty icon=icondata_lu::LuHourglass text=words /> }.into_any()
        }
        Some(phase) => view! { <Document phase /> }.into_any(),
    }
}

#[component]
fn Document(phase: Phase) -> impl IntoView {
    let cafe = expect_context::<Cafe>();
    let i18n = use_i18n();
    let planning = Planning::open(cafe);
    planning.provide_originals();
    provide_context(planning);
    let reviewer = Reviewer::new(cafe);
    provide_context(reviewer);
    provide_context(Follow::new(cafe));
    let plan = planning.plan;
    let ids = plan.action_ids();
    let loaded = plan.loaded();
    let state = (phase == Phase::Plan && reviewer.decides)
        .then(|| view! { <p class="review-state">{t!(i18n, review.being_written)}</p> }.into_any())
        .or_else(|| {
            (phase == Phase::Closed).then(|| {
                if reviewer.reviews {
                    view! { <p class="review-state">{t!(i18n, follow.closed)}</p> }.into_any()
                } else {
                    view! { <p class="review-state">{t!(i18n, review.closed)}</p> }.into_any()
                }
            })
        });
    let nothing = move || {
        if loaded.get() {
            t_string!(i18n, review.no_actions).to_string()
        } else {
            t_string!(i18n, review.loading).to_string()
        }
    };
    unfold_for_printing();
    // Whoever took part finds their own words before the plan.
    let yours = (!reviewer.reviews && phase >= Phase::Review).then(|| view! { <YourNotes /> });
    view! {
        {yours}
        <article class="review" aria-labelledby="review-title">
            <header class="review-head">
                <h2 id="review-title">{t!(i18n, review.title)}</h2>
                <Button class="no-print" icon=icondata_lu::LuPrinter on_click=move |_| print()>
                    {t!(i18n, review.print)}
                </Button>
            </header>
            {state}
            <Figures />
            <Outlooks />
            <Lens />
            <Show when=move || !ids.with(Vec::is_empty)>
                <EffortImpact plan />
            </Show>
            <ol class="review-actions">
                <For each=move || ids.get() key=Clone::clone let:id>
                    <ReviewAction id />
                </For>
            </ol>
            <Show when=move || ids.with(Vec::is_empty)>
                <Empty icon=icondata_lu::LuListChecks text=Signal::derive(nothing) />
            </Show>
            {reviewer
                .reviews
                .then(|| {
                    let silent = comments_on(cafe, None);
                    view! {
                        <section
                            class="review-talk review-whole"
                            class:review-silent=move || silent.with(Vec::is_empty)
                            aria-labelledby="review-whole-title"
                        >
                            <h3 id="review-whole-title">{t!(i18n, review.on_the_whole)}</h3>
                            <Comments action=None />
                        </section>
                    }
                })}
            <ShowTable />
        </article>
    }
}

fn print() {
    // A browser without printing does nothing, and so do we.
    let _ = window().print();
}

/// On paper nothing can be unfolded, so everything is; afterwards the screen is as it was.
fn unfold_for_printing() {
    let set = |open: bool| {
        let selector = if open { ".review details:not([open])" } else { ".review details[data-printed]" };
        let Ok(found) = document().query_selector_all(selector) else { return };
        for i in 0..found.length() {
            let Some(element) = found.item(i).and_then(|node| wasm_bindgen::JsCast::dyn_into::<Element>(node).ok())
            else {
                continue;
            };
            // Fails only on names that are none.
            let _ = if open {
                element.set_attribute("open", "").and_then(|()| element.set_attribute("data-printed", ""))
            } else {
                element.remove_attribute("open").and_then(|()| element.remove_attribute("data-printed"))
            };
        }
    };
    let listeners =
        [Listener::on_window("beforeprint", move || set(true)), Listener::on_window("afterprint", move || set(false))];
    let listeners = StoredValue::new_local(Some(listeners));
    on_cleanup(move || drop(listeners.try_update_value(Option::take)));
}

/// All decisions; participants learn of them from the review on.
fn decisions_of(cafe: Cafe) -> Memo<Vec<Decision>> {
    let found = cafe.memo(|view| match &view.part {
        Part::Facilitator(part) => part.decisions.clone(),
        Part::Reviewer(part) => part.decisions.clone(),
        Part::Participant(part) => part.decisions.clone(),
    });
    Memo::new(move |_| found.get().unwrap_or_default())
}

/// The latest decision on one action.
fn decision_on(cafe: Cafe, action: ActionId) -> Memo<Option<Decision>> {
    let all = decisions_of(cafe);
    Memo::new(move |_| all.with(|all| all.iter().find(|decision| decision.action == action).cloned()))
}

/// Comments on an action, or on the whole plan.
fn comments_on(cafe: Cafe, action: Option<ActionId>) -> Memo<Vec<Comment>> {
    let found = cafe.memo(move |view| {
        let comments: &[Comment] = match &view.part {
            Part::Facilitator(part) => &part.comments,
            Part::Reviewer(part) => &part.comments,
            Part::Participant(_) => &[],
        };
        comments.iter().filter(|comment| comment.action == action).cloned().collect::<Vec<_>>()
    });
    Memo::new(move |_| found.get().unwrap_or_default())
}
