use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::new_doc;
use yrs::updates::decoder::Decode;
use yrs::{Array, ArrayRef, Doc, ReadTxn, StateVector, Text, TextRef, Transact, Update};

use super::*;

/// A document, by what it holds.
#[derive(Default)]
struct Holds {
    clocks: HashMap<u64, u32>,
    gone: HashSet<Id>,
}

impl Surroundings for Holds {
    fn known(&self, client: u64) -> u32 {
        self.clocks.get(&client).copied().unwrap_or(0)
    }
    fn is_gone(&self, id: Id) -> bool {
        self.gone.contains(&id)
    }
    fn is_dead(&self, id: Id) -> bool {
        self.gone.contains(&id)
    }
}

const ROOT: Option<Id> = None;

fn id(client: u64, clock: u32) -> Option<Id> {
    Some(Id { client, clock })
}

fn item(client: u64, clock: u32, len: u32, left: Option<Id>, right: Option<Id>) -> Placed {
    let parent = left.or(right).is_none().then(|| Parent::Root("t".into()));
    Placed { id: Id { client, clock }, len, left, right, parent, key: None }
}

/// A board and its order.
#[derive(Default)]
struct Board {
    holds: Holds,
    order: Order,
}

impl Board {
    fn takes(&mut self, items: &[Placed]) -> Result<(), Refused> {
        self.order.place(items, &self.holds, u64::MAX)?;
        for item in items {
            let known = self.holds.clocks.entry(item.id.client).or_default();
            *known = item.end().max(*known);
        }
        Ok(())
    }

    /// The pieces of the one sequence, as client, first clock and length.
    fn reads(&self) -> Vec<(u64, u32, u32)> {
        let mut read = Vec::new();
        let mut next = self.order.sequences.first().and_then(|sequence| sequence.first);
        while let Some(piece) = next.map(|index| &self.order.pieces[index]) {
            read.push((piece.id.client, piece.id.clock, piece.len));
            next = piece.next;
        }
        read
    }
}

/// Client 5 wrote four letters at once.
fn four() -> Board {
    let mut board = Board::default();
    board.takes(&[item(5, 0, 4, ROOT, None)]).expect("the first");
    board
}

#[test]
fn b24_neighbours_stand_side_by_side() {
    let mut board = four();
    board.takes(&[item(7, 0, 2, id(5, 1), id(5, 2))]).expect("side by side");
    // Typed on, and the other one did not know of it.
    board.takes(&[item(7, 2, 1, id(7, 1), id(5, 2))]).expect("typed on");
    board.takes(&[item(6, 0, 1, id(5, 1), id(5, 2))]).expect("at the same time");
    assert_eq!(board.reads(), [(5, 0, 2), (6, 0, 1), (7, 0, 3), (5, 2, 2)]);
    board.takes(&[item(6, 1, 1, id(6, 0), id(7, 0)), item(7, 3, 1, None, id(5, 0))]).expect("as they stand now");
    assert_eq!(board.reads(), [(7, 3, 1), (5, 0, 2), (6, 0, 1), (6, 1, 1), (7, 0, 3), (5, 2, 2)]);
}

#[test]
fn b24_neighbours_that_are_crossed_or_apart_are_refused() {
    let refused = [
        ("crossed", item(7, 0, 1, id(5, 2), id(5, 1))),
        ("one", item(7, 0, 1, id(5, 1), id(5, 1))),
        ("apart, in what one client wrote", item(7, 0, 1, id(5, 0), id(5, 2))),
        ("the last before the first", item(7, 0, 1, id(5, 3), id(5, 0))),
        ("not at the beginning", item(7, 0, 1, None, id(5, 1))),
    ];
    for (why, item) in refused {
        assert_eq!(four().takes(&[item]), Err(Misplaced), "{why}");
    }
    // One's own stands between; then one that the right one was put beside.
    let mut board = four();
    board.takes(&[item(7, 0, 1, id(5, 1), id(5, 2))]).expect("side by side");
    assert_eq!(board.takes(&[item(7, 1, 1, id(5, 1), id(5, 2))]), Err(Misplaced));
    let mut board = four();
    board.takes(&[item(7, 0, 1, id(5, 1), id(5, 2)), item(8, 0, 1, id(7, 0), id(5, 2))]).expect("side by side");
    assert_eq!(board.takes(&[item(9, 0, 1, id(5, 1), id(8, 0))]), Err(Misplaced));
    // Clocks that follow on each other stand apart.
    let mut board = four();
    board.takes(&[item(7, 0, 1, id(5, 3), None), item(5, 4, 1, id(7, 0), None)]).expect("at the end");
    assert_eq!(board.takes(&[item(9, 0, 1, id(5, 3), id(5, 4))]), Err(Misplaced));
}

