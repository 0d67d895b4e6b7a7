use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use yrs::types::Attrs;
use yrs::types::text::TextPrelim;
use yrs::{
    Any, Array, ArrayPrelim, Doc, Map, MapPrelim, MapRef, Out, ReadTxn, StateVector, Text, TextRef, Transact,
    merge_updates_v1,
};

use super::super::lib0::Writer;
use super::*;
use crate::board::new_doc;
use crate::limits;

/// Updates that Yjs 13.6 wrote: `name hex`, one a line.
const YJS: &str = include_str!("yjs.txt");

fn yjs() -> Vec<(&'static str, Vec<u8>)> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex");
    YJS.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hex)| (name, hex.as_bytes().chunks(2).map(byte).collect()))
        .collect()
}

#[test]
fn what_yjs_writes_is_accepted() {
    let updates = yjs();
    assert!(updates.len() >= 40);
    for (name, update) in updates {
        check(&update).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

/// A document whose edits are recorded.
struct Recorded {
    doc: Doc,
    map: MapRef,
    text: TextRef,
    array: yrs::ArrayRef,
    updates: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Recorded {
    fn new(client: u64) -> Self {
        let doc = new_doc(client);
        let updates = Rc::new(RefCell::new(Vec::new()));
        let sink = updates.clone();
        doc.observe_update_v1("test", move |_, event| sink.borrow_mut().push(event.update.clone()))
            .expect("no transaction is open");
        let (map, text, array) =
            (doc.get_or_insert_map("map"), doc.get_or_insert_text("text"), doc.get_or_insert_array("array"));
        Self { doc, map, text, array, updates }
    }

    fn edit(&self, rng: &mut impl Pick) {
        let mut txn = self.doc.transact_mut();
        let key = format!("k{}", rng.below(5));
        let len = self.text.len(&txn);
        let at = rng.below(len + 1);
        match rng.below(12) {
            0 => {
                let note = MapPrelim::from([
                    ("text", yrs::In::from(TextPrelim::new("业主😀"))),
                    ("x", yrs::In::Any(Any::from(1.25))),
                ]);
                self.map.insert(&mut txn, key, note);
            }
            1 => {
                let value = match rng.below(8) {
                    0 => Any::Null,
                    1 => Any::Undefined,
                    2 => Any::from(rng.below(u32::MAX)),
                    3 => Any::from(-f64::from(rng.below(1000)) / 3.0),
                    4 => Any::from(i64::MAX),
                    5 => Any::from(vec![1u8, 2, 255]),
                    6 => Any::from_json(r#"{"a":[1,{"b":["二",null,true]}],"c":{}}"#).expect("JSON"),
                    _ => Any::from("value"),
                };
                self.map.insert(&mut txn, key, value);
            }
            2 => {
                self.map.remove(&mut txn, &key);
            }
            3 => {
                if let Some(Out::YMap(note)) = self.map.get(&txn, &key) {
                    if let Some(Out::YText(text)) = note.get(&txn, "text") {
                        text.insert(&mut txn, 0, "说👩‍🔧");
                    }
                    note.insert(&mut txn, "star:p1", true);
                }
            }
            4 if len > 2 => {
                let attrs =
                    Attrs::from([("bold".into(), Any::from(rng.below(2) == 0)), ("c".into(), Any::from("[[\"{"))]);
                let at = rng.below(len - 1);
                self.text.format(&mut txn, at, rng.below(len - at) + 1, attrs);
            }
            5 => {
                self.text.insert_embed(&mut txn, at, Any::from_json(r#"{"src":"a\"]b","n":[[1]]}"#).expect("JSON"));
            }
            6 | 7 if len > 0 => {
                let at = rng.below(len);
                self.text.remove_range(&mut txn, at, rng.below((len - at).min(4)) + 1);
            }
            8 => {
                self.array.push_back(&mut txn, ArrayPrelim::from([1, 2, 3]));
                self.array.insert_range(&mut txn, 0, ["a", "b"]);
            }
            9 if self.array.len(&txn) > 2 => {
                let at = rng.below(self.array.len(&txn) - 1);
                self.array.remove_range(&mut txn, at, 2);
            }
            _ => self.text.insert(&mut txn, at, ["a", "中", "😀", "\u{10400}x"][rng.below(4) as usize]),
        }
    }

    fn catch_up(&self, other: &Self) {
        let known = self.doc.transact().state_vector();
        let update = other.doc.transact().encode_state_as_update_v1(&known);
        let checked = check(&update).expect("a catch-up is accepted");
        self.doc.transact_mut().apply_update(checked.update).expect("a catch-up is applied");
    }
}

/// Picks.
trait Pick {
    fn below(&mut self, bound: u32) -> u32;
}

impl Pick for TestRng {
    fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }
}

fn rng(seed: u8) -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32])
}

#[test]
fn a_thousand_random_edits_are_accepted() {
    let mut rng = rng(1);
    let (a, b) = (Recorded::new(11), Recorded::new((1 << 53) - 1));
    let mut catch_ups = 0;
    for _ in 0..1_500 {
        let one = if rng.below(2) == 0 { &a } else { &b };
        one.edit(&mut rng);
        if rng.below(20) == 0 {
            a.catch_up(&b);
            b.catch_up(&a);
            catch_ups += 1;
        }
    }
    let updates = [a.updates.take(), b.updates.take()].concat();
    assert!(updates.len() >= 1_000 && catch_ups > 20, "{} edits", updates.len());
    for update in &updates {
        check(update).unwrap_or_else(|e| panic!("{e}: {update:02x?}"));
        let end = update.len() - 1;
        assert!(scan(&update[..end]).is_err(), "cut short: {update:02x?}");
    }
    // Merged with holes, so that there are Skips; and as whole states.
    for window in updates.windows(9).step_by(7) {
        let holes: Vec<_> = window.iter().step_by(2).collect();
        scan(&merge_updates_v1(holes).expect("updates")).expect("a merged update is accepted");
    }
    for doc in [&a.doc, &b.doc] {
        scan(&doc.transact().encode_state_as_update_v1(&StateVector::default())).expect("a whole state is accepted");
    }
}

/// An update of one client with these structs, and no deletions.
fn update(client: u64, clock: u64, structs: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(1).var_uint(structs.len() as u64).var_uint(client).var_uint(clock);
    for bytes in structs {
        bytes.iter().for_each(|&b| _ = writer.byte(b));
    }
    writer.byte(0);
    writer.into_bytes()
}

/// An item with this content in the root type `m`, under the key `k`.
fn item(content: u8, rest: &[u8]) -> Vec<u8> {
    [&[0x20 | content, 1, 1, b'm', 1, b'k'], rest].concat()
}

#[test]
fn counts_beyond_the_bytes_are_refused() {
    // The client-count bomb: eight bytes that make Yrs reserve half a gigabyte.
    assert_eq!(scan(&[0x80, 0x84, 0xaf, 0xdf, 0x01, 0, 0, 0]), Err(ScanError::Count));
    let mut large = Writer::new();
    large.var_uint(u64::MAX);
    assert_eq!(scan(&large.into_bytes()), Err(ScanError::Count));
    // Structs, values, entries, elements, deletions.
    assert_eq!(scan(&[1, 0xff, 0xff, 0x03, 1, 0, 0, 1, 0]), Err(ScanError::Count));
    for rest in [[0xff, 0xff, 0x03, 126], [1, 118, 0xff, 0x03], [1, 117, 0xff, 0x03]] {
        assert_eq!(scan(&update(1, 0, &[&item(8, &rest)])), Err(ScanError::Count), "{rest:?}");
    }
    assert_eq!(scan(&[0, 0xff, 0xff, 0x03, 1, 0]), Err(ScanError::Count));
    assert_eq!(scan(&[0, 1, 1, 0xff, 0xff, 0x03, 0]), Err(ScanError::Count));
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth: usize| [vec![1], [117, 1].repeat(depth - 1), vec![126]].concat();
    let any = |depth| update(1, 0, &[&item(8, &nested(depth))]);
    assert_eq!(scan(&any(limits::ANY_DEPTH)), Ok(()));
    assert_eq!(scan(&any(limits::ANY_DEPTH + 1)), Err(ScanError::Depth));
    // The bomb that overflows the stack of Yrs.
    assert_eq!(scan(&any(100_000)), Err(ScanError::Depth));
    let maps = [vec![1], [118, 1, 0].repeat(100_000), vec![126]].concat();
    assert_eq!(scan(&update(1, 0, &[&item(8, &maps)])), Err(ScanError::Depth));

    let json = |text: &str| {
        let mut content = Writer::new();
        content.var_string(text);
        update(1, 0, &[&item(5, &content.into_bytes())])
    };
    assert_eq!(scan(&json(&"[".repeat(100_000))), Err(ScanError::Depth));
    assert_eq!(scan(&json(&format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99)))), Ok(()));
}

