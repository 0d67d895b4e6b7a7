//! Commands that bring a key (`Idempotency-Key`): one that is sent again, because its answer was lost, acts once.
//!
//! The key stands in the log beside the events that the command caused, so it is remembered exactly if they are: after a crash between
//! the commit and the answer, too. A refused command, and one that changed nothing, leaves no events and is decided again.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use shared::id::ActorId;
use shared::limits;
use shared::workshop::{Command, Recorded};

use super::CommandError;
use crate::store::{NewRow, Row, StoreError};

/// Characters of a key; a UUID has 36.
pub const KEY_CHARS: usize = 64;

/// A command's key, with a checksum of the command that tells one that is sent again from a key used twice by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    name: String,
    print: u32,
}

impl RequestKey {
    /// The key `name` of a command; `None` if it is empty, too long or not printable ASCII.
    pub fn new(name: &str, command: &Command) -> Option<Self> {
        let fits = (1..=KEY_CHARS).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        let json = serde_json::to_vec(command).ok()?;
        fits.then(|| Self { name: name.to_owned(), print: crc32fast::hash(&json) })
    }

    /// The key as it was sent.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What was carried out under keys lately.
#[derive(Debug, Default)]
pub(super) struct Requests {
    known: HashMap<(ActorId, String), Done>,
    order: VecDeque<(ActorId, String)>,
}

/// A command that was carried out: where its events stand in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    print: u32,
    /// `seq` of its first event.
    pub first: u64,
    /// How many there are.
    pub count: usize,
}

/// A row of the log: an event, and the key of the command that caused it.
#[derive(Serialize)]
struct Keyed<'a> {
    #[serde(flatten)]
    event: &'a Recorded,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

/// The same read back, apart from the event.
#[derive(Deserialize)]
struct KeyOf {
    by: ActorId,
    request: Option<String>,
}

/// An event as a row; `None` only if it cannot be written as JSON, which none of ours does.
pub(super) fn row_of(event: &Recorded, key: Option<&RequestKey>) -> Option<NewRow> {
    let request = key.map(|key| format!("{:08x}-{}", key.print, key.name));
    let payload = serde_json::to_vec(&Keyed { event, request }).ok()?;
    Some(NewRow { principal: event.by.to_string(), at: event.at, payload: payload.into() })
}

impl Requests {
    /// What the log knows of.
    pub fn of(rows: &[Row]) -> Self {
        let mut requests = Self::default();
        rows[rows.len().saturating_sub(limits::COMMAND_KEYS_KEPT)..].iter().for_each(|row| requests.learn(row));
        requests
    }

    /// Learns the key that stands in a row, if there is one.
    pub fn learn(&mut self, row: &Row) {
        // What cannot be read here was refused when the events were.
        let Ok(KeyOf { by, request: Some(request) }) = serde_json::from_slice(&row.payload) else { return };
        let Some((print, name)) = request.split_once('-') else { return };
        let Ok(print) = u32::from_str_radix(print, 16) else { return };
        self.remember(by, RequestKey { name: name.to_owned(), print }, row.seq, 1);
    }

    /// Where the events of this very command stand, if it has been carried out.
    ///
    /// # Errors
    /// The key belongs to another command.
    pub fn find(&self, by: &ActorId, key: &RequestKey) -> Result<Option<Done>, CommandError> {
        match self.known.get(&(by.clone(), key.name.clone())) {
            Some(done) if done.print == key.print => Ok(Some(*done)),
            Some(_) => Err(CommandError::KeyReused),
            None => Ok(None),
        }
    }

    /// `count` events from `first` on are those of a command.
    pub fn remember(&mut self, by: ActorId, key: RequestKey, first: u64, count: usize) {
        let id = (by, key.name);
        if let Some(done) = self.known.get_mut(&id) {
            done.count += count;
            return;
        }
        if self.order.len() == limits::COMMAND_KEYS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.known.insert(id, Done { print: key.print, first, count });
    }
}

impl Done {
    /// The events among rows of the log that begin with the first of them.
    ///
    /// # Errors
    /// A row cannot be read.
    pub fn events(self, rows: &[Row]) -> Result<Vec<Recorded>, StoreError> {
        let event = |row: &Row| {
            serde_json::from_slice(&row.payload).map_err(|e| StoreError::Corrupt {
                stream: "workshop".to_owned(),
                what: format!("event {}: {e}", row.seq),
            })
        };
        rows.iter().take(self.count).map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use shared::workshop::Event;

    use super::*;

    fn key(name: &str) -> RequestKey {
        RequestKey::new(name, &Command::NextRound).expect("a key")
    }

    #[test]
    fn keys_are_short_and_printable() {
        for bad in ["", " ", "a b", "ключ", &"k".repeat(KEY_CHARS + 1)] {
            assert_eq!(RequestKey::new(bad, &Command::NextRound), None, "{bad}");
        }
        assert_eq!(key("8e03978e-40d5-43dd-bc93-6894a57f9324").name.len(), 36);
    }

    #[test]
    fn w12_the_log_remembers_which_events_a_key_caused() {
        let event = |by: &str| Recorded { at: 5, by: by.into(), event: Event::RoundEnded };
        let keys = [("f1", None), ("f1", Some(key("a"))), ("f1", Some(key("a"))), ("p1", Some(key("a"))), ("f1", None)];
        let rows: Vec<Row> = (1..)
            .zip(&keys)
            .map(|(seq, (by, key))| {
                let NewRow { principal, at, payload } = row_of(&event(by), key.as_ref()).expect("a row");
                Row { seq, principal, at, payload }
            })
            .collect();
        let requests = Requests::of(&rows);
        let found = requests.find(&"f1".into(), &key("a")).expect("its own").expect("known");
        assert_eq!((found.first, found.count), (2, 2));
        assert_eq!(found.events(&rows[1..]), Ok(vec![event("f1"), event("f1")]));
        assert_eq!(requests.find(&"p1".into(), &key("a")).expect("its own").map(|done| done.first), Some(4));
        assert_eq!(requests.find(&"p2".into(), &key("a")), Ok(None));
        assert_eq!(requests.find(&"f1".into(), &key("b")), Ok(None));
        let other = RequestKey::new("a", &Command::EndRound).expect("a key");
        assert_eq!(requests.find(&"f1".into(), &other), Err(CommandError::KeyReused));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut requests = Requests::default();
        for n in 0..=limits::COMMAND_KEYS_KEPT as u64 {
            requests.remember("p1".into(), key(&n.to_string()), n, 1);
        }
        assert_eq!(
            (requests.known.len(), requests.order.len()),
            (limits::COMMAND_KEYS_KEPT, limits::COMMAND_KEYS_KEPT)
        );
        assert_eq!(requests.find(&"p1".into(), &key("0")), Ok(None));
        assert!(requests.find(&"p1".into(), &key("1")).expect("its own").is_some());
    }
}
