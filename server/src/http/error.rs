//! What goes wrong in a request, as RFC 9457 problem documents. Which error belongs where:
//!
//! - The request itself cannot be read (not JSON, too large, unknown path or method): [`BadJson`](ApiError::BadJson),
//!   [`TooLarge`](ApiError::TooLarge), [`NotFound`](ApiError::NotFound), [`MethodNotAllowed`](ApiError::MethodNotAllowed).
//! - The caller is nobody we know: [`Unauthorised`](ApiError::Unauthorised). Somebody whom we knew: [`ExpiredToken`](ApiError::ExpiredToken).
//!   Somebody, but elsewhere:
//!   [`WrongWorkshop`](ApiError::WrongWorkshop). A page of another site: [`ForeignOrigin`](ApiError::ForeignOrigin).
//! - The café says no: [`Refused`](ApiError::Refused), whatever the reason; this file alone decides on its status: 403 for a role,
//!   422 for a field that can be mended, 409 for the state of things.
//! - A join code leads nowhere: [`BadCode`](ApiError::BadCode), the same for every reason, so that codes cannot be told apart.
//! - Too often: [`TooManyRequests`](ApiError::TooManyRequests). Too much at once: [`TooFast`](ApiError::TooFast).
//! - Our own fault: the `Store…`, [`Busy`](ApiError::Busy), [`Damaged`](ApiError::Damaged), [`ExportFailed`](ApiError::ExportFailed),
//!   [`NoFont`](ApiError::NoFont), [`TimedOut`](ApiError::TimedOut). Details go to the log, not to the caller.
//!
//! The `code` is stable, and what screens translate; `title` and `detail` are English for logs and developers.

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::api::Problem;
use shared::limits;
use shared::workshop::Refusal;

use crate::board::BoardError;
use crate::store::StoreError;
use crate::workshop::CommandError;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// 400 `bad_json`: the body or the query cannot be read as what it should be; says where.
    #[error("{0}")]
    BadJson(String),
    /// 400 `bad_idempotency_key`: the header cannot be read.
    #[error("an Idempotency-Key is 1 to 64 printable characters in quotes")]
    BadKey,
    /// 422 `idempotency_key_reused`: it came with another command before.
    #[error("this Idempotency-Key came with another command before; nothing was done, send a new one")]
    KeyReused,
    /// 401 `unauthorised`: no token, an unknown one, or a revoked one.
    #[error("send a valid token as `Authorization: Bearer …`")]
    Unauthorised,
    /// 401 `expired_token`: the token was issued too long ago. Whoever holds it may know that; only they can have it.
    #[error("this token has expired; ask a facilitator for a new link, or join again with the code")]
    ExpiredToken,
    /// 403 `wrong_workshop`: the token is for another café.
    #[error("this token belongs to another café")]
    WrongWorkshop,
    /// 403 `foreign_origin`: the request comes from a page of another site.
    #[error(
        "pages of this origin may not call this server; start it with --public-url or --allow-origin to allow them"
    )]
    ForeignOrigin,
    /// 404 `not_found`: nothing is at this address.
    #[error("there is nothing at this address")]
    NotFound,
    /// 404 `bad_code`: no café can be joined with this code, whatever the reason.
    #[error("no café has this code")]
    BadCode,
    /// 405 `method_not_allowed`.
    #[error("this address does not take this method")]
    MethodNotAllowed,
    /// 413 `too_large`: the body has more than [`limits::BODY_BYTES`], or [`limits::JOIN_BYTES`].
    #[error("this request may have at most {limit} bytes")]
    TooLarge {
        /// How many it may have.
        limit: usize,
    },
    /// 422 `unknown_template`.
    #[error("there is no template of this name")]
    UnknownTemplate,
    /// 429 `too_many_requests`: again after this many seconds.
    #[error("too many requests from this address; try again in {retry_after} s")]
    TooManyRequests {
        /// Seconds until the next one is taken.
        retry_after: u64,
    },
    /// 429 `too_fast`: this café is being changed faster than its log may grow; again after this many seconds.
    #[error("this café is being changed too fast; nothing was done, try again in {retry_after} s")]
    TooFast {
        /// Seconds until there is room for this one.
        retry_after: u64,
    },
    /// 403, 409 or 422, with the refusal's own code.
    #[error("{0}")]
    Refused(Refusal),
    /// 500 `damaged`: something stored cannot be read back.
    #[error("a part of this café is damaged and was not changed; the server's log says more")]
    Damaged,
    /// 500 `export_failed`: this document could not be made.
    #[error("this document could not be made, and the server's log says more; another format may work")]
    ExportFailed,
    /// 503 `no_font`: the fonts of this machine cannot draw what is written. With some of the characters; with none, there is no font at all.
    #[error(
        "this server has no font for what is written here{}; install one, for Chinese on Debian the package fonts-noto-cjk, and start the \
         server again; meanwhile take the Word document (docx), which brings none of its own",
        if .0.is_empty() { String::new() } else { format!(" ({})", .0) }
    )]
    NoFont(String),
    /// 503 `busy`: the café has more to do than it can.
    #[error("the café is busy; try again")]
    Busy,
    /// 503 `timed_out`: it took too long; it may still have happened.
    #[error("this took too long; it may still have happened")]
    TimedOut,
    /// 503 `server_full`: boards take as much memory as they may.
    #[error("the server has no memory left for another board at the moment; try again")]
    ServerFull,
    /// 503 `store_unavailable`.
    #[error("the store cannot be reached; nothing was saved")]
    StoreUnavailable,
    /// 503 `store_full`.
    #[error("the server's disk is full; nothing was saved")]
    StoreFull,
}

