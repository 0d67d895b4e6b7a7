use proptest::prelude::*;

use super::*;

fn board() -> Addressed {
    "board/k3v9x2.t12".parse::<Address>().expect("a board").into()
}

fn client_messages() -> Vec<ClientMessage> {
    vec![
        ClientMessage::Step1 { state_vector: vec![0] },
        ClientMessage::Step2 { update: vec![0, 0] },
        ClientMessage::Update { update: vec![7; 300] },
        ClientMessage::Awareness(vec![1, 2, 3]),
        ClientMessage::Auth { token: "secret".into(), version: None },
        ClientMessage::Auth { token: String::new(), version: Some("tablehop/1".into()) },
        ClientMessage::QueryAwareness,
        ClientMessage::Stateless("{\"type\":\"业主\"}".into()),
        ClientMessage::Close,
        ClientMessage::Edit { n: 1 << 40, update: vec![0, 0] },
    ]
}

fn server_messages() -> Vec<ServerMessage> {
    vec![
        ServerMessage::Step1 { state_vector: vec![] },
        ServerMessage::Step2 { update: vec![0, 0] },
        ServerMessage::Update { update: vec![9; 200] },
        ServerMessage::Awareness(vec![0; 10_000]),
        ServerMessage::Authenticated { read_only: true },
        ServerMessage::Authenticated { read_only: false },
        ServerMessage::Denied { reason: "forbidden".into() },
        ServerMessage::AskToken,
        ServerMessage::Stateless("{}".into()),
        ServerMessage::Close { reason: "closed".into() },
        ServerMessage::SyncStatus(true),
        ServerMessage::SyncStatus(false),
        ServerMessage::Assigned { client: u64::from(u32::MAX) },
        ServerMessage::DurableUpTo { n: 12 },
        ServerMessage::Resync,
        ServerMessage::RoleChanged { read_only: true },
    ]
}

fn client_frames() -> Vec<ClientFrame> {
    let workshop = Address::Workshop("k3v9x2".into());
    let session = Addressed { address: workshop, session: Some("x1\0y".into()) };
    let messages = client_messages().into_iter();
    let mut frames: Vec<_> = messages
        .flat_map(|m| [ClientFrame::Message(board(), m.clone()), ClientFrame::Message(session.clone(), m)])
        .collect();
    frames.extend([ClientFrame::Ping, ClientFrame::Pong]);
    frames
}

fn server_frames() -> Vec<ServerFrame> {
    let mut frames: Vec<_> = server_messages().into_iter().map(|m| ServerFrame::Message(board(), m)).collect();
    frames.extend([ServerFrame::Ping, ServerFrame::Pong]);
    frames
}

/// A frame for the board, with these bytes behind the address.
fn raw(rest: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_string("board/k3v9x2.t12");
    let mut bytes = writer.into_bytes();
    bytes.extend_from_slice(rest);
    bytes
}

#[test]
fn every_frame_makes_the_round_trip() {
    for frame in client_frames() {
        assert_eq!(ClientFrame::decode(&frame.encode()), Ok(frame));
    }
    for frame in server_frames() {
        assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame));
    }
}

#[test]
fn every_frame_cut_short_is_refused() {
    for bytes in client_frames().iter().map(ClientFrame::encode) {
        for end in 0..bytes.len() {
            // Without its last string, an Auth with a version is an Auth without one.
            let cut = ClientFrame::decode(&bytes[..end]);
            assert!(
                matches!(cut, Err(_) | Ok(ClientFrame::Message(_, ClientMessage::Auth { version: None, .. }))),
                "{cut:?}"
            );
        }
    }
    for bytes in server_frames().iter().map(ServerFrame::encode) {
        for end in 0..bytes.len() {
            // Without its reason or scope, a Denied or Authenticated ends after the step.
            assert!(ServerFrame::decode(&bytes[..end]).is_err());
        }
    }
}

#[test]
fn every_frame_with_more_behind_it_is_refused() {
    for mut bytes in client_frames().iter().map(ClientFrame::encode) {
        bytes.extend([0xff, 0xff]);
        assert!(ClientFrame::decode(&bytes).is_err());
    }
    for mut bytes in server_frames().iter().map(ServerFrame::encode) {
        bytes.push(0);
        assert!(ServerFrame::decode(&bytes).is_err());
    }
}

