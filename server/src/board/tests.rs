//! Rooms over a real store, with its faults.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::json;
use shared::board::new_doc;
use shared::id::{BoardId, Role, TableId};
use shared::wire::{PresenceEntry, PresenceUser, ServerFrame, ServerMessage, presence as wire_presence};
use tempfile::TempDir;
use tokio::time::timeout;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Text, TextRef, Transact, Update};

use super::room::Ack;
use super::*;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::{End, Next, Outbox};
use crate::store::faulty::{Faults, FaultyStore};
use crate::store::sqlite::SqliteStore;
use crate::store::{NewRow, Snapshot, StreamId};

mod ahead;
mod durable;
mod faults;
mod hostile;
mod memory;

const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    boards: Boards,
    store: Arc<dyn Store>,
    faults: Arc<Faults>,
    board: BoardId,
    dir: TempDir,
    sqlite: Arc<SqliteStore>,
}

impl House {
    fn new() -> Self {
        Self::at(tempfile::tempdir().expect("a directory"))
    }

    fn at(dir: TempDir) -> Self {
        Self::within(dir, (limits::BOARDS_MEMORY_MIB as usize) << 20)
    }

    /// With so many bytes of memory for all boards, whatever other tests lose.
    fn within(dir: TempDir, memory: usize) -> Self {
        Self::over(dir, Ledger::new(memory, || 0))
    }

    fn over(dir: TempDir, ledger: Arc<Ledger>) -> Self {
        let sqlite = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        let (store, faults) = FaultyStore::new(sqlite.clone());
        let store: Arc<dyn Store> = Arc::new(store);
        let boards = Boards::over(store.clone(), Arc::default(), ledger);
        Self { boards, store, faults, board: BoardId::table(&"w".into(), TableId(1)), dir, sqlite }
    }

    async fn reopened(self) -> Self {
        self.boards.close().await;
        self.sqlite.close().await;
        Self::at(self.dir)
    }

    fn stream(&self) -> StreamId {
        StreamId::board(&self.board.to_string())
    }

    async fn guest(&self, name: &str, client: u64) -> Guest {
        self.client(name, client, true).await
    }

    async fn stranger(&self, name: &str, client: u64) -> Guest {
        self.client(name, client, false).await
    }

    async fn client(&self, name: &str, client: u64, ours: bool) -> Guest {
        let mut guest = self.joins(name, client, ours).await.expect("a board");
        guest.syncs().await;
        guest
    }

    /// Opens the board; `None` if it ends in between.
    async fn joins(&self, name: &str, client: u64, ours: bool) -> Option<Guest> {
        let handle = self.boards.open(&self.board).await.expect("a board");
        let outbox = Arc::new(Outbox::default());
        let id = self.boards.next_member();
        let may_write = Arc::new(AtomicBool::new(true));
        handle.join(id, member(name, ours, &outbox, may_write.clone())).await.ok()?;
        let doc = new_doc(client);
        let text = doc.get_or_insert_text("t");
        Some(Guest { name: name.to_owned(), client, handle, outbox, id, doc, text, edits: 0, may_write })
    }

    /// Opens the board, and again whenever it ends in between, as a connection does. Returns how often it had to.
    async fn keeps_joining(&self, name: &str, client: u64) -> (Guest, usize) {
        for again in 0..100 {
            let Some(mut guest) = self.joins(name, client, true).await else { continue };
            if guest.handle.sync(guest.id, StateVector::default()).await.is_err() {
                continue;
            }
            let (Some(answer), Some(question)) = (guest.told().await, guest.told().await) else { continue };
            assert!(matches!(guest.takes(&answer), ServerMessage::Step2 { .. }));
            assert!(matches!(guest.takes(&question), ServerMessage::Step1 { .. }));
            return (guest, again);
        }
        panic!("the board never opens");
    }
}

struct Guest {
    name: String,
    client: u64,
    handle: Handle,
    outbox: Arc<Outbox>,
    id: MemberId,
    doc: Doc,
    text: TextRef,
    edits: u64,
    /// By the café as it is now.
    may_write: Arc<AtomicBool>,
}

