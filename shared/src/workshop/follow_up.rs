//! What became of an action that was approved: looked at again after 30, 60 and 90 days.

use serde::{Deserialize, Serialize};

use crate::id::{ActionId, Millis};
use crate::limits;

/// Days after a decision at which an approved action is looked at again.
pub const AFTER_DAYS: [u8; 3] = [30, 60, 90];

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Nothing was done yet.
    NotStarted,
    /// It is being done.
    Underway,
    /// It is done.
    Done,
    /// It is not pursued any more.
    Stopped,
}

impl Progress {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::NotStarted, Self::Underway, Self::Done, Self::Stopped];
}

/// What was found when an action was looked at again. The latest for each action and number of days counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FollowUp {
    /// Which action.
    pub action: ActionId,
    /// Days after the decision: one of [`AFTER_DAYS`].
    pub after_days: u8,
    /// How far it is.
    pub progress: Progress,
    /// Where its measure (KPI) stands now; empty if that was not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub measured: String,
    /// What was found, in words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Who recorded it, as they gave their name.
    pub name: String,
    /// When.
    pub at: Millis,
}

impl FollowUp {
    /// Bytes that it takes of a view.
    pub fn bytes(&self) -> usize {
        limits::REMARK_BYTES + self.action.as_str().len() + self.measured.len() + self.text.len() + self.name.len()
    }
}
