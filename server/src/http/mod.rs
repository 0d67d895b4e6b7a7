//! The HTTP interface: the router, and what every request passes on its way.
//!
//! # Layout
//!
//! - this file: routes, security headers, the check of `Origin`, request ids, time limit
//! - [`error`]: what goes wrong, and how it is told
//! - [`extract`]: what handlers take from a request: JSON, the caller, the address
//! - [`gate`]: how often one address may ask
//! - [`codes`]: who guesses join codes
//! - [`budget`]: how fast the commands of a café may make its log grow
//! - one file a resource: [`workshops`], [`links`], [`join`], [`qr`], [`templates`], [`exports`], [`operations`]
//! - [`openapi`]: the description of it all
//! - [`assets`]: the embedded client

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, MatchedPath, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use shared::id::{BoardId, WorkshopId};
use shared::limits;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::Level;

use self::error::ApiError;
use self::exports::Documents;
use self::extract::{Peer, bearer};
use self::gate::Gate;
use crate::app::App;
use crate::{auth, socket};

pub mod assets;
pub mod budget;
pub mod codes;
pub mod error;
pub mod exports;
pub mod extract;
pub mod gate;
pub mod join;
pub mod links;
pub mod openapi;
pub mod operations;
pub mod qr;
pub mod templates;
pub mod workshops;

/// Longest a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(limits::REQUEST_SECONDS);

/// Only what we ship ourselves, and our own WebSocket. `ws:` and `wss:` are named because older Safari does not count them as
/// `'self'`; `blob:` is for downloads.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
     object-src 'none'";

/// Nothing of what browsers guard is used, apart from keeping the projector's screen awake and copying links.
const PERMISSIONS_POLICY: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), screen-wake-lock=(self), \
     clipboard-write=(self), fullscreen=(self)";

/// What handlers work with.
#[derive(Clone)]
pub struct Http {
    /// The cafés and their store.
    pub app: App,
    /// Limits by address.
    pub gate: Arc<Gate>,
    /// What documents are made with.
    pub documents: Documents,
}

impl FromRef<Http> for App {
    fn from_ref(http: &Http) -> Self {
        http.app.clone()
    }
}

/// Everything the server answers. Serve it with connection info, or all requests count as from one address.
pub fn router(app: App) -> Router {
    let documents = Documents::new(app.config.fonts.clone());
    let http = Http { gate: Arc::new(Gate::new(&app.config)), documents, app };
    let api = Router::new()
        .route("/workshops", post(workshops::create))
        .route("/workshops/{id}", get(workshops::show))
        .route("/workshops/{id}/tables", get(workshops::tables))
        .route("/workshops/{id}/commands", post(workshops::command))
        .route("/workshops/{id}/links", get(links::show).post(links::create))
        .route("/workshops/{id}/export/{format}", get(exports::show))
        .route("/join", post(join::join).layer(DefaultBodyLimit::max(limits::JOIN_BYTES)))
        .route("/codes/{code}", get(join::code_info))
        .route("/qr/{file}", get(qr::show))
        .route("/templates", get(templates::list))
        .route("/openapi.json", get(openapi::show))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(from_fn(limit_time))
        .layer(from_fn_with_state(http.clone(), guard))
        // Answers hold tokens and what somebody may see at this moment.
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let is_https = http.app.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let request_id = HeaderName::from_static("x-request-id");
    let router = Router::new()
        .nest("/api", api)
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .route("/collab", get(socket::collab))
        .route("/yjs/{board}", get(socket::yjs))
        .fallback(assets::serve)
        .layer(from_fn(count))
        .layer(
            TraceLayer::new_for_http().make_span_with(span).on_response(DefaultOnResponse::new().level(Level::DEBUG)),
        )
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(SetRequestIdLayer::new(request_id, NumberedRequests::new()))
        .layer(set_header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(set_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set_header(header::REFERRER_POLICY, "no-referrer"))
        .layer(set_header(HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY))
        .layer(set_header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(set_header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .with_state(http);
    if is_https {
        // Over plain http browsers do not take these, and complain of the second.
        router
            .layer(set_header(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
            .layer(set_header(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
    } else {
        router
    }
}

fn set_header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Before any request to the API: how often, and from which page. Whoever shows a token that was found good lately is counted for themselves.
async fn guard(State(http): State<Http>, Peer(address): Peer, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN);
    let changes_something = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let is_foreign = origin.is_some_and(|origin| !origin.to_str().is_ok_and(|o| http.app.config.allows_origin(o)));
    let allowed = if changes_something && is_foreign {
        Err(ApiError::ForeignOrigin)
    } else if is_about_a_code(request.uri().path()) {
        // Counted by the code's own limits. Whoever guesses would use up the requests of guests behind the same router.
        Ok(())
    } else {
        let token = bearer(request.headers());
        http.gate.request(address, token.and_then(|token| http.app.tokens.recall(token)).as_ref())
    };
    match allowed {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Whether a request, by its path below `/api`, is one that [`codes`] decide on.
fn is_about_a_code(path: &str) -> bool {
    path == "/join" || path.starts_with("/codes/")
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

/// How many requests of which kind, and how long they took.
async fn count(request: Request, next: Next) -> Response {
    let (method, route) = (known_method(request.method()).to_owned(), route(&request));
    let started = Instant::now();
    let response = next.run(request).await;
    let labels = [("method", method), ("route", route), ("status", response.status().as_u16().to_string())];
    metrics::histogram!("tablehop_http_request_seconds", &labels).record(started.elapsed());
    response
}

/// The span of a request in the log, errors included whatever else is logged. It names the route and the café, never the address as sent: that
/// may hold a join code or a token.
fn span(request: &Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let method = known_method(request.method());
    let workshop = workshop_of(request.uri().path());
    let span = tracing::error_span!(
        "request", id = id.unwrap_or_default(), method, route = %route(request), workshop = tracing::field::Empty
    );
    if let Some(workshop) = workshop {
        span.record("workshop", tracing::field::display(workshop));
    }
    span
}

/// The café that a path is about, if that is a name for one: anything may stand in a path.
fn workshop_of(path: &str) -> Option<WorkshopId> {
    let name = path.strip_prefix("/api/workshops/")?.split('/').next()?;
    format!("{name}.plan").parse::<BoardId>().ok().map(|board| board.workshop)
}

/// The method as it is counted and logged. Any word is one, of up to the size of a request's head, and figures are kept for ever: whoever
/// thinks up methods must not fill the memory with their names.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| "file".to_owned(), |path| path.as_str().to_owned())
}

/// Request ids: the same beginning for each run of the server, then a count.
#[derive(Clone)]
struct NumberedRequests {
    run: String,
    count: Arc<AtomicU64>,
}

impl NumberedRequests {
    fn new() -> Self {
        // Ids are for reading logs; without randomness they merely repeat after a restart.
        let run = auth::random_text(b"abcdefghijkmnpqrstuvwxyz23456789", 6).unwrap_or_default();
        Self { run, count: Arc::default() }
    }
}

impl MakeRequestId for NumberedRequests {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{}-{count:x}", self.run)).ok().map(RequestId::new)
    }
}

#[cfg(test)]
mod tests;
