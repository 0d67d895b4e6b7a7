//! Live connections. The only folder that knows WebSockets.
//!
//! # Layout
//!
//! - this file: who may connect, and the loop of one connection: bytes in, bytes out
//! - [`upgrade`]: from an HTTP request to a WebSocket
//! - [`mod@line`]: its stream, on which others may write as well
//! - [`session`]: the connection as a pure state machine
//! - [`connection`]: carries out what it decides
//! - `rights`: what somebody may do on an address
//! - [`allowance`]: how much each person may still write
//! - [`guard`]: scan, decode and attribute an update before Yrs sees it
//! - [`outbox`]: what waits to be written; bounded
//! - [`dialect`]: the two framings
//! - [`rate`]: token buckets

use std::io::ErrorKind;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use shared::id::BoardId;
use shared::limits;
use shared::wire::{Address, ClientFrame, ClientMessage};
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

pub mod allowance;
pub mod connection;
pub mod dialect;
pub mod guard;
pub mod line;
pub mod outbox;
pub mod rate;
mod rights;
pub mod session;
pub mod upgrade;

use connection::{Connection, Framing};
use line::Line;
use outbox::{End, Next, Outbox};
use session::Input;
use upgrade::{Socket, Upgrade};

use crate::app::App;
use crate::http::Http;
use crate::http::extract::Peer;
use crate::http::gate::Admission;

/// The library's default of 128 KiB a connection is for other uses: frames here are small, and idle connections are many. What is larger
/// gets the room it needs for as long as it needs it.
const READ_BUFFER: usize = 512;
/// The library writes answers to pings, and closes; who sends pings and reads no answers fills no memory with them.
const CONTROL_BUFFER: usize = 1024;
/// How long one write may take: a reader this slow is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(3 * limits::PING_SECONDS);
/// How often to see meanwhile whether that is too long.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait for the other side to confirm a close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// `GET /collab`: any number of documents over one WebSocket, in the Hocuspocus framing.
pub async fn collab(State(http): State<Http>, Peer(address): Peer, headers: HeaderMap, upgrade: Upgrade) -> Response {
    match admit(&http, address, &headers) {
        Ok(admission) => connect(http.app, address, admission, upgrade, Framing::Collab, None),
        Err((status, why)) => (status, why).into_response(),
    }
}

/// The query of `GET /yjs/{board}`.
#[derive(Debug, Deserialize)]
pub struct YjsQuery {
    /// A bearer token: plain y-websocket clients have no other place for it.
    token: String,
}

/// `GET /yjs/{board}?token=`: one board over one WebSocket, in the y-websocket framing.
pub async fn yjs(
    State(http): State<Http>,
    Peer(address): Peer,
    Path(board): Path<String>,
    Query(query): Query<YjsQuery>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    let Ok(board) = board.parse::<BoardId>() else {
        return (StatusCode::NOT_FOUND, "no such board").into_response();
    };
    match admit(&http, address, &headers) {
        Ok(admission) => {
            connect(http.app, address, admission, upgrade, Framing::Yjs(Address::Board(board)), Some(query.token))
        }
        Err((status, why)) => (status, why).into_response(),
    }
}

/// Browsers say which page connects, and pages of others may not; programs say nothing.
fn admit(http: &Http, address: IpAddr, headers: &HeaderMap) -> Result<Admission, (StatusCode, &'static str)> {
    let refused = |reason| metrics::counter!("tablehop_refusals_total", "reason" => reason).increment(1);
    if http.app.is_stopping() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| http.app.config.allows_origin(origin))
    {
        refused("foreign_origin");
        return Err((StatusCode::FORBIDDEN, "this page may not connect here"));
    }
    http.gate.connect(address).ok_or_else(|| {
        refused("too_many_connections");
        (StatusCode::TOO_MANY_REQUESTS, "too many connections from this address; see --connection-limit")
    })
}

