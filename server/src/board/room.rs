//! One board: a task that owns its document and its presence.
//!
//! It takes what waits as a batch: applies the edits to the document, appends them to the log in one commit, and only then
//! acknowledges them, shows them to the others, and answers questions. So nobody is told "saved", and nobody sees an edit, that is
//! not on disk (invariant 1). If the commit fails the document is thrown away and loaded again: the store is the truth (7).

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use shared::board::count_notes;
use shared::id::{BoardId, BoardKind};
use shared::wire::{Address, PresenceEntry, PresenceUser};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use yrs::{Doc, StateVector};

use super::member::{Audience, Member, MemberId, Members};
use super::presence::Presence;
use super::replica::Replica;
use super::{BoardError, Handle, Inner, Share};
use crate::clock;
use crate::socket::dialect::Dialect;
use crate::socket::guard::Attributed;
use crate::socket::outbox::{End, Outbox};
use crate::store::sqlite::{gathering, is_busy};
use crate::store::{Snapshot, StreamId};
use crate::workshop::floor::Floor;
use ahead::Waiting;
use hurt::Hurt;

mod ahead;
mod edits;
mod hurt;
mod memory;
mod people;

/// Messages of one batch: bounds how long the first waits for the last.
const BATCH: usize = 128;
/// How long the answer to those who have nothing yet is kept.
const KEEP_WHOLE: Duration = Duration::from_secs(3);
/// How long after a load that failed it is tried again for those who wait for it.
const LOAD_AGAIN: Duration = Duration::from_secs(1);
/// How long after an edit found no memory those are asked again who wait for that: boards that are left go within [`IDLE`].
const TAKE_AGAIN: Duration = Duration::from_secs(5);
/// How long somebody may take to come in, once the board has said that it is loaded.
const EXPECTED: Duration = Duration::from_secs(1);
/// How long a board without members stays awake.
const IDLE: Duration = Duration::from_secs(30);
/// How often a busy board tells the floor how many notes it has.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// The same while thousands write: nobody watches each of hundreds of tables.
const REPORT_EVERY_BUSY: Duration = Duration::from_secs(4);
/// New rows that make a snapshot worth its space when the board is unloaded.
const SNAPSHOT_ROWS: u64 = 100;
/// The same now. `TABLEHOP_LAST_SNAPSHOT_ROWS` makes them few, so that tests see it done at each unloading.
static ROWS_LAST: LazyLock<u64> =
    LazyLock::new(|| crate::config::for_tests("TABLEHOP_LAST_SNAPSHOT_ROWS").map_or(SNAPSHOT_ROWS, u64::from));

/// How an edit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// By one SyncStatus.
    Status,
    /// By DurableUpTo of this number or a higher one.
    Number(u64),
    /// By the SyncStatus of a refusal, in its turn behind those of what waits for its commit.
    Refused,
    /// Not at all: a part of it was refused, and that was the answer.
    Answered,
}

/// An edit on its way to the document.
pub(crate) struct Edit {
    pub id: MemberId,
    pub ack: Ack,
    pub update: Box<Attributed>,
    /// Whether its sender might write when it came.
    pub allowed: bool,
    /// Its share of what may wait.
    pub _permit: OwnedSemaphorePermit,
}

type Read = Box<dyn FnOnce(Result<&Doc, BoardError>) + Send>;

/// What a board is asked. Small, for each board keeps room for dozens.
pub(crate) enum Input {
    Ready(oneshot::Sender<Result<(), BoardError>>),
    Join {
        id: MemberId,
        member: Box<Member>,
    },
    Leave {
        id: MemberId,
    },
    Sync {
        id: MemberId,
        state_vector: Box<StateVector>,
    },
    Refresh {
        id: MemberId,
    },
    Edit(Box<Edit>),
    Presence {
        id: MemberId,
        said: Box<(PresenceUser, Vec<PresenceEntry>)>,
    },
    QueryPresence {
        id: MemberId,
    },
    Read(Read),
    /// To be unloaded at once, if nobody has it open: the memory is needed.
    MakeRoom,
    Stop(oneshot::Sender<()>),
}

/// The task of one board, from loading to unloading.
pub(super) async fn run(inner: Arc<Inner>, board: BoardId, handle: Handle, share: Share, rx: mpsc::Receiver<Input>) {
    let floor = inner.floors.of(&board.workshop);
    let mut room = Room {
        stream: StreamId::board(&board.to_string()),
        address: Address::Board(board.clone()),
        members: Members::default(),
        _farewell: Farewell { inner: inner.clone(), board: board.clone(), handle },
        inner,
        board,
        floor,
        memory: Memory::Unloaded,
        share,
        size: 0,
        presence: Presence::default(),
        behind: HashSet::new(),
        put_off: HashSet::new(),
        shown: 0,
        waiting: Waiting::default(),
        hurt: Hurt::default(),
        failures: 0,
        damages: 0,
        failure: None,
        load_again: None,
        idle_since: Instant::now(),
        expects_until: Instant::now(),
        makes_room: false,
        edits: 0,
        reported: None,
        whole: None,
    };
    room.live(rx).await;
}