/// Maps in maps, each created in the one before it.
fn tower(height: u32) -> Vec<u8> {
    tower_from(0, height)
}

/// Those from `first` on.
fn tower_from(first: u32, height: u32) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.var_uint(1).var_uint(u64::from(height)).var_uint(7).var_uint(u64::from(first));
    for clock in first..first + height {
        if clock == 0 {
            item(7, &[1]).into_iter().for_each(|b| _ = writer.byte(b));
        } else {
            writer.byte(0x27).var_uint(0).var_uint(7).var_uint(u64::from(clock - 1)).var_string("k").byte(1);
        }
    }
    writer.byte(0);
    writer.into_bytes()
}

#[test]
fn towers_of_types_are_refused() {
    let allowed = check(&tower(limits::TYPE_DEPTH + 1)).expect("a low tower");
    assert_eq!(allowed.inserted, [Range { client: 7, clock: 0, len: limits::TYPE_DEPTH + 1 }]);
    assert_eq!(scan(&tower(limits::TYPE_DEPTH + 2)), Err(ScanError::Depth));
    assert_eq!(scan(&tower(100_000)), Err(ScanError::Depth));
    // Many side by side are fine: each to the right of the one before.
    let beside: Vec<Vec<u8>> = (0..20_000u64)
        .map(|clock| {
            let mut writer = Writer::new();
            match clock {
                0 => return item(7, &[1]),
                _ => writer.byte(0x87).var_uint(7).var_uint(clock - 1).byte(1),
            };
            writer.into_bytes()
        })
        .collect();
    let structs: Vec<&[u8]> = beside.iter().map(Vec::as_slice).collect();
    assert_eq!(scan(&update(7, 0, &structs)), Ok(()));
}

