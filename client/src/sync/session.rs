//! When to connect, to wait and to give up: a pure state machine. [`Session::handle`] is its one deciding function; time and chance
//! are passed in, and what is to be done comes out as [`Output`]s.
//!
//! 1. At most one socket is open, and at most one timer runs; a new [`Output::Wait`] replaces the last.
//! 2. A lost connection is tried again for ever, each time after a longer wait (0.3 s to 10 s, jittered so that a room full of
//!    phones does not return in step), and at once when the browser is woken or finds a network.
//! 3. A refused token is never tried again: only the person can mend that.
//! 4. A connection that fell silent is asked for a sign of life before it is given up: phones freeze sockets without closing them.

/// Shortest wait before connecting again, in milliseconds.
const WAIT_MIN: u32 = 300;
/// Longest wait.
const WAIT_MAX: u32 = 10_000;
/// Wait after the server said that we were too fast, or sent too much.
const WAIT_REBUKED: u32 = 5_000;
/// How long opening the socket, or the answer to the token, may take.
const PATIENCE: u32 = 10_000;
/// Silence after which a sign of life is asked for. The server sends one every 20 s.
const SILENCE: u32 = 30_000;
/// How long the sign of life may take.
const SIGN_OF_LIFE: u32 = 3_000;

/// Reasons for a refusal that say nothing about the token.
pub const PASSING: [&str; 5] =
    ["store_unavailable", "unavailable", "server_full", "too_many_boards", "too_many_sessions"];

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started, or stopped by its owner.
    Stopped,
    /// Between two attempts.
    Waiting,
    /// The socket is being opened.
    Connecting,
    /// The socket is open, the token sent.
    Greeting,
    /// Authenticated.
    Online {
        /// Whether something came since the last look.
        heard: bool,
    },
    /// Authenticated, but silent; a sign of life was asked for.
    Doubtful,
    /// The token was refused, for this reason. For good.
    Refused(String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The owner wants to be connected.
    Start,
    /// The owner does not want to be connected any more.
    Stop,
    /// The socket is open.
    Opened,
    /// The server accepted the token.
    Accepted,
    /// The server refused the token.
    Denied(String),
    /// The socket was closed, with this close code.
    Lost(u16),
    /// A frame came.
    Heard,
    /// The page came to the front, or the browser found or lost a network.
    Woken,
    /// The timer of the last [`Output::Wait`] ran out.
    TimeUp,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a socket.
    Connect,
    /// Close the socket; nothing that it still says counts.
    Disconnect,
    /// Send the token for the workshop.
    Greet,
    /// Authenticated: open the boards.
    Begin,
    /// Ask for a sign of life.
    Ping,
    /// Call back with [`Input::TimeUp`] after so many milliseconds, instead of any earlier timer.
    Wait(u32),
}

/// The machine.
#[derive(Debug)]
pub struct Session {
    state: State,
    failures: u32,
}

impl Default for Session {
    fn default() -> Self {
        Self { state: State::Stopped, failures: 0 }
    }
}

