//! From events and boards to the model: every reference is looked up once.

use std::collections::{BTreeMap, VecDeque};

use shared::board::view::{Action, Handover, HarvestBoard, Note, NoteRef, PlanBoard, Stroke, TableBoard};
use shared::id::{ActionId, Actor, ActorId, BoardKind, Millis, Role, TableId, ThemeId, WorkshopId};
use shared::workshop::follow_up::FollowUp;
use shared::workshop::journey::Journey;
use shared::workshop::state::{Comment, Decision};
use shared::workshop::{Event, Phase, Recorded, Workshop};

use super::{
    ActionPart, CarriedPart, DecisionPart, Export, FeltPart, HandoverPart, JourneyPart, LinePart, MomentPart, NotePart,
    PersonPart, RoundPart, SeatPart, Source, StagePart, TablePart, TallyPart, ThemePart, Turn, VotePart, WorkshopPart,
};

/// Moments that an export tells, the latest: a long day has some hundreds, and nobody reads more.
const MOMENTS: usize = 10_000;

/// What an export is built from.
pub struct Sources<'a> {
    /// Which café.
    pub id: &'a WorkshopId,
    /// The time now.
    pub now: Millis,
    /// Its state.
    pub workshop: &'a Workshop,
    /// What happened when.
    pub timeline: Timeline,
    /// The tables' boards in their order; `None` for one that cannot be read.
    pub tables: Vec<Option<TableBoard>>,
    /// The harvest board, if it can be read.
    pub harvest: Option<HarvestBoard>,
    /// The plan board, if it can be read.
    pub plan: Option<PlanBoard>,
    /// For whom. Nobody reads here what the page does not show them: see `Reader`.
    pub reader: &'a Actor,
}

/// What somebody may read of a café as it stands now.
struct Reader<'a> {
    actor: &'a Actor,
    workshop: &'a Workshop,
}

impl<'a> Reader<'a> {
    /// A board; one that they may not read is as if empty, be it damaged or not.
    fn board<T: Default>(&self, kind: BoardKind, board: Option<T>) -> Option<T> {
        if self.workshop.may_read(self.actor, kind) { board } else { Some(T::default()) }
    }

    /// Facilitators also get the join code and who sat where.
    fn steers(&self) -> bool {
        self.actor.role == Role::Facilitator
    }

    /// Participants see what is later in the day only once it is that late, also after a step back.
    fn sees_from(&self, phase: Phase) -> bool {
        self.actor.role != Role::Participant || self.workshop.phase >= phase
    }

    fn decisions(&self) -> impl Iterator<Item = &'a Decision> + use<'a> {
        let decisions = self.sees_from(Phase::Review).then_some(&self.workshop.decisions);
        decisions.into_iter().flat_map(BTreeMap::values)
    }

    fn follow_ups(&self) -> impl Iterator<Item = &'a FollowUp> + use<'a> {
        let found = self.sees_from(Phase::Review).then_some(&self.workshop.follow_ups);
        found.into_iter().flat_map(BTreeMap::values).flat_map(BTreeMap::values)
    }

    /// Between facilitators and reviewers.
    fn comments(&self) -> &'a [Comment] {
        if self.actor.role == Role::Participant { &[] } else { &self.workshop.comments }
    }
}

impl Export {
    /// Puts a café together.
    pub fn build(sources: Sources<'_>) -> Self {
        let Sources { id, now, workshop, timeline, tables, harvest, plan, reader } = sources;
        let reader = Reader { actor: reader, workshop };
        let numbered = (1..).map(|number| BoardKind::Table(TableId(number))).zip(tables);
        let tables: Vec<_> = numbered.map(|(kind, board)| reader.board(kind, board)).collect();
        let (harvest, plan) = (reader.board(BoardKind::Harvest, harvest), reader.board(BoardKind::Plan, plan));
        let damaged = damaged(&tables, harvest.is_none(), plan.is_none());
        let (harvest, plan) = (harvest.unwrap_or_default(), plan.unwrap_or_default());
        let boards: Vec<TableBoard> = tables.into_iter().map(Option::unwrap_or_default).collect();
        let index = Index::new(reader, &boards, &harvest);
        let draft = &workshop.draft;
        let is_in_plan =
            |action: &Option<ActionId>| action.as_ref().is_some_and(|id| plan.actions.iter().any(|a| a.id == *id));
        Self {
            format: "tablehop/1".to_owned(),
            exported_at: now,
            workshop: WorkshopPart {
                id: id.clone(),
                title: draft.title.clone(),
                purpose: draft.purpose.clone(),
                language: draft.language,
                phase: workshop.phase,
                created_at: workshop.created_at,
                join_code: index.reader.steers().then(|| workshop.join_code.clone()),
                settings: draft.settings.clone(),
            },
            damaged,
            actions: plan.actions.iter().enumerate().map(|(rank, a)| index.action(rank, a)).collect(),
            other_decisions: index
                .reader
                .decisions()
                .filter(|d| !is_in_plan(&Some(d.action.clone())))
                .cloned()
                .collect(),
            other_follow_ups: index
                .reader
                .follow_ups()
                .filter(|found| !is_in_plan(&Some(found.action.clone())))
                .cloned()
                .collect(),
            comments: index.reader.comments().iter().filter(|c| !is_in_plan(&c.action)).cloned().collect(),
            themes: harvest.themes.iter().map(|theme| index.theme(theme, &harvest)).collect(),
            unplaced: index.unplaced(),
            vote: index.vote(),
            journey: index.journey(),
            tables: (1..).zip(&boards).map(|(number, board)| index.table(TableId(number), board)).collect(),
            rounds: rounds(workshop, index.reader.steers()),
            participants: participants(workshop),
            timeline: timeline.moments.into(),
        }
    }
}

