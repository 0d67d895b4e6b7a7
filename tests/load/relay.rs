//! The floor: a relay on axum with small buffers. It passes every frame on to everybody in the room, its sender too, with no document, no
//! check and no disk. What a server costs above this is what it does for its people.
//!
//! `--lose N` drops every Nth frame on its way to one person: what the load generator must notice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use clap::Parser;
use futures_util::SinkExt;
use tokio::sync::mpsc::{self, UnboundedSender};

/// A relay without documents, to compare with.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long)]
    listen: std::net::SocketAddr,
    /// Lose every Nth delivery; 0 loses none.
    #[arg(long, default_value_t = 0)]
    lose: u64,
}

#[derive(Default)]
struct Relay {
    rooms: Mutex<HashMap<String, Room>>,
    lose: u64,
    deliveries: AtomicU64,
    next: AtomicU64,
}

/// Who is in a room, with a number that tells them apart.
type Room = Arc<Mutex<Vec<(u64, UnboundedSender<Message>)>>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let relay = Arc::new(Relay { lose: arguments.lose, ..Relay::default() });
    let router = Router::new().route("/{room}", get(join)).with_state(relay);
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    println!("Listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // As everybody's.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn join(State(relay): State<Arc<Relay>>, Path(room): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(4 * 1024).write_buffer_size(0).on_upgrade(move |socket| live(relay, room, socket))
}

async fn live(relay: Arc<Relay>, name: String, mut socket: WebSocket) {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let me = relay.next.fetch_add(1, Ordering::Relaxed);
    let room = relay.rooms.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
    room.lock().unwrap_or_else(PoisonError::into_inner).push((me, tx));
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(message @ Message::Binary(_))) => relay.pass_on(&room, &message),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            message = rx.recv() => {
                let Some(message) = message else { break };
                if socket.feed(message).await.is_err() {
                    break;
                }
                while let Ok(message) = rx.try_recv() {
                    if socket.feed(message).await.is_err() {
                        break;
                    }
                }
                if socket.flush().await.is_err() {
                    break;
                }
            }
        }
    }
    room.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| *other != me);
}

impl Relay {
    fn pass_on(&self, room: &Room, message: &Message) {
        for (_, tx) in room.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let count = self.deliveries.fetch_add(1, Ordering::Relaxed) + 1;
            if self.lose > 0 && count.is_multiple_of(self.lose) {
                continue;
            }
            // Somebody who is just leaving.
            let _ = tx.send(message.clone());
        }
    }
}
