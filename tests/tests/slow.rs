//! Readers that read slowly, or not at all, and people of whom nothing is heard any more.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::guest::{Guest, PATIENCE};
use harness::proxy::Network;
use harness::raw::{Heard, Raw, string_at_root, update};
use harness::replica::Replica;
use harness::running::{board_of, is_alive, running};
use harness::server::Server;
use shared::board::view::NoteKind;
use shared::id::BoardKind;
use shared::limits;
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::workshop::Command;
use tokio::time::timeout;

/// Memory that a process may gain: caches and what the allocator keeps.
const SLACK_KIB: u64 = 48 * 1024;
/// Notes of full length that fill what the system keeps for a reader, and what we keep: 6 MB, of which the system takes about 4.
const NOTES: usize = 1_000;

/// Readers that stop reading, on real sockets whose buffers in the system fill up first: the process holds a bounded part of what they miss,
/// nobody else waits for them, and when they read again they have it all.
#[tokio::test(flavor = "multi_thread")]
async fn h23_b9_readers_that_stop_reading_hold_no_memory_and_end_in_step() -> Result<()> {
    const READERS: usize = 16;
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let (table, board) = (tables[0], board_of(&cafe, tables[0]));
    is_alive(&cafe, &guests[0], table, "从前").await?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut raw = Raw::signed(&server, &board, &cafe.created.facilitator_token).await?;
        raw.says(&board, ClientMessage::Step1 { state_vector: vec![0] }).await?;
        raw.next_that(|message| matches!(message, ServerMessage::Step2 { .. })).await?;
        readers.push(raw);
    }
    let before = server.memory()?;
    let words = "慢".repeat(limits::NOTE_CHARS);
    for _ in 0..NOTES {
        guests[0].write(table, NoteKind::Idea, &words, None)?;
    }
    guests[0].saved().await?;
    is_alive(&cafe, &guests[0], table, "以后").await?;
    let figures = server.figures().await?;
    let (waiting, resyncs) = (figures["tablehop_queue_bytes"], figures["tablehop_resyncs_total"]);
    assert!(waiting <= (READERS * limits::QUEUE_BYTES) as f64, "{waiting} bytes wait");
    assert!(resyncs >= READERS as f64, "only {resyncs} queues were dropped, so this shows nothing");
    let gained = server.peak()?.saturating_sub(before);
    assert!(gained < SLACK_KIB, "{gained} KiB more");

    let all = cafe.facilitator.table_board(table).context("the board")?.notes.len();
    for raw in &mut readers {
        let mut replica = Replica::new(9);
        loop {
            match raw.next().await? {
                // What was on its way; then what was dropped is sent again, as a whole.
                Heard::Message(ServerMessage::Update { update }) => replica.receive(&update)?,
                Heard::Message(ServerMessage::Step2 { update }) => {
                    replica.receive(&update)?;
                    // Where the system took it in time, this came twice, the first time in the middle.
                    if replica.table_board().notes.len() == all {
                        break;
                    }
                }
                Heard::Message(_) => {}
                Heard::End(code) => bail!("cut off with {code:?}"),
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h21_who_is_taken_out_while_reading_slowly_reads_nothing_that_comes_after() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let (table, board) = (tables[0], board_of(&cafe, tables[0]));
    let mut mates = guests.iter().zip(&tables).filter(|(_, at)| **at == table).map(|(guest, _)| guest);
    let (writer, reader) = (mates.next().context("a guest")?, mates.next().context("another")?);
    is_alive(&cafe, writer, table, "从前").await?;
    let mut raw = Raw::signed(&server, &board, &reader.token).await?;
    raw.says(&board, ClientMessage::Step1 { state_vector: vec![0] }).await?;
    raw.next_that(|message| matches!(message, ServerMessage::Step2 { .. })).await?;
    // As much as the system keeps for them, and a little more, which waits with us.
    let words = "慢".repeat(limits::NOTE_CHARS);
    let mut written = 0;
    while server.figures().await?["tablehop_queue_bytes"] < 64.0 * 1024.0 {
        for _ in 0..20 {
            writer.write(table, NoteKind::Idea, &words, None)?;
        }
        writer.saved().await?;
        written += 20;
        ensure!(written < 4 * NOTES, "it reads, so this shows nothing");
    }
    cafe.steer(Command::RemovePerson { participant: reader.id.clone() }).await?;
    is_alive(&cafe, writer, table, "只给在座的人").await?;
    let mut replica = Replica::new(9);
    loop {
        match raw.next().await? {
            Heard::Message(ServerMessage::Update { update } | ServerMessage::Step2 { update }) => {
                replica.receive(&update)?;
                let board = replica.table_board();
                assert!(board.notes.iter().all(|note| note.text != "只给在座的人"), "read after it was taken away");
            }
            Heard::Message(ServerMessage::Close { reason }) => {
                assert_eq!(reason, "removed");
                return Ok(());
            }
            Heard::Message(_) => {}
            Heard::End(code) => bail!("cut off with {code:?}"),
        }
    }
}

/// Some say nothing because they have nothing to say, and others because they are gone: the network carries what the server says and nothing
/// back, or nobody reads. Nothing is said of that but by silence.
#[tokio::test(flavor = "multi_thread")]
async fn h22_who_answers_no_ping_is_let_go_and_who_answers_stays() -> Result<()> {
    // Otherwise it takes 80 seconds.
    let server = Server::start_with(&[("TABLEHOP_PING_SECONDS", "1")]).await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let (table, board) = (tables[0], board_of(&cafe, tables[0]));
    let Address::Board(id) = &board else { bail!("a board") };
    // Our page answers a message; others' libraries answer pings, on either socket, as long as they are listened to.
    let (mut others, mut on_yjs) =
        (Raw::signed(&server, &board, &guests[0].token).await?, Raw::yjs(&server, id, &guests[0].token).await?);
    let mut deaf = Raw::signed(&server, &board, &guests[0].token).await?;
    let network = Network::before(&server).await?;
    let far =
        Guest::with_token(&network.api(), guests[0].workshop.clone(), guests[0].id.clone(), "远", &guests[0].token);
    far.connect().await?;
    far.open(BoardKind::Table(table)).await?;
    let connected = server.figures().await?["tablehop_connections"];

    network.swallow_words();
    let since = Instant::now();
    let goes = async {
        let told = far.until("the end of the connection", |guest| guest.closed()).await?;
        assert_eq!(told, (4408, "silent".to_owned()));
        ensure!(
            since.elapsed() > Duration::from_secs(2),
            "asked three times before, a second apart: {:?}",
            since.elapsed()
        );
        let all_gone = async {
            while server.figures().await?.get("tablehop_refusals_total{reason=\"silent\"}") != Some(&2.0) {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, all_gone).await.context("who does not read is let go")??;
        anyhow::Ok(())
    };
    let stay = async {
        // Twice as often as somebody silent is asked.
        for _ in 0..8 {
            others.is_pinged().await?;
            on_yjs.is_pinged().await?;
            // That they are told much is no sign that they are there.
            guests[0].write(table, NoteKind::Idea, "大家照样写", None)?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(goes, stay)?;
    // Who reads after all is told so, if their library does not first find out that nobody takes its answers to the pings.
    assert!(matches!(deaf.ends().await?, Some(4408) | None));
    let now = server.figures().await?;
    assert_eq!(
        (now["tablehop_connections"], now["tablehop_refusals_total{reason=\"silent\"}"]),
        (connected - 2.0, 2.0)
    );
    others.says(&board, ClientMessage::Update { update: update(4_242, 0, &[string_at_root("x")]) }).await?;
    assert!(others.status().await?, "who answers is listened to as before");
    for guest in guests.iter().chain([&cafe.facilitator]) {
        ensure!(guest.is_connected(), "{} had nothing to say, and was let go: {:?}", guest.name, guest.closed());
    }
    Ok(())
}