impl ApiError {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadJson(_) | Self::BadKey => StatusCode::BAD_REQUEST,
            Self::Unauthorised | Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            Self::WrongWorkshop | Self::ForeignOrigin | Self::Refused(Refusal::NotAllowed) => StatusCode::FORBIDDEN,
            Self::NotFound | Self::BadCode => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownTemplate | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) if self.field().is_some() || refusal.limit().is_some() => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::TooManyRequests { .. } | Self::TooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Damaged | Self::ExportFailed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoFont(_)
            | Self::Busy
            | Self::TimedOut
            | Self::ServerFull
            | Self::StoreUnavailable
            | Self::StoreFull => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadJson(_) => "bad_json",
            Self::BadKey => "bad_idempotency_key",
            Self::KeyReused => "idempotency_key_reused",
            Self::Unauthorised => "unauthorised",
            Self::ExpiredToken => "expired_token",
            Self::WrongWorkshop => "wrong_workshop",
            Self::ForeignOrigin => "foreign_origin",
            Self::NotFound => "not_found",
            Self::BadCode => "bad_code",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge { .. } => "too_large",
            Self::UnknownTemplate => "unknown_template",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::TooFast { .. } => "too_fast",
            Self::Refused(refusal) => refusal.code(),
            Self::Damaged => "damaged",
            Self::ExportFailed => "export_failed",
            Self::NoFont(_) => "no_font",
            Self::Busy => "busy",
            Self::TimedOut => "timed_out",
            Self::ServerFull => "server_full",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreFull => "store_full",
        }
    }

    /// The problem document.
    pub fn problem(&self) -> Problem {
        let status = self.status();
        Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            code: self.code().to_owned(),
            detail: self.to_string(),
            field: self.field().map(str::to_owned),
            limit: match self {
                Self::Refused(refusal) => refusal.limit(),
                Self::TooLarge { limit } => Some(*limit as u64),
                _ => None,
            },
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Refused(Refusal::TooFewTables { .. }) => Some("tables"),
            Self::Refused(refusal) => refusal.field(),
            Self::UnknownTemplate => Some("template"),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after } | Self::TooFast { retry_after } => Some((*retry_after).max(1)),
            Self::Busy => Some(1),
            Self::ServerFull | Self::StoreUnavailable => Some(5),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status(), kind, body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed a request");
        match error {
            StoreError::Full => Self::StoreFull,
            StoreError::Corrupt { .. } => Self::Damaged,
            // Somebody else wrote in between, which trying again solves.
            StoreError::Conflict { .. } => Self::Busy,
            StoreError::ClientTaken { .. } | StoreError::Io(_) | StoreError::SyncFailed(_) | StoreError::Closed => {
                Self::StoreUnavailable
            }
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NoSuchWorkshop => Self::NotFound,
            CommandError::Refused(refusal) => Self::Refused(refusal),
            CommandError::Store(error) => error.into(),
            CommandError::KeyReused => Self::KeyReused,
            CommandError::Busy => Self::Busy,
        }
    }
}

