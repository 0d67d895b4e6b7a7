//! One connection as a state machine: pure, no I/O. What comes in is decided in [`Session::decide`], and nowhere else.
//!
//! Its rules:
//! 1. An address answers to nothing before its token was found good; what came earlier is held, and let out in order.
//! 2. The first good token must come within [`limits::AUTH_SECONDS`].
//! 3. A refused address costs that address; a bad frame costs the connection.
//! 4. Edits of an address are numbered upwards; only clients that call themselves `tablehop/1` number them.
//! 5. Who is silent is asked three times, then let go.
//! 6. What may wait for a token is bounded in bytes, what may come at all in number and bytes a second: every frame counts, also one that means
//!    nothing.

use std::sync::LazyLock;
use std::time::Duration;

use shared::limits;
use shared::wire::{Address, Addressed, CLIENT_VERSION, ClientFrame, ClientMessage, FrameError, ServerMessage};
use tokio::time::Instant;

use super::outbox::{End, Slot};
use super::rate::Bucket;
use crate::board::room::Ack;
use crate::config::for_tests;

/// After how much silence somebody is asked whether they are there. `TABLEHOP_PING_SECONDS` makes it short, so that tests see what follows.
static SPELL: LazyLock<Duration> = LazyLock::new(|| {
    let seconds = for_tests("TABLEHOP_PING_SECONDS").map_or(limits::PING_SECONDS, u64::from);
    Duration::from_secs(seconds)
});

/// Silent spells after which a connection is given up.
const SPELLS: u32 = 3;

/// What may be done on an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing any more, for this reason.
    None(&'static str),
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// What happens to a connection.
#[derive(Debug)]
pub enum Input {
    /// A frame arrived.
    Heard(Result<ClientFrame, FrameError>),
    /// Any other sign of life.
    Alive,
    /// The answer to [`Output::Authenticate`].
    Granted {
        /// Which address.
        slot: Slot,
        /// What may be done on it; [`Right::None`] denies it.
        right: Right,
    },
    /// What may be done on an open address now.
    Rights {
        /// Which address.
        slot: Slot,
        /// The right.
        right: Right,
    },
    /// Time has passed.
    Tick,
}

/// What is to be done about it, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Check a token and open the address; answer with [`Input::Granted`].
    Authenticate {
        /// Which address.
        slot: Slot,
        /// The address.
        to: Addressed,
        /// The token.
        token: String,
        /// Whether the client is ours.
        ours: bool,
    },
    /// Send a message.
    Send {
        /// Which address.
        slot: Slot,
        /// The address.
        to: Addressed,
        /// The message.
        message: ServerMessage,
    },
    /// Answer a Step1.
    Sync {
        /// Which address.
        slot: Slot,
        /// An encoded state vector, not looked into.
        state_vector: Vec<u8>,
    },
    /// Store an edit.
    Edit {
        /// Which address.
        slot: Slot,
        /// How to acknowledge it.
        ack: Ack,
        /// A v1 update, not looked into.
        update: Vec<u8>,
        /// Whether it may be written.
        allowed: bool,
        /// Whether the client is ours.
        ours: bool,
    },
    /// Pass on presence.
    Presence {
        /// Which address.
        slot: Slot,
        /// An awareness message, not looked into.
        presence: Vec<u8>,
    },
    /// Tell who is here.
    QueryPresence {
        /// Which address.
        slot: Slot,
    },
    /// The address is closed: leave its board.
    Leave {
        /// Which address.
        slot: Slot,
    },
    /// Ask for a sign of life.
    Ping,
    /// Answer a ping.
    Pong,
    /// Close the connection.
    End(End),
}

/// A connection's state.
#[derive(Debug)]
pub struct Session {
    addresses: Vec<Entry>,
    next_slot: Slot,
    /// Whether a token was found good.
    known: bool,
    opened: Instant,
    heard: Instant,
    /// Times asked since something was heard.
    asked: u32,
    /// Tokens that were tried before one was found good.
    tries: usize,
    /// Bytes of what waits for a token.
    held_bytes: usize,
    /// Frames of every kind: few before anybody is known.
    frames: Bucket,
    edits: Bucket,
    edit_bytes: Bucket,
    syncs: Bucket,
    presence: Bucket,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    to: Addressed,
    state: State,
}

/// Where an address stands.
#[derive(Debug)]
enum State {
    /// Something came before Auth.
    Waiting { held: Vec<ClientMessage> },
    /// The token is being checked.
    Checking { ours: bool, held: Vec<ClientMessage> },
    /// In use.
    Open {
        ours: bool,
        right: Right,
        /// The number of the last numbered edit.
        numbered: u64,
    },
}

