//! What is given bytes by strangers. Each function takes any bytes, asserts what must hold whatever they are, and returns how much of
//! them meant something, so that a run can prove that it did work.
//!
//! Used twice: by libFuzzer (`fuzz_targets/`) for as long as one likes, and by `tests/tests/fuzz.rs` in every run of the tests.

use server::board::order::Order;
use server::board::replica::{Replica, Unfit, read_state_vector};
use server::socket::dialect::decode_yjs;
use server::socket::guard::Attributed;
use server::store::{Loaded, Row, Snapshot};
use shared::board::{count_notes, harvest_board, plan_board, table_board};
use shared::id::{Actor, ActorId, BoardId, Role, TableId, WorkshopId};
use shared::wire::lib0::{Reader, Writer};
use shared::wire::{Address, ClientFrame, ServerFrame, presence};
use shared::workshop::command::Internal;
use shared::workshop::{
    Command, Context, Draft, Live, Recorded, RoundPlan, Settings, TableActivity, TablePlan, Workshop, create, decide,
    decide_internal, view,
};
use yrs::updates::decoder::Decode;
use yrs::{ReadTxn, StateVector, Transact, Update};

/// Panics that the server survives (inside Yrs, while an update is applied) are no finding; those that leave a function here are, and
/// end the run with a message of their own.
pub fn quiet() {
    std::panic::set_hook(Box::new(|info| {
        if !info.location().is_some_and(|place| place.file().contains("/yrs-")) {
            eprintln!("{info}");
        }
    }));
}

/// A frame from a client, in both framings, and from a server. Whatever is read is written and read again.
pub fn frame(data: &[u8]) -> usize {
    let mut understood = 0;
    if let Ok(frame) = ClientFrame::decode(data) {
        let written = frame.encode();
        assert!(written.len() <= data.len() + 16, "a frame grew");
        assert_eq!(ClientFrame::decode(&written).as_ref(), Ok(&frame));
        understood += 1;
    }
    if let Ok(frame) = ServerFrame::decode(data) {
        assert_eq!(ServerFrame::decode(&frame.encode()).as_ref(), Ok(&frame));
        understood += 1;
    }
    let board = Address::Board(BoardId::table(&WorkshopId::from("w"), TableId(1)));
    understood += usize::from(decode_yjs(&board, data).is_ok());
    if let Ok(vector) = read_state_vector(data) {
        assert!(vector.len() <= data.len());
        understood += 1;
    }
    understood
}

/// Presence. What is read is written and read again, and takes no more room than its bytes allow.
pub fn presence(data: &[u8]) -> usize {
    let Ok(entries) = presence::decode(data) else { return 0 };
    assert!(entries.len() <= data.len());
    for entry in &entries {
        let state = entry.state.as_ref().and_then(shared::wire::PresenceState::from_value);
        if let Some(state) = state {
            assert_eq!(shared::wire::PresenceState::from_value(&state.to_value()), Some(state));
        }
    }
    let again = presence::decode(&presence::encode(&entries)).expect("what was written can be read");
    assert_eq!(again.len(), entries.len());
    entries.len()
}

