//! One connection as a state machine: pure, no I/O. What comes in is decided in [`Session::decide`], and nowhere else.
//!
//! Its rules:
//! 1. An address answers to nothing before its token was found good; what came earlier is held, and let out in order.
//! 2. The first good token must come within [`limits::AUTH_SECONDS`].
//! 3. A refused address costs that address; a bad frame costs the connection.
//! 4. Edits of an address are numbered upwards; only clients that call themselves `tablehop/1` number them.
//! 5. Who is silent is asked three times, then let go.

use std::time::Duration;

use shared::limits;
use shared::wire::{Address, Addressed, CLIENT_VERSION, ClientFrame, ClientMessage, FrameError, ServerMessage};
use tokio::time::Instant;

use super::outbox::{End, Slot};
use super::rate::Bucket;
use crate::board::room::Ack;

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
        /// Whether the client is ours.
        ours: bool,
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
    edits: Bucket,
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
const NOT_AUTHENTICATED: End = End { code: 4408, reason: "not_authenticated" };
const SILENT: End = End { code: 4408, reason: "silent" };

impl Session {
    /// A connection that was just opened.
    pub fn new(now: Instant) -> Self {
        Self {
            addresses: Vec::new(),
            next_slot: 1,
            known: false,
            opened: now,
            heard: now,
            asked: 0,
            edits: Bucket::new(limits::EDITS_PER_SECOND, limits::EDITS_BURST, now),
            presence: Bucket::new(limits::PRESENCE_PER_SECOND, 5 * limits::PRESENCE_PER_SECOND, now),
        }
    }