const TOO_FAST: End = End { code: 4429, reason: "too_fast" };
const BAD_FRAME: End = End { code: 1002, reason: "bad_frame" };
const TOO_LARGE: End = End { code: 1009, reason: "too_large" };
pub(super) const NOT_AUTHENTICATED: End = End { code: 4408, reason: "not_authenticated" };
const SILENT: End = End { code: 4408, reason: "silent" };

impl Session {
    /// A connection that was just opened.
    pub fn new(now: Instant) -> Self {
        Self {
            // The café and one board; a vector would begin with room for twice as many.
            addresses: Vec::with_capacity(2),
            next_slot: 1,
            known: false,
            opened: now,
            heard: now,
            asked: 0,
            tries: 0,
            held_bytes: 0,
            frames: Bucket::new(0, limits::STRANGER_FRAMES, now),
            edits: Bucket::new(limits::EDITS_PER_SECOND, limits::EDITS_BURST, now),
            edit_bytes: Bucket::new(limits::EDIT_BYTES_PER_SECOND, limits::EDIT_BYTES_BURST, now),
            syncs: Bucket::new(limits::SYNCS_PER_SECOND, limits::SYNCS_BURST, now),
            presence: Bucket::new(limits::PRESENCE_PER_SECOND, limits::PRESENCE_BURST, now),
        }
    }

    /// When to send [`Input::Tick`] next.
    pub fn wake_at(&self) -> Instant {
        if self.known {
            self.heard + *SPELL * (self.asked + 1)
        } else {
            self.opened + Duration::from_secs(limits::AUTH_SECONDS)
        }
    }

    /// The one deciding function.
    pub fn decide(&mut self, now: Instant, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        if let Err(end) = self.step(now, input, &mut out) {
            out.push(Output::End(end));
        }
        out
    }

    /// The open addresses, with whether their client is ours and what may be done there.
    pub fn open(&self) -> impl Iterator<Item = (Slot, &Addressed, bool, Right)> {
        self.addresses.iter().filter_map(|entry| match entry.state {
            State::Open { ours, right, .. } => Some((entry.slot, &entry.to, ours, right)),
            _ => None,
        })
    }

    fn step(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) -> Result<(), End> {
        if matches!(input, Input::Heard(_) | Input::Alive) && !self.frames.take(now) {
            return Err(if self.known { TOO_FAST } else { NOT_AUTHENTICATED });
        }
        match input {
            Input::Heard(frame) => {
                self.alive(now);
                match frame.map_err(|error| end_for(&error))? {
                    ClientFrame::Ping if !self.edits.take(now) => return Err(TOO_FAST),
                    ClientFrame::Ping => out.push(Output::Pong),
                    ClientFrame::Pong => {}
                    ClientFrame::Message(to, message) => self.hear(now, to, message, out)?,
                }
            }
            // The library answers pings by itself, so they are counted like what we answer.
            Input::Alive if !self.edits.take(now) => return Err(TOO_FAST),
            Input::Alive => self.alive(now),
            Input::Granted { slot, right } => self.grant(now, slot, right, out)?,
            Input::Rights { slot, right } => self.change_right(slot, right, out),
            Input::Tick => self.tick(now, out)?,
        }
        Ok(())
    }

    fn alive(&mut self, now: Instant) {
        self.heard = now;
        self.asked = 0;
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Output>) -> Result<(), End> {
        if now < self.wake_at() {
            return Ok(());
        }
        if !self.known {
            return Err(NOT_AUTHENTICATED);
        }
        if self.asked == SPELLS {
            return Err(SILENT);
        }
        self.asked += 1;
        out.push(Output::Ping);
        Ok(())
    }