fn connect(
    app: App,
    peer: IpAddr,
    admission: Admission,
    upgrade: Upgrade,
    framing: Framing,
    token: Option<String>,
) -> Response {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(CONTROL_BUFFER)
        .max_message_size(Some(limits::FRAME_BYTES))
        .max_frame_size(Some(limits::FRAME_BYTES));
    upgrade.accept(config, move |line, socket| live(app, peer, framing, token, line, socket, admission))
}

/// Counts a connection for as long as it lives.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("tablehop_connections").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("tablehop_connections").decrement(1.0);
    }
}

/// One connection, from its first frame to its last. No asynchronous function: the future of one keeps a place for each argument beside that
/// of the variable it becomes, and idle connections are many.
fn live(
    app: App,
    peer: IpAddr,
    framing: Framing,
    token: Option<String>,
    line: Arc<Line>,
    mut socket: Socket,
    admission: Admission,
) -> impl Future<Output = ()> + Send {
    let counted = Counted::new();
    let mut stopping = app.stopping();
    let outbox = Arc::new(Outbox::on(line.clone()));
    let mut connection = Connection::new(app, framing.clone(), outbox.clone());
    let is_yjs = matches!(framing, Framing::Yjs(_));
    let number = connection.number();
    tracing::debug!(connection = number, %peer, "a connection begins");
    let first = match (framing, token) {
        // The token came with the URL; what follows is as if it had come in a frame.
        (Framing::Yjs(board), Some(token)) => {
            let auth = ClientMessage::Auth { token, version: None };
            Some(Box::new(Input::Heard(Ok(ClientFrame::Message(board.into(), auth)))))
        }
        _ => None,
    };
    async move {
        if let Some(first) = first {
            Box::pin(connection.take(*first)).await;
        }
        let end = converse(&mut connection, &outbox, &line, &mut socket, &mut stopping).await;
        // Nothing follows a close, and who is gone is not written to.
        outbox.hang_up();
        Box::pin(connection.leave()).await;
        drop(connection);
        tracing::debug!(connection = number, code = end.map(|end| end.code), "a connection has ended");
        if let Some(mut end) = end {
            if is_yjs && matches!(end.code, 4408 | 4429) {
                // y-websocket never comes back after a code from 4400 to 4499; this person may, in a moment.
                end.code = 1013;
            }
            let told = Box::pin(timeout(CLOSE_PATIENCE, socket.send(close_frame(end)))).await;
            // A server that stops waits until everybody was told, but not for their answers.
            drop(stopping);
            if let Ok(Ok(())) = told {
                // Hanging up before the other side has read this would take it back. Who does not answer is gone.
                let _ = Box::pin(timeout(CLOSE_PATIENCE, hung_up(&mut socket))).await;
            }
        }
        drop((admission, counted));
    }
}

/// Until the other side has confirmed the close, or hung up.
async fn hung_up(socket: &mut Socket) {
    let mut confirmed = false;
    while let Some(Ok(message)) = socket.next().await {
        confirmed |= message.is_close();
    }
    // After a frame that it could not take the library reads nothing more. What is still on its way would take the close back all the same.
    let mut passed_over = [0; 1024];
    while !confirmed && matches!(socket.get_mut().read(&mut passed_over).await, Ok(1..)) {}
}

fn close_frame(end: End) -> Message {
    Message::Close(Some(CloseFrame { code: end.code.into(), reason: end.reason.into() }))
}

