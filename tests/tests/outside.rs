//! What reaches the house from outside: connections, guesses at codes, and texts that hope to be run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::cafe::{Cafe, small};
use harness::guest::PATIENCE;
use harness::raw::Raw;
use harness::server::Server;
use shared::limits;
use shared::workshop::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn h22_an_address_has_so_many_sockets() -> Result<()> {
    let server = Server::start_with(&[("TABLEHOP_CONNECTION_LIMIT", "3")]).await?;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Raw::open(&server).await?);
    }
    let refused = Raw::open(&server).await.err().context("one too many")?;
    assert!(refused.to_string().contains("429"), "{refused}");
    open.pop();
    // Its place is free once the server has noticed.
    let patience = Instant::now();
    while Raw::open(&server).await.is_err() {
        assert!(patience.elapsed() < PATIENCE, "the place is not given back");
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h22_half_a_request_keeps_no_connection() -> Result<()> {
    let server = Server::start_with(&[("TABLEHOP_HEAD_SECONDS", "2")]).await?;
    let wait = PATIENCE;
    let connect = async || TcpStream::connect(("127.0.0.1", server.port())).await;
    // Nothing; half a head, and a letter from time to time; a whole request, and then silence.
    let (silent, mut slow, mut idle) = (connect().await?, connect().await?, connect().await?);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await?;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let ends = async |mut stream: TcpStream, drip: bool| {
        let mut all = Vec::new();
        let (mut buffer, mut every) = ([0; 1024], tokio::time::interval(Duration::from_millis(500)));
        loop {
            tokio::select! {
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return all,
                    Ok(count) => all.extend_from_slice(&buffer[..count]),
                },
                _ = every.tick(), if drip => {
                    let _ = stream.write_all(b"x").await;
                }
            }
        }
    };
    let all = async { tokio::join!(ends(silent, false), ends(slow, true), ends(idle, false)) };
    let (_, _, answered) = tokio::time::timeout(wait, all).await.context("a connection was kept")?;
    assert!(answered.starts_with(b"HTTP/1.1 200"), "the whole request was answered first");
    // A head without end.
    let mut endless = connect().await?;
    let _ = endless.write_all(&[b"GET / HTTP/1.1\r\nX: ", &vec![b'x'; 4 * limits::HEAD_BYTES][..]].concat()).await;
    let answer = tokio::time::timeout(wait, ends(endless, false)).await.context("a connection was kept")?;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_a_hundred_thousand_guesses_open_nothing_and_shut_nobody_out() -> Result<()> {
    const GUESSES: usize = 100_000;
    const CONNECTIONS: usize = 4;
    const AT_ONCE: usize = 250;
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let code = &cafe.created.join_code;
    server.api.join(code, "第一位", None).await?;
    let guessing = async |n: usize| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
        let mut told = [0usize; 3];
        for batch in 0..GUESSES / CONNECTIONS / AT_ONCE {
            // Many in one packet, and then all their answers: as fast as anybody can.
            let mut requests = String::new();
            for i in 0..AT_ONCE {
                let body =
                    format!(r#"{{"code":"Z{:07}","name":"x"}}"#, (n * GUESSES + batch * AT_ONCE + i) % 10_000_000);
                let length = body.len();
                requests += &format!(
                    "POST /api/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                );
            }
            stream.write_all(requests.as_bytes()).await?;
            let (mut text, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
            let statuses = loop {
                let read = stream.read(&mut buffer).await?;
                anyhow::ensure!(read > 0, "the server hung up");
                text.extend_from_slice(&buffer[..read]);
                if text.ends_with(b"}") {
                    // A body ends without a line break, so a status may stand behind one.
                    let lines = std::str::from_utf8(&text)?.split('\n');
                    let statuses: Vec<&str> =
                        lines.filter_map(|line| line.split_once("HTTP/1.1 ")).map(|(_, s)| s).collect();
                    if statuses.len() == AT_ONCE {
                        break statuses;
                    }
                }
            };
            for status in statuses {
                told[usize::from(!status.starts_with("429")) + usize::from(status.starts_with('2'))] += 1;
            }
        }
        anyhow::Ok(told)
    };
    // Real guests of the café, from the same address, all the while.
    let joining = async {
        let mut waits = Vec::new();
        for n in 0..40 {
            let since = Instant::now();
            server.api.join(code, &format!("真客人{n}"), None).await.context("a real guest was shut out")?;
            waits.push(since.elapsed());
        }
        waits.sort();
        anyhow::Ok(waits)
    };
    let guesses = futures_util::future::try_join_all((0..CONNECTIONS).map(guessing));
    let (told, waits) = futures_util::future::try_join(guesses, joining).await?;
    let sum = |kind: usize| told.iter().map(|told| told[kind]).sum::<usize>();
    assert_eq!(sum(2), 0, "a guess was right");
    assert!(sum(1) <= 30 + CONNECTIONS, "{} were looked up", sum(1));
    assert_eq!(sum(0) + sum(1), GUESSES);
    assert!(waits[waits.len() / 2] < Duration::from_secs(2), "{waits:?}");
    Ok(())
}

/// What somebody might hope to have run, wherever it ends up.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "javascript:alert(1)//",
    "=HYPERLINK(\"http://evil\",\"x\")",
    "@SUM(1+1)|cmd",
];

#[tokio::test(flavor = "multi_thread")]
async fn h9_hostile_text_ends_as_text_in_everything_that_is_served() -> Result<()> {
    let server = Server::start().await?;
    let mut body = small(2, 2, 20.0);
    body.title = HOSTILE[0].into();
    body.purpose = HOSTILE[2].into();
    for (table, text) in body.tables.iter_mut().zip(&HOSTILE[1..]) {
        (table.topic, table.question) = (text.to_string(), HOSTILE[3].into());
    }
    body.rounds[0].question = Some(HOSTILE[4].into());
    let cafe = Cafe::open(&server, &body).await?;
    let mut guests = Vec::new();
    for name in HOSTILE {
        guests.push(cafe.guest(name).await?);
    }
    let tables = cafe.next_round(&guests).await?;
    for ((guest, table), text) in guests.iter().zip(&tables).zip(HOSTILE) {
        guest.write(*table, Default::default(), text, None)?;
        guest.saved().await?;
    }
    cafe.steer(Command::Announce { text: HOSTILE[1].into() }).await?;
    let get = async |path: &str| {
        let url = server.api.url(path);
        let response = server.api.http.get(url).bearer_auth(&cafe.created.facilitator_token).send().await?;
        anyhow::ensure!(response.status().is_success(), "{path}: {}", response.status());
        let headers = response.headers().clone();
        anyhow::Ok((headers, response.text().await?))
    };
    let id = &cafe.created.id;
    let paths = [
        format!("/api/workshops/{id}"),
        format!("/api/workshops/{id}/export/json"),
        format!("/api/workshops/{id}/export/md"),
        format!("/api/codes/{}", cafe.created.join_code),
    ];
    for path in &paths {
        let (headers, text) = get(path).await?;
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        // Nothing that a browser would take for a page, whatever stands in it.
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let kind = header("content-type");
        assert!(kind.starts_with("application/json") || kind.starts_with("text/markdown"), "{path}: {kind}");
        assert!(header("content-security-policy").contains("script-src 'self'"), "{path}");
        if path.contains("export") {
            assert!(header("content-disposition").starts_with("attachment; filename=\"tablehop-"), "{path}");
        }
        if kind.starts_with("application/json") {
            let read: serde_json::Value = serde_json::from_str(&text)?;
            let whole = read.to_string();
            assert!(whole.contains("<script>"), "{path}: the words are there, as words");
        } else {
            // An escaped bracket closes no link.
            let live = text.replace("\\]", "");
            for markup in ["<script", "<img", "](javascript:", "](http"] {
                assert!(!live.contains(markup), "{path}: {markup}");
            }
            assert!(text.contains("&lt;script&gt;") && text.contains("HYPERLINK"), "{path}: the words are there");
        }
    }
    let (_, json) = get(&paths[1]).await?;
    let read: serde_json::Value = serde_json::from_str(&json)?;
    let words = read.to_string();
    for text in HOSTILE {
        assert!(words.contains(&serde_json::to_string(text)?), "{text} is not in the export as it was written");
    }
    // What comes back in an error, too.
    let response = server.api.http.get(server.api.url("/api/codes/%3Cscript%3Ealert(1)%3C%2Fscript%3E")).send().await?;
    let kind = response.headers().get("content-type").context("a type")?.to_str()?.to_owned();
    assert!(kind.starts_with("application/problem+json"), "{kind}");
    assert!(!response.text().await?.contains("<script>"));
    Ok(())
}
