//! One board: a task that owns its document and its presence.
//!
//! It takes what waits as a batch: applies the edits to the document, appends them to the log in one commit, and only then
//! acknowledges them, shows them to the others, and answers questions. So nobody is told "saved", and nobody sees an edit, that is
//! not on disk (invariant 1). If the commit fails the document is thrown away and loaded again: the store is the truth (7).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use shared::board::count_notes;
use shared::id::{BoardId, BoardKind};
use shared::wire::{Address, PresenceEntry, PresenceUser, ServerMessage, presence as wire_presence};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use yrs::{Doc, StateVector};

use super::member::{Audience, Member, MemberId, Members};
use super::presence::Presence;
use super::replica::{Replica, Unfit};
use super::{BoardError, Handle, Inner};
use crate::clock;
use crate::socket::guard::Attributed;
use crate::socket::outbox::{End, Outbox};
use crate::store::{NewRow, Snapshot, StoreError, StreamId};
use crate::workshop::floor::Floor;

/// Messages of one batch: bounds how long the first waits for the last.
const BATCH: usize = 128;
/// How long a board without members stays awake.
const IDLE: Duration = Duration::from_secs(30);
/// How often a busy board tells the floor how many notes it has.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// New rows that make a snapshot worth its space when the board is unloaded.
const SNAPSHOT_ROWS: u64 = 100;
/// New rows after which a board that is never idle gets one too, so that a crash does not cost a long replay.
const SNAPSHOT_ROWS_AWAKE: u64 = 5_000;
/// The wait before telling of a failed commit, doubled each time: who is told sends again at once.
const BACK_OFF: Duration = Duration::from_millis(125);
/// Its upper bound.
const BACK_OFF_MAX: Duration = Duration::from_secs(4);

/// How an edit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// By one SyncStatus.
    Status,
    /// By DurableUpTo of this number or a higher one.
    Number(u64),
}

/// An edit on its way to the document.
pub(crate) struct Edit {
    pub id: MemberId,
    pub ack: Ack,
    pub update: Attributed,
    /// Whether its sender may write.
    pub allowed: bool,
    /// Its share of what may wait.
    pub _permit: OwnedSemaphorePermit,
}

type Read = Box<dyn FnOnce(Result<&Doc, BoardError>) + Send>;

/// What a board is asked.
pub(crate) enum Input {
    Ready(oneshot::Sender<Result<(), BoardError>>),
    Join { id: MemberId, member: Member },
    Leave { id: MemberId },
    Sync { id: MemberId, state_vector: StateVector },
    Refresh { id: MemberId },
    Edit(Box<Edit>),
    Presence { id: MemberId, user: PresenceUser, entries: Vec<PresenceEntry> },
    QueryPresence { id: MemberId },
    Read(Read),
    Stop(oneshot::Sender<()>),
}