impl Session {
    /// Where the connection stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Attempts that failed since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes in what happened and says what is to be done. `chance` is a random number in [0, 1).
    pub fn handle(&mut self, input: Input, chance: f64) -> Vec<Output> {
        match (&self.state, input) {
            (State::Stopped | State::Refused(_), Input::Start) => {
                self.failures = 0;
                self.connect()
            }
            (State::Stopped, _) => Vec::new(),
            (_, Input::Stop) => self.end(State::Stopped),
            (State::Refused(_), _) | (_, Input::Start) => Vec::new(),

            (_, Input::Denied(reason)) if PASSING.contains(&reason.as_str()) => self.give_up(chance),
            (_, Input::Denied(reason)) => self.end(State::Refused(reason)),
            (State::Waiting, Input::Woken | Input::TimeUp) => self.connect(),
            (State::Waiting, _) => Vec::new(),

            (_, Input::Lost(code)) => self.lost(code, chance),
            (State::Connecting, Input::Opened) => {
                self.state = State::Greeting;
                vec![Output::Greet, Output::Wait(PATIENCE)]
            }
            (State::Greeting, Input::Accepted) => {
                self.state = State::Online { heard: true };
                self.failures = 0;
                vec![Output::Begin, Output::Wait(SILENCE)]
            }
            (State::Connecting | State::Greeting | State::Doubtful, Input::TimeUp) => self.give_up(chance),
            (State::Online { heard: true }, Input::TimeUp) => {
                self.state = State::Online { heard: false };
                vec![Output::Wait(SILENCE)]
            }
            (State::Online { heard: false }, Input::TimeUp) | (State::Online { .. }, Input::Woken) => {
                self.state = State::Doubtful;
                vec![Output::Ping, Output::Wait(SIGN_OF_LIFE)]
            }
            (State::Online { .. }, Input::Heard) => {
                self.state = State::Online { heard: true };
                Vec::new()
            }
            (State::Doubtful, Input::Heard) => {
                self.state = State::Online { heard: true };
                vec![Output::Wait(SILENCE)]
            }
            _ => Vec::new(),
        }
    }

    fn connect(&mut self) -> Vec<Output> {
        self.state = State::Connecting;
        vec![Output::Connect, Output::Wait(PATIENCE)]
    }

    fn end(&mut self, state: State) -> Vec<Output> {
        self.state = state;
        vec![Output::Disconnect]
    }

    fn give_up(&mut self, chance: f64) -> Vec<Output> {
        let mut outputs = vec![Output::Disconnect];
        outputs.extend(self.fail(0, chance));
        outputs
    }

    fn lost(&mut self, code: u16, chance: f64) -> Vec<Output> {
        match code {
            4401 => self.end(State::Refused("unauthorised".to_owned())),
            4403 => self.end(State::Refused("forbidden".to_owned())),
            // The server restarts: it will be back in a moment, and everybody comes at once.
            1012 => {
                self.failures = 0;
                self.fail(0, chance)
            }
            1009 | 4429 => self.fail(WAIT_REBUKED, chance),
            _ => self.fail(0, chance),
        }
    }

