//! Boards: the live documents. One task owns one board; it is loaded when somebody needs it and unloaded when it has been idle.
//!
//! # Layout
//!
//! - this file: the registry [`Boards`], and the handle of a board
//! - [`room`]: the task; `room/edits`: edits in, commits, acknowledgements and edits out; `room/memory`: loading and recovering;
//!   `room/people`: those who have it open; `room/ahead`: devices that hold more than a restored server; `room/hurt`: updates on which Yrs panics
//! - `replica`: the document itself, a fold of the board's stream; `order`: how the items of its texts stand, and how far one has to go to
//!   find a place; `weight`: what it costs beside its bytes; `ledger`: what all take together
//! - `member`: those who have the board open
//! - `presence`: who is here and where their caret is
//!
//! [`BoardError`] is the failure type of this layer.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::{DashMap, Entry};
use futures_util::future::join_all;
use shared::board::{HarvestBoard, PlanBoard, TableBoard, harvest_board, plan_board, table_board};
use shared::id::{BoardId, TableId, WorkshopId};
use shared::limits;
use shared::wire::{PresenceEntry, PresenceUser};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep};
use yrs::{Doc, StateVector};

use crate::socket::guard::Attributed;
use crate::store::{Store, StoreError};
use crate::workshop::floor::Floors;

pub mod ledger;
mod member;
pub mod order;
mod presence;
pub mod replica;
pub mod room;
mod weight;

#[cfg(test)]
mod tests;

use ledger::{Held, Ledger, Purpose};
pub(crate) use member::{MayWrite, Member, MemberId};
pub(crate) use replica::{Replica, read_state_vector};
use room::{Ack, Edit, Input};

/// KiB of updates that may wait for one board.
const WAITING_KIB: usize = limits::BOARD_WAITING_BYTES / 1024;
/// How long somebody waits for memory that boards nobody has open give back.
const ROOM_PATIENCE: Duration = Duration::from_secs(3);
/// How often they see whether they have.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often such boards are asked to go: who is refused by the thousand does not have all boards gone through each time.
const SWEEP_EVERY: Duration = Duration::from_millis(50);
/// Of so many parts of all memory at least one is to come back then.
const SWEPT_PARTS: usize = 16;

/// Why a board cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// Its log is damaged. It is never served empty or in part; in words for the operator.
    #[error("the board is quarantined: {0}")]
    Quarantined(String),
    /// The store failed; trying again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// All boards together take as much memory as they may; trying again helps as soon as others are left.
    #[error("the server has no memory left for another board at the moment")]
    ServerFull,
    /// The server is stopping, or the board ended unexpectedly; trying again helps.
    #[error("the board is not available at the moment")]
    Unavailable,
}

impl BoardError {
    /// A stable code for clients.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Quarantined(_) => "board_quarantined",
            Self::Store(_) => "store_unavailable",
            Self::ServerFull => "server_full",
            Self::Unavailable => "unavailable",
        }
    }
}

/// All boards that are awake.
pub struct Boards {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Arc<dyn Store>,
    pub floors: Arc<Floors>,
    pub ledger: Arc<Ledger>,
    /// Places for those that are being read from the store.
    pub loading: Semaphore,
    rooms: DashMap<BoardId, Awake>,
    members: AtomicU64,
    /// When boards that nobody has open were last asked to go, and whether there were any.
    swept: Mutex<Option<(Instant, bool)>>,
}

/// A board in the registry.
struct Awake {
    handle: Handle,
    /// Bytes that it would give back if it were asked to go; 0 while somebody has it open.
    spare: Arc<AtomicUsize>,
}

impl Inner {
    /// Takes a room out of the registry, unless another has taken its place.
    pub fn forget(&self, board: &BoardId, handle: &Handle) {
        self.rooms.remove_if(board, |_, current| current.handle.tx.same_channel(&handle.tx));
        metrics::gauge!("tablehop_boards_awake").set(self.rooms.len() as f64);
    }

    /// Has somebody hold so much, for which boards that nobody has open are unloaded at once. `false` if there is not as much all the same.
    pub async fn find_memory(&self, held: &mut Held, bytes: usize, purpose: Purpose) -> bool {
        let began = Instant::now();
        while !held.reach(bytes, purpose) {
            let (at, found) = self.sweep();
            // Somebody may just be leaving.
            let in_vain = !found && at >= began + LOOK_AGAIN;
            if in_vain || began.elapsed() >= ROOM_PATIENCE {
                self.ledger.refuses();
                return false;
            }
            sleep(LOOK_AGAIN).await;
        }
        true
    }

