//! Members who mean harm.

use shared::board::{NewNote, TableRoots, note};
use shared::limits;
use shared::wire::lib0::Writer;

use super::*;
use crate::board::replica::leaked_bytes;
use crate::board::replica::tests::BOMBER;

/// Structs of client 9 from clock 0 on, without deletions.
fn forged(structs: &[&[u8]]) -> Vec<u8> {
    let mut writer = sections(9, 0, structs);
    writer.byte(0);
    writer.into_bytes()
}

/// The same of any client, and what it deletes: single clocks.
fn forged_and_deleted(
    client: u64,
    clock: u64,
    structs: &[&[u8]],
    deleted: impl ExactSizeIterator<Item = u64>,
) -> Vec<u8> {
    let mut writer = sections(client, clock, structs);
    writer.var_uint(1).var_uint(client).var_uint(deleted.len() as u64);
    deleted.for_each(|clock| _ = writer.var_uint(clock).var_uint(1));
    writer.into_bytes()
}

fn sections(client: u64, clock: u64, structs: &[&[u8]]) -> Writer {
    let mut writer = Writer::new();
    writer.var_uint(u64::from(!structs.is_empty()));
    if !structs.is_empty() {
        writer.var_uint(structs.len() as u64).var_uint(client).var_uint(clock);
    }
    structs.iter().copied().flatten().for_each(|&byte| _ = writer.byte(byte));
    writer
}

/// A text at a root whose name is a letter.
fn text_at(root: u8, text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(4).byte(1).byte(1).byte(root).var_string(text);
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
            from: None,
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
    // Those who were there all the time read all that was honest, and nothing else.
    while !bob.reads().contains("and after") {
        bob.hears().await;
    }
    let late = house.guest("late", 4).await;
    for guest in [&mut ann, &mut bob] {
        while let Some(Next::Frame(frame)) = guest.outbox.next() {
            guest.takes(&frame);
        }
        assert_eq!(guest.reads(), late.reads(), "{}", guest.name);
        assert!(!guest.reads().contains("fragment"), "{}", guest.reads());
    }
    assert!(late.reads().contains("before, ") && late.reads().contains("and after") && late.reads().contains("bob's"));
    for reader in [late.reads(), house.reopened().await.guest("later", 5).await.reads()] {
        assert!(!reader.contains("fragment"), "{reader}");
    }
}

/// A text at a root, on which the library panics when half of it is applied.
fn bomb() -> Vec<u8> {
    forged_and_deleted(BOMBER, 0, &[b"\x27\x01\x01m\x01k\x02"], [].into_iter())
}

#[tokio::test]
async fn h27_updates_on_which_the_library_panics_cost_their_sender_and_then_the_board_rests() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.writes("before, ").await;
    for n in 0..3 {
        let lost = leaked_bytes();
        ann.writes("during, ").await;
        let mallory = house.stranger("mallory", 9 + n).await;
        mallory.sends_as(bomb(), Ack::Status, &[], true).await;
        assert_eq!(mallory.ends().await, End { code: 1002, reason: "bad_update" });
        assert!(leaked_bytes() > lost, "it is known what is lost");
        mallory.handle.leave(mallory.id).await;
    }
    // It may be read, and what is known is known; what is new waits.
    let put_off = ann.types("and after");
    ann.sends(put_off).await;
    let ServerMessage::Stateless(notice) = ann.hears().await else { panic!("no notice") };
    assert!(notice.contains("board_resting"), "{notice}");
    let late = house.guest("late", 3).await;
    assert_eq!(late.reads(), "before, during, during, during, ");
    let known = late.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let mut stranger = house.stranger("dee", 5).await;
    stranger.sends_as(known, Ack::Status, &[1], true).await;
    assert_eq!(stranger.hears().await, ServerMessage::SyncStatus(true));
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 4);
    // Others go on.
    let mut house = house;
    house.board = BoardId::table(&"w".into(), TableId(2));
    house.guest("bob", 4).await.writes("words").await;
}

