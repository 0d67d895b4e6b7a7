//! One café: a task that is its single writer.
//!
//! It takes what waits as a batch: decides each request on a working copy, appends all events in one commit, on condition that
//! nobody else has written, and only then answers, publishes the new state and shows it. If the commit fails the working copy is
//! dropped, and nobody has seen anything of it. Deadlines are absolute, so that a restart in the middle of a round changes nothing;
//! when the wall clock is set, they are set along with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use shared::id::{Actor, ActorId, BoardId, Millis, Role, WorkshopId};
use shared::limits;
use shared::workshop::command::Internal;
use shared::workshop::{Command, Context, Event, Phase, Recorded, Refusal, Workshop, decide, decide_internal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::floor::Floor;
use super::requests::{Done, RequestKey, Requests, row_of};
use super::schedule::{Schedule, Which};
use super::viewers::{Viewer, Viewers};
use super::{CommandError, Inner, Moment, PAGE, snapshot};
use crate::board::BoardError;
use crate::clock::Steps;
use crate::draw;
use crate::store::{Health, NewRow, Page, StoreError, StreamId};

/// Requests of one batch.
const BATCH: usize = 256;
/// How long a café that nobody asks anything stays awake.
const IDLE: Duration = Duration::from_secs(60);
/// The longest sleep.
const NAP: Duration = Duration::from_secs(20);
/// The longest sleep while there is a deadline, so that a wall clock that was set is noticed before people wonder.
const NAP_IN_ROUND: Duration = Duration::from_secs(2);
/// The wait after a deadline could not be recorded.
const RETRY: Duration = Duration::from_secs(1);
/// What makes a snapshot worth its space when the café is unloaded.
const SNAPSHOT_LAST: Growth = Growth { rows: 200, bytes: 1024 * 1024 };
/// What makes a café that is never idle get one too: at most that much is read into memory after a crash, which takes some 10 ms. Most rows
/// are small, but those that hold a whole plan are not.
const SNAPSHOT_AWAKE: Growth = Growth { rows: 4_000, bytes: 8 * 1024 * 1024 };
/// How long the last one may take.
const LAST_SNAPSHOT: Duration = Duration::from_secs(5);
/// Attempts at a batch when others write to the same stream.
const ATTEMPTS: usize = 5;

type Answer = Result<Vec<Recorded>, CommandError>;
type Ready = Result<(watch::Receiver<Moment>, Arc<Floor>), CommandError>;

/// What a café is asked.
pub(crate) enum Input {
    Ready(oneshot::Sender<Ready>),
    Request { request: Request, reply: oneshot::Sender<Answer> },
    Watch { viewer: u64, who: Viewer },
    Unwatch { viewer: u64 },
    Stop(oneshot::Sender<()>),
}

/// New rows since the last snapshot.
#[derive(Clone, Copy, Default)]
struct Growth {
    rows: u64,
    /// Bytes of their payloads.
    bytes: u64,
}

impl Growth {
    fn of<'a>(payloads: impl Iterator<Item = &'a Bytes>) -> Self {
        payloads.fold(Self::default(), |sum, payload| sum.and(Self { rows: 1, bytes: payload.len() as u64 }))
    }

    fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bytes: self.bytes + other.bytes }
    }

    /// Whether there are as many rows as in `other`, or as many bytes.
    fn reaches(self, other: Self) -> bool {
        self.rows >= other.rows || self.bytes >= other.bytes
    }
}

/// What may cause events.
pub(crate) enum Request {
    Command { actor: Actor, command: Box<Command>, context: Box<Context>, key: Option<RequestKey> },
    Internal(Internal),
}

impl Request {
    /// Whether everybody waits to see what comes of it: the facilitator does something, or time is up.
    fn steers(&self) -> bool {
        match self {
            Self::Command { actor, .. } => actor.role == Role::Facilitator,
            Self::Internal(internal) => matches!(internal, Internal::TimeUp),
        }
    }

    /// Whether it is not even tried while the disk is full or failing. Clocks go on as far as they can, and whoever is to be out, or wants to,
    /// is out if only that can be written.
    fn waits_for_room(&self) -> bool {
        match self {
            Self::Command { command, .. } => {
                !matches!(**command, Command::RemovePerson { .. } | Command::EndLink { .. } | Command::Leave)
            }
            Self::Internal(internal) => matches!(internal, Internal::Join { .. }),
        }
    }

