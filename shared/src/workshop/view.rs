//! What each role may see of a café: the one JSON document that is sent when it changes.

use serde::{Deserialize, Serialize};

use super::follow_up::FollowUp;
use super::journey::Line;
use super::plan::{Draft, Language};
use super::state::{Announcement, Comment, Decision, Phase, RoundStatus, ThemeRef};
use crate::id::{ActorId, Millis, Role, TableId, ThemeId, WorkshopId};

pub use super::show::{Live, Scene, TableActivity, view};

/// What is sent on `workshop/<id>` as type 5 Stateless, and by `GET /api/workshops/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct View {
    /// Which workshop.
    pub id: WorkshopId,
    /// Number of events behind this view; a lower one is older.
    pub seq: u64,
    /// The server's clock when this was made; screens estimate their offset from it.
    pub now: Millis,
    /// Who the reader is.
    pub me: Me,
    /// Title.
    pub title: String,
    /// Why people meet.
    pub purpose: String,
    /// Language of the café's own texts.
    pub language: Language,
    /// Where it stands.
    pub phase: Phase,
    /// Minutes and question of each round as prepared.
    pub rounds: Vec<RoundBrief>,
    /// The round that is on, or was last.
    pub round: Option<RoundView>,
    /// Tables, at most [`crate::limits::VIEW_TABLES`] for participants.
    pub tables: Vec<TableBrief>,
    /// How many tables there are.
    pub table_count: u16,
    /// How many people are here.
    pub people_count: u32,
    /// Whether notes show who wrote them.
    pub show_authors: bool,
    /// Whether the tables' boards are closed to participants.
    pub locked: bool,
    /// Seconds people have to change tables.
    pub moving_seconds: u16,
    /// The last message to all screens.
    pub announcement: Option<Announcement>,
    /// The vote, from the phase vote on.
    pub vote: Option<VoteView>,
    /// How the stages of the journey feel, where the café asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feelings: Option<FeelingsView>,
    /// Parts for one role.
    pub part: Part,
}

/// Who the reader is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Their id.
    pub id: ActorId,
    /// Their role.
    pub role: Role,
    /// Their name; empty for facilitators and reviewers.
    pub name: String,
}

/// A round as prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoundBrief {
    /// Length.
    pub minutes: f64,
    /// Its question for all tables.
    pub question: Option<String>,
}

/// The round that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoundView {
    /// Index from 0.
    pub index: u8,
    /// How it stands.
    #[serde(flatten)]
    pub status: RoundStatus,
}

/// A table in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableBrief {
    /// Its number.
    pub id: TableId,
    /// What it is about.
    pub topic: String,
    /// What it asks.
    pub question: String,
}

/// Somebody as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Who.
    pub id: ActorId,
    /// Their name.
    pub name: String,
    /// Where they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Connected at the moment.
    pub online: bool,
}

/// The vote as one reader may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VoteView {
    /// What can be voted on.
    pub themes: Vec<ThemeRef>,
    /// Dots each person has.
    pub dots: u8,
    /// Whether dots can be placed.
    pub open: bool,
    /// The reader's own dots.
    pub mine: Vec<(ThemeId, u8)>,
    /// How many people have placed a dot.
    pub voters: u32,
    /// Dots on each theme; only once the vote is closed, for every role.
    pub tally: Option<Vec<(ThemeId, u32)>>,
}

/// The journey as one reader may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeelingsView {
    /// What the feeling must not fall below.
    pub line: Line,
    /// The reader's own scores, by table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mine: Vec<(TableId, i8)>,
    /// How many gave each score from -2 to 2, for every table in order; none for a table with fewer than
    /// [`crate::limits::FEELINGS_SHOWN`]. Participants see it from the gallery on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<Option<[u32; 5]>>>,
}

/// Parts of a view for one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Part {
    /// A participant's own small view.
    Participant(ParticipantPart),
    /// Everything.
    Facilitator(Box<FacilitatorPart>),
    /// The plan's readers.
    Reviewer(ReviewerPart),
}

/// A participant's own part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParticipantPart {
    /// One's department.
    pub department: Option<String>,
    /// Whether one helps with harvest and plan.
    pub helper: bool,
    /// Whether one's hand is up.
    pub hand: bool,
    /// Where one sits in this round.
    pub seat: Option<SeatView>,
    /// Tables one may write on: everywhere one was seated.
    pub visited: Vec<TableId>,
    /// People in the lobby, at most [`crate::limits::LOBBY_NAMES`].
    pub lobby: Vec<Person>,
    /// What was decided on the plan, from the phase review on; where many reasons are long, their beginnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// What became of the approved actions, from the phase review on, by action and days; where there is much to say, the latest of each action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<FollowUp>,
}

/// A seat, with who else is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeatView {
    /// The table.
    pub table: TableBrief,
    /// Who is its host.
    pub host: Option<ActorId>,
    /// Everybody seated there, oneself included.
    pub people: Vec<Person>,
    /// Whether one sat at this table in the round before (a host who stays).
    pub stays: bool,
}

/// A facilitator's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilitatorPart {
    /// The café as prepared, for editing.
    pub draft: Draft,
    /// How people join.
    pub join_code: String,
    /// Everybody who is here.
    pub people: Vec<FloorPerson>,
    /// Every table.
    pub floor: Vec<FloorTable>,
    /// Decisions so far.
    pub decisions: Vec<Decision>,
    /// Comments so far.
    pub comments: Vec<Comment>,
    /// What became of the approved actions so far, by action and days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<FollowUp>,
    /// What is wrong beneath the café, for somebody to do something about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
}

/// Something that is wrong beneath a café.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// The server's disk is full: nothing is saved, and everybody may only read, until there is room.
    DiskFull,
    /// The server's disk does not take writes: as above.
    DiskFailing,
    /// A board is damaged on the disk and is not served; it can be restored from a backup.
    BoardDamaged {
        /// Which, as its [`crate::id::BoardId`] reads.
        board: String,
    },
}

/// A person on the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FloorPerson {
    /// Who, and whether connected.
    #[serde(flatten)]
    pub person: Person,
    /// Where they sit in this round.
    pub table: Option<TableId>,
    /// Whether they help with harvest and plan.
    pub helper: bool,
    /// Whether their hand is up.
    pub hand: bool,
}

/// A table on the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FloorTable {
    /// Which table.
    pub id: TableId,
    /// Its host.
    pub host: Option<ActorId>,
    /// Notes on its board (without deleted ones).
    pub notes: u32,
    /// When somebody last wrote there.
    pub last_edit: Option<Millis>,
    /// Edits in each of the last ten minutes, the oldest first: a quiet activity line.
    pub activity: Vec<u16>,
}

/// A reviewer's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewerPart {
    /// Decisions so far.
    pub decisions: Vec<Decision>,
    /// Comments so far.
    pub comments: Vec<Comment>,
    /// What became of the approved actions so far, by action and days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<FollowUp>,
}
