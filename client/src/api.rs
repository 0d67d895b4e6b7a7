//! Requests over HTTP. Everything that can go wrong is an [`ApiError`], which has a text for people.

use gloo_net::http::{Request, RequestBuilder, Response};
use gloo_timers::future::TimeoutFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::api::{
    CodeInfo, CreateWorkshop, CreatedLink, CreatedWorkshop, JoinRequest, Joined, Links, NewLink, Problem,
};
use shared::id::{Role, WorkshopId};
use shared::template::Template;
use shared::workshop::view::TableBrief;
use shared::workshop::{Command, Language};

use crate::i18n::{I18n, t_string};
use crate::platform;

/// Milliseconds to wait before a command is sent again: for a phone between two cells, and a server that is just being restarted.
const AGAIN_AFTER: [u32; 2] = [400, 1_600];

/// A request that was not carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    /// Stable: a refusal's or a problem document's code, `offline` or `unknown`.
    pub code: String,
    /// The field of the request that is to be mended, as a path such as `tables.2.topic`.
    pub field: Option<String>,
    /// The limit that was passed.
    pub limit: Option<u64>,
    /// Whether the server was not reached at all; trying again later may help.
    pub offline: bool,
}

impl ApiError {
    /// The error with this code.
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), offline: code == "offline", ..Self::default() }
    }

    /// What happened, what is safe, and what to do next, in the reader's language.
    pub fn text(&self, i18n: I18n) -> String {
        let limit = self.limit.unwrap_or_default();
        // One row a code; the texts are checked at compile time, the codes are not.
        macro_rules! texts {
            ($($code:literal => $key:ident $(, $argument:ident)?;)*) => {
                match self.code.as_str() {
                    $($code => t_string!(i18n, common.error.$key $(, $argument = $argument)?).to_string(),)*
                    _ => t_string!(i18n, common.error.unknown).to_string(),
                }
            };
        }
        texts! {
            "not_allowed" => not_allowed;
            "wrong_phase" => wrong_phase;
            "wrong_round_status" => wrong_round_status;
            "not_next_phase" => not_next_phase;
            "no_round_left" => no_round_left;
            "nobody_here" => nobody_here;
            "too_few_tables" => too_few_tables, limit;
            "too_many" => too_many, limit;
            "empty" => empty;
            "too_long" => too_long, limit;
            "too_much_text" => too_much_text;
            "control_characters" => control_characters;
            "out_of_range" => out_of_range;
            "unknown_person" => unknown_person;
            "unknown_table" => unknown_table;
            "unknown_round" => unknown_round;
            "unknown_theme" => unknown_theme;
            "unknown_action" => unknown_action;
            "not_approved" => not_approved;
            "unknown_link" => unknown_link;
            "own_link" => own_link;
            "table_full" => table_full;
            "not_enough_seats" => not_enough_seats;
            "no_dots_left" => no_dots_left;
            "vote_closed" => vote_closed;
            "no_themes" => no_themes;
            "feelings_not_asked" => feelings_not_asked;
            "not_seated_there" => not_seated_there;
            "closed" => closed;
            "full" => full;
            "unauthorised" => unauthorised;
            "forbidden" => forbidden;
            "bad_token" => bad_token;
            "expired_token" => expired_token;
            "wrong_workshop" => wrong_workshop;
            "other_workshop" => wrong_workshop;
            "not_seated" => not_seated;
            "bad_code" => bad_code;
            "not_found" => not_found;
            "method_not_allowed" => method_not_allowed;
            "unknown_template" => unknown_template;
            "too_many_requests" => too_many_requests;
            "too_fast" => too_fast;
            "too_large" => too_large;
            "bad_json" => bad_json;
            "foreign_origin" => foreign_origin;
            "damaged" => damaged;
            "export_failed" => export_failed;
            "no_font" => no_font;
            "busy" => busy;
            "timed_out" => timed_out;
            "store_unavailable" => store_unavailable;
            "store_full" => store_full;
            "server_full" => server_full;
            "unavailable" => busy;
            "unknown_workshop" => not_found;
            "other_person" => bad_token;
            "board_broken" => board_broken;
            "board_quarantined" => board_broken;
            "board_full" => board_full;
            "board_resting" => board_resting;
            "read_only" => read_only;
            "waits_for_others" => waits_for_others;
            "not_open" => not_open;
            "removed" => removed;
            "link_ended" => link_ended;
            "too_many_boards" => too_many_boards;
            "too_many_sessions" => too_many_sessions;
            "offline" => offline;
        }
    }

    /// Whether nobody knows if it was done.
    fn is_unanswered(&self) -> bool {
        self.offline || matches!(self.code.as_str(), "timed_out" | "store_unavailable" | "busy")
    }

    fn offline() -> Self {
        Self::of("offline")
    }
}

/// `POST /api/workshops`.
pub async fn create_workshop(body: &CreateWorkshop) -> Result<CreatedWorkshop, ApiError> {
    json(post("/api/workshops", None, body).await?).await
}

/// `GET /api/templates`, in one language.
pub async fn templates(language: Language) -> Result<Vec<Template>, ApiError> {
    let tag = match language {
        Language::ZhCn => "zh-CN",
        Language::En => "en",
    };
    json(get(&format!("/api/templates?language={tag}"), None).await?).await
}

