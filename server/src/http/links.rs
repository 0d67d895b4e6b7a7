//! Links: where a facilitator sends people.

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use shared::api::{CreatedLink, GivenLink, Links, NewLink};
use shared::id::{Role, WorkshopId};
use shared::workshop::Refusal;

use super::Http;
use super::error::ApiError;
use super::extract::{Caller, Json, Path, Peer};
use super::openapi::Problems;
use super::workshops::{actor_url, host, join_url};
use crate::auth::new_actor;

/// The join code and its link, and the links that were given to facilitators and reviewers; facilitators only.
#[utoipa::path(get, path = "/api/workshops/{id}/links", tag = "cafés", params(("id" = String, Path)),
    responses((status = 200, body = Links, description = "Where to send people"), Problems))]
pub async fn show(
    State(http): State<Http>,
    Path(id): Path<WorkshopId>,
    Peer(address): Peer,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Body<Links>, ApiError> {
    let workshop = caller.facilitating(&http, &id).await?;
    let join_code = workshop.join_code.clone();
    http.gate.codes.right(address, &join_code);
    let base = http.app.config.url_for_guests(host(&headers));
    let given = http.app.tokens.links(&id).await?.into_iter();
    let given = given.filter(|(actor, _)| !workshop.has_ended(actor)).map(|(actor, made_at)| GivenLink {
        own: actor.id == caller.0.actor.id,
        role: actor.role,
        actor: actor.id,
        made_at,
    });
    Ok(Body(Links { join_url: join_url(&base, &join_code), join_code, given: given.collect() }))
}

/// A further link for a co-facilitator or for reviewers; facilitators only. Its token is shown this once.
#[utoipa::path(post, path = "/api/workshops/{id}/links", tag = "cafés", params(("id" = String, Path)), request_body = NewLink,
    responses((status = 201, body = CreatedLink, description = "Created"), Problems))]
pub async fn create(
    State(http): State<Http>,
    Path(id): Path<WorkshopId>,
    headers: HeaderMap,
    caller: Caller,
    Json(NewLink { role }): Json<NewLink>,
) -> Result<(StatusCode, Body<CreatedLink>), ApiError> {
    caller.facilitating(&http, &id).await?;
    if role == Role::Participant {
        // Participants come with the join code and their own name.
        return Err(Refusal::OutOfRange { field: "role".into() }.into());
    }
    let actor = new_actor(role)?;
    let token = http.app.tokens.issue(&id, &actor).await?;
    // Whoever ends a link ends what it makes from then on, and sees what it made before.
    if let Err(error) = caller.facilitating(&http, &id).await {
        http.app.tokens.revoke_actor(&id, &actor.id).await?;
        return Err(error);
    }
    let base = http.app.config.url_for_guests(host(&headers));
    let url = actor_url(&base, role, &id, &token);
    Ok((StatusCode::CREATED, Body(CreatedLink { actor: actor.id, token, url })))
}
