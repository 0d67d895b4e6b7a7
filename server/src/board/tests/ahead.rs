//! Devices that hold more than the server, which was restored from a time before.

use super::*;

/// A board as it is after it was restored, and two who wrote on it together before: each holds the words of both.
async fn restored() -> (House, Guest, Guest) {
    let house = House::new();
    for (client, actor) in [(1, "ann"), (2, "bob")] {
        house.store.bind_clients("w".to_owned(), actor.to_owned(), vec![client]).await.expect("bound");
    }
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    ann.writes("before ").await;
    bob.hears().await;
    for turn in 0..4 {
        let (by, other) = if turn % 2 == 0 { (&bob, &ann) } else { (&ann, &bob) };
        let words = by.types(&format!("{turn} "));
        other.doc.transact_mut().apply_update(Update::decode_v1(&words).expect("an update")).expect("applies");
    }
    (house, ann, bob)
}

impl Guest {
    /// Answers the server's Step1 with all that it lacks, as every client does.
    async fn sends_all_to(&mut self, state_vector: &[u8], theirs: &[u64]) {
        let known = StateVector::decode_v1(state_vector).expect("a state vector");
        let update = self.doc.transact().encode_diff_v1(&known);
        self.edits += 1;
        let foreign: Vec<u64> = theirs.iter().copied().filter(|client| *client != self.client).collect();
        self.sends_as(update, Ack::Number(self.edits), &foreign, true).await;
    }

    async fn asks(&mut self) -> Vec<u8> {
        let state_vector = self.doc.transact().state_vector();
        self.handle.sync(self.id, state_vector).await.expect("a board");
        loop {
            if let ServerMessage::Step1 { state_vector } = self.hears().await {
                return state_vector;
            }
        }
    }
}

#[tokio::test]
async fn b7_d18_two_who_are_ahead_bring_back_what_each_wrote() {
    let (house, mut ann, mut bob) = restored().await;
    let expected = ann.reads();
    assert_eq!(expected, "before 0 1 2 3 ");
    for guest in [&mut ann, &mut bob] {
        let state_vector = guest.asks().await;
        guest.sends_all_to(&state_vector, &[1, 2]).await;
    }
    // Each answers until everything of theirs is acknowledged.
    let both = async {
        let mut saved = [false, false];
        while saved != [true, true] {
            for (guest, saved) in [&mut ann, &mut bob].into_iter().zip(&mut saved) {
                let Some(Next::Frame(frame)) = guest.outbox.next() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                match guest.takes(&frame) {
                    ServerMessage::Resync => {
                        let state_vector = guest.asks().await;
                        guest.sends_all_to(&state_vector, &[1, 2]).await;
                    }
                    ServerMessage::DurableUpTo { n } => *saved = n == guest.edits,
                    _ => {}
                }
            }
        }
    };
    timeout(PATIENCE, both).await.expect("in time");
    assert_eq!(house.guest("late", 3).await.reads(), expected);
    let rows = house.store.load(house.stream()).await.expect("rows").rows;
    for row in rows {
        let authors = shared::wire::scan::authors(&row.payload).expect("sound");
        let own = if row.principal == "ann" { 1 } else { 2 };
        assert!(authors.iter().all(|range| range.client == own), "each brings their own");
    }
}

#[tokio::test]
async fn b7_words_that_build_on_somebody_who_is_away_wait_and_are_not_called_saved() {
    let (house, mut ann, bob) = restored().await;
    let state_vector = ann.asks().await;
    ann.sends_all_to(&state_vector, &[1, 2]).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(text) if text.contains("waits_for_others")));
    // What she types meanwhile waits as well, and nobody is asked in a circle.
    let more = ann.types("4 ");
    ann.sends(more).await;
    let mut late = house.guest("late", 3).await;
    ann.hears_nothing();
    assert_eq!(late.reads(), "before ");
    // A third person's words are no reason to ask her again.
    late.writes("late").await;
    assert!(matches!(ann.hears().await, ServerMessage::Update { .. }));
    ann.hears_nothing();
    drop(bob);
}

/// Nobody knows whose an id is that is bound to nobody: it may be the sender's own, and then nothing of it would be stored.
#[tokio::test]
async fn d1_what_may_be_the_senders_own_is_not_acknowledged() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    let words = ann.types("under an id that was forgotten");
    ann.sends_as(words, Ack::Number(1), &[1], true).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    ann.hears_nothing();
}