    fn key(&self) -> Option<&RequestKey> {
        match self {
            Self::Command { key, .. } => key.as_ref(),
            Self::Internal(_) => None,
        }
    }
}

/// The task of one café, from loading to unloading.
pub(super) async fn run(inner: Arc<Inner>, id: WorkshopId, tx: mpsc::Sender<Input>, mut rx: mpsc::Receiver<Input>) {
    let _farewell = Farewell { inner: inner.clone(), id: id.clone(), tx };
    let stream = StreamId::workshop(id.as_str());
    let (moment, uncovered, requests) = match load(&inner, &stream).await {
        Ok(loaded) => loaded,
        Err(error) => {
            if error != CommandError::NoSuchWorkshop {
                tracing::error!(workshop = %id, %error, "the workshop could not be loaded");
            }
            return refuse_all(rx, &error);
        }
    };
    let floor = inner.floors.of(&id);
    if moment.state.phase >= Phase::Rounds && moment.state.phase < Phase::Closed {
        count_notes(&inner, &id, &moment.state);
    }
    let now = Instant::now();
    let mut host = Host {
        requests,
        steps: Steps::new(inner.clock.now(), std::time::Instant::now()),
        inner,
        id,
        stream,
        floor,
        moment: watch::Sender::new(moment),
        uncovered,
        viewers: Viewers::default(),
        schedule: Schedule::new(now),
        not_before: now,
        last_heard: now,
    };
    let stopped = host.live(&mut rx).await;
    rx.close();
    // Who still waits is not answered, and asks the next one.
    drop(rx);
    if let Some(saving) = host.snapshot_after(SNAPSHOT_LAST) {
        // It never holds up stopping for long.
        let _ = timeout(LAST_SNAPSHOT, saving).await;
    }
    if let Some(done) = stopped {
        // Nobody waits any more: nothing to do.
        let _ = done.send(());
    }
}

/// Takes the café out of the registry, also if its task panics.
struct Farewell {
    inner: Arc<Inner>,
    id: WorkshopId,
    tx: mpsc::Sender<Input>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.inner.forget(&self.id, &self.tx);
    }
}

struct Host {
    inner: Arc<Inner>,
    id: WorkshopId,
    stream: StreamId,
    floor: Arc<Floor>,
    moment: watch::Sender<Moment>,
    /// What no snapshot covers yet.
    uncovered: Growth,
    requests: Requests,
    /// The wall clock as deadlines know it.
    steps: Steps,
    viewers: Viewers,
    /// When views are shown.
    schedule: Schedule,
    /// Before this, a deadline is not tried again.
    not_before: Instant,
    last_heard: Instant,
}

impl Host {
    async fn live(&mut self, rx: &mut mpsc::Receiver<Input>) -> Option<oneshot::Sender<()>> {
        let mut inbox = Vec::new();
        let mut health = self.inner.store.health();
        // It may have changed while the café was being loaded.
        health.mark_changed();
        loop {
            let deadline = self.deadline();
            tokio::select! {
                count = rx.recv_many(&mut inbox, BATCH) => {
                    if count == 0 {
                        return None;
                    }
                    self.last_heard = Instant::now();
                    self.keep_time().await;
                    if let Some(done) = self.take(&mut inbox).await {
                        return Some(done);
                    }
                }
                people = self.floor.changed() => {
                    self.schedule.changed(if people { Which::All } else { Which::Steering });
                }
                Ok(()) = health.changed() => self.store_is(*health.borrow_and_update()),
                () = sleep_until(self.wake_at(deadline)) => {
                    if deadline.is_none() && !self.is_watched() && self.last_heard.elapsed() >= IDLE {
                        return None;
                    }
                }
            }
            // Whatever it was: tables tell that they are busy far more often than anybody asks, and a commit takes time.
            self.keep_time().await;
            if self.deadline().is_some_and(|at| at <= Instant::now()) {
                self.time_up().await;
            }
            self.show().await;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = self.moment.borrow().state.deadline()?;
        Some(self.inner.clock.moment(deadline).max(self.not_before))
    }

    /// Whether any connection depends on this café.
    fn is_watched(&self) -> bool {
        !self.viewers.is_empty() || self.moment.receiver_count() > 0
    }

    fn wake_at(&self, deadline: Option<Instant>) -> Instant {
        let idle = if self.is_watched() { None } else { Some(self.last_heard + IDLE) };
        let show = self.schedule.at();
        let nap = Instant::now() + if deadline.is_some() { NAP_IN_ROUND } else { NAP };
        // An idle time that is past while a deadline keeps the café awake would be no sleep at all.
        let idle = idle.filter(|_| deadline.is_none());
        [deadline, idle, show].into_iter().flatten().fold(nap, Instant::min)
    }

    /// Works through a batch; returns whom to tell when the café is to stop.
    async fn take(&mut self, inbox: &mut Vec<Input>) -> Option<oneshot::Sender<()>> {
        let mut requests = Vec::new();
        let mut ready = Vec::new();
        let mut stop = None;
        for input in inbox.drain(..) {
            match input {
                Input::Ready(reply) => ready.push(reply),
                Input::Request { request, reply } => requests.push((request, reply)),
                Input::Watch { viewer, who } => {
                    self.viewers.insert(viewer, who);
                    self.schedule.newcomer();
                }
                Input::Unwatch { viewer } => self.viewers.remove(viewer),
                Input::Stop(done) => stop = Some(done),
            }
        }
        if !requests.is_empty() {
            let (requests, replies): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
            let answers = self.carry_out(&requests).await;
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Nobody waits any more: what was decided stands.
                let _ = reply.send(answer);
            }
        }
        for reply in ready {
            // As above.
            let _ = reply.send(Ok((self.moment.subscribe(), self.floor.clone())));
        }
        stop
    }

