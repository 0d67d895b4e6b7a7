//! The HTTP interface from the caller's side.

use anyhow::{Context, Result};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use shared::api::{CreateWorkshop, CreatedLink, CreatedWorkshop, JoinRequest, Joined, Links, NewLink, Problem};
use shared::id::{Role, WorkshopId};
use shared::workshop::{Command, Recorded, View};

/// A server's address, with a client for it.
#[derive(Clone, Debug)]
pub struct Api {
    /// For example `http://127.0.0.1:8080`.
    pub base: String,
    /// The connection pool.
    pub http: Client,
}

/// A refusal: its status and its problem document.
#[derive(Debug)]
pub struct Refused {
    /// HTTP status.
    pub status: StatusCode,
    /// The document.
    pub problem: Problem,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.problem.code, self.problem.detail)
    }
}

impl std::error::Error for Refused {}

/// What a command caused.
#[derive(Debug, serde::Deserialize)]
pub struct Caused {
    /// The events, in order.
    pub events: Vec<Recorded>,
}

impl Api {
    /// For the server at `base`.
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), http: Client::new() }
    }

    /// A full address.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// `POST /api/workshops`.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn create(&self, body: &CreateWorkshop) -> Result<CreatedWorkshop> {
        send(self.http.post(self.url("/api/workshops")).json(body)).await
    }

    /// `POST /api/join`, as a new person or with the token of an earlier one.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn join(&self, code: &str, name: &str, token: Option<&str>) -> Result<Joined> {
        let body = JoinRequest { code: code.to_owned(), name: name.to_owned(), department: None };
        let request = self.http.post(self.url("/api/join")).json(&body);
        send(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    /// `POST /api/workshops/{id}/commands`.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn command(&self, workshop: &WorkshopId, token: &str, command: &Command) -> Result<Vec<Recorded>> {
        let url = self.url(&format!("/api/workshops/{workshop}/commands"));
        let caused: Caused = send(self.http.post(url).bearer_auth(token).json(command)).await?;
        Ok(caused.events)
    }

    /// The same with an `Idempotency-Key`, so that it can be sent again.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn command_once(
        &self,
        workshop: &WorkshopId,
        token: &str,
        key: &str,
        command: &Command,
    ) -> Result<Vec<Recorded>> {
        let url = self.url(&format!("/api/workshops/{workshop}/commands"));
        let request = self.http.post(url).bearer_auth(token).header("Idempotency-Key", format!("\"{key}\""));
        let caused: Caused = send(request.json(command)).await?;
        Ok(caused.events)
    }

    /// `GET /api/workshops/{id}`.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn view(&self, workshop: &WorkshopId, token: &str) -> Result<View> {
        send(self.http.get(self.url(&format!("/api/workshops/{workshop}"))).bearer_auth(token)).await
    }

    /// `GET /api/workshops/{id}/links`.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn links(&self, workshop: &WorkshopId, token: &str) -> Result<Links> {
        send(self.http.get(self.url(&format!("/api/workshops/{workshop}/links"))).bearer_auth(token)).await
    }

    /// `POST /api/workshops/{id}/links`.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn new_link(&self, workshop: &WorkshopId, token: &str, role: Role) -> Result<CreatedLink> {
        let url = self.url(&format!("/api/workshops/{workshop}/links"));
        send(self.http.post(url).bearer_auth(token).json(&NewLink { role })).await
    }

    /// `GET /api/workshops/{id}/export/{format}` as text.
    ///
    /// # Errors
    /// [`Refused`], or the connection failed.
    pub async fn export(&self, workshop: &WorkshopId, token: &str, format: &str) -> Result<String> {
        let url = self.url(&format!("/api/workshops/{workshop}/export/{format}"));
        let response = self.http.get(url).bearer_auth(token).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_success() { Ok(text) } else { Err(refused(status, &text)) }
    }
}

/// Sends a request and reads its answer as JSON.
///
/// # Errors
/// [`Refused`] with the problem document, or the connection failed.
pub async fn send<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    if status.is_success() {
        serde_json::from_str(&text).with_context(|| format!("answer: {text}"))
    } else {
        Err(refused(status, &text))
    }
}

fn refused(status: StatusCode, text: &str) -> anyhow::Error {
    match serde_json::from_str::<Problem>(text) {
        Ok(problem) => Refused { status, problem }.into(),
        Err(_) => anyhow::anyhow!("{status} without a problem document: {text}"),
    }
}

/// The stable code of a refusal.
pub fn code_of(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref::<Refused>().map(|refused| refused.problem.code.as_str())
}
