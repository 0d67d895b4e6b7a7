//! Who is at a board: the awareness states of its members. Kept in memory alone; it is gone with the room.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde_json::{Map, Value};
use shared::id::ActorId;
use shared::limits;
use shared::wire::{PresenceEntry, PresenceUser};

use super::MemberId;

#[derive(Default)]
pub(super) struct Presence {
    present: BTreeMap<u64, Present>,
    /// Bytes of the states of those present.
    bytes: usize,
    departed: HashMap<u64, u32>,
    /// Under which id each member speaks of itself: the first that it named. y-protocols sends on whatever it hears, of others too.
    own: HashMap<MemberId, u64>,
}

struct Present {
    member: MemberId,
    /// Whose it is.
    person: ActorId,
    /// The clock that its client counts.
    heard: u32,
    /// The clock that the others see. It never goes back, whatever the client's does after a reconnect.
    told: u32,
    state: Value,
    /// How long the state is.
    bytes: usize,
}

impl Presence {
    /// Takes in what a member says of itself. `person` is who it really is, `user` how the others are to see them: perhaps without a name.
    /// Returns what the others are to be told.
    pub fn update(
        &mut self,
        member: MemberId,
        person: &ActorId,
        user: &PresenceUser,
        entries: Vec<PresenceEntry>,
    ) -> Vec<PresenceEntry> {
        entries.into_iter().filter_map(|entry| self.update_one(member, person, user, entry)).collect()
    }

    fn update_one(
        &mut self,
        member: MemberId,
        person: &ActorId,
        user: &PresenceUser,
        entry: PresenceEntry,
    ) -> Option<PresenceEntry> {
        if self.is_echo(member, &entry) {
            return None;
        }
        let PresenceEntry { client, clock, state } = entry;
        let before = self.present.get(&client);
        // From the same member only what is newer; another connection of the same person takes over in any case.
        if before.is_some_and(|before| {
            before.member == member && (clock < before.heard || (clock == before.heard && state.is_some()))
        }) {
            return None;
        }
        let Some(state) = state else {
            return if before.is_some_and(|before| before.member == member) { self.remove(client) } else { None };
        };
        if before.is_none_or(|before| before.member != member) && !self.may_come(member, person, client) {
            return None;
        }
        let state = signed(state, user);
        let bytes = length(&state);
        let others = self.bytes - before.map_or(0, |before| before.bytes);
        // Nobody is let go for that, or for having come when many were here. What they said before stands.
        if bytes > limits::PRESENCE_STATE_BYTES || others + bytes > limits::PRESENCE_BOARD_BYTES {
            return None;
        }
        let told = before.map(|before| before.told).or_else(|| self.departed.remove(&client));
        // Never 0: to y-protocols that is the clock of those it does not know, and nothing newer.
        let told = clock.max(told.unwrap_or(0).saturating_add(1));
        self.bytes = others + bytes;
        let person = person.clone();
        self.present.insert(client, Present { member, person, heard: clock, told, state: state.clone(), bytes });
        Some(PresenceEntry { client, clock: told, state: Some(state) })
    }

    /// Whether a member only sends on what it was told of somebody else, or of itself: taken for news, it would take away whom others speak for,
    /// and two connections of one person would send it to and fro for ever.
    fn is_echo(&mut self, member: MemberId, entry: &PresenceEntry) -> bool {
        let before = self.present.get(&entry.client).filter(|before| before.member != member);
        let is_first = !self.own.contains_key(&member);
        if is_first && (entry.state.is_some() || before.is_none()) {
            self.own.insert(member, entry.client);
        }
        match (self.own.get(&member) == Some(&entry.client), before) {
            // A client that has lost its connection, and is back before anybody has noticed.
            (true, Some(before)) => {
                !is_first && entry.clock == before.told && entry.state.as_ref() == Some(&before.state)
            }
            (true, None) => false,
            (false, Some(_)) => true,
            (false, None) => self.departed.get(&entry.client).is_some_and(|left| entry.clock <= *left),
        }
    }

