//! The client, embedded: `client/dist` as `cargo xtask build` leaves it, served as the fallback of the router.
//!
//! Files whose names carry a hash of their content never change, so browsers keep them. The page itself and the few
//! files with fixed names are asked for again each time, and answered with 304 while they are the same.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// One year, the longest that browsers honour.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Keep it, but ask each time whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The page that loads the client; it also answers for every path the client routes itself.
const PAGE: &str = "index.html";

/// The compressed forms a file may have beside it, the smallest first, with the endings of their names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../client/dist"]
#[allow_missing = true]
struct Dist;

/// Answers with a file of the client.
///
/// Paths without a dot belong to the client's own routing and get its page; other unknown paths get 404. A server that was
/// compiled without the client says so in plain words (503).
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    answer(Dist::get, uri.path(), &headers)
}

fn answer(find: impl Fn(&str) -> Option<EmbeddedFile>, path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let is_variant = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    if !name.is_empty()
        && !is_variant
        && let Some(plain) = find(name)
    {
        return respond(&find, name, plain, headers);
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains('.') || name == "api" || name.starts_with("api/") {
        return (StatusCode::NOT_FOUND, "Not found\n").into_response();
    }
    match find(PAGE) {
        Some(page) => respond(&find, PAGE, page, headers),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This server was compiled without its pages. Build it with: cargo xtask build\n",
        )
            .into_response(),
    }
}

fn respond(
    find: &impl Fn(&str) -> Option<EmbeddedFile>,
    name: &str,
    plain: EmbeddedFile,
    headers: &HeaderMap,
) -> Response {
    let smaller = ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(headers, encoding))
        .find_map(|(encoding, ending)| Some((*encoding, find(&format!("{name}{ending}"))?)));
    let (encoding, file) = match smaller {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, plain),
    };

    let tag = entity_tag(&file);
    let is_known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"))
        .any(|candidate| candidate == "*" || candidate == tag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Response::new(Body::from(body))
    };

    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, if is_hashed(name) { FOR_EVER } else { ASK_AGAIN });
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answer.insert(ETAG, tag);
    }
    if !is_known {
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
        if let Some(encoding) = encoding {
            answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

/// Each form of a file has its own tag, as it must.
fn entity_tag(file: &EmbeddedFile) -> String {
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &file.metadata.sha256_hash()[..16] {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    tag
}

/// Whether the client takes this encoding: named without `q=0`, or covered by `*`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let mut by_star = false;
    for entry in headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        if name.eq_ignore_ascii_case(encoding) {
            return !is_refused;
        }
        if name == "*" {
            by_star = !is_refused;
        }
    }
    by_star
}

/// `client-0123abcd.js`: the name ends in eight hexadecimal digits, so it changes with the content.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 8 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use rust_embed::Metadata;

    use super::*;

    /// A small client, as the build would leave it.
    fn dist(name: &str) -> Option<EmbeddedFile> {
        let data: &'static [u8] = match name {
            "index.html" => b"<!doctype html>",
            "client-0123abcd.wasm" => b"\0asm",
            "client-0123abcd.wasm.br" => b"brotli",
            "client-0123abcd.wasm.gz" => b"gzip",
            "favicon.svg" => b"<svg/>",
            "favicon.svg.gz" => b"gz",
            _ => return None,
        };
        let mut hash = [0; 32];
        hash[..data.len()].copy_from_slice(data);
        Some(EmbeddedFile { data: Cow::Borrowed(data), metadata: Metadata::__rust_embed_new(hash, None, None) })
    }

    fn get(path: &str, headers: &[(axum::http::HeaderName, &'static str)]) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_static(value));
        }
        answer(dist, path, &map)
    }

    fn header(response: &Response, name: axum::http::HeaderName) -> &str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    async fn body(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), 1024).await.map(Vec::from).unwrap_or_default()
    }

    #[tokio::test]
    async fn hashed_files_are_kept_for_ever_and_sent_in_the_smallest_accepted_form() {
        for (accepted, encoding, content) in [
            ("gzip, deflate, br", "br", &b"brotli"[..]),
            ("gzip, deflate", "gzip", b"gzip"),
            ("br;q=0, gzip", "gzip", b"gzip"),
            ("*", "br", b"brotli"),
            ("br;q=0, *", "gzip", b"gzip"),
            ("identity", "", b"\0asm"),
        ] {
            let response = get("/client-0123abcd.wasm", &[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, CONTENT_ENCODING), encoding, "{accepted}");
            assert_eq!(header(&response, CONTENT_TYPE), "application/wasm");
            assert_eq!(header(&response, CACHE_CONTROL), FOR_EVER);
            assert_eq!(header(&response, VARY), "accept-encoding");
            assert_eq!(body(response).await, content);
        }
    }

    #[tokio::test]
    async fn the_page_answers_for_every_route_of_the_client() {
        for path in ["/", "/index.html", "/join/ABCD2345", "/w/1/table/3", "/apiary"] {
            let response = get(path, &[]);
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&response, CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(header(&response, CACHE_CONTROL), ASK_AGAIN);
            assert_eq!(body(response).await, b"<!doctype html>");
        }
    }

    #[tokio::test]
    async fn what_is_known_is_not_sent_again() {
        let first = get("/", &[]);
        let tag: &'static str = header(&first, ETAG).to_owned().leak();
        assert!(!tag.is_empty());
        let again = get("/", &[(IF_NONE_MATCH, tag)]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&again, ETAG), tag);
        assert!(body(again).await.is_empty());
        assert_eq!(get("/", &[(IF_NONE_MATCH, "\"other\"")]).status(), StatusCode::OK);
        // The compressed form is another entity.
        let plain: &'static str = header(&get("/favicon.svg", &[]), ETAG).to_owned().leak();
        let gzip = get("/favicon.svg", &[(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, plain)]);
        assert_eq!(gzip.status(), StatusCode::OK);
    }

    #[test]
    fn unknown_files_compressed_forms_and_the_interface_are_not_found() {
        for path in ["/client-ffffffff.js", "/../Cargo.toml", "/favicon.svg.gz", "/w/logo.png", "/api/nothing", "/api"]
        {
            assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn a_server_without_a_client_says_how_to_get_one() {
        let response = answer(|_| None, "/", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = String::from_utf8(body(response).await).unwrap_or_default();
        assert!(text.contains("cargo xtask build"), "{text}");
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(is_hashed("style-00ff00ff.css"));
        assert!(!is_hashed("favicon.svg"));
        assert!(!is_hashed("some-document.css"));
        assert!(!is_hashed("snippets/leptos-00ff00ff/inline0.js"));
    }
}
