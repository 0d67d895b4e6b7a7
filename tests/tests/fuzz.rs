//! The targets of `fuzz/`, for a few seconds in every run of the tests: the corpus, everything that was ever found, and mutations under
//! a seed (`TABLEHOP_SEED`). How to run them for longer stands in docs/fuzzing.md.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::note::{self, NewNote};
use shared::board::text::{self, Splice};
use shared::board::{HarvestRoots, NewAction, PlanRoots, TableRoots, action, new_doc, theme};
use yrs::{Doc, ReadTxn, StateVector, Transact, TransactionMut};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// How long each target runs at most, whatever the machine; the counts below are reached long before on an idle one.
const PATIENCE: Duration = Duration::from_secs(20);

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a directory, in the order of their names; none if there is no such directory.
fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a readable file")).collect()
}

fn seed() -> u64 {
    std::env::var("TABLEHOP_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Runs a target on its corpus, on what was found, and on `count` mutations. Returns how many mutations meant something.
fn run(name: &str, target: fn(&[u8]) -> usize, more: Vec<Vec<u8>>, count: usize) -> usize {
    let seed = seed();
    println!("{name}: TABLEHOP_SEED={seed}");
    let mut corpus = files(&fuzz_dir().join("corpus").join(name));
    corpus.extend(more);
    assert!(corpus.len() >= 3, "{name} has no corpus");
    for input in &corpus {
        assert!(target(input) > 0, "an input of the corpus means nothing: {input:02x?}");
    }
    for found in files(&fuzz_dir().join("crashes").join(name)) {
        target(&found);
    }
    let (mut rng, started) = (StdRng::seed_from_u64(seed), Instant::now());
    let (mut meant, mut tried) = (0, 0);
    while tried < count && started.elapsed() < PATIENCE {
        let mut input = corpus[rng.random_range(0..corpus.len())].clone();
        for _ in 0..rng.random_range(1..4) {
            let other = rng.random_range(0..corpus.len());
            mutate(&mut input, &corpus[other], name == "guard", &mut rng);
        }
        let outcome = std::panic::catch_unwind(|| target(&input));
        tried += 1;
        meant += usize::from(outcome.unwrap_or_else(|_| panic!("{name}: seed {seed}, case {tried}: {input:02x?}")) > 0);
    }
    assert!(tried * 10 >= count, "only {tried} of {count} in {PATIENCE:?}");
    println!("{name}: {meant} of {tried} meant something");
    // As a share, so that a slow machine fails no one.
    meant * 1_000 / tried
}

fn mutate(input: &mut Vec<u8>, other: &[u8], of_updates: bool, rng: &mut StdRng) {
    if of_updates && rng.random_bool(0.4) {
        // On whole updates: left out, said twice, out of order, of somebody else.
        let mut updates: Vec<Vec<u8>> = targets::updates(input).into_iter().map(|(_, bytes)| bytes.to_vec()).collect();
        if updates.is_empty() {
            return;
        }
        let at = rng.random_range(0..updates.len());
        match rng.random_range(0..4) {
            0 => drop(updates.remove(at)),
            1 => updates.insert(at, updates[rng.random_range(0..updates.len())].clone()),
            2 => updates.swap(at, 0),
            _ => {
                let theirs = targets::updates(other);
                if let Some((_, bytes)) = theirs.get(at % theirs.len().max(1)) {
                    updates.insert(at, bytes.to_vec());
                }
            }
        }
        *input = targets::packed(updates.iter().map(Vec::as_slice));
        return;
    }
    if input.is_empty() {
        return input.push(rng.random());
    }
    let at = rng.random_range(0..input.len());
    match rng.random_range(0..6) {
        0 => input[at] = rng.random(),
        1 | 2 => input[at] ^= 1 << rng.random_range(0..8),
        3 => drop(input.remove(at)),
        4 => input.insert(at, [0, 1, 127, 128, 255][rng.random_range(0..5)]),
        _ => {
            let from = rng.random_range(0..other.len().max(1)).min(other.len());
            let to = (from + rng.random_range(0..24)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
    }
}

/// What our own pages write, as inputs: notes with their words, themes, actions; edits, and a whole state.
fn pages() -> Vec<Vec<u8>> {
    let edit = |doc: &Doc, change: &dyn Fn(&mut TransactionMut)| {
        let mut txn = doc.transact_mut();
        change(&mut txn);
        txn.encode_update_v1()
    };
    let doc = new_doc(77);
    let table = TableRoots::of(&doc);
    let new = |id: &str| NewNote {
        id: id.into(),
        kind: Default::default(),
        text: "报修后业主一直在等".into(),
        x: 1.5,
        y: 0.0,
        w: 220.0,
        color: 1,
        author: "p1".into(),
        author_name: "李雷".into(),
        round: Some(0),
        created_at: 1_700_000_000_000,
        builds_on: Some("4d-0".into()),
    };
    let mut updates = vec![
        edit(&doc, &|txn| note::create(txn, &table, new("4d-1"))),
        edit(&doc, &|txn| note::create(txn, &table, new("4d-2"))),
        edit(&doc, &|txn| {
            let words = note::text_of(txn, &table, &"4d-1".into()).expect("the note");
            text::edit(txn, &words, &Splice { at: 2, delete: 3, insert: "😀 OK".into() });
        }),
        edit(&doc, &|txn| note::set_star(txn, &table, &"4d-1".into(), &"p2".into(), true)),
        edit(&doc, &|txn| note::move_to(txn, &table, &"4d-2".into(), 5.0, 6.0)),
        edit(&doc, &|txn| note::set_deleted(txn, &table, &"4d-2".into(), true)),
        edit(&doc, &|txn| text::edit(txn, &table.so_far, &Splice { at: 0, delete: 0, insert: "已经有了".into() })),
    ];
    let whole = doc.transact().encode_state_as_update_v1(&StateVector::default());
    let other = new_doc(78);
    let (harvest_doc, plan_doc) = (HarvestRoots::of(&other), PlanRoots::of(&other));
    let planned = [
        edit(&other, &|txn| theme::create(txn, &harvest_doc, &"4e-1".into(), "上门之前", 1.0)),
        edit(&other, &|txn| action::create(txn, &plan_doc, NewAction { id: "4e-2".into(), ..Default::default() })),
    ];
    let all = targets::packed(updates.iter().map(Vec::as_slice));
    updates.push(whole.clone());
    vec![
        all,
        targets::packed(updates.iter().rev().map(Vec::as_slice)),
        targets::packed([whole.as_slice()]),
        targets::packed(planned.iter().map(Vec::as_slice)),
    ]
}

#[test]
fn h20_fuzzed_frames_are_read_or_refused() {
    let share = run("frame", targets::frame, Vec::new(), 60_000);
    assert!(share > 100, "{share} in a thousand meant something");
}

#[test]
fn h20_fuzzed_presence_is_read_or_refused() {
    let share = run("presence", targets::presence, Vec::new(), 40_000);
    assert!(share > 50, "{share} in a thousand meant something");
}

#[test]
fn h20_fuzzed_commands_are_decided_or_refused() {
    let share = run("command", targets::command, Vec::new(), 1_500);
    assert!(share > 50, "{share} in a thousand meant something");
}

#[test]
fn h20_b23_fuzzed_updates_leave_a_board_whole() {
    targets::quiet();
    let share = run("guard", targets::guard, pages(), 2_500);
    assert!(share > 200, "{share} in a thousand meant something");
}
