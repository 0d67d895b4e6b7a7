//! The one model behind every export: the café with all that was written in it, every reference resolved to its words.

mod resolve;

pub use self::resolve::{Sources, Timeline};
use serde::Serialize;
use shared::id::{ActionId, ActorId, Millis, NoteId, TableId, ThemeId, WorkshopId};
use shared::workshop::follow_up::{FollowUp, Progress};
use shared::workshop::journey::Line;
use shared::workshop::state::{Comment, Decision, Verdict};
use shared::workshop::{Language, Phase, Settings};
use utoipa::ToSchema;

/// A whole café. Numbers of tables and rounds count from 1; times are milliseconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Export {
    /// `tablehop/1`; changes when a field is renamed or taken away, not when one is added.
    pub format: String,
    /// When it was made.
    pub exported_at: Millis,
    /// The café.
    pub workshop: WorkshopPart,
    /// Boards that could not be read and are missing here: `table 3`, `harvest`, `plan`.
    pub damaged: Vec<String>,
    /// The improvement plan, in its order.
    pub actions: Vec<ActionPart>,
    /// Decisions on actions that are no longer in the plan.
    pub other_decisions: Vec<Decision>,
    /// What became of such actions.
    pub other_follow_ups: Vec<FollowUp>,
    /// Comments on the whole plan, and on actions that are no longer in it.
    pub comments: Vec<Comment>,
    /// Themes, in their order, with their notes.
    pub themes: Vec<ThemePart>,
    /// Notes that lie in no theme.
    pub unplaced: Vec<Source>,
    /// The vote, once it has been opened.
    pub vote: Option<VotePart>,
    /// How the journey through the tables felt, where the café asks for it, from the rounds on.
    pub journey: Option<JourneyPart>,
    /// All tables with everything on their boards.
    pub tables: Vec<TablePart>,
    /// All rounds as prepared, and who sat where.
    pub rounds: Vec<RoundPart>,
    /// Everybody who joined, by name.
    pub participants: Vec<PersonPart>,
    /// What happened when; of more than 10,000 moments the latest.
    pub timeline: Vec<MomentPart>,
}

/// The café itself.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WorkshopPart {
    /// Its id.
    pub id: WorkshopId,
    /// Its title.
    pub title: String,
    /// Why people met.
    pub purpose: String,
    /// Language of its own texts.
    pub language: Language,
    /// Where it stands.
    pub phase: Phase,
    /// When it was created.
    pub created_at: Millis,
    /// Only for facilitators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_code: Option<String>,
    /// What else was chosen.
    pub settings: Settings,
}

/// How the journey felt. Who gave which score is nobody's to read, and a stage with fewer than three is not told.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JourneyPart {
    /// What the feeling is not to fall below.
    pub line: Line,
    /// All tables, in order.
    pub stages: Vec<StagePart>,
    /// The table with the highest mean; of several the first.
    pub peak: Option<TableId>,
    /// The table with the lowest mean; of several the first.
    pub trough: Option<TableId>,
    /// The last table with enough scores.
    pub end: Option<TableId>,
}

/// One stage of the journey.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StagePart {
    /// The table's number.
    pub table: TableId,
    /// The table's topic.
    pub topic: String,
    /// What people said; none if fewer than three did.
    pub felt: Option<FeltPart>,
}

/// What people said of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FeltPart {
    /// How many gave each score, from -2 to 2.
    pub counts: Vec<u32>,
    /// How many gave one.
    pub scores: u64,
    /// Their mean, in tenths.
    pub mean_tenths: i32,
    /// A quarter of them lie below.
    pub lower: f64,
    /// Half of them lie below.
    pub median: f64,
    /// Three quarters of them lie below.
    pub upper: f64,
    /// Whether the mean is below the line.
    pub below: bool,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TablePart {
    /// Its number.
    pub number: TableId,
    /// What it is about.
    pub topic: String,
    /// What it asks.
    pub question: String,
    /// The name of its last host.
    pub host: Option<String>,
    /// The host's words for those who come next.
    pub handover: HandoverPart,
    /// Everything written there, in the order of writing, also what was taken away again.
    pub notes: Vec<NotePart>,
    /// What was drawn on it.
    pub drawing: Vec<LinePart>,
}

