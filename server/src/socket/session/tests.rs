//! Connections without sockets.

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
fn h6_a_bad_frame_costs_the_connection() {
    for (error, code) in [(FrameError::UnknownType(6), 1002), (FrameError::TooLong("presence"), 1009)] {
        let mut client = Client::opens(BOARD, Right::Write);
        assert_eq!(ends(&client.does(Input::Heard(Err(error)))), Some(code));
    }
}

#[test]
fn h6_the_first_good_token_must_come_in_time() {
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
fn d12_clients_that_are_not_ours_are_asked_for_what_they_kept_when_they_may_write_again() {
    let mut client = Client::new();
    client.says(BOARD, ClientMessage::Auth { token: "t".into(), version: None });
    client.does(Input::Granted { slot: 1, right: Right::Write });
    assert_eq!(client.does(Input::Rights { slot: 1, right: Right::Read }), []);
    let ask = Output::Sync { slot: 1, state_vector: vec![0] };
    assert_eq!(client.does(Input::Rights { slot: 1, right: Right::Write }), [ask]);
}

#[test]
fn w9_a_right_that_is_taken_away_is_told() {
    let mut client = Client::opens(BOARD, Right::Write);
    let role = |read_only| Output::Send { slot: 1, to: at(BOARD), message: ServerMessage::RoleChanged { read_only } };
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
fn h6_who_writes_too_fast_is_let_go_and_carets_are_passed_over() {
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

#[test]
fn h23_one_board_is_opened_a_few_times_by_one_connection() {
    let session = |n: usize| Addressed { session: Some(format!("s{n}")), ..at(BOARD) };
    let mut client = Client::new();
    let opens = |client: &mut Client, n: usize| client.does(Input::Heard(Ok(ClientFrame::Message(session(n), auth()))));
    for n in 0..limits::SESSIONS_PER_BOARD {
        assert!(matches!(opens(&mut client, n)[..], [Output::Authenticate { .. }]));
        client.does(Input::Granted { slot: n as Slot + 1, right: Right::Read });
    }
    let denied = ServerMessage::Denied { reason: "too_many_sessions".into() };
    let refused = [Output::Send { slot: 0, to: session(9), message: denied }];
    assert_eq!(opens(&mut client, 9), refused);
    // The same one may be opened anew, and another one when one is closed; other boards are other boards.
    assert!(matches!(opens(&mut client, 0)[..], [Output::Leave { .. }, Output::Authenticate { .. }]));
    assert_eq!(opens(&mut client, 9), refused);
    client.does(Input::Heard(Ok(ClientFrame::Message(session(1), ClientMessage::Close))));
    assert!(matches!(opens(&mut client, 9)[..], [Output::Authenticate { .. }]));
    assert!(matches!(client.says("board/abc.t2", auth())[..], [Output::Authenticate { .. }]));
}

#[test]
fn h6_every_frame_counts_also_one_that_means_nothing() {
    let unopened = |message| Input::Heard(Ok(ClientFrame::Message(at("board/abc.t2"), message)));
    let pong = || Input::Heard(Ok(ClientFrame::Pong));
    let close = || unopened(ClientMessage::Close);
    let query = || unopened(ClientMessage::QueryAwareness);
    let presence = || Input::Heard(Ok(ClientFrame::Message(at(BOARD), ClientMessage::Awareness(vec![0]))));
    type Flood<'a> = (&'a str, Vec<&'a dyn Fn() -> Input>);
    let floods: [Flood; 4] = [
        ("pongs", vec![&pong]),
        ("closing what was never opened", vec![&close]),
        ("opening it half, and closing it", vec![&query, &close]),
        ("carets", vec![&presence]),
    ];
    for (what, frames) in floods {
        let mut client = Client::opens(BOARD, Right::Write);
        let sent = |client: &mut Client, most: u32| {
            let mut frames = frames.iter().cycle();
            (0..most).position(|_| ends(&client.does(frames.next().expect("a frame")())).is_some())
        };
        let at_once = sent(&mut client, 2 * limits::FRAMES_BURST).unwrap_or_else(|| panic!("{what} without end"));
        assert!(at_once <= limits::FRAMES_BURST as usize, "{what}: {at_once}");
        client.now += Duration::from_secs(1);
        let then = sent(&mut client, limits::FRAMES_BURST).unwrap_or_else(|| panic!("{what} without end, later"));
        assert!(then <= limits::FRAMES_PER_SECOND as usize, "{what}: {then} a second");
        assert_eq!(ends(&client.does(frames[0]())), Some(4429), "{what}");
    }
    // Whom nobody knows has fewer, and none in a while.
    for frame in [&pong as &dyn Fn() -> Input, &close, &|| Input::Alive] {
        let mut stranger = Client::new();
        let sent = (0..).take_while(|_| ends(&stranger.does(frame())).is_none()).count();
        assert!(sent <= limits::STRANGER_FRAMES as usize, "{sent}");
        stranger.now += Duration::from_secs(1);
        assert!(matches!(ends(&stranger.does(frame())), Some(4408 | 4429)));
    }
}

#[test]
fn who_comes_back_after_long_sends_everything_at_once() {
    let mut client = Client::new();
    let caret = || ClientMessage::Awareness(vec![0]);
    client.says("workshop/abc", auth());
    client.does(Input::Granted { slot: 1, right: Right::Write });
    let mut last = 0;
    for table in 1..=limits::BOARDS_PER_CONNECTION {
        let board = format!("board/abc.t{table}");
        for message in [auth(), step1(), caret(), ClientMessage::QueryAwareness] {
            assert_eq!(ends(&client.says(&board, message)), None);
        }
        client.does(Input::Granted { slot: table as Slot + 1, right: Right::Write });
        last = table;
    }
    // As many edits as one may send at once, less what the rest has taken of them, each with its caret.
    let board = format!("board/abc.t{last}");
    for n in 1..=u64::from(limits::EDITS_BURST) - 3 * limits::BOARDS_PER_CONNECTION as u64 - 1 {
        assert_eq!(ends(&client.says(&board, edit(n))), None, "edit {n}");
        assert_eq!(ends(&client.says(&board, caret())), None, "its caret");
    }
}

#[test]
fn h23_a_client_that_opens_everything_before_it_is_known_may() {
    let mut client = Client::new();
    for table in 1..=limits::BOARDS_PER_CONNECTION {
        let board = format!("board/abc.t{table}");
        for message in [auth(), step1(), ClientMessage::Awareness(vec![0; 30])] {
            assert_eq!(ends(&client.says(&board, message)), None);
        }
        client.does(Input::Granted { slot: table as Slot, right: Right::None("not_seated") });
    }
    client.says("workshop/abc", auth());
    client.does(Input::Granted { slot: limits::BOARDS_PER_CONNECTION as Slot + 1, right: Right::Write });
    assert_eq!(client.waits(limits::AUTH_SECONDS), []);
}

#[test]
fn h23_little_is_held_for_whom_nobody_knows() {
    let mut client = Client::new();
    let typed = || ClientMessage::Update { update: vec![0; limits::STRANGER_BYTES / 2] };
    assert_eq!(client.says(BOARD, typed()), []);
    assert_eq!(client.says(BOARD, typed()), []);
    assert_eq!(ends(&client.says(BOARD, typed())), Some(4408));
    // Somebody known may hold more, for a further board.
    let mut client = Client::opens(BOARD, Right::Write);
    for _ in 0..limits::FRAMES_BEFORE_AUTH {
        assert_eq!(client.says("board/abc.t2", typed()), []);
    }
}
