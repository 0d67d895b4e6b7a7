//! Edits of one board that the server has not acknowledged yet. Pure; the bytes are in the document and in storage, here is only the
//! account of them.
//!
//! 1. An edit is in the outbox from the moment it is made until the server said that it is on disk ([`Outbox::acknowledge`]).
//! 2. Numbers on the wire count from 1 per connection; what was sent on an earlier connection counts as not sent.
//! 3. A number covers the edits that are in its message and no others. Those that were made before the connection stood, or may have been
//!    refused on the way, are only in the difference between what we and the server have ([`Outbox::send_difference`]).

use std::collections::{HashSet, VecDeque};

/// What a stored edit is called in storage.
pub type EditKey = String;

/// One edit, or one earlier session's.
#[derive(Debug)]
struct Entry {
    key: EditKey,
    way: Way,
}

/// How an edit gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Within the next difference.
    Difference,
    /// Within the next message of edits.
    Next,
    /// It went out under this number, on this connection.
    Sent(u64),
}

/// The account.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: VecDeque<Entry>,
    /// Numbers used on this connection.
    numbers: u64,
}

impl Outbox {
    /// Takes in an edit that the next difference will hold.
    pub fn push(&mut self, key: EditKey) {
        self.entries.push_back(Entry { key, way: Way::Difference });
    }

    /// Takes in an edit that the next message of edits will hold.
    pub fn push_next(&mut self, key: EditKey) {
        self.entries.push_back(Entry { key, way: Way::Next });
    }

    /// What the edits that are not acknowledged are called in storage.
    pub fn keys(&self) -> impl Iterator<Item = &EditKey> {
        self.entries.iter().map(|entry| &entry.key)
    }

    /// Edits not acknowledged.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some edit is not under way on this connection.
    pub fn has_unsent(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.way, Way::Sent(_)))
    }

    /// A connection was lost or made.
    pub fn reset(&mut self) {
        self.numbers = 0;
        self.recall();
    }

    /// Nothing counts any more, for all of it is read from storage again. Numbers go on.
    pub fn forget_all(&mut self) {
        self.entries.clear();
    }

    /// What is under way may have been refused: it counts as not sent, and numbers go on.
    pub fn recall(&mut self) {
        for entry in &mut self.entries {
            entry.way = Way::Difference;
        }
    }

    /// The edits made since the last message go out in one; answers its number.
    pub fn send_next(&mut self) -> u64 {
        self.send(|entry| entry.way == Way::Next)
    }

    /// Everything the server lacks goes out in one message; answers its number.
    pub fn send_difference(&mut self) -> u64 {
        self.send(|entry| !matches!(entry.way, Way::Sent(_)))
    }

    /// These edits go out in one message; answers its number.
    pub fn send_these(&mut self, keys: &[EditKey]) -> u64 {
        let keys: HashSet<&EditKey> = keys.iter().collect();
        self.send(|entry| keys.contains(&entry.key))
    }

    fn send(&mut self, goes: impl Fn(&Entry) -> bool) -> u64 {
        self.numbers += 1;
        for entry in self.entries.iter_mut().filter(|entry| goes(entry)) {
            entry.way = Way::Sent(self.numbers);
        }
        self.numbers
    }

    /// Everything up to this number is on the server's disk; answers what storage may forget.
    pub fn acknowledge(&mut self, number: u64) -> Vec<EditKey> {
        let mut done = Vec::new();
        self.entries.retain_mut(|entry| {
            let stays = !matches!(entry.way, Way::Sent(sent) if sent <= number);
            if !stays {
                done.push(std::mem::take(&mut entry.key));
            }
            stays
        });
        done
    }
}

/// Client ids that one message names at most.
const NAMED: usize = 32;

