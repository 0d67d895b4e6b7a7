//! Frames on `/collab`: the Hocuspocus protocol and our additions to it (types from 64 on). The table is in docs/wire.md.
//!
//! Both directions can be encoded and decoded, so that tests can be either side.

use std::fmt;
use std::str::FromStr;

use super::lib0::{ReadError, Reader, Writer};
use crate::id::{BoardId, WorkshopId};
use crate::limits;

/// The bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They break off, or a number or text in them is malformed.
    #[error("malformed frame: {0}")]
    Malformed(#[from] ReadError),
    /// The address names neither a workshop nor a board.
    #[error("unknown address")]
    UnknownAddress,
    /// No message has this type, or it is none that this side sends.
    #[error("unknown message type {0}")]
    UnknownType(u64),
    /// A value that its message cannot have.
    #[error("invalid {0}")]
    Invalid(&'static str),
    /// A part longer than its limit.
    #[error("{0} too long")]
    TooLong(&'static str),
    /// Bytes are left over after the message.
    #[error("bytes after the end of the message")]
    Trailing,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A workshop: its view and its events.
    Workshop(WorkshopId),
    /// A board's document.
    Board(BoardId),
}

impl Address {
    /// Adds it to a text. Every frame carries one, so this does without the machinery of formatting.
    fn push_to(&self, text: &mut String) {
        match self {
            Self::Workshop(id) => {
                text.push_str("workshop/");
                text.push_str(id.as_str());
            }
            Self::Board(id) => {
                text.push_str("board/");
                id.push_to(text);
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl FromStr for Address {
    type Err = FrameError;

    fn from_str(text: &str) -> Result<Self, FrameError> {
        if let Some(id) = text.strip_prefix("workshop/") {
            let valid = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
            return if valid { Ok(Self::Workshop(id.into())) } else { Err(FrameError::UnknownAddress) };
        }
        let id = text.strip_prefix("board/").ok_or(FrameError::UnknownAddress)?;
        id.parse().map(Self::Board).map_err(|_| FrameError::UnknownAddress)
    }
}

/// An address, and beside it what a Hocuspocus v4 client appended to tell apart several of its providers for one document. Answers
/// carry it back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addressed {
    /// The address.
    pub address: Address,
    /// What followed a NUL behind the address.
    pub session: Option<String>,
}

impl From<Address> for Addressed {
    fn from(address: Address) -> Self {
        Self { address, session: None }
    }
}

impl Addressed {
    fn read(reader: &mut Reader) -> Result<Self, FrameError> {
        let text = limited(reader.var_string()?, limits::ADDRESS_BYTES, "address")?;
        let (address, session) = match text.split_once('\0') {
            Some((address, session)) => (address, Some(session.to_owned())),
            None => (text, None),
        };
        Ok(Self { address: address.parse()?, session })
    }

    fn write(&self, writer: &mut Writer) {
        write_address(&self.address, self.session.as_deref(), writer);
    }
}

fn write_address(address: &Address, session: Option<&str>, writer: &mut Writer) {
    let mut text = String::with_capacity(HEAD);
    address.push_to(&mut text);
    if let Some(session) = session {
        text.push('\0');
        text.push_str(session);
    }
    writer.var_string(&text);
}

/// Bytes that are enough for nearly every address, type and number before a payload.
const HEAD: usize = 64;

mod kind {
    pub const SYNC: u64 = 0;
    pub const AWARENESS: u64 = 1;
    pub const AUTH: u64 = 2;
    pub const QUERY_AWARENESS: u64 = 3;
    pub const STATELESS: u64 = 5;
    pub const CLOSE: u64 = 7;
    pub const SYNC_STATUS: u64 = 8;
    pub const PING: u8 = 9;
    pub const PONG: u8 = 10;
    pub const ASSIGNED: u64 = 64;
    pub const EDIT: u64 = 65;
    pub const DURABLE_UP_TO: u64 = 66;
    pub const RESYNC: u64 = 67;
    pub const ROLE_CHANGED: u64 = 68;
}

mod sync {
    pub const STEP1: u64 = 0;
    pub const STEP2: u64 = 1;
    pub const UPDATE: u64 = 2;
}

mod auth {
    pub const TOKEN: u64 = 0;
    pub const DENIED: u64 = 1;
    pub const AUTHENTICATED: u64 = 2;
}

const READ_WRITE: &str = "read-write";
const READ_ONLY: &str = "readonly";

/// What a client says. Updates are Yjs v1 updates and are not looked into here; see [`super::scan()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// What I have; send me the rest.
    Step1 {
        /// An encoded state vector.
        state_vector: Vec<u8>,
    },
    /// What you lack, by your Step1. Answered by one SyncStatus.
    Step2 {
        /// The update.
        update: Vec<u8>,
    },
    /// An edit. Answered by one SyncStatus.
    Update {
        /// The update.
        update: Vec<u8>,
    },
    /// Who is here; see [`super::presence`].
    Awareness(Vec<u8>),
    /// Who I am.
    Auth {
        /// A bearer token.
        token: String,
        /// The client's name and version: [`super::CLIENT_VERSION`] for ours.
        version: Option<String>,
    },
    /// Tell me who is here.
    QueryAwareness,
    /// Free text.
    Stateless(String),
    /// I leave this document.
    Close,
    /// Ours: an edit with its number, from 1 for each address and connection. Answered by DurableUpTo.
    Edit {
        /// Its number.
        n: u64,
        /// The update.
        update: Vec<u8>,
    },
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// What I have; send me the rest.
    Step1 {
        /// An encoded state vector.
        state_vector: Vec<u8>,
    },
    /// What you lack, by your Step1.
    Step2 {
        /// The update.
        update: Vec<u8>,
    },
    /// An edit by somebody.
    Update {
        /// The update.
        update: Vec<u8>,
    },
    /// Who is here; see [`super::presence`].
    Awareness(Vec<u8>),
    /// You are known.
    Authenticated {
        /// Whether you may only read.
        read_only: bool,
    },
    /// You may not.
    Denied {
        /// Why, as a stable code.
        reason: String,
    },
    /// Send your token again.
    AskToken,
    /// Our JSON events.
    Stateless(String),
    /// This document is closed to you.
    Close {
        /// Why, as a stable code.
        reason: String,
    },
    /// The answer to one Step2 or Update: stored, or refused.
    SyncStatus(bool),
    /// Ours: you may write under this client id.
    Assigned {
        /// The client id.
        client: u64,
    },
    /// Ours: your edits up to this number are on disk.
    DurableUpTo {
        /// The highest such number.
        n: u64,
    },
    /// Ours: your queue for this document was dropped; send Step1.
    Resync,
    /// Ours: what you may do has changed.
    RoleChanged {
        /// Whether you may only read.
        read_only: bool,
    },
}

/// A frame from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFrame {
    /// Are you there?
    Ping,
    /// I am here.
    Pong,
    /// A message about something.
    Message(Addressed, ClientMessage),
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerFrame {
    /// Are you there?
    Ping,
    /// I am here.
    Pong,
    /// A message about something.
    Message(Addressed, ServerMessage),
}

impl ClientFrame {
    /// Reads a whole frame. Addresses, tokens, versions and presence are held to their [`limits`]; the caller bounds the whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        match bytes {
            [kind::PING] => return Ok(Self::Ping),
            [kind::PONG] => return Ok(Self::Pong),
            _ => {}
        }
        let mut reader = Reader::new(bytes);
        let address = Addressed::read(&mut reader)?;
        let message = ClientMessage::read(&mut reader)?;
        if reader.is_empty() { Ok(Self::Message(address, message)) } else { Err(FrameError::Trailing) }
    }

    /// Writes a whole frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ping => vec![kind::PING],
            Self::Pong => vec![kind::PONG],
            Self::Message(address, message) => {
                let mut writer = Writer::new();
                address.write(&mut writer);
                message.write(&mut writer);
                writer.into_bytes()
            }
        }
    }
}

