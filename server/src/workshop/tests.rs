//! Cafés over a real store, with its faults.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use shared::id::{Role, TableId};
use shared::wire::{ServerFrame, ServerMessage};
use shared::workshop::{Event, RoundPlan, RoundStatus, TablePlan};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::{Next, Outbox};
use crate::store::faulty::{Faults, FaultyStore};
use crate::store::sqlite::SqliteStore;

const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    workshops: Workshops,
    store: Arc<dyn Store>,
    faults: Arc<Faults>,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let sqlite = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        let (store, faults) = FaultyStore::new(sqlite);
        let store: Arc<dyn Store> = Arc::new(store);
        Self { workshops: Self::workshops(&store), store, faults, _dir: dir }
    }

    fn workshops(store: &Arc<dyn Store>) -> Workshops {
        Self::workshops_by(store, Clock::system())
    }

    fn workshops_by(store: &Arc<dyn Store>, clock: Clock) -> Workshops {
        let floors = Arc::new(Floors::default());
        let boards = Arc::new(Boards::new(store.clone(), floors.clone(), usize::MAX));
        Workshops::new(store.clone(), boards, floors, clock)
    }

    async fn cafe(&self) -> WorkshopId {
        let (id, _) = self.workshops.create(draft()).await.expect("a café");
        self.does(&id, Command::GoTo { phase: Phase::Lobby }).await;
        id
    }

    async fn does(&self, id: &WorkshopId, command: Command) -> Vec<Recorded> {
        self.workshops.command(id, &facilitator(), command, None).await.expect("done")
    }

    async fn joins(&self, id: &WorkshopId, name: &str) {
        let joined = self.workshops.join(id, format!("p{name}").into(), name.to_owned(), None).await;
        assert_eq!(joined.map(|events| events.len()), Ok(1));
    }

    async fn history(&self, id: &WorkshopId) -> Vec<Recorded> {
        self.workshops.history(id, Vec::new(), Vec::push).await.expect("a history")
    }

    async fn watches(&self, id: &WorkshopId) -> Screen {
        let handle = self.workshops.open(id).await.expect("a café");
        let outbox = Arc::new(Outbox::default());
        let who = Viewer { actor: facilitator(), dialect: Dialect::Collab(None), outbox: outbox.clone(), slot: 1 };
        handle.watch(1, who).await;
        Screen { outbox, _handle: handle }
    }
}

struct Screen {
    outbox: Arc<Outbox>,
    _handle: Handle,
}

impl Screen {
    /// Views as they come, until one is as wanted; returns how many came.
    async fn shows(&self, wanted: impl Fn(&Value) -> bool) -> usize {
        let mut count = 0;
        timeout(PATIENCE, async {
            loop {
                match self.outbox.next() {
                    Some(Next::Frame(frame)) => {
                        count += 1;
                        let Ok(ServerFrame::Message(_, ServerMessage::Stateless(text))) = ServerFrame::decode(&frame)
                        else {
                            panic!("no view")
                        };
                        let message: Value = serde_json::from_str(&text).expect("JSON");
                        assert_eq!(message["type"], "view");
                        if wanted(&message["view"]) {
                            return count;
                        }
                    }
                    Some(other) => panic!("{other:?}"),
                    None => self.outbox.filled().await,
                }
            }
        })
        .await
        .expect("in time")
    }
}

fn facilitator() -> Actor {
    Actor { id: "f1".into(), role: Role::Facilitator }
}

fn draft() -> Draft {
    let table = |topic: &str| TablePlan { topic: topic.to_owned(), question: String::new() };
    Draft {
        title: "café".to_owned(),
        tables: vec![table("one"), table("two")],
        rounds: vec![RoundPlan { minutes: 20.0, question: None }; 3],
        ..Draft::default()
    }
}

