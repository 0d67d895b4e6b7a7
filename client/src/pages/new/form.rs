//! The form of a café as signals: text while it is being written, a [`Draft`] when it is asked for.

use std::collections::BTreeMap;

use leptos::prelude::*;
use shared::limits;
use shared::workshop::{Draft, Language, Refusal, RoundPlan, Settings, TablePlan};

use crate::api::ApiError;
use crate::i18n::{I18n, t_string};
use crate::ui::field::short_number;

/// One table in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Tells rows apart while they move; not the table's number.
    pub key: u32,
    /// Its topic.
    pub topic: RwSignal<String>,
    /// Its question.
    pub question: RwSignal<String>,
}

/// One round in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundRow {
    /// Tells rows apart.
    pub key: u32,
    /// Minutes, as written.
    pub minutes: RwSignal<String>,
    /// Its question for all tables.
    pub question: RwSignal<String>,
}

/// A café being written. `Copy`, because it is handed to many fields.
#[derive(Clone, Copy, Debug)]
pub struct PlanForm {
    /// Title.
    pub title: RwSignal<String>,
    /// Why people meet.
    pub purpose: RwSignal<String>,
    /// Language of the café's own texts.
    pub language: RwSignal<Language>,
    /// Tables in order.
    pub tables: RwSignal<Vec<TableRow>>,
    /// Rounds in order.
    pub rounds: RwSignal<Vec<RoundRow>>,
    /// People at a table, as written.
    pub seats: RwSignal<String>,
    /// Dots a person, as written.
    pub dots: RwSignal<String>,
    /// Seconds for changing tables, as written.
    pub moving: RwSignal<String>,
    /// Whether notes show who wrote them.
    pub authors: RwSignal<bool>,
    /// Whether people are asked how each stage feels.
    pub feelings: RwSignal<bool>,
    /// What is wrong, by the path of the field.
    pub errors: RwSignal<BTreeMap<String, ApiError>>,
    next_key: StoredValue<u32>,
    /// Rows are made in effects and on presses, and must outlive both: they belong to the form.
    owner: StoredValue<Owner>,
}

impl PlanForm {
    /// A form filled with a draft.
    pub fn new(draft: Draft) -> Self {
        let form = Self {
            title: RwSignal::default(),
            purpose: RwSignal::default(),
            language: RwSignal::default(),
            tables: RwSignal::default(),
            rounds: RwSignal::default(),
            seats: RwSignal::default(),
            dots: RwSignal::default(),
            moving: RwSignal::default(),
            authors: RwSignal::new(true),
            feelings: RwSignal::new(false),
            errors: RwSignal::default(),
            next_key: StoredValue::new(0),
            owner: StoredValue::new(Owner::new()),
        };
        form.fill(draft);
        form
    }

    /// Replaces everything by a draft. Rows that are there stay and take its texts, so that whoever writes in one keeps the focus.
    pub fn fill(self, draft: Draft) {
        let Draft { title, purpose, language, tables, rounds, settings } = draft;
        put(self.title, title);
        put(self.purpose, purpose);
        self.language.set(language);
        let mut rows = self.tables.get_untracked();
        rows.truncate(tables.len());
        for (at, TablePlan { topic, question }) in tables.into_iter().enumerate() {
            match rows.get(at) {
                Some(row) => {
                    put(row.topic, topic);
                    put(row.question, question);
                }
                None => rows.push(self.table_row(topic, question)),
            }
        }
        self.tables.set(rows);
        let mut rows = self.rounds.get_untracked();
        rows.truncate(rounds.len());
        for (at, RoundPlan { minutes, question }) in rounds.into_iter().enumerate() {
            let (minutes, question) = (short_number(minutes), question.unwrap_or_default());
            match rows.get(at) {
                Some(row) => {
                    put(row.minutes, minutes);
                    put(row.question, question);
                }
                None => rows.push(self.round_row(minutes, question)),
            }
        }
        self.rounds.set(rows);
        put(self.seats, settings.seats_per_table.to_string());
        put(self.dots, settings.dots.to_string());
        put(self.moving, settings.moving_seconds.to_string());
        self.authors.set(settings.show_authors);
        self.feelings.set(settings.feelings);
        self.errors.set(BTreeMap::new());
    }

