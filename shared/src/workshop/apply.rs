//! Folding events into the state. Events are facts: whatever comes is taken, in any order, without a panic.

use super::event::{Event, Recorded};
use super::follow_up::FollowUp;
use super::journey::Line;
use super::state::{Announcement, Comment, Decision, Participant, Round, RoundStatus, Workshop};
use crate::id::{ActorId, Millis, TableId};

/// Milliseconds of one minute.
pub(super) const MINUTE: Millis = 60_000;

impl Workshop {
    /// The state after all these events.
    pub fn fold<'a>(rows: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut state = Self::default();
        for row in rows {
            state.apply(row);
        }
        state
    }

    /// Takes in what happened.
    pub fn apply(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::Created { draft, join_code } => {
                self.draft = draft.clone();
                self.join_code = join_code.clone();
                self.created_at = at;
            }
            Event::DraftEdited { draft } => {
                self.draft = draft.clone();
                let tables = self.draft.tables.len();
                self.hosts.retain(|table, _| usize::from(table.0) <= tables);
            }
            Event::TableSet { table, topic, question } => {
                if let Some(plan) = usize::from(table.0).checked_sub(1).and_then(|i| self.draft.tables.get_mut(i)) {
                    plan.topic = topic.clone();
                    plan.question = question.clone();
                }
            }
            Event::RoundQuestionSet { round, question } => {
                if let Some(plan) = self.draft.rounds.get_mut(usize::from(*round)) {
                    plan.question = question.clone();
                }
            }
            Event::PhaseChanged { phase } => self.phase = *phase,
            Event::Announced { text } => {
                self.announcement = (!text.is_empty()).then(|| Announcement { text: text.clone(), at });
            }
            Event::BoardsLocked { locked } => self.locked = *locked,
            Event::Commented { action, text, name } => {
                let (action, text, name) = (action.clone(), text.clone(), name.clone());
                let comment = Comment { action, text, name, at };
                *self.commented.entry(recorded.by.clone()).or_default() += comment.bytes();
                self.comments.push(comment);
            }
            Event::Decided { action, verdict, reason, name } => {
                let decision = Decision {
                    action: action.clone(),
                    verdict: *verdict,
                    reason: reason.clone(),
                    name: name.clone(),
                    at,
                };
                self.decisions.insert(action.clone(), decision);
            }
            Event::Felt { participant, table, score: Some(score) } => {
                self.feelings.scores.entry(*table).or_default().insert(participant.clone(), *score);
            }
            Event::Felt { participant, table, score: None } => {
                if let Some(scores) = self.feelings.scores.get_mut(table) {
                    scores.remove(participant);
                }
            }
            Event::LineSet { label, level } => self.feelings.line = Line { label: label.clone(), level: *level },
            Event::FollowedUp { action, after_days, progress, measured, text, name } => {
                let found = FollowUp {
                    action: action.clone(),
                    after_days: *after_days,
                    progress: *progress,
                    measured: measured.clone(),
                    text: text.clone(),
                    name: name.clone(),
                    at,
                };
                self.follow_ups.entry(action.clone()).or_default().insert(*after_days, found);
            }
            Event::LinkEnded { actor } => {
                self.ended_links.insert(actor.clone());
            }
            Event::Joined { .. }
            | Event::Returned { .. }
            | Event::Renamed { .. }
            | Event::Left { .. }
            | Event::HelperSet { .. }
            | Event::HandRaised { .. } => self.apply_to_person(&recorded.event, at),
            Event::RoundSeated { .. }
            | Event::Seated { .. }
            | Event::HostSet { .. }
            | Event::RoundStarted { .. }
            | Event::RoundPaused { .. }
            | Event::RoundResumed { .. }
            | Event::RoundExtended { .. }
            | Event::RoundEnded
            | Event::ClockSet { .. } => self.apply_to_round(&recorded.event),
            Event::DotsSet { .. } | Event::VoteOpened { .. } | Event::VoteCast { .. } | Event::VoteClosed => {
                self.apply_to_vote(&recorded.event);
            }
        }
    }

    fn apply_to_person(&mut self, event: &Event, at: Millis) {
        match event {
            Event::Joined { participant, name, department } => {
                let joined = Participant {
                    name: name.clone(),
                    department: department.clone(),
                    joined_at: at,
                    left: false,
                    removed: false,
                    helper: false,
                    hand: false,
                    seat_left: None,
                };
                self.participants.entry(participant.clone()).or_insert(joined);
            }
            Event::Left { participant, removed } => {
                let freed = self.round.as_ref().and_then(|round| {
                    let seats = self.seats.get_mut(usize::from(round.index))?;
                    Some((round.index, seats.remove(participant)?))
                });
                if let Some(person) = self.participants.get_mut(participant) {
                    person.left = true;
                    person.removed |= removed;
                    person.hand = false;
                    person.seat_left = freed.or(person.seat_left);
                }
            }
            Event::Returned { participant } => {
                if let Some(person) = self.participants.get_mut(participant) {
                    person.left = false;
                }
            }
            Event::Renamed { participant, name, department } => {
                if let Some(person) = self.participants.get_mut(participant) {
                    person.name = name.clone();
                    person.department = department.clone();
                }
            }
            Event::HelperSet { participant, helper } => {
                if let Some(person) = self.participants.get_mut(participant) {
                    person.helper = *helper;
                }
            }
            Event::HandRaised { participant, raised } => {
                if let Some(person) = self.participants.get_mut(participant) {
                    person.hand = *raised;
                }
            }
            _ => {}
        }
    }

    fn apply_to_round(&mut self, event: &Event) {
        match event {
            Event::RoundSeated { round, seats, hosts, starts_at } => {
                let index = usize::from(*round);
                let before = self.round.as_ref().and_then(|r| self.seats.get(usize::from(r.index))).cloned();
                if self.seats.len() <= index {
                    self.seats.resize_with(index + 1, Default::default);
                }
                for (person, table) in seats {
                    let stays = before.as_ref().and_then(|seats| seats.get(person)) == Some(table);
                    self.arrive(person, *table, stays);
                }
                self.seats[index] = seats.clone();
                self.hosts = hosts.clone();
                self.round = Some(Round { index: *round, status: RoundStatus::Moving { starts_at: *starts_at } });
            }
            Event::Seated { participant, table } => {
                let Some(index) = self.round.as_ref().map(|round| usize::from(round.index)) else { return };
                let Some(seats) = self.seats.get_mut(index) else { return };
                let stays = seats.insert(participant.clone(), *table) == Some(*table);
                self.arrive(participant, *table, stays);
            }
            Event::HostSet { table, participant } => {
                match participant {
                    // One person hosts one table.
                    Some(person) => {
                        self.hosts.retain(|_, host| host != person);
                        self.hosts.insert(*table, person.clone());
                    }
                    None => {
                        self.hosts.remove(table);
                    }
                }
            }
            _ => {
                if let Some(round) = &mut self.round {
                    round.status = status_after(round.status, event);
                }
            }
        }
    }

    /// A seat taken: the table counts as visited, and a raised hand was for the table left behind.
    fn arrive(&mut self, person: &ActorId, table: TableId, stays: bool) {
        match self.visited.get_mut(person) {
            Some(tables) => {
                tables.insert(table);
            }
            None => {
                self.visited.insert(person.clone(), [table].into());
            }
        }
        if !stays && let Some(person) = self.participants.get_mut(person) {
            person.hand = false;
        }
    }

    fn apply_to_vote(&mut self, event: &Event) {
        match event {
            Event::DotsSet { dots } => self.draft.settings.dots = *dots,
            Event::VoteOpened { themes } => {
                self.vote.themes = themes.clone();
                self.vote.open = true;
                for ballot in self.vote.ballots.values_mut() {
                    ballot.retain(|theme, _| themes.iter().any(|t| t.id == *theme));
                }
                self.vote.ballots.retain(|_, ballot| !ballot.is_empty());
            }
            Event::VoteCast { participant, theme, dots: 0 } => {
                if let Some(ballot) = self.vote.ballots.get_mut(participant) {
                    ballot.remove(theme);
                    if ballot.is_empty() {
                        self.vote.ballots.remove(participant);
                    }
                }
            }
            Event::VoteCast { participant, theme, dots } => {
                self.vote.ballots.entry(participant.clone()).or_default().insert(theme.clone(), *dots);
            }
            Event::VoteClosed => self.vote.open = false,
            _ => {}
        }
    }
}

