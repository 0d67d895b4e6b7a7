//! A café in its first round, for tests that begin there.

use anyhow::{Context, Result};
use shared::id::{BoardId, BoardKind, TableId};
use shared::wire::frame::Address;

use crate::cafe::{Cafe, small};
use crate::guest::Guest;
use crate::server::Server;

/// A café whose first round runs, with its guests and their tables.
///
/// # Errors
/// Refused, or the connection failed.
pub async fn running(server: &Server, tables: u16, people: usize) -> Result<(Cafe, Vec<Guest>, Vec<TableId>)> {
    let cafe = Cafe::open(server, &small(tables, 2, 20.0)).await?;
    let guests = cafe.guests(people).await?;
    let tables = cafe.next_round(&guests).await?;
    Ok((cafe, guests, tables))
}

/// A café of one round at work, and a guest of table 1.
///
/// # Errors
/// Refused, or the connection failed.
pub async fn at_work(server: &Server) -> Result<(Cafe, Guest)> {
    let cafe = Cafe::open(server, &small(2, 1, 200.0)).await?;
    let mut guests = cafe.guests(4).await?;
    let tables = cafe.next_round(&guests).await?;
    let index = tables.iter().position(|table| *table == TableId(1)).context("nobody at table 1")?;
    Ok((cafe, guests.swap_remove(index)))
}

/// The address of a table's board.
pub fn board_of(cafe: &Cafe, table: TableId) -> Address {
    Address::Board(BoardId::table(&cafe.created.id, table))
}

/// Writes a note, and waits until the facilitator sees it: the table is alive.
///
/// # Errors
/// It was not stored, or not shown.
pub async fn is_alive(cafe: &Cafe, guest: &Guest, table: TableId, words: &str) -> Result<()> {
    let note = guest.write(table, Default::default(), words, None)?;
    guest.saved().await?;
    cafe.facilitator.open(BoardKind::Table(table)).await?;
    cafe.facilitator.until("the note", |f| f.table_board(table)?.notes.iter().any(|n| n.id == note).then_some(())).await
}
