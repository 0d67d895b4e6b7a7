//! Workshops: the cafés as they stand. One task owns one café; it is loaded when somebody needs it and unloaded when it is idle.
//!
//! # Layout
//!
//! - this file: the registry [`Workshops`] and its operations
//! - [`host`]: the task: commands in, events appended, views out; timers
//! - `snapshot`: the state as a snapshot, so that a long café need not be read event by event
//! - `requests`: commands that are sent again act once
//! - `viewers`: those who get views; `schedule`: when
//! - `floor`: who is connected and how busy the tables are
//!
//! [`CommandError`] is the failure type of this layer.

use std::sync::Arc;

use dashmap::DashMap;
use futures_util::future::join_all;
use shared::id::{Actor, ActorId, WorkshopId};
use shared::limits;
use shared::workshop::command::Internal;
use shared::workshop::state::{Phase, ThemeRef};
use shared::workshop::{Command, Context, Draft, Recorded, Refusal, View, Workshop, create};
use tokio::sync::{mpsc, oneshot, watch};

use crate::board::{BoardError, Boards};
use crate::clock::Clock;
use crate::draw;
use crate::store::{Health, Page, Store, StoreError, StreamId};

pub(crate) mod floor;
pub mod host;
mod requests;
mod schedule;
pub(crate) mod snapshot;
mod viewers;

#[cfg(test)]
mod tests;

use floor::{Floor, Floors};
use host::{Input, Request};
pub use requests::RequestKey;
use requests::row_of;
pub(crate) use viewers::Viewer;

/// How long a request may wait for its turn.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Join codes tried before giving up: with 39 bits even the second is not needed in a lifetime.
const CODES_TRIED: usize = 8;
/// Events read from the store at a time: a thousand of the usual ones, and few of those that hold a whole plan.
const PAGE: Page = Page { rows: 1_000, bytes: 1024 * 1024 };

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such café.
    #[error("no such workshop")]
    NoSuchWorkshop,
    /// The café's rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed; nothing was changed, as far as it knows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key of a command was used for another one before.
    #[error("this key was used for another command")]
    KeyReused,
    /// Too much is going on, or the server is stopping; try again.
    #[error("too much is going on at the moment")]
    Busy,
}

/// A café at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// Events behind the state.
    pub seq: u64,
    /// The state.
    pub state: Arc<Workshop>,
    /// How well the store can write: while it cannot, the café is read-only.
    pub health: Health,
}

/// All cafés that are awake.
pub struct Workshops {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Arc<dyn Store>,
    pub boards: Arc<Boards>,
    pub floors: Arc<Floors>,
    pub clock: Clock,
    hosts: DashMap<WorkshopId, mpsc::Sender<Input>>,
}

impl Inner {
    /// Takes a host out of the registry, unless another has taken its place.
    pub fn forget(&self, workshop: &WorkshopId, tx: &mpsc::Sender<Input>) {
        self.hosts.remove_if(workshop, |_, current| current.same_channel(tx));
        self.floors.sweep();
        metrics::gauge!("tablehop_workshops_awake").set(self.hosts.len() as f64);
    }
}

/// A café that is awake.
#[derive(Clone)]
pub(crate) struct Handle {
    tx: mpsc::Sender<Input>,
    /// The state after each commit.
    pub moment: watch::Receiver<Moment>,
    /// Who is connected, and how busy the tables are.
    pub floor: Arc<Floor>,
}