impl ServerFrame {
    /// Reads a whole frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        match bytes {
            [kind::PING] => return Ok(Self::Ping),
            [kind::PONG] => return Ok(Self::Pong),
            _ => {}
        }
        let mut reader = Reader::new(bytes);
        let address = Addressed::read(&mut reader)?;
        let message = ServerMessage::read(&mut reader)?;
        if reader.is_empty() { Ok(Self::Message(address, message)) } else { Err(FrameError::Trailing) }
    }

    /// Writes a whole frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ping => vec![kind::PING],
            Self::Pong => vec![kind::PONG],
            Self::Message(address, message) => {
                let mut writer = Writer::new();
                address.write(&mut writer);
                message.write(&mut writer);
                writer.into_bytes()
            }
        }
    }
}

impl ClientMessage {
    fn read(reader: &mut Reader) -> Result<Self, FrameError> {
        Ok(match reader.var_uint()? {
            kind::SYNC => match reader.var_uint()? {
                sync::STEP1 => Self::Step1 { state_vector: reader.var_bytes()?.to_vec() },
                sync::STEP2 => Self::Step2 { update: reader.var_bytes()?.to_vec() },
                sync::UPDATE => Self::Update { update: reader.var_bytes()?.to_vec() },
                _ => return Err(FrameError::Invalid("sync step")),
            },
            kind::AWARENESS => {
                let bytes = reader.var_bytes()?;
                if bytes.len() > limits::PRESENCE_BYTES {
                    return Err(FrameError::TooLong("presence"));
                }
                Self::Awareness(bytes.to_vec())
            }
            kind::AUTH => match reader.var_uint()? {
                auth::TOKEN => {
                    let token = limited(reader.var_string()?, limits::TOKEN_BYTES, "token")?.to_owned();
                    let version = match reader.is_empty() {
                        true => None,
                        false => Some(limited(reader.var_string()?, limits::TOKEN_BYTES, "version")?.to_owned()),
                    };
                    Self::Auth { token, version }
                }
                _ => return Err(FrameError::Invalid("auth step")),
            },
            kind::QUERY_AWARENESS => Self::QueryAwareness,
            kind::STATELESS => Self::Stateless(reader.var_string()?.to_owned()),
            kind::CLOSE => Self::Close,
            kind::EDIT => Self::Edit { n: reader.var_uint()?, update: reader.var_bytes()?.to_vec() },
            other => return Err(FrameError::UnknownType(other)),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Step1 { state_vector } => writer.var_uint(kind::SYNC).var_uint(sync::STEP1).var_bytes(state_vector),
            Self::Step2 { update } => writer.var_uint(kind::SYNC).var_uint(sync::STEP2).var_bytes(update),
            Self::Update { update } => writer.var_uint(kind::SYNC).var_uint(sync::UPDATE).var_bytes(update),
            Self::Awareness(bytes) => writer.var_uint(kind::AWARENESS).var_bytes(bytes),
            Self::Auth { token, version } => {
                writer.var_uint(kind::AUTH).var_uint(auth::TOKEN).var_string(token);
                match version {
                    Some(version) => writer.var_string(version),
                    None => writer,
                }
            }
            Self::QueryAwareness => writer.var_uint(kind::QUERY_AWARENESS),
            Self::Stateless(text) => writer.var_uint(kind::STATELESS).var_string(text),
            Self::Close => writer.var_uint(kind::CLOSE),
            Self::Edit { n, update } => writer.var_uint(kind::EDIT).var_uint(*n).var_bytes(update),
        };
    }
}

impl ServerMessage {
    /// Writes a whole frame with this message, to somebody who appended `session` to the address.
    pub fn encode_to(&self, address: &Address, session: Option<&str>) -> Vec<u8> {
        let payload = match self {
            Self::Step2 { update } | Self::Update { update } => update.len(),
            _ => 0,
        };
        let mut writer = Writer::with_capacity(HEAD + payload);
        write_address(address, session, &mut writer);
        self.write(&mut writer);
        writer.into_bytes()
    }

