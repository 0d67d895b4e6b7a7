//! Cafés: creating one, reading it, and asking something of it.

use std::time::Instant;

use axum::Json as Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shared::api::{CreateWorkshop, CreatedWorkshop};
use shared::id::{ActorId, BoardKind, Role, WorkshopId};
use shared::limits;
use shared::template;
use shared::workshop::view::TableBrief;
use shared::workshop::{Command, Draft, Recorded, Refusal, View, Workshop};
use tracing::Instrument;

use super::Http;
use super::error::ApiError;
use super::extract::{Caller, Json, Path, Peer};
use super::openapi::Problems;
use crate::auth::new_actor;
use crate::workshop::RequestKey;

/// Answer to a command.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandDone {
    /// What it caused, in order; empty if things already were as asked.
    pub events: Vec<Recorded>,
}

/// Creates a café and gives its links. The tokens in them are shown this once.
#[utoipa::path(post, path = "/api/workshops", tag = "cafés", request_body = CreateWorkshop, security(()),
    responses((status = 201, body = CreatedWorkshop, description = "Created"), Problems))]
pub async fn create(
    State(http): State<Http>,
    Peer(address): Peer,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Body<CreatedWorkshop>), ApiError> {
    // Before the body is read: it may be the largest there is, and from anybody.
    http.gate.create(address)?;
    let Json(request) = Json::<CreateWorkshop>::from_request(request, &http).await?;
    let draft = draft(request)?.checked()?;
    let (id, join_code) = http.app.workshops.create(draft).await?;
    let (facilitator, reviewer) = (new_actor(Role::Facilitator)?, new_actor(Role::Reviewer)?);
    let facilitator_token = http.app.tokens.issue(&id, &facilitator).await?;
    let review_token = http.app.tokens.issue(&id, &reviewer).await?;
    http.gate.codes.right(address, &join_code);
    metrics::counter!("tablehop_workshops_created_total").increment(1);
    let base = http.app.config.url_for_guests(host(&headers));
    let created = CreatedWorkshop {
        join_url: join_url(&base, &join_code),
        facilitator_url: actor_url(&base, Role::Facilitator, &id, &facilitator_token),
        review_url: actor_url(&base, Role::Reviewer, &id, &review_token),
        id,
        join_code,
        facilitator_token,
        review_token,
    };
    Ok((StatusCode::CREATED, Body(created)))
}

/// What the caller's role may see.
#[utoipa::path(get, path = "/api/workshops/{id}", tag = "cafés", params(("id" = String, Path)),
    responses((status = 200, body = View, description = "What the caller's role may see"), Problems))]
pub async fn show(
    State(http): State<Http>,
    Path(id): Path<WorkshopId>,
    caller: Caller,
) -> Result<Body<View>, ApiError> {
    caller.of(&http, &id).await?;
    Ok(Body(http.app.workshops.view(&id, &caller.0.actor).await?))
}

/// The tables whose boards the caller may read. A participant's view lists only those nearby, for it is sent often.
#[utoipa::path(get, path = "/api/workshops/{id}/tables", tag = "cafés", params(("id" = String, Path)),
    responses((status = 200, body = Vec<TableBrief>, description = "In order"), Problems))]
pub async fn tables(
    State(http): State<Http>,
    Path(id): Path<WorkshopId>,
    caller: Caller,
) -> Result<Body<Vec<TableBrief>>, ApiError> {
    let state = caller.of(&http, &id).await?;
    let open = state.table_ids().filter(|table| state.may_read(&caller.0.actor, BoardKind::Table(*table)));
    let brief = |id| {
        let plan = state.table_plan(id)?;
        Some(TableBrief { id, topic: plan.topic.clone(), question: plan.question.clone() })
    };
    Ok(Body(open.filter_map(brief).collect()))
}

/// Asks something of the café; a refusal says why and changes nothing. With an `Idempotency-Key`, sending it again acts once and gets
/// the same answer.
#[utoipa::path(post, path = "/api/workshops/{id}/commands", tag = "cafés", request_body = Command,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "In quotes, 64 characters at most; a new one for each command")),
    responses((status = 200, body = CommandDone, description = "Done"), Problems))]
pub async fn command(
    State(http): State<Http>,
    Path(id): Path<WorkshopId>,
    caller: Caller,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    caller.of(&http, &id).await?;
    let mut charge = Charge::before(&http, &id, caller.0.actor.role, &headers)?;
    let (command, bytes) = match Json::<Command>::weighed(request, &http).await {
        Ok(read) => read,
        Err(error) => {
            // Nothing of it is stored. Requests are bounded in number besides.
            charge.settle(0);
            return Err(error);
        }
    };
    charge.read(&command, bytes)?;
    let key = key(&headers, &command)?;
    let state = caller.of(&http, &id).await?;
    let out = match &command {
        Command::RemovePerson { participant } => Some(participant.clone()),
        Command::EndLink { actor } => {
            if caller.0.actor.role == Role::Facilitator {
                known_link(&http, &id, &state, actor).await?;
            }
            Some(actor.clone())
        }
        _ => None,
    };
    let (app, cafe, by) = (http.app.clone(), id.clone(), caller.0.actor.clone());
    let carried_out = async move {
        let events = app.workshops.command(&cafe, &by, command, key).await?;
        if let Some(actor) = out {
            app.tokens.revoke_actor(&cafe, &actor).await?;
        }
        Ok::<_, ApiError>(events)
    };
    // A task of its own: a connection that is lost drops what this one does, and who was put out must not keep a token for that.
    let events = tokio::spawn(carried_out.in_current_span()).await.map_err(|_| ApiError::Busy)??;
    let done = serde_json::to_vec(&CommandDone { events }).unwrap_or_default();
    charge.done(done.len() as u64);
    Ok(([(header::CONTENT_TYPE, "application/json")], done).into_response())
}

