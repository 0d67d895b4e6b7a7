//! What is behind the handles of a café.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use serde::Deserialize;
use shared::id::{ActorId, BoardId, BoardKind, Millis, Role};
use shared::limits;
use shared::wire::{Address, ServerMessage};
use shared::workshop::View;
use shared::workshop::view::Me;
use wasm_bindgen_futures::spawn_local;

use super::Connection;
use super::reach::{may_write, reach};
use super::turns::Turns;
use crate::api::ApiError;
use crate::clock::Clock;
use crate::i18n::{I18n, t_string};
use crate::platform::{self, Listener};
use crate::state::identity::{self, Identity};
use crate::state::project::set;
use crate::state::room::Room;
use crate::sync::link::{Link, LinkEvents};
use crate::sync::ready::{Ready, Signal as Knock};
use crate::sync::session::State;
use crate::sync::storage::Storage;
use crate::ui::toast::{ToastKind, toast};

/// Clocks move this often, in milliseconds, at the same moments of the server's time on all screens.
const TICK: Millis = 250;
/// How long a café stays connected after its last page has gone; the next page may be of the same café.
const KEEP_AFTER: u32 = 3_000;
/// How long views are gathered before the last is stored.
const STORE_AFTER: u32 = 2_000;

/// What is behind the handles.
pub(in crate::state) struct Inner {
    itself: Weak<Self>,
    pub(in crate::state) identity: Identity,
    pub(in crate::state) scope: String,
    pub(in crate::state) storage: Rc<Ready<Storage>>,
    pub(in crate::state) link: Rc<Link>,
    pub(super) i18n: I18n,
    pub(super) view: ArcRwSignal<Option<View>>,
    pub(super) me: ArcRwSignal<Option<Me>>,
    pub(super) connection: ArcRwSignal<Connection>,
    pub(super) unsaved: ArcRwSignal<usize>,
    ticking: OnceCell<ArcRwSignal<Millis>>,
    clock: RefCell<Clock>,
    rooms: RefCell<Vec<Rc<Room>>>,
    turns: RefCell<Turns>,
    holders: Cell<usize>,
    running: Cell<bool>,
    /// Client ids came in.
    assigned: Knock,
    close_timer: RefCell<Option<Timeout>>,
    store_timer: RefCell<Option<Timeout>>,
    tick_timer: RefCell<Option<Timeout>>,
    listeners: RefCell<Vec<Listener>>,
}

/// What comes as JSON on the workshop's address.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    view: Option<View>,
    #[serde(default)]
    code: Option<String>,
}

impl Inner {
    pub(super) fn new(identity: Identity, i18n: I18n) -> Rc<Self> {
        let link = Link::new(&identity.workshop, &identity.token);
        let inner = Rc::new_cyclic(|itself| Self {
            itself: itself.clone(),
            scope: identity.scope(),
            identity,
            storage: Rc::default(),
            link,
            i18n,
            view: ArcRwSignal::new(None),
            me: ArcRwSignal::new(None),
            connection: ArcRwSignal::new(Connection::Connecting),
            unsaved: ArcRwSignal::new(0),
            ticking: OnceCell::new(),
            clock: RefCell::default(),
            rooms: RefCell::default(),
            turns: RefCell::default(),
            holders: Cell::new(0),
            running: Cell::new(false),
            assigned: Knock::default(),
            close_timer: RefCell::default(),
            store_timer: RefCell::default(),
            tick_timer: RefCell::default(),
            listeners: RefCell::default(),
        });
        let events: Rc<dyn LinkEvents> = inner.clone();
        inner.link.tell(Rc::downgrade(&events));
        let opening = inner.clone();
        spawn_local(async move { opening.remember().await });
        inner
    }

    /// Brings back what this device kept: the last view, and boards with edits that never reached the server.
    async fn remember(self: Rc<Self>) {
        let storage = Storage::open().await;
        self.storage.set(storage.clone());
        if let Some(view) = storage.view(&self.scope).await.and_then(|json| serde_json::from_str::<View>(&json).ok())
            && self.view.with_untracked(Option::is_none)
        {
            self.show(view);
        }
        for key in storage.boards_with_edits(&self.scope).await {
            if let Ok(board) = format!("{}.{key}", self.identity.workshop).parse::<BoardId>() {
                let index = self.room_of(board.kind);
                self.room(index).wake();
            }
        }
    }

