//! People and programs that mean harm, on the socket of a real process: it goes on, its memory stays flat, and those who mean well notice nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::cafe::{Cafe, small};
use harness::disk::stored;
use harness::guest::Guest;
use harness::raw::{Heard, Raw, auth, frame, map_at_root, map_in, string_after, string_at_root, update, yjs_sync};
use harness::running::{board_of, is_alive, running};
use harness::server::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use server::clock;
use shared::id::{BoardKind, TableId};
use shared::limits;
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::wire::{PresenceEntry, presence};
use shared::workshop::Command;

/// Memory that a process may gain by being attacked: caches and what the allocator keeps, far below what each attack asks for.
const SLACK_KIB: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn h20_no_bytes_stop_the_process_or_fill_its_memory() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let board = board_of(&cafe, tables[0]);
    is_alive(&cafe, &guests[0], tables[0], "从前").await?;
    let before = server.memory()?;
    let Address::Board(id) = &board else { anyhow::bail!("a board") };
    let edit = |update: Vec<u8>| frame(&board, ClientMessage::Update { update });
    let nested = |depth: usize| {
        let content = [vec![0x28, 1, 1, b'm', 1, b'k', 1], [117, 1].repeat(depth), vec![126]].concat();
        update(77, 0, &[content])
    };
    let sound = edit(update(77, 0, &[string_at_root("hello"), string_after(77, 4, "again")]));
    let mut rng = StdRng::seed_from_u64(20);
    let named: Vec<Vec<u8>> = vec![
        // Text that is not UTF-8: in the address, in a key, in words.
        [&[3, 0xc3, 0x28, 0x28][..], &[0, 0, 1, 0]].concat(),
        edit(update(77, 0, &[vec![0x24, 1, 1, 0xff, 1, b'k', 1, b'x']])),
        edit(update(77, 0, &[vec![4, 1, 1, b't', 2, 0xc3, 0x28]])),
        // Bombs: nesting that overflows a stack, a count that reserves half a gigabyte, lengths beyond the message.
        edit(nested(8_000)),
        edit(nested(300_000)),
        edit(vec![0x80, 0x84, 0xaf, 0xdf, 0x01, 0, 0, 0]),
        edit(vec![1, 1, 77, 0, 4, 1, 1, b't', 0xff, 0xff, 0xff, 0xff, 0x0f]),
        // Clocks at the end of what can be counted, and beyond.
        edit(update(77, i32::MAX as u32, &[string_at_root("x")])),
        edit(update(77, 1 << 31, &[string_at_root("x")])),
        edit(update(77, u32::MAX, &[string_at_root("x")])),
        // Half of a sync, and a state vector that claims much.
        frame(&board, ClientMessage::Step1 { state_vector: vec![0xff, 0xff, 0xff, 0x7a] }),
        vec![],
    ];
    for (n, bytes) in named.into_iter().enumerate() {
        let mut raw = Raw::signed(&server, &board, &guests[0].token).await?;
        raw.sends(bytes).await;
        assert_eq!(raw.ends().await?, Some(1002), "the {n}th");
        let grown = server.peak()?.saturating_sub(before);
        assert!(grown < SLACK_KIB, "{grown} KiB with the {n}th");
    }
    let mut bad: Vec<Vec<u8>> = Vec::new();
    for _ in 0..200 {
        let mut flipped = sound.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..flipped.len());
            flipped[at] ^= 1 << rng.random_range(0..8);
        }
        bad.push(flipped);
        bad.push((0..rng.random_range(1..200)).map(|_| rng.random()).collect());
    }
    let (mut ended, mut stayed) = (0, 0);
    for bytes in bad {
        let mut raw = Raw::signed(&server, &board, &guests[0].token).await?;
        raw.sends(bytes).await;
        // Whether it was taken, refused or passed over: what follows is answered, or the connection has ended.
        raw.sends(frame(&board, ClientMessage::QueryAwareness)).await;
        raw.sends(edit(vec![0, 0])).await;
        match raw.next_that(|message| matches!(message, ServerMessage::SyncStatus(_))).await? {
            Heard::End(code) => {
                assert!(matches!(code, None | Some(1002 | 1009 | 4403 | 4408)), "{code:?}");
                ended += 1;
            }
            Heard::Message(_) => stayed += 1,
        }
    }
    assert!(ended > 150 && stayed > 10, "{ended} ended, {stayed} stayed");
    // The other framing leads to the same place by another way.
    let sound = yjs_sync(2, &update(78, 0, &[string_at_root("hello"), string_after(78, 4, "again")]));
    let (mut ended, mut stayed) = (0, 0);
    for n in 0..200 {
        let mut bytes: Vec<u8> = sound.clone();
        if n % 2 == 0 {
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= 1 << rng.random_range(0..8);
            }
        } else {
            bytes = (0..rng.random_range(1..200)).map(|_| rng.random()).collect();
        }
        let mut raw = Raw::yjs(&server, id, &guests[0].token).await?;
        raw.sends(bytes).await;
        // Answered with a Step2 and a Step1, one after the other; whichever bytes came before, the second is empty but for the vector.
        raw.sends(yjs_sync(0, &[0])).await;
        match raw.next_bytes(|bytes| bytes.starts_with(&[0, 1])).await? {
            Err(code) => {
                assert!(matches!(code, None | Some(1002 | 1009 | 4403)), "{code:?}");
                ended += 1;
            }
            Ok(_) => stayed += 1,
        }
    }
    assert!(ended > 75 && stayed > 5, "on /yjs {ended} ended, {stayed} stayed");
    is_alive(&cafe, &guests[0], tables[0], "以后").await?;
    let grown = server.peak()?.saturating_sub(before);
    assert!(grown < SLACK_KIB, "{grown} KiB");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h20_nobody_writes_under_somebody_elses_id_or_jumps_ahead() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let mates: Vec<&Guest> = guests.iter().zip(&tables).filter(|(_, t)| **t == tables[0]).map(|(g, _)| g).collect();
    let (victim, thief) = (mates[0], mates[1]);
    is_alive(&cafe, victim, tables[0], "我的").await?;
    let board = board_of(&cafe, tables[0]);
    let client = victim.with(BoardKind::Table(tables[0]), |r| r.doc.client_id()).context("a board")?.get();
    // New structs, structs as though they had been deleted, and both after a jump, under the victim's id.
    for forged in [
        update(client, 1_000, &[string_at_root("x")]),
        update(client, 1_000, &[vec![0, 3]]),
        update(client, 0, &[vec![0, 127], string_at_root("x")]),
    ] {
        let mut raw = Raw::signed(&server, &board, &thief.token).await?;
        raw.says(&board, ClientMessage::Update { update: forged }).await?;
        assert!(!raw.status().await?, "somebody else's id");
    }
    // Under one's own id, too, the clock only goes on.
    let mut raw = Raw::signed(&server, &board, &thief.token).await?;
    for (clock, stored) in [(0, true), (5, false), (500_000_000, false), (1, true)] {
        raw.says(&board, ClientMessage::Update { update: update(4_242, clock, &[string_at_root("x")]) }).await?;
        assert_eq!(raw.status().await?, stored, "clock {clock}");
    }
    is_alive(&cafe, victim, tables[0], "还是我的").await
}

