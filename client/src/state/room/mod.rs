//! One board of a café behind its [`super::board::Board`] handles: the document, its conversation with the server, and who listens.
//!
//! 1. An edit shows at once, is in the outbox and on its way to storage before anything else happens, and goes out at once when the
//!    board is open to us.
//! 2. The document outlives its holders until the server has everything: leaving a table loses nothing.
//! 3. What the server lacks after an interruption is one message: the difference to its state vector.
//!
//! [`traffic`] is the conversation with the server.

mod traffic;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use shared::board::text::diff;
use shared::id::{BoardId, BoardKind, Millis};
use shared::wire::{Address, ClientMessage};
use wasm_bindgen_futures::spawn_local;
use yrs::StateVector;

use super::board::Peer;
use super::cafe::Inner as CafeInner;
use super::live_text::{TextAt, TextListener, Told, tellings};
use super::presence::{Doing, Presence};
use super::project::{Projection, set};
use crate::sync::doc::{Aftermath, Document, Hand};
use crate::sync::outbox::{EditKey, Outbox};
use crate::sync::revive::revive;
use crate::sync::storage::Storage;

/// How long changes are gathered before the whole document is stored. Edits are stored at once, by themselves.
const STORE_AFTER: u32 = 1_500;
/// How long a board stays open after its last holder has gone: pages change, and often come back.
const KEEP_AFTER: u32 = 5_000;
/// When a board that made room for others is looked at again, in milliseconds.
const LOOK_AGAIN_AFTER: u32 = 60_000;

/// Where the conversation with the server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not connected, or not wanted.
    Closed,
    /// The token is sent.
    Asking,
    /// Authenticated; the server has not said yet what it has, so edits wait.
    Greeting,
    /// Edits go out as they are made.
    Live,
    /// The server refused.
    Denied,
}

/// The board.
pub(super) struct Room {
    itself: Weak<Self>,
    cafe: Weak<CafeInner>,
    id: BoardId,
    address: Address,
    /// The board's part in keys of the storage.
    key: String,
    pub(super) loaded: ArcRwSignal<bool>,
    pub(super) writable: ArcRwSignal<bool>,
    /// Whether there is a document to write in: not before it has been read from storage, and client ids have come.
    pub(super) ready: ArcRwSignal<bool>,
    pub(super) failed: ArcRwSignal<Option<String>>,
    pub(super) can_undo: ArcRwSignal<bool>,
    pub(super) can_redo: ArcRwSignal<bool>,
    pub(super) peers: ArcRwSignal<Vec<Peer>>,
    pub(super) projection: Projection,
    document: RefCell<Option<Rc<Document>>>,
    loading: Cell<bool>,
    holders: Cell<usize>,
    /// Those who only read, and whether it is this board's turn to be read.
    readers: Cell<usize>,
    turn: Cell<bool>,
    stage: Cell<Stage>,
    read_only: Cell<bool>,
    rebuilt: Cell<bool>,
    outbox: RefCell<Outbox>,
    unsent: RefCell<Vec<Vec<u8>>>,
    /// What was typed while another document is being brought back from storage.
    typed: RefCell<Vec<(EditKey, Vec<u8>)>>,
    /// What the server had when a difference last went out in pieces.
    in_pieces: RefCell<Option<StateVector>>,
    sent_at: Cell<Millis>,
    counter: Cell<u64>,
    listeners: RefCell<Vec<TextListener>>,
    next_listener: Cell<u64>,
    presence: RefCell<Presence>,
    doing: RefCell<Option<Doing>>,
    said_at: Cell<Millis>,
    send_timer: RefCell<Option<Timeout>>,
    say_timer: RefCell<Option<Timeout>>,
    store_timer: RefCell<Option<Timeout>>,
    leave_timer: RefCell<Option<Timeout>>,
    look_timer: RefCell<Option<Timeout>>,
}

