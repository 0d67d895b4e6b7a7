//! The plan as a PDF, to be printed, filed and sent on: what the Word document says, in its order, with the effort-impact chart, and the same
//! on every machine.
//!
//! - `sheet`: what the document says, as data
//! - `chart`: where each action stands on the chart
//! - `pen`: people's words as they can be printed
//! - `fonts`: what this machine has to print them with
//! - `world`: what may be seen while the pages are set, and the template `plan.typ`
//!
//! What people wrote is data that the template shows, and is never read as markup.

mod chart;
mod fonts;
mod pen;
mod sheet;
mod world;

use std::time::{Duration, Instant};

use shared::limits;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandards, Timestamp};

pub use self::fonts::Fonts;
use self::world::Desk;
use super::plan::Export;
use crate::clock::utc;

/// How long a document may be set: whoever asked waits no longer. A full one takes a fraction of it.
const TIME: Duration = Duration::from_secs(limits::REQUEST_SECONDS);

/// Bytes of the stack on which it is set: frames lie within frames.
const STACK: usize = 16 << 20;

/// No document.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// These characters are in no font of this machine; all of them, if there is no font.
    #[error("no font has: {0}")]
    NoFont(String),
    /// It would have taken too long.
    #[error("it took longer than {} s", TIME.as_secs())]
    TooLong,
    /// Nothing that people write may lead here.
    #[error("{0}")]
    Failed(String),
}

/// The plan as a document.
///
/// # Errors
/// [`PdfError::NoFont`] if this machine cannot draw what is written; the others are none that are known.
pub fn write(export: &Export, fonts: &Fonts) -> Result<Vec<u8>, PdfError> {
    set(export, fonts, PdfStandards::default())
}

fn set(export: &Export, fonts: &Fonts, standards: PdfStandards) -> Result<Vec<u8>, PdfError> {
    let found = fonts.found();
    let (sheet, missing) = sheet::sheet(export, found);
    if found.is_empty() || !missing.is_empty() {
        return Err(PdfError::NoFont(missing));
    }
    let data = serde_json::to_vec(&sheet).map_err(|why| PdfError::Failed(why.to_string()))?;
    drop(sheet);
    let options = PdfOptions {
        ident: Smart::Custom(format!("{} {}", export.workshop.id, export.exported_at)),
        creator: Smart::Custom(Some("Tablehop".to_owned())),
        timestamp: timestamp(&utc(export.exported_at)),
        standards,
        ..PdfOptions::default()
    };
    // By itself typst takes all processors that there are; whoever is writing meanwhile needs them more.
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(STACK).build();
    let thread = thread.map_err(|why| PdfError::Failed(why.to_string()))?;
    let made = thread.install(|| {
        let desk = Desk::new(data, found, Instant::now() + TIME).map_err(PdfError::Failed)?;
        print(&desk, &options)
    });
    // It remembers whatever it has set, fonts and all, for a next time that never comes.
    comemo::evict(0);
    made
}

fn print(desk: &Desk<'_>, options: &PdfOptions) -> Result<Vec<u8>, PdfError> {
    let document = typst::compile::<PagedDocument>(desk).output;
    if desk.is_late() {
        return Err(PdfError::TooLong);
    }
    let document = document.map_err(|why| failed(&why))?;
    // Looked for before by what fonts say of themselves; here is what they do.
    let mut boxes = String::new();
    for page in document.pages() {
        collect_boxes(&page.frame, &mut boxes);
    }
    if !boxes.is_empty() {
        return Err(PdfError::NoFont(boxes));
    }
    typst_pdf::pdf(&document, options).map_err(|why| failed(&why))
}

/// The texts of which a font has drawn a part as boxes: its glyph 0.
fn collect_boxes(frame: &Frame, boxes: &mut String) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => collect_boxes(&group.frame, boxes),
            FrameItem::Text(text) if boxes.len() < 40 => {
                let drawn = text.glyphs.iter().filter(|glyph| glyph.id == 0);
                boxes.extend(drawn.filter_map(|glyph| text.text.get(glyph.range())));
            }
            _ => {}
        }
    }
}

fn failed(why: &[SourceDiagnostic]) -> PdfError {
    PdfError::Failed(why.iter().map(|why| why.message.as_str()).collect::<Vec<_>>().join("; "))
}

/// When it was made, from `2026-11-21 21:18 UTC`.
fn timestamp(utc: &str) -> Option<Timestamp> {
    let mut numbers = utc.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u16>().ok());
    let year = numbers.next()?.into();
    let mut next = || u8::try_from(numbers.next()?).ok();
    let (month, day, hour, minute) = (next()?, next()?, next()?, next()?);
    Datetime::from_ymd_hms(year, month, day, hour, minute, 0).map(Timestamp::new_utc)
}

#[cfg(test)]
mod tests;