    fn read(reader: &mut Reader) -> Result<Self, FrameError> {
        Ok(match reader.var_uint()? {
            kind::SYNC => match reader.var_uint()? {
                sync::STEP1 => Self::Step1 { state_vector: reader.var_bytes()?.to_vec() },
                sync::STEP2 => Self::Step2 { update: reader.var_bytes()?.to_vec() },
                sync::UPDATE => Self::Update { update: reader.var_bytes()?.to_vec() },
                _ => return Err(FrameError::Invalid("sync step")),
            },
            kind::AWARENESS => Self::Awareness(reader.var_bytes()?.to_vec()),
            kind::AUTH => match reader.var_uint()? {
                auth::TOKEN => Self::AskToken,
                auth::DENIED => Self::Denied { reason: reader.var_string()?.to_owned() },
                auth::AUTHENTICATED => Self::Authenticated { read_only: read_scope(reader)? },
                _ => return Err(FrameError::Invalid("auth step")),
            },
            kind::STATELESS => Self::Stateless(reader.var_string()?.to_owned()),
            kind::CLOSE => Self::Close { reason: reader.var_string()?.to_owned() },
            kind::SYNC_STATUS => match reader.var_uint()? {
                0 => Self::SyncStatus(false),
                1 => Self::SyncStatus(true),
                _ => return Err(FrameError::Invalid("sync status")),
            },
            kind::ASSIGNED => Self::Assigned { client: reader.var_uint()? },
            kind::DURABLE_UP_TO => Self::DurableUpTo { n: reader.var_uint()? },
            kind::RESYNC => Self::Resync,
            kind::ROLE_CHANGED => Self::RoleChanged { read_only: read_scope(reader)? },
            other => return Err(FrameError::UnknownType(other)),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Step1 { state_vector } => writer.var_uint(kind::SYNC).var_uint(sync::STEP1).var_bytes(state_vector),
            Self::Step2 { update } => writer.var_uint(kind::SYNC).var_uint(sync::STEP2).var_bytes(update),
            Self::Update { update } => writer.var_uint(kind::SYNC).var_uint(sync::UPDATE).var_bytes(update),
            Self::Awareness(bytes) => writer.var_uint(kind::AWARENESS).var_bytes(bytes),
            Self::Authenticated { read_only } => {
                writer.var_uint(kind::AUTH).var_uint(auth::AUTHENTICATED).var_string(scope(*read_only))
            }
            Self::Denied { reason } => writer.var_uint(kind::AUTH).var_uint(auth::DENIED).var_string(reason),
            Self::AskToken => writer.var_uint(kind::AUTH).var_uint(auth::TOKEN),
            Self::Stateless(text) => writer.var_uint(kind::STATELESS).var_string(text),
            Self::Close { reason } => writer.var_uint(kind::CLOSE).var_string(reason),
            Self::SyncStatus(stored) => writer.var_uint(kind::SYNC_STATUS).var_uint(u64::from(*stored)),
            Self::Assigned { client } => writer.var_uint(kind::ASSIGNED).var_uint(*client),
            Self::DurableUpTo { n } => writer.var_uint(kind::DURABLE_UP_TO).var_uint(*n),
            Self::Resync => writer.var_uint(kind::RESYNC),
            Self::RoleChanged { read_only } => writer.var_uint(kind::ROLE_CHANGED).var_string(scope(*read_only)),
        };
    }
}

fn scope(read_only: bool) -> &'static str {
    if read_only { READ_ONLY } else { READ_WRITE }
}

fn read_scope(reader: &mut Reader) -> Result<bool, FrameError> {
    match reader.var_string()? {
        READ_ONLY => Ok(true),
        READ_WRITE => Ok(false),
        _ => Err(FrameError::Invalid("scope")),
    }
}

fn limited<'a>(text: &'a str, bytes: usize, part: &'static str) -> Result<&'a str, FrameError> {
    if text.len() <= bytes { Ok(text) } else { Err(FrameError::TooLong(part)) }
}

#[cfg(test)]
mod tests;
