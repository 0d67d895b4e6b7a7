//! Bad input: each kind gets its own clear answer, and nobody else is disturbed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use futures_util::{SinkExt, StreamExt};
use harness::api::{Api, code_of, send};
use harness::cafe::{Cafe, small};
use harness::guest::PATIENCE;
use harness::raw::{Heard, Raw, auth};
use harness::server::Server;
use harness::wire::Wire;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::Problem;
use shared::id::{BoardId, BoardKind, TableId};
use shared::limits;
use shared::wire::frame::{Address, Addressed, ClientFrame, ClientMessage, ServerMessage};
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
    for (letters, expected) in [(limits::NAME_CHARS + 1, "too_long"), (2_000, "too_long"), (10_000, "too_large")] {
        let error = server.api.join(code, &"名".repeat(letters), None).await.err().context("refused")?;
        assert_eq!(code_of(&error), Some(expected), "{letters} letters");
    }
    let trimmed = cafe.guest("  李   雷 ").await?;
    let view = cafe.facilitator.sees("the guest", |v| v.people_count == 1).await?;
    let shared::workshop::view::Part::Facilitator(part) = view.part else { anyhow::bail!("facilitator") };
    assert_eq!(part.people[0].person.name, "李 雷");
    drop(trimmed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_codes_are_forgiving_to_guests() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let code = &cafe.created.join_code;
    let spoken = format!(" {}-{} ", code[..4].to_lowercase(), &code[4..]);
    server.api.join(&spoken, "宽容", None).await?;
    // A café that has not opened answers like any other.
    let draft = Cafe::create(&server.api, &small(2, 1, 20.0)).await?;
    let error = server.api.join(&draft.created.join_code, "早到", None).await.err().context("refused")?;
    assert_eq!(code_of(&error), Some("wrong_phase"));
    Ok(())
}

