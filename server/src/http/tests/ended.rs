//! Those who were put out of a café, and whose token did not hear of it: a request that was under way, a connection that was lost, a store
//! that failed. What the café has decided holds all the same.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use shared::id::{Actor, ActorId, Role, WorkshopId};
use shared::workshop::{Command, Phase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{Server, problem, text};
use crate::app::App;
use crate::auth::Standing;
use crate::config::Config;
use crate::http::router;
use crate::store::SqliteStore;
use crate::store::faulty::{Faults, FaultyStore};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server without its sockets, on a store with faults, and a café in its lobby.
struct House {
    app: App,
    router: Router,
    faults: Arc<Faults>,
    id: WorkshopId,
    cafe: Value,
    _data: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let sqlite = Arc::new(SqliteStore::open(data.path()).expect("a store"));
        let (store, faults) = FaultyStore::new(sqlite);
        let config = Config::new(([127, 0, 0, 1], 0).into(), data.path().to_owned());
        let app = App::new(config, Arc::new(store));
        let mut house =
            Self { router: router(app.clone()), app, faults, id: "".into(), cafe: Value::Null, _data: data };
        let (status, cafe) = house.asks("POST", "/api/workshops", "", Some(json!({"template": "classic"}))).await;
        assert_eq!(status, 201, "{cafe}");
        (house.id, house.cafe) = (text(&cafe, "id").into(), cafe);
        house.steers(Command::GoTo { phase: Phase::Lobby }).await;
        house
    }

    fn request(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Request<Body> {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header("content-type", "application/json").header("content-length", body.len());
        request.body(body.into()).expect("a request")
    }

    async fn asks(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.router.clone().oneshot(self.request(method, path, token, body)).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn commands(&self) -> String {
        format!("/api/workshops/{}/commands", self.id)
    }

    /// What the café decides, past everything that HTTP does besides.
    async fn steers(&self, command: Command) {
        let by = Actor { id: "f0".into(), role: Role::Facilitator };
        self.app.workshops.command(&self.id, &by, command, None).await.expect("done");
    }

    /// A further link: who acts through it, and its token.
    async fn link(&self, role: &str) -> (ActorId, String) {
        let links = format!("/api/workshops/{}/links", self.id);
        let host = text(&self.cafe, "facilitator_token");
        let (status, link) = self.asks("POST", &links, host, Some(json!({"role": role}))).await;
        assert_eq!(status, 201, "{link}");
        (text(&link, "actor").into(), text(&link, "token").to_owned())
    }

    async fn guest(&self) -> (ActorId, String) {
        let body = json!({"code": self.cafe["join_code"], "name": "王芳"});
        let (status, joined) = self.asks("POST", "/api/join", "", Some(body)).await;
        assert_eq!(status, 201, "{joined}");
        (text(&joined, "participant").into(), text(&joined, "token").to_owned())
    }

    async fn is_void(&self, token: &str) -> bool {
        self.app.tokens.check(token).await == Ok(Standing::Unknown)
    }
}

#[tokio::test]
async fn h25_h3_whoever_was_put_out_is_nobody_also_while_their_token_is_not_void() {
    let house = House::open().await;
    let (facilitator, host) = house.link("facilitator").await;
    let (reviewer, review) = house.link("reviewer").await;
    let (guest, ticket) = house.guest().await;
    let cafe = format!("/api/workshops/{}", house.id);
    let asked = [
        ("GET", cafe.clone(), None),
        ("GET", format!("{cafe}/tables"), None),
        ("GET", format!("{cafe}/links"), None),
        ("POST", format!("{cafe}/links"), Some(json!({"role": "facilitator"}))),
        ("GET", format!("{cafe}/export/json"), None),
        ("GET", format!("{cafe}/export/md"), None),
        ("GET", format!("{cafe}/export/csv"), None),
        ("POST", format!("{cafe}/commands"), Some(json!({"type": "lock_boards", "locked": true}))),
    ];
    for (method, path, body) in &asked {
        let (status, _) = house.asks(method, path, &host, body.clone()).await;
        assert!((200..300).contains(&status), "{method} {path} before: {status}");
    }
    house.steers(Command::EndLink { actor: facilitator }).await;
    house.steers(Command::EndLink { actor: reviewer }).await;
    house.steers(Command::RemovePerson { participant: guest }).await;
    for token in [&host, &review, &ticket] {
        assert!(!house.is_void(token).await, "the café alone knows");
        for (method, path, body) in &asked {
            let (status, answer) = house.asks(method, path, token, body.clone()).await;
            assert_eq!((status, text(&answer, "code").to_owned()), problem(401, "unauthorised"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn h25_a_link_is_voided_though_nobody_waits_for_the_answer() {
    let house = House::open().await;
    let host = text(&house.cafe, "facilitator_token");
    let (actor, link) = house.link("facilitator").await;
    let (guest, ticket) = house.guest().await;
    for (out, command) in [
        (&link, json!({"type": "end_link", "actor": actor})),
        (&ticket, json!({"type": "remove_person", "participant": guest})),
    ] {
        house.faults.hold_writes();
        let request = house.request("POST", &house.commands(), host, Some(command));
        let asking = tokio::spawn(house.router.clone().oneshot(request));
        house.faults.writes_held(1).await;
        // The connection is lost, and with it the request.
        asking.abort();
        assert!(asking.await.is_err_and(|error| error.is_cancelled()));
        house.faults.release_writes();
        let voided = async {
            while !house.is_void(out).await {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, voided).await.expect("void");
    }
}

#[tokio::test]
async fn h25_what_could_not_be_voided_is_voided_by_asking_again() {
    let house = House::open().await;
    let host = text(&house.cafe, "facilitator_token");
    let (actor, link) = house.link("facilitator").await;
    let (guest, ticket) = house.guest().await;
    // As after a store that failed between the event and the token, or a crash there.
    house.steers(Command::EndLink { actor: actor.clone() }).await;
    house.steers(Command::RemovePerson { participant: guest.clone() }).await;
    for (out, command) in [
        (&link, json!({"type": "end_link", "actor": actor})),
        (&ticket, json!({"type": "remove_person", "participant": guest})),
    ] {
        assert!(!house.is_void(out).await);
        let (status, answer) = house.asks("POST", &house.commands(), host, Some(command)).await;
        assert_eq!((status, &answer["events"]), (200, &json!([])));
        assert!(house.is_void(out).await);
    }
}

#[tokio::test]
async fn h25_a_request_under_way_when_its_link_is_ended_makes_no_new_link() {
    let server = Server::start().await;
    let cafe = server.create().await;
    let (id, host) = (text(&cafe, "id"), text(&cafe, "facilitator_token"));
    let links = format!("/api/workshops/{id}/links");
    let made = server.ask("POST", &links).as_(host).json(&json!({"role": "facilitator"})).await_answer().await.json();

    let body = json!({"role": "facilitator"}).to_string();
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = format!(
        "POST {links} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        text(&made, "token"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    // The server asks for the body: it has looked at the token.
    let mut go_on = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut go_on)).await.expect("in time").expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let end = json!({"type": "end_link", "actor": made["actor"]});
    let ended = server.ask("POST", &format!("/api/workshops/{id}/commands")).as_(host).json(&end).await_answer().await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    stream.write_all(body.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("unauthorised"), "{answer}");
    let left = server.ask("GET", &links).as_(host).await_answer().await.json();
    assert_eq!(left["given"].as_array().map(Vec::len), Some(2), "the first facilitator and the reviewers: {left}");
    server.stop().await;
}
