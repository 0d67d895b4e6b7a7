//! The café as a state machine with one writer, the server: [`Command`] → [`decide()`] → [`Event`]s → [`Workshop::apply`].
//!
//! Reading order: [`plan`] (what a facilitator prepares), [`command`], [`event`], [`state`], [`decide()`], [`apply`],
//! [`follow_up`] (what became of an action), [`journey`] (how the stages of a journey felt), [`access`] (who may read and write which board),
//! [`mod@view`] and [`show`] (what each role gets to see).

pub mod access;
pub mod apply;
pub mod command;
pub mod decide;
pub mod event;
mod fit;
pub mod follow_up;
pub mod journey;
pub mod plan;
pub mod refusal;
pub mod show;
pub mod state;
pub mod view;

pub use command::Command;
pub use decide::{Context, create, decide, decide_internal};
pub use event::{Event, Recorded};
pub use plan::{Draft, Language, RoundPlan, Settings, TablePlan};
pub use refusal::Refusal;
pub use show::{Live, Scene, TableActivity, view};
pub use state::{Phase, RoundStatus, Workshop};
pub use view::View;
