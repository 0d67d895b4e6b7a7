//! Exports: the whole café as one document.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use shared::id::WorkshopId;

use super::Http;
use super::error::ApiError;
use super::extract::{Caller, Path};
use super::openapi::Problems;
use crate::export::plan::Export;
use crate::export::{self, Format};

/// The café as a document: facilitators at any time, participants from the gallery on, reviewers from the plan on.
#[utoipa::path(get, path = "/api/workshops/{id}/export/{format}", tag = "cafés",
    params(("id" = String, Path), ("format" = String, Path, description = "`json` or `md`")),
    responses((status = 200, body = Export, description = "The document"), Problems))]
pub async fn show(
    State(http): State<Http>,
    Path((id, format)): Path<(WorkshopId, String)>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let state = caller.of(&http, &id).await?;
    let format = Format::parse(&format).ok_or(ApiError::NotFound)?;
    let document = export::gather(&http.app, &id, &state, &caller.0.actor).await?;
    let name = format!("tablehop-{id}.{}", format.extension());
    // Older readers take the ASCII name, the others the café's title.
    let title = percent_encoded(&document.workshop.title);
    let disposition = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{title}.{}", format.extension());
    let headers =
        [(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, format.write(&document)).into_response())
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
    use super::percent_encoded;

    #[test]
    fn a_title_cannot_leave_its_header() {
        assert_eq!(percent_encoded("a\"\r\nb/../茶"), "a%22%0D%0Ab%2F%2E%2E%2F%E8%8C%B6");
    }
}
