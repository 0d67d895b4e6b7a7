//! Joining: a code and a name, no account.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json as Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use shared::api::{CodeInfo, JoinRequest, Joined};
use shared::id::{Actor, Role, WorkshopId};
use shared::limits;
use shared::workshop::plan::line;
use shared::workshop::{Command, Workshop};

use super::Http;
use super::error::ApiError;
use super::extract::{Json, Path, Peer, maybe_caller};
use super::openapi::Problems;
use crate::auth::new_actor;
use crate::workshop::CommandError;

/// Joins a café. With the bearer token of somebody in it, they are the same person again, under the name now given.
#[utoipa::path(post, path = "/api/join", tag = "guests", request_body = JoinRequest, security((), ("bearer" = [])),
    responses((status = 201, body = Joined, description = "Joined"), (status = 200, body = Joined, description = "Here again"), Problems))]
pub async fn join(
    State(http): State<Http>,
    Peer(address): Peer,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Body<Joined>), ApiError> {
    let request = match Json::<JoinRequest>::from_request(request, &http).await {
        Ok(Json(request)) => request,
        Err(ApiError::TooLarge { .. }) => return Err(ApiError::TooLarge { limit: limits::JOIN_BYTES }),
        Err(error) => return Err(error),
    };
    // The code first: somebody who guesses must not use up what guests behind the same router need.
    let (workshop, _) = find(&http, address, &request.code).await?;
    http.gate.join(address)?;
    tracing::Span::current().record("workshop", tracing::field::display(&workshop));
    http.gate.join_workshop(&workshop)?;
    let caller = maybe_caller(&headers, &http).await?;
    let same_person = caller.filter(|(p, _)| p.workshop == workshop && p.actor.role == Role::Participant);
    let JoinRequest { name, department, .. } = request;
    match same_person {
        Some((principal, token)) => {
            let participant = come_back(&http, &workshop, principal.actor, name, department).await?.id;
            Ok((StatusCode::OK, Body(Joined { workshop, participant, token })))
        }
        None => {
            let actor = new_actor(Role::Participant)?;
            http.app.workshops.join(&workshop, actor.id.clone(), name, department).await?;
            let token = match http.app.tokens.issue(&workshop, &actor).await {
                Ok(token) => token,
                Err(error) => {
                    // Nobody can ever act as this person, so they must not hold a seat.
                    if let Err(error) = http.app.workshops.command(&workshop, &actor, Command::Leave, None).await {
                        tracing::warn!(?error, "somebody without a token stays in a café");
                    }
                    return Err(error.into());
                }
            };
            Ok((StatusCode::CREATED, Body(Joined { workshop, participant: actor.id, token })))
        }
    }
}

/// What a join page shows before a name is given.
#[utoipa::path(get, path = "/api/codes/{code}", tag = "guests", params(("code" = String, Path)), security(()),
    responses((status = 200, body = CodeInfo, description = "The café behind the code"), Problems))]
pub async fn code_info(
    State(http): State<Http>,
    Peer(address): Peer,
    Path(code): Path<String>,
) -> Result<Body<CodeInfo>, ApiError> {
    let (workshop, state) = find(&http, address, &code).await?;
    Ok(Body(CodeInfo { workshop, title: state.draft.title.clone() }))
}

async fn come_back(
    http: &Http,
    workshop: &WorkshopId,
    actor: Actor,
    name: String,
    department: Option<String>,
) -> Result<Actor, ApiError> {
    let (_, state) = http.app.workshops.state(workshop).await?;
    http.app.workshops.join(workshop, actor.id.clone(), name.clone(), department.clone()).await?;
    let before = state.participants.get(&actor.id);
    let is_renamed = before.is_some_and(|before| {
        let same_name = line("name", &name, limits::NAME_CHARS).is_ok_and(|name| name == before.name);
        let same_department = department.is_none() || department == before.department;
        !same_name || !same_department
    });
    if is_renamed {
        let department = department.or_else(|| before.and_then(|p| p.department.clone()));
        http.app.workshops.command(workshop, &actor, Command::Rename { name, department }, None).await?;
    }
    Ok(actor)
}

/// The café behind a code as somebody typed it. Every failure looks the same.
async fn find(http: &Http, address: IpAddr, typed: &str) -> Result<(WorkshopId, Arc<Workshop>), ApiError> {
    let code = normalise_code(typed).unwrap_or_default();
    let guess = http.gate.codes.guess(address, &code).await?;
    let found = if code.is_empty() { None } else { http.app.store.workshop_by_join_code(code.clone()).await? };
    let workshop = found.map(WorkshopId);
    let state = match &workshop {
        Some(workshop) => http.app.workshops.state(workshop).await,
        None => Err(CommandError::NoSuchWorkshop),
    };
    match (workshop, state) {
        (Some(workshop), Ok((_, state))) => {
            guess.right();
            Ok((workshop, state))
        }
        // A code may also be reserved for a café that could not be created.
        (None, _) | (_, Err(CommandError::NoSuchWorkshop)) => Err(guess.wrong()),
        (_, Err(error)) => Err(error.into()),
    }
}

/// A join code as it is stored: 8 capital letters and digits. People type it with spaces, dashes and small letters, and Chinese input
/// methods in full width; `None` if no code can be meant.
pub fn normalise_code(typed: &str) -> Option<String> {
    // More than any spelling of a code has; nobody's megabyte is looked at letter by letter.
    if typed.len() > 64 {
        return None;
    }
    let mut code = String::with_capacity(8);
    for c in typed.chars() {
        let c = match c {
            // The full-width forms of ASCII lie in one block, in the same order.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
            c => c,
        };
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => code.push(c.to_ascii_uppercase()),
            c if c.is_whitespace() || "-_–—·.".contains(c) => {}
            _ => return None,
        }
    }
    (code.len() == 8).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in [
            "ABCD2345",
            "abcd2345",
            "ABCD 2345",
            " abcd-2345 ",
            "ＡＢＣＤ２３４５",
            "ａｂｃｄ　２３４５",
            "ABCD–2345",
            "ABCD－2345",
        ] {
            assert_eq!(normalise_code(typed).as_deref(), Some("ABCD2345"), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let long = "A".repeat(100_000);
        for typed in ["", "ABC", "ABCD23456", "ABCD234/", "世界咖啡世界咖啡", "ABCD\u{0}345", "' OR 1=1", long.as_str()]
        {
            assert_eq!(normalise_code(typed), None, "{typed:.20}");
        }
    }
}
