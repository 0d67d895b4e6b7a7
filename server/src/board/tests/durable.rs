//! A board and its stream: loading, damage, snapshots, unloading.

use yrs::Map;

use super::*;

#[tokio::test]
async fn d5_a_damaged_board_is_quarantined_and_the_next_one_is_not() {
    let house = House::new();
    house.faults.damage(house.stream());
    assert!(matches!(house.boards.open(&house.board).await, Err(BoardError::Quarantined(_))));
    let table = house.boards.table(&house.board.workshop, TableId(1)).await;
    assert!(matches!(table, Err(BoardError::Quarantined(_))), "{table:?}");
    assert!(house.boards.table(&house.board.workshop, TableId(2)).await.is_ok());
}

#[tokio::test]
async fn d1_a_refusal_does_not_overtake_what_was_sent_before_it() {
    let house = House::new();
    let mut ann = house.stranger("ann", 1).await;
    // The first is held up, so that the others are one batch.
    house.faults.hold_writes();
    ann.sends_as(ann.types("taken"), Ack::Status, &[], true).await;
    house.faults.writes_held(1).await;
    for (update, allowed) in [(ann.types(", too"), true), (ann.types(", not"), false)] {
        ann.sends_as(update, Ack::Status, &[], allowed).await;
    }
    house.faults.release_writes();
    for taken in [true, true, false] {
        assert_eq!(ann.hears().await, ServerMessage::SyncStatus(taken));
    }
}

#[tokio::test]
async fn d14_a_board_that_cannot_be_loaded_lets_nobody_in_and_is_not_written() {
    let house = House::new();
    house.guest("ann", 1).await.writes("here before").await;
    let house = house.reopened().await;
    let failing = StoreError::Io("the disk does not answer".to_owned());
    house.faults.refuse_reads(failing.clone());
    assert_eq!(house.boards.open(&house.board).await.err(), Some(BoardError::Store(failing.clone())));
    // Somebody who gets in by another way is given nothing, and what they write is not taken.
    let handle = house.boards.wake(&house.board).await.expect("memory");
    let outbox = Arc::new(Outbox::default());
    let id = house.boards.next_member();
    handle.join(id, member("eve", true, &outbox, Arc::new(AtomicBool::new(true)))).await.expect("a room");
    handle.sync(id, StateVector::default()).await.expect("a room");
    let doc = new_doc(9);
    let words = {
        let text = doc.get_or_insert_text("t");
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, "over an empty board");
        txn.encode_update_v1()
    };
    let update = Attributed::scan(words).expect("a sound update");
    handle.edit(id, Ack::Number(1), Box::new(update), true).await.expect("a room");
    assert_eq!(house.boards.open(&house.board).await.err(), Some(BoardError::Store(failing)));
    assert_eq!(house.faults.appends(), 0, "nothing was written");
    while let Some(Next::Frame(frame)) = outbox.next() {
        let Ok(ServerFrame::Message(_, message)) = ServerFrame::decode(&frame) else { panic!("no message") };
        assert!(matches!(message, ServerMessage::Stateless(_)), "{message:?}");
    }
    house.faults.heal();
    assert_eq!(house.guest("bob", 3).await.reads(), "here before");
}

#[tokio::test]
async fn d13_a_snapshot_that_does_not_fold_is_passed_over() {
    let house = House::new();
    let mut ann = house.guest("ann", 1).await;
    for word in ["a", "b", "c"] {
        ann.writes(word).await;
    }
    let house = house.reopened().await;
    // Its checksum holds, since this is what was stored.
    let snapshot = Snapshot { seq: 3, payload: bytes::Bytes::from_static(b"not a document") };
    house.store.save_snapshot(house.stream(), snapshot).await.expect("saved");
    assert_eq!(house.guest("bob", 2).await.reads(), "abc");
    assert_eq!(house.boards.inner.floors.of(&house.board.workshop).damaged(), []);
}

#[tokio::test]
async fn d13_a_quarantined_board_is_named_on_the_floor_until_it_is_sound() {
    let house = House::new();
    let floor = house.boards.inner.floors.of(&house.board.workshop);
    house.faults.damage(house.stream());
    assert!(house.boards.open(&house.board).await.is_err());
    assert_eq!(floor.damaged(), [house.board.kind]);
    let plan = BoardId::plan(&house.board.workshop);
    house.faults.damage(StreamId::board(&plan.to_string()));
    assert!(house.boards.open(&plan).await.is_err());
    assert_eq!(floor.damaged(), [house.board.kind, plan.kind]);
    house.faults.heal();
    house.boards.close().await;
    assert!(house.boards.open(&plan).await.is_ok());
    assert_eq!(floor.damaged(), [house.board.kind]);
}

