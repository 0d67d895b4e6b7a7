//! What a facilitator prepares: the café before it opens.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::limits;

/// A language the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// One table as prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TablePlan {
    /// What the table is about; at most [`limits::TOPIC_CHARS`].
    pub topic: String,
    /// What it asks; empty means the round's question alone.
    #[serde(default)]
    pub question: String,
}

/// One round as prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoundPlan {
    /// How long, in minutes; fractions are for rehearsals.
    pub minutes: f64,
    /// A question for all tables in this round, beside each table's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// Everything else that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// People at one table, its host included; seating never puts more there.
    pub seats_per_table: u8,
    /// Dots each person may place on themes.
    pub dots: u8,
    /// Seconds that people have to change tables before the next round's clock starts.
    pub moving_seconds: u16,
    /// Whether notes show who wrote them.
    pub show_authors: bool,
    /// Whether people are asked how each stage feels: tables are stages of a journey then, in their order.
    pub feelings: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seats_per_table: 5, dots: 3, moving_seconds: 30, show_authors: true, feelings: false }
    }
}

/// A whole café as prepared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Shown to everybody.
    pub title: String,
    /// Why people meet.
    #[serde(default)]
    pub purpose: String,
    /// Language of the café's own texts.
    #[serde(default)]
    pub language: Language,
    /// In order; table 1 is the first.
    pub tables: Vec<TablePlan>,
    /// In order.
    pub rounds: Vec<RoundPlan>,
    /// Everything else.
    #[serde(default)]
    pub settings: Settings,
}

impl Draft {
    /// Trims every text and checks every bound.
    ///
    /// # Errors
    /// The first field that cannot be taken, by its path.
    pub fn checked(self) -> Result<Self, Refusal> {
        let title = line("title", &self.title, limits::TITLE_CHARS)?;
        if title.is_empty() {
            return Err(Refusal::empty("title"));
        }
        let purpose = paragraph("purpose", &self.purpose, limits::QUESTION_CHARS)?;
        if self.tables.len() < limits::TABLES_MIN {
            return Err(Refusal::TooFewTables { min: limits::TABLES_MIN });
        }
        if self.tables.len() > limits::TABLES_MAX {
            return Err(Refusal::TooMany { field: "tables".into(), limit: limits::TABLES_MAX });
        }
        let mut tables = Vec::with_capacity(self.tables.len());
        for (i, table) in self.tables.iter().enumerate() {
            let field = format!("tables.{i}.topic");
            let topic = line(&field, &table.topic, limits::TOPIC_CHARS)?;
            if topic.is_empty() {
                return Err(Refusal::empty(&field));
            }
            let question = paragraph(&format!("tables.{i}.question"), &table.question, limits::QUESTION_CHARS)?;
            tables.push(TablePlan { topic, question });
        }
        if self.rounds.is_empty() {
            return Err(Refusal::empty("rounds"));
        }
        if self.rounds.len() > limits::ROUNDS_MAX {
            return Err(Refusal::TooMany { field: "rounds".into(), limit: limits::ROUNDS_MAX });
        }
        let mut rounds = Vec::with_capacity(self.rounds.len());
        for (i, round) in self.rounds.iter().enumerate() {
            if !(limits::ROUND_MINUTES_MIN..=limits::ROUND_MINUTES_MAX).contains(&round.minutes) {
                return Err(Refusal::OutOfRange { field: format!("rounds.{i}.minutes") });
            }
            let question = match &round.question {
                Some(text) => Some(paragraph(&format!("rounds.{i}.question"), text, limits::QUESTION_CHARS)?),
                None => None,
            };
            rounds.push(RoundPlan { minutes: round.minutes, question: question.filter(|q| !q.is_empty()) });
        }
        let settings = self.settings;
        if !(2..=limits::SEATS_MAX).contains(&settings.seats_per_table) {
            return Err(Refusal::OutOfRange { field: "settings.seats_per_table".into() });
        }
        if !(1..=limits::DOTS_MAX).contains(&settings.dots) {
            return Err(Refusal::OutOfRange { field: "settings.dots".into() });
        }
        if settings.moving_seconds > 600 {
            return Err(Refusal::OutOfRange { field: "settings.moving_seconds".into() });
        }
        if settings.feelings && tables.len() > limits::STAGES_MAX {
            return Err(Refusal::TooMany { field: "settings.feelings".into(), limit: limits::STAGES_MAX });
        }
        let checked = Self { title, purpose, language: self.language, tables, rounds, settings };
        // The last check: a page that looks for further faults can do no more about this one.
        checked.bounded(0)?;
        Ok(checked)
    }

    /// Bytes of all texts together.
    pub fn text_bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(|table| table.topic.len() + table.question.len()).sum();
        let rounds: usize = self.rounds.iter().filter_map(|round| round.question.as_ref()).map(String::len).sum();
        self.title.len() + self.purpose.len() + tables + rounds
    }

    /// Checks that there is room for so many more bytes of text.
    pub(super) fn bounded(&self, more: usize) -> Result<(), Refusal> {
        if self.text_bytes() + more <= limits::DRAFT_BYTES {
            return Ok(());
        }
        Err(Refusal::TooMuchText { field: "tables".into(), limit: limits::DRAFT_BYTES })
    }
}

/// One line of text: trimmed, inner whitespace joined, control characters refused.
///
/// # Errors
/// [`Refusal::TooLong`] or [`Refusal::ControlCharacters`].
pub fn line(field: &str, text: &str, limit: usize) -> Result<String, Refusal> {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    bounded(field, &joined, limit)?;
    if joined.chars().any(is_forbidden) {
        return Err(Refusal::ControlCharacters { field: field.into() });
    }
    Ok(joined)
}

/// Text of several lines: trimmed, other control characters than line breaks and tabs refused.
///
/// # Errors
/// [`Refusal::TooLong`] or [`Refusal::ControlCharacters`].
pub fn paragraph(field: &str, text: &str, limit: usize) -> Result<String, Refusal> {
    let text = text.trim().replace("\r\n", "\n");
    bounded(field, &text, limit)?;
    if text.chars().any(|c| is_forbidden(c) && c != '\n' && c != '\t') {
        return Err(Refusal::ControlCharacters { field: field.into() });
    }
    Ok(text)
}

fn bounded(field: &str, text: &str, limit: usize) -> Result<(), Refusal> {
    // `len` first: counting the characters of a megabyte is what an attacker would like.
    if text.len() > limit * 4 || text.chars().count() > limit {
        return Err(Refusal::TooLong { field: field.into(), limit });
    }
    Ok(())
}

/// Control characters, and the invisible ones that reorder or hide text (bidirectional overrides, zero-width spaces).
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