impl Room {
    pub(super) fn new(cafe: Weak<CafeInner>, id: BoardId, writable: bool) -> Rc<Self> {
        let whole = id.to_string();
        let key = whole.rsplit_once('.').map_or("", |(_, key)| key).to_owned();
        Rc::new_cyclic(|itself| Self {
            itself: itself.clone(),
            cafe,
            address: Address::Board(id.clone()),
            id,
            key,
            loaded: ArcRwSignal::new(false),
            writable: ArcRwSignal::new(writable),
            ready: ArcRwSignal::new(false),
            failed: ArcRwSignal::new(None),
            can_undo: ArcRwSignal::new(false),
            can_redo: ArcRwSignal::new(false),
            peers: ArcRwSignal::new(Vec::new()),
            projection: Projection::default(),
            document: RefCell::default(),
            loading: Cell::new(false),
            holders: Cell::new(0),
            readers: Cell::new(0),
            turn: Cell::new(false),
            stage: Cell::new(Stage::Closed),
            read_only: Cell::new(!writable),
            rebuilt: Cell::new(false),
            outbox: RefCell::default(),
            unsent: RefCell::default(),
            typed: RefCell::default(),
            in_pieces: RefCell::default(),
            sent_at: Cell::new(0),
            counter: Cell::new(0),
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            presence: RefCell::default(),
            doing: RefCell::default(),
            said_at: Cell::new(0),
            send_timer: RefCell::default(),
            say_timer: RefCell::default(),
            store_timer: RefCell::default(),
            leave_timer: RefCell::default(),
            look_timer: RefCell::default(),
        })
    }

    pub(super) fn kind(&self) -> BoardKind {
        self.id.kind
    }

    /// Edits that the server has not acknowledged.
    pub(super) fn unsaved(&self) -> usize {
        self.outbox.borrow().len()
    }

    // -- Holders

    /// A component takes hold of the board.
    pub(super) fn hold(&self) {
        self.holders.set(self.holders.get() + 1);
        self.leave_timer.take();
        if self.doing.borrow().is_none() {
            *self.doing.borrow_mut() = Some(Doing::default());
            self.say_soon();
        }
        self.wake();
    }

    /// A component lets go of the board.
    pub(super) fn release(&self) {
        self.holders.set(self.holders.get().saturating_sub(1));
        if self.holders.get() > 0 {
            return;
        }
        if self.doing.take().is_some() {
            self.say();
        }
        if self.readers.get() > 0 {
            self.rest();
        } else {
            self.leave_soon();
        }
    }

    /// A component reads the board; it is opened when its turn comes.
    pub(super) fn look(&self) {
        self.readers.set(self.readers.get() + 1);
        self.leave_timer.take();
        if let Some(cafe) = self.cafe() {
            cafe.reading(self.kind(), true);
        }
    }

    /// A component reads the board no more.
    pub(super) fn look_away(&self) {
        self.readers.set(self.readers.get().saturating_sub(1));
        if self.readers.get() > 0 {
            return;
        }
        self.turn.set(false);
        self.look_timer.take();
        if self.holders.get() == 0 {
            self.leave_soon();
        }
        if let Some(cafe) = self.cafe() {
            cafe.reading(self.kind(), false);
        }
    }

    /// It is this board's turn to be read.
    pub(super) fn take_turn(&self) {
        self.turn.set(true);
        self.wake();
    }

    /// The server has shown everything, or nothing: others may be read now, and this one again later.
    fn was_read(&self) {
        let Some(cafe) = self.cafe().filter(|cafe| self.turn.get() && cafe.was_read(self.kind())) else { return };
        self.turn.set(false);
        self.rest();
        let (itself, cafe) = (self.itself.clone(), Rc::downgrade(&cafe));
        let timer = Timeout::new(LOOK_AGAIN_AFTER, move || {
            if let (Some(room), Some(cafe)) = (itself.upgrade().filter(|room| room.readers.get() > 0), cafe.upgrade()) {
                cafe.reading(room.kind(), true);
            }
        });
        self.look_timer.replace(Some(timer));
    }

    /// Whether the board is to be open.
    fn wanted(&self) -> bool {
        self.holders.get() > 0 || self.turn.get() || !self.outbox.borrow().is_empty() || self.loading.get()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stage.get() != Stage::Closed
    }

    /// Leaves the conversation, and keeps what was read of it.
    fn rest(&self) {
        if self.wanted() || !self.is_connected() {
            return;
        }
        if let Some(link) = self.cafe().map(|cafe| cafe.link.clone()) {
            link.send(&self.address, ClientMessage::Close);
        }
        self.disconnected();
    }

