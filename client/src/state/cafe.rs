//! Everything live about one café: the view that the server sends, the clock, the connection, and its boards.

mod inner;
mod reach;
mod turns;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use shared::id::{ActorId, BoardKind, Millis, WorkshopId};
use shared::workshop::view::Me;
use shared::workshop::{Command, Phase, View};
use wasm_bindgen_futures::spawn_local;

pub(super) use self::inner::Inner;
use super::board::Board;
use super::identity::Identity;
use crate::api::{self, ApiError};
use crate::i18n::use_i18n;
use crate::ui::toast::{ToastKind, toast};

/// How the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// For the first time.
    Connecting,
    /// Everything goes through.
    Online,
    /// Lost, or never had; writing goes on, and it is tried again for ever.
    Offline {
        /// Since when, by the server's clock.
        since: Millis,
    },
    /// The server refused the token; only the person can mend that.
    Denied {
        /// Why, as a code for [`ApiError::of`].
        code: String,
    },
    /// Not wanted any more.
    Closed,
}

/// A handle of an open café; it may be copied freely and provided as a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cafe {
    index: usize,
}

thread_local! {
    /// Every café that this page ever opened; handles are places in it. There are few, and a closed one is small.
    static CAFES: RefCell<Vec<Rc<Inner>>> = const { RefCell::new(Vec::new()) };
}

impl Cafe {
    /// Opens a café for the component that calls; it is closed some time after the last such component has gone, and never
    /// before everything written is acknowledged. Two components with one identity share one connection.
    pub fn open(identity: Identity) -> Self {
        let i18n = use_i18n();
        let cafe = CAFES.with_borrow_mut(|cafes| {
            let same = |inner: &Rc<Inner>| {
                inner.identity.token == identity.token && inner.identity.workshop == identity.workshop
            };
            let index = cafes.iter().position(same).unwrap_or_else(|| {
                cafes.push(Inner::new(identity, i18n));
                cafes.len() - 1
            });
            Self { index }
        });
        cafe.inner().hold();
        on_cleanup(move || {
            if let Some(inner) = cafe.try_inner() {
                inner.release();
            }
        });
        cafe
    }

    /// The café that a shell has provided.
    pub fn expect() -> Self {
        expect_context()
    }

    pub(super) fn inner(self) -> Rc<Inner> {
        // Handles are only made by `open`, and the list only grows.
        CAFES.with_borrow(|cafes| cafes[self.index].clone())
    }

    pub(super) fn try_inner(self) -> Option<Rc<Inner>> {
        CAFES.try_with(|cafes| cafes.try_borrow().ok()?.get(self.index).cloned()).ok().flatten()
    }

    /// The last view; none until the first one came, or the one kept on this device was read. Components should rather use
    /// [`Cafe::memo`].
    pub fn view(self) -> Signal<Option<View>> {
        self.inner().view.clone().into()
    }

    /// A part of the view that wakes its readers only when it changes.
    pub fn memo<T>(self, f: impl Fn(&View) -> T + Send + Sync + 'static) -> Memo<Option<T>>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        let view = self.inner().view.clone();
        Memo::new(move |_| view.with(|view| view.as_ref().map(&f)))
    }

    /// How the connection stands.
    pub fn connection(self) -> Signal<Connection> {
        self.inner().connection.clone().into()
    }

    /// The code that says why the server does not let this person in, or not any more.
    pub fn denied(self) -> Memo<Option<String>> {
        let connection = self.connection();
        Memo::new(move |_| match connection.get() {
            Connection::Denied { code } => Some(code),
            _ => None,
        })
    }

    /// Edits that the server has not on its disk yet, over all boards.
    pub fn unsaved(self) -> Signal<usize> {
        self.inner().unsaved.clone().into()
    }

    /// The server's time, as well as it is known.
    pub fn server_now(self) -> Millis {
        self.inner().server_now()
    }

    /// The server's time, moving four times a second at the same moments on all screens.
    pub fn tick(self) -> Signal<Millis> {
        self.inner().tick().into()
    }

    /// Asks something of the café; a refusal is shown as a message.
    pub fn command(self, command: Command) {
        spawn_local(async move {
            if let Err(error) = self.try_command(command).await {
                toast(ToastKind::Bad, error.text(self.inner().i18n));
            }
        });
    }

    /// Asks something of the café.
    pub async fn try_command(self, command: Command) -> Result<(), ApiError> {
        let inner = self.inner();
        api::command(&inner.identity.workshop, &inner.identity.token, &command).await
    }

    /// Who one is here; none until the first view came.
    pub fn me(self) -> Signal<Option<Me>> {
        self.inner().me.clone().into()
    }

    /// With which identity it was opened.
    pub fn identity(self) -> Identity {
        self.inner().identity.clone()
    }

    /// Which café it is.
    pub fn workshop(self) -> WorkshopId {
        self.inner().identity.workshop.clone()
    }

    /// Opens a board for the component that calls, or shares it if it is open. Left boards are synchronised until everything is
    /// acknowledged.
    pub fn board(self, kind: BoardKind) -> Board {
        let inner = self.inner();
        let index = inner.room_of(kind);
        let board = Board { cafe: self, index };
        inner.room(index).hold();
        if Owner::current().is_some() {
            on_cleanup(move || {
                if let Some(room) = board.try_room() {
                    room.release();
                }
            });
        }
        board
    }

    /// Opens a board for reading alone. In a café with more tables than a connection may have boards open these are read in turns:
    /// each shows what it last knew, and is looked at again from time to time.
    pub fn read_board(self, kind: BoardKind) -> Board {
        let inner = self.inner();
        let index = inner.room_of(kind);
        let board = Board { cafe: self, index };
        inner.room(index).look();
        if Owner::current().is_some() {
            on_cleanup(move || {
                if let Some(room) = board.try_room() {
                    room.look_away();
                }
            });
        }
        board
    }

    pub(super) fn author(self) -> (ActorId, String) {
        self.inner().author()
    }

    pub(super) fn round(self) -> Option<u8> {
        self.inner().view.with_untracked(|view| {
            let view = view.as_ref().filter(|view| view.phase == Phase::Rounds)?;
            view.round.as_ref().map(|round| round.index)
        })
    }
}