/// The task of one board, from loading to unloading.
pub(super) async fn run(inner: Arc<Inner>, board: BoardId, handle: Handle, rx: mpsc::Receiver<Input>) {
    let floor = match board.kind {
        BoardKind::Table(_) => Some(inner.floors.of(&board.workshop)),
        BoardKind::Harvest | BoardKind::Plan => None,
    };
    let mut room = Room {
        stream: StreamId::board(&board.to_string()),
        address: Address::Board(board.clone()),
        members: Members::default(),
        _farewell: Farewell { inner: inner.clone(), board: board.clone(), handle },
        inner,
        board,
        floor,
        memory: Memory::Unloaded,
        presence: Presence::default(),
        behind: HashSet::new(),
        failures: 0,
        failure: None,
        idle_since: Instant::now(),
        edits: 0,
        reported: None,
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
    floor: Option<Arc<Floor>>,
    memory: Memory,
    members: Members,
    presence: Presence,
    /// Members who must be caught up as soon as the document is there.
    behind: HashSet<MemberId>,
    /// Commits and loads that have failed one after another.
    failures: u32,
    /// Why it could not be loaded.
    failure: Option<StoreError>,
    idle_since: Instant,
    /// Edits since the floor was last told.
    edits: u16,
    reported: Option<Instant>,
    _farewell: Farewell,
}

/// What is known of the document.
enum Memory {
    /// It is to be loaded before anything is done.
    Unloaded,
    Loaded(Box<Replica>),
    /// Its log is damaged; nothing is served.
    Quarantined(String),
}

/// An edit that has been applied to the document, and waits for its commit.
struct Staged {
    id: MemberId,
    ack: Ack,
    /// What it changed; `None` if all of it was known.
    row: Option<NewRow>,
}

impl Room {
    async fn live(&mut self, mut rx: mpsc::Receiver<Input>) {
        self.load().await;
        self.report();
        let mut inbox = Vec::new();
        let stopped = loop {
            tokio::select! {
                count = rx.recv_many(&mut inbox, BATCH) => {
                    if count == 0 {
                        break None;
                    }
                    if let Some(done) = self.take(&mut inbox).await {
                        break Some(done);
                    }
                }
                () = sleep_until(self.wake_at()) => {
                    if self.is_idle() {
                        break None;
                    }
                    self.report();
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

    fn wake_at(&self) -> Instant {
        let idle = if self.members.is_empty() { Some(self.idle_since + IDLE) } else { None };
        let report = if self.edits > 0 { self.reported.map(|at| at + REPORT_EVERY) } else { None };
        let far = Instant::now() + Duration::from_secs(3_600);
        [idle, report].into_iter().flatten().min().unwrap_or(far)
    }

    fn is_idle(&self) -> bool {
        self.members.is_empty() && self.idle_since.elapsed() >= IDLE
    }

    /// Works through a batch; returns whom to tell when the board is to stop.
    async fn take(&mut self, inbox: &mut Vec<Input>) -> Option<oneshot::Sender<()>> {
        let mut staged = Vec::new();
        let mut later = Vec::new();
        for input in inbox.drain(..) {
            match input {
                Input::Join { id, member } => self.join(id, member),
                Input::Leave { id } => self.leave(id),
                Input::Edit(edit) => self.stage(*edit, &mut staged).await,
                other => later.push(other),
            }
        }
        self.commit(staged).await;
        let mut stop = None;
        for input in later {
            match input {
                Input::Ready(reply) => {
                    self.idle_since = Instant::now();
                    self.load().await;
                    // Nobody waits any more: nothing to do.
                    let _ = reply.send(self.replica().map(|_| ()));
                }
                Input::Sync { id, state_vector } => self.sync(id, &state_vector).await,
                Input::Refresh { id } => self.sync(id, &StateVector::default()).await,
                Input::Presence { id, user, entries } => {
                    let changes = self.presence.update(id, &user, entries);
                    self.tell_presence(&changes, Audience::AllBut(id));
                }
                Input::QueryPresence { id } => self.greet(id),
                Input::Read(read) => {
                    self.idle_since = Instant::now();
                    self.load().await;
                    read(self.replica().map(Replica::doc));
                }
                Input::Stop(done) => stop = Some(done),
                Input::Join { .. } | Input::Leave { .. } | Input::Edit(_) => {}
            }
        }
        self.report_if_due();
        stop
    }

    fn replica(&self) -> Result<&Replica, BoardError> {
        match &self.memory {
            Memory::Loaded(replica) => Ok(replica),
            Memory::Unloaded => Err(self.failure.clone().map_or(BoardError::Unavailable, BoardError::Store)),
            Memory::Quarantined(why) => Err(BoardError::Quarantined(why.clone())),
        }
    }

    // -- Members

    fn join(&mut self, id: MemberId, member: Member) {
        self.members.insert(id, member);
        self.greet(id);
    }

    fn leave(&mut self, id: MemberId) {
        self.members.remove(id);
        self.behind.remove(&id);
        let changes = self.presence.leave(id);
        self.tell_presence(&changes, Audience::AllBut(id));
        self.idle_since = Instant::now();
    }

    /// Tells somebody who is here.
    fn greet(&self, id: MemberId) {
        let all = self.presence.all();
        if let (Some(member), false) = (self.members.get(id), all.is_empty()) {
            member.answer(&self.address, ServerMessage::Awareness(wire_presence::encode(&all)));
        }
    }

    fn tell_presence(&self, changes: &[PresenceEntry], audience: Audience) {
        if !changes.is_empty() {
            let message = ServerMessage::Awareness(wire_presence::encode(changes));
            self.members.tell(&self.address, &message, audience);
        }
    }

    /// Answers a Step1: what they lack, then our own Step1, so that who answers that has everything.
    async fn sync(&mut self, id: MemberId, state_vector: &StateVector) {
        self.load().await;
        let Memory::Loaded(replica) = &self.memory else {
            self.behind.insert(id);
            return;
        };
        let Some(member) = self.members.get(id) else { return };
        let frames = [
            ServerMessage::Step2 { update: replica.diff(state_vector) },
            ServerMessage::Step1 { state_vector: replica.state_vector() },
        ]
        .map(|message| member.dialect.encode(&self.address, message));
        let lagged = member.outbox.push_sync(member.slot, frames.into_iter().flatten());
        self.members.synced(id);
        if lagged {
            // Presence was dropped together with the edits.
            self.greet(id);
        }
    }

    /// Has somebody send again what the server lacks.
    async fn resync(&mut self, id: MemberId) {
        match self.members.get(id) {
            Some(member) if member.ours => member.answer(&self.address, ServerMessage::Resync),
            // Others cannot be asked, but they answer a Step1 with all that we lack, and count the answer to that.
            Some(_) => Box::pin(self.sync(id, &StateVector::default())).await,
            None => {}
        }
    }

    // -- Edits

    async fn stage(&mut self, edit: Edit, staged: &mut Vec<Staged>) {
        let Edit { id, ack, update, allowed, .. } = edit;
        if self.members.get(id).is_none() {
            return;
        }
        if !matches!(self.memory, Memory::Loaded(_)) {
            self.load().await;
        }
        let Memory::Loaded(replica) = &mut self.memory else {
            self.refuse(id, ack, "store_unavailable");
            self.behind.insert(id);
            return;
        };
        if !allowed {
            match replica.holds(&update) {
                true => staged.push(Staged { id, ack, row: None }),
                false => self.refuse(id, ack, "read_only"),
            }
            return;
        }
        match replica.check(&update) {
            Ok(()) => {}
            Err(Unfit::Gap) => {
                // Something before it was refused, or is missing at its sender's own source.
                self.refuse(id, ack, "resync");
                return self.resync(id).await;
            }
            Err(Unfit::Foreign) => return self.expel(id, End { code: 4403, reason: "foreign_client" }),
            Err(Unfit::Full) => return self.refuse(id, ack, "board_full"),
        }
        match replica.apply(&update.bytes) {
            Ok(delta) => {
                let actor = self.members.get(id).map(|member| member.actor.to_string()).unwrap_or_default();
                let row = delta.map(|delta| NewRow { principal: actor, at: clock::now(), payload: delta.into() });
                staged.push(Staged { id, ack, row });
            }
            Err(broken) => {
                tracing::warn!(board = %self.board, why = broken.0, "an update could not be applied");
                self.expel(id, End { code: 1002, reason: "bad_update" });
                self.rebuild(staged).await;
            }
        }
    }

    /// Loads the document anew and applies what is about to be committed.
    async fn rebuild(&mut self, staged: &mut Vec<Staged>) {
        self.memory = Memory::Unloaded;
        self.load().await;
        let replayed = match &mut self.memory {
            Memory::Loaded(replica) => {
                let mut rows = staged.iter().filter_map(|staged| staged.row.as_ref());
                rows.try_for_each(|row| replica.replay(&row.payload)).is_ok()
            }
            _ => false,
        };
        if !replayed {
            for Staged { id, ack, .. } in staged.drain(..) {
                self.refuse(id, ack, "store_unavailable");
                self.behind.insert(id);
            }
            self.memory = Memory::Unloaded;
        }
    }

    async fn commit(&mut self, staged: Vec<Staged>) {
        if staged.is_empty() {
            return;
        }
        let rows: Vec<NewRow> = staged.iter().filter_map(|staged| staged.row.clone()).collect();
        if !rows.is_empty() {
            let count = rows.len() as u64;
            let started = Instant::now();
            let outcome = self.inner.store.append(self.stream.clone(), None, rows).await;
            metrics::histogram!("tablehop_room_commit_seconds").record(started.elapsed().as_secs_f64());
            match outcome {
                Ok(seq) => self.committed(seq, count).await,
                Err(error) => return self.fail(staged, &error).await,
            }
            metrics::counter!("tablehop_edits_total").increment(count);
            self.edits = self.edits.saturating_add(u16::try_from(count).unwrap_or(u16::MAX));
        }
        self.acknowledge(&staged);
        for Staged { id, row, .. } in staged {
            if let Some(row) = row {
                self.tell_edit(&row.payload, Audience::AllBut(id));
            }
        }
    }

    async fn committed(&mut self, seq: u64, count: u64) {
        self.failures = 0;
        let Memory::Loaded(replica) = &mut self.memory else { return };
        let expected = replica.seq() + count;
        replica.committed(seq, count);
        if seq != expected {
            // Somebody else writes to this stream, too: what they wrote is in the store.
            self.reload(seq - count).await;
        } else if replica.unfolded() >= SNAPSHOT_ROWS_AWAKE {
            let snapshot = Snapshot { seq, payload: replica.snapshot().into() };
            replica.folded();
            if let Err(error) = self.inner.store.save_snapshot(self.stream.clone(), snapshot).await {
                tracing::warn!(board = %self.board, %error, "no snapshot");
            }
        }
    }

    fn acknowledge(&self, staged: &[Staged]) {
        metrics::counter!("tablehop_acks_total").increment(staged.len() as u64);
        // A later number covers the earlier ones of the same member.
        let mut told = HashSet::new();
        let mut numbers = Vec::new();
        for Staged { id, ack, .. } in staged.iter().rev() {
            match ack {
                Ack::Number(n) if told.insert(*id) => numbers.push((*id, *n)),
                _ => {}
            }
        }
        for Staged { id, ack, .. } in staged {
            if let (Ack::Status, Some(member)) = (ack, self.members.get(*id)) {
                member.answer(&self.address, ServerMessage::SyncStatus(true));
            }
        }
        for (id, n) in numbers {
            if let Some(member) = self.members.get(id) {
                member.answer(&self.address, ServerMessage::DurableUpTo { n });
            }
        }
    }

    fn tell_edit(&self, payload: &Bytes, audience: Audience) {
        self.members.tell(&self.address, &ServerMessage::Update { update: payload.to_vec() }, audience);
    }

    /// Answers an edit that was not taken. Nothing was changed.
    fn refuse(&self, id: MemberId, ack: Ack, why: &'static str) {
        metrics::counter!("tablehop_refusals_total", "reason" => why).increment(1);
        let Some(member) = self.members.get(id) else { return };
        match ack {
            Ack::Status => member.answer(&self.address, ServerMessage::SyncStatus(false)),
            Ack::Number(_) => {
                if why == "read_only" {
                    member.answer(&self.address, ServerMessage::RoleChanged { read_only: true });
                }
                // That something is sent once more is nothing that people need to hear of.
                if why != "resync" {
                    member.notice(&self.address, why);
                }
            }
        }
    }

    /// Ends the connection of somebody whose message was bad; the others do not notice.
    fn expel(&self, id: MemberId, end: End) {
        metrics::counter!("tablehop_refusals_total", "reason" => end.reason).increment(1);
        if let Some(member) = self.members.get(id) {
            member.outbox.end(end);
        }
    }

    // -- The store

    /// A commit failed: nobody sees anything of it. What the store has is loaded, and the authors send again.
    async fn fail(&mut self, staged: Vec<Staged>, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "edits were not stored");
        let before = self.replica().map(Replica::seq).unwrap_or_default();
        self.back_off().await;
        for Staged { id, ack, .. } in &staged {
            self.refuse(*id, *ack, "store_unavailable");
            self.behind.insert(*id);
        }
        self.reload(before).await;
    }

    /// Throws the document away and loads it. Rows after `before` have not been shown to anybody: now they are.
    async fn reload(&mut self, before: u64) {
        self.memory = Memory::Unloaded;
        let news = match self.inner.store.load(self.stream.clone()).await {
            Ok(loaded) => {
                self.remember(&loaded);
                loaded.rows
            }
            Err(error) => return self.cannot_load(&error),
        };
        for row in news.iter().filter(|row| row.seq > before) {
            self.tell_edit(&row.payload, Audience::All);
        }
        self.catch_up().await;
    }

    /// Loads the document if it is not there.
    async fn load(&mut self) {
        if !matches!(self.memory, Memory::Unloaded) {
            return;
        }
        if self.failures > 0 {
            self.back_off().await;
        }
        match self.inner.store.load(self.stream.clone()).await {
            Ok(loaded) => {
                self.remember(&loaded);
                self.failures = 0;
                self.catch_up().await;
            }
            Err(error) => {
                self.failures += 1;
                self.cannot_load(&error);
            }
        }
    }

    fn remember(&mut self, loaded: &crate::store::Loaded) {
        self.memory = match Replica::load(loaded) {
            Ok(replica) => Memory::Loaded(Box::new(replica)),
            Err(why) => self.quarantine(why),
        };
    }

    fn cannot_load(&mut self, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "the board could not be loaded");
        self.failure = Some(error.clone());
        if let StoreError::Corrupt { what, .. } = error {
            self.memory = self.quarantine(what.clone());
        }
    }

    fn quarantine(&self, why: String) -> Memory {
        tracing::error!(board = %self.board, why, "the board is quarantined");
        for member in self.members.iter() {
            member.answer(&self.address, ServerMessage::Close { reason: "board_quarantined".to_owned() });
        }
        Memory::Quarantined(why)
    }

    /// Has those send again whose edits were not taken.
    async fn catch_up(&mut self) {
        for id in std::mem::take(&mut self.behind) {
            self.resync(id).await;
        }
    }

    async fn back_off(&mut self) {
        let wait = BACK_OFF.saturating_mul(1 << self.failures.min(6)).min(BACK_OFF_MAX);
        // The first failure may be the last: it is told at once.
        if self.failures > 0 {
            tokio::time::sleep(wait).await;
        }
        self.failures += 1;
    }

    // -- The floor, and the end

    fn report_if_due(&mut self) {
        if self.edits > 0 && self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            self.report();
        }
    }

    fn report(&mut self) {
        if let (Some(floor), BoardKind::Table(table), Memory::Loaded(replica)) =
            (&self.floor, self.board.kind, &self.memory)
        {
            floor.report(table, count_notes(replica.doc()), self.edits, clock::now());
        }
        self.edits = 0;
        self.reported = Some(Instant::now());
    }

    async fn unload(&mut self, stopped: Option<oneshot::Sender<()>>) {
        // A snapshot only saves time at the next start: it never holds up stopping for long.
        const PATIENCE: Duration = Duration::from_secs(5);
        if let Memory::Loaded(replica) = &self.memory
            && replica.unfolded() >= SNAPSHOT_ROWS
        {
            let snapshot = Snapshot { seq: replica.seq(), payload: replica.snapshot().into() };
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

fn restart(outbox: &Outbox) {
    outbox.end(End { code: 1012, reason: "restart" });
}
