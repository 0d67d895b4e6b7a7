//! Documents as plain structs: what components, exports and tests read. Nothing here knows Yrs.

use serde::{Deserialize, Serialize};

use crate::id::{ActionId, ActorId, Millis, NoteId, StrokeId, TableId, ThemeId};
use crate::limits;
use crate::workshop::plan;

/// What a note is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// An idea.
    #[default]
    Idea,
    /// A pain point.
    Pain,
    /// An opportunity.
    Opportunity,
    /// A question.
    Question,
}

impl NoteKind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Idea, Self::Pain, Self::Opportunity, Self::Question];

    /// The name in documents and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idea => "idea",
            Self::Pain => "pain",
            Self::Opportunity => "opportunity",
            Self::Question => "question",
        }
    }

    /// Reads [`NoteKind::as_str`]; anything else is an idea, so that a newer client's note is still shown.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|k| k.as_str() == text).unwrap_or_default()
    }
}

/// A note on a table's board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Its id, unique in the workshop.
    pub id: NoteId,
    /// What it is.
    pub kind: NoteKind,
    /// What it says.
    pub text: String,
    /// Left edge on the canvas, in canvas units (1 unit = 1 CSS pixel at zoom 1).
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width; the height follows the text.
    pub w: f64,
    /// Paper colour: 0 follows the kind, 1 to 6 are the palette's.
    pub color: u8,
    /// Who wrote it.
    pub author: ActorId,
    /// Their name at that time.
    pub author_name: String,
    /// Round in which it was written, from 0; none outside rounds.
    pub round: Option<u8>,
    /// When.
    pub created_at: Millis,
    /// The note it builds on ("yes, and"), on the same board.
    pub builds_on: Option<NoteId>,
    /// The note at another table whose words were carried here, as its carrier said; see [`Origin`].
    #[serde(default)]
    pub from: Option<Origin>,
    /// Who starred it, sorted.
    pub stars: Vec<ActorId>,
    /// Taken away; its words are kept, and it can be brought back.
    pub deleted: bool,
}

/// What a line is drawn with; it says its colour, which follows light and dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pen {
    /// The colour of words.
    #[default]
    Ink = 0,
    /// Brown.
    Coffee = 1,
    /// Red.
    Red = 2,
    /// Green.
    Green = 3,
}

impl Pen {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Ink, Self::Coffee, Self::Red, Self::Green];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ink => "ink",
            Self::Coffee => "coffee",
            Self::Red => "red",
            Self::Green => "green",
        }
    }

    /// Reads a pen's number; another one is ink, so that a newer client's line is still drawn.
    pub fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }
}

/// A line drawn on the cloth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// Its id, unique in the workshop.
    pub id: StrokeId,
    /// What it is drawn with.
    pub pen: Pen,
    /// How wide it is, in canvas units.
    pub width: u8,
    /// Where it goes, in canvas units; a single point is a dot.
    pub points: Vec<(f64, f64)>,
}

/// The host's words for those who come next, in three parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// What is already there.
    pub so_far: String,
    /// What is still open.
    pub open: String,
    /// Where to build on.
    pub build_here: String,
}

/// A part of the [`Handover`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandoverPart {
    /// What is already there.
    SoFar,
    /// What is still open.
    Open,
    /// Where to build on.
    BuildHere,
}

/// A table's board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableBoard {
    /// All notes, deleted ones included, sorted by (created_at, id).
    pub notes: Vec<Note>,
    /// All lines that were drawn and are still there, sorted by id.
    pub strokes: Vec<Stroke>,
    /// The host's handover.
    pub handover: Handover,
}

/// A note's place in the workshop: which table's board, and which note.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoteRef {
    /// The table.
    pub table: TableId,
    /// The note.
    pub note: NoteId,
}

impl NoteRef {
    /// As a key in documents: `<table>/<note>`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.table, self.note)
    }

    /// Reads [`NoteRef::key`].
    pub fn parse(key: &str) -> Option<Self> {
        let (table, note) = key.split_once('/')?;
        Some(Self { table: TableId(table.parse().ok()?), note: note.into() })
    }
}

/// Where the words of a carried note come from. The carrier says it, and nobody checks more than that it could be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The note they were copied from.
    pub note: NoteRef,
    /// Who wrote that; empty where authors are not shown.
    #[serde(default)]
    pub author_name: String,
}

