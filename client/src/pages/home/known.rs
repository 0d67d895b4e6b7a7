//! The cafés this device knows.

use leptos::prelude::*;
use shared::id::Role;

use crate::i18n::{t, t_string, use_i18n};
use crate::state::identity::{self, Recent};
use crate::ui::button::{Button, ButtonKind};
use crate::ui::dialog::Confirm;
use crate::ui::icon::Icon;

/// Cafés shown; older ones are still reached by their links.
const SHOWN: usize = 6;

/// Ways back into cafés; nothing at all where there are none.
#[component]
pub fn KnownCafes() -> impl IntoView {
    let i18n = use_i18n();
    let list = RwSignal::new(identity::recent());
    let asked = RwSignal::new(None::<Recent>);
    let asking = RwSignal::new(false);
    let forget = move |()| {
        if let Some(gone) = asked.get_untracked() {
            identity::forget(&gone.identity);
            list.set(identity::recent());
        }
    };
    view! {
        <Show when=move || list.with(|list| !list.is_empty())>
            <section class="stack" aria-labelledby="known">
                <h2 id="known">{t!(i18n, home.known)}</h2>
                <ul class="known-list">
                    <For
                        each=move || list.get().into_iter().take(SHOWN)
                        key=|known| (known.identity.workshop.clone(), known.identity.role, known.title.clone())
                        children=move |known| {
                            let on_forget = {
                                let known = known.clone();
                                move |()| {
                                    asked.set(Some(known.clone()));
                                    asking.set(true);
                                }
                            };
                            view! { <KnownCafe known on_forget=Callback::new(on_forget) /> }
                        }
                    />
                </ul>
            </section>
        </Show>
        <Confirm
            open=asking
            title=move || t_string!(i18n, home.forget_title).to_string()
            text=move || t_string!(i18n, home.forget_text).to_string()
            action=move || t_string!(i18n, home.forget).to_string()
            on_yes=Callback::new(forget)
        />
    }
}

#[component]
fn KnownCafe(known: Recent, on_forget: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let Recent { identity, title, .. } = known;
    let workshop = identity.workshop;
    let (href, icon) = match identity.role {
        Role::Facilitator => (format!("/host/{workshop}"), icondata_lu::LuLectern),
        Role::Participant => (format!("/w/{workshop}"), icondata_lu::LuCoffee),
        Role::Reviewer => (format!("/review/{workshop}"), icondata_lu::LuClipboardCheck),
    };
    let role = identity.role;
    let name = identity.name;
    let as_what = move || match role {
        Role::Facilitator => t_string!(i18n, home.as_facilitator).to_string(),
        Role::Participant if name.is_empty() => t_string!(i18n, home.as_guest).to_string(),
        Role::Participant => t_string!(i18n, home.as_participant, name = name.clone()).to_string(),
        Role::Reviewer => t_string!(i18n, home.as_reviewer).to_string(),
    };
    let shown = StoredValue::new(title);
    let title = move || {
        shown.with_value(
            |title| {
                if title.is_empty() { t_string!(i18n, home.untitled).to_string() } else { title.clone() }
            },
        )
    };
    view! {
        <li class="known-item">
            <a class="known-link" href=href>
                <Icon icon />
                <span class="known-words">
                    <span class="known-title clip">{title}</span>
                    <span class="quiet small">{as_what}</span>
                </span>
            </a>
            <Button
                kind=ButtonKind::Plain
                icon=icondata_lu::LuX
                label=move || t_string!(i18n, home.forget_one, title = title()).to_string()
                on_click=move |_| on_forget.run(())
            />
        </li>
    }
}