/// The interface, as seen from this address; only behind a proxy that is trusted.
fn from(server: &Server, address: &str) -> Result<Api> {
    let headers = [("x-forwarded-for".parse()?, address.parse()?)].into_iter().collect();
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Api { http, ..Api::new(&server.api.base) })
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_guests_get_in_beside_a_guesser_whom_they_share_an_address_with() -> Result<()> {
    const GUESSERS: usize = 12;
    let server = Server::start_with(&[("TABLEHOP_TRUSTED_PROXY", "true")]).await?;
    // The café is somebody else's, elsewhere, and nobody from the office has been in it.
    let cafe = Cafe::create(&from(&server, "198.51.100.9")?, &small(2, 1, 20.0)).await?;
    cafe.go_to(Phase::Lobby).await?;
    let (code, office) = (cafe.created.join_code.clone(), from(&server, "203.0.113.7")?);
    let (told, refused, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let guesses = try_join_all((0..GUESSERS).map(async |seed| {
        // Such as a café may have.
        let mut rng = StdRng::seed_from_u64(seed as u64);
        while !stop.load(Ordering::Relaxed) {
            let letters = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
            let guess: String = (0..8).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect();
            let error = office.join(&guess, "x", None).await.err().context("a guess was right")?;
            match code_of(&error) {
                Some("bad_code") => told.fetch_add(1, Ordering::Relaxed),
                Some("too_many_requests") => refused.fetch_add(1, Ordering::Relaxed),
                other => anyhow::bail!("{other:?}"),
            };
        }
        Ok(())
    }));
    let guests = async {
        let mut moments = tokio::time::interval(Duration::from_millis(20));
        while refused.load(Ordering::Relaxed) < GUESSERS {
            moments.tick().await;
        }
        let since = Instant::now();
        let mut tries = Vec::new();
        for n in 0..30 {
            let (before, mut tried) = (refused.load(Ordering::Relaxed), 1);
            while let Err(error) = office.join(&code, &format!("客人{n}"), None).await {
                assert_eq!(code_of(&error), Some("too_many_requests"));
                tried += 1;
                anyhow::ensure!(since.elapsed() < PATIENCE, "nobody gets in, after {tried} times");
            }
            tries.push(tried);
            // The guesser has not stopped meanwhile.
            while refused.load(Ordering::Relaxed) == before {
                moments.tick().await;
            }
        }
        anyhow::Ok(tries)
    };
    let begun = Instant::now();
    let (guessed, tries) = tokio::join!(guesses, async {
        let tries = guests.await;
        stop.store(true, Ordering::Relaxed);
        tries
    });
    guessed?;
    let tries = tries?;
    assert!(tries[1..].iter().all(|tried| *tried == 1), "once a code is known it is looked up at once: {tries:?}");
    assert_eq!(told.load(Ordering::Relaxed), limits::WRONG_CODES_PER_ADDRESS as usize);
    let looked_up = server.figures().await?["tablehop_wrong_codes_total"];
    let most = u64::from(limits::WRONG_CODES_PER_ADDRESS) + 2 * (begun.elapsed().as_secs() + 1);
    assert!(looked_up <= most as f64, "{looked_up} codes were looked up");
    // Whoever sits elsewhere notices nothing.
    from(&server, "203.0.113.8")?.join(&code, "别处", None).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h3_tokens_open_their_own_cafe_only() -> Result<()> {
    let server = Server::start().await?;
    let (mine, theirs) =
        (Cafe::open(&server, &small(2, 1, 20.0)).await?, Cafe::open(&server, &small(2, 1, 20.0)).await?);
    let guest = mine.guest("李").await?;
    let host = theirs.created.facilitator_token.as_str();
    let cafe = format!("/api/workshops/{}", theirs.created.id);
    // Every route that is about a café, with something in it that its own facilitator may do.
    let asked = [
        (Method::GET, cafe.clone(), None),
        (Method::GET, format!("{cafe}/tables"), None),
        (Method::GET, format!("{cafe}/links"), None),
        (Method::POST, format!("{cafe}/links"), Some(json!({"role": "facilitator"}))),
        (Method::GET, format!("{cafe}/export/json"), None),
        (Method::GET, format!("{cafe}/export/md"), None),
        (Method::GET, format!("{cafe}/export/csv"), None),
        (Method::GET, format!("{cafe}/export/xlsx"), None),
        (Method::GET, format!("{cafe}/export/docx"), None),
        (Method::GET, format!("{cafe}/export/pdf"), None),
        (Method::POST, format!("{cafe}/commands"), Some(json!({"type": "announce", "text": "x"}))),
    ];
    let boards = ["t1", "t2", "harvest", "plan"].map(|board| format!("{}.{board}", theirs.created.id));
    let boards = boards.map(|board| board.parse::<BoardId>().expect("a board"));
    let strangers = [&guest.token, &mine.created.facilitator_token, &mine.created.review_token];
    let others = ["nonsense", ""].map(|token| (token, 401, "unauthorised", "bad_token", 4401));
    let tokens = strangers.map(|token| (token.as_str(), 403, "wrong_workshop", "wrong_workshop", 4403));
    for (token, status, code, reason, close) in tokens.into_iter().chain(others) {
        for (method, path, body) in &asked {
            let mut request = server.api.http.request(method.clone(), server.api.url(path)).bearer_auth(token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await?;
            let (told, problem) = (answer.status().as_u16(), answer.json::<Problem>().await?);
            assert_eq!((told, problem.code.as_str()), (status, code), "{method} {path}");
        }
        let addresses = boards.iter().cloned().map(Address::Board);
        for address in addresses.chain([Address::Workshop(theirs.created.id.clone())]) {
            let mut raw = Raw::open(&server).await?;
            raw.says(&address, auth(token)).await?;
            let denied = ServerMessage::Denied { reason: reason.to_owned() };
            assert_eq!(raw.next().await?, Heard::Message(denied), "{address}");
        }
        for board in &boards {
            let mut raw = Raw::yjs(&server, board, token).await?;
            assert_eq!(raw.next_bytes(|_| true).await?, Err(Some(close)), "/yjs/{board}");
        }
    }
    // The same with a token of that café is answered otherwise, so it was the token.
    for (method, path, body) in &asked {
        let request = server.api.http.request(method.clone(), server.api.url(path)).bearer_auth(host);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let status = request.send().await?.status();
        assert!(status.is_success(), "{method} {path}: {status}");
    }
    let mut raw = Raw::open(&server).await?;
    raw.says(&Address::Workshop(theirs.created.id.clone()), auth(host)).await?;
    assert!(matches!(raw.next().await?, Heard::Message(ServerMessage::Authenticated { .. })));
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
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let board = BoardId::table(&cafe.created.id, TableId(1));
    let token = &cafe.created.facilitator_token;
    for url in [server.collab(), format!("ws://127.0.0.1:{}/yjs/{board}?token={token}", server.port())] {
        let from = async |origin: &str| {
            let mut request = url.as_str().into_client_request()?;
            request.headers_mut().insert("origin", origin.parse()?);
            match tokio_tungstenite::connect_async(request).await {
                Ok(_) => anyhow::Ok(101),
                Err(Error::Http(response)) => Ok(response.status().as_u16()),
                Err(error) => Err(error.into()),
            }
        };
        // A sandboxed frame, a file and some redirections call themselves null.
        for origin in ["https://evil.example", "null", ""] {
            assert_eq!(from(origin).await?, 403, "{url} from {origin}");
        }
        assert_eq!(from(&server.api.base).await?, 101, "{url} from its own page");
    }
    for origin in ["https://evil.example", "null"] {
        let request = server.api.http.post(server.api.url("/api/workshops")).header("origin", origin);
        let error = send::<Value>(request.json(&small(2, 1, 20.0))).await.err().context("refused")?;
        assert_eq!(code_of(&error), Some("foreign_origin"), "{origin}");
    }
    Ok(())
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
    assert_eq!(close_code(&server, vec![signed(), vec![0; limits::FRAME_BYTES + 1]]).await?, Some(1009), "too large");
    assert_eq!(close_code(&server, vec![]).await?, Some(4408), "silent before authentication");
    let many = (0..limits::FRAMES_BEFORE_AUTH + 2).map(|_| message(board.clone(), ClientMessage::QueryAwareness));
    assert_eq!(close_code(&server, many.collect()).await?, Some(4408), "too much before authentication");
    // A client-count bomb and an update cut short, see the architecture's Yrs facts.
    let bomb = vec![0x80, 0x80, 0x80, 0x80, 0x01, 0, 0, 0];
    for bad in [bomb, vec![1, 1, 1], vec![0xff; 64]] {
        assert_eq!(close_code(&server, vec![signed(), edit(bad)]).await?, Some(1002), "a malformed update");
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
    assert_eq!(close_code(&server, vec![signed(), broadcast]).await?, Some(1002), "clients do not broadcast");

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
            from: None,
        };
        shared::board::note::create(txn, &r.table, new);
    });
    let update = forged.doc.transact().encode_diff_v1(&before);
    let inserted = scan::authors(&update)?;
    assert!(inserted.iter().all(|range| range.client == client.get()), "{inserted:?}");
    assert_eq!(inserted[0].clock, before.get(&client), "it is new to everybody");
    thief.send(thief.address(BoardKind::Table(tables[0])), ClientMessage::Update { update });
    // A device that was there before a restore may send others' words, too: it is refused, and not sent away.
    let refused = async {
        while server.figures().await?.get("tablehop_refusals_total{reason=\"foreign_client\"}") != Some(&1.0) {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, refused).await.context("the refusal")??;
    assert!(thief.is_connected());
    thief.write(tables[0], Default::default(), "自己的", None)?;
    thief.saved().await?;
    let board = victim
        .until("the honest note", |g| g.table_board(tables[0]).filter(|b| b.notes.iter().any(|n| n.text == "自己的")));
    assert!(board.await?.notes.iter().all(|n| n.text != "冒名"));
    // Nor does anybody get it who comes anew.
    let mut wire = Wire::open(&server.collab(), thief.address(BoardKind::Table(tables[0])), &victim.token).await?;
    wire.send(ClientMessage::Step1 { state_vector: vec![0] }).await?;
    let whole = wire.hears("the board", |m| match m {
        ServerMessage::Step2 { update } => Some(update.clone()),
        _ => None,
    });
    assert!(!whole.await?.windows(6).any(|bytes| bytes == "冒名".as_bytes()));
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
