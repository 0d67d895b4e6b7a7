//! What connections do to people: they end at the worst moment, half open, without an answer, in the middle of a word.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use harness::cafe::{Cafe, small};
use harness::guest::{Guest, PATIENCE};
use harness::proxy::Network;
use harness::server::Server;
use harness::wire::{Wire, user};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use serde_json::json;
use shared::board::doc::new_doc;
use shared::board::text::{self, Splice};
use shared::board::view::NoteKind;
use shared::board::{note, read};
use shared::id::{BoardId, BoardKind, NoteId, TableId};
use shared::limits;
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::workshop::Command;
use tokio_tungstenite::tungstenite::Message;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, StateVector, Text, Transact, Update};

/// The people of one table, and the table.
async fn tablemates(cafe: &Cafe, people: usize) -> Result<(Vec<Guest>, TableId)> {
    let guests = cafe.guests(people).await?;
    let tables = cafe.next_round(&guests).await?;
    let mates = guests.into_iter().zip(&tables).filter(|(_, table)| **table == tables[0]);
    Ok((mates.map(|(guest, _)| guest).collect(), tables[0]))
}

fn has(guest: &Guest, table: TableId, note: &NoteId, text: &str) -> Option<()> {
    guest.table_board(table)?.notes.iter().any(|n| n.id == *note && n.text == text).then_some(())
}