    /// Decides, commits, publishes. One answer for each request.
    async fn carry_out(&mut self, requests: &[Request]) -> Vec<Answer> {
        for _ in 0..ATTEMPTS {
            match self.try_carry_out(requests).await {
                Ok(answers) => return answers,
                Err(StoreError::Conflict { .. }) => {
                    // Another server was faster: decide again on what it wrote.
                    if let Err(error) = self.reload().await {
                        return requests.iter().map(|_| Err(error.clone())).collect();
                    }
                }
                Err(error) => {
                    tracing::error!(workshop = %self.id, %error, "events were not stored");
                    // They may have been stored all the same; if even that cannot be found out, the next append will tell.
                    let _ = self.reload().await;
                    return requests.iter().map(|_| Err(error.clone().into())).collect();
                }
            }
        }
        requests.iter().map(|_| Err(CommandError::Busy)).collect()
    }

    async fn try_carry_out(&mut self, requests: &[Request]) -> Result<Vec<Answer>, StoreError> {
        let before = self.moment.borrow().clone();
        let now = self.inner.clock.now();
        let health = *self.inner.store.health().borrow();
        let mut state = Workshop::clone(&before.state);
        let mut rows: Vec<NewRow> = Vec::new();
        let mut answers: Vec<Answer> = Vec::with_capacity(requests.len());
        // What is carried out under a key in this batch, and whose answer it is.
        let mut keyed: Vec<(&ActorId, &RequestKey, u64, usize)> = Vec::new();
        for request in requests {
            if let Request::Command { actor, key: Some(key), .. } = request {
                let twin = keyed.iter().find(|(by, other, ..)| **by == actor.id && other.name() == key.name());
                let known = match (twin, self.requests.find(&actor.id, key)) {
                    (Some((_, other, ..)), _) if *other != key => Some(Err(CommandError::KeyReused)),
                    (Some((.., answer)), _) => Some(answers[*answer].clone()),
                    (None, Ok(Some(done))) => Some(self.again(done).await),
                    (None, Ok(None)) => None,
                    (None, Err(error)) => Some(Err(error)),
                };
                if let Some(answer) = known {
                    answers.push(answer);
                    continue;
                }
                keyed.push((&actor.id, key, before.seq + rows.len() as u64 + 1, answers.len()));
            }
            let (by, decided) = decide_request(&state, request, now);
            let answer = decided.map_err(CommandError::from).and_then(|events| {
                // Some would still fit, and the next one not: nobody could say what is to be relied on.
                if let Some(error) = health.refuses().filter(|_| !events.is_empty() && request.waits_for_room()) {
                    return Err(error.into());
                }
                let recorded: Vec<Recorded> =
                    events.into_iter().map(|event| Recorded { at: now, by: by.clone(), event }).collect();
                let encoded: Option<Vec<NewRow>> = recorded.iter().map(|event| row_of(event, request.key())).collect();
                rows.extend(encoded.ok_or(CommandError::Busy)?);
                recorded.iter().for_each(|event| state.apply(event));
                Ok(recorded)
            });
            answers.push(answer);
        }
        if !rows.is_empty() {
            let grown = Growth::of(rows.iter().map(|row| &row.payload));
            let seq = self.inner.store.append(self.stream.clone(), Some(before.seq), rows).await?;
            self.uncovered = self.uncovered.and(grown);
            for (by, key, first, answer) in keyed {
                if let Ok(events) = &answers[answer]
                    && !events.is_empty()
                {
                    self.requests.remember(by.clone(), key.clone(), first, events.len());
                }
            }
            self.publish(Moment { seq, state: Arc::new(state), health: before.health });
            if requests.iter().any(Request::steers) {
                self.schedule.steered();
            }
            if let Some(saving) = self.snapshot_after(SNAPSHOT_AWAKE) {
                // Nobody waits for it.
                tokio::spawn(saving);
            }
        }
        Ok(answers)
    }