/// Twenty thousand edits, as many people make on two hundred notes in a long café.
#[tokio::test]
async fn d19_a_board_of_20_000_updates_opens_in_a_small_part_of_the_time() {
    let house = House::new();
    let doc = new_doc(1);
    let text = doc.get_or_insert_text("t");
    let rows: Vec<_> = (0..20_000_u32)
        .map(|n| {
            let mut txn = doc.transact_mut();
            // Here and there, as people do: runs at one end would be one block.
            let at = n.wrapping_mul(2_654_435_761) % (text.len(&txn) + 1);
            text.insert(&mut txn, at, "字");
            NewRow { principal: "p".to_owned(), at: 1, payload: txn.encode_update_v1().into() }
        })
        .collect();
    for rows in rows.chunks(1_000) {
        house.store.append(house.stream(), None, rows.to_vec()).await.expect("stored");
    }
    let by_replay = Instant::now();
    let replayed = house.guest("ann", 2).await.reads();
    let by_replay = by_replay.elapsed();
    assert_eq!(replayed.chars().count(), 20_000);
    // Unloading takes the snapshot.
    let house = house.reopened().await;
    let mut by_snapshot = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        house.boards.open(&house.board).await.expect("a board");
        by_snapshot = by_snapshot.min(start.elapsed());
        house.boards.close().await;
    }
    assert_eq!(house.guest("bob", 3).await.reads(), replayed);
    println!("20,000 updates: {by_replay:?} by replay, {by_snapshot:?} from the snapshot");
    assert!(by_snapshot * 4 < by_replay, "{by_snapshot:?} against {by_replay:?}");
}

#[tokio::test]
async fn d3_a_board_is_the_fold_of_its_log_with_and_without_a_snapshot() {
    let mut house = House::new();
    let mut expected = String::new();
    // 120 rows make a snapshot when the board is unloaded, the next 30 do not.
    for (client, count) in [(1, 120), (2, 30)] {
        let mut ann = house.guest("ann", client).await;
        assert_eq!(ann.reads(), expected);
        for n in 0..count {
            ann.writes(&format!("{n} ")).await;
        }
        expected = ann.reads();
        house = house.reopened().await;
        assert_eq!(ann.ends().await, End { code: 1012, reason: "restart" });
    }
    let loaded = house.store.load(house.stream()).await.expect("rows");
    assert_eq!((loaded.snapshot.map(|snapshot| snapshot.seq), loaded.rows.len()), (Some(120), 30));
    assert_eq!(house.guest("bob", 3).await.reads(), expected);
}

#[tokio::test]
async fn b22_a_board_with_many_words_is_written_on_after_it_was_unloaded() {
    let mut house = House::new();
    let ann = &mut house.guest("ann", 1).await;
    let notes = ann.doc.get_or_insert_map("notes");
    // 6 MB, and enough rows for a snapshot.
    for n in 0..120 {
        let update = {
            let mut txn = ann.doc.transact_mut();
            notes.insert(&mut txn, format!("n{n}"), yrs::TextPrelim::new("字".repeat(17_000)));
            txn.encode_update_v1()
        };
        let n = ann.sends(update).await;
        assert_eq!(ann.hears().await, ServerMessage::DurableUpTo { n });
    }
    house = house.reopened().await;
    assert!(house.store.load(house.stream()).await.expect("rows").snapshot.is_some());
    let bob = &mut house.guest("bob", 2).await;
    bob.writes("one more").await;
    let notes = bob.doc.get_or_insert_map("notes");
    let erased = {
        let mut txn = bob.doc.transact_mut();
        notes.remove(&mut txn, "n7");
        txn.encode_update_v1()
    };
    let n = bob.sends(erased).await;
    assert_eq!(bob.hears().await, ServerMessage::DurableUpTo { n });
}

/// A board is unloaded when the last one has left, and somebody joins just then, a little earlier or later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_unloading_and_joining_at_the_same_time_lose_nothing() {
    let house = House::new();
    let mut expected = String::new();
    let (mut unloaded, mut again) = (0, 0);
    let mut last = house.guest("ann", 1).await;
    for n in 0..200_u64 {
        last.writes(&format!("{n} ")).await;
        expected.push_str(&format!("{n} "));
        last.handle.leave(last.id).await;
        let unload = async {
            for _ in 0..n % 5 {
                tokio::task::yield_now().await;
            }
            let (done, ended) = oneshot::channel();
            if last.handle.tx.send(Input::Stop(done)).await.is_ok() {
                let _ = ended.await;
            }
        };
        let joins = async {
            for _ in 0..n % 7 {
                tokio::task::yield_now().await;
            }
            house.keeps_joining("bob", n + 2).await
        };
        let ((), (mut next, mut times)) = tokio::join!(unload, joins);
        if next.handle.tx.is_closed() {
            // They were in, and the board ended under them.
            let (back, more) = house.keeps_joining("bob", n + 1_000).await;
            (next, times) = (back, times + more + 1);
        }
        unloaded += usize::from(!next.handle.tx.same_channel(&last.handle.tx));
        again += times;
        last = next;
        assert_eq!(last.reads(), expected, "after {n} times");
    }
    assert!(unloaded > 100 && again > 5, "{unloaded} times unloaded, {again} times in between");
}