/// Takes the board out of the registry, also if its task panics.
struct Farewell {
    inner: Arc<Inner>,
    board: BoardId,
    handle: Handle,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.inner.forget(&self.board, &self.handle);
    }
}

struct Room {
    inner: Arc<Inner>,
    board: BoardId,
    stream: StreamId,
    address: Address,
    floor: Arc<Floor>,
    memory: Memory,
    /// What it has of the memory for all boards.
    share: Share,
    /// What the document takes of it, if it could not be loaded for that; 0 otherwise.
    size: usize,
    members: Members,
    presence: Presence,
    /// Members who must be caught up as soon as the document is there.
    behind: HashSet<MemberId>,
    /// Members whose edits are to be taken later, and who were told so.
    put_off: HashSet<MemberId>,
    /// The last row that those who have the document were shown, or had it with.
    shown: u64,
    /// Members who hold more than the server, and wait for others who do.
    waiting: Waiting,
    /// Updates on which Yrs has panicked here.
    hurt: Hurt,
    /// Commits and loads that have failed one after another.
    failures: u32,
    /// Commits that found the store damaged, one after another.
    damages: u32,
    /// Why it could not be loaded.
    failure: Option<BoardError>,
    /// When loading it is tried again for those who wait, or taking what they wrote.
    load_again: Option<Instant>,
    idle_since: Instant,
    /// Until then somebody is about to open it.
    expects_until: Instant,
    /// Whether it is to go at once.
    makes_room: bool,
    /// Edits since the floor was last told.
    edits: u16,
    reported: Option<Instant>,
    whole: Option<Whole>,
    _farewell: Farewell,
}

/// The answer to a Step1 of somebody who has nothing yet, until something changes: a whole table comes at once, and where many read slowly
/// what waits for them is in memory once.
struct Whole {
    dialect: Dialect,
    frames: Vec<Bytes>,
    made: Instant,
}

/// What is known of the document.
enum Memory {
    /// It is to be loaded before anything is done.
    Unloaded,
    Loaded(Box<Replica>),
    /// Its log is damaged; nothing is served.
    Quarantined(String),
}

impl Room {
    async fn live(&mut self, mut rx: mpsc::Receiver<Input>) {
        self.load().await;
        self.report();
        self.spare();
        let mut inbox = Vec::new();
        let stopped = loop {
            tokio::select! {
                count = rx.recv_many(&mut inbox, BATCH) => {
                    if count == 0 {
                        break None;
                    }
                    Self::gather(&mut rx, &mut inbox).await;
                    if let Some(done) = self.take(&mut inbox).await {
                        break Some(done);
                    }
                    if self.makes_room {
                        break None;
                    }
                }
                () = sleep_until(self.wake_at()) => {
                    if self.is_idle() {
                        break None;
                    }
                    if self.load_again.is_some_and(|at| at <= Instant::now()) {
                        self.load_again = None;
                        if !self.members.is_empty() {
                            self.load().await;
                        }
                        if matches!(self.memory, Memory::Loaded(_)) {
                            self.catch_up().await;
                        }
                    }
                    self.whole.take_if(|whole| whole.made.elapsed() >= KEEP_WHOLE);
                    self.report_if_due();
                }
            }
        };
        // From here on nobody gets in. Nothing that waits needs the document: there were no members, or the server stops.
        rx.close();
        while let Ok(input) = rx.try_recv() {
            if let Input::Join { member, .. } = input {
                restart(&member.outbox);
            }
        }
        self.report();
        self.unload(stopped).await;
    }

    /// Waits for company where edits come faster than the server can work them off one by one: those of one breath are one append, and one
    /// write to each reader (docs/decisions/0020). Whoever joins or asks for the document waits no longer than they who write.
    async fn gather(rx: &mut mpsc::Receiver<Input>, inbox: &mut Vec<Input>) {
        if let Some(wait) = gathering().filter(|_| inbox.iter().all(|input| matches!(input, Input::Edit(_)))) {
            sleep(wait).await;
            while inbox.len() < BATCH
                && let Ok(input) = rx.try_recv()
            {
                inbox.push(input);
            }
        }
    }

    fn wake_at(&self) -> Instant {
        let idle = self.idle_since + IDLE;
        let idle =
            self.members.is_empty().then(|| self.hurt.until(Instant::now()).map_or(idle, |until| until.max(idle)));
        let report = if self.edits > 0 { self.reported.map(|at| at + report_every()) } else { None };
        let whole = self.whole.as_ref().map(|whole| whole.made + KEEP_WHOLE);
        let far = Instant::now() + Duration::from_secs(3_600);
        // Those who wait for a document that could not be loaded send nothing that would have it tried again.
        [idle, report, whole, self.load_again].into_iter().flatten().min().unwrap_or(far)
    }

