//! A café to act in: `cafe.host(Command::NextRound)`, `cafe.guest(3, Command::Leave)`.

use shared::id::{ActionId, Actor, ActorId, Millis, Role, TableId, ThemeId, WorkshopId};
use shared::workshop::command::Internal;
use shared::workshop::state::ThemeRef;
use shared::workshop::{
    Command, Context, Draft, Event, Live, Phase, Recorded, Refusal, RoundPlan, Settings, TableActivity, TablePlan,
    View, Workshop, create, decide, decide_internal, view,
};

pub type Outcome = Result<Vec<Event>, Refusal>;

pub struct Cafe {
    pub state: Workshop,
    pub rows: Vec<Recorded>,
    pub ctx: Context,
}

pub const MINUTE: Millis = 60_000;

pub fn draft(tables: usize, rounds: usize) -> Draft {
    let table = |i| TablePlan { topic: format!("Topic {i}"), question: format!("Question {i}?") };
    Draft {
        title: "更好的服务".into(),
        tables: (1..=tables).map(table).collect(),
        rounds: vec![RoundPlan { minutes: 20.0, question: None }; rounds],
        settings: Settings { seats_per_table: 6, ..Settings::default() },
        ..Draft::default()
    }
}

pub fn facilitator() -> Actor {
    Actor { id: "f1".into(), role: Role::Facilitator }
}

pub fn reviewer() -> Actor {
    Actor { id: "r1".into(), role: Role::Reviewer }
}

pub fn participant(i: usize) -> Actor {
    Actor { id: guest_id(i), role: Role::Participant }
}

pub fn guest_id(i: usize) -> ActorId {
    format!("p{i:05}").into()
}

pub fn theme(id: &str) -> ThemeRef {
    ThemeRef { id: id.into(), title: format!("Theme {id}") }
}

pub fn vote(theme: &str, dots: u8) -> Command {
    Command::CastVote { theme: ThemeId::from(theme), dots }
}

impl Cafe {
    pub fn new(draft: Draft) -> Self {
        let ctx = Context {
            now: 1_000_000,
            seed: 7,
            themes: vec![theme("a"), theme("b"), theme("c")],
            actions: vec![ActionId::from("x"), ActionId::from("y")],
        };
        let mut cafe = Self { state: Workshop::default(), rows: Vec::new(), ctx };
        let created = create(draft, "ABCD2345".into()).expect("a good draft");
        cafe.record(&facilitator().id, vec![created]);
        cafe
    }

    /// A café with so many people in its lobby.
    pub fn open(tables: usize, rounds: usize, people: usize) -> Self {
        let mut cafe = Self::new(draft(tables, rounds));
        cafe.host(Command::GoTo { phase: Phase::Lobby }).expect("opens");
        for i in 0..people {
            cafe.join(i).expect("joins");
        }
        cafe
    }

    /// The same, in a later phase; rounds are not held.
    pub fn in_phase(phase: Phase) -> Self {
        let mut cafe = Self::open(4, 3, 8);
        if phase == Phase::Draft {
            cafe.go(Phase::Draft);
            return cafe;
        }
        while cafe.state.phase != phase {
            cafe.go(cafe.state.phase.next().expect("a next phase"));
        }
        cafe
    }

    /// With a first round whose clock runs.
    pub fn in_round(tables: usize, people: usize) -> Self {
        let mut cafe = Self::open(tables, 3, people);
        cafe.host(Command::NextRound).expect("seats");
        cafe.host(Command::StartRound).expect("starts");
        cafe
    }

    fn record(&mut self, by: &ActorId, events: Vec<Event>) {
        for event in events {
            let row = Recorded { at: self.ctx.now, by: by.clone(), event };
            self.state.apply(&row);
            self.rows.push(row);
        }
    }

    pub fn act(&mut self, by: &Actor, command: Command) -> Outcome {
        let before = self.state.clone();
        let outcome = decide(&self.state, &command, by, &self.ctx);
        assert_eq!(self.state, before);
        self.ctx.seed += 1;
        self.record(&by.id, outcome.clone().unwrap_or_default());
        outcome
    }

    pub fn host(&mut self, command: Command) -> Outcome {
        self.act(&facilitator(), command)
    }

    pub fn guest(&mut self, i: usize, command: Command) -> Outcome {
        self.act(&participant(i), command)
    }

    pub fn review(&mut self, command: Command) -> Outcome {
        self.act(&reviewer(), command)
    }

    pub fn go(&mut self, phase: Phase) {
        self.host(Command::GoTo { phase }).unwrap_or_else(|refusal| panic!("to {phase}: {refusal}"));
    }

    pub fn internal(&mut self, command: Internal) -> Outcome {
        let outcome = decide_internal(&self.state, &command, &self.ctx);
        self.ctx.seed += 1;
        self.record(&ActorId::system(), outcome.clone().unwrap_or_default());
        outcome
    }

    pub fn join(&mut self, i: usize) -> Outcome {
        self.internal(Internal::Join { participant: guest_id(i), name: format!("Guest {i}"), department: None })
    }

    /// Lets the time pass until the deadline, and tells the café.
    pub fn wait_for_deadline(&mut self) -> Outcome {
        self.ctx.now = self.state.deadline().expect("a deadline");
        self.internal(Internal::TimeUp)
    }

    pub fn seat(&self, i: usize) -> Option<TableId> {
        self.state.seat_of(&guest_id(i))
    }

    pub fn view(&self, actor: &Actor) -> View {
        let seq = self.rows.len() as u64;
        let tables = |_| TableActivity { notes: 2, last_edit: Some(5), activity: vec![0; 10] };
        let live = Live { now: self.ctx.now, seq, online: &|_| true, tables: &tables };
        view(&WorkshopId::from("abcdefgh12345678"), &self.state, actor, &live)
    }
}