    /// Asks boards to go that nobody has open, unless that has just been done. Returns when it was done, and whether there were any, those
    /// included that are on their way.
    fn sweep(&self) -> (Instant, bool) {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = *swept
            && at.elapsed() < SWEEP_EVERY
        {
            return (at, found);
        }
        let (enough, mut freed) = (self.ledger.limit() / SWEPT_PARTS, 0);
        for awake in &self.rooms {
            let spare = awake.spare.load(Ordering::Relaxed);
            if spare > 0 {
                // One that does not hear it is on its way already.
                let _ = awake.handle.tx.try_send(Input::MakeRoom);
                freed += spare;
            }
            if freed >= enough {
                break;
            }
        }
        *swept.insert((Instant::now(), freed > 0))
    }
}

/// A board that is awake, or about to be.
#[derive(Clone)]
pub(crate) struct Handle {
    tx: mpsc::Sender<Input>,
    room_for: Arc<Semaphore>,
}

impl Boards {
    /// Over the streams in `store`; together they take so many bytes of memory at most.
    pub(crate) fn new(store: Arc<dyn Store>, floors: Arc<Floors>, memory: usize) -> Self {
        Self::over(store, floors, Ledger::new(memory, replica::leaked_bytes))
    }

    fn over(store: Arc<dyn Store>, floors: Arc<Floors>, ledger: Arc<Ledger>) -> Self {
        let inner = Inner {
            store,
            floors,
            ledger,
            loading: Semaphore::new(limits::BOARDS_LOADING),
            rooms: DashMap::new(),
            members: AtomicU64::new(1),
            swept: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A table's board as it is on disk now, without keeping it awake for longer than usual.
    ///
    /// # Errors
    /// See [`BoardError`].
    pub async fn table(&self, workshop: &WorkshopId, table: TableId) -> Result<TableBoard, BoardError> {
        self.read(&BoardId::table(workshop, table), table_board).await
    }

    /// The harvest board as it is on disk now.
    ///
    /// # Errors
    /// See [`BoardError`].
    pub async fn harvest(&self, workshop: &WorkshopId) -> Result<HarvestBoard, BoardError> {
        self.read(&BoardId::harvest(workshop), harvest_board).await
    }

    /// The plan board as it is on disk now.
    ///
    /// # Errors
    /// See [`BoardError`].
    pub async fn plan(&self, workshop: &WorkshopId) -> Result<PlanBoard, BoardError> {
        self.read(&BoardId::plan(workshop), plan_board).await
    }

    /// Boards awake.
    pub fn awake(&self) -> usize {
        self.inner.rooms.len()
    }

    /// Wakes a board, or finds it awake, and waits until it is loaded.
    pub(crate) async fn open(&self, board: &BoardId) -> Result<Handle, BoardError> {
        // A board that is just being unloaded does not answer; the next one does.
        for _ in 0..3 {
            let handle = self.wake(board).await?;
            let (reply, answer) = oneshot::channel();
            if handle.tx.send(Input::Ready(reply)).await.is_ok()
                && let Ok(loaded) = answer.await
            {
                return loaded.map(|()| handle);
            }
            self.inner.forget(board, &handle);
        }
        Err(BoardError::Unavailable)
    }

    /// A number for a further opening of a board.
    pub(crate) fn next_member(&self) -> MemberId {
        self.inner.members.fetch_add(1, Ordering::Relaxed)
    }

    /// Unloads all boards, after their commits.
    pub(crate) async fn close(&self) {
        let rooms: Vec<(BoardId, Handle)> =
            self.inner.rooms.iter().map(|entry| (entry.key().clone(), entry.handle.clone())).collect();
        // All at once: their commits and snapshots share the store's transactions, and stopping takes no longer for many than for one.
        let ends = rooms.into_iter().map(|(_, handle)| async move {
            let (done, ended) = oneshot::channel();
            if handle.tx.send(Input::Stop(done)).await.is_ok() {
                // An error means that it has ended.
                let _ = ended.await;
            }
        });
        join_all(ends).await;
    }

    async fn read<T: Send + 'static>(&self, board: &BoardId, read: fn(&Doc) -> T) -> Result<T, BoardError> {
        let handle = self.open(board).await?;
        let (reply, answer) = oneshot::channel();
        let read = Input::Read(Box::new(move |doc| {
            // Nobody waits any more: nothing to do.
            let _ = reply.send(doc.map(read));
        }));
        handle.tx.send(read).await.map_err(|_| BoardError::Unavailable)?;
        answer.await.map_err(|_| BoardError::Unavailable)?
    }

    async fn wake(&self, board: &BoardId) -> Result<Handle, BoardError> {
        if let Some(handle) = self.awake_now(board) {
            return Ok(handle);
        }
        // Before it is known whether it is large: there may be very many.
        let mut held = Held::nothing(&self.inner.ledger);
        if !self.inner.find_memory(&mut held, limits::BOARD_SHARE, Purpose::Opening).await {
            // Somebody else may have found some meanwhile.
            return self.awake_now(board).ok_or(BoardError::ServerFull);
        }
        let entry = match self.inner.rooms.entry(board.clone()) {
            Entry::Occupied(mut entry) => {
                if entry.get().handle.tx.is_closed() {
                    entry.insert(self.start(board, held));
                }
                entry.into_ref()
            }
            Entry::Vacant(entry) => entry.insert(self.start(board, held)),
        };
        let handle = entry.handle.clone();
        drop(entry);
        metrics::gauge!("tablehop_boards_awake").set(self.inner.rooms.len() as f64);
        Ok(handle)
    }

    fn awake_now(&self, board: &BoardId) -> Option<Handle> {
        self.inner.rooms.get(board).map(|awake| awake.handle.clone()).filter(|handle| !handle.tx.is_closed())
    }

    fn start(&self, board: &BoardId, held: Held) -> Awake {
        let (tx, rx) = mpsc::channel(limits::BOARD_WAITING);
        let handle = Handle { tx, room_for: Arc::new(Semaphore::new(WAITING_KIB)) };
        let spare = Arc::new(AtomicUsize::new(0));
        let share = Share { held, spare: spare.clone() };
        tokio::spawn(room::run(self.inner.clone(), board.clone(), handle.clone(), share, rx));
        Awake { handle, spare }
    }
}

/// What a board has of the memory for all.
struct Share {
    held: Held,
    spare: Arc<AtomicUsize>,
}

/// The board has ended; whoever speaks to it must connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Handle {
    /// Opens the board for somebody. They hear of presence at once, and of edits after their first Step1.
    pub async fn join(&self, id: MemberId, member: Member) -> Result<(), Gone> {
        self.send(Input::Join { id, member: Box::new(member) }).await
    }