    fn hear(&mut self, now: Instant, to: Addressed, message: ClientMessage, out: &mut Vec<Output>) -> Result<(), End> {
        let index = self.addresses.iter().position(|entry| entry.to == to);
        if let ClientMessage::Auth { token, version } = message {
            if !self.edits.take(now) {
                return Err(TOO_FAST);
            }
            self.tries += usize::from(!self.known);
            if self.tries > limits::TOKENS_TRIED {
                return Err(NOT_AUTHENTICATED);
            }
            let ours = version.as_deref() == Some(CLIENT_VERSION);
            return self.authenticate(index, to, token, ours, out);
        }
        let Some(index) = index else {
            if message == ClientMessage::Close {
                return Ok(());
            }
            if self.addresses.len() > limits::BOARDS_PER_CONNECTION {
                return Err(TOO_FAST);
            }
            self.hold_bytes(weight(&message))?;
            let slot = self.new_slot()?;
            self.addresses.push(Entry { slot, to, state: State::Waiting { held: vec![message] } });
            return Ok(());
        };
        match &mut self.addresses[index].state {
            _ if message == ClientMessage::Close => {
                let entry = self.addresses.remove(index);
                if let State::Waiting { held } | State::Checking { held, .. } = &entry.state {
                    self.held_bytes -= held.iter().map(weight).sum::<usize>();
                }
                out.push(Output::Leave { slot: entry.slot });
                Ok(())
            }
            State::Waiting { held } | State::Checking { held, .. } => {
                if held.len() >= limits::FRAMES_BEFORE_AUTH {
                    return Err(NOT_AUTHENTICATED);
                }
                let bytes = weight(&message);
                held.push(message);
                self.hold_bytes(bytes)
            }
            State::Open { .. } => self.serve(now, index, message, out),
        }
    }

    fn hold_bytes(&mut self, bytes: usize) -> Result<(), End> {
        self.held_bytes += bytes;
        let most = if self.known { limits::BYTES_BEFORE_AUTH } else { limits::STRANGER_BYTES };
        if self.held_bytes > most { Err(NOT_AUTHENTICATED) } else { Ok(()) }
    }

    fn authenticate(
        &mut self,
        index: Option<usize>,
        to: Addressed,
        token: String,
        ours: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), End> {
        let mut held = Vec::new();
        if let Some(index) = index {
            let entry = self.addresses.remove(index);
            match entry.state {
                State::Waiting { held: waiting } => held = waiting,
                // A provider that was destroyed and made again on the same socket begins anew.
                State::Checking { held, .. } => {
                    self.held_bytes -= held.iter().map(weight).sum::<usize>();
                    out.push(Output::Leave { slot: entry.slot });
                }
                State::Open { .. } => out.push(Output::Leave { slot: entry.slot }),
            }
        }
        // One more than the boards: the workshop.
        if self.addresses.len() > limits::BOARDS_PER_CONNECTION {
            self.held_bytes -= held.iter().map(weight).sum::<usize>();
            let message = ServerMessage::Denied { reason: "too_many_boards".to_owned() };
            out.push(Output::Send { slot: 0, to, message });
            return Ok(());
        }
        let is_other_session =
            |entry: &&Entry| entry.to.address == to.address && !matches!(entry.state, State::Waiting { .. });
        if self.addresses.iter().filter(is_other_session).count() >= limits::SESSIONS_PER_BOARD {
            self.held_bytes -= held.iter().map(weight).sum::<usize>();
            let message = ServerMessage::Denied { reason: "too_many_sessions".to_owned() };
            out.push(Output::Send { slot: 0, to, message });
            return Ok(());
        }
        let slot = self.new_slot()?;
        self.addresses.push(Entry { slot, to: to.clone(), state: State::Checking { ours, held } });
        out.push(Output::Authenticate { slot, to, token, ours });
        Ok(())
    }

    fn grant(&mut self, now: Instant, slot: Slot, right: Right, out: &mut Vec<Output>) -> Result<(), End> {
        let Some(index) = self.addresses.iter().position(|entry| entry.slot == slot) else {
            // Closed by the client while its token was being checked.
            out.push(Output::Leave { slot });
            return Ok(());
        };
        let State::Checking { ours, held } = &mut self.addresses[index].state else { return Ok(()) };
        let (ours, held) = (*ours, std::mem::take(held));
        self.held_bytes -= held.iter().map(weight).sum::<usize>();
        if let Right::None(reason) = right {
            let entry = self.addresses.remove(index);
            let message = ServerMessage::Denied { reason: reason.to_owned() };
            out.push(Output::Send { slot, to: entry.to, message });
            return Ok(());
        }
        if !self.known {
            self.known = true;
            self.frames = Bucket::new(limits::FRAMES_PER_SECOND, limits::FRAMES_BURST, now);
            self.alive(now);
        }
        self.addresses[index].state = State::Open { ours, right, numbered: 0 };
        for message in held {
            // An address may close itself in what was held.
            if let Some(index) = self.addresses.iter().position(|entry| entry.slot == slot) {
                self.serve(now, index, message, out)?;
            }
        }
        Ok(())
    }

