//! Lobby: the code, large; and people as they arrive.

use leptos::prelude::*;

use super::Desk;
use super::facts;
use super::spread::{Outlook, Spread};
use crate::api;
use crate::i18n::{t, t_string, use_i18n};
use crate::pages::home::join_form::grouped;
use crate::state::cafe::Cafe;
use crate::ui::avatar::Avatar;
use crate::ui::button::LinkButton;
use crate::ui::copy_field::CopyField;
use crate::ui::empty::Empty;
use crate::ui::qr::Qr;

/// The facilitator's lobby.
#[component]
pub(super) fn Lobby(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let code = cafe.memo(|view| facts::part(view).map(|part| part.join_code.clone()).unwrap_or_default());
    let code = Signal::derive(move || code.get().unwrap_or_default());
    let workshop = cafe.workshop();
    let link = join_link(cafe);
    view! {
        <section class="lobby">
            <div class="lobby-way card">
                <JoinWay code link />
                <div class="stack lobby-links">
                    <CopyField
                        label=move || t_string!(i18n, console.join_link).to_string()
                        value=link
                    />
                    <LinkButton
                        href=format!("/host/{workshop}/projector")
                        icon=icondata_lu::LuProjector
                        new_tab=true
                    >
                        {t!(i18n, console.projector)}
                    </LinkButton>
                </div>
            </div>
            <Arrivals cafe />
        </section>
    }
}

/// The QR picture and the code: also what the projector shows.
#[component]
pub(super) fn JoinWay(#[prop(into)] code: Signal<String>, link: Signal<String>) -> impl IntoView {
    let i18n = use_i18n();
    let address = Memo::new(move |_| link.with(|link| address_of(link).to_owned()));
    view! {
        <div class="join-way">
            {move || {
                let code = code.get();
                (!code.is_empty())
                    .then(|| {
                        view! {
                            <Qr
                                src=api::qr_url(&code)
                                alt=move || t_string!(i18n, console.qr).to_string()
                            />
                        }
                    })
            }}
            <div class="join-way-words">
                <p class="join-way-hint">
                    {move || t_string!(i18n, console.scan, address = address.get()).to_string()}
                </p>
                <p class="join-way-code figures">{move || grouped(&code.get())}</p>
            </div>
        </div>
    }
}

/// What one types to get to the page that asks for the code.
fn address_of(link: &str) -> &str {
    let bare = link.split_once("://").map_or(link, |(_, bare)| bare);
    bare.split_once("/j/").map_or(bare, |(address, _)| address)
}

/// The link behind the QR picture: as the server knows its public address, or this page's own until the answer is there.
pub(super) fn join_link(cafe: Cafe) -> Signal<String> {
    let code = cafe.memo(|view| facts::part(view).map(|part| part.join_code.clone()).unwrap_or_default());
    let identity = cafe.identity();
    let links = LocalResource::new(move || {
        let identity = identity.clone();
        async move { api::links(&identity.workshop, &identity.token).await }
    });
    Signal::derive(move || match links.get() {
        Some(Ok(links)) => links.join_url,
        _ => code
            .get()
            .filter(|code| !code.is_empty())
            .map(|code| format!("{}/j/{code}", crate::platform::origin()))
            .unwrap_or_default(),
    })
}

#[component]
fn Arrivals(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let desk = expect_context::<Desk>();
    let people = cafe.memo(facts::people);
    let people = Memo::new(move |_| people.get().unwrap_or_default());
    let count = move || people.with(Vec::len);
    let spread = cafe.memo(Spread::of);
    let spread = Memo::new(move |_| spread.get().flatten());
    view! {
        <section class="lobby-here" aria-labelledby="lobby-here">
            <h2 id="lobby-here" class="figures">
                {t!(i18n, console.here, n = count)}
            </h2>
            <Outlook spread />
            <Show
                when=move || { count() > 0 }
                fallback=move || {
                    view! {
                        <Empty
                            text=move || t_string!(i18n, console.nobody_yet).to_string()
                            icon=icondata_lu::LuDoorOpen
                        />
                    }
                }
            >
                <ul class="lobby-list">
                    <For
                        each=move || people.get()
                        key=|person| (person.person.id.clone(), person.person.name.clone(), person.person.online)
                        children=move |person| {
                            let id = person.person.id.clone();
                            let name = person.person.name.clone();
                            view! {
                                <li>
                                    <button
                                        type="button"
                                        class="lobby-person"
                                        on:click=move |_| desk.person.set(Some(id.clone()))
                                    >
                                        <Avatar name=name.clone() online=person.person.online decorative=true />
                                        <span class="lobby-person-words">
                                            <span class="lobby-person-name clip">{name}</span>
                                            {person
                                                .person
                                                .department
                                                .map(|department| {
                                                    view! { <span class="quiet small clip">{department}</span> }
                                                })}
                                        </span>
                                    </button>
                                </li>
                            }
                        }
                    />
                </ul>
            </Show>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::address_of;

    #[test]
    fn the_address_is_as_short_as_it_can_be_typed() {
        assert_eq!(address_of("http://192.168.1.20:8080/j/ABCD2345"), "192.168.1.20:8080");
        assert_eq!(address_of("https://cafe.example.com/sub/j/ABCD2345"), "cafe.example.com/sub");
        assert_eq!(address_of(""), "");
    }
}