#[test]
fn b24_neighbours_in_the_same_update_and_in_other_sequences_are_looked_at_too() {
    let mut board = four();
    // Written down in the order of clients, each waiting for the next one.
    let sound =
        [item(9, 0, 1, id(8, 0), id(5, 2)), item(8, 0, 1, id(7, 0), id(5, 2)), item(7, 0, 1, id(5, 1), id(5, 2))];
    board.takes(&sound).expect("side by side");
    assert_eq!(four().takes(&[item(9, 0, 1, id(8, 1), id(8, 0)), item(8, 0, 2, id(5, 1), id(5, 2))]), Err(Misplaced));
    // A circle.
    assert_eq!(four().takes(&[item(9, 0, 1, id(8, 0), None), item(8, 0, 1, id(9, 0), None)]), Err(Misplaced));
    let elsewhere = Placed { parent: Some(Parent::Root("u".into())), ..item(7, 0, 1, None, None) };
    let key = Placed { key: Some("k".into()), ..item(8, 0, 1, None, None) };
    for left in [id(7, 0), id(8, 0)] {
        let between = item(9, 0, 1, left, id(5, 0));
        assert_eq!(four().takes(&[elsewhere.clone(), key.clone(), between]), Err(Misplaced));
    }
    assert_eq!(four().takes(&[key, item(9, 0, 1, None, id(8, 0))]), Err(Misplaced));
}

#[test]
fn what_is_known_in_part_goes_on_behind_itself() {
    let mut board = four();
    board.takes(&[item(7, 0, 2, id(5, 1), id(5, 2))]).expect("side by side");
    let more = item(7, 0, 5, id(5, 1), id(5, 2));
    board.takes(std::slice::from_ref(&more)).expect("typed on, and said as a whole");
    board.takes(&[more]).expect("known");
    assert_eq!(board.reads(), [(5, 0, 2), (7, 0, 5), (5, 2, 2)]);
    // In another text all of a sudden.
    let moved = Placed { parent: Some(Parent::Root("u".into())), ..item(5, 0, 6, None, None) };
    assert_eq!(board.takes(&[moved]), Err(Misplaced));
}

#[test]
fn who_writes_in_what_is_deleted_is_not_refused() {
    let note = Id { client: 3, clock: 0 };
    let within = |left, right| item(9, 0, 1, left, right);
    let mut board = Board::default();
    board.holds.clocks = [(3, 1), (5, 4)].into();
    board.holds.gone = (0..4).filter_map(|clock| id(5, clock)).chain([note]).collect();
    board.takes(&[within(id(5, 1), id(5, 2))]).expect("kept by nobody");
    // The left one came before the note was deleted, the right one when it was.
    let mut board = Board::default();
    board.holds.clocks = [(3, 1)].into();
    let first = Placed { parent: Some(Parent::In(note)), ..item(5, 0, 1, None, None) };
    board.takes(&[first]).expect("the first");
    board.holds.clocks.insert(6, 1);
    board.holds.gone = [note].into_iter().chain(id(6, 0)).collect();
    board.takes(&[within(id(5, 0), id(6, 0))]).expect("kept by nobody");
    let more = Placed { parent: Some(Parent::In(note)), ..item(5, 0, 2, None, None) };
    board.takes(&[more]).expect("kept by nobody");
    // The same in a note that is there.
    board.holds.gone = id(6, 0).into_iter().collect();
    assert_eq!(board.takes(&[item(8, 0, 1, id(5, 0), id(6, 0))]), Err(Misplaced));
}

struct Writer {
    doc: Doc,
    text: TextRef,
    array: ArrayRef,
}

/// What four people write, now and then hearing of each other: their updates in the order in which they were made.
fn written(rng: &mut StdRng) -> Vec<Vec<u8>> {
    let writers = [3, 5, 7, 200].map(|client| {
        let doc = new_doc(client);
        let (text, array) = (doc.get_or_insert_text("t"), doc.get_or_insert_array("a"));
        Writer { doc, text, array }
    });
    let mut updates = Vec::new();
    for _ in 0..80 {
        let [one, other] = [0, 0].map(|_| &writers[rng.random_range(0..writers.len())]);
        if rng.random_bool(0.3) && one.doc.client_id() != other.doc.client_id() {
            let news = other.doc.transact().encode_diff_v1(&one.doc.transact().state_vector());
            one.doc.transact_mut().apply_update(Update::decode_v1(&news).expect("an update")).expect("applies");
        }
        let mut txn = one.doc.transact_mut();
        let (text, array) = (one.text.len(&txn), one.array.len(&txn));
        match rng.random_range(0..10) {
            0..5 => one.text.insert(&mut txn, text / 2, "ab"),
            5 => one.text.insert(&mut txn, rng.random_range(0..=text), "cde"),
            6 if text > 3 => one.text.remove_range(&mut txn, rng.random_range(0..text - 2), 2),
            7 if text > 3 => {
                let bold = [("bold".into(), true.into())].into();
                one.text.format(&mut txn, rng.random_range(0..text - 2), 2, bold);
            }
            8 if array > 1 => one.array.remove(&mut txn, rng.random_range(0..array)),
            _ => _ = one.array.insert(&mut txn, rng.random_range(0..=array), "x"),
        }
        updates.push(txn.encode_update_v1());
    }
    updates
}