/// What is looked up again and again.
struct Index<'a> {
    workshop: &'a Workshop,
    reader: Reader<'a>,
    notes: BTreeMap<NoteRef, &'a Note>,
    /// Titles of themes by the notes placed in them.
    themes: BTreeMap<&'a NoteRef, &'a str>,
    theme_titles: BTreeMap<&'a ThemeId, &'a str>,
    /// Empty while the vote is open, when counts are hidden from everybody.
    tally: BTreeMap<ThemeId, u32>,
}

impl<'a> Index<'a> {
    fn new(reader: Reader<'a>, boards: &'a [TableBoard], harvest: &'a HarvestBoard) -> Self {
        let workshop = reader.workshop;
        let shows_counts = !workshop.vote.open && reader.sees_from(Phase::Vote);
        let of_table = |(number, board): (u16, &'a TableBoard)| {
            let table = TableId(number);
            board.notes.iter().map(move |note| (NoteRef { table, note: note.id.clone() }, note))
        };
        let theme_titles: BTreeMap<_, _> = harvest.themes.iter().map(|t| (&t.id, t.title.as_str())).collect();
        let placed = harvest.placements.iter();
        Self {
            workshop,
            reader,
            notes: (1..).zip(boards).flat_map(of_table).collect(),
            themes: placed.filter_map(|(note, theme)| Some((note, *theme_titles.get(theme)?))).collect(),
            theme_titles,
            tally: if shows_counts { workshop.vote.tally() } else { BTreeMap::new() },
        }
    }

    fn shows_authors(&self) -> bool {
        self.workshop.draft.settings.show_authors
    }

    fn author(&self, note: &Note) -> Option<String> {
        (self.shows_authors() && !note.author_name.is_empty()).then(|| note.author_name.clone())
    }

    fn topic(&self, table: TableId) -> String {
        let index = usize::from(table.0).wrapping_sub(1);
        self.workshop.draft.tables.get(index).map(|t| t.topic.clone()).unwrap_or_default()
    }

    fn source(&self, at: &NoteRef) -> Source {
        let note = self.notes.get(at);
        Source {
            table: at.table,
            topic: self.topic(at.table),
            note: at.note.clone(),
            kind: note.map(|n| n.kind.as_str().to_owned()).unwrap_or_default(),
            text: note.map(|n| n.text.clone()).unwrap_or_default(),
            author: note.and_then(|n| self.author(n)),
            round: note.and_then(|n| n.round).map(number),
            carried_from: note.and_then(|n| self.carried(n)),
            stars: note.map(|n| n.stars.len()).unwrap_or_default(),
            deleted: note.is_some_and(|n| n.deleted),
        }
    }

    fn carried(&self, note: &Note) -> Option<CarriedPart> {
        let at = &note.from.as_ref()?.note;
        let first = self.notes.get(at);
        Some(CarriedPart {
            table: at.table,
            topic: self.topic(at.table),
            note: at.note.clone(),
            found: first.is_some(),
            author: first.and_then(|n| self.author(n)),
            round: first.and_then(|n| n.round).map(number),
            deleted: first.is_some_and(|n| n.deleted),
        })
    }

    fn unplaced(&self) -> Vec<Source> {
        let free = self.notes.iter().filter(|(at, note)| !note.deleted && !self.themes.contains_key(at));
        free.map(|(at, _)| self.source(at)).collect()
    }

