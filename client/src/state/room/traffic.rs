//! A board's conversation with the server, and who is at it.

use gloo_timers::callback::Timeout;
use shared::id::Millis;
use shared::limits;
use shared::wire::{ClientMessage, PresenceState, PresenceUser, ServerMessage};
use wasm_bindgen_futures::spawn_local;
use yrs::StateVector;
use yrs::updates::decoder::Decode;

use super::{Doing, Room, Stage};
use crate::platform;
use crate::state::project::set;
use crate::sync::doc::Document;
use crate::sync::outbox::{EditKey, own_clients};
use crate::sync::pieces::in_pieces;
use crate::sync::session::PASSING;

/// Shortest time between two messages with edits, in milliseconds; those in between go together. Well below the server's limit, and
/// nobody sees the difference.
const SEND_EVERY: Millis = 25;
/// Shortest time between two messages about presence.
const SAY_EVERY: Millis = 250;
/// When a board that the server closed is tried again.
const AGAIN_AFTER: u32 = 2_000;
/// Bytes of a difference past which it goes out in pieces. The server takes twice as much in one frame.
const PIECE: usize = limits::FRAME_BYTES / 2;

impl Room {
    /// The connection is there: asks to be let in.
    pub(in crate::state) fn enter(&self) {
        let wanted = self.wanted();
        let Some(cafe) = self.cafe().filter(|cafe| wanted && cafe.link.is_open()) else { return };
        cafe.make_room();
        self.stage.set(Stage::Asking);
        self.outbox.borrow_mut().reset();
        self.unsent.take();
        self.in_pieces.take();
        cafe.link.send(&self.address, cafe.link.auth());
        // Without waiting for the answer; the server keeps it until then.
        self.greet();
    }

    /// The café has changed: a refusal may no longer hold.
    pub(in crate::state) fn try_again(&self) {
        if self.stage.get() == Stage::Denied && (self.holders.get() > 0 || self.turn.get()) {
            self.enter();
        }
    }

    /// The connection is gone. Writing goes on.
    pub(in crate::state) fn disconnected(&self) {
        self.stage.set(Stage::Closed);
        self.rebuilt.set(false);
        self.outbox.borrow_mut().reset();
        self.unsent.take();
        self.presence.borrow_mut().clear();
        set(&self.peers, Vec::new());
    }

    pub(in crate::state) fn hear(&self, message: ServerMessage) {
        match message {
            ServerMessage::Authenticated { read_only } => {
                if self.stage.get() == Stage::Asking {
                    self.stage.set(Stage::Greeting);
                }
                set(&self.failed, None);
                self.set_read_only(read_only);
                self.say();
            }
            ServerMessage::Denied { reason } if PASSING.contains(&reason.as_str()) => self.closed(),
            ServerMessage::Denied { reason } => {
                self.stage.set(Stage::Denied);
                self.set_read_only(true);
                set(&self.failed, Some(reason));
                self.was_read();
            }
            ServerMessage::Step1 { state_vector } => self.answer(&state_vector),
            ServerMessage::Step2 { update } => {
                self.take_in(&update);
                if self.document.borrow().is_some() {
                    set(&self.loaded, true);
                    self.was_read();
                }
            }
            ServerMessage::Update { update } => self.take_in(&update),
            ServerMessage::DurableUpTo { n } => self.acknowledged(n),
            ServerMessage::Resync => self.begin_again(),
            ServerMessage::RoleChanged { read_only } => {
                let opened = self.read_only.get() && !read_only;
                self.set_read_only(read_only);
                if opened {
                    // What was written before it was closed to us goes out in answer to the server's Step1.
                    self.begin_again();
                } else {
                    self.outbox.borrow_mut().recall();
                }
            }
            ServerMessage::Awareness(bytes) => {
                if let Ok(entries) = shared::wire::presence::decode(&bytes)
                    && self.presence.borrow_mut().hear(entries)
                {
                    self.show_peers();
                }
            }
            ServerMessage::Close { .. } => self.closed(),
            ServerMessage::AskToken
            | ServerMessage::Stateless(_)
            | ServerMessage::SyncStatus(_)
            | ServerMessage::Assigned { .. } => {}
        }
    }

    fn set_read_only(&self, read_only: bool) {
        self.read_only.set(read_only);
        set(&self.writable, !read_only);
    }