    pub(super) fn hold(&self) {
        self.holders.set(self.holders.get() + 1);
        self.close_timer.take();
        if !self.running.replace(true) {
            identity::save(&self.identity);
            let itself = self.itself.clone();
            let store = move || {
                if let Some(inner) = itself.upgrade().filter(|_| !platform::visible()) {
                    inner.rooms.borrow().iter().for_each(|room| room.store_now());
                    inner.store_view();
                }
            };
            *self.listeners.borrow_mut() = vec![Listener::on_document("visibilitychange", store)];
            self.link.start();
        } else if matches!(*self.connection.read_untracked(), Connection::Denied { .. }) {
            // Somebody comes again, perhaps because they have mended it.
            self.link.start();
        }
    }

    pub(super) fn release(&self) {
        self.holders.set(self.holders.get().saturating_sub(1));
        self.close_soon();
    }

    fn close_soon(&self) {
        if self.holders.get() > 0 {
            return;
        }
        let itself = self.itself.clone();
        let timer = Timeout::new(KEEP_AFTER, move || {
            if let Some(inner) =
                itself.upgrade().filter(|inner| inner.holders.get() == 0 && inner.unsaved.get_untracked() == 0)
            {
                inner.running.set(false);
                inner.listeners.borrow_mut().clear();
                inner.tick_timer.take();
                inner.link.stop();
            }
        });
        self.close_timer.replace(Some(timer));
    }

    // -- Boards

    pub(in crate::state) fn room(&self, index: usize) -> Rc<Room> {
        // Places are only given out by `room_of`, and the list only grows.
        self.rooms.borrow()[index].clone()
    }

    pub(super) fn room_of(&self, kind: BoardKind) -> usize {
        let found = self.rooms.borrow().iter().position(|room| room.kind() == kind);
        found.unwrap_or_else(|| {
            let id = BoardId { workshop: self.identity.workshop.clone(), kind };
            let writable = self.view.with_untracked(|view| view.as_ref().is_some_and(|view| may_write(view, kind)));
            let mut rooms = self.rooms.borrow_mut();
            rooms.push(Room::new(self.itself.clone(), id, writable));
            rooms.len() - 1
        })
    }

    /// A board wants to be read, or nobody wants to read it any more.
    pub(in crate::state) fn reading(&self, board: BoardKind, wanted: bool) {
        if wanted {
            self.turns.borrow_mut().ask(board);
        } else {
            self.turns.borrow_mut().forget(board);
        }
        self.next_turns();
    }

    /// A board was read. Whether it makes room for another.
    pub(in crate::state) fn was_read(&self, board: BoardKind) -> bool {
        let makes_room = self.turns.borrow_mut().was_read(board);
        if makes_room && let Some(inner) = self.itself.upgrade() {
            // Once the room has closed.
            spawn_local(async move { inner.next_turns() });
        }
        makes_room
    }

    fn next_turns(&self) {
        loop {
            let Some(board) = self.turns.borrow_mut().next() else { return };
            let index = self.room_of(board);
            self.room(index).take_turn();
        }
    }

    /// Before another board is opened: those that are kept only in case somebody comes back go, if there would be too many.
    pub(in crate::state) fn make_room(&self) {
        let rooms = self.rooms.borrow().clone();
        if rooms.iter().filter(|room| room.is_connected()).count() + 1 < limits::BOARDS_PER_CONNECTION {
            return;
        }
        rooms.iter().filter(|room| room.is_connected()).for_each(|room| room.leave());
    }

    /// A client id that nobody else has; waits for the server where none is left.
    pub(in crate::state) async fn client_id(&self) -> u64 {
        let storage = self.storage.wait().await;
        loop {
            let knock = self.assigned.wait();
            if let Some(client) = storage.take_client(&self.scope).await {
                return client;
            }
            knock.await;
        }
    }

    /// Some board's outbox has changed.
    pub(in crate::state) fn count_unsaved(&self) {
        let count = self.rooms.borrow().iter().map(|room| room.unsaved()).sum();
        set(&self.unsaved, count);
        if count == 0 {
            self.close_soon();
        }
    }

    /// Who writes, and under which name.
    pub(in crate::state) fn author(&self) -> (ActorId, String) {
        let known = self.me.with_untracked(|me| me.as_ref().map(|me| (me.id.clone(), me.name.clone())));
        let (id, name) = known
            .unwrap_or_else(|| (self.identity.participant.clone().unwrap_or_default(), self.identity.name.clone()));
        let name = match self.identity.role {
            _ if !name.is_empty() => name,
            Role::Facilitator => untrack(|| t_string!(self.i18n, common.facilitator).to_string()),
            Role::Reviewer => untrack(|| t_string!(self.i18n, common.reviewer).to_string()),
            Role::Participant => name,
        };
        (id, name)
    }

