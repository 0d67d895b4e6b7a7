//! The languages of the interface. Texts are in `locales/<language>/<namespace>.json` and checked at compile time:
//! `t!(i18n, board.undo)` in views, `t_string!(i18n, board.undo)` where a `String` is needed.

use leptos::prelude::*;
use leptos_i18n::I18nContext;
use leptos_i18n::context::init_i18n_subcontext;
use shared::workshop::Language;

use crate::platform;

#[expect(missing_docs, unused_qualifications, clippy::new_ret_no_self, reason = "generated code")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n.rs"));
}

pub use self::generated::i18n::*;

/// How components hold the language.
pub type I18n = I18nContext<Locale>;

const REMEMBERED: &str = "tablehop.language";

/// Provides the language to all components: the one chosen before, else the browser's (any Chinese → zh-CN, others → English).
/// `set_locale` on the context switches it; the choice is remembered on this device.
pub fn provide_language() -> I18n {
    let first = remembered().unwrap_or_else(|| of_browser(&platform::languages()));
    let i18n: I18n = init_i18n_subcontext(Some(Signal::stored(first)));
    provide_context(i18n);
    Effect::new(move |before: Option<Locale>| {
        let locale = i18n.get_locale();
        platform::set_page_language(name(locale));
        if before.is_some_and(|before| before != locale) {
            platform::local_set(REMEMBERED, name(locale));
        }
        locale
    });
    i18n
}

/// The name of a language in `<html lang>` and in the interface of the server.
pub fn name(locale: Locale) -> &'static str {
    match locale {
        Locale::zh_CN => "zh-CN",
        Locale::en => "en",
    }
}

/// The same language as the shared types name it.
pub fn language(locale: Locale) -> Language {
    match locale {
        Locale::zh_CN => Language::ZhCn,
        Locale::en => Language::En,
    }
}

fn remembered() -> Option<Locale> {
    match platform::local_get(REMEMBERED)?.as_str() {
        "zh-CN" => Some(Locale::zh_CN),
        "en" => Some(Locale::en),
        _ => None,
    }
}

/// The first language of the list that we speak; English for those who speak neither.
fn of_browser(languages: &[String]) -> Locale {
    languages
        .iter()
        .find_map(|tag| match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Locale::zh_CN),
            "en" => Some(Locale::en),
            _ => None,
        })
        .unwrap_or(Locale::en)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(tags: &[&str]) -> Locale {
        of_browser(&tags.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_language_follows_the_browser() {
        assert_eq!(picked(&["zh-TW", "en"]), Locale::zh_CN);
        assert_eq!(picked(&["zh"]), Locale::zh_CN);
        assert_eq!(picked(&["fr-FR", "en-GB", "zh-CN"]), Locale::en);
        assert_eq!(picked(&["fr", "zh-Hans"]), Locale::zh_CN);
        assert_eq!(picked(&["de"]), Locale::en);
        assert_eq!(picked(&["", "é"]), Locale::en);
        assert_eq!(picked(&[]), Locale::en);
    }
}