    /// Opens what is not open yet: with pending edits also without a holder.
    pub(super) fn wake(&self) {
        let nothing_yet = self.document.borrow().is_none();
        if nothing_yet
            && !self.loading.replace(true)
            && let Some(room) = self.itself.upgrade()
        {
            spawn_local(async move { room.load().await });
        }
        if matches!(self.stage.get(), Stage::Closed | Stage::Denied) {
            self.enter();
        }
    }

    fn leave_soon(&self) {
        let itself = self.itself.clone();
        let timer = Timeout::new(KEEP_AFTER, move || {
            if let Some(room) = itself.upgrade() {
                room.leave();
            }
        });
        self.leave_timer.replace(Some(timer));
    }

    /// Gives everything up that nobody needs any more.
    pub(super) fn leave(&self) {
        if self.wanted() || self.readers.get() > 0 {
            return;
        }
        let Some(document) = self.document.take() else { return };
        if self.store_timer.take().is_some() {
            self.store(&document);
        }
        if let Some(link) = self.cafe().map(|cafe| cafe.link.clone()) {
            link.send(&self.address, ClientMessage::Close);
        }
        self.stage.set(Stage::Closed);
        self.outbox.borrow_mut().reset();
        self.unsent.take();
        self.presence.borrow_mut().clear();
        set(&self.peers, Vec::new());
        set(&self.loaded, false);
        set(&self.ready, false);
        set(&self.can_undo, false);
        set(&self.can_redo, false);
        self.projection.clear();
    }

    // -- The document

    /// Brings the document back from storage, with a client id that was never used.
    async fn load(self: Rc<Self>) {
        let Some(cafe) = self.cafe() else { return };
        let storage = cafe.storage.wait().await;
        let stored = storage.board(&cafe.scope, &self.key).await;
        let client = cafe.client_id().await;
        // From here on nothing is waited for: what was typed in the last document while all this was read is in the new one.
        let (document, pending) = revive(client, self.kind(), stored, self.typed.take());
        {
            let mut outbox = self.outbox.borrow_mut();
            outbox.forget_all();
            pending.into_iter().for_each(|key| outbox.push(key));
        }
        self.unsent.take();
        if let Some(last) = self.document.borrow().as_ref().filter(|_| storage.is_memory()) {
            // Rebuilding where nothing is stored: what the last document took in as a whole is good.
            let _ = document.apply(&last.state());
        }
        let something = document.state_vector() != [0];
        document.take();
        self.adopt(document);
        if something {
            set(&self.loaded, true);
        }
        self.loading.set(false);
        cafe.count_unsaved();
        if matches!(self.stage.get(), Stage::Asking | Stage::Greeting | Stage::Live) {
            self.greet();
        }
        self.say_soon();
        if self.holders.get() == 0 && self.readers.get() == 0 {
            self.leave_soon();
        }
    }

    /// Puts a document in the place of the last; text fields are told the difference.
    fn adopt(&self, document: Document) {
        let document = Rc::new(document);
        let old = self.document.replace(Some(document.clone()));
        set(&self.ready, true);
        self.projection.load(&document);
        self.show_undo(&document);
        let mut told = Vec::new();
        for listener in self.listeners.borrow().iter() {
            let before = old.as_ref().and_then(|old| listener.at.read(old)).unwrap_or_default();
            let after = listener.at.read(&document).unwrap_or_default();
            if let Some(splice) = diff(&before, &after) {
                told.push((listener.told.clone(), splice));
            }
        }
        told.into_iter().for_each(|(told, splice)| told(&splice));
    }

    /// The server sent something that the document cannot take: starts again from storage, once a connection.
    fn rebuild(&self) {
        if self.rebuilt.replace(true) || self.loading.replace(true) {
            set(&self.failed, Some("board_broken".to_owned()));
            set(&self.writable, false);
            self.stage.set(Stage::Denied);
            return;
        }
        self.store_timer.take();
        self.stage.set(Stage::Greeting);
        // Those in storage are counted again when they are read.
        self.outbox.borrow_mut().forget_all();
        self.unsent.take();
        self.typed.take();
        if let Some(room) = self.itself.upgrade() {
            spawn_local(async move { room.load().await });
        }
    }

