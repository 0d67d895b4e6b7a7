//! Floods, giants and storms on the socket of a real process: they cost their senders' connections and bounded memory, and whoever means well
//! notices nothing.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures_util::future::{join_all, try_join_all};
use harness::cafe::{Cafe, small};
use harness::raw::{Heard, Raw, auth, frame, string_at_root, update, yjs_sync};
use harness::replica::Replica;
use harness::running::{board_of, is_alive, running};
use harness::server::Server;
use serde_json::json;
use shared::board::view::NoteKind;
use shared::id::TableId;
use shared::limits;
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::wire::{PresenceEntry, presence};
use shared::workshop::Phase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Memory that a process may gain by being attacked: caches and what the allocator keeps, far below what each attack asks for.
const SLACK_KIB: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn h23_floods_and_giants_cost_their_sender() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 4).await?;
    let board = board_of(&cafe, tables[0]);
    is_alive(&cafe, &guests[0], tables[0], "从前").await?;
    let before = server.memory()?;
    let signed = async || Raw::signed(&server, &board, &guests[0].token).await;
    // 2 MB in one frame; presence above its size; a text that nobody can have typed.
    let mut raw = signed().await?;
    raw.sends(frame(&board, ClientMessage::Update { update: vec![7; 2_000_000] })).await;
    assert_eq!(raw.ends().await?, Some(1009));
    let mut raw = signed().await?;
    raw.says(&board, ClientMessage::Awareness(vec![7; limits::PRESENCE_BYTES + 1])).await?;
    assert_eq!(raw.ends().await?, Some(1009));
    let mut raw = signed().await?;
    let giant = "字".repeat(limits::TEXT_KEPT as usize + 1);
    raw.says(&board, ClientMessage::Update { update: update(81, 0, &[string_at_root(&giant)]) }).await?;
    assert_eq!(raw.ends().await?, Some(1009));
    // Presence by the thousand is passed over: the connection goes on, and whoever is at the board hears little of it.
    let mut raw = signed().await?;
    let mut watcher = Reader::come(&server, &board, &cafe.created.facilitator_token).await?.raw;
    let begun = Instant::now();
    let caret = |clock| {
        let state = json!({ "caret": clock });
        ClientMessage::Awareness(presence::encode(&[PresenceEntry { client: 62, clock, state: Some(state) }]))
    };
    for clock in 0..3_000 {
        raw.says(&board, caret(clock)).await?;
    }
    raw.says(&board, ClientMessage::Update { update: update(61, 0, &[string_at_root("x")]) }).await?;
    assert!(raw.status().await?);
    let mut heard = 0;
    loop {
        match watcher.next().await? {
            Heard::Message(ServerMessage::Awareness(_)) => heard += 1,
            Heard::Message(ServerMessage::Update { .. }) => break,
            Heard::Message(_) => {}
            end => anyhow::bail!("{end:?}"),
        }
    }
    // And what little else is told of those who sit there.
    let most = u64::from(limits::PRESENCE_BURST)
        + u64::from(limits::PRESENCE_PER_SECOND) * begun.elapsed().as_secs().saturating_add(1)
        + 10;
    assert!(heard >= 10 && heard <= most, "{heard} carets of 3,000 were told, and {most} may be");
    // Questions after the whole document, edits, pings and tokens without end are not answered without end.
    let step1 = frame(&board, ClientMessage::Step1 { state_vector: vec![0] });
    let unopened = board_of(&cafe, TableId(99));
    let known = frame(&board, ClientMessage::Update { update: vec![0, 0] });
    for (flood, at_most) in [
        (step1, limits::SYNCS_BURST + 100),
        (known, limits::EDITS_BURST + 1_000),
        (vec![9], limits::EDITS_BURST + 1_000),
        (frame(&board, auth("nonsense")), limits::EDITS_BURST + 1_000),
        (frame(&board, caret(1)), 2 * limits::FRAMES_BURST),
        (vec![10], 2 * limits::FRAMES_BURST),
        (frame(&unopened, ClientMessage::Close), 2 * limits::FRAMES_BURST),
    ] {
        let mut raw = signed().await?;
        for _ in 0..at_most {
            raw.sends(flood.clone()).await;
        }
        assert!(matches!(raw.ends().await?, Some(4429) | None), "{flood:?}");
    }
    // Nor those that the WebSocket library answers.
    let mut raw = signed().await?;
    for _ in 0..limits::EDITS_BURST + 1_000 {
        raw.pings().await;
    }
    assert!(matches!(raw.ends().await?, Some(4429) | None), "pings");
    let mut raw = signed().await?;
    for _ in 0..limits::EDITS_BURST + 1_000 {
        raw.pongs().await;
    }
    assert!(matches!(raw.ends().await?, Some(4429) | None), "pongs");
    is_alive(&cafe, &guests[0], tables[0], "以后").await?;
    let grown = server.peak()?.saturating_sub(before);
    assert!(grown < SLACK_KIB, "{grown} KiB");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h23_coming_back_is_no_way_to_write_more() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 2).await?;
    let board = board_of(&cafe, tables[0]);
    // Of the largest size, and nothing new after the first time.
    let text = "字".repeat(limits::TEXT_KEPT as usize);
    let texts: Vec<Vec<u8>> = (0..8_u8)
        .map(|n| {
            let mut writer = shared::wire::lib0::Writer::new();
            writer.byte(4).byte(1).byte(1).byte(b'a' + n).var_string(&text);
            writer.into_bytes()
        })
        .collect();
    let giant = update(78, 0, &texts);
    let times = limits::EDIT_BYTES_BURST as usize / giant.len();
    let mut raw = Raw::signed(&server, &board, &guests[0].token).await?;
    for _ in 0..times {
        raw.says(&board, ClientMessage::Update { update: giant.clone() }).await?;
        assert!(raw.status().await?);
    }
    drop(raw);
    let mut again = Raw::signed(&server, &board, &guests[0].token).await?;
    for _ in 0..times {
        // The server may be gone by then.
        let _ = again.says(&board, ClientMessage::Update { update: giant.clone() }).await;
    }
    // The close may be lost with what was not read before it.
    assert!(matches!(again.ends().await?, Some(4429) | None));
    // Somebody else has their own.
    is_alive(&cafe, &guests[1], tables[1], "安静").await
}

