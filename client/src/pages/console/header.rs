//! The top of the console: which café, where it stands, and what is next.

use leptos::prelude::*;
use shared::workshop::Phase;

use super::alerts::Alerts;
use super::facts;
use super::next_step::Actions;
use crate::i18n::{t_string, use_i18n};
use crate::state::cafe::{Cafe, Connection};
use crate::ui::icon::Icon;
use crate::ui::lang::LangSwitch;
use crate::ui::stepper::Stepper;
use crate::ui::theme::ThemeSwitch;

/// Title, connection, clock, the next step, and the stepper of phases.
#[component]
pub(super) fn Header(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let title = cafe.memo(|view| view.title.clone());
    let phase = cafe.memo(|view| view.phase);
    let steps = move || Phase::ALL.into_iter().map(|phase| facts::phase_word(phase, i18n)).collect::<Vec<_>>();
    let current = move || phase.get().map_or(0, |phase| phase as usize);
    view! {
        <header class="console-top">
            <div class="console-bar">
                <a class="console-home" href="/" aria-label=move || t_string!(i18n, console.home).to_string()>
                    <img src="/favicon.svg" alt="" width="32" height="32" />
                </a>
                <h1 class="console-title clip" title=move || title.get()>
                    {move || title.get().unwrap_or_default()}
                </h1>
                <ConnectionSign cafe />
                <div class="console-switches">
                    <LangSwitch />
                    <ThemeSwitch />
                </div>
                <Actions cafe />
            </div>
            <Alerts cafe />
            <Stepper
                label=move || t_string!(i18n, console.phases).to_string()
                steps=Signal::derive(steps)
                current=Signal::derive(current)
            />
        </header>
    }
}

/// A quiet sign while the console does not hear from the server; nothing otherwise.
#[component]
fn ConnectionSign(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let connection = cafe.connection();
    let sign = move || match connection.get() {
        Connection::Online => None,
        Connection::Connecting => Some(t_string!(i18n, console.connecting).to_string()),
        Connection::Offline { .. } => Some(t_string!(i18n, console.offline).to_string()),
        Connection::Denied { .. } => Some(t_string!(i18n, console.denied).to_string()),
        Connection::Closed => Some(t_string!(i18n, console.closed).to_string()),
    };
    view! {
        <span class="console-connection" role="status">
            {move || {
                sign()
                    .map(|words| {
                        view! {
                            <Icon icon=icondata_lu::LuCloudOff />
                            <span>{words}</span>
                        }
                    })
            }}
        </span>
    }
}
