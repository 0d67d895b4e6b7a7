//! Making a [`View`]: what each role may see of a café.
//!
//! What is the same for all readers is counted once, in [`Scene`]: a café of 10,000 is sent to everybody in it.

use std::collections::BTreeMap;

use super::follow_up::FollowUp;
use super::journey::Counts;
use super::state::{Decision, Participant, Phase, Workshop};
use super::view::{
    FacilitatorPart, FeelingsView, FloorPerson, FloorTable, Me, Part, ParticipantPart, Person, ReviewerPart,
    RoundBrief, RoundView, SeatView, TableBrief, View, VoteView,
};
use crate::id::{Actor, ActorId, Millis, Role, TableId, ThemeId, WorkshopId};
use crate::limits;

/// What a table's board tells the facilitator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableActivity {
    /// Notes on its board, without deleted ones.
    pub notes: u32,
    /// When somebody last wrote there.
    pub last_edit: Option<Millis>,
    /// Edits in each of the last ten minutes, the oldest first.
    pub activity: Vec<u16>,
}

/// What a view needs beside the café's events.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// The server's clock.
    pub now: Millis,
    /// Events behind the state.
    pub seq: u64,
    /// Whether somebody is connected.
    pub online: &'a (dyn Fn(&ActorId) -> bool + Sync),
    /// What happens at a table; asked for facilitators only.
    pub tables: &'a (dyn Fn(TableId) -> TableActivity + Sync),
}

/// What one person may see of a café. For many readers at once make one [`Scene`] and ask it for each.
pub fn view(id: &WorkshopId, state: &Workshop, actor: &Actor, live: &Live<'_>) -> View {
    Scene::new(id, state, live).view(actor)
}

/// A café at one moment, ready to be shown to many.
pub struct Scene<'a> {
    id: &'a WorkshopId,
    state: &'a Workshop,
    live: &'a Live<'a>,
    people_count: u32,
    voters: u32,
    tally: Option<Vec<(ThemeId, u32)>>,
    /// Who sits at each table in the round that is on.
    company: BTreeMap<TableId, Vec<&'a ActorId>>,
    /// Who came last, in the order they came.
    lobby: Vec<Person>,
    /// What participants learn of the review: what became of the plan they made. Comments stay between those who review it.
    decisions: Vec<Decision>,
    /// How many gave each score, at every table, for those who see it yet.
    stages: Vec<Option<Counts>>,
    /// And of what became of the actions since.
    follow_ups: Vec<FollowUp>,
}

impl<'a> Scene<'a> {
    /// Counts what all views share.
    pub fn new(id: &'a WorkshopId, state: &'a Workshop, live: &'a Live<'a>) -> Self {
        let mut company: BTreeMap<TableId, Vec<&ActorId>> = BTreeMap::new();
        if shows_seats(state.phase) {
            for (person, table) in state.seats_now().into_iter().flatten() {
                company.entry(*table).or_default().push(person);
            }
        }
        let mut lobby: Vec<(&ActorId, &Participant)> = Vec::new();
        if state.phase == Phase::Lobby {
            lobby.extend(state.people_here());
            lobby.sort_by_key(|(id, person)| (person.joined_at, *id));
            lobby.drain(..lobby.len().saturating_sub(limits::LOBBY_NAMES));
        }
        let reviewed = state.phase >= Phase::Review;
        let closed = state.phase >= Phase::Vote && !state.vote.open && !state.vote.themes.is_empty();
        Self {
            id,
            state,
            live,
            people_count: u32::try_from(state.people_here().count()).unwrap_or(u32::MAX),
            voters: u32::try_from(state.vote.ballots.len()).unwrap_or(u32::MAX),
            tally: closed.then(|| state.vote.tally().into_iter().collect()),
            company,
            lobby: lobby.into_iter().map(|(id, person)| show_person(id, person, live)).collect(),
            decisions: if reviewed { state.decisions.values().cloned().collect() } else { Vec::new() },
            follow_ups: if reviewed { follow_ups(state) } else { Vec::new() },
            stages: if state.draft.settings.feelings { state.stages() } else { Vec::new() },
        }
    }

    /// What one person may see.
    pub fn view(&self, actor: &Actor) -> View {
        let state = self.state;
        let mut view = View {
            id: self.id.clone(),
            seq: self.live.seq,
            now: self.live.now,
            me: Me { id: actor.id.clone(), role: actor.role, name: String::new() },
            title: state.draft.title.clone(),
            purpose: state.draft.purpose.clone(),
            language: state.draft.language,
            phase: state.phase,
            rounds: (state.draft.rounds.iter())
                .map(|round| RoundBrief { minutes: round.minutes, question: round.question.clone() })
                .collect(),
            round: state.round.as_ref().map(|round| RoundView { index: round.index, status: round.status }),
            tables: Vec::new(),
            table_count: u16::try_from(state.draft.tables.len()).unwrap_or(u16::MAX),
            people_count: self.people_count,
            show_authors: state.draft.settings.show_authors,
            locked: state.locked,
            moving_seconds: state.draft.settings.moving_seconds,
            announcement: state.announcement.clone(),
            vote: self.vote(&actor.id),
            feelings: self.feelings(actor),
            part: Part::Reviewer(ReviewerPart::default()),
        };
        match actor.role {
            Role::Facilitator => {
                view.tables = state.table_ids().filter_map(|table| self.table(table)).collect();
                view.part = Part::Facilitator(Box::new(self.facilitator()));
            }
            Role::Participant => {
                view.me.name = state.participants.get(&actor.id).map(|person| person.name.clone()).unwrap_or_default();
                view.tables = self.nearby(&actor.id).filter_map(|table| self.table(table)).collect();
                view.part = Part::Participant(self.participant(&actor.id));
                super::fit::fit(&mut view, limits::PARTICIPANT_VIEW_BYTES);
            }
            // Reviewers come for the plan: before there is one they learn where the café stands, and no more.
            Role::Reviewer if state.phase < Phase::Plan => {
                view.vote = None;
                view.feelings = None;
                view.announcement = None;
            }
            Role::Reviewer => {
                view.tables = state.table_ids().filter_map(|table| self.table(table)).collect();
                view.part = Part::Reviewer(ReviewerPart {
                    decisions: state.decisions.values().cloned().collect(),
                    comments: state.comments.clone(),
                    follow_ups: follow_ups(state),
                });
            }
        }
        view
    }