/// With which code a connection ends on which that is sent. Where the machine is so busy that the server gives up waiting for the other side
/// to read it, the end is a reset and takes the code back; then it is seen once more.
async fn end_after(server: &Server, frames: &[Vec<u8>]) -> Result<Option<u16>> {
    for _ in 0..5 {
        let mut raw = Raw::open(server).await?;
        for frame in frames {
            raw.sends(frame.clone()).await;
        }
        let end = raw.ends().await?;
        if end.is_some() {
            return Ok(end);
        }
    }
    Ok(None)
}

#[tokio::test(flavor = "multi_thread")]
async fn h23_little_is_held_before_a_token_is_good() -> Result<()> {
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let board = board_of(&cafe, TableId(1));
    // One frame that is larger, and one that never ends, and many small ones.
    for frames in [
        vec![vec![0; limits::STRANGER_BYTES]],
        vec![frame(&board, ClientMessage::Update { update: vec![0; limits::FRAME_BYTES / 2] })],
        vec![frame(&board, auth(&"x".repeat(limits::TOKEN_BYTES))); 40],
    ] {
        assert_eq!(end_after(&server, &frames).await?, Some(4408), "many bytes");
    }
    let pongs = vec![vec![10]; limits::STRANGER_FRAMES as usize + 1];
    assert_eq!(end_after(&server, &pongs).await?, Some(4408), "many frames");
    let tables = (1..=limits::BOARDS_PER_CONNECTION as u16 + 2).map(TableId);
    let addresses: Vec<_> = tables.map(|table| frame(&board_of(&cafe, table), ClientMessage::QueryAwareness)).collect();
    assert!(matches!(end_after(&server, &addresses).await?, Some(4429) | None), "many addresses");
    let tokens = vec![frame(&board, auth("nonsense")); 3 * limits::BOARDS_PER_CONNECTION];
    assert_eq!(end_after(&server, &tokens).await?, Some(4408), "many tokens");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h23_whoever_is_known_may_send_much_in_the_same_breath() -> Result<()> {
    let server = Server::start().await?;
    let (cafe, guests, tables) = running(&server, 2, 2).await?;
    let board = board_of(&cafe, tables[0]);
    let Address::Board(id) = &board else { anyhow::bail!("a board") };
    let words = "字".repeat(limits::TEXT_KEPT as usize);
    // Texts of the largest size, each client its own.
    let large = |client: u64, names: &[u8]| {
        let texts = names.iter().map(|name| {
            let mut writer = shared::wire::lib0::Writer::new();
            writer.byte(4).byte(1).byte(1).byte(*name).var_string(&words);
            writer.into_bytes()
        });
        update(client, 0, &texts.collect::<Vec<_>>())
    };
    let (first, second) = (large(91, b"abcdef"), large(92, b"ghijkl"));
    ensure!(first.len() > 80 * limits::STRANGER_BYTES, "this is nothing");
    // Auth, Step1, who they are, and all that they wrote offline, without waiting for an answer.
    let mut raw = Raw::open(&server).await?;
    raw.sends(frame(&board, auth(&guests[0].token))).await;
    raw.sends(frame(&board, ClientMessage::Step1 { state_vector: vec![0] })).await;
    let entry = PresenceEntry { client: 91, clock: 1, state: Some(json!({ "caret": 1 })) };
    raw.sends(frame(&board, ClientMessage::Awareness(presence::encode(&[entry])))).await;
    raw.sends(frame(&board, ClientMessage::Update { update: first.clone() })).await;
    ensure!(raw.status().await?, "stored");
    // Where the token stands in the address, whoever it is is known before anything comes.
    let mut raw = Raw::yjs(&server, id, &guests[0].token).await?;
    raw.sends(yjs_sync(2, &second)).await;
    raw.sends(yjs_sync(0, &[0])).await;
    let all = raw.next_bytes(|bytes| bytes.starts_with(&[0, 1])).await?;
    ensure!(all.is_ok_and(|bytes| bytes.len() >= first.len() + second.len()), "both are there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h23_nobody_unknown_fills_the_memory() -> Result<()> {
    const MANY: usize = 300;
    let server = Server::start().await?;
    let cafe = Cafe::open(&server, &small(2, 1, 20.0)).await?;
    let (most, much) = (limits::BODY_BYTES, vec![b' '; 900 * 1024]);
    let before = server.memory()?;
    // Bodies and frames of which most has come and the rest does not; together a quarter of a gigabyte each time.
    for (what, head) in [
        ("joining", format!("POST /api/join HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {most}\r\n\r\n")),
        (
            "a socket",
            "GET /collab HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                .to_owned(),
        ),
    ] {
        let streams = join_all((0..MANY).map(async |_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
            stream.write_all(head.as_bytes()).await?;
            if what == "a socket" {
                let mut agreed = [0; 12];
                stream.read_exact(&mut agreed).await?;
                // A masked frame of a megabyte.
                stream.write_all(&[&[0x82, 0xff][..], &(limits::FRAME_BYTES as u64).to_be_bytes(), &[0; 4]].concat()).await?;
            }
            // The server may have hung up before all of it was sent.
            let _ = stream.write_all(&much).await;
            anyhow::Ok(stream)
        }))
        .await;
        let streams = streams.into_iter().collect::<Result<Vec<_>>>()?;
        let grown = server.peak()?.saturating_sub(before);
        ensure!(grown < SLACK_KIB, "{grown} KiB by {MANY} times {what}");
        drop(streams);
    }
    // Others are let in all the while.
    let at_the_door = Address::Workshop(cafe.created.id.clone());
    Raw::signed(&server, &at_the_door, &cafe.created.facilitator_token).await.map(drop)
}

/// What a connection has heard of one board.
struct Reader {
    raw: Raw,
    replica: Replica,
}

impl Reader {
    /// Connects, asks for everything, and has it.
    async fn come(server: &Server, board: &Address, token: &str) -> Result<Self> {
        let mut reader = Self { raw: Raw::signed(server, board, token).await?, replica: Replica::new(9) };
        reader.raw.says(board, ClientMessage::Step1 { state_vector: vec![0] }).await?;
        while !reader.hears().await? {}
        Ok(reader)
    }

    /// Takes in what comes next; returns whether that was the answer to Step1.
    async fn hears(&mut self) -> Result<bool> {
        match self.raw.next().await? {
            Heard::Message(ServerMessage::Step2 { update }) => self.replica.receive(&update).map(|()| true),
            Heard::Message(ServerMessage::Update { update }) => self.replica.receive(&update).map(|()| false),
            Heard::Message(_) => Ok(false),
            end => anyhow::bail!("{end:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h23_after_a_storm_of_reconnections_everybody_is_in_step() -> Result<()> {
    const PEOPLE: usize = 2_000;
    const NOTES: usize = 3;
    let server = Server::start().await?;
    // So many that nobody opens the board more often than they may, and in a phase in which all read it.
    let (cafe, guests, tables) = running(&server, 16, 80).await?;
    cafe.go_to(Phase::Gallery).await?;
    let board = board_of(&cafe, tables[0]);
    is_alive(&cafe, &guests[0], tables[0], "从前").await?;
    let mates: Vec<_> = guests.iter().zip(&tables).filter(|(_, table)| **table == tables[0]).map(|(g, _)| g).collect();
    ensure!(mates.len() > 1, "nobody writes beside them");
    server.memory()?;
    let mut readers = Vec::new();
    // All of them at once, twice: the network of the room was gone for a moment. A dropped socket says no goodbye. Meanwhile the table writes on.
    for wave in 0..2 {
        readers.clear();
        let come = |n: usize| Reader::come(&server, &board, &guests[n % guests.len()].token);
        let write = async {
            for n in 0..NOTES {
                for mate in &mates {
                    mate.write(tables[0], NoteKind::Idea, &format!("第{wave}次第{n}条"), None)?;
                    mate.saved().await?;
                }
            }
            anyhow::Ok(())
        };
        let (come, wrote) = tokio::join!(try_join_all((0..PEOPLE).map(come)), write);
        wrote?;
        readers = come?;
    }
    assert_eq!(readers.len(), PEOPLE);
    let peak = server.peak()?;
    assert!(peak < 400 * 1024, "{peak} KiB with {PEOPLE} sockets");
    is_alive(&cafe, &guests[0], tables[0], "以后").await?;
    // What each of them has been told is what the board is, to the letter.
    let notes = cafe.facilitator.table_board(tables[0]).context("a board")?.notes;
    assert_eq!(notes.len(), 2 + 2 * NOTES * mates.len());
    for reader in &mut readers {
        while reader.replica.table_board().notes != notes {
            reader.hears().await.context("somebody was left out")?;
        }
    }
    Ok(())
}
