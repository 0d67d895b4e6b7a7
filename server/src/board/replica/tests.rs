//! One board's document.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use yrs::types::ToJson;
use yrs::{GetString, ReadTxn};

use super::*;
use crate::store::{Row, Snapshot};

mod crowds;

fn writer(client: u64) -> (Doc, yrs::TextRef) {
    let doc = new_doc(client);
    let text = doc.get_or_insert_text("t");
    (doc, text)
}

fn types(doc: &Doc, text: &yrs::TextRef, words: &str) -> Vec<u8> {
    let mut txn = doc.transact_mut();
    let end = text.len(&txn);
    text.insert(&mut txn, end, words);
    txn.encode_update_v1()
}

/// The client whose types have the library panic while they are applied.
pub const BOMBER: u64 = 666_666;

pub fn is_bomb(brings: &[SharedType]) -> bool {
    brings.iter().any(|shared| shared.client == BOMBER)
}

fn empty() -> Replica {
    Replica::load(&Loaded::default()).expect("nothing to fail on")
}

fn take(replica: &mut Replica, update: &[u8], foreign: &[u64]) -> Result<Option<Vec<u8>>, Unfit> {
    let mut update = Attributed::scan(update.to_vec()).expect("a sound update");
    update.foreign = foreign.to_vec();
    replica.check(&update)?;
    Ok(replica.apply(&update).expect("applies"))
}

fn says(replica: &Replica) -> String {
    let text = replica.doc().get_or_insert_text("t");
    text.get_string(&replica.doc().transact())
}

#[test]
fn what_is_known_changes_nothing() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    let update = types(&doc, &text, "好");
    assert!(take(&mut replica, &update, &[]).is_ok_and(|delta| delta.is_some()));
    assert_eq!(take(&mut replica, &update, &[]), Ok(None));
    // Somebody else may repeat it, too.
    assert_eq!(take(&mut replica, &update, &[7]), Ok(None));
    assert!(replica.holds(&Attributed::scan(update).expect("sound")));
}

#[test]
fn the_delta_holds_only_what_is_new() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    take(&mut replica, &types(&doc, &text, "long ago "), &[]).expect("fits");
    types(&doc, &text, "now");
    let all = doc.transact().encode_state_as_update_v1(&StateVector::default());
    let delta = take(&mut replica, &all, &[]).expect("fits").expect("new");
    assert!(!delta.windows(4).any(|bytes| bytes == b"long"));
    assert_eq!(says(&replica), "long ago now");
}

#[test]
fn b7_b8_gaps_and_foreign_ids_are_refused_and_change_nothing() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    let first = types(&doc, &text, "a");
    let second = types(&doc, &text, "b");
    let third = {
        let mut txn = doc.transact_mut();
        text.remove_range(&mut txn, 1, 1);
        txn.encode_update_v1()
    };
    assert_eq!(take(&mut replica, &second, &[]), Err(Unfit::Gap));
    assert_eq!(take(&mut replica, &third, &[]), Err(Unfit::Gap));
    assert_eq!(take(&mut replica, &first, &[7]), Err(Unfit::Foreign));
    assert_eq!(says(&replica), "");
    // An edit that builds on another's words waits for these.
    let (other, other_text) = writer(8);
    other.transact_mut().apply_update(Update::decode_v1(&first).expect("sound")).expect("applies");
    let reply = types(&other, &other_text, "!");
    assert_eq!(take(&mut replica, &reply, &[]), Err(Unfit::Gap));
    for update in [first, reply, second, third] {
        take(&mut replica, &update, &[]).expect("in order it fits");
    }
    assert_eq!(says(&replica).len(), 2);
}

#[test]
fn a_replica_loads_from_snapshot_and_rows() {
    let (doc, text) = writer(7);
    let mut replica = empty();
    take(&mut replica, &types(&doc, &text, "from the snapshot, "), &[]).expect("fits");
    let snapshot = Snapshot { seq: 1, payload: replica.snapshot().expect("readable").into() };
    let row = Row { seq: 2, principal: "p".into(), at: 0, payload: types(&doc, &text, "from a row").into() };
    let loaded = Loaded { snapshot: Some(snapshot), rows: vec![row.clone()], last_seq: 2 };
    let replica = Replica::load(&loaded).expect("loads");
    assert_eq!((says(&replica).as_str(), replica.seq(), replica.unfolded()), ("from the snapshot, from a row", 2, 1));
    // Without what came before it, the row does not fit: the board is damaged, and must not look empty.
    let torn = Loaded { snapshot: None, rows: vec![row], last_seq: 2 };
    assert!(Replica::load(&torn).is_err());
}

