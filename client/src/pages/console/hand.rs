//! A hand that is up: one press lowers it, for its person too.

use leptos::prelude::*;
use shared::id::ActorId;
use shared::workshop::Command;

use super::facts;
use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::icon::Icon;

/// Whose hand is up, as a button that lowers it.
#[component]
pub(super) fn HandUp(
    cafe: Cafe,
    /// Whose.
    who: ActorId,
    /// Their name.
    name: String,
    /// The hand alone, where the name stands beside it.
    #[prop(optional)]
    bare: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let busy = RwSignal::new(false);
    let shown = (!bare).then(|| name.clone());
    let words = move || t_string!(i18n, console.lower_hand, name = name.clone()).to_string();
    let words = Signal::derive(words);
    let lower = move |_| facts::send(cafe, i18n, busy, Command::LowerHand { participant: who.clone() }, || {});
    view! {
        <button
            type="button"
            class="hand-up"
            class:hand-up-bare=bare
            aria-label=move || words.get()
            title=move || words.get()
            aria-disabled=move || busy.get().then_some("true")
            on:click=lower
        >
            <Icon icon=icondata_lu::LuHand />
            {shown.map(|name| view! { <span class="hand-up-name clip">{name}</span> })}
            <Icon icon=icondata_lu::LuX />
        </button>
    }
}