impl From<BoardError> for ApiError {
    fn from(error: BoardError) -> Self {
        match error {
            BoardError::Store(error) => error.into(),
            BoardError::ServerFull => Self::ServerFull,
            BoardError::Unavailable => Self::Busy,
            error @ BoardError::Quarantined(_) => {
                tracing::error!(%error, "a board could not be read");
                Self::Damaged
            }
        }
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge { limit: limits::BODY_BYTES };
        }
        Self::BadJson(rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge { limit: limits::BODY_BYTES };
        }
        // What serde says may quote the request; a problem document stays small.
        Self::BadJson(rejection.body_text().chars().take(400).collect())
    }
}

#[cfg(test)]
mod tests {
    use shared::workshop::Phase;

    use super::*;

    fn of(error: impl Into<ApiError>) -> (u16, String, Option<String>, Option<u64>) {
        let problem = error.into().problem();
        (problem.status, problem.code, problem.field, problem.limit)
    }

    #[test]
    fn a_refusal_of_the_state_is_a_conflict() {
        let phase = Phase::Draft;
        assert_eq!(of(Refusal::WrongPhase { phase }), (409, "wrong_phase".into(), None, None));
        assert_eq!(of(Refusal::NobodyHere), (409, "nobody_here".into(), None, None));
        assert_eq!(of(Refusal::UnknownPerson), (409, "unknown_person".into(), None, None));
    }

    #[test]
    fn a_refusal_of_a_field_names_it_and_its_limit() {
        let refusal = Refusal::TooLong { field: "name".into(), limit: 40 };
        assert_eq!(of(refusal), (422, "too_long".into(), Some("name".into()), Some(40)));
        assert_eq!(of(Refusal::empty("tables.2.topic")), (422, "empty".into(), Some("tables.2.topic".into()), None));
        assert_eq!(
            of(Refusal::TooFewTables { min: 2 }),
            (422, "too_few_tables".into(), Some("tables".into()), Some(2))
        );
    }

    #[test]
    fn roles_and_stores_have_their_own_status() {
        assert_eq!(of(Refusal::NotAllowed).0, 403);
        assert_eq!(of(CommandError::NoSuchWorkshop), (404, "not_found".into(), None, None));
        assert_eq!(of(StoreError::Full), (503, "store_full".into(), None, None));
        assert_eq!(of(ApiError::ExportFailed), (500, "export_failed".into(), None, None));
        assert_eq!(of(StoreError::Closed), (503, "store_unavailable".into(), None, None));
        assert_eq!(of(StoreError::Io("secret path".into())).1, "store_unavailable");
    }

    #[test]
    fn the_answer_is_a_problem_document() {
        let response = ApiError::TooManyRequests { retry_after: 20 }.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "20");
        let response = ApiError::Unauthorised.into_response();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }

    #[test]
    fn what_an_operator_may_know_is_not_told_to_the_caller() {
        let problem = ApiError::from(StoreError::Io("/srv/cafe/tablehop.db: disk I/O error".into())).problem();
        assert!(!problem.detail.contains("/srv"), "{}", problem.detail);
    }
}