#[test]
fn a_board_with_binary_values_has_a_snapshot_too() {
    // A map with the bytes 1, 2 and 3 under a key, as Yjs writes them.
    let binary = [1, 1, 7, 0, 0x23, 1, 1, b'm', 1, b'k', 3, 1, 2, 3, 0];
    let mut replica = empty();
    take(&mut replica, &binary, &[]).expect("fits");
    let payload = replica.snapshot().expect("a snapshot");
    assert!(!is_v2(&payload));
    let loaded = Loaded { snapshot: Some(Snapshot { seq: 1, payload: payload.into() }), rows: vec![], last_seq: 1 };
    let loaded = Replica::load(&loaded).expect("loads");
    assert!(loaded.is_same_as(&replica));
    assert_eq!(loaded.diff(&StateVector::default()), replica.diff(&StateVector::default()));
}

#[test]
fn b22_an_honest_board_is_far_from_what_it_may_weigh() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    for n in 0..2_000_u32 {
        let mut txn = doc.transact_mut();
        let at = n.wrapping_mul(2_654_435_761) % (text.len(&txn) + 1);
        text.insert(&mut txn, at, "字字");
        text.remove_range(&mut txn, at, 1);
        let update = txn.encode_update_v1();
        drop(txn);
        take(&mut replica, &update, &[]).expect("fits").expect("new");
    }
    let counted = Weight::of(&state_of(&doc));
    let weight = replica.weight.expect("it was asked for");
    // At most so much, counted anew it is less; and ten times as many edits are a long café.
    assert!(weight.memory() >= counted.memory());
    assert!(10 * counted.memory() < limits::BOARD_MEMORY / 4, "{counted:?}");
    assert!(10 * weight.memory() < limits::BOARD_MEMORY, "{weight:?}");
}

/// What many write at random, hearing of each other now and then: at any moment a snapshot of it is what its log makes.
#[test]
fn d3_a_snapshot_taken_while_people_write_is_the_fold_of_the_log() {
    let holds = |replica: &Replica| {
        let map = replica.doc().get_or_insert_map("m");
        (says(replica), map.to_json(&replica.doc().transact()))
    };
    for seed in 0..20 {
        let mut rng = StdRng::seed_from_u64(seed);
        let writers = [3, 5, 200].map(writer);
        let (mut replica, mut rows) = (empty(), Vec::new());
        for n in 0..150 {
            let (doc, text) = &writers[rng.random_range(0..writers.len())];
            let map = doc.get_or_insert_map("m");
            let mut txn = doc.transact_mut();
            let length = text.len(&txn);
            match rng.random_range(0..8) {
                0..3 => text.insert(&mut txn, rng.random_range(0..=length), "字x"),
                3 | 4 if length > 3 => text.remove_range(&mut txn, rng.random_range(0..length - 3), 3),
                5 => _ = map.insert(&mut txn, format!("k{}", n % 5), n),
                // Whole, and under a key that is new.
                6 => _ = map.insert(&mut txn, format!("n{n}"), yrs::MapPrelim::from([("in", n)])),
                7 => {
                    map.remove(&mut txn, &format!("k{}", n % 5));
                    map.remove(&mut txn, &format!("n{}", rng.random_range(0..=n)));
                }
                _ => {
                    let news = replica.doc().transact().encode_diff_v1(&txn.state_vector());
                    txn.apply_update(Update::decode_v1(&news).expect("sound")).expect("applies");
                }
            }
            let update = txn.encode_update_v1();
            drop(txn);
            if let Some(delta) = take(&mut replica, &update, &[]).expect("fits") {
                let seq = rows.len() as u64 + 1;
                rows.push(Row { seq, principal: "p".into(), at: 0, payload: delta.into() });
            }
            if n % 25 == 24 {
                let loaded = reloaded(&replica);
                let last_seq = rows.len() as u64;
                let folded = Replica::load(&Loaded { snapshot: None, rows: rows.clone(), last_seq }).expect("loads");
                assert!(loaded.is_same_as(&folded) && loaded.is_same_as(&replica), "seed {seed}");
                assert_eq!(holds(&loaded), holds(&folded), "seed {seed}");
                assert_eq!(holds(&loaded), holds(&replica), "seed {seed}");
            }
        }
    }
}

/// Twenty long values, of which the first is `first`.
fn values(doc: &Doc, first: usize) -> Vec<u8> {
    let map = doc.get_or_insert_map("m");
    let mut txn = doc.transact_mut();
    for n in first..first + 20 {
        map.insert(&mut txn, format!("k{n}"), "字".repeat(5_000));
    }
    txn.encode_update_v1()
}

/// Loaded from its snapshot alone.
fn reloaded(replica: &Replica) -> Replica {
    let payload = replica.snapshot().expect("a snapshot");
    assert!(is_v2(&payload));
    let loaded = Loaded { snapshot: Some(Snapshot { seq: 1, payload: payload.into() }), rows: vec![], last_seq: 1 };
    Replica::load(&loaded).expect("loads")
}