    /// The tables a participant's view lists: where they have been, and the first others.
    fn nearby(&self, person: &ActorId) -> impl Iterator<Item = TableId> + use<> {
        let been = self.state.visited.get(person).cloned().unwrap_or_default();
        let seat = self.state.seat_of(person);
        let mut tables: Vec<TableId> =
            seat.into_iter().chain(been.iter().copied().filter(|t| Some(*t) != seat)).collect();
        let others = self.state.table_ids().filter(|table| Some(*table) != seat && !been.contains(table));
        tables.extend(others.take(limits::VIEW_TABLES));
        tables.truncate(limits::VIEW_TABLES);
        tables.sort_unstable();
        tables.into_iter()
    }

    fn table(&self, table: TableId) -> Option<TableBrief> {
        let plan = self.state.table_plan(table)?;
        Some(TableBrief { id: table, topic: plan.topic.clone(), question: plan.question.clone() })
    }

    fn person(&self, id: &ActorId) -> Option<Person> {
        self.state.person_here(id).map(|person| show_person(id, person, self.live))
    }

    fn vote(&self, reader: &ActorId) -> Option<VoteView> {
        let vote = &self.state.vote;
        if self.state.phase < Phase::Vote || vote.themes.is_empty() {
            return None;
        }
        let mine = vote.ballots.get(reader).into_iter().flatten().map(|(theme, dots)| (theme.clone(), *dots));
        Some(VoteView {
            themes: vote.themes.clone(),
            dots: self.state.draft.settings.dots,
            open: vote.open,
            mine: mine.collect(),
            voters: self.voters,
            tally: self.tally.clone(),
        })
    }

    fn feelings(&self, reader: &Actor) -> Option<FeelingsView> {
        let state = self.state;
        if !state.draft.settings.feelings {
            return None;
        }
        // What others felt would be in one's mind while one is asked oneself.
        let from = if reader.role == Role::Participant { Phase::Gallery } else { Phase::Rounds };
        let own = |(table, scores): (&TableId, &BTreeMap<ActorId, i8>)| Some((*table, *scores.get(&reader.id)?));
        Some(FeelingsView {
            line: state.feelings.line.clone(),
            mine: state.feelings.scores.iter().filter_map(own).collect(),
            stages: (state.phase >= from).then(|| self.stages.clone()),
        })
    }

    fn participant(&self, id: &ActorId) -> ParticipantPart {
        let person = self.state.participants.get(id);
        ParticipantPart {
            department: person.and_then(|person| person.department.clone()),
            helper: person.is_some_and(|person| person.helper),
            hand: person.is_some_and(|person| person.hand),
            seat: self.seat(id),
            visited: self.state.visited.get(id).into_iter().flatten().copied().collect(),
            lobby: self.lobby.clone(),
            decisions: self.decisions.clone(),
            follow_ups: self.follow_ups.clone(),
        }
    }

    fn seat(&self, id: &ActorId) -> Option<SeatView> {
        if !shows_seats(self.state.phase) {
            return None;
        }
        let table = self.state.seat_of(id)?;
        let company = self.company.get(&table).into_iter().flatten();
        Some(SeatView {
            table: self.table(table)?,
            host: self.state.hosts.get(&table).cloned(),
            people: company.filter_map(|id| self.person(id)).collect(),
            stays: self.state.seats_before().and_then(|seats| seats.get(id)) == Some(&table),
        })
    }

    fn facilitator(&self) -> FacilitatorPart {
        let state = self.state;
        let people = state.people_here().map(|(id, person)| FloorPerson {
            person: show_person(id, person, self.live),
            table: if shows_seats(state.phase) { state.seat_of(id) } else { None },
            helper: person.helper,
            hand: person.hand,
        });
        let floor = state.table_ids().map(|table| {
            let TableActivity { notes, last_edit, activity } = (self.live.tables)(table);
            FloorTable { id: table, host: state.hosts.get(&table).cloned(), notes, last_edit, activity }
        });
        FacilitatorPart {
            draft: state.draft.clone(),
            join_code: state.join_code.clone(),
            people: people.collect(),
            floor: floor.collect(),
            decisions: state.decisions.values().cloned().collect(),
            comments: state.comments.clone(),
            follow_ups: follow_ups(state),
            alerts: Vec::new(),
        }
    }
}

/// By action and days.
fn follow_ups(state: &Workshop) -> Vec<FollowUp> {
    state.follow_ups.values().flat_map(|days| days.values()).cloned().collect()
}

/// Seats are shown while rounds are on, and in the gallery that follows them.
fn shows_seats(phase: Phase) -> bool {
    matches!(phase, Phase::Rounds | Phase::Gallery)
}

fn show_person(id: &ActorId, person: &Participant, live: &Live<'_>) -> Person {
    Person {
        id: id.clone(),
        name: person.name.clone(),
        department: person.department.clone(),
        online: (live.online)(id),
    }
}