    pub(super) fn may_send(&self) -> bool {
        self.stage.get() == Stage::Live && !self.read_only.get()
    }

    /// Says what we have; the server answers with what we lack, and with what it has.
    pub(super) fn greet(&self) {
        let Some(document) = self.document.borrow().clone() else { return };
        if let Some(cafe) = self.cafe() {
            cafe.link.send(&self.address, ClientMessage::Step1 { state_vector: document.state_vector() });
        }
    }

    /// Something of ours may have been refused on the way. The difference will hold it, and until that is sent nothing else is: its
    /// acknowledgement would be taken for theirs.
    fn begin_again(&self) {
        self.outbox.borrow_mut().recall();
        self.unsent.take();
        if self.stage.get() == Stage::Live {
            self.stage.set(Stage::Greeting);
        }
        self.greet();
    }

    /// The server says what it has: it gets everything that it lacks.
    fn answer(&self, state_vector: &[u8]) {
        let (Some(document), Some(cafe)) = (self.document.borrow().clone(), self.cafe()) else { return };
        self.stage.set(Stage::Live);
        // What is pending is offered also where we may only read: if the server has it already, it says so.
        let lacking = self.outbox.borrow().has_unsent() || (self.may_send() && document.is_ahead_of(state_vector));
        if !lacking {
            return;
        }
        // It is in the difference.
        self.unsent.take();
        self.claim(&document);
        if let Some(update) = document.diff(state_vector) {
            // What is held back for a gap is in no difference: its acknowledgement would be taken for theirs.
            if update.len() > PIECE || document.has_gap() {
                return self.send_in_pieces(state_vector.to_vec());
            }
            let n = self.outbox.borrow_mut().send_difference();
            self.sent_at.set(platform::now());
            cafe.link.send(&self.address, ClientMessage::Edit { n, update });
        }
    }

    /// Sends a difference that is larger than one message may be: hours of writing without a connection, or a few words and all that was
    /// ever taken away on this board. The edits themselves lie in storage, one by one.
    fn send_in_pieces(&self, state_vector: Vec<u8>) {
        let (Some(room), Some(cafe)) = (self.itself.upgrade(), self.cafe()) else { return };
        let Ok(theirs) = StateVector::decode_v1(&state_vector) else { return };
        // What is edited meanwhile follows when these are out.
        self.stage.set(Stage::Greeting);
        spawn_local(async move {
            let stored = cafe.storage.wait().await.board(&cafe.scope, &room.key).await;
            if room.stage.get() != Stage::Greeting {
                return;
            }
            let send = |keys: Option<&[EditKey]>, update| {
                let mut outbox = room.outbox.borrow_mut();
                let n = match keys {
                    Some(keys) => outbox.send_these(keys),
                    None => outbox.send_difference(),
                };
                drop(outbox);
                cafe.link.send(&room.address, ClientMessage::Edit { n, update });
            };
            let nothing_kept = stored.edits.is_empty();
            let pieces = in_pieces(stored.edits, &theirs, PIECE);
            if nothing_kept
                && let Some(whole) = room.document.borrow().as_ref().and_then(|document| document.diff(&state_vector))
            {
                // Nothing is kept on this device: then at once, or not at all.
                send(None, whole);
            }
            pieces.into_iter().for_each(|piece| send(Some(&piece.keys), piece.update));
            room.sent_at.set(platform::now());
            // Where the server has taken nothing since the last time, sending it all once more would not help either.
            let last = room.in_pieces.replace(Some(theirs));
            let again = room.outbox.borrow().has_unsent() && last != *room.in_pieces.borrow();
            if again {
                room.begin_again();
            } else {
                room.stage.set(Stage::Live);
            }
        });
    }

