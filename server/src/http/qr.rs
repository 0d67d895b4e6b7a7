//! QR pictures of join links.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::{ECL, QRBuilder};

use super::Http;
use super::error::ApiError;
use super::extract::Path;
use super::join::normalise_code;
use super::openapi::Problems;
use super::workshops::{host, join_url};

/// Modules of white around the picture: four are what the standard asks for.
const QUIET_ZONE: usize = 4;

/// The join link of a code as a QR picture, with its quiet zone. Whether the code leads anywhere is not looked up.
#[utoipa::path(get, path = "/api/qr/{code}.svg", tag = "guests", params(("code" = String, Path)), security(()),
    responses((status = 200, body = String, content_type = "image/svg+xml", description = "The picture"), Problems))]
pub async fn show(
    State(http): State<Http>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response, ApiError> {
    let code = file.strip_suffix(".svg").and_then(normalise_code).ok_or(ApiError::NotFound)?;
    let base = http.app.config.url_for_guests(host(&headers));
    let svg = picture(&join_url(&base, &code)).ok_or(ApiError::NotFound)?;
    // Short, because the link changes with the network that the laptop is on.
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, max-age=60")];
    Ok((headers, svg).into_response())
}

/// Black on white whatever the page's colours: cameras read nothing else reliably.
fn picture(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    Some(SvgBuilder::default().margin(QUIET_ZONE).shape(Shape::Square).to_str(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_quiet_zone_and_nothing_active() {
        let svg = picture("http://192.168.1.5:8080/j/ABCD2345").expect("a picture");
        // 34 bytes at level M are version 3: 29 modules, and the quiet zone on both sides.
        assert!(svg.starts_with(r#"<svg viewBox="0 0 37 37""#), "{svg:.60}");
        assert!(!svg.contains("<script") && !svg.contains("style="));
        assert_eq!(picture(&"x".repeat(5_000)), None);
    }
}
