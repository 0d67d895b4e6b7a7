//! Presence: the awareness protocol of y-protocols, and our own state inside it.
//!
//! A message is a count, then for each client its id, a clock that grows with each change, and its state as JSON; `null` means gone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::frame::FrameError;
use super::lib0::{Reader, Writer};
use crate::id::{ActorId, NoteId, Role};

/// What our client calls itself in Auth; only then does the server use our additions to the protocol.
pub const CLIENT_VERSION: &str = "tablehop/1";

/// One client's presence.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceEntry {
    /// The client id of its document.
    pub client: u64,
    /// Grows with each change; of two states the one with the higher clock is the newer.
    pub clock: u32,
    /// What it says of itself; None once it is gone.
    pub state: Option<Value>,
}

/// Smallest entry: an id, a clock, and a string of one digit.
const ENTRY_BYTES: usize = 4;

/// Reads an awareness message. Fails on bytes that are none, on a state that is not JSON, and on anything left over.
pub fn decode(bytes: &[u8]) -> Result<Vec<PresenceEntry>, FrameError> {
    let mut reader = Reader::new(bytes);
    let count = reader.var_uint()?;
    if count > (reader.remaining() / ENTRY_BYTES) as u64 {
        return Err(FrameError::Invalid("presence count"));
    }
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let client = reader.var_uint()?;
        let clock = reader.var_u32()?;
        // serde_json refuses what nests deeper than 128.
        let state = serde_json::from_str(reader.var_string()?).map_err(|_| FrameError::Invalid("presence state"))?;
        entries.push(PresenceEntry { client, clock, state });
    }
    if reader.is_empty() { Ok(entries) } else { Err(FrameError::Trailing) }
}

/// Writes an awareness message.
pub fn encode(entries: &[PresenceEntry]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(entries.len() as u64);
    for entry in entries {
        let state = entry.state.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
        writer.var_uint(entry.client).var_uint(u64::from(entry.clock)).var_string(&state);
    }
    writer.into_bytes()
}

/// What our client says of itself. Fields that it does not know are passed over, those that are missing are taken as unsaid, so that
/// other clients of the protocol are seen too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceState {
    /// Who it is.
    pub user: PresenceUser,
    /// The note being edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editing: Option<NoteId>,
    /// Where the caret stands in that note's text, in UTF-16 units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caret: Option<u32>,
    /// Whether something was typed in the last seconds.
    pub typing: bool,
}

/// Who is behind a presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceUser {
    /// Their id; empty for clients that are not ours.
    pub id: ActorId,
    /// Their name.
    pub name: String,
    /// As what they are here.
    pub role: Role,
}

impl Default for PresenceUser {
    fn default() -> Self {
        Self { id: ActorId::default(), name: String::new(), role: Role::Participant }
    }
}

impl PresenceState {
    /// Reads the state in an entry. None if it is not an object with fields of the right types.
    pub fn from_value(value: &Value) -> Option<Self> {
        if value.is_object() { Self::deserialize(value).ok() } else { None }
    }

    /// As the state of an entry.
    pub fn to_value(&self) -> Value {
        // Strings, numbers and flags under fixed keys always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::lib0::ReadError;
    use super::*;

    fn state() -> PresenceState {
        PresenceState {
            user: PresenceUser { id: "p1".into(), name: "李雷".into(), role: Role::Facilitator },
            editing: Some("1f-3".into()),
            caret: Some(7),
            typing: true,
        }
    }

    #[test]
    fn entries_make_the_round_trip() {
        let entries = vec![
            PresenceEntry { client: 1 << 40, clock: 3, state: Some(state().to_value()) },
            PresenceEntry { client: 5, clock: u32::MAX, state: None },
        ];
        assert_eq!(decode(&encode(&entries)), Ok(entries.clone()));
        assert_eq!(decode(&encode(&[])), Ok(vec![]));
        // The same bytes as y-protocols writes.
        assert_eq!(encode(&entries[1..]), b"\x01\x05\xff\xff\xff\xff\x0f\x04null");
        for end in 0..encode(&entries).len() {
            assert!(decode(&encode(&entries)[..end]).is_err());
        }
    }

    #[test]
    fn malformed_presence_says_what_is_wrong() {
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(FrameError::Invalid("presence count")));
        assert_eq!(decode(b"\x01\x05\x01\x03{x}"), Err(FrameError::Invalid("presence state")));
        assert_eq!(decode(b"\x01\x05\x01\x02\xc3\x28"), Err(ReadError::Utf8.into()));
        assert_eq!(decode(b"\0\0"), Err(FrameError::Trailing));
        let mut bomb = Writer::new();
        bomb.var_uint(1).var_uint(1).var_uint(1).var_string(&"[".repeat(100_000));
        assert_eq!(decode(&bomb.into_bytes()), Err(FrameError::Invalid("presence state")));
    }

    #[test]
    fn our_state_is_read_and_others_are_understood() {
        assert_eq!(PresenceState::from_value(&state().to_value()), Some(state()));
        let stranger = json!({ "user": { "name": "Ann", "color": "#fa0" }, "cursor": { "anchor": 1 } });
        let read = PresenceState::from_value(&stranger).expect("a state");
        assert_eq!((read.user.name.as_str(), read.user.role, read.editing), ("Ann", Role::Participant, None));
        for wrong in [json!("hello"), json!([]), json!(null), json!({ "user": 3 }), json!({ "caret": -1 })] {
            assert_eq!(PresenceState::from_value(&wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