impl Workshops {
    /// Over the streams in `store`; `boards` are asked for themes and actions when a command needs them.
    pub(crate) fn new(store: Arc<dyn Store>, boards: Arc<Boards>, floors: Arc<Floors>, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { store, boards, floors, clock, hosts: DashMap::new() }) }
    }

    /// Makes a café; returns its id and its join code.
    ///
    /// # Errors
    /// A refusal names the field of the draft that cannot be taken.
    pub async fn create(&self, draft: Draft) -> Result<(WorkshopId, String), CommandError> {
        // Before anything is reserved: most drafts that come to nothing are refused here.
        create(draft.clone(), String::new())?;
        if let Some(error) = self.inner.store.health().borrow().refuses() {
            return Err(error.into());
        }
        let id = draw::workshop_id().ok_or(CommandError::Busy)?;
        let mut code = None;
        for _ in 0..CODES_TRIED {
            let drawn = draw::join_code().ok_or(CommandError::Busy)?;
            if self.inner.store.reserve_join_code(drawn.clone(), id.to_string()).await? {
                code = Some(drawn);
                break;
            }
        }
        let code = code.ok_or(CommandError::Busy)?;
        let created =
            Recorded { at: self.inner.clock.now(), by: ActorId::system(), event: create(draft, code.clone())? };
        let row = row_of(&created, None).ok_or(CommandError::Busy)?;
        self.inner.store.append(StreamId::workshop(id.as_str()), Some(0), vec![row]).await?;
        Ok((id, code))
    }

    /// Carries out what somebody asks; returns the events it caused, none if it was so already. With a key, again is as if once: the
    /// events are those of the first time.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn command(
        &self,
        workshop: &WorkshopId,
        actor: &Actor,
        command: Command,
        key: Option<RequestKey>,
    ) -> Result<Vec<Recorded>, CommandError> {
        let context = self.context(workshop, &command).await?;
        let (command, context) = (Box::new(command), Box::new(context));
        let request = Request::Command { actor: actor.clone(), command, context, key };
        self.request(workshop, request).await
    }

    /// Lets somebody in, or back in.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn join(
        &self,
        workshop: &WorkshopId,
        participant: ActorId,
        name: String,
        department: Option<String>,
    ) -> Result<Vec<Recorded>, CommandError> {
        self.request(workshop, Request::Internal(Internal::Join { participant, name, department })).await
    }

    /// What somebody may see of a café.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn view(&self, workshop: &WorkshopId, actor: &Actor) -> Result<View, CommandError> {
        let handle = self.open(workshop).await?;
        let moment = handle.moment.borrow().clone();
        Ok(viewers::view(workshop, &moment, &handle.floor, self.inner.clock.now(), actor))
    }

    /// The whole state, with the number of events behind it.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn state(&self, workshop: &WorkshopId) -> Result<(u64, Arc<Workshop>), CommandError> {
        let moment = self.open(workshop).await?.moment.borrow().clone();
        Ok((moment.seq, moment.state))
    }

    /// Folds everything that ever happened in a café, page by page: all of it may be more than fits into memory.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn history<T>(
        &self,
        workshop: &WorkshopId,
        mut folded: T,
        mut step: impl FnMut(&mut T, Recorded),
    ) -> Result<T, CommandError> {
        let stream = StreamId::workshop(workshop.as_str());
        let mut after = 0;
        loop {
            let rows = self.inner.store.history(stream.clone(), after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in &rows {
                step(&mut folded, event_of(&stream, row.seq, &row.payload)?);
            }
        }
        if after == 0 { Err(CommandError::NoSuchWorkshop) } else { Ok(folded) }
    }

    /// Cafés awake.
    pub fn awake(&self) -> usize {
        self.inner.hosts.len()
    }

    /// Wakes a café, or finds it awake, and waits until it is loaded.
    pub(crate) async fn open(&self, workshop: &WorkshopId) -> Result<Handle, CommandError> {
        // A café that is just being unloaded does not answer; the next one does.
        for _ in 0..3 {
            let tx = self.wake(workshop);
            let (reply, answer) = oneshot::channel();
            if tx.send(Input::Ready(reply)).await.is_ok()
                && let Ok(loaded) = answer.await
            {
                return loaded.map(|(moment, floor)| Handle { tx, moment, floor });
            }
            self.inner.forget(workshop, &tx);
        }
        Err(CommandError::Busy)
    }

    /// Unloads all cafés, after their commits.
    pub(crate) async fn close(&self) {
        let hosts: Vec<mpsc::Sender<Input>> = self.inner.hosts.iter().map(|entry| entry.value().clone()).collect();
        let ends = hosts.into_iter().map(|tx| async move {
            let (done, ended) = oneshot::channel();
            if tx.send(Input::Stop(done)).await.is_ok() {
                // An error means that it has ended.
                let _ = ended.await;
            }
        });
        join_all(ends).await;
    }

    async fn request(&self, workshop: &WorkshopId, request: Request) -> Result<Vec<Recorded>, CommandError> {
        let handle = self.open(workshop).await?;
        let (reply, answer) = oneshot::channel();
        let sent = handle.tx.send_timeout(Input::Request { request, reply }, PATIENCE).await;
        sent.map_err(|_| CommandError::Busy)?;
        answer.await.map_err(|_| CommandError::Busy)?
    }

    /// What a command needs to know from the boards.
    async fn context(&self, workshop: &WorkshopId, command: &Command) -> Result<Context, CommandError> {
        let mut context = Context { seed: draw::seed(), ..Context::default() };
        match command {
            Command::GoTo { phase: Phase::Vote } | Command::ReopenVote => {
                let board = self.inner.boards.harvest(workshop).await.map_err(unread)?;
                context.themes =
                    board.themes.into_iter().map(|theme| ThemeRef { id: theme.id, title: theme.title }).collect();
            }
            Command::Comment { .. } | Command::Decide { .. } | Command::FollowUp { .. } => {
                let board = self.inner.boards.plan(workshop).await.map_err(unread)?;
                context.actions = board.actions.into_iter().map(|action| action.id).collect();
            }
            _ => {}
        }
        Ok(context)
    }

    fn wake(&self, workshop: &WorkshopId) -> mpsc::Sender<Input> {
        if let Some(tx) = self.inner.hosts.get(workshop)
            && !tx.is_closed()
        {
            return tx.clone();
        }
        let mut entry = self.inner.hosts.entry(workshop.clone()).or_insert_with(|| self.start(workshop));
        if entry.is_closed() {
            *entry = self.start(workshop);
        }
        let tx = entry.clone();
        drop(entry);
        metrics::gauge!("tablehop_workshops_awake").set(self.inner.hosts.len() as f64);
        tx
    }

    fn start(&self, workshop: &WorkshopId) -> mpsc::Sender<Input> {
        let (tx, rx) = mpsc::channel(limits::CAFE_WAITING);
        tokio::spawn(host::run(self.inner.clone(), workshop.clone(), tx.clone(), rx));
        tx
    }
}

impl Handle {
    /// Sends somebody their view now and whenever it changes, until [`Handle::unwatch`].
    pub async fn watch(&self, viewer: u64, who: Viewer) {
        // A café that has ended took the connection's own receiver with it, and that is noticed there.
        let _ = self.tx.send(Input::Watch { viewer, who }).await;
    }

    /// Ends [`Handle::watch`].
    pub async fn unwatch(&self, viewer: u64) {
        // As above.
        let _ = self.tx.send(Input::Unwatch { viewer }).await;
    }
}

fn unread(error: BoardError) -> CommandError {
    match error {
        BoardError::Store(error) => error.into(),
        BoardError::Quarantined(what) => StoreError::Corrupt { stream: "board".to_owned(), what }.into(),
        BoardError::ServerFull | BoardError::Unavailable => CommandError::Busy,
    }
}

fn event_of(stream: &StreamId, seq: u64, payload: &[u8]) -> Result<Recorded, StoreError> {
    serde_json::from_slice(payload)
        .map_err(|e| StoreError::Corrupt { stream: stream.to_string(), what: format!("event {seq}: {e}") })
}
