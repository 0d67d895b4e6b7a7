//! Why a command was not carried out. Each variant is one stable `code`, which the screens translate.

use serde::{Deserialize, Serialize};

use super::state::Phase;

/// A refusal that says why; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The caller's role may not do this.
    #[error("your role may not do this")]
    NotAllowed,
    /// Not in this phase.
    #[error("this cannot be done in the phase {phase}")]
    WrongPhase {
        /// The phase the café is in.
        phase: Phase,
    },
    /// Not while the round is in this state (for example: pausing a paused round).
    #[error("the round is not in a state that allows this")]
    WrongRoundStatus,
    /// A phase can only be followed by the next one, or by the one before.
    #[error("the café moves one phase at a time")]
    NotNextPhase,
    /// All rounds have been held.
    #[error("there is no further round")]
    NoRoundLeft,
    /// A round needs at least one person.
    #[error("nobody has joined yet")]
    NobodyHere,
    /// A café needs at least this many tables.
    #[error("a café needs at least {min} tables")]
    TooFewTables {
        /// The least number.
        min: usize,
    },
    /// A list is too long.
    #[error("{field}: at most {limit}")]
    TooMany {
        /// Which list.
        field: String,
        /// Its limit.
        limit: usize,
    },
    /// A needed text is empty.
    #[error("{field} is empty")]
    Empty {
        /// Which field.
        field: String,
    },
    /// A text is too long.
    #[error("{field}: at most {limit} characters")]
    TooLong {
        /// Which field.
        field: String,
        /// Characters it may have.
        limit: usize,
    },
    /// Each text may be, but all of a kind together are too long.
    #[error("{field}: all texts together may have at most {limit} bytes")]
    TooMuchText {
        /// Of which kind, as a field.
        field: String,
        /// Bytes they may have.
        limit: usize,
    },
    /// A text holds invisible control characters.
    #[error("{field} holds characters that cannot be shown")]
    ControlCharacters {
        /// Which field.
        field: String,
    },
    /// A number is out of its range.
    #[error("{field} is out of range")]
    OutOfRange {
        /// Which field.
        field: String,
    },
    /// No such person in this café (or they have left).
    #[error("no such person in this café")]
    UnknownPerson,
    /// No such table.
    #[error("no such table")]
    UnknownTable,
    /// No such round.
    #[error("no such round")]
    UnknownRound,
    /// No such theme in this vote.
    #[error("no such theme")]
    UnknownTheme,
    /// No such action in the plan.
    #[error("no such action")]
    UnknownAction,
    /// Only an action that stands approved can be followed up.
    #[error("this action is not approved")]
    NotApproved,
    /// No link was given to somebody of this name.
    #[error("no such link")]
    UnknownLink,
    /// It is the link through which one acts: nobody locks themselves out.
    #[error("you act through this link yourself")]
    OwnLink,
    /// The table is full: the facilitator's limit is never passed.
    #[error("the table is full")]
    TableFull,
    /// There are not enough seats for everybody.
    #[error("{people} people, but only {seats} seats")]
    NotEnoughSeats {
        /// People who need a seat.
        people: usize,
        /// Seats there are.
        seats: usize,
    },
    /// No dots left to place.
    #[error("no dots left")]
    NoDotsLeft,
    /// Voting is closed.
    #[error("voting is closed")]
    VoteClosed,
    /// There is nothing to vote on yet.
    #[error("there are no themes yet")]
    NoThemes,
    /// The café does not ask how its stages feel.
    #[error("this café does not ask how its stages feel")]
    FeelingsNotAsked,
    /// Only who was seated at a table speaks of it.
    #[error("you have not been seated at this table")]
    NotSeatedThere,
    /// The café is closed to new people.
    #[error("the café is closed")]
    Closed,
    /// The café is full.
    #[error("the café is full")]
    Full,
}

impl Refusal {
    /// A needed field is empty.
    pub fn empty(field: &str) -> Self {
        Self::Empty { field: field.to_owned() }
    }

    /// The stable code, as in its JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::WrongPhase { .. } => "wrong_phase",
            Self::WrongRoundStatus => "wrong_round_status",
            Self::NotNextPhase => "not_next_phase",
            Self::NoRoundLeft => "no_round_left",
            Self::NobodyHere => "nobody_here",
            Self::TooFewTables { .. } => "too_few_tables",
            Self::TooMany { .. } => "too_many",
            Self::Empty { .. } => "empty",
            Self::TooLong { .. } => "too_long",
            Self::TooMuchText { .. } => "too_much_text",
            Self::ControlCharacters { .. } => "control_characters",
            Self::OutOfRange { .. } => "out_of_range",
            Self::UnknownPerson => "unknown_person",
            Self::UnknownTable => "unknown_table",
            Self::UnknownRound => "unknown_round",
            Self::UnknownTheme => "unknown_theme",
            Self::UnknownAction => "unknown_action",
            Self::NotApproved => "not_approved",
            Self::UnknownLink => "unknown_link",
            Self::OwnLink => "own_link",
            Self::TableFull => "table_full",
            Self::NotEnoughSeats { .. } => "not_enough_seats",
            Self::NoDotsLeft => "no_dots_left",
            Self::VoteClosed => "vote_closed",
            Self::NoThemes => "no_themes",
            Self::FeelingsNotAsked => "feelings_not_asked",
            Self::NotSeatedThere => "not_seated_there",
            Self::Closed => "closed",
            Self::Full => "full",
        }
    }

    /// The field to be mended, if it is about one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::TooMany { field, .. }
            | Self::Empty { field }
            | Self::TooLong { field, .. }
            | Self::TooMuchText { field, .. }
            | Self::ControlCharacters { field }
            | Self::OutOfRange { field } => Some(field),
            _ => None,
        }
    }

    /// The limit that was passed, if there is one.
    pub fn limit(&self) -> Option<u64> {
        match self {
            Self::TooMany { limit, .. } | Self::TooLong { limit, .. } | Self::TooMuchText { limit, .. } => {
                Some(*limit as u64)
            }
            Self::TooFewTables { min } => Some(*min as u64),
            _ => None,
        }
    }
}