    fn change_right(&mut self, slot: Slot, new: Right, out: &mut Vec<Output>) {
        let Some(index) = self.addresses.iter().position(|entry| entry.slot == slot) else { return };
        let entry = &mut self.addresses[index];
        let State::Open { ours, right, .. } = &mut entry.state else { return };
        if *right == new {
            return;
        }
        *right = new;
        let to = entry.to.clone();
        match new {
            Right::None(reason) => {
                self.addresses.remove(index);
                out.push(Output::Leave { slot });
                out.push(Output::Send { slot, to, message: ServerMessage::Close { reason: reason.to_owned() } });
            }
            Right::Read | Right::Write if *ours => {
                let message = ServerMessage::RoleChanged { read_only: new == Right::Read };
                out.push(Output::Send { slot, to, message });
            }
            // Others cannot be told, but asked for what was not taken meanwhile: after all we have, our Step1 follows.
            Right::Write if matches!(to.address, Address::Board(_)) => {
                out.push(Output::Sync { slot, state_vector: vec![0] });
            }
            // They learn it when their next edit is refused.
            Right::Read | Right::Write => {}
        }
    }

    /// A message on an open address.
    fn serve(&mut self, now: Instant, index: usize, message: ClientMessage, out: &mut Vec<Output>) -> Result<(), End> {
        let is_presence = matches!(message, ClientMessage::Awareness(_));
        if is_presence {
            // Nothing is lost with a caret that is a moment late: what is too much is passed over.
            if !self.presence.take(now) {
                return Ok(());
            }
        } else {
            let asks_for_all = matches!(message, ClientMessage::Step1 { .. });
            let may = self.edits.take(now)
                && self.edit_bytes.take_many(now, weight(&message))
                && (!asks_for_all || self.syncs.take(now));
            if !may {
                return Err(TOO_FAST);
            }
        }
        let entry = &mut self.addresses[index];
        let slot = entry.slot;
        let State::Open { ours, right, numbered } = &mut entry.state else { return Ok(()) };
        let (ours, allowed) = (*ours, *right == Right::Write);
        if matches!(entry.to.address, Address::Workshop(_)) {
            // A workshop is no document: the server alone writes it.
            if let ClientMessage::Step2 { .. } | ClientMessage::Update { .. } = message {
                out.push(Output::Send { slot, to: entry.to.clone(), message: ServerMessage::SyncStatus(false) });
            }
            return Ok(());
        }
        match message {
            ClientMessage::Step1 { state_vector } => out.push(Output::Sync { slot, state_vector }),
            ClientMessage::Step2 { update } | ClientMessage::Update { update } => {
                out.push(Output::Edit { slot, ack: Ack::Status, update, allowed, ours });
            }
            ClientMessage::Edit { n, update } => {
                if !ours || n <= *numbered {
                    return Err(End { code: 1002, reason: "bad_edit_number" });
                }
                *numbered = n;
                out.push(Output::Edit { slot, ack: Ack::Number(n), update, allowed, ours });
            }
            ClientMessage::Awareness(presence) => out.push(Output::Presence { slot, presence }),
            ClientMessage::QueryAwareness => out.push(Output::QueryPresence { slot }),
            ClientMessage::Close => {
                self.addresses.remove(index);
                out.push(Output::Leave { slot });
            }
            ClientMessage::Stateless(_) | ClientMessage::Auth { .. } => {}
        }
        Ok(())
    }

    fn new_slot(&mut self) -> Result<Slot, End> {
        let slot = self.next_slot;
        // A connection that opens addresses without end begins anew.
        self.next_slot = slot.checked_add(1).ok_or(TOO_FAST)?;
        Ok(slot)
    }
}

/// Bytes of a message's payload: what holding it costs.
fn weight(message: &ClientMessage) -> usize {
    match message {
        ClientMessage::Step1 { state_vector: bytes }
        | ClientMessage::Step2 { update: bytes }
        | ClientMessage::Update { update: bytes }
        | ClientMessage::Edit { update: bytes, .. }
        | ClientMessage::Awareness(bytes) => bytes.len(),
        ClientMessage::Stateless(text) => text.len(),
        ClientMessage::Auth { .. } | ClientMessage::QueryAwareness | ClientMessage::Close => 0,
    }
}

fn end_for(error: &FrameError) -> End {
    match error {
        FrameError::TooLong(_) => TOO_LARGE,
        _ => BAD_FRAME,
    }
}

#[cfg(test)]
mod tests;