/// What one command takes from its café's budget.
struct Charge<'a> {
    http: &'a Http,
    id: &'a WorkshopId,
    role: Role,
    /// Bytes taken so far.
    taken: u64,
}

impl<'a> Charge<'a> {
    /// Before the body is read. A large one must fit, so that what is being read at the same time is bounded, too; one of unknown size may
    /// be the largest there is.
    fn before(http: &'a Http, id: &'a WorkshopId, role: Role, headers: &HeaderMap) -> Result<Self, ApiError> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let most = length.map_or(limits::BODY_BYTES as u64, |length: u64| length.min(limits::BODY_BYTES as u64));
        let taken = if most > limits::COMMAND_SMALL_BYTES { most } else { 0 };
        if taken > 0 {
            http.gate.commands.take(id, role, taken, Instant::now())?;
        }
        Ok(Self { http, id, role, taken })
    }

    /// The body has been read. Those who are steered take nothing, for they come in thousands; nor do the commands that end whoever floods.
    fn read(&mut self, command: &Command, bytes: u64) -> Result<(), ApiError> {
        let is_free = matches!(command, Command::EndLink { .. } | Command::RemovePerson { .. });
        if self.taken > 0 {
            self.settle(bytes);
        } else if self.role != Role::Participant && !is_free {
            self.http.gate.commands.take(self.id, self.role, bytes, Instant::now())?;
            self.taken = bytes;
        }
        Ok(())
    }

    /// The command caused events of so many bytes.
    fn done(mut self, bytes: u64) {
        if self.taken > 0 {
            self.settle(bytes.max(self.taken));
        }
    }

    fn settle(&mut self, bytes: u64) {
        self.http.gate.commands.settle(self.id, self.role, self.taken, bytes, Instant::now());
        self.taken = bytes;
    }
}

/// Refuses to end a link that was given to nobody. One that is ended already may be ended again: perhaps its answer was lost.
async fn known_link(http: &Http, id: &WorkshopId, state: &Workshop, actor: &ActorId) -> Result<(), ApiError> {
    let given = http.app.tokens.links(id).await?;
    let known = state.ended_links.contains(actor) || given.iter().any(|(given, _)| given.id == *actor);
    if known { Ok(()) } else { Err(Refusal::UnknownLink.into()) }
}

/// The key in `Idempotency-Key: "…"` (draft-ietf-httpapi-idempotency-key-header: a string of RFC 9651). Without its quotes it is taken, too.
fn key(headers: &HeaderMap, command: &Command) -> Result<Option<RequestKey>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let name = value.to_str().map_err(|_| ApiError::BadKey)?.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    RequestKey::new(name, command).map(Some).ok_or(ApiError::BadKey)
}

/// What was asked for, completed from the template.
fn draft(request: CreateWorkshop) -> Result<Draft, ApiError> {
    let base = match &request.template {
        Some(id) => template::find(id, request.language).ok_or(ApiError::UnknownTemplate)?.draft,
        None => Draft::default(),
    };
    let given = |text: String, otherwise: String| if text.trim().is_empty() { otherwise } else { text };
    Ok(Draft {
        title: given(request.title, base.title),
        purpose: given(request.purpose, base.purpose),
        language: request.language,
        tables: if request.tables.is_empty() { base.tables } else { request.tables },
        rounds: if request.rounds.is_empty() { base.rounds } else { request.rounds },
        settings: request.settings.unwrap_or(base.settings),
    })
}

/// The link behind the QR picture.
pub(super) fn join_url(base: &str, code: &str) -> String {
    format!("{base}/j/{code}")
}

/// The link of a facilitator or a reviewer. The token stands behind `#`, which browsers never send to a server.
pub(super) fn actor_url(base: &str, role: Role, id: &WorkshopId, token: &str) -> String {
    let page = match role {
        Role::Facilitator => "host",
        Role::Reviewer => "review",
        Role::Participant => "w",
    };
    format!("{base}/{page}/{id}#{token}")
}

pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use shared::workshop::{Language, Refusal, RoundPlan, TablePlan};

    use super::*;

    #[test]
    fn what_is_left_out_comes_from_the_template() {
        let request = CreateWorkshop {
            template: Some("satisfaction".into()),
            title: " ".into(),
            language: Language::En,
            rounds: vec![RoundPlan { minutes: 5.0, question: None }],
            ..CreateWorkshop::default()
        };
        let draft = draft(request).and_then(|d| Ok(d.checked()?)).expect("a draft");
        assert_eq!(draft.title, "Improving owner satisfaction");
        assert_eq!((draft.tables.len(), draft.rounds.len()), (5, 1));
        assert_eq!(draft.language, Language::En);
    }

    #[test]
    fn an_unknown_template_is_named() {
        let request = CreateWorkshop { template: Some("no-such".into()), ..CreateWorkshop::default() };
        assert_eq!(draft(request), Err(ApiError::UnknownTemplate));
    }

    #[test]
    fn without_a_template_everything_must_be_given() {
        let title = "Café".to_owned();
        let request = CreateWorkshop { title, tables: vec![TablePlan::default()], ..CreateWorkshop::default() };
        let refused = draft(request).and_then(|d| Ok(d.checked()?));
        assert_eq!(refused, Err(ApiError::Refused(Refusal::TooFewTables { min: 2 })));
    }

    #[test]
    fn a_token_stands_where_browsers_keep_it() {
        let url = actor_url("http://h:1", Role::Reviewer, &"abc".into(), "T");
        assert_eq!(url, "http://h:1/review/abc#T");
    }
}
