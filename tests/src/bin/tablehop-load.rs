//! Figures of a server under many guests. `tablehop-load memory` starts a server of its own and says what a connection costs.
//!
//! ```text
//! TABLEHOP_BIN=target/release/tablehop cargo run --release -p tablehop-tests --bin tablehop-load -- memory --connections 1000
//! ```

use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use harness::cafe::{Cafe, small};
use harness::guest::Guest;
use harness::server::Server;
use shared::board::view::NoteKind;

/// Figures of a server under many guests.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Resident memory for each connection: everybody sits at a table, its board open, and has written one note.
    Memory {
        /// People, each with one socket, five at a table.
        #[arg(long, default_value_t = 1_000)]
        connections: usize,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Memory { connections } => memory(connections).await,
    }
}

async fn memory(connections: usize) -> Result<()> {
    let server = Server::start().await?;
    let pid = server.pid().context("pid")?;
    let tables = u16::try_from(connections.div_ceil(5).max(2))?;
    let cafe = Cafe::open(&server, &small(tables, 1, 60.0)).await?;
    let empty = resident_kib(pid)?;
    let began = Instant::now();
    let mut guests = Vec::with_capacity(connections);
    for n in 0..connections {
        guests.push(Guest::join(&server.api, &cafe.created.join_code, &format!("Guest {n}")).await?);
    }
    let joined = (began.elapsed(), resident_kib(pid)?);
    let began = Instant::now();
    let seated = cafe.next_round(&guests).await?;
    let opened = (began.elapsed(), resident_kib(pid)?);
    for (guest, table) in guests.iter().zip(&seated) {
        guest.write(*table, NoteKind::Idea, "A note of about twenty letters", None)?;
    }
    for guest in &guests {
        guest.saved().await?;
    }
    let wrote = resident_kib(pid)?;
    let each = |kib: u64| kib.saturating_sub(empty) as f64 / connections as f64;
    println!("server, one café of {tables} tables, nobody there:  {empty} KiB");
    println!(
        "{connections} joined and connected in {:.1?}:  {} KiB, {:.1} KiB each",
        joined.0,
        joined.1,
        each(joined.1)
    );
    println!("seated, board open, in {:.1?}:  {} KiB, {:.1} KiB each", opened.0, opened.1, each(opened.1));
    println!("one note each, saved:  {wrote} KiB, {:.1} KiB each", each(wrote));
    Ok(())
}

/// Resident memory of a process, in KiB (Linux).
fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("VmRSS")?;
    line.split_whitespace().nth(1).context("figure")?.parse().context("figure")
}