    /// What is written, read reactively. Numbers that are none become out of range, so that the check names their field.
    pub fn draft(self) -> Draft {
        Draft {
            title: self.title.get(),
            purpose: self.purpose.get(),
            language: self.language.get(),
            tables: self
                .tables
                .get()
                .into_iter()
                .map(|row| TablePlan { topic: row.topic.get(), question: row.question.get() })
                .collect(),
            rounds: self
                .rounds
                .get()
                .into_iter()
                .map(|row| RoundPlan {
                    minutes: number(&row.minutes.get()).unwrap_or(0.0),
                    question: Some(row.question.get()).filter(|question| !question.trim().is_empty()),
                })
                .collect(),
            settings: Settings {
                seats_per_table: whole(&self.seats.get()).unwrap_or(0),
                dots: whole(&self.dots.get()).unwrap_or(0),
                moving_seconds: whole(&self.moving.get()).unwrap_or(u16::MAX),
                show_authors: self.authors.get(),
                feelings: self.feelings.get(),
            },
        }
    }

    /// The draft, checked as the server will check it; marks every wrong field and returns `None` if there is one.
    ///
    /// The check stops at the first fault, so it is repeated with the faulty field mended until no further one is found.
    pub fn checked(self) -> Option<Draft> {
        let mut errors = BTreeMap::new();
        let mut trial = untrack(|| self.draft());
        let most = 3 + trial.tables.len() * 2 + trial.rounds.len() * 2 + 5;
        let mut good = None;
        for _ in 0..most {
            match trial.clone().checked() {
                Ok(draft) => {
                    good = Some(draft);
                    break;
                }
                Err(refusal) => {
                    let field = refusal.field().unwrap_or("tables").to_owned();
                    errors.insert(field.clone(), error_of(&refusal));
                    // That all together is too long is found last, and no single field is at fault.
                    if matches!(refusal, Refusal::TooMuchText { .. }) || !mend(&mut trial, &field) {
                        break;
                    }
                }
            }
        }
        let good = good.filter(|_| errors.is_empty());
        self.errors.set(errors);
        good
    }

    /// Marks the field that the server refused.
    pub fn refuse(self, error: ApiError) {
        let field = error.field.clone().unwrap_or_default();
        self.errors.update(|errors| {
            errors.insert(field, error);
        });
    }

    /// The error of one field in words.
    pub fn error(self, field: impl Into<String>, i18n: I18n) -> Signal<Option<String>> {
        let field = field.into();
        Signal::derive(move || self.error_text(&field, i18n))
    }

    /// The same, looked up now; a number out of its range is told the range.
    pub fn error_text(self, field: &str, i18n: I18n) -> Option<String> {
        self.errors.with(|errors| {
            let error = errors.get(field)?;
            if field == "settings.feelings" && error.code == "too_many" {
                return Some(t_string!(i18n, new.too_many_stages, limit = limits::STAGES_MAX).to_string());
            }
            Some(match range(field).filter(|_| error.code == "out_of_range") {
                Some((min, max)) => {
                    let (min, max) = (short_number(min), short_number(max));
                    t_string!(i18n, new.out_of_range, min = min, max = max).to_string()
                }
                None => error.text(i18n),
            })
        })
    }

    /// Path of the first wrong field in the order of the page.
    pub fn first_error(self) -> Option<String> {
        let order = |field: &String| {
            let rank = match field.split('.').next().unwrap_or_default() {
                "title" => 0,
                "purpose" => 1,
                "tables" => 2,
                "rounds" => 3,
                _ => 4,
            };
            let index = field.split('.').nth(1).and_then(|index| index.parse::<usize>().ok()).unwrap_or(0);
            (rank, index)
        };
        self.errors.with_untracked(|errors| errors.keys().min_by_key(|field| order(field)).cloned())
    }

    /// Adds an empty table at the end.
    pub fn add_table(self) {
        let row = self.table_row(String::new(), String::new());
        self.tables.update(|rows| rows.push(row));
    }