    /// What a command caused that was carried out before.
    async fn again(&self, done: Done) -> Answer {
        metrics::counter!("tablehop_commands_repeated_total").increment(1);
        let rows = self.inner.store.history(self.stream.clone(), done.first - 1, Page::rows(done.count)).await?;
        Ok(done.events(&rows)?)
    }

    /// Moves the deadline along if the wall clock has been set. Comes before whatever looks at the time.
    async fn keep_time(&mut self) {
        let (wall, at) = (self.inner.clock.now(), std::time::Instant::now());
        let step = self.steps.since(wall, at);
        if step == 0 {
            return;
        }
        tracing::warn!(workshop = %self.id, step, "the wall clock was set by {step} ms; rounds keep their length");
        let answers = self.carry_out(&[Request::Internal(Internal::ClockSet { step })]).await;
        if let Some(Err(error)) = answers.first() {
            tracing::error!(workshop = %self.id, %error, "the deadline could not be moved along");
            // Until that is done the old deadline must not be taken for the new.
            self.not_before = Instant::now() + RETRY;
            return;
        }
        self.steps = Steps::new(wall, at);
    }

    /// The deadline has come.
    async fn time_up(&mut self) {
        let before = self.moment.borrow().seq;
        let answers = self.carry_out(&[Request::Internal(Internal::TimeUp)]).await;
        if self.moment.borrow().seq == before {
            if let Some(Err(error)) = answers.first() {
                tracing::error!(workshop = %self.id, %error, "a deadline could not be recorded");
            }
            self.not_before = Instant::now() + RETRY;
        }
    }

    async fn reload(&mut self) -> Result<(), CommandError> {
        let (moment, uncovered, requests) = load(&self.inner, &self.stream).await?;
        (self.uncovered, self.requests) = (uncovered, requests);
        if moment.seq != self.moment.borrow().seq {
            self.publish(moment);
        }
        Ok(())
    }

    /// Takes a snapshot if so much has been written since the last one; what is returned saves it. It only saves time at the next start,
    /// and is the other copy of what it covers.
    fn snapshot_after(&mut self, growth: Growth) -> Option<impl Future<Output = ()> + use<>> {
        if !self.uncovered.reaches(growth) {
            return None;
        }
        self.uncovered = Growth::default();
        let moment = self.moment.borrow().clone();
        let snapshot = snapshot::take(moment.seq, &moment.state)?;
        let (saving, id) = (self.inner.store.save_snapshot(self.stream.clone(), snapshot), self.id.clone());
        Some(async move {
            if let Err(error) = saving.await {
                tracing::warn!(workshop = %id, %error, "no snapshot");
            }
        })
    }

    /// While the store cannot write, everybody may only read; connections follow the moment.
    fn store_is(&mut self, health: Health) {
        let changed = self.moment.send_if_modified(|moment| {
            let changes = moment.health != health;
            moment.health = health;
            changes
        });
        if changed {
            self.schedule.changed(Which::All);
        }
    }

    fn publish(&mut self, moment: Moment) {
        self.moment.send_replace(moment);
        self.schedule.changed(Which::All);
    }

