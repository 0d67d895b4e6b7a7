//! The interface over a real connection to a server in this process, and a real store. The acceptance of whole cafés is tested elsewhere;
//! here is what the router itself promises.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::Config;
use crate::run::{ServeError, serve};
use crate::store::faulty::FaultyStore;
use crate::store::{SqliteStore, StoreError};

mod ended;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
    data: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        Self::start_in(data, change).await
    }

    async fn start_in(data: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut config = Config::new(address, data.path().to_owned());
        change(&mut config);
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let running = tokio::spawn(serve(config, listener, stopped));
        Self { address, stop, running, data }
    }

    async fn stop(self) -> tempfile::TempDir {
        self.stop.send(()).expect("it runs");
        self.running.await.expect("no panic").expect("a clean end");
        self.data
    }

    fn ask(&self, method: &'static str, path: &str) -> Ask {
        Ask { address: self.address, method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    async fn create(&self) -> Value {
        let body = json!({"template": "owner-journey", "language": "zh-CN"});
        let answer = self.ask("POST", "/api/workshops").json(&body).await_answer().await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// A café that is created elsewhere; only behind a trusted proxy.
    async fn create_from(&self, address: &str) -> Value {
        let body = json!({"template": "owner-journey", "language": "zh-CN"});
        let ask = self.ask("POST", "/api/workshops").with("x-forwarded-for", address);
        let answer = ask.json(&body).await_answer().await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    async fn open(&self, cafe: &Value) {
        let path = format!("/api/workshops/{}/commands", text(cafe, "id"));
        let command = json!({"type": "go_to", "phase": "lobby"});
        let answer = self.ask("POST", &path).as_(text(cafe, "facilitator_token")).json(&command).await_answer().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    async fn join(&self, code: &str, name: &str) -> Answer {
        self.ask("POST", "/api/join").json(&json!({"code": code, "name": name})).await_answer().await
    }
}

struct Ask {
    address: SocketAddr,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Ask {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn as_(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn json(self, body: &Value) -> Self {
        self.raw(&body.to_string())
    }

    fn raw(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.with("content-type", "application/json")
    }

    async fn await_answer(self) -> Answer {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.method, self.path, self.address);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let body = self.body.unwrap_or_default();
        head += &format!("content-length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        // A server that refuses a body may close before it has read it all.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default()
    }

    /// Status and code of a problem document.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        (self.status, text(&self.json(), "code").to_owned())
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_cafe_is_created_joined_and_taken_away() {
    let server = Server::start().await;
    let cafe = server.create().await;
    let (id, code) = (text(&cafe, "id"), text(&cafe, "join_code"));
    assert!(text(&cafe, "join_url").ends_with(&format!("/j/{code}")));
    assert!(text(&cafe, "review_url").contains(&format!("/review/{id}#")));
    server.open(&cafe).await;

    let spaced = format!("{} {}", &code[..4].to_lowercase(), &code[4..]);
    let joined = server.join(&spaced, "李雷").await;
    assert_eq!(joined.status, 201, "{}", joined.body);
    let (person, token) = (text(&joined.json(), "participant").to_owned(), text(&joined.json(), "token").to_owned());
    assert_eq!(joined.header("cache-control"), "no-store");

    let again = json!({"code": code, "name": "李 雷"});
    let again = server.ask("POST", "/api/join").as_(&token).json(&again).await_answer().await;
    assert_eq!((again.status, text(&again.json(), "participant")), (200, person.as_str()));
    let view = server.ask("GET", &format!("/api/workshops/{id}")).as_(&token).await_answer().await.json();
    assert_eq!((text(&view["me"], "name"), view["people_count"].as_u64()), ("李 雷", Some(1)));

    let export = format!("/api/workshops/{id}/export");
    let early = server.ask("GET", &format!("{export}/json")).as_(&token).await_answer().await;
    assert_eq!(early.problem(), problem(409, "wrong_phase"));
    let host = text(&cafe, "facilitator_token");
    let document = server.ask("GET", &format!("{export}/json")).as_(host).await_answer().await;
    assert_eq!(document.json()["tables"].as_array().map(Vec::len), Some(4));
    let document = server.ask("GET", &format!("{export}/md")).as_(host).await_answer().await;
    assert!(document.body.starts_with("# 业主服务旅程共创"), "{}", document.body);
    assert!(document.header("content-disposition").starts_with("attachment"));
    server.stop().await;
}

#[tokio::test]
async fn a_removed_person_is_nobody_at_once() {
    let server = Server::start().await;
    let cafe = server.create().await;
    server.open(&cafe).await;
    let joined = server.join(text(&cafe, "join_code"), "Wang").await.json();
    let path = format!("/api/workshops/{}", text(&cafe, "id"));
    let remove = json!({"type": "remove_person", "participant": joined["participant"]});
    let removed = server.ask("POST", &format!("{path}/commands")).as_(text(&cafe, "facilitator_token")).json(&remove);
    assert_eq!(removed.await_answer().await.status, 200);
    let denied = server.ask("GET", &path).as_(text(&joined, "token")).await_answer().await;
    assert_eq!(denied.problem(), problem(401, "unauthorised"));

    let data = server.stop().await;
    let server = Server::start_in(data, |_| {}).await;
    let denied = server.ask("GET", &path).as_(text(&joined, "token")).await_answer().await;
    assert_eq!(denied.problem(), problem(401, "unauthorised"));
    server.stop().await;
}

#[tokio::test]
async fn roles_and_cafes_are_kept_apart() {
    let server = Server::start().await;
    let (cafe, other) = (server.create().await, server.create().await);
    server.open(&cafe).await;
    let guest = server.join(text(&cafe, "join_code"), "Wang").await.json();
    let guest = text(&guest, "token");
    let links = format!("/api/workshops/{}/links", text(&cafe, "id"));

    let asked = server.ask("GET", &links).as_(guest).await_answer().await;
    assert_eq!(asked.problem(), problem(403, "not_allowed"));
    let asked = server.ask("GET", &links).as_(text(&other, "facilitator_token")).await_answer().await;
    assert_eq!(asked.problem(), problem(403, "wrong_workshop"));
    let asked = server.ask("GET", &links).await_answer().await;
    assert_eq!(asked.problem(), problem(401, "unauthorised"));

    let host = text(&cafe, "facilitator_token");
    let made = server.ask("POST", &links).as_(host).json(&json!({"role": "facilitator"})).await_answer().await;
    assert_eq!(made.status, 201, "{}", made.body);
    let asked = server.ask("GET", &links).as_(text(&made.json(), "token")).await_answer().await;
    assert_eq!(text(&asked.json(), "join_code"), text(&cafe, "join_code"));
    let made = server.ask("POST", &links).as_(host).json(&json!({"role": "participant"})).await_answer().await;
    assert_eq!(made.problem(), problem(422, "out_of_range"));
    server.stop().await;
}

#[tokio::test]
async fn whatever_cannot_be_read_is_a_problem_document() {
    let server = Server::start().await;
    let cafe = server.create().await;
    let host = text(&cafe, "facilitator_token");
    let commands = format!("/api/workshops/{}/commands", text(&cafe, "id"));
    let name = "x".repeat(10_000);
    for (ask, expected) in [
        (server.ask("GET", "/api/nothing"), problem(404, "not_found")),
        (server.ask("DELETE", "/api/join"), problem(405, "method_not_allowed")),
        (server.ask("POST", "/api/join").raw("{"), problem(400, "bad_json")),
        (server.ask("POST", "/api/join").raw("{\"code\": 1}"), problem(400, "bad_json")),
        (server.ask("POST", "/api/join"), problem(400, "bad_json")),
        (server.ask("POST", "/api/join").raw(&" ".repeat(3 * 1024 * 1024)), problem(413, "too_large")),
        (server.ask("GET", "/api/templates?language=tlh"), problem(400, "bad_json")),
        (server.ask("GET", "/api/codes/ABCD2345"), problem(404, "bad_code")),
        (server.ask("GET", "/api/codes/%FF"), problem(404, "not_found")),
        (server.ask("GET", "/api/qr/nothing.svg"), problem(404, "not_found")),
        (server.ask("POST", &commands).as_(host).json(&json!({"type": "dance"})), problem(400, "bad_json")),
        (server.ask("POST", &commands).as_(host).json(&json!({"type": "close_vote"})), problem(409, "wrong_phase")),
        (server.ask("POST", "/api/workshops").json(&json!({"title": "x"})), problem(422, "too_few_tables")),
        (
            server.ask("POST", "/api/workshops").json(&json!({"template": "classic", "title": name})),
            problem(422, "too_long"),
        ),
        (server.ask("POST", "/api/workshops").json(&json!({"template": "x"})), problem(422, "unknown_template")),
    ] {
        let asked = format!("{} {}", ask.method, ask.path);
        assert_eq!(ask.await_answer().await.problem(), expected, "{asked}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_may_not_change_anything() {
    let server = Server::start().await;
    let body = json!({"template": "classic"});
    let asked = server.ask("POST", "/api/workshops").with("origin", "https://evil.example").json(&body);
    assert_eq!(asked.await_answer().await.problem(), problem(403, "foreign_origin"));
    let own = format!("http://localhost:{}", server.address.port());
    let asked = server.ask("POST", "/api/workshops").with("origin", &own).json(&body).await_answer().await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    server.stop().await;
}

#[tokio::test]
async fn h2_guessing_codes_ends_and_guests_still_join() {
    let server = Server::start_with(|config| {
        config.wrong_code_limit = 3;
        config.trusted_proxy = true;
    })
    .await;
    let cafe = server.create().await;
    server.open(&cafe).await;
    for _ in 0..3 {
        assert_eq!(server.join("WRNG2345", "x").await.problem(), problem(404, "bad_code"));
    }
    let refused = server.join("WRNG2345", "x").await;
    assert_eq!(refused.problem(), problem(429, "too_many_requests"));
    assert_eq!(server.join(text(&cafe, "join_code"), "Li").await.status, 201);
    // A café that nobody there knows: its guests are not looked up at once, but soon, while the guesser goes on.
    let other = server.create_from("203.0.113.9").await;
    server.open(&other).await;
    let code = text(&other, "join_code");
    let (tried, guests) = tokio::join!(
        async {
            let mut tried = 0;
            while server.join("WRNG2346", "x").await.problem() == problem(429, "too_many_requests") && tried < 8 {
                tried += 1;
            }
            tried
        },
        async {
            let since = std::time::Instant::now();
            while server.join(code, "Wang").await.status != 201 {
                assert!(since.elapsed().as_secs() < 20, "nobody gets in");
            }
        }
    );
    assert_eq!((tried, guests), (8, ()), "a wrong one that is looked up is refused like any other");
    server.stop().await;
}

#[tokio::test]
async fn h23_whoever_is_unknown_is_refused_before_their_body_is_read() {
    let server = Server::start_with(|config| config.create_limit = 1).await;
    server.create().await;
    // A body of 2 MiB is announced, and of it comes only so much.
    for (path, comes, expected) in [("/api/workshops", 0, "429"), ("/api/join", shared::limits::JOIN_BYTES + 1, "413")]
    {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            shared::limits::BODY_BYTES
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream.write_all(&vec![b' '; comes]).await.expect("sent");
        let mut status = [0; 12];
        let answer = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read_exact(&mut status));
        answer.await.expect("an answer before the body has come").expect("an answer");
        assert_eq!(status, *format!("HTTP/1.1 {expected}").as_bytes(), "{path}");
    }
    let name = "名".repeat(shared::limits::JOIN_BYTES);
    let refused = server.join("ABCD2345", &name).await;
    assert_eq!((refused.problem(), refused.json()["limit"].as_u64()), (problem(413, "too_large"), Some(8 * 1024)));
    server.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_an_id() {
    let server = Server::start().await;
    for path in ["/", "/api/templates", "/healthz", "/api/nothing"] {
        let answer = server.ask("GET", path).await_answer().await;
        assert!(answer.header("content-security-policy").contains("script-src 'self' 'wasm-unsafe-eval';"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(answer.header("strict-transport-security").is_empty(), "{path}");
        assert_eq!(answer.header("x-frame-options"), "deny", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
    server.stop().await;
    let server = Server::start_with(|config| config.public_url = Some("https://cafe.example.com".to_owned())).await;
    let answer = server.ask("GET", "/").await_answer().await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    server.stop().await;
}

#[tokio::test]
async fn o1_figures_are_not_for_those_who_come_through_a_proxy() {
    for trusted in [false, true] {
        let server = Server::start_with(|config| config.trusted_proxy = trusted).await;
        let ask = || server.ask("GET", "/metrics");
        assert_eq!(ask().await_answer().await.status, 200);
        // Also where its guest has written their address themselves.
        for name in ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"] {
            let forwarded = ask().with(name, "127.0.0.1").await_answer().await;
            assert_eq!(forwarded.problem(), problem(404, "not_found"), "{name}, trusted: {trusted}");
        }
        server.stop().await;
    }
    let server = Server::start_with(|config| config.public_metrics = true).await;
    assert_eq!(server.ask("GET", "/metrics").with("via", "1.1 proxy").await_answer().await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn operators_see_health_and_figures() {
    let server = Server::start().await;
    assert_eq!(server.ask("GET", "/healthz").await_answer().await.body, "ok\n");
    assert_eq!(server.ask("GET", "/readyz").await_answer().await.body, "ready\n");
    let figures = server.ask("GET", "/metrics").await_answer().await;
    assert!(figures.body.contains("tablehop_http_request_seconds_bucket"), "{}", figures.body);
    let qr = server.ask("GET", "/api/qr/abcd-2345.svg").await_answer().await;
    assert_eq!((qr.status, qr.header("content-type")), (200, "image/svg+xml"));
    let api = server.ask("GET", "/api/openapi.json").await_answer().await.json();
    assert!(api["components"]["schemas"]["Command"].is_object());
    server.stop().await;
}

#[tokio::test]
async fn h23_methods_that_nobody_knows_are_counted_as_one() {
    let server = Server::start().await;
    for method in ["BREW", "WHEN", "PROPFIND", "TRACE"] {
        server.ask(method, "/api/templates").await_answer().await;
        server.ask(method, "/").await_answer().await;
    }
    let figures = server.ask("GET", "/metrics").await_answer().await.body;
    assert!(figures.contains(r#"method="other""#), "{figures}");
    for method in ["BREW", "WHEN", "PROPFIND", "TRACE"] {
        assert!(!figures.contains(method), "{method} in {figures}");
    }
    server.stop().await;
}

#[tokio::test]
async fn h23_commands_cannot_fill_the_disk_faster_than_the_budget_of_their_cafe() {
    let server = Server::start().await;
    let (cafe, other) = (server.create().await, server.create().await);
    let commands = |cafe: &Value| format!("/api/workshops/{}/commands", text(cafe, "id"));
    let say = |cafe: &Value, token: &str, command: &Value| {
        server.ask("POST", &commands(cafe)).as_(text(cafe, token)).json(command).await_answer()
    };
    let edit = |n: usize| {
        let question = "字".repeat(400);
        let tables: Vec<Value> = (0..250).map(|_| json!({"topic": n.to_string(), "question": question})).collect();
        let rounds = json!([{"minutes": 20.0}]);
        json!({"type": "edit_draft", "draft": {"title": "t", "tables": tables, "rounds": rounds}})
    };
    let weight = edit(0).to_string().len();
    let most = shared::limits::COMMAND_BYTES_BURST as usize / weight;
    let mut done = 0;
    let refused = loop {
        let answer = say(&cafe, "facilitator_token", &edit(done)).await;
        if answer.status != 200 {
            break answer;
        }
        done += 1;
        // What is earned meanwhile lets a few more pass on a slow machine.
        assert!(done < 4 * most, "{done} plans of {weight} bytes");
    };
    assert!(done >= most, "only {done} of {most}");
    assert_eq!(refused.problem(), problem(429, "too_fast"));
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..60).contains(&seconds)));
    // Whoever floods can be stopped all the same, and other cafés notice nothing.
    let links = format!("/api/workshops/{}/links", text(&cafe, "id"));
    let link = server.ask("POST", &links).as_(text(&cafe, "facilitator_token")).json(&json!({"role": "reviewer"}));
    let link = link.await_answer().await.json();
    let end = json!({"type": "end_link", "actor": link["actor"]});
    assert_eq!(say(&cafe, "facilitator_token", &end).await.status, 200);
    assert_eq!(say(&other, "facilitator_token", &edit(0)).await.status, 200);

    // Reviewers who decide back and forth, each time with a long reason, use up their own budget and not that of those who steer.
    let decide = |verdict: &str| json!({"type": "decide", "action": "a", "verdict": verdict, "reason": "由".repeat(2_000), "name": "王"});
    let (mut decided, most) =
        (0, 4 * shared::limits::COMMAND_BYTES_BURST as usize / decide("decline").to_string().len());
    while say(&other, "review_token", &decide(["decline", "change"][decided % 2])).await.status != 429 {
        decided += 1;
        assert!(decided < most, "{decided} decisions");
    }
    assert_eq!(say(&other, "facilitator_token", &edit(1)).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn h22_a_websocket_has_one_place_and_no_second_one_as_an_http_connection() {
    let server = Server::start_with(|config| config.connection_limit = 1).await;
    let upgrade = async || {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let head = "GET /collab HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        // One that is refused may be closed already.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut status = [0; 12];
        // The place that the connection had over HTTP is given back in a moment; until then a new one is closed unheard.
        stream.read_exact(&mut status).await.ok().map(|_| (stream, String::from_utf8_lossy(&status).into_owned()))
    };
    let heard = async || loop {
        if let Some(heard) = upgrade().await {
            return heard;
        }
    };
    let (_socket, status) = heard().await;
    assert_eq!(status, "HTTP/1.1 101");
    assert_eq!(heard().await.1, "HTTP/1.1 429", "heard over HTTP, and one socket too many");
    server.stop().await;
}

#[tokio::test]
async fn o2_ready_means_that_a_write_was_made() {
    let data = tempfile::tempdir().expect("a directory");
    let sqlite = Arc::new(SqliteStore::open(data.path()).expect("a store"));
    let (store, faults) = FaultyStore::new(sqlite);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = App::new(Config::new(address, data.path().to_owned()), Arc::new(store));
    let service = super::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let running = tokio::spawn(axum::serve(listener, service).into_future());
    let ask = |path: &str| {
        let ask = Ask { address, method: "GET", path: path.to_owned(), headers: Vec::new(), body: None };
        ask.await_answer()
    };
    assert_eq!(ask("/readyz").await.body, "ready\n");
    faults.refuse_writes(StoreError::Full);
    assert_eq!(ask("/readyz").await.problem(), problem(503, "store_full"));
    faults.refuse_writes(StoreError::Io("the disk is gone".to_owned()));
    assert_eq!(ask("/readyz").await.problem(), problem(503, "store_unavailable"));
    // A disk that neither fails nor answers.
    faults.heal();
    faults.hold_writes();
    assert_eq!(ask("/readyz").await.problem(), problem(503, "timed_out"));
    // The process is alive all the while, and ready again when the disk is.
    assert_eq!(ask("/healthz").await.body, "ok\n");
    faults.heal();
    assert_eq!(ask("/readyz").await.body, "ready\n");
    running.abort();
}