    // -- The view

    fn show(&self, view: View) {
        let older = self.view.with_untracked(|shown| shown.as_ref().is_some_and(|shown| shown.seq > view.seq));
        if older {
            return;
        }
        let changed = self.view.with_untracked(|shown| shown.as_ref().map(reach)) != Some(reach(&view));
        set(&self.me, Some(view.me.clone()));
        identity::remember(&self.identity, &view.title, &view.me);
        self.view.set(Some(view));
        if changed {
            let rooms = self.rooms.borrow().clone();
            rooms.iter().for_each(|room| room.try_again());
        }
    }

    fn hear_json(&self, json: &str) {
        let arrived = platform::now();
        let Ok(event) = serde_json::from_str::<Event>(json) else { return };
        if let Some(view) = event.view {
            self.clock.borrow_mut().sample(view.now, arrived);
            self.show(view);
            self.store_view_soon();
        }
        if let Some(code) = event.code {
            toast(ToastKind::Plain, ApiError::of(&code).text(self.i18n));
        }
    }

    fn store_view_soon(&self) {
        if self.store_timer.borrow().is_some() {
            return;
        }
        let itself = self.itself.clone();
        let timer = Timeout::new(STORE_AFTER, move || {
            if let Some(inner) = itself.upgrade() {
                inner.store_view();
            }
        });
        self.store_timer.replace(Some(timer));
    }

    fn store_view(&self) {
        if self.store_timer.take().is_none() {
            return;
        }
        let json = self.view.with_untracked(|view| view.as_ref().and_then(|view| serde_json::to_string(view).ok()));
        if let (Some(json), Some(inner)) = (json, self.itself.upgrade()) {
            spawn_local(async move { inner.storage.wait().await.put_view(&inner.scope, &json).await });
        }
    }

    // -- The clock

    pub(super) fn server_now(&self) -> Millis {
        self.clock.borrow().server_time(platform::now())
    }

    pub(super) fn tick(&self) -> ArcRwSignal<Millis> {
        let ticking = self.ticking.get_or_init(|| ArcRwSignal::new(self.server_now())).clone();
        if self.tick_timer.borrow().is_none() {
            self.tick_soon();
        }
        ticking
    }

    fn tick_soon(&self) {
        let itself = self.itself.clone();
        let rest = TICK - self.server_now() % TICK;
        let timer = Timeout::new(rest as u32, move || {
            let Some(inner) = itself.upgrade() else { return };
            if let Some(ticking) = inner.ticking.get() {
                ticking.set(inner.server_now());
            }
            inner.tick_soon();
        });
        self.tick_timer.replace(Some(timer));
    }
}

impl LinkEvents for Inner {
    fn changed(&self, state: &State) {
        let shown = self.connection.get_untracked();
        let connection = match state {
            State::Stopped => Connection::Closed,
            State::Online { .. } | State::Doubtful => Connection::Online,
            State::Refused(code) => Connection::Denied { code: code.clone() },
            State::Waiting => match shown {
                Connection::Offline { .. } => shown,
                _ => Connection::Offline { since: self.server_now() },
            },
            State::Connecting | State::Greeting => match shown {
                Connection::Offline { .. } => shown,
                Connection::Online => Connection::Offline { since: self.server_now() },
                _ => Connection::Connecting,
            },
        };
        set(&self.connection, connection);
    }

    fn begin(&self) {
        let rooms = self.rooms.borrow().clone();
        rooms.iter().for_each(|room| room.enter());
    }

    fn end(&self) {
        let rooms = self.rooms.borrow().clone();
        rooms.iter().for_each(|room| room.disconnected());
    }

    fn message(&self, address: &Address, message: ServerMessage) {
        if let ServerMessage::Assigned { client } = message {
            if let Some(inner) = self.itself.upgrade() {
                spawn_local(async move {
                    inner.storage.wait().await.put_client(&inner.scope, client).await;
                    inner.assigned.notify();
                });
            }
            return;
        }
        match (address, message) {
            (_, ServerMessage::Stateless(json)) => self.hear_json(&json),
            (Address::Workshop(_), _) => {}
            (Address::Board(id), message) => {
                let room = self.rooms.borrow().iter().find(|room| room.kind() == id.kind).cloned();
                if let Some(room) = room {
                    room.hear(message);
                }
            }
        }
    }
}