fn member(name: &str, ours: bool, outbox: &Arc<Outbox>, may_write: Arc<AtomicBool>) -> Member {
    Member {
        actor: name.into(),
        ours,
        dialect: Dialect::Collab(None),
        outbox: outbox.clone(),
        slot: 1,
        may_write: Box::new(move || may_write.load(Ordering::Relaxed)),
    }
}

impl Guest {
    async fn syncs(&mut self) {
        let state_vector = self.doc.transact().state_vector();
        self.handle.sync(self.id, state_vector).await.expect("a board");
        assert!(matches!(self.hears().await, ServerMessage::Step2 { .. }));
        assert!(matches!(self.hears().await, ServerMessage::Step1 { .. }));
    }

    /// Types at the end; returns the update, not yet sent.
    fn types(&self, words: &str) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        let end = self.text.len(&txn);
        self.text.insert(&mut txn, end, words);
        txn.encode_update_v1()
    }

    async fn sends(&mut self, update: Vec<u8>) -> u64 {
        self.edits += 1;
        self.sends_as(update, Ack::Number(self.edits), &[], true).await;
        self.edits
    }

    async fn sends_as(&self, update: Vec<u8>, ack: Ack, foreign: &[u64], allowed: bool) {
        let mut update = Attributed::scan(update).expect("a sound update");
        update.foreign = foreign.to_vec();
        self.handle.edit(self.id, ack, Box::new(update), allowed).await.expect("a board");
    }

    async fn writes(&mut self, words: &str) {
        let update = self.types(words);
        let n = self.sends(update).await;
        assert_eq!(self.hears().await, ServerMessage::DurableUpTo { n });
    }

    /// The next message; edits are taken in.
    async fn hears(&mut self) -> ServerMessage {
        let frame = self.told().await.expect("a frame, and no end");
        self.takes(&frame)
    }

    /// The next frame; `None` if something else comes.
    async fn told(&self) -> Option<bytes::Bytes> {
        let next = timeout(PATIENCE, async {
            loop {
                match self.outbox.next() {
                    Some(Next::Frame(frame)) => break Some(frame),
                    Some(_) => break None,
                    None => self.outbox.filled().await,
                }
            }
        });
        next.await.expect("in time")
    }

    fn takes(&mut self, frame: &[u8]) -> ServerMessage {
        let Ok(ServerFrame::Message(_, message)) = ServerFrame::decode(frame) else { panic!("no message") };
        if let ServerMessage::Update { update } | ServerMessage::Step2 { update } = &message {
            let update = Update::decode_v1(update).expect("an update");
            self.doc.transact_mut().apply_update(update).expect("applies");
        }
        message
    }

    async fn ends(&self) -> End {
        timeout(PATIENCE, async {
            loop {
                match self.outbox.next() {
                    Some(Next::End(end)) => break end,
                    Some(_) => {}
                    None => self.outbox.filled().await,
                }
            }
        })
        .await
        .expect("in time")
    }

    fn hears_nothing(&self) {
        assert_eq!(self.outbox.next(), None, "{}", self.name);
    }

    fn reads(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }
}

fn is_update(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Update { .. })
}

#[tokio::test]
async fn d1_d2_nothing_is_acknowledged_or_shown_before_it_is_on_disk() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    house.faults.hold_writes();
    let words = ann.types("你好");
    ann.sends(words).await;
    house.faults.writes_held(1).await;
    ann.hears_nothing();
    bob.hears_nothing();
    house.faults.release_writes();
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n: 1 });
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.reads(), "你好");
    bob.writes("!").await;
    assert!(is_update(&ann.hears().await));
    assert_eq!(ann.reads(), bob.reads());
    // Every row names who made it.
    let rows = house.store.load(house.stream()).await.expect("rows").rows;
    assert_eq!(rows.iter().map(|row| row.principal.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
}

#[tokio::test]
async fn d4_a_failed_commit_is_seen_by_nobody_and_made_good_by_its_author() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    house.faults.refuse_writes(StoreError::Full);
    let words = ann.types("kept");
    ann.sends(words).await;
    let ServerMessage::Stateless(notice) = ann.hears().await else { panic!("no notice") };
    assert!(notice.contains("store_full"), "{notice}");
    assert_eq!(ann.hears().await, ServerMessage::Resync);
    bob.hears_nothing();
    house.faults.heal();
    // As our client does after Resync: Step1, and then all that the server lacks.
    let late = house.guest("late", 3).await;
    assert_eq!(late.reads(), "");
    ann.syncs().await;
    let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let n = ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.reads(), "kept");
}

