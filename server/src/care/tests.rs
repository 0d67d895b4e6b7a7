//! Bits flipped anywhere in a database file: whatever a flip does, it is found, or it changes nothing.

use std::fs;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::new_doc;
use yrs::{Text, Transact};

use super::check::check;
use super::fold::{self, Folded};
use super::*;
use crate::store::sqlite::SqliteStore;
use crate::store::{NewRow, Snapshot, Store, StreamId};

const FLIPS: usize = 300;

/// Two boards of many rows, one of them with snapshots, in a store that was closed.
async fn store_in(dir: &Path) -> Vec<StreamId> {
    let store = SqliteStore::open(dir).expect("a store");
    let boards = [StreamId::board("w.t1"), StreamId::board("w.t2")];
    for (client, board) in (1..).zip(&boards) {
        let doc = new_doc(client);
        let text = doc.get_or_insert_text("t");
        for count in 0..500 {
            let payload = {
                let mut txn = doc.transact_mut();
                text.push(&mut txn, "一些字");
                txn.encode_update_v1()
            };
            let row = NewRow { principal: format!("p{client}"), at: count, payload: payload.into() };
            store.append(board.clone(), None, vec![row]).await.expect("stored");
            if client == 1 && (count == 50 || count == 100) {
                let loaded = store.load(board.clone()).await.expect("loads");
                let replica = crate::board::Replica::load(&loaded).expect("folds");
                let snapshot = Snapshot { seq: count + 1, payload: replica.snapshot().expect("a snapshot").into() };
                store.save_snapshot(board.clone(), snapshot).await.expect("saved");
            }
        }
    }
    store.close().await;
    boards.to_vec()
}

fn folded(dir: &Path, stream: &StreamId) -> Result<Folded, String> {
    let archive = Archive::open(dir).map_err(|error| error.to_string())?;
    let loaded = archive.load(stream, u64::MAX).map_err(|error| error.to_string())?;
    fold::fold(stream, &loaded)
}

#[tokio::test]
async fn d5_d17_a_bit_flipped_anywhere_is_found_or_changes_nothing() {
    let seed = std::env::var("TABLEHOP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_301);
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().expect("a directory");
    let boards = store_in(dir.path()).await;
    let before: Vec<Folded> = boards.iter().map(|board| folded(dir.path(), board).expect("sound")).collect();
    let sound = check(&Archive::open(dir.path()).expect("opens")).expect("looks");
    assert!(sound.is_sound(), "{sound:?}");
    assert_eq!((sound.streams, sound.rows, sound.snapshots), (2, 1_000, 2));
    let file = dir.path().join("tablehop.db");
    let whole = fs::read(&file).expect("a file");

    let (mut found, mut harmless) = (0, 0);
    for _ in 0..FLIPS {
        let mut bytes = whole.clone();
        let (at, bit) = (random.random_range(0..bytes.len()), random.random_range(0..8));
        bytes[at] ^= 1 << bit;
        fs::write(&file, &bytes).expect("written");
        let report = Archive::open(dir.path()).and_then(|archive| check(&archive));
        if !report.as_ref().is_ok_and(Report::is_sound) {
            found += 1;
            continue;
        }
        harmless += 1;
        for (board, before) in boards.iter().zip(&before) {
            let now = folded(dir.path(), board);
            assert!(now.is_ok_and(|now| now.is_same_as(before)), "bit {bit} of byte {at} went unnoticed, seed {seed}");
        }
    }
    // Free space within pages makes up a part of the file, and flips there mean nothing.
    println!("{found} of {FLIPS} flips were found, {harmless} changed nothing");
    assert!(found > FLIPS / 4, "only {found} of {FLIPS} flips were found");
}
