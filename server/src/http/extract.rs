//! What handlers take from a request. Each failure is an [`ApiError`], so that nothing leaves as plain text.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRef, FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use shared::id::{Role, WorkshopId};
use shared::workshop::{Refusal, Workshop};

use super::Http;
use super::error::ApiError;
use crate::app::App;
use crate::auth::{Principal, Standing};

/// A JSON body.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(body) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads the body, and tells how many bytes it has.
    ///
    /// # Errors
    /// As those of any JSON body.
    pub async fn weighed<S: Send + Sync>(request: Request, state: &S) -> Result<(T, u64), ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await?;
        let weight = bytes.len() as u64;
        let Self(read) = Self::from_request(Request::from_parts(parts, Body::from(bytes)), state).await?;
        Ok((read, weight))
    }
}

/// The part after `?`.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::BadJson(rejection.body_text().chars().take(400).collect())),
        }
    }
}

/// Parts of the path.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(_) => Err(ApiError::NotFound),
        }
    }
}

/// The caller, by their bearer token.
pub struct Caller(pub Principal);

impl Caller {
    /// Checks that the caller belongs to this café and has not been put out of it; gives the café as it is now. Every request about a café
    /// passes here, after its body has come: the token was looked up before, may have been voided since, or could not be voided when it
    /// should have been. What the café has decided holds all the same.
    ///
    /// # Errors
    /// [`ApiError::WrongWorkshop`]; [`ApiError::Unauthorised`] as for a token that is void; or the café cannot be loaded.
    pub async fn of(&self, http: &Http, workshop: &WorkshopId) -> Result<Arc<Workshop>, ApiError> {
        if self.0.workshop != *workshop {
            return Err(ApiError::WrongWorkshop);
        }
        let (_, state) = http.app.workshops.state(workshop).await?;
        if state.is_out(&self.0.actor) { Err(ApiError::Unauthorised) } else { Ok(state) }
    }

    /// The same, for facilitators only.
    ///
    /// # Errors
    /// As [`Caller::of`], or the refusal `not_allowed`.
    pub async fn facilitating(&self, http: &Http, workshop: &WorkshopId) -> Result<Arc<Workshop>, ApiError> {
        let state = self.of(http, workshop).await?;
        if self.0.actor.role == Role::Facilitator { Ok(state) } else { Err(Refusal::NotAllowed.into()) }
    }
}

impl FromRequestParts<Http> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Result<Self, ApiError> {
        match standing(&parts.headers, http).await? {
            Some((Standing::Valid(principal), _)) => Ok(Self(principal)),
            Some((Standing::Expired, _)) => Err(ApiError::ExpiredToken),
            Some((Standing::Unknown, _)) | None => Err(ApiError::Unauthorised),
        }
    }
}

/// The caller and their token, if they sent a valid one.
///
/// # Errors
/// The store cannot say.
pub async fn maybe_caller(headers: &HeaderMap, http: &Http) -> Result<Option<(Principal, String)>, ApiError> {
    Ok(match standing(headers, http).await? {
        Some((Standing::Valid(principal), token)) => Some((principal, token)),
        _ => None,
    })
}

/// What the token that came with a request is worth, and the token.
async fn standing(headers: &HeaderMap, http: &Http) -> Result<Option<(Standing, String)>, ApiError> {
    let Some(token) = bearer(headers) else { return Ok(None) };
    let token = token.to_owned();
    Ok(Some((http.app.tokens.check(&token).await?, token)))
}

/// The token that came with a request, not looked at.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(token_in)
}

/// The token in `Bearer <token>`; the scheme's case does not matter (RFC 9110).
fn token_in(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The address a request is counted under.
#[derive(Clone, Copy)]
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer
where
    App: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let app = App::from_ref(state);
        // Without a connection (a router called directly) everybody is one address, and not this machine.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(app.config.client_address(&parts.headers, peer)))
    }
}

#[cfg(test)]
mod tests {
    use super::token_in;

    #[test]
    fn bearer_tokens_are_read_and_nothing_else_is() {
        for good in ["Bearer abc", "bearer abc", " BEARER   abc "] {
            assert_eq!(token_in(good), Some("abc"), "{good}");
        }
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(token_in(bad), None, "{bad}");
        }
    }
}
