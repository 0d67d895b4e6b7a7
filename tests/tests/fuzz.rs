//! The targets of `fuzz/`, for a few seconds in every run of the tests: the corpus, everything that was ever found, and mutations under
//! a seed (`TABLEHOP_SEED`). How to run them for longer stands in docs/fuzzing.md.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::note::{self, NewNote};
use shared::board::text::{self, Splice};
use shared::board::{HarvestRoots, NewAction, PlanRoots, TableRoots, action, new_doc, theme};
use shared::wire::lib0::Writer;
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, TransactionMut, Update};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// How long each target runs at most, whatever the machine; the counts below are reached long before on an idle one.
const PATIENCE: Duration = Duration::from_secs(20);

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Targets of which something was ever found; it lies in `fuzz/crashes`.
const FOUND: [&str; 1] = ["guard"];

/// The files of a directory, in the order of their names.
fn files(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", dir.display());
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
    let crashes = fuzz_dir().join("crashes").join(name);
    assert_eq!(crashes.exists(), FOUND.contains(&name), "{}", crashes.display());
    let found = if crashes.exists() { files(&crashes) } else { Vec::new() };
    for found in &found {
        target(found);
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
        from: None,
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

/// One text on the server's board, and the clocks there that an item may name.
struct Shared {
    board: targets::Board,
    clocks: Vec<(u64, u32)>,
    rng: StdRng,
}

impl Shared {
    /// Between any two, in the text or at its ends, with deletions: as no honest client does, unless by chance.
    fn forge(&mut self) -> bool {
        const FORGERS: [u64; 3] = [2, 6, 300];
        let author = FORGERS[self.rng.random_range(0..FORGERS.len())];
        let mut clock = self.known(author);
        let (first, count) = (clock, self.rng.random_range(1..3));
        let mut writer = Writer::new();
        writer.var_uint(1).var_uint(count).var_uint(author).var_uint(u64::from(first));
        for _ in 0..count {
            let [left, right] = [0.8, 0.6].map(|share| self.any().filter(|_| self.rng.random_bool(share)));
            let flags = u8::from(left.is_some()) * 0x80 + u8::from(right.is_some()) * 0x40;
            if flags == 0 && self.rng.random_bool(0.3) {
                writer
                    .byte(0x28)
                    .byte(1)
                    .var_string("placements")
                    .var_string("1/4d-0")
                    .byte(1)
                    .byte(119)
                    .var_string("4e-1");
                clock += 1;
                continue;
            }
            writer.byte(4 | flags);
            for (client, clock) in [left, right].into_iter().flatten() {
                writer.var_uint(client).var_uint(u64::from(clock));
            }
            if flags == 0 {
                writer.byte(1).var_string("handover.so_far");
            }
            let words = &"abcdefghijklmnopqrstuvwxyz"[self.rng.random_range(0..20)..][..self.rng.random_range(1..5)];
            writer.var_string(words);
            clock += words.len() as u32;
        }
        match self.any().filter(|_| self.rng.random_bool(0.3)) {
            Some((client, at)) => writer.var_uint(1).var_uint(client).var_uint(1).var_uint(u64::from(at)).var_uint(1),
            None => writer.byte(0),
        };
        let taken = self.board.take(true, &writer.into_bytes());
        if taken {
            self.knows(author, clock);
        }
        taken
    }

    fn any(&mut self) -> Option<(u64, u32)> {
        let (client, clock) = *self.clocks.get(self.rng.random_range(0..self.clocks.len().max(1)))?;
        Some((client, self.rng.random_range(0..clock)))
    }

    fn known(&self, author: u64) -> u32 {
        self.clocks.iter().find(|(client, _)| *client == author).map_or(0, |(_, clock)| *clock)
    }

    fn knows(&mut self, author: u64, clock: u32) {
        self.clocks.retain(|(client, _)| *client != author);
        self.clocks.push((author, clock));
    }
}

#[test]
fn b24_honest_neighbours_are_taken_and_with_others_the_log_reads_as_the_board_did() {
    targets::quiet();
    let (seed, started) = (seed(), Instant::now());
    let (mut honest, mut forged, mut tried) = (0, 0, 0);
    while tried < 400 && started.elapsed() < PATIENCE {
        let rng = StdRng::seed_from_u64(seed * 1_000 + tried);
        let mut shared = Shared { board: targets::Board::default(), clocks: Vec::new(), rng };
        let writers = [3, 5, 7, 200].map(new_doc);
        let texts = writers.each_ref().map(|doc| TableRoots::of(doc).so_far);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..60 {
                let at = shared.rng.random_range(0..writers.len());
                let doc = &writers[at];
                if shared.rng.random_bool(0.3) {
                    // They hear of each other now and then.
                    let from = &writers[shared.rng.random_range(0..writers.len())];
                    if from.client_id() != doc.client_id() {
                        let news = from.transact().encode_diff_v1(&doc.transact().state_vector());
                        doc.transact_mut().apply_update(Update::decode_v1(&news).expect("an update")).expect("applies");
                    }
                }
                if shared.rng.random_bool(0.4) {
                    forged += u32::from(shared.forge());
                    continue;
                }
                let update = {
                    let mut txn = doc.transact_mut();
                    let len = texts[at].len(&txn);
                    // Most people write in the same few places.
                    let place = if shared.rng.random_bool(0.5) { len / 2 } else { shared.rng.random_range(0..=len) };
                    let delete = if shared.rng.random_bool(0.3) { (len - place).min(3) } else { 0 };
                    let insert = "letters"[..shared.rng.random_range(1..6)].into();
                    text::edit(&mut txn, &texts[at], &Splice { at: place, delete, insert });
                    txn.encode_update_v1()
                };
                assert!(shared.board.take(true, &update), "an honest edit was refused: {update:02x?}");
                honest += 1;
                let clock = doc.transact().state_vector().get(&doc.client_id());
                shared.knows(doc.client_id().get(), clock);
            }
            shared.board.ends();
        }));
        tried += 1;
        outcome.unwrap_or_else(|_| panic!("seed {seed}, board {tried}"));
    }
    println!("{honest} honest and {forged} forged updates on {tried} boards were taken");
    assert!(u64::from(forged) > tried, "only {forged} forged updates on {tried} boards were taken");
}