    /// Adds a round like the last one, without its question.
    pub fn add_round(self) {
        let minutes = self
            .rounds
            .with_untracked(|rows| rows.last().map_or_else(|| "20".to_owned(), |row| row.minutes.get_untracked()));
        let row = self.round_row(minutes, String::new());
        self.rounds.update(|rows| rows.push(row));
    }

    /// Takes a table out.
    pub fn remove_table(self, key: u32) {
        self.tables.update(|rows| rows.retain(|row| row.key != key));
        self.errors.update(BTreeMap::clear);
    }

    /// Takes a round out.
    pub fn remove_round(self, key: u32) {
        self.rounds.update(|rows| rows.retain(|row| row.key != key));
        self.errors.update(BTreeMap::clear);
    }

    /// Moves a table by one place, up (`-1`) or down (`1`).
    pub fn move_table(self, key: u32, by: isize) {
        self.tables.update(|rows| shift(rows, |row| row.key == key, by));
        self.errors.update(BTreeMap::clear);
    }

    fn key(self) -> u32 {
        let key = self.next_key.get_value();
        self.next_key.set_value(key + 1);
        key
    }

    fn table_row(self, topic: String, question: String) -> TableRow {
        let key = self.key();
        self.owner.get_value().with(|| TableRow { key, topic: RwSignal::new(topic), question: RwSignal::new(question) })
    }

    fn round_row(self, minutes: String, question: String) -> RoundRow {
        let key = self.key();
        self.owner.get_value().with(|| RoundRow {
            key,
            minutes: RwSignal::new(minutes),
            question: RwSignal::new(question),
        })
    }
}

/// Sets a text where it is another: a field that stays as it is keeps its caret.
fn put(field: RwSignal<String>, text: String) {
    if field.with_untracked(|now| *now != text) {
        field.set(text);
    }
}

/// What the number in a field may be.
fn range(field: &str) -> Option<(f64, f64)> {
    match field {
        "settings.seats_per_table" => Some((2.0, f64::from(limits::SEATS_MAX))),
        "settings.dots" => Some((1.0, f64::from(limits::DOTS_MAX))),
        "settings.moving_seconds" => Some((0.0, 600.0)),
        _ => field.ends_with(".minutes").then_some((limits::ROUND_MINUTES_MIN, limits::ROUND_MINUTES_MAX)),
    }
}

/// A refusal as the server would have sent it.
fn error_of(refusal: &Refusal) -> ApiError {
    ApiError {
        code: refusal.code().to_owned(),
        field: refusal.field().map(str::to_owned),
        limit: refusal.limit(),
        ..ApiError::default()
    }
}

/// Puts something acceptable where a fault was found, so that the next fault can be found too.
fn mend(draft: &mut Draft, field: &str) -> bool {
    let mut parts = field.split('.');
    let (head, index, last) = (parts.next(), parts.next(), parts.next());
    let at = index.and_then(|index| index.parse::<usize>().ok());
    match (head, at, last) {
        (Some("title"), ..) => draft.title = "-".into(),
        (Some("purpose"), ..) => draft.purpose = String::new(),
        (Some("tables"), None, _) => {
            draft.tables.resize(
                draft.tables.len().clamp(limits::TABLES_MIN, limits::TABLES_MAX),
                TablePlan { topic: "-".into(), question: String::new() },
            );
        }
        (Some("tables"), Some(at), last) => match draft.tables.get_mut(at) {
            Some(table) if last == Some("topic") => table.topic = "-".into(),
            Some(table) => table.question = String::new(),
            None => return false,
        },
        (Some("rounds"), None, _) => {
            draft
                .rounds
                .resize(draft.rounds.len().clamp(1, limits::ROUNDS_MAX), RoundPlan { minutes: 20.0, question: None });
        }
        (Some("rounds"), Some(at), last) => match draft.rounds.get_mut(at) {
            Some(round) if last == Some("minutes") => round.minutes = 20.0,
            Some(round) => round.question = None,
            None => return false,
        },
        (Some("settings"), ..) => {
            let standard = Settings::default();
            match index {
                Some("seats_per_table") => draft.settings.seats_per_table = standard.seats_per_table,
                Some("dots") => draft.settings.dots = standard.dots,
                Some("feelings") => draft.settings.feelings = false,
                _ => draft.settings.moving_seconds = standard.moving_seconds,
            }
        }
        _ => return false,
    }
    true
}

