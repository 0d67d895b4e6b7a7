//! Days and times as the reader writes them.

use shared::id::Millis;
use wasm_bindgen::JsValue;

use crate::i18n::{I18n, name};

/// A day given as `YYYY-MM-DD`; what is no day stays as it is.
pub fn day(iso: &str, i18n: I18n) -> String {
    let Some((year, month, day)) = parse(iso) else { return iso.to_owned() };
    let date = js_sys::Date::new_with_year_month_day(year, month - 1, day);
    // The browser takes the years 0 to 99 for those of the last century.
    date.set_full_year(year);
    let options = options(&[("year", "numeric"), ("month", "short"), ("day", "numeric")]);
    date.to_locale_date_string(name(i18n.get_locale()), &options).into()
}

/// The earliest and the latest day by which something can reasonably be due: a year ago, for what is late, and in twenty years.
pub fn due_range() -> (String, String) {
    let today = js_sys::Date::new_0();
    let (month, day) = (today.get_month() + 1, today.get_date());
    let of_year = |year: u32| format!("{year:04}-{month:02}-{day:02}");
    let year = today.get_full_year();
    (of_year(year.saturating_sub(1)), of_year(year + 20))
}

/// The day, as `YYYY-MM-DD` in this device's zone, on which a moment lies, or so many days later by the calendar.
pub fn day_of(at: Millis, days_later: u8) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
    // The browser goes on into the next months by itself.
    date.set_date(date.get_date() + u32::from(days_later));
    format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date())
}

/// Whether a day given as `YYYY-MM-DD` lies between two others, or is none at all.
pub fn is_within(iso: &str, (min, max): &(String, String)) -> bool {
    // Years of more than four digits are none that the field writes.
    iso.is_empty() || (iso.len() == min.len() && (min.as_str()..=max.as_str()).contains(&iso))
}

/// A moment, to the minute.
pub fn moment(at: Millis, i18n: I18n) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
    let options = options(&[
        ("month", "short"),
        ("day", "numeric"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("hourCycle", "h23"),
    ]);
    date.to_locale_string(name(i18n.get_locale()), &options).into()
}

fn options(pairs: &[(&str, &str)]) -> JsValue {
    let options = js_sys::Object::new();
    for (key, value) in pairs {
        // Fails only on a frozen object.
        let _ = js_sys::Reflect::set(&options, &(*key).into(), &(*value).into());
    }
    options.into()
}

fn parse(iso: &str) -> Option<(u32, i32, i32)> {
    let mut parts = iso.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok().filter(|month| (1..=12).contains(month))?;
    let day = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::{is_within, parse};

    #[test]
    fn days_of_another_age_are_outside() {
        let range = ("2025-11-26".to_owned(), "2046-11-26".to_owned());
        for (day, within) in [
            ("", true),
            ("2025-11-26", true),
            ("2046-11-26", true),
            ("2025-11-25", false),
            ("2046-11-27", false),
            ("0002-03-01", false),
            ("20260-01-01", false),
        ] {
            assert_eq!(is_within(day, &range), within, "{day}");
        }
    }

    #[test]
    fn only_days_are_read_as_days() {
        assert_eq!(parse("2026-03-09"), Some((2026, 3, 9)));
        for text in ["", "soon", "2026-13-01", "2026-00-10", "2026-02", "2026-02-40"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