/// The loop of one connection. Returns what to tell the other side, if it is still there.
async fn converse(
    connection: &mut Connection,
    outbox: &Outbox,
    line: &Line,
    socket: &mut Socket,
    stopping: &mut watch::Receiver<bool>,
) -> Option<End> {
    // One timer and the same ears for the whole connection: made anew for each message they cost more than the message.
    let mut alarm = pin!(sleep_until(connection.wake_at()));
    let mut stopped = pin!(stopped(stopping));
    let mut changed = pin!(connection.changed());
    let mut was_known = false;
    loop {
        if connection.is_known() != was_known {
            was_known = connection.is_known();
            changed.set(connection.changed());
            // Until now it was set for the end of their time to say who they are.
            alarm.as_mut().reset(connection.wake_at());
            socket.get_mut().release();
        }
        // All that waits is written before anything more is read: who does not read is not listened to.
        if connection.wants_ping() || !outbox.is_empty() || !line.is_clear() {
            match Box::pin(patiently(outbox, write(connection, outbox, line, socket))).await {
                Written::All => {}
                Written::End(end) => return Some(end),
                Written::Failed => return None,
            }
        }
        // What a connection does is boxed: idle ones are many, and should be small.
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => Box::pin(connection.hear(&bytes)).await,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Box::pin(connection.take(Input::Alive)).await,
                Some(Ok(Message::Text(_))) => return Some(End { code: 1003, reason: "text" }),
                Some(Ok(Message::Close(_))) => {
                    // Sends the answer that is already prepared.
                    let _ = timeout(CLOSE_PATIENCE, socket.flush()).await;
                    return None;
                }
                Some(Err(error)) => return end_for(&error),
                None => return None,
            },
            () = outbox.filled() => {}
            () = &mut changed => {
                Box::pin(connection.check_rights()).await;
                changed.set(connection.changed());
            }
            () = &mut alarm => {
                // What was heard meanwhile has put it off, never brought it forward; then this does nothing.
                Box::pin(connection.take(Input::Tick)).await;
                alarm.as_mut().reset(connection.wake_at());
            }
            () = &mut stopped => return Some(End { code: 1012, reason: "restart" }),
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that there is no server any more.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

enum Written {
    All,
    End(End),
    Failed,
}

/// Writing for as long as there is patience: less where this reader holds much of too much.
async fn patiently(outbox: &Outbox, writing: impl Future<Output = Written>) -> Written {
    let mut writing = pin!(writing);
    let until = Instant::now() + WRITE_PATIENCE;
    while Instant::now() < until {
        match timeout(LOOK_AGAIN, &mut writing).await {
            Ok(written) => return written,
            Err(_) if outbox.is_burden() => break,
            Err(_) => {}
        }
    }
    metrics::counter!("tablehop_refusals_total", "reason" => "not_reading").increment(1);
    Written::Failed
}

/// Writes all that waits. Until this is done nobody else writes on the line, but for the rest of a frame.
async fn write(connection: &mut Connection, outbox: &Outbox, line: &Line, socket: &mut Socket) -> Written {
    let pinged = connection.take_ping();
    if pinged && socket.feed(Message::Ping(Bytes::new())).await.is_err() {
        return Written::Failed;
    }
    if (pinged || line.is_within()) && socket.flush().await.is_err() {
        return Written::Failed;
    }
    if line.finish().await.is_err() {
        return Written::Failed;
    }
    loop {
        // Who reads slowly is in here for long, and reads nothing more of what was taken from them meanwhile.
        if connection.has_changed() {
            Box::pin(connection.check_rights()).await;
        }
        let Some(next) = outbox.next() else { break };
        match next {
            // Where several wait they are written in one piece.
            Next::Frame(frame) if line.gather(&frame) => {}
            Next::Frame(frame) => {
                if line.send(&frame).await.is_err() {
                    return Written::Failed;
                }
            }
            Next::Lagging(slot) => {
                // Only once the reader has caught up with what is on its way is it worth asking what it has.
                if line.finish().await.is_err() {
                    return Written::Failed;
                }
                Box::pin(connection.catch_up(slot)).await;
            }
            Next::End(end) => return Written::End(end),
        }
    }
    if line.finish().await.is_ok() { Written::All } else { Written::Failed }
}

fn end_for(error: &tungstenite::Error) -> Option<End> {
    let end = match error {
        tungstenite::Error::Capacity(_) => End { code: 1009, reason: "too_large" },
        tungstenite::Error::Io(error) if error.kind() == ErrorKind::QuotaExceeded => session::NOT_AUTHENTICATED,
        _ => return None,
    };
    metrics::counter!("tablehop_refusals_total", "reason" => end.reason).increment(1);
    Some(end)
}