/// A number as people write it, with a decimal comma too; full-width digits of an input method count.
fn number(text: &str) -> Option<f64> {
    let plain: String = text
        .trim()
        .chars()
        .map(|c| match c {
            '，' | ',' | '。' => '.',
            '０'..='９' | '．' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .collect();
    plain.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn whole<T: TryFrom<i64>>(text: &str) -> Option<T> {
    let number = number(text)?;
    // Beyond a million every field is out of its range anyway; casting saturates.
    if number.fract() == 0.0 { T::try_from(number.clamp(-1.0, 1e6) as i64).ok() } else { None }
}

fn shift<T>(rows: &mut [T], is_it: impl Fn(&T) -> bool, by: isize) {
    let Some(from) = rows.iter().position(is_it) else { return };
    let Some(to) = from.checked_add_signed(by).filter(|to| *to < rows.len()) else { return };
    rows.swap(from, to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, value) in
            [("20", Some(20.0)), (" 7.5 ", Some(7.5)), ("7,5", Some(7.5)), ("２０", Some(20.0)), ("", None)]
        {
            assert_eq!(number(text), value, "{text}");
        }
        assert_eq!(whole::<u8>("5"), Some(5));
        assert_eq!(whole::<u8>("5.5"), None);
        assert_eq!(whole::<u8>("300"), None);
        assert_eq!(whole::<u16>("-1"), None);
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let owner = Owner::new();
        owner.with(|| {
            let form = PlanForm::new(Draft {
                tables: vec![TablePlan::default(); 3],
                rounds: vec![RoundPlan { minutes: 0.0, question: None }],
                ..Draft::default()
            });
            form.seats.set("x".into());
            assert_eq!(form.checked(), None);
            let wrong: Vec<String> = form.errors.with_untracked(|errors| errors.keys().cloned().collect());
            assert_eq!(
                wrong,
                [
                    "rounds.0.minutes",
                    "settings.seats_per_table",
                    "tables.0.topic",
                    "tables.1.topic",
                    "tables.2.topic",
                    "title"
                ]
            );
            assert_eq!(form.first_error().as_deref(), Some("title"));
        });
    }

    #[test]
    fn rows_outlive_what_made_them() {
        let owner = Owner::new();
        owner.with(|| {
            let plan = |topics: &[&str]| Draft {
                tables: topics
                    .iter()
                    .map(|topic| TablePlan { topic: (*topic).into(), ..TablePlan::default() })
                    .collect(),
                rounds: vec![RoundPlan { minutes: 20.0, question: None }],
                ..Draft::default()
            };
            let form = PlanForm::new(plan(&["一", "二"]));
            let first = form.tables.get_untracked()[0];
            // As an effect or a press: what it owns is gone when it is run again.
            let passing = Owner::new();
            passing.with(|| {
                form.fill(plan(&["一", "贰", "三"]));
                form.add_table();
                form.add_round();
            });
            passing.cleanup();
            assert_eq!(form.tables.get_untracked()[0], first);
            let topics: Vec<String> = untrack(|| form.draft()).tables.into_iter().map(|table| table.topic).collect();
            assert_eq!(topics, ["一", "贰", "三", ""]);
            assert_eq!(untrack(|| form.draft()).rounds.len(), 2);
        });
    }

    #[test]
    fn a_good_draft_comes_back_as_it_went_in() {
        let owner = Owner::new();
        owner.with(|| {
            let draft = Draft {
                title: "换桌".into(),
                tables: vec![
                    TablePlan { topic: "一".into(), question: "?".into() },
                    TablePlan { topic: "二".into(), question: String::new() },
                ],
                rounds: vec![RoundPlan { minutes: 7.5, question: Some("为什么？".into()) }],
                ..Draft::default()
            };
            assert_eq!(PlanForm::new(draft.clone()).checked(), Some(draft));
        });
    }
}
