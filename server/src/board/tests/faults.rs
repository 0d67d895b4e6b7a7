//! What people are shown, and told, when the store fails in the middle of it.

use super::*;

fn lost() -> StoreError {
    StoreError::Io("the answer was lost".to_owned())
}

/// Appends what somebody wrote in another process.
async fn written_elsewhere(house: &House, client: u64, words: &str) {
    let doc = new_doc(client);
    let text = doc.get_or_insert_text("t");
    let mut txn = doc.transact_mut();
    text.insert(&mut txn, 0, words);
    let row = NewRow { principal: "elsewhere".to_owned(), at: 1, payload: txn.encode_update_v1().into() };
    drop(txn);
    house.store.append(house.stream(), None, vec![row]).await.expect("stored");
}

#[tokio::test]
async fn d2_what_another_writer_stored_is_shown_to_everybody() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    ann.writes("ann's").await;
    bob.hears().await;
    written_elsewhere(&house, 77, "theirs, ").await;
    let words = ann.types("!");
    let n = ann.sends(words).await;
    for guest in [&mut ann, &mut bob] {
        while !guest.reads().contains("theirs") || !guest.reads().contains('!') {
            guest.hears().await;
        }
    }
    while ann.hears().await != (ServerMessage::DurableUpTo { n }) {}
    assert_eq!(ann.reads(), bob.reads());
    // The same, and a snapshot of it that nobody here has seen; what was written before that is told too.
    written_elsewhere(&house, 78, "more of theirs, ").await;
    let loaded = house.store.load(house.stream()).await.expect("rows");
    let payload = Replica::load(&loaded).expect("loads").snapshot().expect("a snapshot");
    let snapshot = Snapshot { seq: loaded.last_seq, payload: payload.into() };
    house.store.save_snapshot(house.stream(), snapshot).await.expect("saved");
    let words = ann.types("!");
    ann.sends(words).await;
    while !bob.reads().contains("more of theirs") || bob.reads().matches('!').count() < 2 {
        bob.hears().await;
    }
}

#[tokio::test]
async fn d4_what_was_stored_after_all_is_shown_even_if_it_could_not_be_loaded_at_once() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    house.faults.lose_answers(lost());
    house.faults.refuse_reads(lost());
    let words = ann.types("stored");
    ann.sends(words.clone()).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    bob.hears_nothing();
    house.faults.heal();
    // Nobody does anything; the board tries again by itself.
    assert!(is_update(&bob.hears().await));
    assert_eq!(bob.reads(), "stored");
    // To its author it is as for all, and sent again it is known.
    assert!(is_update(&ann.hears().await));
    assert_eq!(ann.hears().await, ServerMessage::Resync);
    ann.syncs().await;
    let n = ann.sends(words).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 1);
}

#[tokio::test]
async fn d13_a_board_that_can_be_read_but_not_written_is_quarantined_and_named() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    ann.writes("before").await;
    bob.hears().await;
    let floor = house.boards.inner.floors.of(&house.board.workshop);
    house.faults.refuse_writes(StoreError::Corrupt { stream: "tablehop.db".into(), what: "a page is damaged".into() });
    let words = ann.types(", after");
    ann.sends(words.clone()).await;
    // Once it may be another board's damage, in the same commit.
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    assert_eq!(ann.hears().await, ServerMessage::Resync);
    assert_eq!(floor.damaged(), []);
    ann.sends(words).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    for guest in [&mut ann, &mut bob] {
        assert_eq!(guest.hears().await, ServerMessage::Close { reason: "board_quarantined".to_owned() });
    }
    assert_eq!(floor.damaged(), [house.board.kind]);
    assert!(matches!(house.boards.open(&house.board).await, Err(BoardError::Quarantined(_))));
}

#[tokio::test]
async fn d13_damage_that_is_gone_at_the_second_try_quarantines_nothing() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    for _ in 0..3 {
        house.faults.refuse_writes(StoreError::Corrupt { stream: "tablehop.db".into(), what: "elsewhere".into() });
        let words = ann.types("x");
        ann.sends(words).await;
        assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
        assert_eq!(ann.hears().await, ServerMessage::Resync);
        house.faults.heal();
        ann.syncs().await;
        let lacking = ann.doc.transact().encode_state_as_update_v1(&StateVector::default());
        let n = ann.sends(lacking).await;
        assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    }
}

#[tokio::test]
async fn d14_a_board_is_loaded_again_however_much_those_move_who_wait_for_it() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    house.faults.lose_answers(lost());
    house.faults.refuse_reads(lost());
    let words = ann.types("stored");
    ann.sends(words).await;
    assert!(matches!(ann.hears().await, ServerMessage::Stateless(_)));
    let before = house.faults.loads();
    let user = PresenceUser { id: "ann".into(), name: "Ann".into(), role: Role::Participant };
    let moves = async {
        let mut clock = 0;
        while house.faults.loads() == before {
            clock += 1;
            let here = vec![PresenceEntry { client: 1, clock, state: Some(json!({ "caret": clock })) }];
            ann.handle.presence(ann.id, user.clone(), here).await.expect("a board");
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, moves).await.expect("it is tried again");
    house.faults.heal();
    assert!(is_update(&ann.hears().await));
    assert_eq!(ann.hears().await, ServerMessage::Resync);
}