/// Commands as JSON, an array of them, asked by everybody in turn in a café that is under way. State and log agree at the end.
pub fn command(data: &[u8]) -> usize {
    let Ok(commands) = serde_json::from_slice::<Vec<serde_json::Value>>(data) else { return 0 };
    let facilitator = Actor { id: "f1".into(), role: Role::Facilitator };
    let guest = |n: usize| Actor { id: format!("p{n}").into(), role: Role::Participant };
    let reviewer = Actor { id: "r1".into(), role: Role::Reviewer };
    let mut ctx = Context {
        now: 1_000_000,
        seed: 7,
        themes: vec![shared::workshop::state::ThemeRef { id: "a".into(), title: "A".into() }],
        actions: vec!["x".into()],
    };
    let (mut state, mut rows) = (Workshop::default(), Vec::new());
    let record = |state: &mut Workshop, rows: &mut Vec<Recorded>, ctx: &Context, by: &ActorId, events: Vec<_>| {
        for event in events {
            let row = Recorded { at: ctx.now, by: by.clone(), event };
            state.apply(&row);
            rows.push(row);
        }
    };
    let draft = Draft {
        title: "t".into(),
        tables: vec![TablePlan { topic: "a".into(), question: String::new() }; 3],
        rounds: vec![RoundPlan { minutes: 20.0, question: None }; 2],
        settings: Settings { seats_per_table: 6, ..Settings::default() },
        ..Draft::default()
    };
    let created = create(draft, "ABCD2345".into()).expect("a good draft");
    record(&mut state, &mut rows, &ctx, &facilitator.id, vec![created]);
    let open = Command::GoTo { phase: shared::workshop::Phase::Lobby };
    let opened = decide(&state, &open, &facilitator, &ctx).expect("opens");
    record(&mut state, &mut rows, &ctx, &facilitator.id, opened);
    for n in 0..5 {
        let join = Internal::Join { participant: guest(n).id, name: format!("g{n}"), department: None };
        let joined = decide_internal(&state, &join, &ctx).expect("joins");
        record(&mut state, &mut rows, &ctx, &guest(n).id, joined);
    }
    let mut done = 0;
    for json in commands.into_iter().take(64) {
        ctx.seed += 1;
        ctx.now += 90_000;
        let Ok(command) = serde_json::from_value::<Command>(json) else {
            // Anything else lets the time pass.
            let events = decide_internal(&state, &Internal::TimeUp, &ctx).expect("a timer is never refused");
            record(&mut state, &mut rows, &ctx, &ActorId::system(), events);
            continue;
        };
        for actor in [&facilitator, &guest(0), &guest(4), &reviewer] {
            let before = state.clone();
            let outcome = decide(&state, &command, actor, &ctx);
            assert_eq!(state, before);
            done += usize::from(outcome.is_ok());
            record(&mut state, &mut rows, &ctx, &actor.id, outcome.unwrap_or_default());
        }
    }
    let mut fold = Workshop::default();
    for row in &rows {
        let text = serde_json::to_string(row).expect("rows have a text form");
        fold.apply(&serde_json::from_str(&text).expect("which can be read"));
    }
    assert_eq!(fold, state, "the log alone makes the same state");
    let live = Live { now: ctx.now, seq: rows.len() as u64, online: &|_| true, tables: &|_| TableActivity::default() };
    for actor in [&facilitator, &guest(0), &reviewer] {
        let shown = view(&WorkshopId::from("w"), &state, actor, &live);
        serde_json::to_vec(&shown).expect("views have a text form");
    }
    done
}

/// What an update may be in [`guard`]: its bytes, and whether its sender holds the client ids in it.
pub fn updates(data: &[u8]) -> Vec<(bool, &[u8])> {
    let mut reader = Reader::new(data);
    let mut updates = Vec::new();
    while let (Ok(own), Ok(bytes)) = (reader.byte(), reader.var_bytes()) {
        updates.push((own % 8 != 0, bytes));
    }
    updates
}

/// The other way round, for making inputs.
pub fn packed<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut writer = Writer::new();
    for update in updates {
        writer.byte(1).var_bytes(update);
    }
    writer.into_bytes()
}

/// Updates, one after the other, on one board: scanned, attributed, checked, applied to the server's own replica. Whatever comes, the
/// document is what its log says, nothing is kept aside, and everybody who reads it can.
pub fn guard(data: &[u8]) -> usize {
    let mut board = Board::default();
    let mut taken = 0;
    for (own, bytes) in updates(data).into_iter().take(64) {
        taken += usize::from(board.take(own, bytes));
    }
    board.ends();
    taken
}

