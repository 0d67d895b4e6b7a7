//! A bare socket for tests that misbehave: it sends whatever bytes it is given, and knows nothing of replicas.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use shared::id::BoardId;
use shared::wire::frame::{Address, ClientFrame, ClientMessage, ServerFrame, ServerMessage};
use shared::wire::lib0::Writer;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::guest::PATIENCE;
use crate::server::Server;

/// An open socket.
pub struct Raw {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(ServerMessage),
    /// The connection has ended, with this close code if one was told.
    End(Option<u16>),
}

impl Raw {
    /// Connects.
    ///
    /// # Errors
    /// The server does not take the connection.
    pub async fn open(server: &Server) -> Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(server.collab()).await?;
        Ok(Self { socket })
    }

    /// Connects to one board as a plain y-websocket client. What is heard there is not told apart; see [`Raw::next_bytes`].
    ///
    /// # Errors
    /// The server does not take the connection.
    pub async fn yjs(server: &Server, board: &BoardId, token: &str) -> Result<Self> {
        let url = format!("ws://127.0.0.1:{}/yjs/{board}?token={token}", server.port());
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket })
    }

    /// Connects and opens an address as a client that is not ours; waits for the answer.
    ///
    /// # Errors
    /// Refused.
    pub async fn signed(server: &Server, address: &Address, token: &str) -> Result<Self> {
        let mut raw = Self::open(server).await?;
        raw.says(address, auth(token)).await?;
        match raw.next_that(|message| !matches!(message, ServerMessage::Awareness(_))).await? {
            Heard::Message(ServerMessage::Authenticated { .. }) => Ok(raw),
            other => bail!("{other:?}"),
        }
    }

    /// Sends bytes. Whether the server still listens is heard later.
    pub async fn sends(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::Binary(bytes.into())).await;
    }

    /// Sends a ping of the WebSocket protocol.
    pub async fn pings(&mut self) {
        let _ = self.socket.send(Message::Ping(vec![0; 125].into())).await;
    }

    /// Sends the answer to a ping that nobody sent.
    pub async fn pongs(&mut self) {
        let _ = self.socket.send(Message::Pong(vec![0; 125].into())).await;
    }

    /// Waits for a ping of the WebSocket protocol, and passes everything else over. It is answered the next time that something is waited for.
    ///
    /// # Errors
    /// The connection has ended, or there is none within [`PATIENCE`].
    pub async fn is_pinged(&mut self) -> Result<()> {
        let wait = async {
            loop {
                match self.socket.next().await.context("the connection ended")?? {
                    Message::Ping(_) => return Ok(()),
                    Message::Close(frame) => bail!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, wait).await.context("no ping came")?
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn says(&mut self, address: &Address, message: ClientMessage) -> Result<()> {
        self.socket.send(Message::Binary(frame(address, message).into())).await.context("send")
    }

    /// The next frame that fits, as its bytes; or the close code of the connection.
    ///
    /// # Errors
    /// Nothing within [`PATIENCE`].
    pub async fn next_bytes(&mut self, fits: impl Fn(&[u8]) -> bool) -> Result<Result<Vec<u8>, Option<u16>>> {
        let wait = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Binary(bytes))) if fits(&bytes) => return Ok(bytes.to_vec()),
                    Some(Ok(Message::Close(close))) => return Err(close.map(|close| close.code.into())),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(None),
                }
            }
        };
        timeout(PATIENCE, wait).await.context("nothing was heard")
    }

    /// What comes next.
    ///
    /// # Errors
    /// Nothing within [`PATIENCE`], or no frame.
    pub async fn next(&mut self) -> Result<Heard> {
        self.next_that(|_| true).await
    }

    /// The next message that fits, or the end of the connection.
    ///
    /// # Errors
    /// As [`Raw::next`].
    pub async fn next_that(&mut self, fits: impl Fn(&ServerMessage) -> bool) -> Result<Heard> {
        let wait = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Binary(bytes))) => match ServerFrame::decode(&bytes)? {
                        ServerFrame::Message(_, message) if fits(&message) => return Ok(Heard::Message(message)),
                        _ => {}
                    },
                    Some(Ok(Message::Close(close))) => return Ok(Heard::End(close.map(|close| close.code.into()))),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ok(Heard::End(None)),
                }
            }
        };
        timeout(PATIENCE, wait).await.context("nothing was heard")?
    }

    /// The answer to one Step2 or Update: whether it was stored. An error if the connection ends instead.
    ///
    /// # Errors
    /// As [`Raw::next`].
    pub async fn status(&mut self) -> Result<bool> {
        match self.next_that(|message| matches!(message, ServerMessage::SyncStatus(_))).await? {
            Heard::Message(ServerMessage::SyncStatus(stored)) => Ok(stored),
            other => bail!("{other:?} instead of an answer"),
        }
    }

    /// Waits for the end, and returns its close code.
    ///
    /// # Errors
    /// The server keeps the connection.
    pub async fn ends(&mut self) -> Result<Option<u16>> {
        match self.next_that(|_| false).await? {
            Heard::End(code) => Ok(code),
            Heard::Message(message) => bail!("{message:?}"),
        }
    }
}

/// A message to `/yjs`: sync message `kind` (0 is Step1, 2 an edit) with these bytes.
pub fn yjs_sync(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(0).byte(kind).var_bytes(bytes);
    writer.into_bytes()
}

/// A whole frame.
pub fn frame(address: &Address, message: ClientMessage) -> Vec<u8> {
    ClientFrame::Message(address.clone().into(), message).encode()
}

/// Who I am, as a client that is not ours.
pub fn auth(token: &str) -> ClientMessage {
    ClientMessage::Auth { token: token.into(), version: None }
}

/// An update of one client with these structs, and no deletions.
pub fn update(client: u64, clock: u32, structs: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(1).var_uint(structs.len() as u64).var_uint(client).var_uint(u64::from(clock));
    structs.iter().flatten().for_each(|&byte| _ = writer.byte(byte));
    writer.byte(0);
    writer.into_bytes()
}

/// A string in the root text `t`.
pub fn string_at_root(text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(4).byte(1).var_string("t").var_string(text);
    writer.into_bytes()
}

/// A map under the key `k` of the root `m`.
pub fn map_at_root() -> Vec<u8> {
    vec![0x27, 1, 1, b'm', 1, b'k', 1]
}

/// A map under the key `k` of the type that is this item.
pub fn map_in(client: u64, clock: u32) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(0x27).var_uint(0).var_uint(client).var_uint(u64::from(clock)).var_string("k").byte(1);
    writer.into_bytes()
}

/// A string to the right of this item.
pub fn string_after(client: u64, clock: u32, text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(0x84).var_uint(client).var_uint(u64::from(clock)).var_string(text);
    writer.into_bytes()
}
