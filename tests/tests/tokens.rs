//! Tokens that are good no more. Those that are too old are refused everywhere by a code of their own, and nobody who is in the café is
//! thrown out for it. Those of a link that was ended open nothing, and whoever came through it is out.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use harness::api::{Refused, code_of};
use harness::cafe::{Cafe, small};
use harness::guest::{Guest, PATIENCE};
use harness::raw::{Heard, Raw, auth};
use harness::server::Server;
use server::auth::Tokens;
use server::clock::{self, Clock};
use server::store::SqliteStore;
use shared::board::view::NoteKind;
use shared::id::{Actor, ActorId, BoardId, BoardKind, Role};
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::workshop::Command;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const DAY: Duration = Duration::from_secs(86_400);

/// A token that somebody got so long ago, in the data of a server that was stopped.
async fn token_of_old(data: &Path, cafe: &Cafe, id: &ActorId, role: Role, age: Duration) -> Result<String> {
    let store = Arc::new(SqliteStore::open(data)?);
    let then = Clock::new(move || clock::now() - u64::try_from(age.as_millis()).unwrap_or(0));
    let actor = Actor { id: id.clone(), role };
    let token = Tokens::new(store.clone(), None, then).issue(&cafe.created.id, &actor).await?;
    store.close().await;
    Ok(token)
}

/// How an address is refused on `/collab`.
async fn refusal(server: &Server, address: &Address, token: &str) -> Result<String> {
    let mut raw = Raw::open(server).await?;
    raw.says(address, auth(token)).await?;
    match raw.next().await? {
        Heard::Message(ServerMessage::Denied { reason }) => Ok(reason),
        other => anyhow::bail!("{other:?}"),
    }
}

/// A plain y-websocket connection.
async fn yjs(server: &Server, board: &BoardId, token: &str) -> Result<Socket> {
    let url = format!("ws://127.0.0.1:{}/yjs/{board}?token={token}", server.port());
    Ok(tokio_tungstenite::connect_async(url).await?.0)
}

/// With which code and reason it is closed.
async fn close_of(mut socket: Socket) -> Result<(u16, String)> {
    let hears = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
            }
        }
        None
    };
    tokio::time::timeout(PATIENCE, hears).await?.context("closed without a code")
}