#[tokio::test]
async fn d4_a_commit_whose_answer_was_lost_is_found_in_the_store() {
    let house = House::new();
    let (mut ann, mut bob) = (house.stranger("ann", 1).await, house.guest("bob", 2).await);
    house.faults.lose_answers(StoreError::Io("gone".to_owned()));
    let words = ann.types("there");
    ann.sends_as(words, Ack::Status, &[], true).await;
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.reads(), "there");
    assert_eq!(ann.hears().await, ServerMessage::SyncStatus(false));
    house.faults.heal();
    // A client that is not ours cannot be asked: it is sent what the server has, and answers that.
    assert!(is_update(&ann.hears().await));
    assert!(matches!(ann.hears().await, ServerMessage::Step2 { .. }));
    assert!(matches!(ann.hears().await, ServerMessage::Step1 { .. }));
    let all = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    ann.sends_as(all, Ack::Status, &[], true).await;
    assert_eq!(ann.hears().await, ServerMessage::SyncStatus(true));
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 1);
}

#[tokio::test]
async fn d9_what_is_sent_again_is_acknowledged_and_not_stored_again() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    let words = ann.types("once");
    for n in 1..=3 {
        ann.sends(words.clone()).await;
        assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    }
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 1);
}

#[tokio::test]
async fn b7_a_foreign_id_is_left_out_and_nobody_notices() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    ann.writes("mine").await;
    bob.hears().await;
    let forged = ann.types(" too");
    for ack in [Ack::Number(1), Ack::Status] {
        bob.sends_as(forged.clone(), ack, &[ann.client], true).await;
    }
    assert!(matches!(bob.hears().await, ServerMessage::Stateless(text) if text.contains("waits_for_others")));
    assert_eq!(bob.hears().await, ServerMessage::SyncStatus(false), "that is said once, and an answer each time");
    bob.hears_nothing();
    assert_eq!(house.guest("late", 3).await.reads(), "mine");
    ann.hears_nothing();
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 1);
}

#[tokio::test]
async fn w9_who_may_only_read_is_refused_and_stays() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.stranger("bob", 2).await);
    ann.writes("words").await;
    bob.hears().await;
    let scribble = bob.types("scribble");
    bob.sends_as(scribble, Ack::Status, &[], false).await;
    assert_eq!(bob.hears().await, ServerMessage::SyncStatus(false));
    // What is known already is no writing: clients that count their unsynced changes come to rest.
    let known = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    bob.sends_as(known, Ack::Status, &[], false).await;
    assert_eq!(bob.hears().await, ServerMessage::SyncStatus(true));
    let scribble = ann.types("more");
    ann.sends_as(scribble, Ack::Number(9), &[], false).await;
    // Nothing is said of its rights: by the time it hears so, it may be allowed to write again. Then it sends what was not taken.
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n: 2 });
    assert!(ann.reads().contains("more"));
}

#[tokio::test]
async fn h21_what_still_waits_when_a_right_is_taken_away_is_not_written() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    house.faults.hold_writes();
    let written = ann.types("in time");
    ann.sends(written).await;
    house.faults.writes_held(1).await;
    // The board is busy with that, and does not get round to these.
    let queued = [ann.types(", queued"), bob.types("bob's ")];
    let [late, others] = queued;
    ann.sends(late).await;
    ann.may_write.store(false, Ordering::Relaxed);
    bob.sends(others).await;
    house.faults.release_writes();
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n: 1 });
    let ServerMessage::Stateless(notice) = ann.hears().await else { panic!("no notice") };
    assert!(notice.contains("read_only"), "{notice}");
    assert!(is_update(&ann.hears().await));
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.hears().await, ServerMessage::DurableUpTo { n: 1 });
    let rows = house.store.load(house.stream()).await.expect("rows").rows;
    assert_eq!(rows.iter().map(|row| row.principal.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
    // What is known is no writing, and with the right comes what waited.
    let known = bob.doc.transact().encode_state_as_update_v1(&StateVector::default());
    ann.sends_as(known, Ack::Status, &[], true).await;
    assert_eq!(ann.hears().await, ServerMessage::SyncStatus(true));
    ann.may_write.store(true, Ordering::Relaxed);
    ann.syncs().await;
    let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let n = ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
}

#[tokio::test]
async fn d1_no_acknowledgement_covers_what_was_refused_before_it() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    ann.writes("first").await;
    bob.hears().await;
    let refused = ann.types(", refused");
    ann.edits += 1;
    ann.sends_as(refused, Ack::Number(ann.edits), &[], false).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    // Taking something away builds on nothing that was refused, and so it is taken.
    let erased = {
        let mut txn = ann.doc.transact_mut();
        ann.text.remove_range(&mut txn, 0, 1);
        txn.encode_update_v1()
    };
    ann.sends(erased).await;
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.reads(), "irst");
    ann.hears_nothing();
    ann.syncs().await;
    let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let n = ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    bob.hears().await;
    assert_eq!(bob.reads(), "irst, refused");
}

