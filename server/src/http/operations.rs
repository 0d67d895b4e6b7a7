//! For those who run the server: is it alive, can it write, what does it count.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};

use super::Http;
use super::error::ApiError;
use super::extract::Peer;
use super::openapi::Problems;
use crate::telemetry;

/// How long the store may take for one small write: people who wait for "saved" have long begun to wonder by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// Headers by which a proxy can be told.
const FORWARDED: [HeaderName; 6] = [
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    header::FORWARDED,
    header::VIA,
];

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "`ok`")))]
pub async fn health() -> &'static str {
    "ok\n"
}

/// The store takes writes: one is really made.
#[utoipa::path(get, path = "/readyz", tag = "operations", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "`ready`"), Problems))]
pub async fn ready(State(http): State<Http>, Peer(address): Peer) -> Result<&'static str, ApiError> {
    http.gate.request(address, None)?;
    // A disk that hangs is no better than one that fails.
    tokio::time::timeout(PATIENCE, http.app.store.check()).await.map_err(|_| ApiError::TimedOut)??;
    Ok("ready\n")
}

/// Counters for Prometheus; only for this machine, unless the server was started with `--public-metrics`.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text format"), Problems))]
pub async fn metrics(State(http): State<Http>, Peer(address): Peer, headers: HeaderMap) -> Result<Response, ApiError> {
    // Through a proxy on this machine everybody looks local, and what it says of them it may have from them.
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(name));
    if !http.app.config.public_metrics && (!address.is_loopback() || is_forwarded) {
        return Err(ApiError::NotFound);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, telemetry::render_metrics()).into_response())
}