    /// Sends what was edited since; at once, if nothing was sent just before.
    pub(super) fn flush(&self) {
        if self.unsent.borrow().is_empty() || !self.may_send() || self.send_timer.borrow().is_some() {
            return;
        }
        let since = platform::now().saturating_sub(self.sent_at.get());
        if since < SEND_EVERY {
            let itself = self.itself.clone();
            let timer = Timeout::new((SEND_EVERY - since) as u32, move || {
                let Some(room) = itself.upgrade() else { return };
                room.send_timer.take();
                room.flush();
            });
            self.send_timer.replace(Some(timer));
            return;
        }
        let Some(cafe) = self.cafe() else { return };
        let mut updates = self.unsent.take();
        let update = match updates.len() {
            1 => updates.pop().unwrap_or_default(),
            _ => match yrs::merge_updates_v1(&updates) {
                Ok(update) => update,
                // Our own updates can always be merged; but if not, the difference does it.
                Err(_) => return self.begin_again(),
            },
        };
        self.sent_at.set(platform::now());
        let n = self.outbox.borrow_mut().send_next();
        cafe.link.send(&self.address, ClientMessage::Edit { n, update });
    }

    fn take_in(&self, update: &[u8]) {
        let Some(document) = self.document.borrow().clone() else { return };
        let good = document.apply(update).is_ok();
        self.settle(&document);
        if !good {
            self.rebuild();
        } else if document.has_gap() && self.stage.get() == Stage::Live {
            self.begin_again();
        }
    }

    /// The server has everything up to this number on its disk.
    fn acknowledged(&self, n: u64) {
        let Some(cafe) = self.cafe() else { return };
        let keys = self.outbox.borrow_mut().acknowledge(n);
        if keys.is_empty() {
            return;
        }
        cafe.count_unsaved();
        spawn_local(async move { cafe.storage.wait().await.remove_edits(&keys).await });
        if self.holders.get() == 0 && self.readers.get() == 0 {
            self.leave_soon();
        }
    }

    /// The server closed this board, for whatever reason; it may open it again.
    fn closed(&self) {
        self.disconnected();
        let itself = self.itself.clone();
        let timer = Timeout::new(AGAIN_AFTER, move || {
            let Some(room) = itself.upgrade() else { return };
            room.send_timer.take();
            if room.stage.get() == Stage::Closed {
                room.enter();
            }
        });
        self.send_timer.replace(Some(timer));
    }

    // -- Presence

    pub(in crate::state) fn set_doing(&self, doing: Doing) {
        let mut now = self.doing.borrow_mut();
        // Nobody does anything at a board that they have left.
        if now.as_ref().is_none_or(|now| *now == doing) {
            return;
        }
        *now = Some(doing);
        drop(now);
        self.say_soon();
    }

    pub(super) fn say_soon(&self) {
        if self.say_timer.borrow().is_some() {
            return;
        }
        let since = platform::now().saturating_sub(self.said_at.get());
        if since >= SAY_EVERY {
            self.say();
            return;
        }
        let itself = self.itself.clone();
        let timer = Timeout::new((SAY_EVERY - since) as u32, move || {
            let Some(room) = itself.upgrade() else { return };
            room.say_timer.take();
            room.say();
        });
        self.say_timer.replace(Some(timer));
    }

    pub(super) fn say(&self) {
        let known = matches!(self.stage.get(), Stage::Greeting | Stage::Live);
        let (Some(document), Some(cafe)) = (self.document.borrow().clone(), self.cafe()) else { return };
        if !known {
            return;
        }
        self.said_at.set(platform::now());
        let state = self.doing.borrow().clone().map(|Doing { editing, typing }| {
            let (id, name) = cafe.author();
            let user = PresenceUser { id, name, role: cafe.identity.role };
            PresenceState { user, editing, caret: None, typing }.to_value()
        });
        let bytes = self.presence.borrow_mut().say(document.client(), state);
        cafe.link.send(&self.address, ClientMessage::Awareness(bytes));
    }

    /// Says which client ids are ours: this document's, and those of earlier lives of the page whose edits still wait. The server may have been
    /// restored from a time before it gave us them, and then they are nobody's until we are present under them.
    fn claim(&self, document: &Document) {
        let Some(cafe) = self.cafe() else { return };
        self.say();
        let earlier = own_clients(self.outbox.borrow().keys(), document.client());
        if !earlier.is_empty() {
            let bytes = self.presence.borrow_mut().leave(&earlier);
            cafe.link.send(&self.address, ClientMessage::Awareness(bytes));
        }
    }

    fn show_peers(&self) {
        let own = self.document.borrow().as_ref().map(|document| document.client());
        let me = self.cafe().map(|cafe| cafe.author().0);
        set(&self.peers, self.presence.borrow().peers(own, me.as_ref()));
    }
}