#[test]
fn the_bytes_are_those_of_hocuspocus() {
    let address = [b"\x10board/k3v9x2.t12".as_slice()].concat();
    let bytes = |rest: &[u8]| [address.as_slice(), rest].concat();
    let client = |message| ClientFrame::Message(board(), message).encode();
    let server = |message| ServerFrame::Message(board(), message).encode();
    assert_eq!(client(ClientMessage::Step1 { state_vector: vec![0] }), bytes(b"\0\0\x01\0"));
    assert_eq!(
        client(ClientMessage::Auth { token: "t".into(), version: Some("4.8.0".into()) }),
        bytes(b"\x02\0\x01t\x054.8.0")
    );
    assert_eq!(client(ClientMessage::Close), bytes(b"\x07"));
    assert_eq!(server(ServerMessage::Authenticated { read_only: false }), bytes(b"\x02\x02\x0aread-write"));
    assert_eq!(server(ServerMessage::Denied { reason: "no".into() }), bytes(b"\x02\x01\x02no"));
    assert_eq!(server(ServerMessage::AskToken), bytes(b"\x02\0"));
    assert_eq!(server(ServerMessage::SyncStatus(true)), bytes(b"\x08\x01"));
    assert_eq!(server(ServerMessage::Assigned { client: 300 }), bytes(b"\x40\xac\x02"));
    assert_eq!((ClientFrame::Pong.encode(), ServerFrame::Ping.encode()), (vec![10], vec![9]));
}

#[test]
fn malformed_frames_say_what_is_wrong() {
    let cases: [(&[u8], FrameError); 14] = [
        (&[4], FrameError::UnknownType(4)),
        (&[6, 1, b'x'], FrameError::UnknownType(6)),
        (&[8, 1], FrameError::UnknownType(8)),
        (&[64, 1], FrameError::UnknownType(64)),
        (&[99], FrameError::UnknownType(99)),
        (&[0, 3, 0], FrameError::Invalid("sync step")),
        (&[2, 1, 0], FrameError::Invalid("auth step")),
        (&[0xff; 40], ReadError::Oversized.into()),
        (&[0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1], ReadError::Truncated.into()),
        (&[0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], ReadError::Oversized.into()),
        (&[5, 2, 0xc3, 0x28], ReadError::Utf8.into()),
        (&[2, 0, 1, 0xff], ReadError::Utf8.into()),
        (&[7, 0], FrameError::Trailing),
        (&[], ReadError::Truncated.into()),
    ];
    for (bytes, error) in cases {
        assert_eq!(ClientFrame::decode(&raw(bytes)), Err(error), "{bytes:?}");
    }
    assert_eq!(ServerFrame::decode(&raw(&[8, 2])), Err(FrameError::Invalid("sync status")));
    assert_eq!(ServerFrame::decode(&raw(&[2, 2, 1, b'x'])), Err(FrameError::Invalid("scope")));
    assert_eq!(ServerFrame::decode(&raw(&[65, 1, 0])), Err(FrameError::UnknownType(65)));
}

#[test]
fn parts_over_their_limit_are_refused() {
    let decode = |message| ClientFrame::decode(&ClientFrame::Message(board(), message).encode());
    let token = "x".repeat(limits::TOKEN_BYTES + 1);
    assert_eq!(decode(ClientMessage::Auth { token: token.clone(), version: None }), Err(FrameError::TooLong("token")));
    assert_eq!(
        decode(ClientMessage::Auth { token: "x".into(), version: Some(token) }),
        Err(FrameError::TooLong("version"))
    );
    assert_eq!(
        decode(ClientMessage::Awareness(vec![0; limits::PRESENCE_BYTES + 1])),
        Err(FrameError::TooLong("presence"))
    );
    let address = Addressed { address: board().address, session: Some("x".repeat(limits::ADDRESS_BYTES)) };
    let frame = ClientFrame::Message(address, ClientMessage::Close);
    assert_eq!(ClientFrame::decode(&frame.encode()), Err(FrameError::TooLong("address")));
}

#[test]
fn addresses_have_one_spelling() {
    for good in ["workshop/abc123", "board/abc.t1", "board/abc.harvest", "board/abc.plan"] {
        assert_eq!(good.parse::<Address>().map(|a| a.to_string()).as_deref(), Ok(good));
    }
    for bad in [
        "",
        "abc",
        "workshop/",
        "workshop/a b",
        "workshop/业主",
        "board/",
        "board/abc",
        "board/abc.t0",
        "Board/abc.t1",
        "workshop/a/b",
    ] {
        assert_eq!(bad.parse::<Address>(), Err(FrameError::UnknownAddress), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ClientFrame::decode(&bytes);
        let _ = ServerFrame::decode(&bytes);
        // Behind a good address, so that the messages are reached.
        let _ = ClientFrame::decode(&raw(&bytes));
        let _ = ServerFrame::decode(&raw(&bytes));
    }

    #[test]
    fn whatever_decodes_is_encoded_to_the_same_meaning(kind in 0u8..70, bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        let frame = raw(&[&[kind], bytes.as_slice()].concat());
        if let Ok(read) = ClientFrame::decode(&frame) {
            prop_assert_eq!(ClientFrame::decode(&read.encode()), Ok(read));
        }
        if let Ok(read) = ServerFrame::decode(&frame) {
            prop_assert_eq!(ServerFrame::decode(&read.encode()), Ok(read));
        }
    }
}
