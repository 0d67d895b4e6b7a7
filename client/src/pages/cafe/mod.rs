//! A participant's café: one page that follows the café through its phases.

mod announcement;
mod bar;
mod come_back;
mod lobby;
mod menu;
mod rounds;
mod seat;
mod table;
mod viewport;

use leptos::prelude::*;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_params_map;
use shared::id::{Role, WorkshopId};
use shared::workshop::Phase;

use self::announcement::AnnouncementBanner;
use self::bar::Bar;
use self::come_back::ComeBack;
use self::lobby::Lobby;
use self::rounds::Rounds;
use crate::api::ApiError;
use crate::i18n::{t, t_string, use_i18n};
use crate::parts::{self, Later};
use crate::platform::Listener;
use crate::state::cafe::Cafe;
use crate::state::identity::{self, Identity};
use crate::ui::button::{ButtonKind, LinkButton};
use crate::ui::empty::Empty;
use crate::ui::toast::{ToastKind, toast};

/// The participant's page of a café. Who has not joined on this device is sent to the home page, and told why.
#[component]
pub fn CafePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| WorkshopId(params.with(|params| params.get("id")).unwrap_or_default()));
    move || {
        let id = id.get();
        match identity::adopt(&id, Role::Participant) {
            Some(identity) => view! { <Seated identity /> }.into_any(),
            None => view! { <NotHere /> }.into_any(),
        }
    }
}

/// The café, or the way back into it for somebody who has left.
#[component]
fn Seated(identity: Identity) -> impl IntoView {
    let who = StoredValue::new(identity);
    let has_left = move || identity::beside(&who.get_value()).is_some_and(|known| known.left);
    let left = RwSignal::new(has_left());
    // Whether the page was open when one left, in another tab.
    let asking = RwSignal::new(false);
    let listener = StoredValue::new_local(Some(Listener::on_window("storage", move || {
        let now = who.try_get_value().is_some() && has_left();
        if left.try_get_untracked().is_some_and(|before| before != now) {
            asking.set(now);
            left.set(now);
        }
    })));
    on_cleanup(move || drop(listener.try_update_value(Option::take)));
    move || {
        let identity = who.get_value();
        if left.get() {
            let asking = asking.get_untracked();
            view! { <ComeBack identity asking on_back=move |()| left.set(false) /> }.into_any()
        } else {
            view! { <Shell identity /> }.into_any()
        }
    }
}

#[component]
fn NotHere() -> impl IntoView {
    let i18n = use_i18n();
    toast(ToastKind::Plain, t_string!(i18n, cafe.not_here).to_string());
    view! { <Redirect path="/" /> }
}

#[component]
fn Shell(identity: Identity) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = Cafe::open(identity);
    provide_context(cafe);
    viewport::follow();
    let phase = cafe.memo(|view| view.phase);
    let title = cafe.memo(|view| view.title.clone());
    Effect::new(move || {
        if let Some(title) = title.get().filter(|title| !title.is_empty()) {
            document().set_title(&title);
        }
    });
    let denied = cafe.denied();
    let body = move || match phase.get() {
        None => view! {
            <main id="main" class="cafe-main cafe-wait">
                <Empty icon=icondata_lu::LuCoffee text=move || t_string!(i18n, cafe.opening).to_string() />
            </main>
        }
        .into_any(),
        Some(Phase::Draft | Phase::Lobby) => view! { <Lobby /> }.into_any(),
        Some(Phase::Rounds) => view! { <Rounds /> }.into_any(),
        Some(phase) => view! {
            <main id="main" class="cafe-main cafe-scroll">
                {match phase {
                    Phase::Gallery => view! { <Later part=parts::GALLERY of=() /> }.into_any(),
                    Phase::Harvest => view! { <Later part=parts::HARVEST of=() /> }.into_any(),
                    Phase::Vote => view! { <Later part=parts::VOTE of=() /> }.into_any(),
                    Phase::Plan => view! { <Later part=parts::PLAN of=() /> }.into_any(),
                    Phase::Closed => {
                        view! {
                            <section class="cafe-thanks">
                                <h2>{t!(i18n, cafe.thanks)}</h2>
                                <p class="quiet">{t!(i18n, cafe.thanks_text)}</p>
                            </section>
                            <Later part=parts::REVIEW of=() />
                        }
                            .into_any()
                    }
                    _ => view! { <Later part=parts::REVIEW of=() /> }.into_any(),
                }}
            </main>
        }
        .into_any(),
    };
    view! {
        {move || match denied.get() {
            Some(code) => view! { <Denied code /> }.into_any(),
            None => {
                view! {
                    <div class="cafe">
                        <a class="skip-link" href="#main">
                            {t!(i18n, cafe.skip)}
                        </a>
                        <Bar />
                        <AnnouncementBanner />
                        {body}
                    </div>
                }
                    .into_any()
            }
        }}
    }
}

/// The server does not let this token in.
#[component]
fn Denied(code: String) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <main id="main" class="cafe-main cafe-wait">
            <h1>{t!(i18n, cafe.denied)}</h1>
            <Empty icon=icondata_lu::LuDoorClosed text=move || ApiError::of(&code).text(i18n)>
                <LinkButton kind=ButtonKind::Primary href="/".to_owned()>
                    {t!(i18n, cafe.to_home)}
                </LinkButton>
            </Empty>
        </main>
    }
}
