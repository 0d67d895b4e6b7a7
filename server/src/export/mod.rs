//! Exports: the whole café as one document, so that nothing that was written stays behind.
//!
//! # Layout
//!
//! - [`plan`]: the one model, built from the café's state, its history and its boards
//! - [`json`], [`markdown`]: the whole model as a file
//! - [`csv`], [`xlsx`], [`docx`]: files for office programs
//! - [`pdf`]: the plan on paper
//! - `rows`: the model as tables, for the formats made of cells
//! - `journey`: how the journey felt, in documents
//! - `words`: the documents' fixed words, in Chinese and English
//! - `escape`: strangers' text made harmless
//!
//! Every format is a pure function of the model, and the PDF of the fonts of this machine; beside them only [`gather`] reads anything.

use shared::id::{Actor, Role, TableId, WorkshopId};
use shared::workshop::{Phase, Refusal, Workshop};

use self::pdf::Fonts;
use self::plan::{Export, Sources, Timeline};
use crate::app::App;
use crate::board::BoardError;
use crate::clock;
use crate::http::error::ApiError;

pub mod csv;
pub mod docx;
mod escape;
mod journey;
pub mod json;
pub mod markdown;
pub mod pdf;
pub mod plan;
mod rows;
#[cfg(test)]
mod sample;
mod words;
pub mod xlsx;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For programs; everything.
    Json,
    /// For people; everything too.
    Markdown,
    /// For spreadsheets; the plan.
    Csv,
    /// For Excel; the plan, the themes, every note.
    Xlsx,
    /// For Word; the plan.
    Docx,
    /// For paper; the plan.
    Pdf,
}

/// A document could not be made. Nothing that people write may lead here.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As a table of text.
    #[error("the table: {0}")]
    Csv(#[from] ::csv::Error),
    /// As a workbook.
    #[error("the workbook: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// As a document.
    #[error("the document: {0}")]
    Docx(#[from] std::io::Error),
    /// As pages.
    #[error("the pages: {0}")]
    Pdf(#[from] pdf::PdfError),
}

impl Format {
    /// Reads the last part of an export's path.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "md" => Some(Self::Markdown),
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "docx" => Some(Self::Docx),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pdf => "application/pdf",
        }
    }

    /// The file; only pages need fonts.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(self, export: &Export, fonts: &Fonts) -> Result<Vec<u8>, WriteError> {
        Ok(match self {
            Self::Json => json::write(export).into_bytes(),
            Self::Markdown => markdown::write(export).into_bytes(),
            Self::Csv => csv::write(export)?,
            Self::Xlsx => xlsx::write(export)?,
            Self::Docx => docx::write(export)?,
            Self::Pdf => pdf::write(export, fonts)?,
        })
    }
}

/// A text of one or more lines without what is not seen.
pub fn visible(text: &str) -> String {
    escape::plain(text)
}

/// Reads a whole café, which is in this state, for somebody. A board that cannot be read is named in the document instead of failing it.
///
/// # Errors
/// The refusal `wrong_phase` if it is too early for this role; whatever keeps the café or the store from answering.
pub async fn gather(app: &App, workshop: &WorkshopId, state: &Workshop, reader: &Actor) -> Result<Export, ApiError> {
    may_read(state, reader.role)?;
    let timeline = app.workshops.history(workshop, Timeline::default(), Timeline::take).await?;
    let mut tables = Vec::with_capacity(state.draft.tables.len());
    for number in 1..=state.draft.tables.len() {
        let table = TableId(u16::try_from(number).unwrap_or(u16::MAX));
        tables.push(unless_damaged(app.boards.table(workshop, table).await)?);
    }
    let sources = Sources {
        id: workshop,
        now: clock::now(),
        workshop: state,
        timeline,
        tables,
        harvest: unless_damaged(app.boards.harvest(workshop).await)?,
        plan: unless_damaged(app.boards.plan(workshop).await)?,
        reader,
    };
    Ok(Export::build(sources))
}

/// Facilitators may at any time, participants once everybody may walk all boards, reviewers once there can be a plan.
fn may_read(workshop: &Workshop, role: Role) -> Result<(), Refusal> {
    let from = match role {
        Role::Facilitator => Phase::Draft,
        Role::Participant => Phase::Gallery,
        Role::Reviewer => Phase::Plan,
    };
    if workshop.phase >= from { Ok(()) } else { Err(Refusal::WrongPhase { phase: workshop.phase }) }
}

fn unless_damaged<T>(read: Result<T, BoardError>) -> Result<Option<T>, ApiError> {
    match read {
        Ok(board) => Ok(Some(board)),
        Err(BoardError::Quarantined(why)) => {
            tracing::error!(%why, "an export leaves out a damaged board");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_reads_from_its_phase_on() {
        let first = |role| {
            Phase::ALL.into_iter().find(|phase| {
                let workshop = Workshop { phase: *phase, ..Workshop::default() };
                may_read(&workshop, role).is_ok()
            })
        };
        assert_eq!(first(Role::Facilitator), Some(Phase::Draft));
        assert_eq!(first(Role::Participant), Some(Phase::Gallery));
        assert_eq!(first(Role::Reviewer), Some(Phase::Plan));
    }
}
