//! Bad input: each kind gets its own clear answer, and nobody else is disturbed.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use harness::api::{code_of, send};
use harness::cafe::{Cafe, small};
use harness::guest::{Guest, PATIENCE};
use harness::server::Server;
use serde_json::{Value, json};
use shared::api::Problem;
use shared::id::{BoardId, BoardKind, TableId};
use shared::limits;
use shared::wire::frame::{Address, Addressed, ClientFrame, ClientMessage};
use shared::wire::scan;
use shared::workshop::Phase;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use yrs::updates::decoder::Decode;
use yrs::{ReadTxn, StateVector, Transact, Update};

/// Posts JSON and returns status and problem document.
async fn problem(server: &Server, path: &str, body: &Value) -> Result<(u16, Problem)> {
    let response = server.api.http.post(server.api.url(path)).json(body).send().await?;
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    assert!(kind.starts_with("application/problem+json"), "{path}: {kind}");
    Ok((status, response.json().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn h1_h7_fields_are_named_and_bounded() -> Result<()> {
    let server = Server::start().await?;
    let good = json!({"title": "t", "tables": [{"topic": "a"}, {"topic": "b"}], "rounds": [{"minutes": 20.0}]});
    let with = |path: &str, value: Value| {
        let mut body = good.clone();
        if let Some(at) = body.pointer_mut(path) {
            *at = value;
        }
        body
    };
    let cases = [
        (with("/title", json!("  ")), "empty", "title"),
        (with("/title", json!("长".repeat(10_000))), "too_long", "title"),
        (with("/title", json!("a\u{202e}b")), "control_characters", "title"),
        (with("/tables", json!([{"topic": "only one"}])), "too_few_tables", "tables"),
        (with("/tables/1/topic", json!("")), "empty", "tables.1.topic"),
        (with("/rounds", json!([])), "empty", "rounds"),
        (with("/rounds/0/minutes", json!(0.0)), "out_of_range", "rounds.0.minutes"),
        (with("/rounds/0/minutes", json!(1e9)), "out_of_range", "rounds.0.minutes"),
    ];
    for (body, code, field) in cases {
        let (status, problem) = problem(&server, "/api/workshops", &body).await?;
        assert_eq!((status, problem.code.as_str()), (422, code), "{problem:?}");
        assert_eq!(problem.field.as_deref().unwrap_or(""), field, "{problem:?}");
    }
    let (status, odd) = problem(&server, "/api/workshops", &json!({"titel": "typo"})).await?;
    assert_eq!((status, odd.code.as_str()), (400, "bad_json"));
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let code = &cafe.created.join_code;
    for (name, expected) in [("", "empty"), ("   ", "empty"), ("a\u{0}b", "control_characters")] {
        let error = server.api.join(code, name, None).await.err().context("refused")?;
        assert_eq!(code_of(&error), Some(expected), "{name:?}");
    }
    let error = server.api.join(code, &"名".repeat(10_000), None).await.err().context("refused")?;
    assert_eq!(code_of(&error), Some("too_long"));
    let trimmed = cafe.guest("  李   雷 ").await?;
    let view = cafe.facilitator.sees("the guest", |v| v.people_count == 1).await?;
    let shared::workshop::view::Part::Facilitator(part) = view.part else { anyhow::bail!("facilitator") };
    assert_eq!(part.people[0].person.name, "李 雷");
    drop(trimmed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_codes_are_forgiving_to_guests_and_closed_to_guessers() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let code = cafe.created.join_code.clone();
    let spoken = format!(" {}-{} ", code[..4].to_lowercase(), &code[4..]);
    server.api.join(&spoken, "宽容", None).await?;
    let mut refused = Vec::new();
    for n in 0..60 {
        let error = server.api.join(&format!("ZZZZ{n:04}"), "x", None).await.err().context("refused")?;
        refused.push(code_of(&error).unwrap_or("").to_owned());
    }
    assert_eq!(refused[0], "bad_code");
    assert_eq!(refused[59], "too_many_requests", "guessing is slowed down");
    server.api.join(&code, "真客人", None).await.context("a real guest still gets in")?;
    // A café that has not opened answers like any other.
    let draft = Cafe::create(&server.api, &small(2, 1, 20.0)).await?;
    let error = server.api.join(&draft.created.join_code, "早到", None).await.err().context("refused")?;
    assert_eq!(code_of(&error), Some("wrong_phase"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h3_tokens_open_their_own_cafe_only() -> Result<()> {
    let server = Server::start().await?;
    let (mine, theirs) =
        (Cafe::open(&server, &small(2, 1, 20.0)).await?, Cafe::open(&server, &small(2, 1, 20.0)).await?);
    let guest = mine.guest("李").await?;
    for token in [guest.token.as_str(), mine.created.facilitator_token.as_str(), "nonsense", ""] {
        let error = server.api.view(&theirs.created.id, token).await.err().context("refused")?;
        let code = code_of(&error).map(str::to_owned);
        assert!(matches!(code.as_deref(), Some("unauthorised" | "not_found" | "wrong_workshop")), "{code:?}");
    }
    let stranger = Guest::with_token(&server.api, theirs.created.id.clone(), guest.id.clone(), "李", &guest.token);
    stranger.connect().await?;
    stranger.send(stranger.address(BoardKind::Table(TableId(1))), auth(&guest.token));
    let closed = tokio::time::timeout(
        Duration::from_secs(10),
        stranger.until_patiently(|g| (g.view().is_some() || !g.is_connected()).then_some(g.view().is_some())),
    )
    .await;
    assert!(!matches!(closed, Ok(Ok(true))), "no view of somebody else's café");
    assert_eq!(server.api.view(&mine.created.id, &guest.token).await?.phase, Phase::Lobby);
    mine.steer(shared::workshop::Command::RemovePerson { participant: guest.id.clone() }).await?;
    let error = server.api.view(&mine.created.id, &guest.token).await.err().context("refused")?;
    assert_eq!(code_of(&error), Some("unauthorised"), "a token ends with its person");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h4_the_same_token_is_the_same_person() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guest = cafe.guest("李").await?;
    let second_tab = server.api.join(&cafe.created.join_code, "李", Some(&guest.token)).await?;
    assert_eq!(second_tab.participant, guest.id);
    let view = server.api.view(&cafe.created.id, &cafe.created.facilitator_token).await?;
    assert_eq!(view.people_count, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h5_foreign_origins_are_refused() -> Result<()> {
    let server = Server::start().await?;
    let mut request = server.collab().into_client_request()?;
    request.headers_mut().insert("origin", "https://evil.example".parse()?);
    match tokio_tungstenite::connect_async(request).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => anyhow::bail!("{:?}", other.map(|_| ())),
    }
    let request = server
        .api
        .http
        .post(server.api.url("/api/workshops"))
        .header("origin", "https://evil.example")
        .json(&small(2, 1, 20.0));
    let error = send::<Value>(request).await.err().context("refused")?;
    assert_eq!(code_of(&error), Some("foreign_origin"));
    Ok(())
}

fn auth(token: &str) -> ClientMessage {
    ClientMessage::Auth { token: token.into(), version: None }
}

fn message(address: Address, message: ClientMessage) -> Vec<u8> {
    ClientFrame::Message(Addressed { address, session: None }, message).encode()
}

/// Opens a bare socket, sends these frames, and returns the close code.
async fn close_code(server: &Server, frames: Vec<Vec<u8>>) -> Result<Option<u16>> {
    let (mut socket, _) = tokio_tungstenite::connect_async(server.collab()).await?;
    for frame in frames {
        if socket.send(Message::Binary(frame.into())).await.is_err() {
            break;
        }
    }
    let wait = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.context("the server kept a bad connection")
}

#[tokio::test(flavor = "multi_thread")]
async fn h6_bad_frames_cost_their_sender_alone() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(2).await?;
    let tables = cafe.next_round(&guests).await?;
    let board = Address::Board(BoardId::table(&cafe.created.id, tables[0]));
    let token = guests[0].token.clone();
    let signed = || message(board.clone(), auth(&token));
    let edit = |update: Vec<u8>| message(board.clone(), ClientMessage::Update { update });

    assert_eq!(close_code(&server, vec![vec![0xff; 40]]).await?, Some(1002), "nonsense");
    assert!(
        matches!(close_code(&server, vec![signed(), vec![0; limits::FRAME_BYTES + 1]]).await?, Some(1009) | None),
        "too large"
    );
    assert_eq!(close_code(&server, vec![]).await?, Some(4408), "silent before authentication");
    let many = (0..limits::FRAMES_BEFORE_AUTH + 2).map(|_| message(board.clone(), ClientMessage::QueryAwareness));
    assert!(close_code(&server, many.collect()).await?.is_some(), "too much before authentication");
    // A client-count bomb and an update cut short, see the architecture's Yrs facts.
    let bomb = vec![0x80, 0x80, 0x80, 0x80, 0x01, 0, 0, 0];
    for bad in [bomb, vec![1, 1, 1], vec![0xff; 64]] {
        assert!(close_code(&server, vec![signed(), edit(bad)]).await?.is_some(), "a malformed update");
    }
    let broadcast = {
        let mut bytes = message(board.clone(), ClientMessage::QueryAwareness);
        // The type is the last byte of this frame; 6 is BroadcastStateless.
        if let Some(kind) = bytes.last_mut() {
            *kind = 6;
        }
        bytes.extend([1, b'x']);
        bytes
    };
    assert!(close_code(&server, vec![signed(), broadcast]).await?.is_some(), "clients do not broadcast");

    // Meanwhile, at the table, nothing happened.
    let note = guests[0].write(tables[0], Default::default(), "照常", None)?;
    guests[0].saved().await?;
    cafe.facilitator.open(BoardKind::Table(tables[0])).await?;
    cafe.facilitator
        .until("the note", |f| f.table_board(tables[0])?.notes.iter().any(|n| n.id == note).then_some(()))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_structs_under_a_foreign_client_id_are_refused() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let mates: Vec<_> = guests.iter().zip(&tables).filter(|(_, t)| **t == tables[0]).map(|(g, _)| g).collect();
    let (victim, thief) = (mates[0], mates[1]);
    victim.write(tables[0], Default::default(), "我的", None)?;
    victim.saved().await?;
    // As the victim would go on: the same document, under the same id, from the next clock on.
    let (client, known) = victim
        .with(BoardKind::Table(tables[0]), |r| {
            let txn = r.doc.transact();
            (r.doc.client_id(), txn.encode_state_as_update_v1(&StateVector::default()))
        })
        .context("board")?;
    let mut forged = harness::replica::Replica::new(client.get());
    forged.doc.transact_mut().apply_update(Update::decode_v1(&known)?)?;
    let before = forged.doc.transact().state_vector();
    assert!(before.get(&client) > 0, "the victim has written under this id");
    forged.edit(|txn, r| {
        let new = shared::board::note::NewNote {
            id: "forged-1".into(),
            kind: Default::default(),
            text: "冒名".into(),
            x: 0.0,
            y: 0.0,
            w: 200.0,
            color: 0,
            author: victim.id.clone(),
            author_name: victim.name.clone(),
            round: None,
            created_at: 0,
            builds_on: None,
        };
        shared::board::note::create(txn, &r.table, new);
    });
    let update = forged.doc.transact().encode_diff_v1(&before);
    let inserted = scan::authors(&update)?;
    assert!(inserted.iter().all(|range| range.client == client.get()), "{inserted:?}");
    assert_eq!(inserted[0].clock, before.get(&client), "it is new to everybody");
    thief.send(thief.address(BoardKind::Table(tables[0])), ClientMessage::Update { update });
    thief.until("the end of the connection", |g| (!g.is_connected()).then_some(())).await?;
    assert_eq!(thief.closed().context("a reason")?, (4403, "foreign_client".to_owned()));
    thief.connect().await?;
    thief.write(tables[0], Default::default(), "自己的", None)?;
    thief.saved().await?;
    let board = victim
        .until("the honest note", |g| g.table_board(tables[0]).filter(|b| b.notes.iter().any(|n| n.text == "自己的")));
    assert!(board.await?.notes.iter().all(|n| n.text != "冒名"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h8_pages_allow_no_inline_script() -> Result<()> {
    let server = Server::start().await?;
    let response = server.api.http.get(server.api.url("/")).send().await?;
    let policy = response.headers().get("content-security-policy").context("a policy")?.to_str()?.to_owned();
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'") && !policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(response.headers().get("x-content-type-options").context("nosniff")?, "nosniff");
    Ok(())
}