/// The question after the document arrives together with edits, so that the board answers it after them.
#[tokio::test]
async fn d1_who_asks_for_the_document_says_nothing_of_what_they_send_after_it_or_sent_before() {
    for asks_first in [true, false] {
        let house = House::new();
        let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
        ann.writes("first").await;
        bob.hears().await;
        house.faults.hold_writes();
        let busy = bob.types("bob's ");
        bob.sends(busy).await;
        house.faults.writes_held(1).await;
        let state_vector = ann.doc.transact().state_vector();
        if asks_first {
            ann.handle.sync(ann.id, state_vector.clone()).await.expect("a board");
        }
        let refused = ann.types(", refused");
        ann.edits += 1;
        ann.sends_as(refused, Ack::Number(ann.edits), &[], false).await;
        let erased = {
            let mut txn = ann.doc.transact_mut();
            ann.text.remove_range(&mut txn, 0, 1);
            txn.encode_update_v1()
        };
        ann.sends(erased).await;
        if !asks_first {
            ann.handle.sync(ann.id, state_vector).await.expect("a board");
        }
        house.faults.release_writes();
        // Until the answer to the question, and then nothing.
        loop {
            match ann.hears().await {
                ServerMessage::Step1 { .. } => break,
                ServerMessage::Stateless(_) | ServerMessage::Update { .. } | ServerMessage::Step2 { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 3);
        ann.hears_nothing();
        ann.syncs().await;
        let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
        let n = ann.sends(lacking).await;
        assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    }
}

#[tokio::test]
async fn a_gap_is_refused_and_filled() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.types("lost on the way, ");
    let second = ann.types("and found");
    ann.sends(second).await;
    assert_eq!(ann.hears().await, ServerMessage::Resync);
    ann.syncs().await;
    let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
    ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n: 2 });
}