    /// Whether a member may be present with one more client, which may be present with another member.
    fn may_come(&self, member: MemberId, person: &ActorId, client: u64) -> bool {
        let (mut of_member, mut of_person) = (0, 0);
        for (_, present) in self.present.iter().filter(|(known, _)| **known != client) {
            of_member += usize::from(present.member == member);
            of_person += usize::from(present.person == *person);
        }
        of_member < limits::PRESENCE_PER_MEMBER && of_person < limits::PRESENCE_PER_PERSON
    }

    /// Takes a member out. Returns what the others are to be told.
    pub fn leave(&mut self, member: MemberId) -> Vec<PresenceEntry> {
        self.own.remove(&member);
        let clients: Vec<u64> =
            self.present.iter().filter(|(_, present)| present.member == member).map(|(client, _)| *client).collect();
        clients.into_iter().filter_map(|client| self.remove(client)).collect()
    }

    /// Everybody else, for somebody who has just come or asks. Under a clock of its own: who has been here before remembers the clocks of those
    /// they lost sight of, and takes the same one for nothing new.
    pub fn welcome(&mut self, member: MemberId) -> Vec<PresenceEntry> {
        let others = self.present.values_mut().filter(|present| present.member != member);
        others.for_each(|present| present.told = present.told.saturating_add(1));
        self.all_but(member)
    }

    /// Everybody else. Never themselves: the others' clock for them runs ahead of their own, and
    /// they would take what they said a moment ago for newer than what they say now.
    fn all_but(&self, member: MemberId) -> Vec<PresenceEntry> {
        let entry = |(client, present): (&u64, &Present)| PresenceEntry {
            client: *client,
            clock: present.told,
            state: Some(present.state.clone()),
        };
        self.present.iter().filter(|(_, present)| present.member != member).map(entry).collect()
    }

    /// The same for somebody who has missed some of it: also who has left.
    pub fn missed_by(&self, member: MemberId) -> Vec<PresenceEntry> {
        let left =
            self.departed.iter().map(|(client, clock)| PresenceEntry { client: *client, clock: *clock, state: None });
        self.all_but(member).into_iter().chain(left).collect()
    }

    fn remove(&mut self, client: u64) -> Option<PresenceEntry> {
        let Present { told, bytes, .. } = self.present.remove(&client)?;
        self.bytes -= bytes;
        let told = told.saturating_add(1);
        if self.departed.len() >= limits::DEPARTED_KEPT {
            self.departed.clear();
        }
        self.departed.insert(client, told);
        Some(PresenceEntry { client, clock: told, state: None })
    }
}