fn status_after(status: RoundStatus, event: &Event) -> RoundStatus {
    match (event, status) {
        (Event::RoundStarted { ends_at } | Event::RoundResumed { ends_at }, _) => {
            RoundStatus::Running { ends_at: *ends_at }
        }
        (Event::RoundPaused { left }, _) => RoundStatus::Paused { left: *left },
        (Event::RoundExtended { minutes }, RoundStatus::Running { ends_at }) => {
            RoundStatus::Running { ends_at: ends_at.saturating_add(Millis::from(*minutes) * MINUTE) }
        }
        (Event::RoundExtended { minutes }, RoundStatus::Paused { left }) => {
            RoundStatus::Paused { left: left.saturating_add(Millis::from(*minutes) * MINUTE) }
        }
        (Event::RoundEnded, _) => RoundStatus::Over,
        (Event::ClockSet { step }, RoundStatus::Moving { starts_at }) => {
            RoundStatus::Moving { starts_at: starts_at.saturating_add_signed(*step) }
        }
        (Event::ClockSet { step }, RoundStatus::Running { ends_at }) => {
            RoundStatus::Running { ends_at: ends_at.saturating_add_signed(*step) }
        }
        // A round that is over runs again by the `RoundResumed` that follows; one that has not started gains nothing.
        (_, status) => status,
    }
}
