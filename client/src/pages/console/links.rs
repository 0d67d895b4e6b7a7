//! Links to take along, and those that were given away.

use leptos::prelude::*;
use shared::api::{CreatedLink, GivenLink};
use shared::id::Role;
use shared::workshop::Command;

use super::facts;
use super::lobby::join_link;
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::pages::new::review_link;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::copy_field::CopyField;
use crate::ui::dialog::Confirm;
use crate::ui::toast::{ToastKind, toast};
use crate::{api, dates, platform};

/// Links to take along: into the café, for those who help to steer it, for management.
#[component]
pub(super) fn Links(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let identity = cafe.identity();
    let own = format!("{}/host/{}#{}", platform::origin(), identity.workshop, identity.token);
    let review = RwSignal::new(review_link(&identity.workshop));
    let helpers = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let asked = RwSignal::new(0_u32);
    let identity = StoredValue::new(identity);
    let make = move |role: Role, place: RwSignal<Option<String>>| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let Some(identity) = identity.try_get_value() else { return };
            let made = api::new_link(&identity.workshop, &identity.token, role).await;
            let _ = busy.try_set(false);
            match made {
                Ok(CreatedLink { url, .. }) => {
                    let _ = place.try_set(Some(url));
                    let _ = asked.try_update(|asked| *asked += 1);
                }
                Err(error) => toast(ToastKind::Bad, error.text(i18n)),
            }
        });
    };
    let made_or_button =
        move |place: RwSignal<Option<String>>, role: Role, label: Signal<String>, button: Signal<String>| {
            move || match place.get() {
                Some(url) => view! { <CopyField label value=url /> }.into_any(),
                None => view! {
                    <Button icon=icondata_lu::LuLink busy on_click=move |_| make(role, place)>
                        {move || button.get()}
                    </Button>
                }
                .into_any(),
            }
        };
    view! {
        <section class="stack" aria-labelledby="tools-links">
            <h2 id="tools-links">{t!(i18n, console.links)}</h2>
            <CopyField label=move || t_string!(i18n, console.join_link).to_string() value=join_link(cafe) />
            <CopyField label=move || t_string!(i18n, console.own_link).to_string() value=own />
            {made_or_button(
                helpers,
                Role::Facilitator,
                Signal::derive(move || t_string!(i18n, console.helper_link).to_string()),
                Signal::derive(move || t_string!(i18n, console.make_helper_link).to_string()),
            )}
            {made_or_button(
                review,
                Role::Reviewer,
                Signal::derive(move || t_string!(i18n, console.review_link).to_string()),
                Signal::derive(move || t_string!(i18n, console.make_review_link).to_string()),
            )}
            <p class="quiet small">{t!(i18n, console.links_hint)}</p>
            <GivenLinks cafe asked />
        </section>
    }
}

/// Every link that opens the café to a facilitator or a reviewer, with the way to end it. Asked for again whenever `asked` changes.
#[component]
fn GivenLinks(cafe: Cafe, asked: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let identity = cafe.identity();
    let links = LocalResource::new(move || {
        asked.track();
        let identity = identity.clone();
        async move { api::links(&identity.workshop, &identity.token).await }
    });
    // What was there stays while it is asked for again.
    let given = Memo::new(move |before: Option<&Vec<GivenLink>>| match links.get() {
        Some(Ok(links)) => links.given,
        _ => before.cloned().unwrap_or_default(),
    });
    let ending = RwSignal::new(None::<GivenLink>);
    let asking = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let end = move |()| {
        let Some(GivenLink { actor, .. }) = ending.get_untracked() else { return };
        let done = t_string!(i18n, console.link_ended).to_string();
        facts::send(cafe, i18n, busy, Command::EndLink { actor }, move || {
            let _ = asked.try_update(|asked| *asked += 1);
            toast(ToastKind::Good, done);
        });
    };
    let link = move |link: GivenLink| {
        let (role, at, own) = (link.role, link.made_at, link.own);
        let link = StoredValue::new(link);
        view! {
            <li class="given-link">
                <span class="given-link-words">
                    <span>{move || role_word(role, i18n)}</span>
                    <span class="quiet small figures">
                        {move || t_string!(i18n, console.link_made, at = dates::moment(at, i18n)).to_string()}
                    </span>
                </span>
                {if own {
                    view! { <span class="quiet small">{t!(i18n, console.link_own)}</span> }.into_any()
                } else {
                    view! {
                        <Button
                            kind=ButtonKind::Plain
                            busy
                            icon=icondata_lu::LuUnlink
                            on_click=move |_| {
                                ending.set(Some(link.get_value()));
                                asking.set(true);
                            }
                        >
                            {t!(i18n, console.end_link)}
                        </Button>
                    }
                    .into_any()
                }}
            </li>
        }
    };
    let title = move || match ending.get().map(|link| link.role) {
        Some(Role::Facilitator) => t_string!(i18n, console.end_helper_link_title).to_string(),
        _ => t_string!(i18n, console.end_review_link_title).to_string(),
    };
    view! {
        <Show when=move || !given.with(Vec::is_empty)>
            <h3 class="given-links-title" id="given-links">
                {t!(i18n, console.given_links)}
            </h3>
            <ul class="given-links" aria-labelledby="given-links">
                <For each=move || given.get() key=|link| link.actor.clone() children=link />
            </ul>
        </Show>
        <Confirm
            open=asking
            title
            text=move || t_string!(i18n, console.end_link_text).to_string()
            action=move || t_string!(i18n, console.end_link).to_string()
            on_yes=Callback::new(end)
        />
    }
}

fn role_word(role: Role, i18n: I18n) -> String {
    match role {
        Role::Reviewer => t_string!(i18n, console.given_review).to_string(),
        _ => t_string!(i18n, console.given_helper).to_string(),
    }
}
