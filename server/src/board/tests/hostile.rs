//! Members who mean harm.

use shared::board::{NewNote, TableRoots, note};
use shared::limits;
use shared::wire::lib0::Writer;

use super::*;

/// Structs of client 9 from clock 0 on, without deletions.
fn forged(structs: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(1).var_uint(structs.len() as u64).var_uint(9).var_uint(0);
    structs.iter().copied().flatten().for_each(|&byte| _ = writer.byte(byte));
    writer.byte(0);
    writer.into_bytes()
}

fn notes(guest: &Guest, roots: &TableRoots, ids: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut txn = guest.doc.transact_mut();
    for id in ids {
        let new = NewNote {
            id: format!("n-{id}").as_str().into(),
            kind: Default::default(),
            text: String::new(),
            x: 0.0,
            y: 0.0,
            w: 220.0,
            color: 0,
            author: "p1".into(),
            author_name: String::new(),
            round: None,
            created_at: 1,
            builds_on: None,
        };
        note::create(&mut txn, roots, new);
    }
    txn.encode_update_v1()
}

#[tokio::test]
async fn b23_an_update_that_fails_half_way_leaves_nothing() {
    let house = House::new();
    let (mut ann, mut bob) = (house.guest("ann", 1).await, house.guest("bob", 2).await);
    let mallory = house.stranger("mallory", 9).await;
    ann.writes("before, ").await;
    assert!(is_update(&bob.hears().await));
    // The first struct is sound and is taken in; the second lies in something that is no type, which Yrs finds out only then.
    let half = forged(&[b"\x04\x01\x01t\x08fragment", b"\x24\x00\x09\x00\x01k\x01x"]);
    // In the same batch with honest words on both sides: held writes keep the board busy while all three arrive.
    house.faults.hold_writes();
    let words = [ann.types("during, "), ann.types("and after")];
    ann.sends(words[0].clone()).await;
    house.faults.writes_held(1).await;
    let more = bob.types("bob's, ");
    bob.sends(more).await;
    mallory.sends_as(half, Ack::Status, &[], true).await;
    ann.sends(words[1].clone()).await;
    house.faults.release_writes();
    assert_eq!(mallory.ends().await, End { code: 1002, reason: "bad_update" });
    let mut durable = 1;
    while durable < 3 {
        match ann.hears().await {
            ServerMessage::DurableUpTo { n } => durable = n,
            update => assert!(is_update(&update), "{update:?}"),
        }
    }
    let late = house.guest("late", 4).await;
    assert!(late.reads().contains("before, ") && late.reads().contains("and after") && late.reads().contains("bob's"));
    for reader in [late.reads(), house.reopened().await.guest("later", 5).await.reads()] {
        assert!(!reader.contains("fragment"), "{reader}");
    }
}

#[tokio::test]
async fn b22_a_board_takes_so_many_elements_and_its_words_go_on() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    let roots = TableRoots::of(&ann.doc);
    let all = notes(&ann, &roots, 0..limits::ELEMENTS_KEPT);
    let n = ann.sends(all).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    // Words in what is there are taken.
    ann.writes("still writing").await;
    // So it is after a restart, too.
    let house = house.reopened().await;
    let mut bob = house.guest("bob", 2).await;
    let roots = TableRoots::of(&bob.doc);
    let known = bob.doc.transact().encode_state_as_update_v1(&StateVector::default());
    bob.sends_as(known, Ack::Number(1), &[1], true).await;
    assert_eq!(bob.hears().await, ServerMessage::DurableUpTo { n: 1 }, "what is known takes no room");
    bob.edits = 1;
    let one_more = notes(&bob, &roots, [limits::ELEMENTS_KEPT].into_iter());
    bob.sends(one_more).await;
    let ServerMessage::Stateless(notice) = bob.hears().await else { panic!("no notice") };
    assert!(notice.contains("board_full"), "{notice}");
}

#[tokio::test]
async fn b22_a_text_is_as_long_as_a_full_table_can_make_it() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    // Twenty people who each filled the same note while they were offline: all of it is kept.
    ann.writes(&"字".repeat(limits::TEXT_KEPT as usize)).await;
    let over = ann.types("x");
    ann.sends(over).await;
    assert_eq!(ann.ends().await, End { code: 1009, reason: "text_too_long" });
    let bob = house.guest("bob", 2).await;
    assert_eq!(bob.reads().chars().count(), limits::TEXT_KEPT as usize);
    // The same in a text that is new.
    let mallory = house.stranger("mallory", 9).await;
    mallory.sends_as(forged(&[b"\x27\x01\x01m\x01k\x02", &giant()]), Ack::Status, &[], true).await;
    assert_eq!(mallory.ends().await, End { code: 1009, reason: "text_too_long" });
}

/// Too many words in the text that is client 9's first struct.
fn giant() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(4).var_uint(0).var_uint(9).var_uint(0).var_string(&"x".repeat(limits::TEXT_KEPT as usize + 1));
    writer.into_bytes()
}

#[tokio::test]
async fn b21_a_type_put_into_another_one_later_costs_its_sender() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.writes("words").await;
    let mallory = house.stranger("mallory", 9).await;
    // A map in the root text's first item's place, and root types without end.
    let beside = forged(&[&[0x87, 1, 0, 1]]);
    mallory.sends_as(beside, Ack::Status, &[], true).await;
    assert_eq!(mallory.ends().await, End { code: 1002, reason: "lazy_type" });
    let mallory = house.stranger("mallory", 9).await;
    let roots: Vec<Vec<u8>> = (0..=limits::ROOTS_MAX as u8).map(|n| vec![4, 1, 2, b'r', b'0' + n, 1, b'x']).collect();
    let roots = forged(&roots.iter().map(Vec::as_slice).collect::<Vec<_>>());
    mallory.sends_as(roots, Ack::Status, &[], true).await;
    assert_eq!(mallory.ends().await, End { code: 1002, reason: "too_many_roots" });
    assert_eq!(house.guest("late", 3).await.reads(), "words");
}

#[tokio::test]
async fn b24_an_item_between_two_that_are_crossed_costs_its_sender() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.writes("words").await;
    let mallory = house.stranger("mallory", 9).await;
    // Behind the fourth letter and before the second.
    mallory.sends_as(forged(&[b"\xc4\x01\x03\x01\x01\x01x"]), Ack::Status, &[], true).await;
    assert_eq!(mallory.ends().await, End { code: 1002, reason: "misplaced" });
    // Side by side is where people write, the one who wrote before, too.
    let mut bob = house.guest("bob", 9).await;
    bob.sends(forged(&[b"\xc4\x01\x01\x01\x02\x01x"])).await;
    assert!(is_update(&ann.hears().await));
    ann.writes("!").await;
    assert_eq!(house.guest("late", 3).await.reads(), "woxrds!");
}