/// Bytes of a state as JSON.
fn length(state: &Value) -> usize {
    /// Counts what is written.
    struct Counter(usize);
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, state) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// The state with the name of the one who really sent it.
fn signed(state: Value, user: &PresenceUser) -> Value {
    let mut fields = match state {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let user = serde_json::to_value(user).unwrap_or_default();
    // Other clients put a colour beside the name, which is theirs to choose.
    match (fields.get_mut("user"), user) {
        (Some(Value::Object(theirs)), Value::Object(ours)) => theirs.extend(ours),
        (_, ours) => {
            fields.insert("user".to_owned(), ours);
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::id::Role;

    use super::*;

    impl Presence {
        /// As everywhere where people have their names.
        fn hears(&mut self, member: MemberId, user: &PresenceUser, entries: Vec<PresenceEntry>) -> Vec<PresenceEntry> {
            self.update(member, &user.id, user, entries)
        }
    }

    fn li() -> PresenceUser {
        PresenceUser { id: "p1".into(), name: "李雷".into(), role: Role::Participant }
    }

    fn says(client: u64, clock: u32, state: Option<Value>) -> Vec<PresenceEntry> {
        vec![PresenceEntry { client, clock, state }]
    }

    #[test]
    fn b10_nobody_is_present_under_another_name() {
        let mut presence = Presence::default();
        let claim = json!({ "user": { "id": "p2", "name": "the boss", "color": "#fa0" }, "typing": true });
        let told = presence.hears(1, &li(), says(7, 0, Some(claim)));
        let state = told[0].state.as_ref().expect("a state");
        assert_eq!(
            state,
            &json!({ "user": { "id": "p1", "name": "李雷", "role": "participant", "color": "#fa0" }, "typing": true })
        );
        assert_eq!(presence.all_but(0), told);
    }

    #[test]
    fn b10_nobody_hears_of_themselves() {
        let mut presence = Presence::default();
        presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        presence.hears(2, &li(), says(8, 3, Some(json!({}))));
        assert_eq!(presence.all_but(1).iter().map(|entry| entry.client).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn who_comes_back_sees_those_who_said_nothing_meanwhile() {
        let mut presence = Presence::default();
        presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        let first = presence.welcome(2)[0].clone();
        let again = presence.welcome(3)[0].clone();
        assert_eq!((first.client, again.client), (7, 7));
        assert!(again.clock > first.clock, "y-protocols takes an equal clock for known");
        let said = presence.hears(1, &li(), says(7, 4, Some(json!({ "caret": 1 }))));
        assert!(said[0].clock > again.clock, "what is said later is newer: {said:?}");
    }

    #[test]
    fn only_newer_states_count_and_leaving_is_told() {
        let mut presence = Presence::default();
        presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        assert_eq!(presence.hears(1, &li(), says(7, 3, Some(json!({ "caret": 1 })))), []);
        assert_eq!(presence.hears(1, &li(), says(7, 2, Some(json!({})))), []);
        assert_eq!(presence.leave(1), says(7, 4, None));
        assert_eq!(presence.leave(1), []);
        assert_eq!(presence.all_but(0), []);
        assert_eq!(presence.missed_by(2), says(7, 4, None), "who was too slow hears of farewells, too");
    }

    #[test]
    fn a_client_that_returns_is_seen_again_and_the_old_connection_does_not_take_it_away() {
        let mut presence = Presence::default();
        presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        // A second connection with the same document, while the first is half open.
        let told = presence.hears(2, &li(), says(7, 3, Some(json!({}))));
        assert_eq!(told[0].clock, 4);
        assert_eq!(presence.leave(1), []);
        assert_eq!(presence.leave(2), says(7, 5, None));
        // Back with its own old clock: newer than its farewell all the same.
        assert_eq!(presence.hears(3, &li(), says(7, 3, Some(json!({}))))[0].clock, 6);
    }

    #[test]
    fn b10_who_sends_on_what_they_hear_speaks_for_nobody_else() {
        let mut presence = Presence::default();
        // Two tabs of one person, and an older connection of the first that nobody knows to be lost.
        presence.hears(0, &li(), says(7, 3, Some(json!({}))));
        let first = presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        presence.hears(2, &li(), says(8, 3, Some(json!({}))));
        assert_eq!(presence.hears(2, &li(), first.clone()), [], "the second tab sends on what it was told");
        let again = presence.welcome(2);
        assert_eq!(presence.hears(2, &li(), again), []);
        assert_eq!(presence.leave(0), []);
        let moved = presence.hears(1, &li(), says(7, 9, Some(json!({ "caret": 1 }))));
        assert_eq!(presence.hears(2, &li(), moved.clone()), []);
        let left = presence.leave(1);
        assert_eq!(left.iter().map(|entry| entry.client).collect::<Vec<_>>(), [7], "it spoke for itself to the end");
        assert_eq!(presence.hears(2, &li(), moved), [], "nobody comes back by being talked of");
        assert_eq!(presence.leave(2).len(), 1);
        assert!(presence.own.is_empty());
    }

    #[test]
    fn b10_who_does_not_show_themselves_and_sends_on_what_they_hear_does_so_once() {
        let mut presence = Presence::default();
        let seen = presence.hears(1, &li(), says(7, 3, Some(json!({}))));
        let echo = presence.hears(2, &li(), seen);
        assert_eq!(presence.hears(1, &li(), echo), [], "it does not go to and fro");
        let own = presence.hears(1, &li(), says(7, 9, Some(json!({ "caret": 1 }))));
        assert_eq!(own.len(), 1, "what one says of oneself counts");
        assert_eq!(presence.hears(2, &li(), own), []);
    }

    #[test]
    fn b10_a_state_is_as_long_as_editors_make_theirs_and_no_longer() {
        let mut presence = Presence::default();
        // As y-codemirror.next puts it there, with the largest numbers, in a text that has a name.
        let at = |clock: u64| {
            let item = json!({ "client": (1_u64 << 53) - 1, "clock": clock });
            json!({ "type": item, "tname": "handover.build_here", "item": item, "assoc": -1 })
        };
        let user = json!({ "name": "韩梅梅".repeat(20), "color": "#30bced", "colorLight": "#30bced33" });
        let editor = json!({ "user": user, "cursor": { "anchor": at(1 << 31), "head": at(1 << 31) } });
        let li = PresenceUser { name: "李".repeat(limits::NAME_CHARS), ..li() };
        let told = presence.hears(1, &li, says(7, 0, Some(editor)));
        assert_eq!(told.len(), 1);
        let long = json!({ "note": "x".repeat(limits::PRESENCE_STATE_BYTES) });
        assert_eq!(presence.hears(1, &li, says(7, 1, Some(long))), []);
        assert_eq!(presence.all_but(0), told, "what was said before stands");
        assert_eq!(presence.hears(1, &li, says(7, 2, Some(json!({})))).len(), 1);
    }

    #[test]
    fn b10_a_board_knows_a_bounded_crowd_and_no_person_is_all_of_it() {
        let mut presence = Presence::default();
        let large = || Some(json!({ "note": "x".repeat(limits::PRESENCE_STATE_BYTES - 100) }));
        for member in 0..100 {
            presence.hears(member, &li(), says(member, 0, large()));
        }
        assert_eq!(presence.present.len(), limits::PRESENCE_PER_PERSON);
        let person = |n: u64| PresenceUser { id: format!("q{n}").into(), ..li() };
        for member in 100..4_100 {
            presence.hears(member, &person(member), says(member, 0, large()));
        }
        let here = shared::wire::presence::encode(&presence.all_but(0)).len();
        assert!(
            (limits::PRESENCE_BOARD_BYTES * 9 / 10..limits::PRESENCE_BOARD_BYTES * 11 / 10).contains(&here),
            "{here}"
        );
        // Who is there may say less, and where one leaves there is room for another.
        assert_eq!(presence.hears(100, &person(100), says(100, 1, large())).len(), 1);
        assert_eq!(presence.hears(4_100, &person(4_100), says(4_100, 0, large())), []);
        presence.leave(100);
        assert_eq!(presence.hears(4_100, &person(4_100), says(4_100, 1, large())).len(), 1);
        for member in 0..=4_100 {
            presence.leave(member);
        }
        assert_eq!((presence.bytes, presence.present.len()), (0, 0));
    }

    #[test]
    fn one_member_is_not_a_crowd() {
        let mut presence = Presence::default();
        for client in 0..100 {
            presence.hears(1, &li(), says(client, 0, Some(json!({}))));
        }
        assert_eq!(presence.all_but(0).len(), limits::PRESENCE_PER_MEMBER);
    }

    #[test]
    fn b10_where_nobody_has_a_name_each_is_still_somebody() {
        let mut presence = Presence::default();
        let nobody = PresenceUser { id: ActorId::from(""), name: String::new(), role: Role::Participant };
        for n in 0..40 {
            let entry = PresenceEntry { client: n, clock: 1, state: Some(json!({})) };
            assert_eq!(presence.update(n, &format!("p{n}").into(), &nobody, vec![entry]).len(), 1, "person {n}");
        }
        let of_one = |n: u64| PresenceEntry { client: 100 + n, clock: 1, state: Some(json!({})) };
        let taken =
            (0..40).filter(|n| !presence.update(100 + n / 4, &"p1".into(), &nobody, vec![of_one(*n)]).is_empty());
        assert_eq!(taken.count(), limits::PRESENCE_PER_PERSON - 1);
    }
}
