//! The facilitator's console: the phases along the top, the one next step, and in the middle what the phase is about.

mod alerts;
mod announce;
mod caution;
mod facts;
mod floor;
mod floor_table;
mod hand;
mod header;
mod links;
mod lobby;
mod next_step;
mod people;
mod person;
mod prepare;
mod projector;
mod review_way;
mod side;
mod spread;
mod table_board;
mod table_panel;
pub(crate) mod takeaway;
mod tools;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::id::{ActorId, Role, TableId, WorkshopId};
use shared::workshop::Phase;

use self::floor::Floor;
use self::header::Header;
use self::lobby::Lobby;
use self::person::PersonDialog;
use self::prepare::Prepare;
pub use self::projector::ProjectorPage;
use self::review_way::ReviewWay;
use self::side::SidePanel;
pub use self::table_board::TableBoardPage;
use self::table_panel::TablePanel;
use self::takeaway::TakeAway;
use crate::api::ApiError;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::home::TopBar;
use crate::pages::new::form::PlanForm;
use crate::pages::vote::VoteResults;
use crate::parts::{self, Later};
use crate::state::cafe::Cafe;
use crate::state::identity::{self, Identity};
use crate::ui::button::{ButtonKind, LinkButton};
use crate::ui::empty::Empty;
use crate::ui::page::{Page, Width};

/// What is open on the console besides the phase itself.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    /// The table whose panel is open.
    table: RwSignal<Option<TableId>>,
    /// The person whose dialog is open.
    person: RwSignal<Option<ActorId>>,
    /// The plan while it is being prepared; the next step checks and saves it.
    draft: RwSignal<Option<PlanForm>>,
}

impl Desk {
    fn new() -> Self {
        Self { table: RwSignal::new(None), person: RwSignal::new(None), draft: RwSignal::new(None) }
    }
}

/// The console of one café. The facilitator's token may come after `#`.
#[component]
pub fn ConsolePage() -> impl IntoView {
    for_facilitator(|identity| view! { <Console identity /> }.into_any())
}

/// Shows something to this café's facilitator, or says that the link's key is missing.
fn for_facilitator(show: impl Fn(Identity) -> AnyView + Send + Sync + 'static) -> impl IntoView {
    let params = use_params_map();
    let workshop = Memo::new(move |_| WorkshopId(params.with(|params| params.get("id").unwrap_or_default())));
    move || match identity::adopt(&workshop.get(), Role::Facilitator) {
        Some(identity) => show(identity),
        None => view! { <NoKey /> }.into_any(),
    }
}

/// Why there is no console to be shown, and the way home.
#[component]
fn NoWay(#[prop(into)] title: Signal<String>, #[prop(into)] words: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <TopBar />
        <Page width=Width::Narrow>
            <h1>{move || title.get()}</h1>
            <p>{move || words.get()}</p>
            <LinkButton href="/" kind=ButtonKind::Primary>
                {t!(i18n, console.home)}
            </LinkButton>
        </Page>
    }
}

/// The link has no key in it.
#[component]
fn NoKey() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <NoWay
            title=move || t_string!(i18n, console.no_key_title).to_string()
            words=move || t_string!(i18n, console.no_key).to_string()
        />
    }
}

#[component]
fn Console(identity: Identity) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = Cafe::open(identity);
    provide_context(cafe);
    provide_context(Desk::new());
    let phase = cafe.memo(|view| view.phase);
    let side_beside = move || matches!(phase.get(), Some(Phase::Lobby | Phase::Rounds));
    let denied = cafe.denied();
    let desk = move || {
        view! {
            <div class="console" class:console-beside=side_beside>
                <Header cafe />
                <div class="console-body">
                    <main id="main" class="console-main">
                        {move || match phase.get() {
                            None => {
                                view! {
                                    <Empty
                                        text=move || t_string!(i18n, console.opening).to_string()
                                        icon=icondata_lu::LuCoffee
                                    />
                                }
                                    .into_any()
                            }
                            Some(Phase::Draft) => view! { <Prepare cafe /> }.into_any(),
                            Some(Phase::Lobby) => view! { <Lobby cafe /> }.into_any(),
                            Some(Phase::Rounds) => view! { <Floor cafe /> }.into_any(),
                            Some(Phase::Gallery) => view! { <Later part=parts::GALLERY of=() /> }.into_any(),
                            Some(Phase::Harvest) => view! { <Later part=parts::HARVEST of=() /> }.into_any(),
                            Some(Phase::Vote) => view! { <VoteResults /> }.into_any(),
                            Some(Phase::Plan) => {
                                view! {
                                    <Later part=parts::PLAN of=() />
                                }
                                    .into_any()
                            }
                            Some(now @ (Phase::Review | Phase::Closed)) => {
                                view! {
                                    {(now == Phase::Review).then(|| view! { <ReviewWay cafe /> })}
                                    <Later part=parts::REVIEW of=() />
                                    <section class="review-take no-print" aria-labelledby="review-take-title">
                                        <h3 id="review-take-title">{t!(i18n, review.take)}</h3>
                                        <TakeAway cafe />
                                    </section>
                                }
                                    .into_any()
                            }
                        }}
                    </main>
                    <Show when=side_beside>
                        <aside class="console-side" aria-label=move || t_string!(i18n, console.side).to_string()>
                            <SidePanel cafe />
                        </aside>
                    </Show>
                </div>
            </div>
            <TablePanel cafe />
            <PersonDialog cafe />
        }
    };
    move || match denied.get() {
        Some(code) => view! { <Denied code /> }.into_any(),
        None => desk().into_any(),
    }
}

/// The link opens this console no more, or never did.
#[component]
fn Denied(code: String) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <NoWay
            title=move || t_string!(i18n, console.denied).to_string()
            words=move || ApiError::of(&code).text(i18n)
        />
    }
}