/// What a replica has. Decoded, for its entries have no order.
fn vector(replica: &Replica) -> StateVector {
    read_state_vector(&replica.state_vector()).expect("a state vector")
}

/// A board, as the server keeps it, with its log.
pub struct Board {
    replica: Replica,
    rows: Vec<Row>,
}

impl Default for Board {
    fn default() -> Self {
        Self { replica: Replica::load(&Loaded::default()).expect("nothing to fail on"), rows: Vec::new() }
    }
}

impl Board {
    /// Gives it an update; tells whether that was taken.
    pub fn take(&mut self, own: bool, bytes: &[u8]) -> bool {
        let Ok(mut update) = Attributed::scan(bytes.to_vec()) else { return false };
        if !own {
            update.foreign = update.inserted.iter().map(|range| range.client).collect();
        }
        let before = vector(&self.replica);
        match self.replica.check(&update) {
            Ok(()) => {}
            // Memory for all boards is not asked for here.
            Err(Unfit::NoMemory) => unreachable!("there is one board"),
            Err(Unfit::Foreign | Unfit::Gap | Unfit::Full | Unfit::Lazy | Unfit::Misplaced | Unfit::Crowded) => {
                assert_eq!(vector(&self.replica), before, "a refusal changed something");
                return false;
            }
        }
        let known = self.replica.holds(&update);
        match self.replica.apply(&update) {
            Ok(Some(delta)) => {
                assert!(!known, "what was held has changed something");
                assert!(own || vector(&self.replica) == before, "written under somebody else's id");
                let seq = self.rows.len() as u64 + 1;
                self.replica.committed(seq, 1);
                self.rows.push(Row { seq, principal: "p".into(), at: 0, payload: delta.into() });
                // Twice counts once.
                assert_eq!(self.replica.check(&update), Ok(()));
                assert_eq!(self.replica.apply(&update), Ok(None));
                true
            }
            Ok(None) => true,
            Err(_) => {
                self.replica = self.reloaded();
                assert_eq!(vector(&self.replica), before, "a fragment stayed");
                false
            }
        }
    }

    fn loaded(&self) -> Loaded {
        Loaded { snapshot: None, rows: self.rows.clone(), last_seq: self.rows.len() as u64 }
    }

    fn reloaded(&self) -> Replica {
        Replica::load(&self.loaded()).expect("what was accepted can be loaded")
    }

    /// Whatever came, the log and a snapshot make the same document, and everybody can read it.
    pub fn ends(&self) {
        let state = |replica: &Replica| replica.diff(&StateVector::default());
        let doc = self.replica.doc();
        let read = || (table_board(doc), harvest_board(doc), plan_board(doc), count_notes(doc));
        let shown = read();
        let replayed = self.reloaded();
        assert_eq!(vector(&replayed), vector(&self.replica), "the log makes another document");
        // A snapshot is made of what can be loaded again, or not at all.
        let folded = self.replica.snapshot().map(|payload| {
            let snapshot = Snapshot { seq: self.rows.len() as u64, payload: payload.into() };
            let folded = Loaded { snapshot: Some(snapshot), rows: Vec::new(), last_seq: self.rows.len() as u64 };
            Replica::load(&folded).expect("a snapshot can be loaded")
        });
        for other in [Some(&replayed), folded.as_ref()].into_iter().flatten() {
            assert_eq!(vector(other), vector(&self.replica));
            let doc = other.doc();
            assert_eq!((table_board(doc), harvest_board(doc), plan_board(doc), count_notes(doc)), shown);
        }
        // A page that gets the whole of it can take it, and holds the same.
        let page = shared::board::new_doc(1);
        let whole = state(&self.replica);
        Order::of(&whole).expect("how it stands can be told");
        page.transact_mut().apply_update(Update::decode_v1(&whole).expect("an update")).expect("applies");
        assert!(!page.transact().has_missing_updates(), "something waits for ever on the page");
        assert_eq!(table_board(&page), shown.0);
    }
}
