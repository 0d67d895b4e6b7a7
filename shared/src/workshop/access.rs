//! What can be asked of a café's state: who sits where, and who may read or write which board.

use std::collections::BTreeMap;

use super::plan::TablePlan;
use super::state::{Participant, Phase, RoundStatus, Workshop};
use crate::id::{Actor, ActorId, BoardKind, Millis, Role, TableId};

impl Workshop {
    /// When [`super::command::Internal::TimeUp`] must be sent: the clock starts after a change of tables, or runs out.
    pub fn deadline(&self) -> Option<Millis> {
        if self.phase != Phase::Rounds {
            return None;
        }
        match self.round.as_ref()?.status {
            RoundStatus::Moving { starts_at } => Some(starts_at),
            RoundStatus::Running { ends_at } => Some(ends_at),
            RoundStatus::Paused { .. } | RoundStatus::Over => None,
        }
    }

    /// A table as prepared, if there is one of this number.
    pub fn table_plan(&self, table: TableId) -> Option<&TablePlan> {
        self.draft.tables.get(usize::from(table.0).checked_sub(1)?)
    }

    /// The numbers of all tables.
    pub fn table_ids(&self) -> impl Iterator<Item = TableId> + use<> {
        (1..=u16::try_from(self.draft.tables.len()).unwrap_or(u16::MAX)).map(TableId)
    }

    /// Everybody who takes part at the moment.
    pub fn people_here(&self) -> impl Iterator<Item = (&ActorId, &Participant)> {
        self.participants.iter().filter(|(_, person)| person.is_here())
    }

    /// Somebody who takes part at the moment.
    pub fn person_here(&self, person: &ActorId) -> Option<&Participant> {
        self.participants.get(person).filter(|person| person.is_here())
    }

    /// The seats of the round that is on, or was last.
    pub fn seats_now(&self) -> Option<&BTreeMap<ActorId, TableId>> {
        self.seats.get(usize::from(self.round.as_ref()?.index))
    }

    /// The seats of the round before the one that is on.
    pub fn seats_before(&self) -> Option<&BTreeMap<ActorId, TableId>> {
        self.seats.get(usize::from(self.round.as_ref()?.index).checked_sub(1)?)
    }

    /// Where somebody sits in the round that is on, or was last.
    pub fn seat_of(&self, person: &ActorId) -> Option<TableId> {
        self.seats_now()?.get(person).copied()
    }

    /// How many people sit at a table in the round that is on.
    pub fn seated_at(&self, table: TableId) -> usize {
        self.seats_now().map_or(0, |seats| seats.values().filter(|seat| **seat == table).count())
    }

    /// Whether somebody's link to the café was ended.
    pub fn has_ended(&self, actor: &Actor) -> bool {
        self.ended_links.contains(&actor.id)
    }

    /// Whether somebody was put out of the café for good: their link was ended, or they were taken out.
    pub fn is_out(&self, actor: &Actor) -> bool {
        let removed = || self.participants.get(&actor.id).is_some_and(|person| person.removed);
        self.has_ended(actor) || actor.role == Role::Participant && removed()
    }

    /// The table somebody is the host of.
    pub fn hosted_by(&self, person: &ActorId) -> Option<TableId> {
        self.hosts.iter().find(|(_, host)| *host == person).map(|(table, _)| *table)
    }

    /// Whether somebody may write on a board now.
    ///
    /// Participants write at every table they were ever seated at until the dots are dealt or the facilitator locks the
    /// boards, so that words written offline at an earlier table still arrive. Having left does not take that away;
    /// having been taken out does.
    pub fn may_write(&self, actor: &Actor, board: BoardKind) -> bool {
        if self.has_ended(actor) {
            return false;
        }
        let phase = self.phase;
        let organises = match actor.role {
            Role::Reviewer => return false,
            Role::Facilitator => true,
            Role::Participant => match self.participants.get(&actor.id) {
                Some(person) if !person.removed => person.helper,
                _ => return false,
            },
        };
        match board {
            BoardKind::Table(table) if self.table_plan(table).is_none() => false,
            BoardKind::Table(table) => match actor.role {
                Role::Facilitator => phase < Phase::Closed,
                _ => phase < Phase::Vote && !self.locked && self.has_visited(&actor.id, table),
            },
            BoardKind::Harvest => organises && (Phase::Gallery..=Phase::Plan).contains(&phase),
            BoardKind::Plan => organises && (Phase::Vote..=Phase::Review).contains(&phase),
        }
    }

    /// Whether somebody may read a board now.
    pub fn may_read(&self, actor: &Actor, board: BoardKind) -> bool {
        let exists = match board {
            BoardKind::Table(table) => self.table_plan(table).is_some(),
            BoardKind::Harvest | BoardKind::Plan => true,
        };
        if !exists || self.has_ended(actor) {
            return false;
        }
        match actor.role {
            Role::Facilitator => true,
            Role::Reviewer => self.phase >= Phase::Plan,
            Role::Participant => {
                if self.participants.get(&actor.id).is_none_or(|person| person.removed) {
                    return false;
                }
                match board {
                    BoardKind::Table(table) => self.phase >= Phase::Gallery || self.has_visited(&actor.id, table),
                    // Helpers read what they may write.
                    BoardKind::Harvest => self.phase >= Phase::Harvest || self.may_write(actor, board),
                    BoardKind::Plan => self.phase >= Phase::Plan || self.may_write(actor, board),
                }
            }
        }
    }

    fn has_visited(&self, person: &ActorId, table: TableId) -> bool {
        self.visited.get(person).is_some_and(|tables| tables.contains(&table))
    }
}