#[tokio::test(flavor = "multi_thread")]
async fn h24_a_token_that_is_too_old_is_refused_and_says_so() -> Result<()> {
    let mut server = Server::start_with(&[("TABLEHOP_TOKEN_DAYS", "30")]).await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let id = &cafe.created.id;
    let host = cafe.facilitator.view().context("a view")?.me.id;
    let (li, wang) = (&guests[0], &guests[1]);
    server.stop().await?;
    let old = token_of_old(server.data(), &cafe, &li.id, Role::Participant, 30 * DAY).await?;
    let old_link = token_of_old(server.data(), &cafe, &host, Role::Facilitator, 31 * DAY).await?;
    let young = token_of_old(server.data(), &cafe, &li.id, Role::Participant, 29 * DAY).await?;
    // Long enough to come in with, short enough to wait for.
    let last_day = 30 * DAY - Duration::from_secs(8);
    let dying = token_of_old(server.data(), &cafe, &wang.id, Role::Participant, last_day).await?;
    server.restart().await?;
    let api = &server.api;

    // Somebody whose token expires while they are here.
    let last = Guest::with_token(api, id.clone(), wang.id.clone(), &wang.name, &dying);
    last.connect().await?;
    last.sees("the café, on the last day", |_| true).await?;
    last.open(BoardKind::Table(tables[1])).await?;

    // Over HTTP, for every role.
    for token in [&old, &old_link] {
        let refused = api.view(id, token).await.err().context("refused")?;
        let refused: Refused = refused.downcast()?;
        assert_eq!((refused.status.as_u16(), refused.problem.code.as_str()), (401, "expired_token"));
        let refused = api.export(id, token, "json").await.err().context("refused")?;
        assert_eq!(code_of(&refused), Some("expired_token"));
    }
    let links = api.http.post(api.url(&format!("/api/workshops/{id}/links"))).bearer_auth(&old_link);
    let answer = links.json(&serde_json::json!({"role": "facilitator"})).send().await?;
    assert_eq!(answer.status(), 401, "an old link makes no new one");
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    // On both sockets.
    let board = BoardId::table(id, tables[0]);
    for address in [Address::Workshop(id.clone()), Address::Board(board.clone())] {
        assert_eq!(refusal(&server, &address, &old).await?, "expired_token");
    }
    assert_eq!(close_of(yjs(&server, &board, &old).await?).await?, (4401, "expired_token".to_owned()));
    assert_eq!(refusal(&server, &Address::Board(board), "nonsense").await?, "bad_token", "not known is not expired");
    // What to do about it: the code makes somebody new of them.
    let joined = api.join(&cafe.created.join_code, "李又来", Some(&old)).await?;
    ensure!(joined.participant != li.id, "an old token is nobody");
    assert_eq!(api.view(id, &joined.token).await?.me.id, joined.participant);
    // The age is the token's, not the person's.
    assert_eq!(api.view(id, &young).await?.me.id, li.id);

    // It was good, it is remembered as good, and it expires all the same.
    let started = Instant::now();
    while api.view(id, &dying).await.is_ok() {
        ensure!(started.elapsed() < PATIENCE, "it never expires");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refused = api.view(id, &dying).await.err().context("refused")?;
    assert_eq!(code_of(&refused), Some("expired_token"));
    last.write(tables[1], NoteKind::Idea, "过期的时候还在写", None)?;
    last.saved().await?;
    ensure!(last.is_connected(), "who is here is not thrown out");
    assert_eq!(refusal(&server, &Address::Workshop(id.clone()), &dying).await?, "expired_token", "on the way in again");

    // The days count from when it was issued, so an operator can give more of them afterwards.
    server.stop().await?;
    for days in ["1095", "0"] {
        let env = vec![("TABLEHOP_TOKEN_DAYS".to_owned(), days.to_owned())];
        let mut longer = Server::start_in_with(server.data(), env).await?;
        assert_eq!(longer.api.view(id, &old_link).await?.me.id, host, "{days} days");
        longer.stop().await?;
    }
    Ok(())
}

/// Hears how an address is taken away, past whatever is still told there.
async fn closed(raw: &mut Raw) -> Result<String> {
    match raw.next_that(|message| matches!(message, ServerMessage::Close { .. })).await? {
        Heard::Message(ServerMessage::Close { reason }) => Ok(reason),
        other => anyhow::bail!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h25_a_link_that_is_ended_puts_out_whoever_came_through_it_and_opens_nothing_again() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let guests = cafe.guests(2).await?;
    let tables = cafe.next_round(&guests).await?;
    let (id, host) = (cafe.created.id.clone(), cafe.created.facilitator_token.clone());
    let own = cafe.facilitator.view().context("a view")?.me.id;
    let helper = server.api.new_link(&id, &host, Role::Facilitator).await?;
    let other = server.api.new_link(&id, &host, Role::Facilitator).await?;

    let given = server.api.links(&id, &host).await?.given;
    let roles: Vec<Role> = given.iter().map(|link| link.role).collect();
    assert_eq!(roles.iter().filter(|role| **role == Role::Facilitator).count(), 3, "{given:?}");
    assert_eq!(roles.iter().filter(|role| **role == Role::Reviewer).count(), 1, "{given:?}");
    let owns: Vec<&ActorId> = given.iter().filter(|link| link.own).map(|link| &link.actor).collect();
    assert_eq!(owns, [&own]);

    // Who may not end what.
    let end = |actor: &ActorId| Command::EndLink { actor: actor.clone() };
    let code = async |token: &str, actor: &ActorId| {
        let refused = server.api.command(&id, token, &end(actor)).await.err().context("refused")?;
        anyhow::Ok(code_of(&refused).unwrap_or_default().to_owned())
    };
    assert_eq!(code(&host, &own).await?, "own_link");
    assert_eq!(code(&host, &"f0000000000000000".into()).await?, "unknown_link");
    assert_eq!(code(&host, &guests[0].id).await?, "unknown_link", "a guest is taken out otherwise");
    assert_eq!(code(&guests[0].token, &helper.actor).await?, "not_allowed");
    assert_eq!(code(&cafe.created.review_token, &helper.actor).await?, "not_allowed");

    // Whoever is in is out, everywhere; and the words that they wrote stay.
    let board = BoardId::table(&id, tables[0]);
    let co = Guest::with_token(&server.api, id.clone(), helper.actor.clone(), "协同", &helper.token);
    co.connect().await?;
    co.open(BoardKind::Table(tables[0])).await?;
    co.write(tables[0], NoteKind::Idea, "停用之前写的", None)?;
    co.saved().await?;
    let mut on_board = Raw::signed(&server, &Address::Board(board.clone()), &helper.token).await?;
    let mut on_cafe = Raw::signed(&server, &Address::Workshop(id.clone()), &helper.token).await?;
    let mut unharmed = Raw::signed(&server, &Address::Board(board.clone()), &other.token).await?;
    let on_yjs = yjs(&server, &board, &helper.token).await?;
    cafe.steer(end(&helper.actor)).await?;
    let since = Instant::now();
    assert_eq!(closed(&mut on_board).await?, "link_ended");
    assert_eq!(closed(&mut on_cafe).await?, "link_ended");
    assert_eq!(close_of(on_yjs).await?, (4403, "forbidden".to_owned()));
    ensure!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    unharmed.says(&Address::Board(board.clone()), ClientMessage::QueryAwareness).await?;
    unharmed.next().await?;

    // The link opens nothing again, and is no longer among those that were given.
    let is_nobody = async |server: &Server| {
        assert_eq!(refusal(server, &Address::Workshop(id.clone()), &helper.token).await?, "bad_token");
        let refused = server.api.view(&id, &helper.token).await.err().context("refused")?;
        assert_eq!(code_of(&refused), Some("unauthorised"));
        let given = server.api.links(&id, &host).await?.given;
        ensure!(given.len() == 3 && given.iter().all(|link| link.actor != helper.actor), "{given:?}");
        Ok(())
    };
    is_nobody(&server).await?;
    assert_eq!(cafe.steer(end(&helper.actor)).await?, [], "once more, as after a lost answer");
    server.kill().await?;
    server.restart().await?;
    is_nobody(&server).await?;
    cafe.facilitator.connect().await?;
    cafe.facilitator.open(BoardKind::Table(tables[0])).await?;
    let kept = |f: &Guest| f.table_board(tables[0])?.notes.iter().any(|n| n.text == "停用之前写的").then_some(());
    cafe.facilitator.until("what they wrote", kept).await
}