/// A line that was drawn on a table's board.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LinePart {
    /// `ink`, `coffee`, `red` or `green`.
    pub pen: String,
    /// How wide it is, in the units of the points.
    pub width: u8,
    /// Where it goes, from the left and from the top; notes are some 220 wide.
    pub points: Vec<[f64; 2]>,
}

/// A host's handover.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct HandoverPart {
    /// What is already there.
    pub so_far: String,
    /// What is still open.
    pub open: String,
    /// Where to build on.
    pub build_here: String,
}

/// One note.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NotePart {
    /// Its id.
    pub id: NoteId,
    /// `idea`, `pain`, `opportunity` or `question`.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// Who wrote it; left out in a café that does not show authors.
    pub author: Option<String>,
    /// Their id; left out likewise.
    pub author_id: Option<ActorId>,
    /// The round in which it was written.
    pub round: Option<u16>,
    /// When.
    pub created_at: Millis,
    /// The note it builds on.
    pub builds_on: Option<NoteId>,
    /// The note at another table whose words its author carried here.
    pub carried_from: Option<CarriedPart>,
    /// How many starred it.
    pub stars: usize,
    /// The theme it lies in.
    pub theme: Option<String>,
    /// Whether it was taken away.
    pub deleted: bool,
}

/// A note where it is referred to: its words and where they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Source {
    /// The table's number.
    pub table: TableId,
    /// The table's topic.
    pub topic: String,
    /// The note's id.
    pub note: NoteId,
    /// `idea`, `pain`, `opportunity` or `question`; empty if the note cannot be found.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// Who wrote it; left out in a café that does not show authors.
    pub author: Option<String>,
    /// The round in which it was written.
    pub round: Option<u16>,
    /// The note at another table whose words its author carried there.
    pub carried_from: Option<CarriedPart>,
    /// How many starred it.
    pub stars: usize,
    /// Whether it was taken away.
    pub deleted: bool,
}

/// The note from which another one was carried to its table. Its carrier says which it was; what is told of it here is what it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CarriedPart {
    /// The table's number.
    pub table: TableId,
    /// The table's topic.
    pub topic: String,
    /// The note's id.
    pub note: NoteId,
    /// Whether it is there, taken away or not; if not, nothing is known of it below.
    pub found: bool,
    /// Who wrote it; left out in a café that does not show authors.
    pub author: Option<String>,
    /// The round in which it was written.
    pub round: Option<u16>,
    /// Whether it was taken away since.
    pub deleted: bool,
}

/// One theme.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ThemePart {
    /// Its id.
    pub id: ThemeId,
    /// Its name.
    pub title: String,
    /// What its notes say together.
    pub summary: String,
    /// Dots on it, once the vote is closed.
    pub dots: Option<u32>,
    /// Its notes.
    pub notes: Vec<Source>,
}

/// The vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VotePart {
    /// Whether dots can still be placed; then counts are hidden.
    pub open: bool,
    /// Dots each person had.
    pub dots_per_person: u8,
    /// How many people have placed a dot.
    pub voters: usize,
    /// The themes as they stood when the vote was opened, those with most dots first once it is closed.
    pub themes: Vec<TallyPart>,
}

