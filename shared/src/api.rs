//! Bodies of the HTTP interface, the same types on both sides.

use serde::{Deserialize, Serialize};

use crate::id::{ActorId, WorkshopId};
use crate::workshop::{Language, RoundPlan, Settings, TablePlan};

/// `POST /api/workshops`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateWorkshop {
    /// Id of a built-in template; what is left out below is taken from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Shown to everybody.
    #[serde(default)]
    pub title: String,
    /// Why people meet: one or two sentences.
    #[serde(default)]
    pub purpose: String,
    /// The language of the templates' and the export's texts; each reader's interface follows their own browser.
    #[serde(default)]
    pub language: Language,
    /// In order; table 1 is the first.
    #[serde(default)]
    pub tables: Vec<TablePlan>,
    /// In order.
    #[serde(default)]
    pub rounds: Vec<RoundPlan>,
    /// Everything else that can be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

/// Answer to `POST /api/workshops` (201). The tokens are shown this once; the store keeps only their hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedWorkshop {
    /// The workshop.
    pub id: WorkshopId,
    /// 8 characters without look-alikes, shown as two groups of four.
    pub join_code: String,
    /// The link behind the QR picture: `<public url>/j/<code>`.
    pub join_url: String,
    /// Bearer token of the facilitator.
    pub facilitator_token: String,
    /// The facilitator's link: `<public url>/host/<id>#<token>`.
    pub facilitator_url: String,
    /// Bearer token of the reviewers.
    pub review_token: String,
    /// Management's link: `<public url>/review/<id>#<token>`.
    pub review_url: String,
}

/// `POST /api/join`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The join code; spaces, dashes and case do not matter.
    pub code: String,
    /// The name the others will see.
    pub name: String,
    /// Optional: where they work, or what they are here as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// Answer to `POST /api/join` (201), and to joining again with the same bearer token (200).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Joined {
    /// The workshop joined.
    pub workshop: WorkshopId,
    /// Who one is in it.
    pub participant: ActorId,
    /// Bearer token of this person.
    pub token: String,
}

/// `GET /api/codes/{code}`: what a join page shows before a name is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeInfo {
    /// The workshop behind the code.
    pub workshop: WorkshopId,
    /// Its title.
    pub title: String,
}

/// `GET /api/workshops/{id}/links` (facilitators): where to send people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Links {
    /// The join code.
    pub join_code: String,
    /// The link behind the QR picture.
    pub join_url: String,
    /// Links that open the café to facilitators and reviewers, the oldest first. What they look like is known only to those who have them.
    pub given: Vec<GivenLink>,
}

/// A link that was given to a facilitator or a reviewer, and still opens the café. It is ended by the command `end_link`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenLink {
    /// Who acts through it.
    pub actor: ActorId,
    /// `facilitator` or `reviewer`.
    pub role: crate::id::Role,
    /// When it was made.
    pub made_at: crate::id::Millis,
    /// Whether it is the caller's own.
    pub own: bool,
}

/// `POST /api/workshops/{id}/links` (facilitators): a further link for a co-facilitator or for reviewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// `facilitator` or `reviewer`.
    pub role: crate::id::Role,
}

/// Answer to [`NewLink`] (201).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedLink {
    /// Who acts through it.
    pub actor: ActorId,
    /// Its bearer token, shown this once.
    pub token: String,
    /// The link to send.
    pub url: String,
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`, or a link into the documentation.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short and in English, for logs; screens translate `code`.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// Stable; see [`crate::workshop::Refusal`] and the server's `http/error.rs`.
    pub code: String,
    /// What is wrong in this case, in English.
    pub detail: String,
    /// The field of the request that is to be mended, as a path such as `tables.2.topic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The limit that was passed, for "at most {limit}".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}
