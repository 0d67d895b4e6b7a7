//! How a connection speaks: the framing of `/collab`, or plain y-websocket on `/yjs/<board>`.

use bytes::Bytes;
use shared::limits;
use shared::wire::lib0::{Reader, Writer};
use shared::wire::{Address, ClientFrame, ClientMessage, FrameError, ServerMessage};

/// A connection's way of framing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The Hocuspocus framing, with what a v4 client appends to its addresses.
    Collab(Option<Box<str>>),
    /// y-websocket: one board a connection, no address. Messages that it does not know are left out.
    Yjs,
}

mod kind {
    pub const SYNC: u64 = 0;
    pub const AWARENESS: u64 = 1;
    pub const DENIED: u64 = 2;
    pub const QUERY_AWARENESS: u64 = 3;
}

impl Dialect {
    /// A message as a frame; `None` if this dialect has no such message.
    pub fn encode(&self, address: &Address, message: &ServerMessage) -> Option<Bytes> {
        match self {
            Self::Collab(session) => Some(message.encode_to(address, session.as_deref()).into()),
            Self::Yjs => encode_yjs(message),
        }
    }
}

fn encode_yjs(message: &ServerMessage) -> Option<Bytes> {
    let mut writer = Writer::new();
    match message {
        ServerMessage::Step1 { state_vector } => writer.var_uint(kind::SYNC).var_uint(0).var_bytes(state_vector),
        ServerMessage::Step2 { update } => writer.var_uint(kind::SYNC).var_uint(1).var_bytes(update),
        ServerMessage::Update { update } => writer.var_uint(kind::SYNC).var_uint(2).var_bytes(update),
        ServerMessage::Awareness(presence) => writer.var_uint(kind::AWARENESS).var_bytes(presence),
        // There are no acknowledgements; but that an edit was not taken is said the one way these clients know, and they log it.
        ServerMessage::SyncStatus(false) => writer.var_uint(kind::DENIED).var_uint(0).var_string("not_taken"),
        ServerMessage::Denied { reason } => writer.var_uint(kind::DENIED).var_uint(0).var_string(reason),
        _ => return None,
    };
    Some(writer.into_bytes().into())
}

/// Reads a y-websocket message as one to `board`. Auth there means *denied* and is no message of a client.
pub fn decode_yjs(board: &Address, bytes: &[u8]) -> Result<ClientFrame, FrameError> {
    let mut reader = Reader::new(bytes);
    let message = match reader.var_uint()? {
        kind::SYNC => match reader.var_uint()? {
            0 => ClientMessage::Step1 { state_vector: reader.var_bytes()?.to_vec() },
            1 => ClientMessage::Step2 { update: reader.var_bytes()?.to_vec() },
            2 => ClientMessage::Update { update: reader.var_bytes()?.to_vec() },
            _ => return Err(FrameError::Invalid("sync step")),
        },
        kind::AWARENESS => match reader.var_bytes()? {
            bytes if bytes.len() > limits::PRESENCE_BYTES => return Err(FrameError::TooLong("presence")),
            bytes => ClientMessage::Awareness(bytes.to_vec()),
        },
        kind::QUERY_AWARENESS => ClientMessage::QueryAwareness,
        other => return Err(FrameError::UnknownType(other)),
    };
    if !reader.is_empty() {
        return Err(FrameError::Trailing);
    }
    Ok(ClientFrame::Message(board.clone().into(), message))
}

#[cfg(test)]
mod tests {
    use shared::wire::{Addressed, ServerFrame};

    use super::*;

    fn board() -> Address {
        "board/abc.t1".parse().expect("an address")
    }

    #[test]
    fn collab_answers_carry_the_session_back() {
        let dialect = Dialect::Collab(Some("s1".into()));
        let frame = dialect.encode(&board(), &ServerMessage::SyncStatus(true)).expect("a frame");
        let Ok(ServerFrame::Message(to, _)) = ServerFrame::decode(&frame) else { panic!("no message") };
        assert_eq!(to, Addressed { address: board(), session: Some("s1".to_owned()) });
    }

    #[test]
    fn yjs_messages_have_no_address_and_no_auth() {
        let step2 = Dialect::Yjs.encode(&board(), &ServerMessage::Step2 { update: vec![7, 7] });
        assert_eq!(step2.as_deref(), Some(&[0, 1, 2, 7, 7][..]));
        assert_eq!(Dialect::Yjs.encode(&board(), &ServerMessage::SyncStatus(true)), None);
        let refused = Dialect::Yjs.encode(&board(), &ServerMessage::SyncStatus(false)).expect("said");
        assert_eq!(refused[..3], [2, 0, 9]);
        let update = ClientMessage::Update { update: vec![7] };
        assert_eq!(decode_yjs(&board(), &[0, 2, 1, 7]), Ok(ClientFrame::Message(board().into(), update)));
        assert_eq!(decode_yjs(&board(), &[2, 0, 0]), Err(FrameError::UnknownType(2)));
        assert_eq!(decode_yjs(&board(), &[3, 3]), Err(FrameError::Trailing));
    }
}
