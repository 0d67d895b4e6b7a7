//! What happened in the café. Events are facts: `apply` never refuses them.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::follow_up::Progress;
use super::plan::Draft;
use super::state::{Phase, ThemeRef, Verdict};
use crate::id::{ActionId, ActorId, Millis, TableId, ThemeId};

/// An event with who caused it and when; one row of the workshop's stream, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// When, by the server's clock.
    pub at: Millis,
    /// Who.
    pub by: ActorId,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every workshop.
    Created {
        /// As prepared.
        draft: Draft,
        /// 8 characters without look-alikes.
        join_code: String,
    },
    /// The draft was replaced.
    DraftEdited {
        /// The new one.
        draft: Draft,
    },
    /// A table's texts were changed.
    TableSet {
        /// Which table.
        table: TableId,
        /// Its topic.
        topic: String,
        /// Its question.
        question: String,
    },
    /// A round's question was changed.
    RoundQuestionSet {
        /// Index from 0.
        round: u8,
        /// None for none.
        question: Option<String>,
    },
    /// The café went on or back.
    PhaseChanged {
        /// The new phase.
        phase: Phase,
    },
    /// Somebody joined for the first time.
    Joined {
        /// Who.
        participant: ActorId,
        /// Their name.
        name: String,
        /// Their department.
        department: Option<String>,
    },
    /// Somebody came back after leaving.
    Returned {
        /// Who.
        participant: ActorId,
    },
    /// Somebody changed their name.
    Renamed {
        /// Who.
        participant: ActorId,
        /// The new name.
        name: String,
        /// The new department.
        department: Option<String>,
    },
    /// Somebody left, by themselves or taken out.
    Left {
        /// Who.
        participant: ActorId,
        /// Whether the facilitator took them out; then they cannot return.
        removed: bool,
    },
    /// The link of a co-facilitator or a reviewer was ended.
    LinkEnded {
        /// Who acted through it.
        actor: ActorId,
    },
    /// A round was seated and people are changing tables.
    RoundSeated {
        /// Index from 0.
        round: u8,
        /// Who sits where.
        seats: BTreeMap<ActorId, TableId>,
        /// The hosts, by table.
        #[serde(deserialize_with = "by_table")]
        hosts: BTreeMap<TableId, ActorId>,
        /// When the clock starts by itself.
        starts_at: Millis,
    },
    /// One person was seated in the current round: a late comer, or moved by the facilitator.
    Seated {
        /// Who.
        participant: ActorId,
        /// Where.
        table: TableId,
    },
    /// A table got a host, or lost it.
    HostSet {
        /// Which table.
        table: TableId,
        /// Who.
        participant: Option<ActorId>,
    },
    /// The clock started.
    RoundStarted {
        /// Deadline.
        ends_at: Millis,
    },
    /// The clock was stopped.
    RoundPaused {
        /// What was left, in milliseconds.
        left: Millis,
    },
    /// The clock runs on.
    RoundResumed {
        /// New deadline.
        ends_at: Millis,
    },
    /// Time was added.
    RoundExtended {
        /// Minutes added.
        minutes: u8,
    },
    /// Time is up, or the facilitator ended the round.
    RoundEnded,
    /// The server's wall clock was set, and the deadline with it: as much is left of the round as before.
    ClockSet {
        /// How far, in milliseconds; negative if it was set back.
        step: i64,
    },
    /// A message to all screens.
    Announced {
        /// The message; empty takes the last one away.
        text: String,
    },
    /// Writing on the tables' boards was stopped or allowed.
    BoardsLocked {
        /// Whether they are locked.
        locked: bool,
    },
    /// Somebody helps with harvest and plan, or no longer.
    HelperSet {
        /// Who.
        participant: ActorId,
        /// Whether they help.
        helper: bool,
    },
    /// A hand went up or down.
    HandRaised {
        /// Whose.
        participant: ActorId,
        /// Up or down.
        raised: bool,
    },
    /// The number of dots was set.
    DotsSet {
        /// Dots a person.
        dots: u8,
    },
    /// The vote was opened on these themes, as they stood on the harvest board. Ballots on themes that are gone are dropped.
    VoteOpened {
        /// What can be voted on.
        themes: Vec<ThemeRef>,
    },
    /// Somebody placed dots.
    VoteCast {
        /// Who.
        participant: ActorId,
        /// On which theme.
        theme: ThemeId,
        /// How many lie there now.
        dots: u8,
    },
    /// Somebody said how a table's stage of the journey feels; the latest counts.
    Felt {
        /// Who.
        participant: ActorId,
        /// Which table.
        table: TableId,
        /// From -2 to 2; none takes it back.
        score: Option<i8>,
    },
    /// The line that the feeling must not fall below was set.
    LineSet {
        /// What it is called; empty for the usual name.
        label: String,
        /// Where it lies, in tenths of a score.
        level: i8,
    },
    /// The vote was closed.
    VoteClosed,
    /// A comment on the plan or on one action.
    Commented {
        /// Which action; the whole plan if none.
        action: Option<ActionId>,
        /// The comment.
        text: String,
        /// Name of the writer.
        name: String,
    },
    /// A decision on one action; the latest counts.
    Decided {
        /// Which action.
        action: ActionId,
        /// The decision.
        verdict: Verdict,
        /// Why.
        reason: String,
        /// Name of the reviewer.
        name: String,
    },
    /// What became of an approved action after some days; the latest for each number of days counts.
    FollowedUp {
        /// Which action.
        action: ActionId,
        /// Days after its decision: 30, 60 or 90.
        after_days: u8,
        /// How far it is.
        progress: Progress,
        /// Where its measure stands now; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        measured: String,
        /// What was found, in words; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// Name of the writer.
        name: String,
    },
}

/// JSON's keys are texts, and within a tagged and flattened enum serde does not turn them back into numbers by itself.
fn by_table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<TableId, ActorId>, D::Error> {
    let texts = BTreeMap::<String, ActorId>::deserialize(deserializer)?;
    let number = |text: &str| text.parse().map(TableId).map_err(D::Error::custom);
    texts.into_iter().map(|(table, host)| Ok((number(&table)?, host))).collect()
}
