//! The facilitator names the line, and says where it lies.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::limits;
use shared::workshop::Command;
use shared::workshop::journey::{LEVEL_MAX, LEVEL_MIN, Line};

use crate::api::ApiError;
use crate::i18n::{t, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::field::{NumberField, TextField, short_number};
use crate::ui::toast::{ToastKind, toast};

/// Two fields behind a fold. Another facilitator's change comes into those that one has not touched.
#[component]
pub(super) fn SetLine(
    /// The line as it is.
    line: Memo<Line>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cafe = expect_context::<Cafe>();
    let (label, level) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    Effect::new(move |before: Option<Line>| {
        let now = line.get();
        let touched = |field: RwSignal<String>, was: Option<String>| {
            was.is_some_and(|was| field.with_untracked(|text| *text != was))
        };
        if !touched(label, before.as_ref().map(|before| before.label.clone())) {
            label.set(now.label.clone());
        }
        if !touched(level, before.as_ref().map(|before| written(before.level))) {
            level.set(written(now.level));
        }
        now
    });
    let wrong = move |field: &'static str| {
        Signal::derive(move || {
            error.with(|error| {
                let error = error.as_ref()?;
                let is_here = error.field.as_deref() == Some(field);
                is_here.then(|| match error.code.as_str() {
                    "out_of_range" => t_string!(i18n, journey.level_bad).to_string(),
                    _ => error.text(i18n),
                })
            })
        })
    };
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let Some(tenths) = level.with_untracked(|text| read(text)) else {
            let field = Some("level".to_owned());
            error.set(Some(ApiError { code: "out_of_range".into(), field, ..ApiError::default() }));
            return;
        };
        let command = Command::SetLine { label: label.get_untracked(), level: tenths };
        busy.set(true);
        spawn_local(async move {
            let answer = cafe.try_command(command).await;
            // The page may have been left meanwhile.
            let _ = busy.try_set(false);
            let _ = error.try_set(answer.as_ref().err().cloned());
            match answer {
                Ok(()) => toast(ToastKind::Good, t_string!(i18n, journey.line_saved).to_string()),
                Err(error) if error.field.is_none() => toast(ToastKind::Bad, error.text(i18n)),
                Err(_) => {}
            }
        });
    };
    view! {
        <details class="journey-set no-print">
            <summary>{t!(i18n, journey.set_line)}</summary>
            <form class="journey-form" on:submit=save novalidate>
                <TextField
                    label=move || t_string!(i18n, journey.line_label).to_string()
                    hint=move || t_string!(i18n, journey.line_label_hint).to_string()
                    value=label
                    error=wrong("label")
                    max_chars=limits::LINE_CHARS
                    name="label"
                />
                <NumberField
                    label=move || t_string!(i18n, journey.line_level).to_string()
                    hint=move || t_string!(i18n, journey.line_level_hint).to_string()
                    value=level
                    error=wrong("level")
                    min=f64::from(LEVEL_MIN) / 10.0
                    max=f64::from(LEVEL_MAX) / 10.0
                    step=0.1
                    name="level"
                />
                <Button submit=true busy>
                    {t!(i18n, journey.line_save)}
                </Button>
            </form>
        </details>
    }
}

/// A level as it stands in the field.
fn written(tenths: i8) -> String {
    short_number(f64::from(tenths) / 10.0)
}

/// A level as people write it, in tenths; none where it is no number from −2 to 2.
fn read(text: &str) -> Option<i8> {
    let plain: String = text
        .trim()
        .chars()
        .map(|c| match c {
            '−' | '－' | '–' => '-',
            ',' | '，' | '。' | '．' => '.',
            '０'..='９' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .collect();
    let tenths = (plain.parse::<f64>().ok()? * 10.0).round();
    (f64::from(LEVEL_MIN)..=f64::from(LEVEL_MAX)).contains(&tenths).then_some(tenths as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_people_write_them() {
        for (text, tenths) in
            [("0", 0), (" -1.2 ", -12), ("−0,5", -5), ("０．５", 5), ("2", 20), ("-2.0", -20), ("-0", 0)]
        {
            assert_eq!(read(text), Some(tenths), "{text}");
        }
        for text in ["", "x", "2.1", "-3", "NaN", "inf", "1e9"] {
            assert_eq!(read(text), None, "{text}");
        }
        for tenths in LEVEL_MIN..=LEVEL_MAX {
            assert_eq!(read(&written(tenths)), Some(tenths));
        }
    }
}
