//! Joining with a code, as people really type it.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::i18n::{t, t_string, use_i18n};
use crate::parts;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::icon::Icon;

/// Characters of a join code.
const CODE_CHARS: usize = 8;

/// A field for the code and the way in.
#[component]
pub fn JoinForm() -> impl IntoView {
    parts::CAFE.prefetch();
    let i18n = use_i18n();
    let navigate = use_navigate();
    let text = RwSignal::new(String::new());
    let short = RwSignal::new(false);
    let field = NodeRef::<leptos::html::Input>::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let code = text.with_untracked(|text| code_in(text));
        if code.len() == CODE_CHARS {
            navigate(&format!("/j/{code}"), Default::default());
        } else {
            short.set(true);
            if let Some(field) = field.get_untracked() {
                let _ = field.focus();
            }
        }
    };
    view! {
        <form class="join-form card" on:submit=submit novalidate>
            <label class="field-label" for="join-code">
                {t!(i18n, home.code)}
            </label>
            <div class="join-form-row">
                <input
                    id="join-code"
                    class="field-input join-form-code figures"
                    node_ref=field
                    type="text"
                    inputmode="text"
                    autocomplete="off"
                    autocapitalize="characters"
                    spellcheck="false"
                    enterkeyhint="go"
                    placeholder="ABCD 2345"
                    aria-invalid=move || short.get().then_some("true")
                    aria-describedby="join-code-hint"
                    prop:value=move || text.get()
                    on:input=move |event| {
                        short.set(false);
                        text.set(event_target_value(&event));
                    }
                    on:blur=move |_| text.update(|text| *text = grouped(&code_in(text)))
                />
                <Button kind=ButtonKind::Primary submit=true>
                    {move || t_string!(i18n, home.join)}
                </Button>
            </div>
            <p
                id="join-code-hint"
                class="small"
                class:quiet=move || !short.get()
                class:join-form-short=move || short.get()
                aria-live="polite"
            >
                {move || short.get().then(|| view! { <Icon icon=icondata_lu::LuCircleAlert /> " " })}
                {move || {
                    if short.get() {
                        t_string!(i18n, home.code_short).to_string()
                    } else {
                        t_string!(i18n, home.code_hint).to_string()
                    }
                }}
            </p>
        </form>
    }
}

/// The code in what somebody typed or pasted: a whole link, full-width letters of an input method, spaces, dashes and any case.
pub fn code_in(text: &str) -> String {
    let text = text.trim();
    let after_link = text.rsplit_once("/j/").map_or(text, |(_, code)| code);
    after_link
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .chars()
        .map(half_width)
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .take(CODE_CHARS)
        .collect()
}

/// A code as it is shown: groups of four.
pub fn grouped(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    chars.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Chinese input methods may write `Ａ` for `A`.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{code_in, grouped};

    #[test]
    fn codes_are_read_as_people_give_them() {
        for text in [
            "abcd2345",
            " ABCD 2345 ",
            "abcd-2345",
            "ＡＢＣＤ　２３４５",
            "http://192.168.1.2:8080/j/ABCD2345",
            "https://x.test/j/abcd2345?from=chat#top",
        ] {
            assert_eq!(code_in(text), "ABCD2345", "{text}");
        }
        assert_eq!(code_in("换桌"), "");
        assert_eq!(grouped("ABCD2345"), "ABCD 2345");
        assert_eq!(grouped("ABC"), "ABC");
    }
}
