//! Bits flipped anywhere in a database file: whatever a flip does, it is found, or it changes nothing.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::board::new_doc;
use yrs::{Text, Transact};

use super::check::check;
use super::fold::{self, Folded};
use super::*;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::registers::Registers;
use crate::store::{Loaded, NewRow, Snapshot, Store, StreamId, TokenRecord};

const FLIPS: usize = 300;

/// Two boards of many rows, one of them with snapshots, in a store that was closed.
async fn store_in(dir: &Path) -> Vec<StreamId> {
    store_of(500, dir).await
}

/// The same, with so many rows a board.
async fn store_of(rows: u64, dir: &Path) -> Vec<StreamId> {
    let store = SqliteStore::open(dir).expect("a store");
    let boards = write(&store, rows).await;
    store.close().await;
    boards
}

async fn write(store: &SqliteStore, rows: u64) -> Vec<StreamId> {
    let boards = [StreamId::board("w.t1"), StreamId::board("w.t2")];
    for (client, board) in (1..).zip(&boards) {
        let doc = new_doc(client);
        let text = doc.get_or_insert_text("t");
        for count in 0..rows {
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
    for guest in 0..20 {
        let participant = Some(format!("p{guest}"));
        let token = TokenRecord {
            workshop: "w".into(),
            role: "participant".into(),
            participant,
            created_at: 1,
            revoked_at: None,
        };
        store.put_token([guest; 32], token).await.expect("stored");
        let clients = (0..20).map(|client| u64::from(guest) * 1_000 + client).collect();
        store.bind_clients("w".into(), format!("p{guest}"), clients).await.expect("bound");
    }
    store.revoke_participant("w".into(), "p3".into(), 2).await.expect("revoked");
    assert!(store.reserve_join_code("ABCD2345".into(), "w".into()).await.expect("reserved"));
    boards.to_vec()
}

fn registers(dir: &Path) -> Registers {
    Archive::open(dir).and_then(|archive| archive.registers("w")).expect("can be read")
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
    assert_eq!((sound.streams, sound.rows, sound.snapshots, sound.registers.count), (2, 1_000, 2, 421));
    let beside = registers(dir.path());
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
        assert_eq!(registers(dir.path()), beside, "bit {bit} of byte {at} went unnoticed, seed {seed}");
        for (board, before) in boards.iter().zip(&before) {
            let now = folded(dir.path(), board);
            assert!(now.is_ok_and(|now| now.is_same_as(before)), "bit {bit} of byte {at} went unnoticed, seed {seed}");
        }
    }
    // Free space within pages makes up a part of the file, and flips there mean nothing.
    println!("{found} of {FLIPS} flips were found, {harmless} changed nothing");
    assert!(found > FLIPS / 4, "only {found} of {FLIPS} flips were found");
}

/// Pages are told apart by their first byte: leaves have a header of 8 bytes, inner ones of 12, and then the places of their cells.
const PAGE: usize = 4_096;

/// All bits that say where things are: the file's header, each page's, and the first places of its cells. And some of the others.
fn structure(file: &[u8], random: &mut StdRng) -> Vec<(usize, u8)> {
    let headers = (0..file.len() / PAGE).flat_map(|page| match page {
        0 => 16..140,
        _ => page * PAGE..page * PAGE + 20,
    });
    let all = headers.flat_map(|at| (0..8).map(move |bit| (at, bit)));
    // Inner pages hold little but places of other pages.
    let inner = (0..file.len() / PAGE).filter(|page| matches!(file[page * PAGE], 2 | 5)).flat_map(|page| {
        (page * PAGE + 12..(page + 1) * PAGE).filter(|at| file[*at] != 0).map(|at| (at, (at % 8) as u8))
    });
    let others: Vec<_> =
        (0..FLIPS * 4).map(|_| (random.random_range(0..file.len()), random.random_range(0..8))).collect();
    all.chain(inner).chain(others).collect()
}

/// What a server loads, and not only what `verify` finds: a board is never served short, or empty, or as another one, and one that nobody
/// has written is never taken for one that somebody has.
#[tokio::test]
async fn d5_what_is_loaded_after_any_flip_is_what_was_stored_or_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let streams = store_of(200, dir.path()).await;
    any_flip(dir.path(), streams).await;
}

/// The same of a store in which rows are not filed under their streams yet.
#[tokio::test]
async fn d5_nor_does_any_flip_hide_what_came_in_a_rush() {
    let rush = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open_in_a_rush(rush.path()).expect("a store");
    let streams = write(&store, 40).await;
    let dir = tempfile::tempdir().expect("a directory");
    Archive::open(rush.path()).and_then(|archive| archive.copy_to(&dir.path().join("copy"))).expect("copied");
    store.close().await;
    let dir = dir.path().join("copy");
    let db = rusqlite::Connection::open(dir.join("tablehop.db")).expect("opens");
    let entries: i64 = db.query_row("SELECT count(*) FROM journal", [], |row| row.get(0)).expect("counted");
    assert!(entries > 20, "{entries}");

    db.close().expect("closed");
    any_flip(&dir, streams).await;
}