#[tokio::test]
async fn a_cafe_is_created_once_and_others_do_not_exist() {
    let house = House::new();
    let (id, code) = house.workshops.create(draft()).await.expect("a café");
    assert_eq!((id.as_str().len(), code.len()), (16, 8));
    let found = house.store.workshop_by_join_code(code.clone()).await.expect("read");
    assert_eq!(found.as_deref(), Some(id.as_str()));
    let (seq, state) = house.workshops.state(&id).await.expect("a café");
    assert_eq!((seq, &state.join_code, state.phase), (1, &code, Phase::Draft));
    let unknown = house.workshops.state(&"nowhere".into()).await;
    assert_eq!(unknown.map(|_| ()), Err(CommandError::NoSuchWorkshop));
    let refused = house.workshops.create(Draft { title: String::new(), ..draft() }).await;
    assert_eq!(refused.map(|_| ()), Err(Refusal::empty("title").into()));
}

#[tokio::test]
async fn many_who_join_at_once_all_get_in_with_few_commits() {
    let house = House::new();
    let id = house.cafe().await;
    let before = house.faults.appends();
    let everybody = join_all((0..200).map(|n| {
        let (house, id) = (&house, &id);
        async move { house.joins(id, &n.to_string()).await }
    }));
    everybody.await;
    let (seq, state) = house.workshops.state(&id).await.expect("a café");
    assert_eq!((state.participants.len(), seq), (200, 202));
    assert!(house.faults.appends() - before < 100);
    assert_eq!(house.history(&id).await.len(), 202);
}