    /// When to send [`Input::Tick`] next.
    pub fn wake_at(&self) -> Instant {
        if self.known {
            self.heard + Duration::from_secs(limits::PING_SECONDS) * (self.asked + 1)
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
        match input {
            Input::Heard(frame) => {
                self.alive(now);
                match frame.map_err(|error| end_for(&error))? {
                    ClientFrame::Ping => out.push(Output::Pong),
                    ClientFrame::Pong => {}
                    ClientFrame::Message(to, message) => self.hear(now, to, message, out)?,
                }
            }
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
            let slot = self.new_slot()?;
            self.addresses.push(Entry { slot, to, state: State::Waiting { held: vec![message] } });
            return Ok(());
        };
        match &mut self.addresses[index].state {
            _ if message == ClientMessage::Close => {
                let entry = self.addresses.remove(index);
                out.push(Output::Leave { slot: entry.slot });
                Ok(())
            }
            State::Waiting { held } | State::Checking { held, .. } => {
                if held.len() >= limits::FRAMES_BEFORE_AUTH {
                    return Err(NOT_AUTHENTICATED);
                }
                held.push(message);
                Ok(())
            }
            State::Open { .. } => self.serve(now, index, message, out),
        }
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
                State::Checking { .. } | State::Open { .. } => out.push(Output::Leave { slot: entry.slot }),
            }
        }
        // One more than the boards: the workshop.
        if self.addresses.len() > limits::BOARDS_PER_CONNECTION {
            let message = ServerMessage::Denied { reason: "too_many_boards".to_owned() };
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
        if let Right::None(reason) = right {
            let entry = self.addresses.remove(index);
            let message = ServerMessage::Denied { reason: reason.to_owned() };
            out.push(Output::Send { slot, to: entry.to, message });
            return Ok(());
        }
        if !self.known {
            self.known = true;
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
            // Others learn it when their next edit is refused.
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
        } else if !self.edits.take(now) {
            return Err(TOO_FAST);
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
            ClientMessage::Awareness(presence) => out.push(Output::Presence { slot, presence, ours }),
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

fn end_for(error: &FrameError) -> End {
    match error {
        FrameError::TooLong(_) => TOO_LARGE,
        _ => BAD_FRAME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &str = "board/abc.t1";

    struct Client {
        session: Session,
        now: Instant,
    }

    impl Client {
        fn new() -> Self {
            let now = Instant::now();
            Self { session: Session::new(now), now }
        }

        fn does(&mut self, input: Input) -> Vec<Output> {
            self.session.decide(self.now, input)
        }

        fn says(&mut self, to: &str, message: ClientMessage) -> Vec<Output> {
            self.does(Input::Heard(Ok(ClientFrame::Message(at(to), message))))
        }

        fn opens(to: &str, right: Right) -> Self {
            let mut client = Self::new();
            client.says(to, auth());
            client.does(Input::Granted { slot: 1, right });
            client
        }

        fn waits(&mut self, seconds: u64) -> Vec<Output> {
            self.now += Duration::from_secs(seconds);
            self.does(Input::Tick)
        }
    }

    fn at(to: &str) -> Addressed {
        to.parse::<Address>().expect("an address").into()
    }

    fn auth() -> ClientMessage {
        ClientMessage::Auth { token: "t".into(), version: Some(CLIENT_VERSION.to_owned()) }
    }

    fn step1() -> ClientMessage {
        ClientMessage::Step1 { state_vector: vec![0] }
    }

    fn edit(n: u64) -> ClientMessage {
        ClientMessage::Edit { n, update: vec![0, 0] }
    }

    fn ends(out: &[Output]) -> Option<u16> {
        match out.last() {
            Some(Output::End(end)) => Some(end.code),
            _ => None,
        }
    }

    #[test]
    fn what_comes_before_the_token_is_held_and_let_out_in_order() {
        let mut client = Client::new();
        assert_eq!(client.says(BOARD, step1()), []);
        let out = client.says(BOARD, auth());
        assert_eq!(out, [Output::Authenticate { slot: 2, to: at(BOARD), token: "t".into(), ours: true }]);
        assert_eq!(client.says(BOARD, ClientMessage::QueryAwareness), []);
        let out = client.does(Input::Granted { slot: 2, right: Right::Write });
        assert_eq!(out, [Output::Sync { slot: 2, state_vector: vec![0] }, Output::QueryPresence { slot: 2 }]);
    }

    #[test]
    fn only_a_few_frames_are_held() {
        let mut client = Client::new();
        for _ in 0..limits::FRAMES_BEFORE_AUTH {
            assert_eq!(client.says(BOARD, step1()), []);
        }
        assert_eq!(ends(&client.says(BOARD, step1())), Some(4408));
    }

    #[test]
    fn a_refused_address_costs_that_address() {
        let mut client = Client::opens(BOARD, Right::Write);
        client.says("board/abc.t2", auth());
        let out = client.does(Input::Granted { slot: 2, right: Right::None("not_seated") });
        let denied = ServerMessage::Denied { reason: "not_seated".into() };
        assert_eq!(out, [Output::Send { slot: 2, to: at("board/abc.t2"), message: denied }]);
        assert!(matches!(client.says(BOARD, edit(1))[..], [Output::Edit { slot: 1, ack: Ack::Number(1), .. }]));
        // It may be tried again.
        assert!(matches!(client.says("board/abc.t2", auth())[..], [Output::Authenticate { slot: 3, .. }]));
    }

    #[test]
    fn a_bad_frame_costs_the_connection() {
        for (error, code) in [(FrameError::UnknownType(6), 1002), (FrameError::TooLong("presence"), 1009)] {
            let mut client = Client::opens(BOARD, Right::Write);
            assert_eq!(ends(&client.does(Input::Heard(Err(error)))), Some(code));
        }
    }

    #[test]
    fn the_first_good_token_must_come_in_time() {
        let mut client = Client::new();
        client.says(BOARD, auth());
        client.does(Input::Granted { slot: 1, right: Right::None("bad_token") });
        assert_eq!(client.waits(limits::AUTH_SECONDS - 1), []);
        assert_eq!(ends(&client.waits(1)), Some(4408));
        let mut client = Client::opens(BOARD, Right::Read);
        assert_eq!(client.waits(limits::AUTH_SECONDS), []);
    }

    #[test]
    fn who_is_silent_is_asked_three_times_and_let_go() {
        let mut client = Client::opens(BOARD, Right::Read);
        for _ in 0..SPELLS {
            assert_eq!(client.waits(limits::PING_SECONDS), [Output::Ping]);
        }
        assert_eq!(ends(&client.waits(limits::PING_SECONDS)), Some(4408));
        let mut client = Client::opens(BOARD, Right::Read);
        client.waits(limits::PING_SECONDS);
        client.does(Input::Alive);
        assert_eq!(client.waits(1), []);
        assert_eq!(client.session.wake_at(), client.now + Duration::from_secs(limits::PING_SECONDS - 1));
    }

    #[test]
    fn edits_are_numbered_upwards_and_only_by_our_clients() {
        let mut client = Client::opens(BOARD, Right::Write);
        client.says(BOARD, edit(1));
        assert_eq!(ends(&client.says(BOARD, edit(1))), Some(1002));
        let mut stranger = Client::new();
        stranger.says(BOARD, ClientMessage::Auth { token: "t".into(), version: None });
        stranger.does(Input::Granted { slot: 1, right: Right::Write });
        assert_eq!(ends(&stranger.says(BOARD, edit(1))), Some(1002));
    }

    #[test]
    fn a_right_that_is_taken_away_is_told() {
        let mut client = Client::opens(BOARD, Right::Write);
        let role =
            |read_only| Output::Send { slot: 1, to: at(BOARD), message: ServerMessage::RoleChanged { read_only } };
        let right = |right| Input::Rights { slot: 1, right };
        assert_eq!(client.does(right(Right::Write)), []);
        assert_eq!(client.does(right(Right::Read)), [role(true)]);
        assert!(matches!(client.says(BOARD, edit(1))[..], [Output::Edit { allowed: false, .. }]));
        assert_eq!(client.does(right(Right::Write)), [role(false)]);
        let close = ServerMessage::Close { reason: "not_seated".into() };
        assert_eq!(
            client.does(right(Right::None("not_seated"))),
            [Output::Leave { slot: 1 }, Output::Send { slot: 1, to: at(BOARD), message: close }]
        );
        // The address is closed, the connection is not: what comes now waits for a token.
        assert_eq!(client.says(BOARD, edit(2)), []);
    }

    #[test]
    fn who_writes_too_fast_is_let_go_and_carets_are_passed_over() {
        let mut client = Client::opens(BOARD, Right::Write);
        let presence = || ClientMessage::Awareness(vec![0]);
        let passed = (0..1_000).filter(|_| !client.says(BOARD, presence()).is_empty()).count();
        assert_eq!(passed, 5 * limits::PRESENCE_PER_SECOND as usize);
        let mut codes = (1..=u64::from(limits::EDITS_BURST) + 1).map(|n| ends(&client.says(BOARD, edit(n))));
        assert_eq!(codes.find_map(|code| code), Some(4429));
    }

    #[test]
    fn nobody_writes_a_workshop_but_the_server() {
        let mut client = Client::opens("workshop/abc", Right::Write);
        let out = client.says("workshop/abc", ClientMessage::Update { update: vec![0, 0] });
        assert!(matches!(&out[..], [Output::Send { message: ServerMessage::SyncStatus(false), .. }]));
        assert_eq!(client.says("workshop/abc", step1()), []);
    }

    #[test]
    fn a_connection_has_so_many_boards() {
        let mut client = Client::new();
        for table in 1..=limits::BOARDS_PER_CONNECTION + 1 {
            assert_eq!(client.says(&format!("board/abc.t{table}"), auth()).len(), 1);
        }
        let out = client.says("board/abc.t999", auth());
        assert!(matches!(&out[..], [Output::Send { message: ServerMessage::Denied { .. }, .. }]));
    }
}