    /// Somebody has gone.
    pub async fn leave(&self, id: MemberId) {
        // A board that has ended has no members.
        let _ = self.send(Input::Leave { id }).await;
    }

    /// Somebody says what they have and wants the rest.
    pub async fn sync(&self, id: MemberId, state_vector: StateVector) -> Result<(), Gone> {
        self.send(Input::Sync { id, state_vector: Box::new(state_vector) }).await
    }

    /// Somebody was too slow, and cannot be asked what they have: they get everything.
    pub async fn refresh(&self, id: MemberId) -> Result<(), Gone> {
        self.send(Input::Refresh { id }).await
    }

    /// Somebody has written. Waits while too much waits already. `allowed` is whether they may write; if not, what changes nothing
    /// is acknowledged all the same.
    pub async fn edit(&self, id: MemberId, ack: Ack, update: Box<Attributed>, allowed: bool) -> Result<(), Gone> {
        let kib = u32::try_from(update.bytes.len() / 1024 + 1).unwrap_or(u32::MAX).min(WAITING_KIB as u32);
        let room_for = self.room_for.clone();
        let permit = match room_for.clone().try_acquire_many_owned(kib) {
            Ok(permit) => permit,
            Err(_) => Box::pin(room_for.acquire_many_owned(kib)).await.map_err(|_| Gone)?,
        };
        self.send(Input::Edit(Box::new(Edit { id, ack, update, allowed, _permit: permit }))).await
    }

    /// Somebody says something of themselves; `user` is who they really are.
    pub async fn presence(&self, id: MemberId, user: PresenceUser, entries: Vec<PresenceEntry>) -> Result<(), Gone> {
        self.send(Input::Presence { id, said: Box::new((user, entries)) }).await
    }

    /// Somebody wants to know who is here.
    pub async fn query_presence(&self, id: MemberId) -> Result<(), Gone> {
        self.send(Input::QueryPresence { id }).await
    }

    async fn send(&self, input: Input) -> Result<(), Gone> {
        match self.tx.try_send(input) {
            Ok(()) => Ok(()),
            // Waiting is rare and takes room, which what is usual should not pay for.
            Err(TrySendError::Full(input)) => Box::pin(self.tx.send(input)).await.map_err(|_| Gone),
            Err(TrySendError::Closed(_)) => Err(Gone),
        }
    }
}