    fn fail(&mut self, least: u32, chance: f64) -> Vec<Output> {
        let ceiling = WAIT_MIN.saturating_mul(2_u32.saturating_pow(self.failures + 1)).clamp(2 * WAIT_MIN, WAIT_MAX);
        self.failures = (self.failures + 1).min(16);
        self.state = State::Waiting;
        // Between half and the whole of the ceiling.
        let wait = ceiling / 2 + (f64::from(ceiling / 2) * chance) as u32;
        vec![Output::Wait(wait.max(least))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn online() -> Session {
        let mut session = Session::default();
        assert_eq!(session.handle(Input::Start, 0.0), [Output::Connect, Output::Wait(PATIENCE)]);
        assert_eq!(session.handle(Input::Opened, 0.0), [Output::Greet, Output::Wait(PATIENCE)]);
        assert_eq!(session.handle(Input::Accepted, 0.0), [Output::Begin, Output::Wait(SILENCE)]);
        session
    }

    fn wait(outputs: &[Output]) -> u32 {
        match outputs {
            [.., Output::Wait(ms)] => *ms,
            other => panic!("no wait in {other:?}"),
        }
    }

    #[test]
    fn waits_grow_up_to_ten_seconds_and_start_anew_after_success() {
        let mut session = online();
        let mut waits = Vec::new();
        for _ in 0..8 {
            waits.push(wait(&session.handle(Input::Lost(1006), 0.0)));
            session.handle(Input::TimeUp, 0.0);
        }
        assert_eq!(waits, [300, 600, 1_200, 2_400, 4_800, 5_000, 5_000, 5_000]);
        session.handle(Input::Opened, 0.0);
        session.handle(Input::Accepted, 0.0);
        assert_eq!(wait(&session.handle(Input::Lost(1006), 0.99)), 597);
    }

    #[test]
    fn chance_spreads_the_wait() {
        let longest = {
            let mut session = online();
            for _ in 0..20 {
                session.handle(Input::Lost(1006), 0.5);
                session.handle(Input::TimeUp, 0.5);
            }
            wait(&session.handle(Input::Lost(1006), 0.999_999))
        };
        assert!((9_900..=10_000).contains(&longest), "{longest}");
    }

    #[test]
    fn a_woken_browser_connects_at_once() {
        let mut session = online();
        for _ in 0..6 {
            session.handle(Input::Lost(1006), 0.0);
            session.handle(Input::TimeUp, 0.0);
        }
        session.handle(Input::Lost(1006), 0.0);
        assert_eq!(session.handle(Input::Woken, 0.0), [Output::Connect, Output::Wait(PATIENCE)]);
        assert_eq!(session.handle(Input::Woken, 0.0), [], "one attempt at a time");
    }

    #[test]
    fn a_refused_token_is_not_tried_again() {
        for lost in [4401, 4403] {
            let mut session = online();
            assert_eq!(session.handle(Input::Lost(lost), 0.0), [Output::Disconnect]);
            for input in [Input::Woken, Input::TimeUp, Input::Opened, Input::Lost(1006)] {
                assert_eq!(session.handle(input, 0.0), []);
            }
            assert!(matches!(session.state(), State::Refused(_)));
        }
        let mut session = online();
        assert_eq!(session.handle(Input::Denied("bad_token".to_owned()), 0.0), [Output::Disconnect]);
        assert_eq!(*session.state(), State::Refused("bad_token".to_owned()));
        assert_eq!(
            session.handle(Input::Start, 0.0),
            [Output::Connect, Output::Wait(PATIENCE)],
            "the person tries again"
        );
    }

    #[test]
    fn a_server_in_trouble_is_tried_again() {
        let mut session = Session::default();
        session.handle(Input::Start, 0.0);
        session.handle(Input::Opened, 0.0);
        let outputs = session.handle(Input::Denied("store_unavailable".to_owned()), 0.0);
        assert_eq!(outputs, [Output::Disconnect, Output::Wait(300)]);
        assert_eq!(session.handle(Input::TimeUp, 0.0)[0], Output::Connect);
    }

    #[test]
    fn a_restarting_server_is_met_soon() {
        let mut session = online();
        for _ in 0..6 {
            session.handle(Input::Lost(1006), 0.0);
            session.handle(Input::TimeUp, 0.0);
        }
        assert_eq!(wait(&session.handle(Input::Lost(1012), 0.0)), 300);
    }

    #[test]
    fn a_rebuke_is_heeded() {
        assert_eq!(wait(&online().handle(Input::Lost(4429), 0.0)), WAIT_REBUKED);
    }

    #[test]
    fn silence_is_doubted_before_it_is_given_up() {
        let mut session = online();
        assert_eq!(session.handle(Input::TimeUp, 0.0), [Output::Wait(SILENCE)]);
        assert_eq!(session.handle(Input::TimeUp, 0.0), [Output::Ping, Output::Wait(SIGN_OF_LIFE)]);
        assert_eq!(session.handle(Input::Heard, 0.0), [Output::Wait(SILENCE)]);
        assert_eq!(session.handle(Input::Woken, 0.0), [Output::Ping, Output::Wait(SIGN_OF_LIFE)]);
        assert_eq!(session.handle(Input::TimeUp, 0.0)[0], Output::Disconnect);
        assert_eq!(*session.state(), State::Waiting);
    }

    #[test]
    fn a_socket_that_never_opens_is_given_up() {
        let mut session = Session::default();
        session.handle(Input::Start, 0.0);
        assert_eq!(session.handle(Input::TimeUp, 0.0), [Output::Disconnect, Output::Wait(300)]);
    }

    #[test]
    fn stopped_means_stopped() {
        let mut session = online();
        assert_eq!(session.handle(Input::Stop, 0.0), [Output::Disconnect]);
        for input in [Input::Woken, Input::TimeUp, Input::Heard, Input::Lost(1000)] {
            assert_eq!(session.handle(input, 0.0), []);
        }
    }
}