    fn table(&self, number: TableId, board: &TableBoard) -> TablePart {
        let index = usize::from(number.0) - 1;
        let plan = self.workshop.draft.tables.get(index).cloned().unwrap_or_default();
        let host = self.workshop.hosts.get(&number).and_then(|id| self.workshop.participants.get(id));
        let Handover { so_far, open, build_here } = board.handover.clone();
        TablePart {
            number,
            topic: plan.topic,
            question: plan.question,
            host: host.map(|p| p.name.clone()),
            handover: HandoverPart { so_far, open, build_here },
            notes: board.notes.iter().map(|note| self.note(number, note)).collect(),
            drawing: board.strokes.iter().map(line).collect(),
        }
    }

    fn note(&self, table: TableId, note: &Note) -> NotePart {
        let at = NoteRef { table, note: note.id.clone() };
        NotePart {
            id: note.id.clone(),
            kind: note.kind.as_str().to_owned(),
            text: note.text.clone(),
            author: self.author(note),
            author_id: self.shows_authors().then(|| note.author.clone()),
            round: note.round.map(number),
            created_at: note.created_at,
            builds_on: note.builds_on.clone(),
            carried_from: self.carried(note),
            stars: note.stars.len(),
            theme: self.themes.get(&at).map(|title| (*title).to_owned()),
            deleted: note.deleted,
        }
    }

    fn theme(&self, theme: &shared::board::view::Theme, harvest: &HarvestBoard) -> ThemePart {
        let notes = harvest.placements.iter().filter(|(_, id)| *id == theme.id);
        ThemePart {
            id: theme.id.clone(),
            title: theme.title.clone(),
            summary: theme.summary.clone(),
            dots: self.tally.get(&theme.id).copied(),
            notes: notes.map(|(at, _)| self.source(at)).collect(),
        }
    }

    fn vote(&self) -> Option<VotePart> {
        let vote = &self.workshop.vote;
        if vote.themes.is_empty() || !self.reader.sees_from(Phase::Vote) {
            return None;
        }
        let tally = |theme: &shared::workshop::state::ThemeRef| TallyPart {
            id: theme.id.clone(),
            title: theme.title.clone(),
            dots: self.tally.get(&theme.id).copied(),
        };
        let mut themes: Vec<_> = vote.themes.iter().map(tally).collect();
        themes.sort_by_key(|theme| std::cmp::Reverse(theme.dots));
        let has_dots = |ballot: &&BTreeMap<ThemeId, u8>| ballot.values().any(|dots| *dots > 0);
        Some(VotePart {
            open: vote.open,
            dots_per_person: self.workshop.draft.settings.dots,
            voters: vote.ballots.values().filter(has_dots).count(),
            themes,
        })
    }

    fn journey(&self) -> Option<JourneyPart> {
        let workshop = self.workshop;
        if !workshop.draft.settings.feelings || workshop.phase < Phase::Rounds || !self.reader.sees_from(Phase::Gallery)
        {
            return None;
        }
        let counts = workshop.stages();
        let line = workshop.feelings.line.clone();
        let journey = Journey::new(&counts, line.level);
        let stage = |(table, counts): (TableId, &Option<[u32; 5]>)| StagePart {
            table,
            topic: self.topic(table),
            felt: counts.zip(journey.stage(table)).map(|(counts, stage)| FeltPart {
                counts: counts.to_vec(),
                scores: stage.scores,
                mean_tenths: stage.tenths(),
                lower: stage.lower,
                median: stage.median,
                upper: stage.upper,
                below: journey.is_below(table),
            }),
        };
        let at = |place: usize| journey.stages.get(place).map(|stage| stage.table);
        Some(JourneyPart {
            line,
            stages: workshop.table_ids().zip(&counts).map(stage).collect(),
            peak: at(journey.peak),
            trough: at(journey.trough),
            end: journey.stages.last().map(|stage| stage.table),
        })
    }