#[tokio::test]
async fn h27_a_board_does_not_forget_by_being_left() {
    // Much is lost already: once is enough. Beside it there is room for one more board.
    const SHARE: usize = limits::BOARD_SHARE;
    let ledger = Ledger::new(12 * SHARE, || 7 * SHARE);
    let mut house = House::over(tempfile::tempdir().expect("a directory"), ledger);
    let mut ann = house.guest("ann", 1).await;
    ann.writes("words").await;
    let mallory = house.stranger("mallory", 9).await;
    mallory.sends_as(bomb(), Ack::Status, &[], true).await;
    mallory.ends().await;
    mallory.handle.leave(mallory.id).await;
    ann.handle.leave(ann.id).await;
    house.board = BoardId::table(&"w".into(), TableId(2));
    let bob = house.guest("bob", 4).await;
    let third = house.boards.open(&BoardId::table(&"w".into(), TableId(3))).await;
    assert_eq!(third.err(), Some(BoardError::ServerFull), "it is not unloaded to make room");
    bob.handle.leave(bob.id).await;
    house.board = BoardId::table(&"w".into(), TableId(1));
    let mut late = house.guest("late", 3).await;
    let words = late.types("!");
    late.sends(words).await;
    assert!(matches!(late.hears().await, ServerMessage::Stateless(notice) if notice.contains("board_resting")));
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

#[tokio::test]
async fn b25_values_in_each_others_way_cost_their_sender() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.writes("words").await;
    let mallory = house.stranger("mallory", 9).await;
    // A null under the same key, as though there were nothing under it yet.
    let values: Vec<&[u8]> = vec![b"\x28\x01\x01m\x01k\x01\x7e"; 120_000];
    mallory.sends_as(forged(&values), Ack::Status, &[], true).await;
    assert_eq!(mallory.ends().await, End { code: 1002, reason: "crowded" });
    ann.writes(" go on").await;
    assert_eq!(house.store.load(house.stream()).await.expect("rows").last_seq, 2);
    assert_eq!(house.guest("late", 3).await.reads(), "words go on");
}

/// Every second letter of long texts: each text, and each edit, is within its limit. Whoever comes back says all of that to be deleted, and
/// beside it what they wrote meanwhile, which must not be refused for it.
#[tokio::test]
async fn b22_who_comes_back_to_a_board_full_of_holes_has_their_words_taken() {
    const EACH: u64 = 16 * 1024;
    const TEXTS: u64 = 8;
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    ann.writes("before, ").await;
    let mut mallory = house.stranger("mallory", 9).await;
    let letters = "x".repeat(2 * EACH as usize);
    let mut refused = 0;
    for (client, root) in (101..101 + TEXTS).zip(b"abcdefgh") {
        let update =
            forged_and_deleted(client, 0, &[&text_at(*root, &letters)], (0..EACH as u32).map(|n| 2 * u64::from(n) + 1));
        mallory.sends_as(update, Ack::Status, &[], true).await;
        match mallory.hears().await {
            ServerMessage::SyncStatus(true) => assert!(is_update(&ann.hears().await)),
            _ => refused += 1,
        }
    }
    assert!(
        refused < TEXTS && refused > 0,
        "{refused} of {TEXTS} were refused: memory is bounded, and was nearly used up"
    );
    // Ann takes a letter away, and goes on; then the connection is lost, and all of it goes out as one difference.
    let vector = ann.doc.transact().state_vector();
    {
        let mut txn = ann.doc.transact_mut();
        ann.text.remove_range(&mut txn, 0, 1);
    }
    ann.types("and after");
    let lacking = ann.doc.transact().encode_diff_v1(&vector);
    assert!(lacking.len() > 4 * EACH as usize, "all that was deleted is in it");
    let n = ann.sends(lacking).await;
    assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    assert_eq!(house.guest("late", 3).await.reads(), "efore, and after");
}

/// A megabyte of the smallest values is some sixty in memory.
#[tokio::test]
async fn b22_a_board_takes_a_bounded_part_of_memory_whatever_it_is_made_of() {
    const VALUES: usize = 60;
    let house = House::new();
    let mut mallory = house.stranger("mallory", 9).await;
    let mut nulls = Writer::new();
    nulls.byte(8).byte(1).byte(1).byte(b'm').var_uint(VALUES as u64);
    for _ in 0..VALUES {
        nulls.byte(117).var_uint(limits::VALUE_BYTES as u64 - 8);
        (8..limits::VALUE_BYTES).for_each(|_| _ = nulls.byte(126));
    }
    let nulls = nulls.into_bytes();
    assert!(nulls.len() < limits::FRAME_BYTES);
    mallory.sends_as(forged(&[&nulls]), Ack::Status, &[], true).await;
    assert_eq!(mallory.hears().await, ServerMessage::SyncStatus(true));
    let mut house = house;
    for client in [10, 11] {
        let again = forged_and_deleted(client, 0, &[&nulls], [0].into_iter());
        mallory.sends_as(again, Ack::Status, &[], true).await;
        assert_eq!(mallory.hears().await, ServerMessage::SyncStatus(false));
        // What is known takes no room, and words find some.
        mallory.sends_as(forged(&[&nulls]), Ack::Status, &[], true).await;
        assert_eq!(mallory.hears().await, ServerMessage::SyncStatus(true));
        house.guest("ann", client + 10).await.writes("still writing").await;
        house = house.reopened().await;
        mallory = house.stranger("mallory", client + 20).await;
    }
    // Once somebody takes it away there is room again, though nobody knows at once how much.
    let mut maps = Writer::new();
    maps.byte(8).byte(1).byte(1).byte(b'm').var_uint(20_000);
    (0..20_000).for_each(|_| _ = maps.byte(118).byte(0));
    let maps = forged_and_deleted(12, 0, &[&maps.into_bytes()], [].into_iter());
    mallory.sends_as(maps.clone(), Ack::Status, &[], true).await;
    assert_eq!(mallory.hears().await, ServerMessage::SyncStatus(false));
    let all = forged_and_deleted(9, 0, &[], (0..VALUES as u32).map(u64::from));
    mallory.sends_as(all, Ack::Status, &[], true).await;
    assert_eq!(mallory.hears().await, ServerMessage::SyncStatus(true));
    let mut refused = 0;
    loop {
        mallory.sends_as(maps.clone(), Ack::Status, &[], true).await;
        if mallory.hears().await == ServerMessage::SyncStatus(true) {
            break;
        }
        refused += 1;
        assert!(refused < 1_000, "it stays full for ever");
    }
}

