//! What this device keeps of a café that is being prepared.

use shared::id::WorkshopId;
use shared::workshop::Draft;

use crate::platform;

fn key(template: &str) -> String {
    format!("tablehop.new.{template}")
}

/// What was written for a template and not yet created.
pub(super) fn load(template: &str) -> Option<Draft> {
    // A draft of an older version of the product that no longer reads is as good as none.
    serde_json::from_str(&platform::local_get(&key(template))?).ok()
}

/// Keeps what is written; without storage it lasts as long as the page.
pub(super) fn keep(template: &str, draft: &Draft) {
    if let Ok(text) = serde_json::to_string(draft) {
        platform::local_set(&key(template), &text);
    }
}

/// Forgets it, once the café is created or somebody starts over.
pub(super) fn forget(template: &str) {
    platform::local_remove(&key(template));
}

fn review_key(workshop: &WorkshopId) -> String {
    format!("tablehop.review-link.{workshop}")
}

/// Keeps the review link, whose token the server shows only once.
pub(super) fn keep_review_link(workshop: &WorkshopId, url: &str) {
    platform::local_set(&review_key(workshop), url);
}

/// The review link kept on this device.
pub(super) fn review_link(workshop: &WorkshopId) -> Option<String> {
    platform::local_get(&review_key(workshop))
}