    /// Edits the document, if one may. None if not.
    pub(super) fn edit<R>(&self, edit: impl FnOnce(&Document) -> R) -> Option<R> {
        if !self.writable.get_untracked() {
            return None;
        }
        let document = self.document.borrow().clone()?;
        let answer = edit(&document);
        self.settle(&document);
        Some(answer)
    }

    /// A name for a new element; none while one may not write.
    pub(super) fn new_id(&self) -> Option<String> {
        if !self.writable.get_untracked() {
            return None;
        }
        let client = self.document.borrow().as_ref()?.client();
        self.counter.set(self.counter.get() + 1);
        Some(format!("{client:x}-{}", self.counter.get()))
    }

    pub(super) fn has_text(&self, at: &TextAt) -> bool {
        self.document.borrow().as_ref().is_some_and(|document| at.read(document).is_some())
    }

    pub(super) fn read_text(&self, at: &TextAt) -> String {
        self.document.borrow().as_ref().and_then(|document| at.read(document)).unwrap_or_default()
    }

    pub(super) fn listen(&self, at: TextAt, hand: Hand, told: Told) -> u64 {
        let id = self.next_listener.get() + 1;
        self.next_listener.set(id);
        self.listeners.borrow_mut().push(TextListener { id, at, hand, told });
        id
    }

    pub(super) fn unlisten(&self, id: u64) {
        self.listeners.borrow_mut().retain(|listener| listener.id != id);
    }

    /// After each transaction, when it is closed: edits go out, signals and text fields follow.
    fn settle(&self, document: &Rc<Document>) {
        let Aftermath { updates, touched } = document.take();
        for update in updates {
            self.keep(document, update);
        }
        if !touched.is_empty() {
            self.projection.refresh(document, &touched);
            self.store_soon();
            let tellings = tellings(&self.listeners.borrow(), touched);
            for (told, splices) in tellings {
                splices.iter().for_each(|splice| told(splice));
            }
        }
        self.show_undo(document);
        self.flush();
    }

    fn show_undo(&self, document: &Document) {
        let (undo, redo) = document.can_undo_redo();
        set(&self.can_undo, undo);
        set(&self.can_redo, redo);
    }

    /// An edit made here: into the account, into storage, and on the way.
    fn keep(&self, document: &Document, update: Vec<u8>) {
        let Some(cafe) = self.cafe() else { return };
        self.counter.set(self.counter.get() + 1);
        let key = format!("{}/{}/{:x}/{:08}", cafe.scope, self.key, document.client(), self.counter.get());
        Storage::write_edit_down(&key, &update);
        if self.loading.get() {
            self.typed.borrow_mut().push((key.clone(), update.clone()));
        }
        if self.may_send() {
            self.outbox.borrow_mut().push_next(key.clone());
            self.unsent.borrow_mut().push(update.clone());
        } else {
            self.outbox.borrow_mut().push(key.clone());
        }
        cafe.count_unsaved();
        spawn_local(async move { cafe.storage.wait().await.put_edit(&key, &update).await });
    }

    fn store_soon(&self) {
        if self.store_timer.borrow().is_some() {
            return;
        }
        let itself = self.itself.clone();
        let timer = Timeout::new(STORE_AFTER, move || {
            let Some(room) = itself.upgrade() else { return };
            room.store_now();
        });
        self.store_timer.replace(Some(timer));
    }

    /// Stores the whole document, if it has changed since the last time.
    pub(super) fn store_now(&self) {
        let due = self.store_timer.take().is_some();
        if let Some(document) = self.document.borrow().as_ref().filter(|_| due) {
            self.store(document);
        }
    }

    fn store(&self, document: &Document) {
        let Some(cafe) = self.cafe() else { return };
        let (state, key) = (document.state(), self.key.clone());
        spawn_local(async move { cafe.storage.wait().await.put_board(&cafe.scope, &key, &state).await });
    }

    fn cafe(&self) -> Option<Rc<CafeInner>> {
        self.cafe.upgrade()
    }
}
