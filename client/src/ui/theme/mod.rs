//! Light or dark: as the system says, until somebody chooses.

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};
use crate::ui::icon::Icon;

const KEY: &str = "tablehop.theme";

/// Applies what was chosen earlier on this device. Called once at the start, before anything is drawn.
pub fn apply_stored() {
    if let Some(theme) = stored() {
        set_attribute(&theme);
    }
}

/// Switches between light and dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let dark = RwSignal::new(stored().map_or_else(system_is_dark, |theme| theme == "dark"));
    let label = move || {
        if dark.get() { t_string!(i18n, kit.light).to_string() } else { t_string!(i18n, kit.dark).to_string() }
    };
    view! {
        <button
            type="button"
            class="switch"
            aria-label=label
            title=label
            on:click=move |_| {
                let now = !dark.get_untracked();
                dark.set(now);
                let theme = if now { "dark" } else { "light" };
                set_attribute(theme);
                if let Some(storage) = storage() {
                    // Without storage the choice lasts until the page is closed.
                    let _ = storage.set_item(KEY, theme);
                }
            }
        >
            <Icon icon=Signal::derive(move || {
                if dark.get() { icondata_lu::LuSun } else { icondata_lu::LuMoon }
            }) />
        </button>
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn stored() -> Option<String> {
    storage()?.get_item(KEY).ok().flatten().filter(|theme| theme == "dark" || theme == "light")
}

fn system_is_dark() -> bool {
    window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches())
}

fn set_attribute(theme: &str) {
    if let Some(root) = document().document_element() {
        // Fails only on names that are no attributes.
        let _ = root.set_attribute("data-theme", theme);
    }
}
