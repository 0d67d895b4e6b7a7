//! Switching the language.

use leptos::prelude::*;

use crate::i18n::{Locale, t_string, use_i18n};
use crate::ui::icon::Icon;

/// Switches between Chinese and English; shows the other language in its own words.
#[component]
pub fn LangSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let other = move || match i18n.get_locale() {
        Locale::en => (Locale::zh_CN, "中文", "zh-CN"),
        _ => (Locale::en, "English", "en"),
    };
    view! {
        <button
            type="button"
            class="switch"
            lang=move || other().2
            title=move || t_string!(i18n, kit.switch_language).to_string()
            on:click=move |_| i18n.set_locale(other().0)
        >
            <Icon icon=icondata_lu::LuLanguages />
            <span>{move || other().1}</span>
        </button>
    }
}