#[test]
fn b22_a_full_board_takes_what_it_knows_and_what_takes_away_and_then_words_again() {
    let (mut replica, doc) = (empty(), new_doc(7));
    let mut updates = Vec::new();
    let refused = loop {
        let update = values(&doc, 20 * updates.len());
        match take(&mut replica, &update, &[]) {
            Ok(_) => updates.push(update),
            Err(why) => break (why, update),
        }
    };
    assert_eq!(refused.0, Unfit::Full);
    let taken: usize = updates.iter().map(Vec::len).sum();
    assert!((limits::BOARD_BYTES - 400_000..=limits::BOARD_BYTES).contains(&taken), "{taken}");
    // So it is after it was loaded again, from whatever.
    for mut replica in [reloaded(&replica), replica] {
        assert_eq!(take(&mut replica, &refused.1, &[]), Err(Unfit::Full));
        assert_eq!(take(&mut replica, &updates[3], &[7]), Ok(None), "known");
        assert_eq!(take(&mut replica, &[0, 0], &[]), Ok(None), "nothing");
        let twin = new_doc(9);
        let all = Update::decode_v1(&replica.diff(&StateVector::default())).expect("a document");
        twin.transact_mut().apply_update(all).expect("applies");
        let map = twin.get_or_insert_map("m");
        let mut txn = twin.transact_mut();
        (0..200).for_each(|n| _ = map.remove(&mut txn, &format!("k{n}")));
        let erased = txn.encode_update_v1();
        drop(txn);
        assert!(take(&mut replica, &erased, &[]).is_ok_and(|delta| delta.is_some()), "taking away");
        // How much room that made is looked at now and then.
        let tries = (1..1_000).find(|_| take(&mut replica, &refused.1, &[]).is_ok());
        assert!(tries.is_some(), "it stays full for ever");
    }
}

#[test]
fn b22_a_board_that_is_full_of_memory_takes_what_takes_away() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    take(&mut replica, &types(&doc, &text, "words"), &[]).expect("fits");
    let fill = |replica: &mut Replica, nulls: usize| {
        for n in 0..100 {
            // Beside the document, so that what is refused is not missing later.
            let aside = new_doc(1_000 * nulls as u64 + n);
            let map = aside.get_or_insert_map("m");
            let mut txn = aside.transact_mut();
            map.insert(&mut txn, format!("{nulls} {n}"), vec![yrs::Any::Null; nulls]);
            if take(replica, &txn.encode_update_v1(), &[]).is_err() {
                return;
            }
        }
        panic!("it is never full");
    };
    [16_000, 1_000, 50, 1].into_iter().for_each(|nulls| fill(&mut replica, nulls));
    let more = types(&doc, &text, "!");
    assert_eq!(take(&mut replica, &more, &[]), Err(Unfit::Full));
    let erased = {
        let mut txn = doc.transact_mut();
        (0..2).for_each(|n| text.remove_range(&mut txn, 2 * n, 1));
        txn.encode_update_v1()
    };
    assert!(take(&mut replica, &erased, &[]).is_ok_and(|delta| delta.is_some()));
}

#[test]
fn b22_words_do_not_fill_a_board_by_being_loaded_again() {
    let (mut replica, doc) = (empty(), new_doc(7));
    for n in 0..20 {
        take(&mut replica, &values(&doc, 20 * n), &[]).expect("6 MB are not much");
    }
    let mut replica = reloaded(&replica);
    take(&mut replica, &values(&doc, 20 * 20), &[]).expect("there is as much room as before");
}

#[test]
fn w9_who_may_only_read_has_the_document_gone_through_once() {
    let mut replica = empty();
    let (doc, text) = writer(7);
    take(&mut replica, &types(&doc, &text, "words"), &[]).expect("fits");
    let words = Attributed::scan(types(&doc, &text, "more")).expect("sound");
    let erased = {
        let mut txn = doc.transact_mut();
        text.remove_range(&mut txn, 1, 2);
        Attributed::scan(txn.encode_update_v1()).expect("sound")
    };
    assert!(replica.holds(&Attributed::scan(vec![0, 0]).expect("sound")));
    assert!(!replica.holds(&words));
    assert!(replica.gone.is_none(), "neither deletes anything");
    assert!(!replica.holds(&erased));
    assert!(replica.gone.is_some());
    take(&mut replica, &words.bytes, &[]).expect("fits");
    take(&mut replica, &erased.bytes, &[]).expect("fits");
    assert!(replica.gone.is_none() && replica.holds(&erased) && replica.gone.is_some());
    // A part of it, and more than it.
    let deletes = |clock, len| Attributed::scan(vec![0, 1, 7, 1, clock, len]).expect("sound");
    assert!(replica.holds(&deletes(2, 1)) && !replica.holds(&deletes(2, 2)) && !replica.holds(&deletes(100, 1)));
}

#[test]
fn a_state_vector_that_claims_much_costs_nothing() {
    assert!(read_state_vector(&[255, 255, 255, 122]).is_err());
    assert!(read_state_vector(&[0]).is_ok_and(|vector| vector.is_empty()));
    let encoded = StateVector::from_iter([(ClientID::new(7), 3)]).encode_v1();
    assert!(read_state_vector(&encoded).is_ok_and(|vector| vector.get(&ClientID::new(7)) == 3));
}