async fn any_flip(dir: &Path, mut streams: Vec<StreamId>) {
    let mut random = StdRng::seed_from_u64(7);
    streams.push(StreamId::board("w.t3"));
    let load = |stream: &StreamId| Archive::open(dir).and_then(|archive| archive.load(stream, u64::MAX));
    let before: Vec<_> = streams.iter().map(|stream| load(stream).expect("sound")).collect();
    let same = |stream: &StreamId, now: &Loaded, before: &Loaded| {
        // Another snapshot, or none, is as good.
        let fold = |loaded| fold::fold(stream, loaded).expect("folds");
        now == before || (now.last_seq == before.last_seq && fold(now).is_same_as(&fold(before)))
    };
    let path = dir.join("tablehop.db");
    let whole = fs::read(&path).expect("a file");
    let file = fs::OpenOptions::new().write(true).open(&path).expect("a file");
    let put = |at: usize, byte: u8| file.write_all_at(&[byte], at as u64).expect("written");

    let flips = structure(&whole, &mut random);
    let (mut refused, mut loaded) = (0, 0);
    let mut wrong = Vec::new();
    for (at, bit) in &flips {
        put(*at, whole[*at] ^ (1 << bit));
        let archive = Archive::open(dir);
        for (stream, before) in streams.iter().zip(&before) {
            match archive.as_ref().map(|archive| archive.load(stream, u64::MAX)) {
                Ok(Ok(now)) if same(stream, &now, before) => loaded += 1,
                Ok(Ok(now)) => wrong.push(format!("bit {bit} of byte {at}: {stream} of {} rows", now.last_seq)),
                Ok(Err(_)) | Err(_) => refused += 1,
            }
        }
        put(*at, whole[*at]);
    }
    println!("{} flips: {refused} loads refused, {loaded} as before", flips.len());
    assert!(
        wrong.is_empty(),
        "{} loads of {} flips were wrong: {:#?}",
        wrong.len(),
        flips.len(),
        &wrong[..20.min(wrong.len())]
    );
    assert!(refused > flips.len() / 20, "only {refused} were refused");

    // And by the server's own way: opening changes the file, so there are fewer.
    for (at, bit) in flips.iter().step_by(flips.len() / 200) {
        let elsewhere = tempfile::tempdir().expect("a directory");
        let mut bytes = whole.clone();
        bytes[*at] ^= 1 << bit;
        fs::write(elsewhere.path().join("tablehop.db"), &bytes).expect("written");
        let Ok(store) = SqliteStore::open(elsewhere.path()) else { continue };
        for (stream, before) in streams.iter().zip(&before) {
            if let Ok(now) = store.load(stream.clone()).await {
                assert!(same(stream, &now, before), "bit {bit} of byte {at}: {stream} of {} rows", now.last_seq);
            }
        }
        store.close().await;
    }
}

/// Each value of each token, join code and client id, one at a time: what it stood for is refused, and named.
#[tokio::test]
async fn d5_d17_a_link_a_code_and_a_client_id_are_refused_when_they_are_damaged() {
    let dir = tempfile::tempdir().expect("a directory");
    store_in(dir.path()).await;
    let file = dir.path().join("tablehop.db");
    let whole = fs::read(&file).expect("a file");
    for (change, named) in [
        ("tokens SET role = 'facilitator' WHERE participant = 'p1'", "a token of café w"),
        ("tokens SET participant = 'p2' WHERE participant = 'p1'", "a token of café w"),
        ("tokens SET workshop = 'v' WHERE participant = 'p1'", "a token of café v"),
        ("tokens SET created_at = 9 WHERE participant = 'p1'", "a token of café w"),
        ("tokens SET revoked_at = NULL WHERE participant = 'p3'", "a token of café w"),
        ("join_codes SET workshop = 'v'", "a join code of café v"),
        ("clients SET principal = 'p2' WHERE client = 1000", "a client id of café w"),
        ("clients SET crc = NULL WHERE client = 1000", "a client id of café w"),
    ] {
        fs::write(&file, &whole).expect("written");
        let db = rusqlite::Connection::open(&file).expect("opens");
        assert_eq!(db.execute(&format!("UPDATE {change}"), []), Ok(1), "{change}");
        db.close().expect("closed");
        let report = check(&Archive::open(dir.path()).expect("opens")).expect("looks");
        assert_eq!(report.registers.faults, [format!("{named}: its checksum does not hold")], "{change}");
        assert!(!report.is_sound() && report.findings.is_empty());

        let store = SqliteStore::open(dir.path()).expect("a store");
        let refused = |what: &str| StoreError::Corrupt {
            stream: "tablehop.db".into(),
            what: format!("the checksum of {what} does not hold"),
        };
        let (ones, threes) = (store.token([1; 32]).await, store.token([3; 32]).await);
        match change.split_once(' ').expect("a table").0 {
            "tokens" => assert!([ones, threes].contains(&Err(refused("a token"))), "{change}"),
            "join_codes" => {
                let found = store.workshop_by_join_code("ABCD2345".into()).await;
                assert_eq!(found, Err(refused("a join code")));
            }
            _ => {
                assert_eq!(store.client_owner("w".into(), 1_000).await, Err(refused("a client id")));
                assert_eq!(store.clients_of("w".into(), "p1".into()).await.map(|ids| ids.len()), Ok(19));
                assert_eq!(store.clients_of("w".into(), "p2".into()).await.map(|ids| ids.len()), Ok(20));
            }
        }
        // Whoever is taken out is out on all devices, whatever has happened to the token of one.
        store.revoke_participant("w".into(), "p1".into(), 5).await.expect("revoked");
        store.close().await;
    }
}