/// The client ids under which stored edits were made, but for this one: a part of their keys. Each once, those of the latest.
pub fn own_clients<'a>(keys: impl Iterator<Item = &'a EditKey>, but: u64) -> Vec<u64> {
    let client = |key: &EditKey| u64::from_str_radix(key.rsplit('/').nth(1)?, 16).ok();
    let mut clients: Vec<u64> = Vec::new();
    for client in keys.filter_map(client).filter(|client| *client != but) {
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    clients.split_off(clients.len().saturating_sub(NAMED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(keys: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for key in keys {
            outbox.push((*key).to_owned());
        }
        outbox
    }

    #[test]
    fn an_edit_stays_until_it_is_acknowledged() {
        let mut outbox = outbox(&["a"]);
        assert_eq!(outbox.acknowledge(7), Vec::<String>::new(), "not sent: cannot be on the disk");
        assert_eq!(outbox.send_difference(), 1);
        assert_eq!(outbox.len(), 1, "sent is not saved");
        assert_eq!(outbox.acknowledge(1), ["a"]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn an_acknowledgement_covers_all_before_it_and_nothing_after() {
        let mut outbox = outbox(&["a"]);
        outbox.send_difference();
        outbox.push("b".to_owned());
        outbox.push("c".to_owned());
        assert_eq!(outbox.send_difference(), 2);
        outbox.push("d".to_owned());
        assert_eq!(outbox.send_difference(), 3);
        outbox.push("e".to_owned());
        assert_eq!(outbox.acknowledge(2), ["a", "b", "c"]);
        assert_eq!(outbox.len(), 2);
        assert!(outbox.has_unsent());
    }

    #[test]
    fn a_new_connection_sends_everything_again_in_one_message() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.send_difference();
        outbox.push("c".to_owned());
        outbox.reset();
        assert!(outbox.has_unsent());
        assert_eq!(outbox.send_difference(), 1, "numbers start anew");
        assert!(!outbox.has_unsent());
        assert_eq!(outbox.acknowledge(1), ["a", "b", "c"]);
    }

    #[test]
    fn what_was_recalled_is_only_acknowledged_under_its_new_number() {
        let mut outbox = outbox(&["a"]);
        outbox.send_difference();
        outbox.recall();
        assert_eq!(outbox.acknowledge(1), Vec::<String>::new());
        assert_eq!(outbox.send_difference(), 2);
        assert_eq!(outbox.acknowledge(2), ["a"]);
    }

    #[test]
    fn d1_a_number_covers_what_is_in_its_message_alone() {
        let mut outbox = Outbox::default();
        outbox.push_next("refused".to_owned());
        assert_eq!(outbox.send_next(), 1);
        outbox.recall();
        outbox.push_next("later".to_owned());
        assert_eq!(outbox.send_next(), 2);
        assert_eq!(outbox.acknowledge(2), ["later"], "the first one was not in that message");
        assert!(outbox.has_unsent());
        assert_eq!(outbox.send_difference(), 3);
        assert_eq!(outbox.acknowledge(3), ["refused"]);
    }

    #[test]
    fn pieces_of_a_difference_are_acknowledged_one_by_one() {
        let mut outbox = outbox(&["a", "b", "c"]);
        assert_eq!(outbox.send_these(&["a".to_owned(), "c".to_owned()]), 1);
        assert!(outbox.has_unsent());
        assert_eq!(outbox.send_these(&["b".to_owned()]), 2);
        assert_eq!(outbox.acknowledge(1), ["a", "c"]);
        assert_eq!(outbox.acknowledge(2), ["b"]);
    }

    #[test]
    fn the_ids_of_earlier_lives_are_known_from_what_they_left() {
        let keys = ["w/p1/t1/9/00000001", "w/p1/t1/ff/00000001", "w/p1/t1/ff/00000002", "w/p1/t1/abc/00000001", "odd"];
        let outbox = outbox(&keys);
        assert_eq!(own_clients(outbox.keys(), 9), [0xff, 0xabc]);
        let many: Vec<String> = (0..50).map(|n| format!("w/p1/t1/{n:x}/00000001")).collect();
        assert_eq!(own_clients(many.iter(), 0).len(), NAMED);
    }

    #[test]
    fn an_acknowledgement_of_an_earlier_connection_does_not_count() {
        let mut outbox = outbox(&["a"]);
        outbox.send_difference();
        outbox.reset();
        assert_eq!(outbox.acknowledge(1), Vec::<String>::new());
        assert_eq!(outbox.len(), 1);
    }
}