    /// Shows those who are due their views, as far as they have changed.
    async fn show(&mut self) {
        let began = Instant::now();
        let Some(which) = self.schedule.take(began) else { return };
        let moment = self.moment.borrow().clone();
        self.viewers.show(&self.id, &moment, &self.floor, self.inner.clock.now(), which).await;
        if which != Which::New {
            self.schedule.shown(began, began.elapsed());
        }
    }
}

fn decide_request(state: &Workshop, request: &Request, now: Millis) -> (ActorId, Result<Vec<Event>, Refusal>) {
    match request {
        Request::Command { actor, command, context, .. } => {
            let context = Context { now, ..Context::clone(context) };
            (actor.id.clone(), decide(state, command, actor, &context))
        }
        Request::Internal(internal) => {
            let context = Context { now, seed: draw::seed(), ..Context::default() };
            let by = match internal {
                Internal::Join { participant, .. } => participant.clone(),
                Internal::TimeUp | Internal::ClockSet { .. } => ActorId::system(),
            };
            (by, decide_internal(state, internal, &context))
        }
    }
}

/// Reads and folds the stream; gives what its snapshot does not cover, and the keys of the latest commands, too. A snapshot that cannot be
/// used is passed over: the events are its other copy.
async fn load(inner: &Inner, stream: &StreamId) -> Result<(Moment, Growth, Requests), CommandError> {
    let mut loaded = inner.store.load(stream.clone()).await?;
    if loaded.last_seq == 0 {
        return Err(CommandError::NoSuchWorkshop);
    }
    let state = loop {
        match (snapshot::fold(stream, &loaded), &loaded.snapshot) {
            (Ok(state), _) => break state,
            (Err(error), Some(snapshot)) => {
                tracing::info!(%stream, snapshot = snapshot.seq, %error, "passed over a snapshot");
                loaded = inner.store.load_below(stream.clone(), snapshot.seq).await?;
            }
            (Err(error), None) => return Err(error.into()),
        }
    };
    let covered = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let requests = if covered > 0 && loaded.rows.len() < limits::COMMAND_KEYS_KEPT {
        // The keys of events that the snapshot covers. Rows that are damaged there cost nobody the café.
        let before = loaded.last_seq.saturating_sub(limits::COMMAND_KEYS_KEPT as u64);
        requests_after(inner, stream, before).await.unwrap_or_else(|_| Requests::of(&loaded.rows))
    } else {
        Requests::of(&loaded.rows)
    };
    let health = *inner.store.health().borrow();
    let uncovered = Growth::of(loaded.rows.iter().map(|row| &row.payload));
    Ok((Moment { seq: loaded.last_seq, state: Arc::new(state), health }, uncovered, requests))
}

/// The keys in the rows after one, read page by page: the rows themselves may be large.
async fn requests_after(inner: &Inner, stream: &StreamId, mut after: u64) -> Result<Requests, StoreError> {
    let mut requests = Requests::default();
    loop {
        let rows = inner.store.history(stream.clone(), after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(requests) };
        after = last.seq;
        rows.iter().for_each(|row| requests.learn(row));
    }
}

/// Has the tables' boards tell the floor how many notes they have: after a restart nobody else would before the next edit.
fn count_notes(inner: &Arc<Inner>, id: &WorkshopId, state: &Workshop) {
    let (boards, id) = (inner.boards.clone(), id.clone());
    let tables: Vec<_> = state.table_ids().collect();
    tokio::spawn(async move {
        for table in tables {
            if let Err(error) = boards.open(&BoardId::table(&id, table)).await {
                tracing::warn!(workshop = %id, %table, %error, "the notes could not be counted");
                // Those of the others could not either, and a large café has thousands.
                if matches!(error, BoardError::ServerFull) {
                    break;
                }
            }
        }
    });
}

/// Tells everybody who waits, and does not take any more.
fn refuse_all(mut rx: mpsc::Receiver<Input>, error: &CommandError) {
    rx.close();
    while let Ok(input) = rx.try_recv() {
        match input {
            Input::Ready(reply) => {
                // Nobody waits any more: nothing to do.
                let _ = reply.send(Err(error.clone()));
            }
            Input::Request { reply, .. } => {
                // As above.
                let _ = reply.send(Err(error.clone()));
            }
            Input::Watch { .. } | Input::Unwatch { .. } | Input::Stop(_) => {}
        }
    }
}