#[test]
fn b24_what_is_written_honestly_is_taken_and_stands_as_in_the_whole() {
    let mut rng = StdRng::seed_from_u64(24);
    for _ in 0..40 {
        let (mut board, doc) = (Board::default(), new_doc(1));
        for update in written(&mut rng) {
            let items = scan::check(&update).expect("a sound update").items;
            board.takes(&items).expect("an honest one");
            doc.transact_mut().apply_update(Update::decode_v1(&update).expect("an update")).expect("applies");
        }
        let whole = Order::of(&doc.transact().encode_state_as_update_v1(&StateVector::default())).expect("a document");
        for name in ["t", "a"] {
            assert_eq!(stand(&board.order, name), stand(&whole, name));
        }
    }
}

fn stand(order: &Order, root: &str) -> Vec<Id> {
    let mut ids = Vec::new();
    let sequence = order.parents.get(&Parent::Root(root.into())).copied();
    let mut next = sequence.and_then(|sequence| order.sequences[sequence].first);
    while let Some(piece) = next.map(|index| &order.pieces[index]) {
        ids.extend((piece.id.clock..piece.id.clock + piece.len).map(|clock| Id { clock, ..piece.id }));
        next = piece.next;
    }
    ids
}

/// Somebody who writes, takes back and does again, and is offline now and then.
struct Fickle {
    doc: Doc,
    text: TextRef,
    undo: yrs::undo::UndoManager<()>,
    unsent: std::sync::Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
}

impl Fickle {
    fn new(client: u64) -> Self {
        let doc = new_doc(client);
        let text = doc.get_or_insert_text("t");
        let mut undo = yrs::undo::UndoManager::with_options(yrs::undo::Options {
            capture_timeout_millis: 0,
            tracked_origins: HashSet::from(["own".into()]),
            capture_transaction: None,
            timestamp: std::sync::Arc::new(|| 0),
            init_undo_stack: Vec::new(),
            init_redo_stack: Vec::new(),
        });
        undo.expand_scope(&doc, &text);
        let unsent = std::sync::Arc::<std::sync::Mutex<Vec<Vec<u8>>>>::default();
        let made = unsent.clone();
        doc.observe_update_v1("made", move |txn, event| {
            if txn.origin() != Some(&"server".into()) {
                made.lock().expect("no panic").push(event.update.to_vec());
            }
        })
        .expect("a document");
        Self { doc, text, undo, unsent }
    }
}

#[test]
fn b24_what_is_undone_and_done_again_is_taken() {
    use crate::board::replica::Replica;
    use crate::socket::guard::Attributed;
    use crate::store::Loaded;

    let (mut undone, mut taken) = (0, 0);
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut replica = Replica::load(&Loaded::default()).expect("empty");
        let mut writers = [3, 5, 200].map(Fickle::new);
        for _ in 0..150 {
            let index = rng.random_range(0..writers.len());
            let one = &mut writers[index];
            match rng.random_range(0..10) {
                0..3 => {
                    let mut txn = one.doc.transact_mut_with("own");
                    let at = rng.random_range(0..=one.text.len(&txn));
                    one.text.insert(&mut txn, at, "abc");
                }
                3 | 4 => {
                    let mut txn = one.doc.transact_mut_with("own");
                    let length = one.text.len(&txn);
                    if length > 4 {
                        one.text.remove_range(&mut txn, rng.random_range(0..length - 3), 3);
                    }
                }
                5 | 6 => undone += u32::from(one.undo.undo_blocking()),
                7 => undone += u32::from(one.undo.redo_blocking()),
                8 => {
                    for update in one.unsent.lock().expect("no panic").drain(..) {
                        let update = Attributed::scan(update).expect("sound");
                        assert_eq!(replica.check(&update), Ok(()), "seed {seed}");
                        replica.apply(&update).expect("applies");
                        taken += 1;
                    }
                }
                _ => {
                    let news = replica.doc().transact().encode_diff_v1(&one.doc.transact().state_vector());
                    let news = Update::decode_v1(&news).expect("an update");
                    one.doc.transact_mut_with("server").apply_update(news).expect("applies");
                }
            }
        }
    }
    assert!(undone > 1_000 && taken > 2_000, "{undone} undone, {taken} taken");
}