#[tokio::test(flavor = "multi_thread")]
async fn b20_what_depends_on_what_is_missing_is_never_kept_aside() -> Result<()> {
    const UPDATES: usize = 16_000;
    const PEOPLE: usize = 20;
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 4, PEOPLE).await?;
    is_alive(&cafe, &guests[0], tables[0], "从前").await?;
    let before = server.memory()?;
    // By several, for one person may not write so much; together far more than may be gained, were it kept.
    let words = "等".repeat(limits::NOTE_CHARS);
    let kept = words.len() * UPDATES * 2 / 3;
    assert!(kept as u64 / 1024 > SLACK_KIB, "{kept} bytes would not be noticed");
    let tasks = guests.iter().zip(&tables).zip(50_000..).map(async |((guest, table), client)| {
        let board = board_of(&cafe, *table);
        let mut raw = Raw::signed(&server, &board, &guest.token).await?;
        let mut refused = 0;
        for i in 0..(UPDATES / PEOPLE) as u32 {
            // A gap in its own clock, a neighbour that nobody has, or the deletion of something unknown.
            let lacking = match i % 3 {
                0 => update(client, 10 + 3 * i, &[string_at_root(&words)]),
                1 => update(client, 0, &[string_after(99_999_999, i, &words)]),
                _ => vec![0, 1, 77, 1, (i % 100) as u8, 1],
            };
            raw.says(&board, ClientMessage::Update { update: lacking }).await?;
            refused += usize::from(!raw.status().await?);
        }
        anyhow::Ok(refused)
    });
    let refused: usize = futures_util::future::try_join_all(tasks).await?.into_iter().sum();
    assert_eq!(refused, UPDATES);
    let grown = server.peak()?.saturating_sub(before);
    assert!(grown < SLACK_KIB / 3, "{grown} KiB");
    is_alive(&cafe, &guests[0], tables[0], "以后").await?;
    // Whoever comes now gets a document in which nothing waits.
    let late = Guest::with_token(&server.api, cafe.created.id.clone(), guests[0].id.clone(), "李", &guests[0].token);
    late.connect().await?;
    late.open(BoardKind::Table(tables[0])).await?;
    assert_eq!(late.table_board(tables[0]).map(|b| b.notes.len()), Some(2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b21_a_tower_cannot_be_built_floor_by_floor() -> Result<()> {
    const FLOORS: u32 = 3_000;
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let board = board_of(&cafe, tables[0]);
    let token = &guests[0].token;
    let edit = |update: Vec<u8>| ClientMessage::Update { update };
    let mut raw = Raw::signed(&server, &board, token).await?;
    raw.says(&board, edit(update(71, 0, &[map_at_root()]))).await?;
    assert!(raw.status().await?, "an element at a root");
    // A value in it is fine; a further type in it, or beside that value, is not.
    let value = [vec![0x28, 0, 71, 0, 1, b'v', 1], vec![126]].concat();
    raw.says(&board, edit(update(71, 1, &[value]))).await?;
    assert!(raw.status().await?, "a value in it");
    raw.says(&board, edit(update(71, 2, &[map_in(71, 0)]))).await?;
    assert_eq!(raw.ends().await?, Some(1002));
    let mut raw = Raw::signed(&server, &board, token).await?;
    raw.says(&board, edit(update(71, 2, &[vec![0x87, 71, 1, 1]]))).await?;
    assert_eq!(raw.ends().await?, Some(1002));
    // Whoever tries all the same, many floors in a row and then the whole tower taken away, brings nothing down.
    let mut raw = Raw::signed(&server, &board, token).await?;
    for floor in 2..FLOORS {
        raw.sends(frame(&board, edit(update(71, floor, &[map_in(71, floor.saturating_sub(1))])))).await;
    }
    raw.sends(frame(&board, edit(vec![0, 1, 71, 1, 0, 1]))).await;
    raw.ends().await?;
    // What can nest is what one update may bring, and it can be taken away.
    let floors: Vec<Vec<u8>> = std::iter::once(map_at_root()).chain((0..16).map(|n| map_in(72, n))).collect();
    let mut raw = Raw::signed(&server, &board, token).await?;
    raw.says(&board, edit(update(72, 0, &floors))).await?;
    assert!(raw.status().await?);
    raw.says(&board, edit(vec![0, 1, 72, 1, 0, 1])).await?;
    assert!(raw.status().await?);
    is_alive(&cafe, &guests[0], tables[0], "照常").await
}

#[tokio::test(flavor = "multi_thread")]
async fn h21_who_may_not_write_changes_nothing() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let (own, other) = (tables[0], if tables[0] == TableId(1) { TableId(2) } else { TableId(1) });
    let token = &guests[0].token;
    let edit = || ClientMessage::Update { update: update(4_242, 0, &[string_at_root("x")]) };
    // At a table where one does not sit; with a reviewer's link; at another café; without a token; on an address never opened.
    let refused = async |address: &Address, token: &str| {
        let mut raw = Raw::open(&server).await?;
        raw.says(address, auth(token)).await?;
        match raw.next().await? {
            Heard::Message(ServerMessage::Denied { reason }) => anyhow::Ok(reason),
            other => anyhow::bail!("{other:?}"),
        }
    };
    assert_eq!(refused(&board_of(&cafe, other), token).await?, "not_seated");
    let reviewer = cafe.created.review_url.rsplit('#').next().context("a token")?.to_owned();
    let review = refused(&board_of(&cafe, own), &reviewer).await;
    let elsewhere = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    assert_eq!(refused(&board_of(&elsewhere, TableId(1)), token).await?, "wrong_workshop");
    for bad in ["", "nonsense", &"x".repeat(200)] {
        assert_eq!(refused(&board_of(&cafe, own), bad).await?, "bad_token");
    }
    let mut raw = Raw::signed(&server, &board_of(&cafe, own), token).await?;
    raw.says(&board_of(&cafe, other), edit()).await?;
    raw.says(&board_of(&cafe, own), edit()).await?;
    assert!(raw.status().await?, "only what was sent to an open address is answered");
    cafe.facilitator.open(BoardKind::Table(other)).await?;
    assert_eq!(cafe.facilitator.table_board(other).map(|b| b.notes.len()), Some(0));
    assert_eq!(review?, "not_open", "a reviewer reads tables afterwards, if at all");

    // The right goes while somebody writes, and while what they wrote waits on their device.
    let (here, away) = (&guests[0], &guests[1]);
    let table = tables[1];
    away.disconnect();
    away.write(table, Default::default(), "离线写的", None)?;
    cafe.steer(Command::LockBoards { locked: true }).await?;
    let since = Instant::now();
    here.until("told", |g| g.with(BoardKind::Table(own), |r| r.read_only).filter(|ro| *ro)).await?;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    here.write(own, Default::default(), "锁了以后写的", None)?;
    away.connect().await?;
    away.until("told", |g| g.with(BoardKind::Table(table), |r| r.synced && r.read_only).filter(|ro| *ro)).await?;
    raw.says(&board_of(&cafe, own), ClientMessage::Update { update: update(4_242, 1, &[string_at_root("y")]) }).await?;
    assert!(!raw.status().await?, "a client that is not ours hears it with its next edit");
    for table in [own, table] {
        cafe.facilitator.open(BoardKind::Table(table)).await?;
        let notes = cafe.facilitator.table_board(table).context("a board")?.notes;
        assert!(notes.iter().all(|note| note.text != "离线写的" && note.text != "锁了以后写的"), "{notes:?}");
    }
    assert!(!away.with(BoardKind::Table(table), |r| r.is_saved()).context("a board")?, "nobody says it was saved");
    // Nothing was lost by it: when writing is allowed again, it arrives.
    cafe.steer(Command::LockBoards { locked: false }).await?;
    away.until("told", |g| g.with(BoardKind::Table(table), |r| !r.read_only).filter(|rw| *rw)).await?;
    away.disconnect();
    away.connect().await?;
    away.saved().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h21_who_is_taken_out_is_cut_off_within_a_second() -> Result<()> {
    let mut server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let board = board_of(&cafe, tables[0]);
    let Address::Board(id) = &board else { anyhow::bail!("a board") };
    let out = &guests[0];
    let mut raw = Raw::signed(&server, &board, &out.token).await?;
    let mut on_yjs = Raw::yjs(&server, id, &out.token).await?;
    // They write on both sockets, before and after, and never ask again whether they may.
    let until = AtomicU64::new(u64::MAX);
    let edit = |client: u64, clock: u32| update(client, clock, &[string_at_root("x")]);
    let writes = async {
        let (mut clock, mut late) = (0, 0);
        // As somebody types who types fast.
        let mut keys = tokio::time::interval(Duration::from_millis(30));
        while clock::now() < until.load(Ordering::Relaxed) {
            keys.tick().await;
            late += u32::from(clock::now().saturating_add(1_500) > until.load(Ordering::Relaxed));
            raw.sends(frame(&board, ClientMessage::Update { update: edit(4_242, clock) })).await;
            on_yjs.sends(yjs_sync(2, &edit(4_243, clock))).await;
            clock += 1;
        }
        late
    };
    let removed = async {
        // The board shows what they write.
        cafe.facilitator.open(BoardKind::Table(tables[0])).await?;
        let seen = |g: &Guest| g.with(BoardKind::Table(tables[0]), |r| r.received).filter(|received| *received > 10);
        cafe.facilitator.until("their edits", seen).await?;
        // From before the command is sent.
        let at = clock::now();
        cafe.steer(Command::RemovePerson { participant: out.id.clone() }).await?;
        anyhow::Ok(at)
    };
    let (sent_late, at) = tokio::join!(writes, async {
        let at = removed.await;
        until.store(at.as_ref().map_or(0, |at| at + 2_500), Ordering::Relaxed);
        at
    });
    let at = at?;
    let heard = raw.next_that(|message| matches!(message, ServerMessage::Close { .. })).await?;
    assert_eq!(heard, Heard::Message(ServerMessage::Close { reason: "removed".into() }));
    assert_eq!(on_yjs.next_bytes(|_| false).await?, Err(Some(4403)));
    // A token that was good is of no use any more.
    let mut raw = Raw::open(&server).await?;
    raw.says(&board, auth(&out.token)).await?;
    assert!(matches!(raw.next().await?, Heard::Message(ServerMessage::Denied { .. })));
    server.stop().await?;
    // Each row says when it was stored, and by whom.
    let rows = stored(server.data(), &cafe.created.id)?;
    let times: Vec<u64> = rows
        .iter()
        .filter(|row| row.starts_with("board/"))
        .map(|row| row.split(' ').collect::<Vec<_>>())
        .filter(|row| row[3] == out.id.as_str())
        .map(|row| row[2].parse())
        .collect::<Result<_, _>>()?;
    let late = times.iter().filter(|stored| **stored > at + 1_000).count();
    assert!(late == 0 && times.len() > 2, "{late} of {} rows were stored later than a second", times.len());
    assert!(sent_late > 10, "{sent_late} edits were sent after that second, so this shows nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_nobody_is_present_as_somebody_else() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let board = board_of(&cafe, tables[0]);
    let mut watcher = Raw::signed(&server, &board, &cafe.created.facilitator_token).await?;
    let mut liar = Raw::signed(&server, &board, &guests[0].token).await?;
    let claim = json!({ "user": { "id": "f1", "name": "主持人", "role": "facilitator" }, "typing": true });
    let entry = |client| PresenceEntry { client, clock: 9, state: Some(claim.clone()) };
    let victim = guests[1].with(BoardKind::Table(tables[1]), |r| r.doc.client_id()).context("a board")?.get();
    liar.says(&board, ClientMessage::Awareness(presence::encode(&[entry(victim), entry(61)]))).await?;
    let heard = watcher.next_that(|m| matches!(m, ServerMessage::Awareness(_))).await?;
    let Heard::Message(ServerMessage::Awareness(bytes)) = heard else { anyhow::bail!("{heard:?}") };
    let told = presence::decode(&bytes)?;
    assert_eq!(told.iter().map(|entry| entry.client).collect::<Vec<_>>(), [61], "not under another's id");
    let user = told[0].state.as_ref().context("a state")?["user"].clone();
    assert_eq!(user, json!({ "id": guests[0].id, "name": guests[0].name, "role": "participant" }));
    Ok(())
}
