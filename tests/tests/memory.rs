//! Boards that fill the memory of a real process: no further one is opened, and everybody else goes on.

use anyhow::{Context, Result, ensure};
use harness::api::code_of;
use harness::guest::PATIENCE;
use harness::raw::{Heard, Raw, auth, update};
use harness::running::{board_of, is_alive, running};
use harness::server::Server;
use shared::id::TableId;
use shared::limits;
use shared::wire::frame::{Address, ClientMessage, ServerMessage};
use shared::wire::lib0::Writer;

/// The least that may be chosen.
const MIB: usize = limits::BOARDS_MEMORY_MIB_LEAST as usize;

/// An update of a megabyte whose values take sixty in memory.
fn bomb(client: u64) -> ClientMessage {
    const VALUES: u64 = 60;
    let mut writer = Writer::new();
    writer.byte(8).byte(1).byte(1).byte(b'm').var_uint(VALUES);
    for _ in 0..VALUES {
        writer.byte(117).var_uint(limits::VALUE_BYTES as u64 - 8);
        (8..limits::VALUE_BYTES).for_each(|_| _ = writer.byte(126));
    }
    ClientMessage::Update { update: update(client, 0, &[writer.into_bytes()]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn h26_boards_take_no_more_memory_than_they_may_and_honest_people_go_on() -> Result<()> {
    let server = Server::start_with(&[("TABLEHOP_BOARDS_MEMORY", &MIB.to_string())]).await?;
    let (quiet, mut quiet_guests, quiet_tables) = running(&server, 2, 2).await?;
    is_alive(&quiet, &quiet_guests[0], quiet_tables[0], "从前").await?;
    let (cafe, guests, tables) = running(&server, 4, 1).await?;
    let (guest, table) = (guests.first().context("a guest")?, tables[0]);
    is_alive(&cafe, guest, table, "从前").await?;
    // Everybody has gone from there.
    quiet_guests.iter().for_each(harness::guest::Guest::disconnect);
    quiet.facilitator.disconnect();
    let before = server.memory()?;

    let hoards = async |table: TableId, client: u64| {
        let board = board_of(&cafe, table);
        let mut raw = Raw::signed(&server, &board, &cafe.created.facilitator_token).await?;
        raw.says(&board, bomb(client)).await?;
        anyhow::Ok((raw.status().await?, raw))
    };
    let others = (1..=4).map(TableId).filter(|other| *other != table);
    let mut hoarders = Vec::new();
    for (n, other) in others.take(2).enumerate() {
        let (taken, raw) = hoards(other, 900 + n as u64).await?;
        ensure!(taken, "there is memory for the {n}th");
        hoarders.push(raw);
    }
    // A third one does not fit, though the board is open and has room for it.
    let (taken, raw) = hoards(table, 902).await?;
    ensure!(!taken, "there is no memory for it");
    hoarders.push(raw);
    is_alive(&cafe, guest, table, "照样写").await?;
    // Nor is a board opened that nobody has open: it is said why, and its connection stays.
    let elsewhere = board_of(&quiet, quiet_tables[0]);
    let token = &quiet.created.facilitator_token;
    let mut late = Raw::open(&server).await?;
    for _ in 0..2 {
        late.says(&elsewhere, auth(token)).await?;
        let denied = ServerMessage::Denied { reason: "server_full".into() };
        assert_eq!(late.next().await?, Heard::Message(denied));
    }
    let Address::Board(id) = &elsewhere else { anyhow::bail!("a board") };
    let mut yjs = Raw::yjs(&server, id, token).await?;
    assert_eq!(yjs.ends().await?, Some(1013));
    let refused = server.api.export(&quiet.created.id, token, "md").await.err().context("an export reads them")?;
    assert_eq!(code_of(&refused), Some("server_full"));
    is_alive(&cafe, guest, table, "还在写").await?;
    let figures = server.figures().await?;
    let held = figures["tablehop_boards_memory_bytes"] as usize;
    ensure!((MIB << 20) * 3 / 4 < held && held <= MIB << 20, "{held}");
    ensure!(figures["tablehop_refusals_total{reason=\"server_full\"}"] >= 4.0);
    assert_eq!(server.log().matches("boards take as much memory as they may").count(), 1, "{}", server.log());
    let grown = server.peak()?.saturating_sub(before) as usize;
    ensure!(grown < 2 * MIB * 1024, "{grown} KiB for {} counted", held / 1024);
    eprintln!("{grown} KiB at most for {} KiB counted, now {}", held / 1024, server.memory()? - before);

    // As soon as one of them is left it opens, with what was on it.
    drop(hoarders.swap_remove(0));
    let opened = async {
        loop {
            late.says(&elsewhere, auth(token)).await?;
            match late.next_that(|message| !matches!(message, ServerMessage::Awareness(_))).await? {
                Heard::Message(ServerMessage::Authenticated { .. }) => return anyhow::Ok(()),
                other => assert_eq!(other, Heard::Message(ServerMessage::Denied { reason: "server_full".into() })),
            }
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.context("it does not open")??;
    let guest = quiet_guests.swap_remove(0);
    guest.connect().await?;
    quiet.facilitator.connect().await?;
    is_alive(&quiet, &guest, quiet_tables[0], "以后").await?;
    assert_eq!(quiet.stored(&server, &quiet_tables[..1]).await?.len(), 2);
    Ok(())
}
