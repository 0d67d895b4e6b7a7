//! The description of the interface, at `/api/openapi.json`. Each handler describes itself; this file lists them.

use std::collections::BTreeMap;

use axum::Json as Body;
use shared::api::Problem;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi as Describe, ToSchema as _};

use super::{exports, join, links, operations, qr, templates, workshops};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Tablehop", description = "World Cafés: creating them, joining them, steering them, taking the result away. What people write, and what happens, arrives over the WebSocket at `/collab`."),
    paths(
        workshops::create, workshops::show, workshops::tables, workshops::command, links::show, links::create, exports::show, templates::list,
        join::join, join::code_info, qr::show, operations::health, operations::ready, operations::metrics
    ),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer),
    tags(
        (name = "cafés", description = "For facilitators, and everybody in a café"),
        (name = "guests", description = "On the way in"),
        (name = "operations", description = "For those who run the server")
    )
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token that creating, joining or a link gave."))
            .build();
        if let Some(components) = &mut api.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        }
    }
}

/// Every error is a problem document with a stable `code`; the statuses are those of the file on errors.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        let response = |(status, description): (&str, &str)| {
            let response =
                ResponseBuilder::new().description(description).content("application/problem+json", body()).build();
            (status.to_owned(), response.into())
        };
        [
            ("400", "Cannot be read: `bad_json`"),
            ("401", "No valid token: `unauthorised`, `expired_token`"),
            ("403", "Not for this caller: `not_allowed`, `wrong_workshop`, `foreign_origin`"),
            ("404", "Nothing here: `not_found`, `bad_code`"),
            ("409", "The state of things forbids it: the code says why"),
            ("413", "Too large: `too_large`"),
            ("422", "A field is to be mended: `field` and `limit` say which and how"),
            ("429", "Too often: `too_many_requests`; too much at once: `too_fast`. Again after `Retry-After` seconds"),
            ("503", "Not now: `busy`, `timed_out`, `store_unavailable`, `store_full`, `server_full`"),
        ]
        .into_iter()
        .map(response)
        .collect()
    }
}

/// The description as OpenAPI.
pub fn describe() -> OpenApi {
    Description::openapi()
}

/// `GET /api/openapi.json`.
pub async fn show() -> Body<OpenApi> {
    Body(describe())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let api = serde_json::to_value(describe()).expect("JSON");
        let text = api.to_string();
        let names = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for name in names {
            assert!(api["components"]["schemas"][name].is_object(), "{name} is not described");
            count += 1;
        }
        assert!(count > 20, "only {count} references");
    }

    #[test]
    fn everything_that_is_served_is_described() {
        let api = describe();
        for path in [
            "/api/workshops",
            "/api/workshops/{id}",
            "/api/workshops/{id}/commands",
            "/api/workshops/{id}/tables",
            "/api/workshops/{id}/links",
            "/api/workshops/{id}/export/{format}",
            "/api/join",
            "/api/codes/{code}",
            "/api/qr/{code}.svg",
            "/api/templates",
            "/healthz",
            "/readyz",
            "/metrics",
        ] {
            assert!(api.paths.paths.contains_key(path), "{path}");
        }
        assert_eq!(api.paths.paths.len(), 13);
    }
}