#[tokio::test]
async fn h23_one_person_opens_a_board_so_often_and_no_more() {
    let house = House::new();
    let mut tabs = Vec::new();
    for _ in 0..limits::OPENINGS_PER_PERSON {
        tabs.push(house.guest("mallory", 1).await);
    }
    let mut one_more = house.joins("mallory", 2, true).await.expect("a board");
    assert_eq!(one_more.hears().await, ServerMessage::Denied { reason: "too_many_sessions".to_owned() });
    // Others come in, and so do they when a tab is closed.
    let mut ann = house.guest("ann", 3).await;
    ann.writes("words").await;
    one_more.hears_nothing();
    assert!(is_update(&tabs[0].hears().await));
    tabs[1].handle.leave(tabs[1].id).await;
    assert_eq!(house.guest("mallory", 4).await.reads(), "words");
}

/// Clients of other makes may name each opening.
#[tokio::test]
async fn h23_everybody_is_told_in_their_own_dialect_however_many_there_are() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    let handle = house.boards.open(&house.board).await.expect("a board");
    let mut others = Vec::new();
    for n in 0..20 {
        let (id, outbox, session) = (house.boards.next_member(), Arc::new(Outbox::default()), format!("s{}", n / 2));
        let dialect = Dialect::Collab(Some(session.as_str().into()));
        let member = Member { dialect, ..member("bot", false, &outbox, Arc::default()) };
        handle.join(id, member).await.expect("a board");
        handle.sync(id, StateVector::default()).await.expect("a board");
        timeout(PATIENCE, outbox.filled()).await.expect("in time");
        others.push((session, outbox));
    }
    ann.writes("words").await;
    for (session, outbox) in others {
        let frames: Vec<_> = std::iter::from_fn(|| outbox.next())
            .map(|next| match next {
                Next::Frame(frame) => ServerFrame::decode(&frame).expect("a frame"),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(frames.len(), 3, "all there is, a question, and the edit");
        for frame in frames {
            assert!(matches!(frame, ServerFrame::Message(to, _) if to.session.as_deref() == Some(session.as_str())));
        }
    }
}

#[tokio::test]
async fn b10_who_reads_slowly_is_not_let_go_for_how_many_are_here() {
    let house = House::new();
    for n in 0..100 {
        let name = format!("bot{n}");
        let bot = house.joins(&name, 100 + n, true).await.expect("a board");
        let user = PresenceUser { id: name.as_str().into(), name, role: Role::Participant };
        let state = json!({ "note": "x".repeat(limits::PRESENCE_STATE_BYTES - 200) });
        let here = vec![PresenceEntry { client: bot.client, clock: 1, state: Some(state) }];
        bot.handle.presence(bot.id, user, here).await.expect("a board");
    }
    let mut slow = house.joins("slow", 2, true).await.expect("a board");
    for _ in 0..20 {
        slow.handle.query_presence(slow.id).await.expect("a board");
    }
    // By then all of it has been answered.
    house.boards.open(&house.board).await.expect("a board");
    let mut waited = 0;
    loop {
        match slow.outbox.next() {
            Some(Next::Frame(frame)) => waited += frame.len(),
            Some(Next::Lagging(1)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(waited <= limits::QUEUE_BYTES, "{waited}");
    slow.syncs().await;
    let mut heard = 0;
    while heard < 60 {
        let ServerMessage::Awareness(bytes) = slow.hears().await else { panic!("no presence") };
        heard += wire_presence::decode(&bytes).expect("presence").len();
    }
}
