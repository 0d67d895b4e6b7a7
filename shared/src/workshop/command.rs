//! What somebody asks of the café.

use serde::{Deserialize, Serialize};

use super::follow_up::Progress;
use super::plan::Draft;
use super::state::{Phase, Verdict};
use crate::id::{ActionId, ActorId, TableId, ThemeId};

/// A request to the café. Over HTTP as JSON: `{"type": "extend_round", "minutes": 2}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    // -- Facilitators
    /// Replaces the whole draft; only in the phase draft.
    EditDraft {
        /// The new draft.
        draft: Draft,
    },
    /// Changes a table's topic and question; any time before closed.
    SetTable {
        /// Which table.
        table: TableId,
        /// Its topic.
        topic: String,
        /// Its question.
        question: String,
    },
    /// Changes the question of a round; any time before closed.
    SetRoundQuestion {
        /// Index of the round, from 0.
        round: u8,
        /// The question; empty for none.
        question: String,
    },
    /// Moves the café on by one phase, or back by one. Going on from `lobby` needs somebody to be there.
    GoTo {
        /// The phase wanted.
        phase: Phase,
    },
    /// Seats everybody for the next round and lets them change tables; the clock starts after `moving_seconds`.
    NextRound,
    /// Starts the round's clock now instead of waiting for the end of the change.
    StartRound,
    /// Stops the clock.
    PauseRound,
    /// Lets the clock run on.
    ResumeRound,
    /// Adds time to a running, paused or just ended round.
    ExtendRound {
        /// Minutes to add, 1 to 60.
        minutes: u8,
    },
    /// Ends the round now. Writing goes on until people move.
    EndRound,
    /// A message to all screens; empty takes the last one away.
    Announce {
        /// The message.
        text: String,
    },
    /// Seats one person at a table in this round.
    MovePerson {
        /// Who.
        participant: ActorId,
        /// Where to.
        table: TableId,
    },
    /// Makes somebody the host of a table (they are seated there), or leaves it without one.
    SetHost {
        /// Which table.
        table: TableId,
        /// Who; nobody if left out.
        participant: Option<ActorId>,
    },
    /// Stops or allows writing on the tables' boards.
    LockBoards {
        /// Whether they are locked.
        locked: bool,
    },
    /// Lets a participant help with harvest and plan, or no longer.
    SetHelper {
        /// Who.
        participant: ActorId,
        /// Whether they help.
        helper: bool,
    },
    /// Lowers a hand that somebody raised, once they have been looked after.
    LowerHand {
        /// Whose.
        participant: ActorId,
    },
    /// Takes somebody out of the café; their writing stays, their token ends.
    RemovePerson {
        /// Who.
        participant: ActorId,
    },
    /// Ends the link of a co-facilitator or a reviewer, for good; in every phase, never one's own.
    EndLink {
        /// Who acts through it.
        actor: ActorId,
    },
    /// Sets how many dots each person has; before the vote is closed.
    SetDots {
        /// Dots a person.
        dots: u8,
    },
    /// Sets the line that the feeling at a stage must not fall below; any time before closed.
    SetLine {
        /// What it is called; empty for the usual name.
        label: String,
        /// Where it lies, in tenths of a score: -20 to 20.
        level: i8,
    },
    /// Ends the vote and shows the counts.
    CloseVote,
    /// Opens a closed vote again; counts are hidden again.
    ReopenVote,

    // -- Participants
    /// Changes one's own name.
    Rename {
        /// The new name.
        name: String,
        /// The new department.
        department: Option<String>,
    },
    /// Asks the facilitator to come over, or no longer.
    RaiseHand {
        /// Up or down.
        raised: bool,
    },
    /// Leaves the café; joining again with the same token returns.
    Leave,
    /// Sets one's dots on a theme.
    CastVote {
        /// Which theme.
        theme: ThemeId,
        /// How many dots lie on it now; 0 takes them away.
        dots: u8,
    },
    /// Says how a table's stage of the journey feels; from the rounds on, until the vote begins.
    Feel {
        /// Which table; one must have been seated there.
        table: TableId,
        /// From -2 (bad) to 2 (very good); taken back if left out.
        score: Option<i8>,
    },

    // -- Reviewers (and facilitators)
    /// Comments on the plan or on one action.
    Comment {
        /// Which action; the whole plan if left out.
        action: Option<ActionId>,
        /// The comment.
        text: String,
        /// The writer's name as they gave it.
        name: String,
    },
    /// Approves or declines an action, or asks for a change. Declining and asking need a reason.
    Decide {
        /// Which action.
        action: ActionId,
        /// The decision.
        verdict: Verdict,
        /// Why.
        reason: String,
        /// The reviewer's name as they gave it.
        name: String,
    },
    /// Records what became of an approved action after some days; also once the café is closed.
    FollowUp {
        /// Which action.
        action: ActionId,
        /// Days after its decision: 30, 60 or 90.
        after_days: u8,
        /// How far it is.
        progress: Progress,
        /// Where its measure (KPI) stands now; may be empty.
        measured: String,
        /// What was found, in words; may be empty.
        text: String,
        /// The writer's name as they gave it.
        name: String,
    },
}

/// What only the server itself may ask.
#[derive(Clone, Debug, PartialEq)]
pub enum Internal {
    /// Somebody joins, or returns after having left. Late comers get a seat if a round is on.
    Join {
        /// Their id, made by the server.
        participant: ActorId,
        /// Their name.
        name: String,
        /// Their department.
        department: Option<String>,
    },
    /// The deadline `Workshop::deadline` has come: starts the clock after a change of tables, or ends the round.
    TimeUp,
    /// The server's wall clock was set while it ran. Deadlines move along, so that a round keeps its length.
    ClockSet {
        /// How far, in milliseconds; negative if it was set back.
        step: i64,
    },
}
