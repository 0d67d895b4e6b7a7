//! The state of a café: a fold of its events.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::follow_up::FollowUp;
use super::journey::Line;
use super::plan::Draft;
use crate::id::{ActionId, ActorId, Millis, TableId, ThemeId};
use crate::limits;

/// Where the café stands. In this order; one step on or back at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Being prepared; nobody can join.
    #[default]
    Draft,
    /// People arrive.
    Lobby,
    /// Rounds at the tables.
    Rounds,
    /// Everyone may walk all boards.
    Gallery,
    /// Notes are gathered into themes.
    Harvest,
    /// Dots on themes.
    Vote,
    /// Themes become actions.
    Plan,
    /// Management reads and decides.
    Review,
    /// Over; read-only, but for what becomes of the approved actions.
    Closed,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Lobby,
        Self::Rounds,
        Self::Gallery,
        Self::Harvest,
        Self::Vote,
        Self::Plan,
        Self::Review,
        Self::Closed,
    ];

    /// The phase after this one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The phase before this one.
    pub fn previous(self) -> Option<Self> {
        (self as usize).checked_sub(1).map(|i| Self::ALL[i])
    }

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        ["draft", "lobby", "rounds", "gallery", "harvest", "vote", "plan", "review", "closed"][self as usize]
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the current round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RoundStatus {
    /// People are changing tables; the clock starts by itself at this time.
    Moving {
        /// When the clock starts.
        starts_at: Millis,
    },
    /// The clock runs.
    Running {
        /// Deadline.
        ends_at: Millis,
    },
    /// The clock stands.
    Paused {
        /// What is left, in milliseconds.
        left: Millis,
    },
    /// Time is up; people finish their sentences until the facilitator moves them.
    Over,
}

/// One round that has been seated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Index from 0.
    pub index: u8,
    /// How it stands.
    pub status: RoundStatus,
}

/// Somebody who joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The name the others see.
    pub name: String,
    /// Where they work.
    pub department: Option<String>,
    /// When they joined.
    pub joined_at: Millis,
    /// Left by themselves; may return.
    pub left: bool,
    /// Taken out; may not return.
    pub removed: bool,
    /// Helps with harvest and plan.
    pub helper: bool,
    /// Asks the facilitator to come over.
    pub hand: bool,
    /// The round and table they sat at when they last left: where to put them if they return in that round.
    pub seat_left: Option<(u8, TableId)>,
}

impl Participant {
    /// Whether they take part at the moment.
    pub fn is_here(&self) -> bool {
        !self.left && !self.removed
    }
}

/// A theme as it stood when the vote was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ThemeRef {
    /// Which theme.
    pub id: ThemeId,
    /// Its title at that time.
    pub title: String,
}

/// The vote on themes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// What can be voted on; empty until the vote is first opened.
    pub themes: Vec<ThemeRef>,
    /// Whether dots can be placed.
    pub open: bool,
    /// Dots by person and theme.
    pub ballots: BTreeMap<ActorId, BTreeMap<ThemeId, u8>>,
}

impl Vote {
    /// Dots on each theme.
    pub fn tally(&self) -> BTreeMap<ThemeId, u32> {
        let mut tally: BTreeMap<ThemeId, u32> = self.themes.iter().map(|t| (t.id.clone(), 0)).collect();
        for ballot in self.ballots.values() {
            for (theme, dots) in ballot {
                *tally.entry(theme.clone()).or_default() += u32::from(*dots);
            }
        }
        tally
    }
}

/// How the stages of a journey feel to those who sat there. They are never shown one by one: see [`Workshop::stages`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feelings {
    /// Scores by table and person. Those who left count on: they were there.
    pub scores: BTreeMap<TableId, BTreeMap<ActorId, i8>>,
    /// What they must not fall below.
    pub line: Line,
}

/// A reviewer's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go ahead.
    Approve,
    /// Not this.
    Decline,
    /// Change something first.
    Change,
}

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// On which action.
    pub action: ActionId,
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who, as they gave their name.
    pub name: String,
    /// When.
    pub at: Millis,
}

impl Decision {
    /// Bytes that it takes of a view.
    pub fn bytes(&self) -> usize {
        limits::REMARK_BYTES + self.action.as_str().len() + self.reason.len() + self.name.len()
    }
}

/// A comment in the review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comment {
    /// On which action; the whole plan if none.
    pub action: Option<ActionId>,
    /// The comment.
    pub text: String,
    /// Who, as they gave their name.
    pub name: String,
    /// When.
    pub at: Millis,
}

impl Comment {
    /// Bytes that it takes of a view.
    pub fn bytes(&self) -> usize {
        let action = self.action.as_ref().map_or(0, |action| action.as_str().len());
        limits::REMARK_BYTES + action + self.text.len() + self.name.len()
    }
}

/// A message to all screens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Announcement {
    /// The message.
    pub text: String,
    /// When; also tells one message from the next.
    pub at: Millis,
}

/// The shape and meaning of [`Workshop`] as JSON, as snapshots hold it. Raise it whenever a field of the state is added, taken away or
/// changed, or `apply` makes something else of an event: snapshots of another number are passed over, and the events read instead.
pub const STATE_FORMAT: u32 = 4;

/// A café, folded from its events by `apply`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workshop {
    /// What was prepared, with later changes of texts.
    pub draft: Draft,
    /// How people join.
    pub join_code: String,
    /// When it was created.
    pub created_at: Millis,
    /// Where it stands.
    pub phase: Phase,
    /// Everybody who ever joined.
    pub participants: BTreeMap<ActorId, Participant>,
    /// Co-facilitators and reviewers whose links were ended.
    pub ended_links: BTreeSet<ActorId>,
    /// Table hosts.
    pub hosts: BTreeMap<TableId, ActorId>,
    /// Seats of each round that was seated, by round index.
    pub seats: Vec<BTreeMap<ActorId, TableId>>,
    /// Every table at which somebody was ever seated, also for a moment: they may write there until boards are locked.
    pub visited: BTreeMap<ActorId, BTreeSet<TableId>>,
    /// The round that is on, or was last.
    pub round: Option<Round>,
    /// Whether the tables' boards are closed to participants.
    pub locked: bool,
    /// The last message to all screens.
    pub announcement: Option<Announcement>,
    /// The vote.
    pub vote: Vote,
    /// How the stages of the journey feel.
    pub feelings: Feelings,
    /// The latest decision on each action.
    pub decisions: BTreeMap<ActionId, Decision>,
    /// What became of each action, the latest by days after its decision. A later decision takes none of it away.
    pub follow_ups: BTreeMap<ActionId, BTreeMap<u8, FollowUp>>,
    /// All comments, in order.
    pub comments: Vec<Comment>,
    /// Bytes of the comments that came through each link.
    pub commented: BTreeMap<ActorId, usize>,
}