/// Dots on one theme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TallyPart {
    /// Which theme.
    pub id: ThemeId,
    /// Its title: in a vote at that time, elsewhere today's.
    pub title: String,
    /// Dots on it, once the vote is closed.
    pub dots: Option<u32>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ActionPart {
    /// `A1`, `A2` … as on the screens.
    pub reference: String,
    /// Its id.
    pub id: ActionId,
    /// What is to be done.
    pub title: String,
    /// Stage of the journey, touchpoint or moment.
    pub stage: String,
    /// Why.
    pub reason: String,
    /// The one accountable person.
    pub accountable: String,
    /// Those who help.
    pub helpers: String,
    /// `YYYY-MM-DD`, or empty.
    pub due: String,
    /// 1 (little) to 5 (much); 0 not said.
    pub effort: u8,
    /// 1 (little) to 5 (much); 0 not said.
    pub impact: u8,
    /// The measure.
    pub kpi: String,
    /// Where the measure stands.
    pub baseline: String,
    /// Where it is to be.
    pub target: String,
    /// What it costs.
    pub cost: String,
    /// What may go wrong.
    pub risk: String,
    /// `proposed`, `doing`, `done` or `paused`.
    pub status: String,
    /// Titles of the themes it came from.
    pub themes: Vec<String>,
    /// Those themes with the dots on each: how strongly the room wanted it.
    pub votes: Vec<TallyPart>,
    /// The notes it rests on.
    pub sources: Vec<Source>,
    /// The latest decision.
    pub decision: Option<DecisionPart>,
    /// What became of it, by days after the decision.
    pub follow_ups: Vec<FollowUpPart>,
    /// Comments on it.
    pub comments: Vec<Comment>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecisionPart {
    /// What was decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who, as they gave their name.
    pub name: String,
    /// When.
    pub at: Millis,
}

/// What was found when an action was looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FollowUpPart {
    /// Days after the decision: 30, 60 or 90.
    pub after_days: u8,
    /// How far it was.
    pub progress: Progress,
    /// Where its measure stood.
    pub measured: String,
    /// What was found, in words.
    pub text: String,
    /// Who recorded it, as they gave their name.
    pub name: String,
    /// When.
    pub at: Millis,
}

impl From<FollowUp> for FollowUpPart {
    fn from(found: FollowUp) -> Self {
        let FollowUp { after_days, progress, measured, text, name, at, .. } = found;
        Self { after_days, progress, measured, text, name, at }
    }
}

impl ActionPart {
    /// What was found after so many days.
    pub fn after(&self, days: u8) -> Option<&FollowUpPart> {
        self.follow_ups.iter().find(|found| found.after_days == days)
    }

    /// Dots on all themes it came from, once the vote is closed.
    pub fn dots(&self) -> Option<u32> {
        self.votes.iter().filter_map(|theme| theme.dots).reduce(u32::saturating_add)
    }
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoundPart {
    /// Its number.
    pub number: u16,
    /// Its length as prepared.
    pub minutes: f64,
    /// Its question for all tables.
    pub question: Option<String>,
    /// Who sat where, once it has been seated; only for facilitators.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<SeatPart>,
}

/// One seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeatPart {
    /// The table's number.
    pub table: TableId,
    /// Who.
    pub participant: ActorId,
    /// Their name.
    pub name: String,
}

/// Somebody who joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonPart {
    /// Who.
    pub id: ActorId,
    /// Their name.
    pub name: String,
    /// Where they work.
    pub department: Option<String>,
    /// When they joined.
    pub joined_at: Millis,
    /// Whether they left before the end.
    pub left: bool,
    /// Whether they helped with harvest and plan.
    pub helper: bool,
    /// Tables they host.
    pub host_of: Vec<TableId>,
}

/// A turn of the café.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MomentPart {
    /// When.
    pub at: Millis,
    /// What happened.
    #[serde(flatten)]
    pub turn: Turn,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Turn {
    /// The café was created.
    Created,
    /// It went on, or back.
    Phase {
        /// The new phase.
        phase: Phase,
    },
    /// A round was seated.
    RoundSeated {
        /// Its number.
        round: u16,
        /// How many people had a seat.
        people: usize,
    },
    /// A round's clock started.
    RoundStarted {
        /// Its number.
        round: u16,
    },
    /// A round ended.
    RoundEnded {
        /// Its number.
        round: u16,
    },
    /// A message went to all screens.
    Announced {
        /// The message.
        text: String,
    },
    /// The vote was opened.
    VoteOpened {
        /// On how many themes.
        themes: usize,
    },
    /// The vote was closed.
    VoteClosed,
}

#[cfg(test)]
mod tests;