    fn action(&self, rank: usize, action: &Action) -> ActionPart {
        let Action { id, title, stage, reason, accountable, helpers, due, .. } = action.clone();
        let Action { effort, impact, kpi, baseline, target, cost, risk, status, .. } = action.clone();
        let decision = self.reader.decisions().find(|decision| decision.action == id).cloned();
        let follow_ups = self.reader.follow_ups().filter(|found| found.action == id).cloned();
        let follow_ups = follow_ups.map(Into::into).collect();
        let comments = self.reader.comments().iter().filter(|c| c.action.as_ref() == Some(&id)).cloned().collect();
        let vote_on = |theme: &ThemeId| {
            let now = self.theme_titles.get(theme).copied();
            // A theme that was taken away since keeps the title under which people voted on it.
            let then = || self.workshop.vote.themes.iter().find(|t| t.id == *theme).map(|t| t.title.as_str());
            let title = now.or_else(then)?.to_owned();
            Some(TallyPart { id: theme.clone(), title, dots: self.tally.get(theme).copied() })
        };
        let votes: Vec<_> = action.themes.iter().filter_map(vote_on).collect();
        ActionPart {
            reference: format!("A{}", rank + 1),
            id,
            title,
            stage,
            reason,
            accountable,
            helpers,
            due,
            effort,
            impact,
            kpi,
            baseline,
            target,
            cost,
            risk,
            status: status.as_str().to_owned(),
            themes: votes.iter().map(|theme| theme.title.clone()).collect(),
            votes,
            sources: action.sources.iter().map(|at| self.source(at)).collect(),
            decision: decision.map(|d| DecisionPart { verdict: d.verdict, reason: d.reason, name: d.name, at: d.at }),
            follow_ups,
            comments,
        }
    }
}

/// Rounds are stored from 0 and shown from 1.
fn number(round: u8) -> u16 {
    u16::from(round) + 1
}

fn line(stroke: &Stroke) -> LinePart {
    let points = stroke.points.iter().map(|(x, y)| [*x, *y]).collect();
    LinePart { pen: stroke.pen.as_str().to_owned(), width: stroke.width, points }
}

fn damaged(tables: &[Option<TableBoard>], harvest: bool, plan: bool) -> Vec<String> {
    let tables =
        (1..).zip(tables).filter(|(_, board)| board.is_none()).map(|(number, _): (usize, _)| format!("table {number}"));
    let others = [(harvest, "harvest"), (plan, "plan")].into_iter().filter(|(damaged, _)| *damaged);
    tables.chain(others.map(|(_, name)| name.to_owned())).collect()
}

fn rounds(workshop: &Workshop, with_seats: bool) -> Vec<RoundPart> {
    let seats_of = |index: usize| -> Vec<SeatPart> {
        let Some(seats) = workshop.seats.get(index).filter(|_| with_seats) else { return Vec::new() };
        let seat = |(id, table): (&ActorId, &TableId)| SeatPart {
            table: *table,
            participant: id.clone(),
            name: workshop.participants.get(id).map(|p| p.name.clone()).unwrap_or_default(),
        };
        let mut seats: Vec<_> = seats.iter().map(seat).collect();
        seats.sort_by(|a, b| (a.table, &a.name).cmp(&(b.table, &b.name)));
        seats
    };
    let rounds = workshop.draft.rounds.iter().enumerate();
    let round = |(index, round): (usize, &shared::workshop::RoundPlan)| RoundPart {
        number: u16::try_from(index + 1).unwrap_or(u16::MAX),
        minutes: round.minutes,
        question: round.question.clone(),
        seats: seats_of(index),
    };
    rounds.map(round).collect()
}

fn participants(workshop: &Workshop) -> Vec<PersonPart> {
    let hosts_of = |id: &ActorId| workshop.hosts.iter().filter(|(_, host)| *host == id).map(|(t, _)| *t).collect();
    let person = |(id, p): (&ActorId, &shared::workshop::state::Participant)| PersonPart {
        id: id.clone(),
        name: p.name.clone(),
        department: p.department.clone(),
        joined_at: p.joined_at,
        left: !p.is_here(),
        helper: p.helper,
        host_of: hosts_of(id),
    };
    let mut people: Vec<_> = workshop.participants.iter().map(person).collect();
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    people
}

/// The turns of a café, gathered from its events one by one.
#[derive(Default)]
pub struct Timeline {
    moments: VecDeque<MomentPart>,
    /// The round that is on, counted from 1.
    round: u16,
}

impl Timeline {
    /// Takes in what happened.
    pub fn take(&mut self, recorded: Recorded) {
        let turn = match recorded.event {
            Event::Created { .. } => Turn::Created,
            Event::PhaseChanged { phase } => Turn::Phase { phase },
            Event::RoundSeated { round, seats, .. } => {
                self.round = number(round);
                Turn::RoundSeated { round: self.round, people: seats.len() }
            }
            Event::RoundStarted { .. } => Turn::RoundStarted { round: self.round },
            Event::RoundEnded => Turn::RoundEnded { round: self.round },
            Event::Announced { text } if !text.is_empty() => Turn::Announced { text },
            Event::VoteOpened { themes } => Turn::VoteOpened { themes: themes.len() },
            Event::VoteClosed => Turn::VoteClosed,
            _ => return,
        };
        if self.moments.len() == MOMENTS {
            self.moments.pop_front();
        }
        self.moments.push_back(MomentPart { at: recorded.at, turn });
    }
}