impl Origin {
    /// None for what cannot be a note's place: a table that no café has, an id that no document takes. A name that is none is left out.
    pub fn new(note: NoteRef, author_name: &str) -> Option<Self> {
        let id = note.note.as_str();
        let is_table = (1..=limits::TABLES_MAX).contains(&usize::from(note.table.0));
        let is_id = !id.is_empty() && id.len() <= limits::KEY_BYTES && !id.chars().any(char::is_control);
        let author_name = plan::line("author", author_name, limits::NAME_CHARS).unwrap_or_default();
        (is_table && is_id).then_some(Self { note, author_name })
    }
}

/// A theme on the harvest board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Theme {
    /// Its id.
    pub id: ThemeId,
    /// Its name.
    pub title: String,
    /// One or two sentences on what the notes say together.
    pub summary: String,
    /// Place among the themes, ascending.
    pub order: f64,
    /// Taken away; its notes are unplaced again.
    pub deleted: bool,
}

/// The harvest board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HarvestBoard {
    /// Themes without deleted ones, sorted by (order, id).
    pub themes: Vec<Theme>,
    /// Which note lies in which theme; notes in deleted themes are left out.
    pub placements: Vec<(NoteRef, ThemeId)>,
}

/// How far an action is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionStatus {
    /// Proposed by the room.
    #[default]
    Proposed,
    /// Somebody is on it.
    Doing,
    /// Done.
    Done,
    /// Put off.
    Paused,
}

impl ActionStatus {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Doing, Self::Done, Self::Paused];

    /// The name in documents and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Paused => "paused",
        }
    }

    /// Reads [`ActionStatus::as_str`]; anything else is proposed.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|k| k.as_str() == text).unwrap_or_default()
    }
}

/// A text field of an action; each is edited together, letter by letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionText {
    /// What is to be done.
    Title,
    /// Stage of the journey, touchpoint or moment.
    Stage,
    /// Why: the evidence.
    Reason,
    /// The one accountable person.
    Accountable,
    /// Those who help.
    Helpers,
    /// The measure.
    Kpi,
    /// Where the measure stands.
    Baseline,
    /// Where it is to be.
    Target,
    /// What it costs.
    Cost,
    /// What may go wrong.
    Risk,
}

impl ActionText {
    /// All, in the order of the form.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::Stage,
        Self::Reason,
        Self::Accountable,
        Self::Helpers,
        Self::Kpi,
        Self::Baseline,
        Self::Target,
        Self::Cost,
        Self::Risk,
    ];

    /// The key in documents.
    pub fn key(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Stage => "stage",
            Self::Reason => "reason",
            Self::Accountable => "accountable",
            Self::Helpers => "helpers",
            Self::Kpi => "kpi",
            Self::Baseline => "baseline",
            Self::Target => "target",
            Self::Cost => "cost",
            Self::Risk => "risk",
        }
    }
}

/// An action of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// Place in the plan, ascending; its reference (A1, A2 …) is its rank among the actions that are not deleted.
    pub order: f64,
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
    /// 1 (little) to 5 (much); 0 not yet said.
    pub effort: u8,
    /// 1 (little) to 5 (much); 0 not yet said.
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
    /// How far it is.
    pub status: ActionStatus,
    /// The themes it came from, sorted.
    pub themes: Vec<ThemeId>,
    /// The notes it rests on, sorted.
    pub sources: Vec<NoteRef>,
    /// Taken away; can be brought back.
    pub deleted: bool,
}

impl Action {
    /// One of its text fields.
    pub fn text(&self, field: ActionText) -> &str {
        match field {
            ActionText::Title => &self.title,
            ActionText::Stage => &self.stage,
            ActionText::Reason => &self.reason,
            ActionText::Accountable => &self.accountable,
            ActionText::Helpers => &self.helpers,
            ActionText::Kpi => &self.kpi,
            ActionText::Baseline => &self.baseline,
            ActionText::Target => &self.target,
            ActionText::Cost => &self.cost,
            ActionText::Risk => &self.risk,
        }
    }
}

/// The plan board.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanBoard {
    /// Actions without deleted ones, sorted by (order, id).
    pub actions: Vec<Action>,
}
