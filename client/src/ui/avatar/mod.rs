//! A person as a small disc.

use leptos::prelude::*;

use crate::i18n::{t_string, use_i18n};

/// A person: the letters of their name, whether they are connected, and a ring while they write.
#[component]
pub fn Avatar(
    /// Their name.
    #[prop(into)]
    name: Signal<String>,
    /// Connected at the moment; unknown counts as connected.
    #[prop(default = true.into(), into)]
    online: Signal<bool>,
    /// Writing at the moment.
    #[prop(optional, into)]
    typing: Signal<bool>,
    /// Stays at the table as its host.
    #[prop(optional, into)]
    host: Signal<bool>,
    /// The name stands beside it in words, so screen readers skip the disc.
    #[prop(optional)]
    decorative: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let away = move || !online.get();
    let spoken = move || {
        let mut words = vec![name.get()];
        if host.get() {
            words.push(t_string!(i18n, kit.host).to_string());
        }
        if away() {
            words.push(t_string!(i18n, kit.away).to_string());
        } else if typing.get() {
            words.push(t_string!(i18n, kit.typing).to_string());
        }
        words.join(", ")
    };
    view! {
        <span
            class="avatar"
            class:avatar-away=away
            class:avatar-typing=move || typing.get()
            class:avatar-host=move || host.get()
            role=(!decorative).then_some("img")
            aria-hidden=decorative.then_some("true")
            aria-label=move || (!decorative).then(spoken)
            title=move || (!decorative).then(spoken)
        >
            {move || name.with(|name| initials(name))}
        </span>
    }
}

/// What stands for a name on a disc: the last two characters of a Chinese name, the first letters of the first and last
/// word of others. Chinese family names repeat in every room; given names tell people apart.
pub fn initials(name: &str) -> String {
    let name = name.trim();
    if name.chars().any(is_han) {
        let han: Vec<char> = name.chars().filter(|c| is_han(*c)).collect();
        return han[han.len().saturating_sub(2)..].iter().collect();
    }
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.last().and_then(|word| word.chars().next());
    let letters: String = first.into_iter().chain(last).flat_map(char::to_uppercase).collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn names_of_all_kinds_get_letters() {
        for (name, letters) in [
            ("王小明", "小明"),
            ("李雷", "李雷"),
            ("陈", "陈"),
            ("Li Lei", "LL"),
            ("Anna Maria Berg", "AB"),
            ("anna", "A"),
            ("王 Wang", "王"),
            ("", "?"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}
