//! Exports: the whole café, or its plan, as one document.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use shared::id::WorkshopId;
use shared::limits;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Http;
use super::error::ApiError;
use super::extract::{Caller, Path};
use super::openapi::Problems;
use crate::export::pdf::{Fonts, PdfError};
use crate::export::plan::Export;
use crate::export::{self, Format, WriteError};

/// Letters of a title in a file's name: with an ending and a number that a browser adds, below what every file system takes in UTF-8.
const NAME_CHARS: usize = 60;

/// What documents are made with. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    /// Places for those for office programs: see [`limits::DOCUMENTS_AT_ONCE`].
    offices: Arc<Semaphore>,
    /// Places for those for paper: see [`limits::PDFS_AT_ONCE`].
    paper: Arc<Semaphore>,
    fonts: Arc<Fonts>,
}

impl Documents {
    /// With the fonts below a directory; without one, with the system's.
    pub fn new(fonts: Option<PathBuf>) -> Self {
        Self {
            offices: Arc::new(Semaphore::new(limits::DOCUMENTS_AT_ONCE)),
            paper: Arc::new(Semaphore::new(limits::PDFS_AT_ONCE)),
            fonts: Arc::new(Fonts::new(fonts)),
        }
    }

    /// Where a document of this format waits for its turn; nothing if it need not.
    fn places(&self, format: Format) -> Option<Arc<Semaphore>> {
        match format {
            Format::Json | Format::Markdown => None,
            Format::Csv | Format::Xlsx | Format::Docx => Some(self.offices.clone()),
            Format::Pdf => Some(self.paper.clone()),
        }
    }
}

/// The café as a document: facilitators at any time, participants from the gallery on, reviewers from the plan on. It holds what its reader's
/// page shows, and no more.
#[utoipa::path(get, path = "/api/workshops/{id}/export/{format}", tag = "cafés",
    params(("id" = String, Path), ("format" = String, Path,
        description = "The whole café: `json` or `md`. For office programs: `xlsx`, the plan and every note; `docx` and `csv`, the plan. \
            For paper: `pdf`, the plan; `no_font` if the server has none for what is written")),
    responses((status = 200, description = "The document; its file name is in `Content-Disposition`", content(
        (Export = "application/json"),
        (String = "text/markdown"),
        (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (Vec<u8> = "application/pdf"),
    )), Problems))]
pub async fn show(
    State(http): State<Http>,
    Path((id, format)): Path<(WorkshopId, String)>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let state = caller.of(&http, &id).await?;
    let format = Format::parse(&format).ok_or(ApiError::NotFound)?;
    // Held until the document is made, also if whoever asked has gone by then.
    let place = match http.documents.places(format) {
        Some(places) => Some(places.acquire_owned().await.map_err(|_| ApiError::Busy)?),
        None => None,
    };
    let cafe = export::gather(&http.app, &id, &state, &caller.0.actor).await?;
    let disposition = disposition(&id, &cafe.workshop.title, format.extension());
    // A large café takes a processor for seconds; nobody's writing waits for that.
    let fonts = http.documents.fonts.clone();
    let made = spawn_blocking(move || {
        let document = format.write(&cafe, &fonts);
        drop(place);
        document
    });
    let failed = |why: &dyn std::fmt::Display| {
        tracing::error!(workshop = %id, ?format, %why, "a document could not be made");
        ApiError::ExportFailed
    };
    let document = made.await.map_err(|why| failed(&why))?.map_err(|why| match why {
        WriteError::Pdf(PdfError::NoFont(missing)) => ApiError::NoFont(missing),
        why => failed(&why),
    })?;
    let headers =
        [(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, document).into_response())
}

/// RFC 6266: older readers take the ASCII name, the others the café's title.
fn disposition(id: &WorkshopId, title: &str, extension: &str) -> String {
    let plain = format!("tablehop-{id}.{extension}");
    let name = percent_encoded(&file_stem(title));
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{name}.{extension}")
}

/// A café's title as the name of a file that every system takes, without its ending.
fn file_stem(title: &str) -> String {
    let title = export::visible(title);
    let kept = title.chars().map(|c| if c == '\n' || r#"/\:*?"<>|"#.contains(c) { '-' } else { c }).take(NAME_CHARS);
    let stem: String = kept.collect();
    let stem = stem.trim_matches(|c: char| c == '.' || c.is_whitespace());
    // Names of devices on Windows, whatever stands behind the point.
    let device = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| matches!(device.strip_prefix(name).map(str::as_bytes), Some([b'0'..=b'9']));
    if stem.is_empty() {
        "tablehop".to_owned()
    } else if matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT") {
        format!("-{stem}")
    } else {
        stem.to_owned()
    }
}

/// RFC 8187: everything but letters and digits as `%XX`.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x4_a_title_cannot_leave_its_header() {
        assert_eq!(percent_encoded("a\"\r\nb/../茶"), "a%22%0D%0Ab%2F%2E%2E%2F%E8%8C%B6");
        let header = disposition(&"w1".into(), "茶\"; filename=evil.exe\r\nX: y", "docx");
        assert_eq!(
            header,
            "attachment; filename=\"tablehop-w1.docx\"; \
             filename*=UTF-8''%E8%8C%B6%2D%3B%20filename%3Devil%2Eexe%2DX%2D%20y.docx"
        );
    }

    #[test]
    fn x4_a_title_is_a_name_that_every_system_takes() {
        for (title, stem) in [
            ("业主服务旅程", "业主服务旅程"),
            ("a/b\\c: d?", "a-b-c- d-"),
            ("../../etc/passwd", "-..-etc-passwd"),
            ("plan\u{202e}xcod.exe", "planxcod.exe"),
            ("\u{0}..\u{200b} ", "tablehop"),
            ("con", "-con"),
            ("Lpt1.notes", "-Lpt1.notes"),
            ("console", "console"),
        ] {
            assert_eq!(file_stem(title), stem, "{title:?}");
        }
        assert_eq!(file_stem(&"茶".repeat(80)).chars().count(), NAME_CHARS);
    }
}