#[test]
fn b21_what_is_put_into_a_type_that_is_not_brought_is_known() {
    let lazy = |bytes: &[u8]| check(bytes).expect("an update").lazy;
    let doc = Recorded::new(7);
    let note = || MapPrelim::from([("text", yrs::In::from(TextPrelim::new("业主")))]);
    doc.map.insert(&mut doc.doc.transact_mut(), "whole", note());
    doc.map.insert(&mut doc.doc.transact_mut(), "whole", note());
    let found = doc.map.get(&doc.doc.transact(), "whole");
    let Some(Out::YMap(note)) = found else { panic!("a note") };
    note.insert(&mut doc.doc.transact_mut(), "x", 1.5);
    note.insert(&mut doc.doc.transact_mut(), "late", TextPrelim::new("?"));
    let [first, over, value, late] = &doc.updates.take()[..] else { panic!("four edits") };
    assert!(!lazy(first) && !lazy(value));
    assert!(lazy(over) && lazy(late));
    let whole = doc.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let checked = check(&whole).expect("a state");
    assert!(!checked.lazy);
    assert_eq!(checked.types.len(), 3);
    let types = check(first).expect("an edit").types;
    assert_eq!(types.iter().map(|shared| shared.at_root).collect::<Vec<_>>(), [true, false]);
    // Also when it was found on the way to another one.
    assert!(!lazy(&tower(4)) && lazy(&tower_from(3, 4)));
}

#[test]
fn keys_and_values_are_bounded() {
    let keyed = |len: usize| {
        let mut content = Writer::new();
        content.byte(0x28).byte(1).var_string("m").var_string(&"k".repeat(len)).var_uint(1).byte(126);
        update(1, 0, &[&content.into_bytes()])
    };
    assert_eq!(scan(&keyed(limits::KEY_BYTES)), Ok(()));
    assert_eq!(scan(&keyed(limits::KEY_BYTES + 1)), Err(ScanError::TooLong("key")));
    let valued = |len: usize| {
        let mut content = Writer::new();
        content.var_uint(1).byte(119).var_string(&"v".repeat(len));
        update(1, 0, &[&item(8, &content.into_bytes())])
    };
    assert_eq!(scan(&valued(limits::VALUE_BYTES - 10)), Ok(()));
    assert_eq!(scan(&valued(limits::VALUE_BYTES)), Err(ScanError::TooLong("value")));
    // Shared text is bounded where it can be merged.
    let mut text = Writer::new();
    text.var_string(&"字".repeat(limits::VALUE_BYTES));
    assert_eq!(scan(&update(1, 0, &[&item(4, &text.into_bytes())])), Ok(()));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let gc: &[u8] = &[0, 1];
    assert_eq!(scan(&update((1 << 53) - 1, 0, &[gc])), Ok(()));
    assert_eq!(scan(&update(1 << 53, 0, &[gc])), Err(ScanError::Client));
    assert_eq!(scan(&update(1, (1 << 31) - 2, &[gc])), Ok(()));
    assert_eq!(scan(&update(1, (1 << 31) - 1, &[gc])), Err(ScanError::Clock));
    assert_eq!(scan(&update(1, 1 << 31, &[gc])), Err(ScanError::Clock));
    assert_eq!(scan(&update(1, 1 << 40, &[gc])), Err(ScanError::Clock));
    // A deletion whose end overflows.
    assert_eq!(scan(&[0, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 7, 1]), Err(ScanError::Clock));
    // An integer with more bits than there are.
    let integer = [vec![1, 125], vec![0xff; 12], vec![0]].concat();
    assert_eq!(scan(&update(1, 0, &[&item(8, &integer)])), Err(ReadError::Oversized.into()));
    assert_eq!(scan(&[0xff; 40]), Err(ScanError::Count));
}