/// `GET /api/codes/{code}`: what is behind a join code.
pub async fn code_info(code: &str) -> Result<CodeInfo, ApiError> {
    json(get(&format!("/api/codes/{}", segment(code)), None).await?).await
}

/// `POST /api/join`. With the token of an earlier join one is the same person again.
pub async fn join(body: &JoinRequest, token: Option<&str>) -> Result<Joined, ApiError> {
    json(post("/api/join", token, body).await?).await
}

/// `GET /api/workshops/{id}/tables`: all tables that one may read.
pub async fn tables(workshop: &WorkshopId, token: &str) -> Result<Vec<TableBrief>, ApiError> {
    json(get(&format!("/api/workshops/{workshop}/tables"), Some(token)).await?).await
}

/// `POST /api/workshops/{id}/commands`. What it caused arrives as a new view. If no answer comes it is sent again, under the same key, so that
/// it acts once.
pub async fn command(workshop: &WorkshopId, token: &str, command: &Command) -> Result<(), ApiError> {
    let path = format!("/api/workshops/{workshop}/commands");
    let key = request_key();
    for pause in AGAIN_AFTER {
        match post_keyed(&path, Some(token), command, Some(&key)).await {
            Err(error) if error.is_unanswered() => TimeoutFuture::new(pause).await,
            answer => return answer.map(drop),
        }
    }
    post_keyed(&path, Some(token), command, Some(&key)).await.map(drop)
}

/// `GET /api/workshops/{id}/links`: where to send people.
pub async fn links(workshop: &WorkshopId, token: &str) -> Result<Links, ApiError> {
    json(get(&format!("/api/workshops/{workshop}/links"), Some(token)).await?).await
}

/// `POST /api/workshops/{id}/links`: a further link for a co-facilitator or for reviewers.
pub async fn new_link(workshop: &WorkshopId, token: &str, role: Role) -> Result<CreatedLink, ApiError> {
    json(post(&format!("/api/workshops/{workshop}/links"), Some(token), &NewLink { role }).await?).await
}

/// `GET /api/workshops/{id}/export/{format}`, as text: `json` or `md`. Other formats are no text, or begin with a mark that text loses.
pub async fn export(workshop: &WorkshopId, token: &str, format: &str) -> Result<String, ApiError> {
    let response = get(&format!("/api/workshops/{workshop}/export/{format}"), Some(token)).await?;
    response.text().await.map_err(|_| ApiError::offline())
}

/// `GET /api/workshops/{id}/export/{format}`, as it is.
pub async fn document(workshop: &WorkshopId, token: &str, format: &str) -> Result<Vec<u8>, ApiError> {
    let response = get(&format!("/api/workshops/{workshop}/export/{format}"), Some(token)).await?;
    response.binary().await.map_err(|_| ApiError::offline())
}

/// The address of the QR picture behind a join code; no token is needed.
pub fn qr_url(join_code: &str) -> String {
    format!("/api/qr/{}.svg", segment(join_code))
}

async fn get(path: &str, token: Option<&str>) -> Result<Response, ApiError> {
    checked(bearing(Request::get(path), token).send().await).await
}

async fn post<T: Serialize>(path: &str, token: Option<&str>, body: &T) -> Result<Response, ApiError> {
    post_keyed(path, token, body, None).await
}

async fn post_keyed<T: Serialize>(
    path: &str,
    token: Option<&str>,
    body: &T,
    key: Option<&str>,
) -> Result<Response, ApiError> {
    let body = serde_json::to_string(body).map_err(|_| ApiError::of("bad_json"))?;
    let mut request = bearing(Request::post(path), token).header("Content-Type", "application/json");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let request = request.body(body).map_err(|_| ApiError::offline())?;
    checked(request.send().await).await
}

fn bearing(request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
    match token {
        Some(token) => request.header("Authorization", &["Bearer ", token].concat()),
        None => request,
    }
}

/// A key that this person has not used for a command before.
fn request_key() -> String {
    format!("\"{:x}-{:x}\"", platform::now(), (platform::random() * 2f64.powi(52)) as u64)
}

/// An answer that is a problem becomes an error.
async fn checked(answer: Result<Response, gloo_net::Error>) -> Result<Response, ApiError> {
    // The browser gives no reason: no network, no server, a certificate.
    let response = answer.map_err(|_| ApiError::offline())?;
    if response.ok() {
        return Ok(response);
    }
    let problem = response.text().await.ok().and_then(|text| serde_json::from_str::<Problem>(&text).ok());
    Err(match problem {
        Some(problem) => ApiError { code: problem.code, field: problem.field, limit: problem.limit, offline: false },
        // Something between us and the server answered.
        None => ApiError::of(match response.status() {
            401 => "unauthorised",
            404 => "not_found",
            413 => "too_large",
            429 => "too_many_requests",
            502..=504 => "offline",
            _ => "unknown",
        }),
    })
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let text = response.text().await.map_err(|_| ApiError::offline())?;
    serde_json::from_str(&text).map_err(|_| ApiError::of("unknown"))
}

/// Text as one segment of a path.
fn segment(text: &str) -> String {
    js_sys::encode_uri_component(text.trim()).into()
}
