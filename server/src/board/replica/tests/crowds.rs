//! How far one has to go to find out where an item stands.

use shared::wire::lib0::Writer;

use super::*;

/// So many structs of a client from a clock on.
fn forged(client: u64, clock: u64, count: u64, each: impl Fn(u64) -> Vec<u8>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(1).var_uint(count).var_uint(client).var_uint(clock);
    (0..count).flat_map(each).for_each(|byte| _ = writer.byte(byte));
    writer.byte(0);
    writer.into_bytes()
}

/// A null under the key `k` of the root map `m`, as though there had been nothing.
fn value(_: u64) -> Vec<u8> {
    b"\x28\x01\x01m\x01k\x01\x7e".to_vec()
}

/// A letter at the origin of the root text `t`.
fn letter(_: u64) -> Vec<u8> {
    b"\x04\x01\x01t\x01x".to_vec()
}

/// As [`letter`], each behind the one before: what is typed, in as many items.
fn typed(n: u64) -> Vec<u8> {
    match n {
        0 => letter(0),
        n => {
            let mut writer = Writer::new();
            writer.byte(0x84).var_uint(9).var_uint(n - 1).var_string("x");
            writer.into_bytes()
        }
    }
}

#[test]
fn b25_values_that_all_replace_nothing_are_refused_before_yrs_walks_along_them() {
    let mut replica = empty();
    let hostile = forged(9, 0, 120_000, value);
    assert!((900_000..limits::FRAME_BYTES).contains(&hostile.len()));
    assert_eq!(take(&mut replica, &hostile, &[]), Err(Unfit::Crowded));
    assert!(replica.steps <= limits::BOARD_STEPS + 1_000_000, "{}", replica.steps);
    // Little by little it is no better, and each refusal costs little.
    let mut clock = 0;
    while take(&mut replica, &forged(9, clock, 10, value), &[]).is_ok() {
        clock += 10;
        assert!(clock < 20_000, "there is no end to it");
    }
    let before = replica.steps;
    for _ in 0..10 {
        assert_eq!(take(&mut replica, &forged(9, clock, 2_000, value), &[]), Err(Unfit::Crowded));
    }
    assert!(replica.steps < before + 10 * 3 * 20_000, "{}", replica.steps - before);
    // As many of another key are not in the way of anybody, nor is what people do.
    let (doc, text) = writer(7);
    take(&mut replica, &types(&doc, &text, "words"), &[]).expect("fits");
    let map = doc.get_or_insert_map("m");
    for n in 0..100 {
        let mut txn = doc.transact_mut();
        map.insert(&mut txn, "other", n);
        let update = txn.encode_update_v1();
        drop(txn);
        take(&mut replica, &update, &[]).expect("fits");
    }
    // One that stands where a document was loaded from has the same bound.
    let mut replica = reloaded(&replica);
    assert_eq!(take(&mut replica, &forged(9, clock, 100_000, value), &[]), Err(Unfit::Crowded));
}

#[test]
fn b25_letters_at_the_place_of_others_are_refused_before_yrs_walks_along_them() {
    let mut replica = empty();
    // No more than what somebody types.
    take(&mut replica, &forged(9, 0, 20_000, typed), &[]).expect("fits");
    assert_eq!((replica.steps, replica.order.is_some()), (0, false));
    let mut replica = empty();
    take(&mut replica, &forged(5, 0, 20_000, letter), &[]).expect("each before the one that came before it");
    assert_eq!(take(&mut replica, &forged(9, 0, 100_000, letter), &[]), Err(Unfit::Crowded));
    assert!(replica.steps <= limits::BOARD_STEPS + 100_000, "{}", replica.steps);
    let (doc, text) = writer(7);
    doc.transact_mut()
        .apply_update(Update::decode_v1(&replica.diff(&StateVector::default())).expect("sound"))
        .expect("applies");
    let written = {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, "before all of them");
        txn.encode_update_v1()
    };
    take(&mut replica, &written, &[]).expect("whoever knows them walks along none");
    // One that lies in holes is as many.
    let mut replica = empty();
    take(&mut replica, &forged(5, 0, 1, |_| [&b"\x04\x01\x01t\xc0\xb8\x02"[..], &[b'x'; 40_000]].concat()), &[])
        .expect("a paste");
    let mut erased = Writer::new();
    erased.var_uint(0).var_uint(1).var_uint(5).var_uint(20_000);
    (0..20_000).for_each(|n| _ = erased.var_uint(2 * n + 1).var_uint(1));
    take(&mut replica, &erased.into_bytes(), &[]).expect("every second letter");
    assert_eq!(take(&mut replica, &forged(9, 0, 2_000, letter), &[]), Err(Unfit::Crowded));
}

/// What somebody does on their own, in as many steps as in hours, and sends at once.
#[test]
fn b25_what_one_writes_offline_for_hours_is_taken() {
    let mut replica = empty();
    let (ann, bob) = (new_doc(5), new_doc(9));
    let catch_up = |replica: &Replica, doc: &Doc| {
        let news = replica.diff(&doc.transact().state_vector());
        doc.transact_mut().apply_update(Update::decode_v1(&news).expect("sound")).expect("applies");
    };
    let lacking = |replica: &Replica, doc: &Doc| {
        let vector = read_state_vector(&replica.state_vector()).expect("sound");
        doc.transact().encode_diff_v1(&vector)
    };
    // A note is there, and both know it.
    let note = [("x", yrs::In::from(1.0)), ("y", 1.0.into()), ("text", yrs::TextPrelim::new("note").into())];
    ann.get_or_insert_map("notes").insert(&mut ann.transact_mut(), "n", yrs::MapPrelim::from(note));
    let first = lacking(&replica, &ann);
    take(&mut replica, &first, &[]).expect("fits");
    catch_up(&replica, &bob);
    for (doc, writes) in [(&ann, "a"), (&bob, "b")] {
        let Some(Out::YMap(note)) = doc.get_or_insert_map("notes").get(&doc.transact(), "n") else { panic!("no note") };
        let Some(Out::YText(text)) = note.get(&doc.transact(), "text") else { panic!("no text") };
        let drafts = doc.get_or_insert_text("t");
        for n in 0..3_000 {
            let mut txn = doc.transact_mut();
            // Drags it about, appends, and writes at the beginning and in the middle.
            note.insert(&mut txn, "x", f64::from(n));
            note.insert(&mut txn, "y", f64::from(n));
            let end = drafts.len(&txn);
            drafts.insert(&mut txn, end, writes);
            if n % 3 == 0 {
                text.insert(&mut txn, 0, writes);
                drafts.insert(&mut txn, end / 2, "paste, ");
            }
        }
    }
    for doc in [&ann, &bob] {
        let update = lacking(&replica, doc);
        take(&mut replica, &update, &[]).expect("fits");
    }
    assert!(replica.steps < limits::BOARD_STEPS, "{}", replica.steps);
    let (alone, text) = writer(11);
    let mut replica = empty();
    for n in 0..3_000_u32 {
        let mut txn = alone.transact_mut();
        text.insert(&mut txn, 0, "x");
        text.insert(&mut txn, n.wrapping_mul(2_654_435_761) % n.max(1), "y");
        let update = txn.encode_update_v1();
        drop(txn);
        take(&mut replica, &update, &[]).expect("fits");
    }
    assert!(replica.order.is_some() && replica.steps == 0, "{}", replica.steps);
}