#[test]
fn malformed_structs_are_refused() {
    let one = |bytes: &[u8]| scan(&update(1, 0, &[bytes]));
    assert_eq!(one(&[0, 0]), Err(ScanError::Range));
    assert_eq!(one(&[10, 0]), Err(ScanError::Range));
    assert_eq!(one(&item(4, &[2, 0xc3, 0x28])), Err(ReadError::Utf8.into()));
    assert_eq!(one(&[0x24, 1, 1, 0xff, 1, b'k', 1, b'x']), Err(ReadError::Utf8.into()));
    assert_eq!(one(&item(2, &[1, 1, b'1'])), Err(ScanError::Content(2)));
    assert_eq!(one(&item(9, &[1, b'g', 118, 0])), Err(ScanError::Content(9)));
    assert_eq!(one(&item(31, &[0, 0])), Err(ScanError::Content(31)));
    assert_eq!(one(&item(8, &[1, 90])), Err(ScanError::Content(90)));
    assert_eq!(one(&item(7, &[3, 1, b'p'])), Err(ScanError::Type(3)));
    // To the right of itself.
    assert_eq!(one(&[0x84, 1, 0, 1, b'x']), Err(ScanError::Clock));
    // A client without structs, or with nothing but an item without length, or twice.
    assert_eq!(scan(&[1, 0, 1, 0, 0, 0, 0, 0]), Err(ScanError::Section));
    assert_eq!(one(&item(4, &[0])), Err(ScanError::Section));
    assert_eq!(scan(&[2, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0]), Err(ScanError::Section));
    // Deletions of a client twice, or out of order.
    assert_eq!(scan(&[0, 2, 1, 1, 0, 1, 1, 1, 0, 1]), Err(ScanError::Section));
    assert_eq!(scan(&[0, 1, 1, 2, 5, 1, 0, 1]), Err(ScanError::Range));
    // Nothing deleted.
    assert_eq!(scan(&[0, 1, 1, 1, 0, 0]), Err(ScanError::Range));
    assert_eq!(scan(&[0, 0, 0]), Err(ScanError::Trailing));
    assert_eq!(scan(&[]), Err(ReadError::Truncated.into()));
    // Well-formed for the scan, but no JSON: Yrs says so.
    assert!(matches!(check(&update(1, 0, &[&item(5, &[1, b'x'])])), Err(ScanError::Refused(_))));
}