    fn is_idle(&self) -> bool {
        self.idle_since.elapsed() >= IDLE && self.may_go()
    }

    /// Works through a batch; returns whom to tell when the board is to stop.
    async fn take(&mut self, inbox: &mut Vec<Input>) -> Option<oneshot::Sender<()>> {
        let mut staged = Vec::new();
        let mut later = Vec::new();
        for input in inbox.drain(..) {
            match input {
                Input::Join { id, member } => self.join(id, *member),
                Input::Leave { id } => self.leave(id),
                Input::Edit(edit) => self.stage(*edit, &mut staged).await,
                Input::Sync { id, state_vector } => {
                    // Now, for it says nothing of what they sent after it.
                    self.members.asks(id);
                    self.waiting.asks(id);
                    later.push(Input::Sync { id, state_vector });
                }
                other => later.push(other),
            }
        }
        self.commit(staged).await;
        let mut stop = None;
        for input in later {
            match input {
                Input::Ready(reply) => {
                    self.idle_since = Instant::now();
                    self.makes_room = false;
                    self.load().await;
                    if matches!(self.memory, Memory::Loaded(_)) {
                        self.expects_until = Instant::now() + EXPECTED;
                    }
                    // Nobody waits any more: nothing to do.
                    let _ = reply.send(self.replica().map(|_| ()));
                }
                Input::Sync { id, state_vector } => self.sync(id, &state_vector).await,
                Input::Refresh { id } => self.sync(id, &StateVector::default()).await,
                Input::Presence { id, said } => {
                    // Who has left in this very batch was taken out above: they would come back as a ghost.
                    let Some(member) = self.members.get(id) else { continue };
                    let (user, entries) = *said;
                    let changes = self.presence.update(id, &member.actor, &user, entries);
                    self.tell_presence(&changes, Audience::AllBut(id));
                }
                Input::QueryPresence { id } => {
                    let here = self.presence.welcome(id);
                    self.greet(id, &here);
                }
                Input::Read(read) => {
                    self.idle_since = Instant::now();
                    self.load().await;
                    read(self.replica().map(Replica::doc));
                    // Who only reads does not come in.
                    self.expects_until = Instant::now();
                }
                Input::MakeRoom => {
                    self.makes_room = self.may_go() && self.expects_until <= Instant::now();
                }
                Input::Stop(done) => stop = Some(done),
                Input::Join { .. } | Input::Leave { .. } | Input::Edit(_) => {}
            }
        }
        self.report_if_due();
        self.spare();
        stop
    }

    /// Whether nobody has it open, and nothing is to be remembered of it.
    fn may_go(&self) -> bool {
        self.members.is_empty() && self.hurt.until(Instant::now()).is_none()
    }

    /// Says how much there would be for others if this board were unloaded.
    fn spare(&self) {
        let spare = if self.may_go() { self.share.held.bytes() } else { 0 };
        self.share.spare.store(spare, Ordering::Relaxed);
    }

    fn replica(&self) -> Result<&Replica, BoardError> {
        match &self.memory {
            Memory::Loaded(replica) => Ok(replica),
            Memory::Unloaded => Err(self.failure.clone().unwrap_or(BoardError::Unavailable)),
            Memory::Quarantined(why) => Err(BoardError::Quarantined(why.clone())),
        }
    }

    // -- The floor, and the end

    fn report_if_due(&mut self) {
        if self.edits > 0 && self.reported.is_none_or(|at| at.elapsed() >= report_every()) {
            self.report();
        }
    }

    fn report(&mut self) {
        if let (BoardKind::Table(table), Memory::Loaded(replica)) = (self.board.kind, &self.memory) {
            self.floor.report(table, count_notes(replica.doc()), self.edits, clock::now());
        }
        self.edits = 0;
        self.reported = Some(Instant::now());
    }

    async fn unload(&mut self, stopped: Option<oneshot::Sender<()>>) {
        // A snapshot only saves time at the next start: it never holds up stopping for long.
        const PATIENCE: Duration = Duration::from_secs(5);
        if let Memory::Loaded(replica) = &self.memory
            && replica.unfolded() >= *ROWS_LAST
            && let Some(payload) = replica.snapshot()
        {
            let snapshot = Snapshot { seq: replica.seq(), payload: payload.into() };
            let saved = timeout(PATIENCE, self.inner.store.save_snapshot(self.stream.clone(), snapshot)).await;
            if let Ok(Err(error)) = saved {
                tracing::warn!(board = %self.board, %error, "no snapshot");
            }
        }
        if let Some(done) = stopped {
            // Nobody waits any more: nothing to do.
            let _ = done.send(());
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Empty after idling. Otherwise the server stops, or this task has panicked: in both cases they come back.
        for member in self.members.iter() {
            restart(&member.outbox);
        }
    }
}

fn report_every() -> Duration {
    if is_busy() { REPORT_EVERY_BUSY } else { REPORT_EVERY }
}

fn restart(outbox: &Outbox) {
    outbox.end(End { code: 1012, reason: "restart" });
}