#[tokio::test]
async fn b10_presence_is_told_and_taken_back() {
    let house = House::new();
    let ann = house.guest("ann", 1).await;
    let user = PresenceUser { id: "ann".into(), name: "Ann".into(), role: Role::Participant };
    let here = |clock| vec![PresenceEntry { client: 1, clock, state: Some(json!({ "typing": true })) }];
    let (mut bob, mut stranger) = (house.guest("bob", 2).await, house.stranger("dee", 4).await);
    ann.handle.presence(ann.id, user.clone(), here(1)).await.expect("a board");
    let ServerMessage::Awareness(bytes) = bob.hears().await else { panic!("no presence") };
    let told = wire_presence::decode(&bytes).expect("presence");
    assert_eq!(told[0].state.as_ref().and_then(|state| state["user"]["name"].as_str()), Some("Ann"));
    ann.hears_nothing();
    // Clients of other makes hear that they were heard, and nothing that they could take for newer than what they say now.
    assert!(matches!(stranger.hears().await, ServerMessage::Awareness(_)), "of ann");
    let caret = |clock| vec![PresenceEntry { client: 4, clock, state: Some(json!({ "caret": clock })) }];
    for clock in 0..3 {
        stranger.handle.presence(stranger.id, user.clone(), caret(clock)).await.expect("a board");
        let ServerMessage::Awareness(bytes) = stranger.hears().await else { panic!("no presence") };
        assert_eq!(wire_presence::decode(&bytes), Ok(vec![]));
        let ServerMessage::Awareness(bytes) = bob.hears().await else { panic!("no presence") };
        assert_eq!(wire_presence::decode(&bytes).expect("presence")[0].client, 4);
    }
    stranger.handle.query_presence(stranger.id).await.expect("a board");
    let ServerMessage::Awareness(bytes) = stranger.hears().await else { panic!("no presence") };
    let others = wire_presence::decode(&bytes).expect("presence");
    assert_eq!(others.iter().map(|entry| entry.client).collect::<Vec<_>>(), [1]);
    stranger.handle.leave(stranger.id).await;
    assert!(matches!(bob.hears().await, ServerMessage::Awareness(_)));
    // Who comes later is told who is here, and everybody hears of it when somebody goes.
    let late = house.boards.open(&house.board).await.expect("a board");
    let (id, outbox) = (house.boards.next_member(), Arc::new(Outbox::default()));
    late.join(id, member("c", true, &outbox, Arc::default())).await.expect("in");
    timeout(PATIENCE, outbox.filled()).await.expect("in time");
    ann.handle.leave(ann.id).await;
    let ServerMessage::Awareness(bytes) = bob.hears().await else { panic!("no presence") };
    let gone = wire_presence::decode(&bytes).expect("presence");
    // Newer than what either of the two who asked meanwhile was told of them.
    assert_eq!(gone, [PresenceEntry { client: 1, clock: 4, state: None }]);
}

/// Somebody says that they are there and leaves at once, so that the board hears both in one batch.
#[tokio::test]
async fn c3_who_has_left_is_no_ghost() {
    let house = House::new();
    let (ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    let user = PresenceUser { id: "ann".into(), name: "Ann".into(), role: Role::Participant };
    let here = vec![PresenceEntry { client: 1, clock: 1, state: Some(json!({})) }];
    ann.handle.presence(ann.id, user, here).await.expect("a board");
    ann.handle.leave(ann.id).await;
    bob.handle.query_presence(bob.id).await.expect("a board");
    let ServerMessage::Awareness(bytes) = bob.hears().await else { panic!("no presence") };
    assert_eq!(wire_presence::decode(&bytes), Ok(vec![]));
}

#[tokio::test]
async fn b9_a_slow_reader_is_caught_up_by_state_vector() {
    let house = House::new();
    let (mut ann, mut slow) = (house.guest("ann", 1).await, house.guest("slow", 2).await);
    // Half a megabyte that nobody takes out of the queue.
    let paragraph = "字".repeat(20_000);
    for _ in 0..12 {
        // In the place of the one before: a text has its limit.
        let update = {
            let mut txn = ann.doc.transact_mut();
            let before = ann.text.len(&txn);
            ann.text.remove_range(&mut txn, 0, before);
            ann.text.insert(&mut txn, 0, &paragraph);
            txn.encode_update_v1()
        };
        let n = ann.sends(update).await;
        assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    }
    let lagging = loop {
        match slow.outbox.next() {
            Some(Next::Lagging(slot)) => break slot,
            Some(_) => {}
            None => panic!("nothing was dropped"),
        }
    };
    assert_eq!(lagging, 1);
    slow.syncs().await;
    assert_eq!(slow.reads(), ann.reads());
    ann.writes("still in touch").await;
    assert!(is_update(&slow.hears().await));
    assert_eq!(slow.reads(), ann.reads());
}

#[tokio::test]
async fn b1_two_replicas_that_write_at_once_end_equal() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    for round in 0..40 {
        for guest in [&mut ann, &mut bob] {
            let words = guest.types(&format!("{}{round} ", guest.name));
            guest.sends(words).await;
        }
    }
    let vector = |guest: &Guest| guest.doc.transact().state_vector().encode_v1().len();
    for guest in [&mut ann, &mut bob] {
        let (mut seen, mut durable) = (0, 0);
        while seen < 40 || durable < 40 {
            match guest.hears().await {
                ServerMessage::Update { .. } => seen += 1,
                ServerMessage::DurableUpTo { n } => durable = n,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(ann.reads(), bob.reads());
    assert_eq!(vector(&ann), vector(&bob));
    assert_eq!(ann.reads().matches("bob").count(), 40);
}
