//! Who sits at which table in which round.
//!
//! Rules, the stronger first:
//!
//! 1. Nobody sits anywhere but once, and no table ever has more people than its limit.
//! 2. Hosts stay.
//! 3. Travellers go to a table they have not been at, as long as one with room is left.
//! 4. Tables differ by at most one person; there are as many tables as can each have two.
//! 5. People meet whom they have not met.
//!
//! The way there: hosts are put first, travellers in random order at the table that costs least, then those who
//! had to repeat a table are freed along chains of moves, tables are levelled, and random swaps are kept while they do
//! not make it worse. All of it is bounded, and a function of the seed.

mod floor;
mod random;

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ActorId, TableId};
use crate::workshop::refusal::Refusal;

use floor::Floor;
use random::Random;

/// What a seating is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How many tables there are, numbered from 1.
    pub tables: u16,
    /// The most people at one table, its host included.
    pub seats_per_table: u8,
    /// Who is here now.
    pub people: &'a [ActorId],
    /// Hosts by table. Those who are not here do not count.
    pub hosts: &'a BTreeMap<TableId, ActorId>,
    /// Seats of the earlier rounds, the first round first.
    pub history: &'a [BTreeMap<ActorId, TableId>],
    /// Every table anybody was ever at, also for a moment.
    pub visited: &'a BTreeMap<ActorId, BTreeSet<TableId>>,
    /// Equal seeds make equal seatings.
    pub seed: u64,
}

/// A round's seats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seating {
    /// Where everybody sits.
    pub seats: BTreeMap<ActorId, TableId>,
    /// The host of each table in use.
    pub hosts: BTreeMap<TableId, ActorId>,
}

/// The tables at which people sit, ascending: as many as can each have two people, and more only where the limit or the hosts ask
/// for it. Those with a host come first, then the others by number. `hosted` are the tables whose host is here, ascending.
#[must_use]
pub fn tables_used(tables: u16, seats_per_table: u8, people: usize, hosted: &[TableId]) -> Vec<TableId> {
    if people == 0 {
        return Vec::new();
    }
    let limit = usize::from(seats_per_table).max(1);
    let wanted = (people / 2).clamp(1, usize::from(tables).max(1));
    let count = wanted.max(people.div_ceil(limit)).max(hosted.len());
    let free = (1..=tables).map(TableId).filter(|table| hosted.binary_search(table).is_err());
    let mut used: Vec<TableId> = hosted.iter().copied().chain(free.take(count - hosted.len())).collect();
    used.sort_unstable();
    used
}

/// Seats everybody for the next round.
///
/// # Errors
/// [`Refusal::NotEnoughSeats`].
pub fn seat(request: &Request<'_>) -> Result<Seating, Refusal> {
    let people: BTreeSet<&ActorId> = request.people.iter().collect();
    let seats = usize::from(request.tables) * usize::from(request.seats_per_table);
    if people.len() > seats {
        return Err(Refusal::NotEnoughSeats { people: people.len(), seats });
    }
    if people.is_empty() {
        return Ok(Seating::default());
    }
    let mut floor = Floor::new(request, people.into_iter().collect());
    floor.place_travellers();
    floor.free_repeaters();
    floor.level();
    floor.mix();
    Ok(floor.into_seating())
}

/// One person who comes while a round is on.
#[derive(Clone, Copy, Debug)]
pub struct Late<'a> {
    /// How many tables there are, numbered from 1.
    pub tables: u16,
    /// The most people at one table, its host included.
    pub seats_per_table: u8,
    /// Who comes.
    pub person: &'a ActorId,
    /// Who sits where now.
    pub seats: &'a BTreeMap<ActorId, TableId>,
    /// Seats of the earlier rounds.
    pub history: &'a [BTreeMap<ActorId, TableId>],
    /// Tables they were ever at.
    pub visited: &'a BTreeSet<TableId>,
    /// Breaks ties.
    pub seed: u64,
}

/// The best free seat for somebody who comes late: a table where somebody sits already, not visited, with the fewest
/// people, of whom they met the fewest. None if every table is full.
pub fn seat_late(late: &Late<'_>) -> Option<TableId> {
    let mut people = vec![0usize; usize::from(late.tables) + 1];
    let mut met = vec![0usize; usize::from(late.tables) + 1];
    let was_at: Vec<Option<TableId>> = late.history.iter().map(|seats| seats.get(late.person).copied()).collect();
    for (person, table) in late.seats {
        let i = usize::from(table.0);
        if person == late.person || i >= people.len() {
            continue;
        }
        people[i] += 1;
        // Who never sat anywhere has met nobody: spare a large café the look-ups.
        if was_at.iter().any(Option::is_some) {
            let together = |(seats, mine): &(&BTreeMap<ActorId, TableId>, &Option<TableId>)| {
                mine.is_some() && seats.get(person) == mine.as_ref()
            };
            met[i] += late.history.iter().zip(&was_at).filter(together).count();
        }
    }
    let mut random = Random::new(late.seed);
    (1..=late.tables)
        .filter(|table| people[usize::from(*table)] < usize::from(late.seats_per_table))
        .min_by_key(|table| {
            let i = usize::from(*table);
            let alone = people[i] == 0;
            // Among empty tables the lowest number, so that the next late comer is not sent to yet another one.
            let tie = if alone { u64::from(*table) } else { random.next() };
            (alone, late.visited.contains(&TableId(*table)), people[i], met[i], tie)
        })
        .map(TableId)
}
