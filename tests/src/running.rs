//! A café in its first round, for tests that begin there.

use anyhow::Result;
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
