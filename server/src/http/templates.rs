//! Built-in templates.

use axum::Json as Body;
use serde::Deserialize;
use shared::template::{self, Template};
use shared::workshop::Language;

use super::error::ApiError;
use super::extract::Query;
use super::openapi::Problems;

/// Which templates.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `zh-CN` (if left out) or `en`.
    #[serde(default)]
    language: Language,
}

/// The built-in templates in one language.
#[utoipa::path(get, path = "/api/templates", tag = "cafés", params(Wanted), security(()),
    responses((status = 200, body = Vec<Template>, description = "In the order in which they are offered"), Problems))]
pub async fn list(Query(Wanted { language }): Query<Wanted>) -> Result<Body<Vec<Template>>, ApiError> {
    Ok(Body(template::all(language)))
}
