//! A bare connection to one board: what it sends, and what it does with what it hears, is up to the test.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shared::wire::PresenceEntry;
use shared::wire::frame::{Address, Addressed, ClientFrame, ClientMessage, ServerFrame, ServerMessage};
use shared::wire::presence;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::guest::PATIENCE;

/// The connection.
pub struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    address: Address,
    /// Who is there, by client id: the clock and the state last heard.
    pub present: BTreeMap<u64, (u32, Value)>,
}

impl Wire {
    /// Connects to `collab` and opens `address` as a client that is not ours.
    ///
    /// # Errors
    /// The server does not take the connection or the token.
    pub async fn open(collab: &str, address: Address, token: &str) -> Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(collab).await.context("connect")?;
        let mut wire = Self { socket, address, present: BTreeMap::new() };
        wire.send(ClientMessage::Auth { token: token.to_owned(), version: None }).await?;
        wire.hears("to be let in", |message| match message {
            ServerMessage::Authenticated { .. } => Some(Ok(())),
            ServerMessage::Denied { reason } => Some(Err(anyhow::anyhow!("denied: {reason}"))),
            _ => None,
        })
        .await??;
        Ok(wire)
    }

    /// Sends a message about the board.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, message: ClientMessage) -> Result<()> {
        let to = Addressed { address: self.address.clone(), session: None };
        let frame = ClientFrame::Message(to, message).encode();
        self.socket.send(Message::Binary(frame.into())).await.context("send")
    }

    /// Says that the document `client` is here, for the `clock`th time.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn presents(&mut self, client: u64, clock: u32, state: Value) -> Result<()> {
        let entries = presence::encode(&[PresenceEntry { client, clock, state: Some(state) }]);
        self.send(ClientMessage::Awareness(entries)).await
    }

    /// Waits for a message about the board that `f` wants. Presence is kept in [`Wire::present`] on the way.
    ///
    /// # Errors
    /// The connection ended, or it did not come; `what` says what was waited for.
    pub async fn hears<T>(&mut self, what: &str, mut f: impl FnMut(&ServerMessage) -> Option<T>) -> Result<T> {
        let wait = async {
            loop {
                let bytes = match self.socket.next().await.context("the connection ended")?? {
                    Message::Binary(bytes) => bytes,
                    Message::Close(frame) => bail!("closed: {frame:?}"),
                    _ => continue,
                };
                match ServerFrame::decode(&bytes)? {
                    ServerFrame::Message(_, message) => {
                        if let ServerMessage::Awareness(bytes) = &message {
                            take_presence(&mut self.present, bytes)?;
                        }
                        if let Some(found) = f(&message) {
                            return Ok(found);
                        }
                    }
                    ServerFrame::Ping | ServerFrame::Pong => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.with_context(|| format!("waited in vain for {what}"))?
    }

    /// Asks who is here and waits for the answer.
    ///
    /// # Errors
    /// As [`Wire::hears`].
    pub async fn asks_who_is_here(&mut self) -> Result<()> {
        self.send(ClientMessage::QueryAwareness).await?;
        self.hears("who is here", |message| matches!(message, ServerMessage::Awareness(_)).then_some(())).await
    }

    /// Leaves the socket open and never looks at it again, as a phone does that went out of reach. It is closed when the returned
    /// value is dropped.
    pub fn goes_out_of_reach(self) -> impl Sized {
        self.socket
    }

    /// Closes the connection properly.
    ///
    /// # Errors
    /// It is gone already.
    pub async fn close(mut self) -> Result<()> {
        self.socket.close(None).await.context("close")
    }
}

/// Takes in what is said of who is here, as y-protocols does: only what is newer.
///
/// # Errors
/// The bytes are no presence.
pub fn take_presence(present: &mut BTreeMap<u64, (u32, Value)>, bytes: &[u8]) -> Result<()> {
    for PresenceEntry { client, clock, state } in presence::decode(bytes)? {
        match state {
            Some(state) if present.get(&client).is_none_or(|(known, _)| *known < clock) => {
                present.insert(client, (clock, state));
            }
            None if present.get(&client).is_some_and(|(known, _)| *known <= clock) => {
                present.remove(&client);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A state as other makers' clients send it.
pub fn user(name: &str) -> Value {
    json!({ "user": { "name": name, "color": "#c96" } })
}
