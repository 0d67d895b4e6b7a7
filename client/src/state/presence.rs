//! Who is at a board at the moment, and what they do there.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::id::{ActorId, NoteId};
use shared::wire::PresenceEntry;
use shared::wire::PresenceState;

use super::board::{Peer, PeerUser};

/// What others say of themselves, by client id.
#[derive(Debug, Default)]
pub struct Presence {
    others: BTreeMap<u64, (u32, PresenceState)>,
    /// Grows with each message about oneself, also over reconnects.
    clock: u32,
}

impl Presence {
    /// Takes in what came. Returns whether something changed.
    pub fn hear(&mut self, entries: Vec<PresenceEntry>) -> bool {
        let mut changed = false;
        for entry in entries {
            let known = self.others.get(&entry.client);
            // An older message that came late; what says "gone" counts even with the same clock.
            if known.is_some_and(|(clock, _)| entry.clock < *clock || (entry.clock == *clock && entry.state.is_some()))
            {
                continue;
            }
            changed |= match entry.state.as_ref().and_then(PresenceState::from_value) {
                Some(state) => {
                    let same = known.is_some_and(|(_, known)| *known == state);
                    self.others.insert(entry.client, (entry.clock, state));
                    !same
                }
                None => self.others.remove(&entry.client).is_some(),
            };
        }
        changed
    }

    /// The connection is gone, and with it all knowledge.
    pub fn clear(&mut self) {
        self.others.clear();
    }

    /// Everybody else, each once for every note they are editing; a person's other tabs are they themselves.
    pub fn peers(&self, own: Option<u64>, me: Option<&ActorId>) -> Vec<Peer> {
        let mut peers: Vec<Peer> = Vec::new();
        for (client, (_, state)) in &self.others {
            let user = PeerUser { id: state.user.id.clone(), name: state.user.name.clone() };
            if Some(*client) == own || Some(&user.id) == me {
                continue;
            }
            // Clients that are not ours have no id, and may be anybody.
            let same = |peer: &&mut Peer| {
                !user.id.as_str().is_empty()
                    && peer.user.id == user.id
                    && (peer.editing == state.editing || peer.editing.is_none() || state.editing.is_none())
            };
            match peers.iter_mut().find(same) {
                Some(peer) => {
                    peer.typing |= state.typing;
                    if peer.editing.is_none() {
                        peer.editing.clone_from(&state.editing);
                    }
                }
                None => {
                    peers.push(Peer { client: *client, user, editing: state.editing.clone(), typing: state.typing });
                }
            }
        }
        peers
    }

    /// A message that one is no more under these client ids.
    pub fn leave(&mut self, clients: &[u64]) -> Vec<u8> {
        self.clock = self.clock.wrapping_add(1);
        let gone = |client: &u64| PresenceEntry { client: *client, clock: self.clock, state: None };
        shared::wire::presence::encode(&clients.iter().map(gone).collect::<Vec<_>>())
    }

    /// A message about oneself.
    pub fn say(&mut self, client: u64, state: Option<Value>) -> Vec<u8> {
        self.clock = self.clock.wrapping_add(1);
        shared::wire::presence::encode(&[PresenceEntry { client, clock: self.clock, state }])
    }
}

/// What one does at a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doing {
    /// The note being edited.
    pub editing: Option<NoteId>,
    /// Whether something was typed in the last seconds.
    pub typing: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::PresenceUser;

    fn entry(client: u64, clock: u32, id: &str, typing: bool) -> PresenceEntry {
        let user = PresenceUser { id: id.into(), name: id.to_owned(), ..Default::default() };
        let state = PresenceState { user, typing, ..Default::default() };
        PresenceEntry { client, clock, state: Some(state.to_value()) }
    }

    fn gone(client: u64, clock: u32) -> PresenceEntry {
        PresenceEntry { client, clock, state: None }
    }

    #[test]
    fn others_come_and_go() {
        let mut presence = Presence::default();
        assert!(presence.hear(vec![entry(1, 1, "p1", false), entry(2, 1, "p2", true), entry(3, 1, "p1", false)]));
        let peers = presence.peers(Some(1), Some(&"p1".into()));
        assert_eq!(peers.len(), 1, "neither oneself nor one's other tab");
        assert!(peers[0].typing);
        assert!(!presence.hear(vec![entry(2, 2, "p2", true)]), "the same again");
        assert!(!presence.hear(vec![entry(2, 1, "p2", false)]), "an older message");
        assert!(presence.hear(vec![gone(2, 2)]));
        assert!(presence.peers(Some(1), Some(&"p1".into())).is_empty());
        assert!(!presence.hear(vec![gone(9, 1)]));
    }

    #[test]
    fn a_person_with_two_tabs_is_one_person() {
        let mut presence = Presence::default();
        let editing = |client, note: Option<&str>, typing| {
            let mut entry = entry(client, 1, "p2", typing);
            if let (Some(Value::Object(state)), Some(note)) = (&mut entry.state, note) {
                state.insert("editing".to_owned(), note.into());
            }
            entry
        };
        presence.hear(vec![editing(2, None, true), editing(3, Some("a-1"), false)]);
        let peers = presence.peers(None, None);
        assert_eq!(peers.len(), 1);
        assert_eq!((peers[0].editing.clone(), peers[0].typing), (Some("a-1".into()), true));
        presence.hear(vec![editing(4, Some("a-2"), false)]);
        assert_eq!(presence.peers(None, None).len(), 2, "once for each note");
        presence.hear(vec![entry(5, 1, "", false), entry(6, 1, "", false)]);
        assert_eq!(presence.peers(None, None).len(), 4, "strangers are not merged");
    }

    #[test]
    fn each_message_about_oneself_is_newer() {
        let mut presence = Presence::default();
        let clock = |bytes: Vec<u8>| shared::wire::presence::decode(&bytes).expect("a message")[0].clock;
        assert_eq!(clock(presence.say(1, Some(Value::Object(Default::default())))), 1);
        presence.clear();
        assert_eq!(clock(presence.say(1, None)), 2);
    }
}