#[tokio::test]
async fn d13_w1_a_long_cafe_comes_back_from_its_snapshot_or_from_its_events() {
    let house = House::new();
    let id = house.cafe().await;
    for n in 0..250 {
        house.joins(&id, &n.to_string()).await;
    }
    let (seq, before) = house.workshops.state(&id).await.expect("a café");
    house.workshops.close().await;
    let stream = StreamId::workshop(id.as_str());
    let loaded = house.store.load(stream.clone()).await.expect("loads");
    assert_eq!((loaded.snapshot.as_ref().map(|snapshot| snapshot.seq), loaded.rows.len()), (Some(seq), 0));
    let again = House::workshops(&house.store);
    again.join(&id, "plate".into(), "Late".to_owned(), None).await.expect("joins");
    let (_, with_late) = again.state(&id).await.expect("a café");
    assert_eq!(with_late.participants.len(), before.participants.len() + 1);
    again.close().await;
    // One that this program cannot read is passed over; so is one that a later version has made.
    for (seq, payload) in [(seq, "nonsense"), (seq + 1, r#"{"format":999,"state":{}}"#)] {
        let snapshot = crate::store::Snapshot { seq, payload: payload.into() };
        house.store.save_snapshot(stream.clone(), snapshot).await.expect("saved");
    }
    let (count, from_events) = House::workshops(&house.store).state(&id).await.expect("a café");
    assert_eq!((count, &from_events), (seq + 1, &with_late));
}

#[tokio::test]
async fn h23_a_log_of_large_rows_is_never_read_as_a_whole() {
    let house = House::new();
    let (id, _) = house.workshops.create(draft()).await.expect("a café");
    let question = "字".repeat(400);
    let large = |n: usize| {
        let tables = (0..300).map(|_| TablePlan { topic: format!("{n}"), question: question.clone() });
        Draft { tables: tables.collect(), ..draft() }
    };
    let row = large(0).text_bytes();
    for n in 0..60 {
        house.does(&id, Command::EditDraft { draft: large(n) }).await;
    }
    let stream = StreamId::workshop(id.as_str());
    // What must be read to have the café again is bounded, though rows are few.
    let loaded = timeout(PATIENCE, async {
        loop {
            let loaded = house.store.load(stream.clone()).await.expect("loads");
            if loaded.snapshot.is_some() {
                return loaded;
            }
            tokio::task::yield_now().await;
        }
    });
    let loaded = loaded.await.expect("a snapshot");
    assert_eq!(loaded.last_seq, 61);
    let bytes: usize = loaded.rows.iter().map(|row| row.payload.len()).sum();
    assert!(bytes < 9 * 1024 * 1024 && bytes < 40 * row, "{bytes} bytes in {} rows", loaded.rows.len());
    // All of it can be told, a few rows at a time.
    let page = house.store.history(stream, 0, PAGE).await.expect("a page");
    assert!(page.len() < 5, "{} rows of {row} bytes", page.len());
    assert_eq!(house.history(&id).await.len(), 61);
    // And its keys are known again, from beneath the snapshot too.
    let (command, by) = (Command::Announce { text: "茶".to_owned() }, facilitator());
    let key = RequestKey::new("k", &command);
    let first = house.workshops.command(&id, &by, command.clone(), key.clone()).await.expect("done");
    house.does(&id, Command::EditDraft { draft: large(99) }).await;
    house.workshops.close().await;
    let again = House::workshops(&house.store).command(&id, &by, command, key).await;
    assert_eq!(again, Ok(first));
}

#[tokio::test]
async fn d12_a_full_disk_is_on_the_facilitators_screen_until_there_is_room() {
    let house = House::new();
    let id = house.cafe().await;
    let screen = house.watches(&id).await;
    screen.shows(|view| view["phase"] == "lobby" && view["part"]["alerts"].is_null()).await;
    house.faults.refuse_writes(StoreError::Full);
    screen.shows(|view| view["part"]["alerts"] == serde_json::json!([{ "alert": "disk_full" }])).await;
    house.faults.heal();
    screen.shows(|view| view["part"]["alerts"].is_null()).await;
}

#[tokio::test]
async fn a_refusal_changes_nothing() {
    let house = House::new();
    let id = house.cafe().await;
    let refused = house.workshops.command(&id, &facilitator(), Command::NextRound, None).await;
    assert_eq!(refused, Err(Refusal::NobodyHere.into()));
    assert_eq!(house.workshops.state(&id).await.map(|(seq, _)| seq), Ok(2));
}

#[tokio::test]
async fn views_come_at_once_then_coalesced_and_never_twice() {
    let house = House::new();
    let id = house.cafe().await;
    let screen = house.watches(&id).await;
    assert_eq!(screen.shows(|view| view["phase"] == "lobby").await, 1);
    for n in 0..50 {
        house.joins(&id, &n.to_string()).await;
    }
    let views = screen.shows(|view| view["people_count"] == 50).await;
    assert!(views < 50, "{views} views");
    // Clicking twice causes no event, and no view.
    house.does(&id, Command::LockBoards { locked: false }).await;
    house.does(&id, Command::LockBoards { locked: true }).await;
    assert_eq!(screen.shows(|view| view["locked"] == true).await, 1);
}

#[tokio::test]
async fn d4_what_is_not_stored_has_not_happened() {
    let house = House::new();
    let id = house.cafe().await;
    house.faults.refuse_writes(StoreError::Full);
    let by = facilitator();
    let lock = || house.workshops.command(&id, &by, Command::LockBoards { locked: true }, None);
    assert_eq!(lock().await, Err(StoreError::Full.into()));
    let (seq, state) = house.workshops.state(&id).await.expect("a café");
    assert_eq!((seq, state.locked), (2, false));
    house.faults.heal();
    assert_eq!(lock().await.map(|events| events.len()), Ok(1));
    // An answer that was lost: the store tells what has happened.
    house.faults.lose_answers(StoreError::Io("gone".to_owned()));
    let unlocked = house.workshops.command(&id, &facilitator(), Command::LockBoards { locked: false }, None).await;
    assert!(unlocked.is_err());
    assert_eq!(house.workshops.state(&id).await.map(|(_, state)| state.locked), Ok(false));
}

#[tokio::test]
async fn another_writer_is_noticed() {
    let house = House::new();
    let id = house.cafe().await;
    house.joins(&id, "ann").await;
    let other = House::workshops(&house.store);
    other.join(&id, "pbob".into(), "bob".to_owned(), None).await.expect("in");
    house.joins(&id, "cat").await;
    let (seq, state) = house.workshops.state(&id).await.expect("a café");
    assert_eq!((seq, state.participants.len()), (5, 3));
}

#[tokio::test]
async fn w4_a_restart_in_the_middle_of_a_round_keeps_the_clock() {
    let house = House::new();
    let id = house.cafe().await;
    house.joins(&id, "ann").await;
    house.does(&id, Command::GoTo { phase: Phase::Rounds }).await;
    house.does(&id, Command::NextRound).await;
    let started = house.does(&id, Command::StartRound).await;
    let Event::RoundStarted { ends_at } = started[0].event else { panic!("{started:?}") };
    house.workshops.close().await;
    assert_eq!(house.workshops.awake(), 0);
    let (_, state) = House::workshops(&house.store).state(&id).await.expect("a café");
    assert_eq!(state.round.as_ref().map(|round| round.status), Some(RoundStatus::Running { ends_at }));
}

#[tokio::test]
async fn w4_a_deadline_that_passed_while_nobody_was_there_is_kept_when_the_cafe_is_loaded() {
    let house = House::new();
    let id = house.cafe().await;
    house.joins(&id, "ann").await;
    house.does(&id, Command::GoTo { phase: Phase::Rounds }).await;
    house.does(&id, Command::NextRound).await;
    house.workshops.close().await;
    // The clock started long ago, and nobody was there when it ran out.
    let past = Recorded { at: 1, by: ActorId::system(), event: Event::RoundStarted { ends_at: 2 } };
    let stream = StreamId::workshop(id.as_str());
    let row = row_of(&past, None).expect("a row");
    house.store.append(stream, None, vec![row]).await.expect("stored");
    let later = House::workshops(&house.store);
    let mut moment = later.open(&id).await.expect("a café").moment;
    let over = |moment: &Moment| moment.state.round.as_ref().is_some_and(|round| round.status == RoundStatus::Over);
    timeout(PATIENCE, moment.wait_for(over)).await.expect("in time").expect("a café");
}

/// The wall clock of a machine, to be set by hand.
fn settable() -> (Clock, Arc<AtomicI64>) {
    let offset = Arc::new(AtomicI64::new(0));
    let read = offset.clone();
    (Clock::new(move || crate::clock::now().saturating_add_signed(read.load(Ordering::SeqCst))), offset)
}

/// A café in its first round, on such a machine.
async fn in_a_round() -> (House, WorkshopId, Clock, Arc<AtomicI64>) {
    let mut house = House::new();
    let (clock, offset) = settable();
    house.workshops = House::workshops_by(&house.store, clock.clone());
    let id = house.cafe().await;
    house.joins(&id, "ann").await;
    house.does(&id, Command::NextRound).await;
    house.does(&id, Command::StartRound).await;
    (house, id, clock, offset)
}

#[tokio::test]
async fn w11_a_wall_clock_that_is_set_breaks_no_round() {
    const HOUR: i64 = 3_600_000;
    let (house, id, clock, offset) = in_a_round().await;
    let left = |state: &Workshop| match state.round.as_ref().map(|round| round.status) {
        Some(RoundStatus::Running { ends_at }) => ends_at.cast_signed() - clock.now().cast_signed(),
        other => panic!("{other:?}"),
    };
    for by in [HOUR, -2 * HOUR, HOUR] {
        let before = left(&house.workshops.state(&id).await.expect("a café").1);
        assert!(before > 19 * 60_000, "{before} ms left");
        offset.fetch_add(by, Ordering::SeqCst);
        // Nobody asks anything: the café notices by itself.
        let mut moment = house.workshops.open(&id).await.expect("a café").moment;
        // Two clocks are read one after the other, in whole milliseconds.
        let moved = |moment: &Moment| (0..=before + 5).contains(&left(&moment.state));
        timeout(PATIENCE, moment.wait_for(moved)).await.expect("in time").expect("a café");
        let after = left(&moment.borrow().state);
        assert!(before - after < 10_000, "after {by} ms: {before} ms were left, and now {after}");
        // What is asked then counts from there: the log knows the new deadline.
        house.does(&id, Command::ExtendRound { minutes: 1 }).await;
        let again = House::workshops_by(&house.store, clock.clone());
        assert!(left(&again.state(&id).await.expect("a café").1) > after + 50_000);
        again.close().await;
    }
    // A command that comes before the café has noticed is decided on the right time, too.
    offset.fetch_add(HOUR, Ordering::SeqCst);
    let paused = house.does(&id, Command::PauseRound).await;
    let Event::RoundPaused { left } = paused[0].event else { panic!("{paused:?}") };
    assert!((19 * 60_000..24 * 60_000).contains(&left), "{left} ms");
    let steps = house.history(&id).await;
    assert_eq!(steps.iter().filter(|row| matches!(row.event, Event::ClockSet { .. })).count(), 4);
}

/// Whatever wakes the café: here that a table is busy, and that somebody has gone.
#[tokio::test]
async fn w11_a_wall_clock_that_is_set_while_people_write_ends_no_round() {
    let (house, id, clock, offset) = in_a_round().await;
    for somebody_goes in [false, true] {
        let mut handle = house.workshops.open(&id).await.expect("a café");
        let seq = handle.moment.borrow_and_update().seq;
        let here = somebody_goes.then(|| handle.floor.arrive("pann".into()));
        offset.fetch_add(3_600_000, Ordering::SeqCst);
        match here {
            Some(here) => drop(here),
            None => handle.floor.report(TableId(1), 1, 1, clock.now()),
        }
        let moment = timeout(PATIENCE, handle.moment.wait_for(|moment| moment.seq > seq)).await.expect("in time");
        let status = moment.expect("a café").state.round.as_ref().map(|round| round.status);
        assert!(matches!(status, Some(RoundStatus::Running { ends_at }) if ends_at > clock.now()), "{status:?}");
    }
}

#[tokio::test]
async fn w12_a_command_sent_again_acts_once() {
    let house = House::new();
    let id = house.cafe().await;
    let key = |name: &str, command: &Command| RequestKey::new(name, command).expect("a key");
    let comment = Command::Announce { text: "再写五分钟".to_owned() };
    let send = |workshops: &Workshops, name: &str, command: Command| {
        let (key, by) = (key(name, &command), facilitator());
        let (id, workshops) = (id.clone(), Workshops { inner: workshops.inner.clone() });
        async move { workshops.command(&id, &by, command, Some(key)).await }
    };
    let first = send(&house.workshops, "k1", comment.clone()).await.expect("done");
    assert_eq!(first.len(), 1);
    // Again, at once and many at the same time.
    let again = join_all((0..20).map(|_| send(&house.workshops, "k1", comment.clone()))).await;
    assert!(again.iter().all(|answer| answer.as_ref() == Ok(&first)), "{again:?}");
    let both = join_all((0..20).map(|_| send(&house.workshops, "k2", comment.clone()))).await;
    assert!(both.iter().all(|answer| answer == &both[0]) && both[0].as_ref().is_ok_and(|events| events.len() == 1));
    let (seq, _) = house.workshops.state(&id).await.expect("a café");
    assert_eq!(seq, 4, "created, opened, and two announcements");
    // Another command under the same key is a mistake, and somebody else's key is their own.
    let other = Command::LockBoards { locked: true };
    assert_eq!(send(&house.workshops, "k1", other.clone()).await, Err(CommandError::KeyReused));
    let cohost = Actor { id: "f2".into(), role: Role::Facilitator };
    let theirs = house.workshops.command(&id, &cohost, other.clone(), Some(key("k1", &other))).await;
    assert_eq!(theirs.map(|events| events.len()), Ok(1));

    // The commit was made but its answer lost, to the server itself.
    house.faults.lose_answers(StoreError::Io("gone".to_owned()));
    let lost = send(&house.workshops, "k3", comment.clone()).await;
    assert!(lost.is_err());
    house.faults.heal();
    let found = send(&house.workshops, "k3", comment.clone()).await.expect("done");
    assert_eq!(found.len(), 1);
    // Another process, after a crash: it knows from the log.
    let restarted = House::workshops(&house.store);
    assert_eq!(send(&restarted, "k3", comment.clone()).await.as_ref(), Ok(&found));
    assert_eq!(send(&restarted, "k1", comment.clone()).await.as_ref(), Ok(&first));
    assert_eq!(restarted.state(&id).await.map(|(seq, _)| seq), Ok(6));

    // A refusal is no act: when things have changed, the same request is carried out.
    assert!(send(&restarted, "k4", Command::NextRound).await.is_err());
    restarted.join(&id, "pann".into(), "ann".to_owned(), None).await.expect("in");
    assert!(send(&restarted, "k4", Command::NextRound).await.is_ok_and(|events| !events.is_empty()));
}