/// Types at the end of a note.
fn types(guest: &Guest, table: TableId, note: &NoteId, letters: &str) -> Result<()> {
    guest.edit(BoardKind::Table(table), |txn, replica| {
        if let (Some(at), Some(now)) = (note::text_of(txn, &replica.table, note), note::read(txn, &replica.table, note))
        {
            let end = now.text.encode_utf16().count() as u32;
            text::edit(txn, &at, &Splice { at: end, delete: 0, insert: letters.to_owned() });
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_the_last_one_leaves_while_another_joins() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    mates[1].disconnect();
    let mut written = Vec::new();
    for round in 0..100 {
        let (leaves, joins) = (&mates[round % 2], &mates[(round + 1) % 2]);
        leaves.until("the board", |g| g.with(BoardKind::Table(table), |r| r.is_live()).filter(|live| *live)).await?;
        let text = format!("走之前写的第 {round} 张");
        let note = leaves.write(table, NoteKind::Idea, &text, None)?;
        let leaving = async { leaves.disconnect() };
        let ((), joined) = tokio::join!(leaving, joins.connect());
        joined?;
        joins.until(&text, |g| has(g, table, &note, &text)).await?;
        written.push((note, text));
    }
    cafe.facilitator.open(BoardKind::Table(table)).await?;
    let board = cafe.facilitator.table_board(table).unwrap_or_default();
    assert_eq!(board.notes.len(), written.len());
    for (note, text) in &written {
        has(&cafe.facilitator, table, note, text).with_context(|| format!("{text} is missing"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_an_edit_right_before_the_end_is_stored_and_shown() -> Result<()> {
    let mut server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let (hasty, mate) = (&mates[0], &mates[1]);
    let mut written = Vec::new();
    for n in 0..50 {
        let text = format!("写完就走 {n}");
        let note = hasty.write(table, NoteKind::Pain, &text, None)?;
        // Sent, and the connection closed behind it, without waiting for any answer.
        hasty.disconnect();
        mate.until(&text, |g| has(g, table, &note, &text)).await?;
        written.push((note, text));
        hasty.connect().await?;
        hasty.saved().await?;
        hasty.until("the board", |g| g.with(BoardKind::Table(table), |r| r.is_live()).filter(|live| *live)).await?;
    }
    server.kill().await?;
    server.restart().await?;
    mate.forget(BoardKind::Table(table));
    mate.until("the lost connection", |g| (!g.is_connected()).then_some(())).await?;
    mate.connect().await?;
    mate.open(BoardKind::Table(table)).await?;
    for (note, text) in &written {
        has(mate, table, note, text).with_context(|| format!("{text} is not on the disk"))?;
    }
    Ok(())
}

/// Four people are moved thirty times each while they type, as soon as they have their board: they wait neither for a view nor for an answer to what
/// they typed. (A page goes on while its board is still coming; browser/moves.spec.ts shows that.)
#[tokio::test(flavor = "multi_thread")]
async fn c3_quick_changes_of_table_in_mid_typing_mix_nothing_up() -> Result<()> {
    const MOVES: u16 = 30;
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(3, 1, 60.0)).await?;
    let guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let boards = [1, 2, 3].map(TableId);
    for table in boards {
        cafe.facilitator.open(BoardKind::Table(table)).await?;
    }
    let walks = guests.iter().zip(&tables).enumerate().map(|(who, (guest, first))| {
        let cafe = &cafe;
        async move {
            let mut at = *first;
            let mut written = Vec::new();
            for n in 0..MOVES {
                // Before both have told each other what they have, an edit waits on the device, and this one is about to be lost.
                guest
                    .until("the board", |g| g.with(BoardKind::Table(at), |r| r.is_live()).filter(|live| *live))
                    .await?;
                guest.shows_up(BoardKind::Table(at))?;
                let note = guest.write(at, NoteKind::Idea, "写到", None)?;
                types(guest, at, &note, "一半")?;
                let to = TableId((at.0 + n % 2) % 3 + 1);
                cafe.steer(Command::MovePerson { participant: guest.id.clone(), table: to }).await?;
                types(guest, at, &note, &format!("被叫走 {who}-{n}"))?;
                written.push((at, note, format!("写到一半被叫走 {who}-{n}")));
                guest.forget(BoardKind::Table(at));
                guest.open(BoardKind::Table(to)).await?;
                at = to;
            }
            guest.shows_up(BoardKind::Table(at))?;
            anyhow::Ok((at, written))
        }
    });
    let walked = futures_util::future::try_join_all(walks).await?;
    let count: usize = walked.iter().map(|(_, written)| written.len()).sum();
    ensure!(count == 120, "the test moved people {count} times");
    let mut expected: BTreeMap<TableId, usize> = BTreeMap::new();
    for (at, note, text) in walked.iter().flat_map(|(_, written)| written) {
        cafe.facilitator.until(text, |f| has(f, *at, note, text)).await?;
        *expected.entry(*at).or_default() += 1;
    }
    ensure!(expected.len() == 3, "everybody stayed at {expected:?}");
    for table in boards {
        let board = cafe.facilitator.table_board(table).unwrap_or_default();
        assert_eq!(board.notes.len(), expected[&table], "table {table}");
        let mut there: Vec<String> =
            guests.iter().zip(&walked).filter(|(_, (at, _))| *at == table).map(|(g, _)| g.name.clone()).collect();
        there.sort();
        cafe.facilitator
            .until(&format!("{there:?} and no ghosts at table {table}"), |f| {
                let mut present = f.present(BoardKind::Table(table));
                present.sort();
                (present == there).then_some(())
            })
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_where_authors_are_hidden_presence_names_nobody() -> Result<()> {
    let server = Server::start().await?;
    let mut plan = small(2, 1, 60.0);
    plan.settings.get_or_insert_default().show_authors = false;
    let cafe = Cafe::open(&server, &plan).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    mates[0].shows_up(BoardKind::Table(table))?;
    let seen = mates[1]
        .until("somebody", |g| {
            g.with(BoardKind::Table(table), |r| r.present.values().next().map(|(_, state)| state["user"].clone()))?
        })
        .await?;
    assert_eq!(seen, json!({ "id": "", "name": "", "role": "participant" }));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_an_old_socket_that_is_half_open_takes_nothing_from_the_new_one() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let (person, mate) = (&mates[0], &mates[1]);
    let board = person.address(BoardKind::Table(table));
    person.disconnect();
    let client = 77;
    let mut watcher = Wire::open(&server.collab(), board.clone(), &mate.token).await?;
    let mut old = Wire::open(&server.collab(), board.clone(), &person.token).await?;
    old.presents(client, 1, user("x")).await?;
    watcher.hears("the old one", |m| matches!(m, ServerMessage::Awareness(_)).then_some(())).await?;
    let doc = new_doc(client);
    let notes = doc.get_or_insert_text("handover.open");
    let types = |words: &str| {
        let mut txn = doc.transact_mut();
        let end = notes.len(&txn);
        notes.insert(&mut txn, end, words);
        txn.encode_update_v1()
    };
    old.send(ClientMessage::Update { update: types("旧连接") }).await?;
    old.hears("the acknowledgement", |m| matches!(m, ServerMessage::SyncStatus(true)).then_some(())).await?;

    // The phone goes out of reach: nothing is closed. Back again, with the same document, it opens a new connection.
    let out_of_reach = old.goes_out_of_reach();
    let mut new = Wire::open(&server.collab(), board.clone(), &person.token).await?;
    new.presents(client, 2, user("x")).await?;
    new.send(ClientMessage::Update { update: types("，新连接") }).await?;
    new.hears("the acknowledgement", |m| matches!(m, ServerMessage::SyncStatus(true)).then_some(())).await?;
    let before = server.figures().await?["tablehop_connections"];
    // The old connection ends at last.
    drop(out_of_reach);
    loop {
        if server.figures().await?["tablehop_connections"] < before {
            break;
        }
        tokio::task::yield_now().await;
    }
    watcher.asks_who_is_here().await?;
    assert!(watcher.present.contains_key(&client), "the person is there: {:?}", watcher.present);
    new.send(ClientMessage::Update { update: types("，还在写") }).await?;
    new.hears("the acknowledgement", |m| matches!(m, ServerMessage::SyncStatus(true)).then_some(())).await?;
    cafe.facilitator.open(BoardKind::Table(table)).await?;
    assert_eq!(cafe.facilitator.table_board(table).map(|b| b.handover.open), Some("旧连接，新连接，还在写".to_owned()));
    let people = cafe.facilitator.sees("the person", |v| v.people_count == 4).await?;
    let shared::workshop::view::Part::Facilitator(part) = people.part else { anyhow::bail!("a facilitator's view") };
    assert!(part.people.iter().any(|p| p.person.id == person.id && p.person.online), "and online");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_an_edit_whose_acknowledgement_was_lost_counts_once() -> Result<()> {
    let server = Server::start().await?;
    let network = Network::before(&server).await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let (known, mate) = (&mates[0], &mates[1]);
    known.disconnect();
    let guest = Guest::with_token(&network.api(), known.workshop.clone(), known.id.clone(), &known.name, &known.token);
    guest.connect().await?;
    guest.open(BoardKind::Table(table)).await?;
    for n in 0..10 {
        guest.until("the board", |g| g.with(BoardKind::Table(table), |r| r.is_live()).filter(|live| *live)).await?;
        let stored = server.figures().await?.get("tablehop_edits_total").copied().unwrap_or_default();
        network.swallow_answers();
        let text = format!("答复丢了 {n}");
        let note = guest.write(table, NoteKind::Idea, &text, None)?;
        mate.until(&text, |g| has(g, table, &note, &text)).await?;
        assert_eq!(guest.with(BoardKind::Table(table), |r| r.is_saved()), Some(false), "nobody told them");
        network.cut();
        guest.until("the lost connection", |g| (!g.is_connected()).then_some(())).await?;
        guest.connect().await?;
        guest.saved().await?;
        let board = mate.table_board(table).unwrap_or_default();
        assert_eq!(board.notes.iter().filter(|n| n.text == text).count(), 1);
        assert_eq!(server.figures().await?["tablehop_edits_total"], stored + 1.0, "one row for one edit");
    }
    assert!(network.swallowed() > 0, "answers were lost");
    let made = guest.with(BoardKind::Table(table), |r| (r.made, r.acknowledged));
    assert_eq!(made, Some((10, 10)));
    Ok(())
}

/// Updates of two clients arrive out of order, twice, and among one another. What leaves a gap is refused and asked for; what is acknowledged is
/// there, before anybody has told the whole; in the end all have the same.
#[tokio::test(flavor = "multi_thread")]
async fn b1_reordered_and_duplicated_updates_end_equal() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let board = mates[0].address(BoardKind::Table(table));
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..12 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut sides = Vec::new();
        for (n, person) in mates.iter().take(2).enumerate() {
            let wire = Wire::open(&server.collab(), board.clone(), &person.token).await?;
            sides.push(Side::new((n as u64 + 1) * 1_000 + seed, wire, &mut rng));
        }
        while let Some(side) = {
            let left: Vec<usize> = (0..2).filter(|n| !sides[*n].left.is_empty()).collect();
            left.choose(&mut rng).copied()
        } {
            sides[side].sends_one(&mut rng).await.with_context(|| format!("seed {seed}"))?;
        }
        // Whatever was acknowledged is there already: it changes nothing any more.
        let mut wire = Wire::open(&server.collab(), board.clone(), &mates[0].token).await?;
        let so_far = whole(&mut wire).await?;
        let before = so_far.transact().snapshot();
        for update in sides.iter().flat_map(|side| &side.taken) {
            so_far.transact_mut().apply_update(Update::decode_v1(update)?)?;
        }
        assert!(before == so_far.transact().snapshot(), "seed {seed}: something that was acknowledged was not there");
        for side in &mut sides {
            side.tells_all().await.with_context(|| format!("seed {seed}"))?;
            refused += side.refused;
            taken += side.taken.len();
        }
        // Everybody gets the same from the server, whatever they have already, and however often.
        let fresh = whole(&mut wire).await?;
        let update = fresh.transact().encode_state_as_update_v1(&StateVector::default());
        for doc in sides.iter().map(|side| &side.doc).chain([&fresh, &fresh]) {
            doc.transact_mut().apply_update(Update::decode_v1(&update)?)?;
        }
        for Side { doc, .. } in &sides {
            assert_eq!(text_of(doc), text_of(&fresh), "seed {seed}");
            assert!(doc.transact().snapshot() == fresh.transact().snapshot(), "seed {seed}");
        }
        assert!(text_of(&fresh).len() > 100, "seed {seed}: {}", text_of(&fresh));
    }
    assert!(refused > 20 && taken > 200, "{refused} refused, {taken} taken");
    Ok(())
}

const EDITS: u64 = 20;

fn text_of(doc: &Doc) -> String {
    let text = doc.get_or_insert_text("handover.so_far");
    text.get_string(&doc.transact())
}

/// What the server has, as somebody gets it who has nothing.
async fn whole(wire: &mut Wire) -> Result<Doc> {
    wire.send(ClientMessage::Step1 { state_vector: vec![0] }).await?;
    let update = wire
        .hears("the whole board", |m| match m {
            ServerMessage::Step2 { update } => Some(update.clone()),
            _ => None,
        })
        .await?;
    let doc = new_doc(9);
    doc.transact_mut().apply_update(Update::decode_v1(&update)?)?;
    Ok(doc)
}

/// One of two who write, and send what they have written in any order.
struct Side {
    doc: Doc,
    wire: Wire,
    /// Updates to be sent, shuffled, some of them twice.
    left: Vec<Vec<u8>>,
    /// Updates that were acknowledged.
    taken: Vec<Vec<u8>>,
    refused: usize,
}

impl Side {
    fn new(client: u64, wire: Wire, rng: &mut StdRng) -> Self {
        let doc = new_doc(client);
        let text = doc.get_or_insert_text("handover.so_far");
        let mut left = Vec::new();
        for n in 0..EDITS {
            let mut txn = doc.transact_mut();
            let len = text.len(&txn);
            if len > 12 && rng.random_bool(0.25) {
                text.remove_range(&mut txn, rng.random_range(0..len - 4), 4);
            } else {
                let at = rng.random_range(0..=len);
                text.insert(&mut txn, at, &format!("<{client}-{n}>"));
            }
            left.push(txn.encode_update_v1());
        }
        for _ in 0..EDITS / 4 {
            left.push(left[rng.random_range(0..EDITS as usize)].clone());
        }
        left.shuffle(rng);
        Self { doc, wire, left, taken: Vec::new(), refused: 0 }
    }

    /// Sends the next one.
    async fn sends_one(&mut self, rng: &mut StdRng) -> Result<()> {
        let Some(update) = self.left.pop() else { return Ok(()) };
        self.wire.send(ClientMessage::Update { update: update.clone() }).await?;
        if self.wire.hears("a status", status).await? {
            self.taken.push(update);
            return Ok(());
        }
        self.refused += 1;
        // Asked for the rest, as other makers' clients answer: with all that the server lacks.
        let theirs = self
            .wire
            .hears("the question for the rest", |m| match m {
                ServerMessage::Step1 { state_vector } => Some(state_vector.clone()),
                _ => None,
            })
            .await?;
        if rng.random_bool(0.3) {
            let update = self.doc.transact().encode_diff_v1(&StateVector::decode_v1(&theirs)?);
            self.tells(update).await?;
        }
        Ok(())
    }

    /// The end of every synchronisation.
    async fn tells_all(&mut self) -> Result<()> {
        let update = self.doc.transact().encode_diff_v1(&StateVector::default());
        self.tells(update).await
    }

    async fn tells(&mut self, update: Vec<u8>) -> Result<()> {
        self.wire.send(ClientMessage::Step2 { update: update.clone() }).await?;
        ensure!(self.wire.hears("a status", status).await?, "it is taken");
        self.taken.push(update);
        Ok(())
    }
}

fn status(message: &ServerMessage) -> Option<bool> {
    match message {
        ServerMessage::SyncStatus(ok) => Some(*ok),
        _ => None,
    }
}

/// Two tabs of one person must never write under one client id, and ours never do. Should a client do it all the same, the words that
/// came first stand, and everybody but the two still sees one and the same board.
#[tokio::test(flavor = "multi_thread")]
async fn p2_one_client_id_in_two_tabs_harms_nobody_else() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let board = Address::Board(BoardId::table(&cafe.created.id, table));
    let docs = [new_doc(4_242), new_doc(4_242)];
    let mut tabs = [
        Wire::open(&server.collab(), board.clone(), &mates[0].token).await?,
        Wire::open(&server.collab(), board.clone(), &mates[0].token).await?,
    ];
    for n in 0..10 {
        for (tab, (doc, wire)) in docs.iter().zip(&mut tabs).enumerate() {
            let text = doc.get_or_insert_text("handover.build_here");
            let update = {
                let mut txn = doc.transact_mut();
                text.insert(&mut txn, 0, ["甲", "乙"][tab]);
                txn.encode_update_v1()
            };
            wire.send(ClientMessage::Update { update }).await?;
            wire.hears("a status", status).await.with_context(|| format!("tab {tab}, edit {n}"))?;
        }
    }
    let mate = &mates[1];
    let note = mate.write(table, NoteKind::Question, "我们还在写", None)?;
    mate.saved().await?;
    cafe.facilitator.open(BoardKind::Table(table)).await?;
    cafe.facilitator.until("the note", |f| has(f, table, &note, "我们还在写")).await?;
    let seen = cafe.facilitator.table_board(table).unwrap_or_default();
    assert_eq!(seen.handover.build_here, "甲".repeat(10), "the first words stand");
    mate.until("the same board", |g| (g.table_board(table).as_ref() == Some(&seen)).then_some(())).await?;
    // On the disk as well: a fresh device sees the same.
    let mut fresh = Wire::open(&server.collab(), board, &mate.token).await?;
    fresh.send(ClientMessage::Step1 { state_vector: vec![0] }).await?;
    let doc = new_doc(5);
    let whole = fresh.hears("the board", |m| match m {
        ServerMessage::Step2 { update } => Some(update.clone()),
        _ => None,
    });
    doc.transact_mut().apply_update(Update::decode_v1(&whole.await?)?)?;
    assert_eq!(read::table_board(&doc), seen);
    Ok(())
}

/// y-websocket 3.1 takes close codes from 4400 to 4499 for final. Whoever was merely too fast, or gone too long, may come back.
#[tokio::test(flavor = "multi_thread")]
async fn y3_who_was_too_fast_over_y_websocket_is_not_sent_away_for_good() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 60.0)).await?;
    let (mates, table) = tablemates(&cafe, 4).await?;
    let url = |token: &str| {
        let base = server.api.base.replacen("http", "ws", 1);
        format!("{base}/yjs/{}?token={token}", BoardId::table(&cafe.created.id, table))
    };
    let code = async |token: &str, frames: usize| {
        let (socket, _) = tokio_tungstenite::connect_async(url(token)).await?;
        let (mut sink, mut stream) = socket.split();
        let sends = async {
            for _ in 0..frames {
                // The question who is here. What is sent after the end is nobody's concern.
                if sink.send(Message::Binary(vec![3].into())).await.is_err() {
                    break;
                }
            }
        };
        let hears = async {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Close(frame) = message {
                    return frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                }
            }
            None
        };
        let ((), end) = tokio::time::timeout(PATIENCE, async { tokio::join!(sends, hears) }).await?;
        anyhow::Ok(end)
    };
    let too_many = limits::EDITS_BURST as usize * 2;
    assert_eq!(code(&mates[0].token, too_many).await?, Some((1013, "too_fast".to_owned())));
    assert_eq!(code("nonsense", 0).await?, Some((4401, "bad_token".to_owned())), "this one is final");
    Ok(())
}