#[test]
fn the_authors_and_what_they_need_are_known() {
    let (a, b) = (Recorded::new(1), Recorded::new(2));
    a.text.insert(&mut a.doc.transact_mut(), 0, "业主服务");
    b.catch_up(&a);
    b.updates.take();
    b.text.insert(&mut b.doc.transact_mut(), 2, "😀");
    b.text.remove_range(&mut b.doc.transact_mut(), 0, 1);
    let updates = b.updates.take();

    let inserted = check(&updates[0]).expect("an edit");
    assert_eq!(inserted.inserted, [Range { client: 2, clock: 0, len: 2 }]);
    assert_eq!((inserted.deleted, inserted.needs), (vec![], vec![(1, 2)]));
    assert_eq!(authors(&updates[1]), Ok(vec![]));
    assert_eq!(deletions(&updates[1]), Ok(vec![Range { client: 1, clock: 0, len: 1 }]));

    // GC counts: its client wrote something there once.
    assert_eq!(authors(&update(9, 4, &[&[0, 3]])), Ok(vec![Range { client: 9, clock: 4, len: 3 }]));
    // Whether all that is there to be joined, by what is known of each client.
    let joins = |update: &[u8], known: [u32; 2]| {
        check(update).expect("an edit").joins(|client| known.get(client as usize - 1).copied().unwrap_or_default())
    };
    assert!(joins(&updates[0], [4, 0]) && joins(&updates[0], [4, 2]));
    assert!(!joins(&updates[0], [2, 0]), "its neighbour is unknown");
    assert!(joins(&updates[1], [4, 2]) && joins(&updates[1], [1, 2]));
    assert!(!joins(&updates[1], [0, 2]), "what it deletes is unknown");
    assert!(joins(&update(1, 4, &[&[0, 3]]), [4, 0]) && !joins(&update(1, 4, &[&[0, 3]]), [3, 0]));
    // A hole in the midst is fine only where it is known.
    let hole = update(1, 0, &[&[0, 2], &[10, 3], &[0, 1]]);
    assert!(!joins(&hole, [0, 0]) && !joins(&hole, [4, 0]) && joins(&hole, [5, 0]));

    // A whole state needs nothing, and lists both.
    let state = check(&b.doc.transact().encode_state_as_update_v1(&StateVector::default())).expect("a state");
    assert_eq!(state.inserted.iter().map(|r| (r.client, r.len)).collect::<Vec<_>>(), [(1, 4), (2, 2)]);
    assert_eq!(state.needs, []);
}

/// What passes the scan must not make Yrs panic, however it came about; and what joins an empty document must be applied wholly, with
/// nothing kept aside.
fn never_panics(bytes: &[u8]) -> bool {
    let Ok(checked) = check(bytes) else { return false };
    let joins = checked.joins(|_| 0);
    let doc = new_doc(3);
    let mut txn = doc.transact_mut();
    let applied = txn.apply_update(checked.update).is_ok();
    let aside = txn.store().pending_update().is_some() || txn.store().pending_ds().is_some();
    assert!(!(joins && applied && aside), "{bytes:02x?}");
    joins && applied
}

#[test]
fn random_bytes_and_mutated_updates_never_panic() {
    let mut runner = TestRunner::new_with_rng(Config::with_cases(3_000), rng(2));
    runner
        .run(&proptest::collection::vec(any::<u8>(), 0..80), |bytes| {
            never_panics(&bytes);
            never_panics(&update(1, 0, &[&bytes]));
            never_panics(&update(1, 0, &[&item(8, &bytes)]));
            Ok(())
        })
        .expect("no panic");

    let (mut rng, mut accepted) = (rng(3), 0);
    let updates = yjs();
    for _ in 0..20_000 {
        let (_, mut bytes) = updates[rng.below(updates.len() as u32) as usize].clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len() as u32) as usize;
            match rng.below(3) {
                0 => bytes[at] = rng.below(256) as u8,
                1 => bytes[at] ^= 1 << rng.below(8),
                _ if bytes.len() > 1 => _ = bytes.remove(at),
                _ => {}
            }
        }
        accepted += u32::from(never_panics(&bytes));
    }
    assert!(accepted > 100, "the mutations are too wild to show anything: {accepted}");
}

#[test]
fn b24_where_an_update_puts_its_items_is_known() {
    let doc = new_doc(7);
    let (text, map) = (doc.get_or_insert_text("text"), doc.get_or_insert_map("map"));
    let mut txn = doc.transact_mut();
    text.insert(&mut txn, 0, "ab");
    map.insert(&mut txn, "k", true);
    text.insert(&mut txn, 1, "c");
    let id = |clock| Id { client: 7, clock };
    let item = |clock| Placed { id: id(clock), len: 1, left: None, right: None, parent: None, key: None };
    let expected = [
        Placed { parent: Some(Parent::Root("text".into())), ..item(0) },
        Placed { left: Some(id(0)), ..item(1) },
        Placed { parent: Some(Parent::Root("map".into())), key: Some("k".into()), ..item(2) },
        Placed { left: Some(id(0)), right: Some(id(1)), ..item(3) },
    ];
    assert_eq!(check(&txn.encode_update_v1()).expect("sound").items, expected);
    // A whole document is read as it is, however long its keys and values have become.
    map.insert(&mut txn, "x".repeat(limits::KEY_BYTES + 1), true);
    let whole = txn.encode_state_as_update_v1(&StateVector::default());
    assert_eq!(check(&whole).map(|_| ()), Err(ScanError::TooLong("key")));
    assert_eq!(items(&whole).map(|items| items.len()), Ok(expected.len() + 1));
}
