//! The floor while a seating is being worked out: people and tables by number, and what each seat costs.

use std::collections::VecDeque;

use super::{Random, Request, Seating, tables_used};
use crate::id::{ActorId, TableId};

/// A table visited again. Far above anything the other costs can add up to at one table.
const REPEAT: i64 = 1_000_000;
/// Per squared person at a table: the sum of squares is least when tables are level.
const CROWD: i64 = 1_000;
/// Per person who has been at a table, up to ten more than at the least known one: the odd places go to tables that
/// most have still to see, or the last round could be level only by repeats.
const KNOWN: i64 = 40;
/// Tables looked at for one traveller: beyond, a random choice among them is as good.
const LOOKED_AT: usize = 48;
/// Nobody, or nowhere.
const NONE: usize = usize::MAX;

pub(super) struct Floor<'a> {
    people: Vec<&'a ActorId>,
    /// Tables in use, ascending; all other indices of tables point into this.
    used: Vec<TableId>,
    limit: usize,
    /// People at each table.
    at: Vec<Vec<usize>>,
    /// The table of each person, or [`NONE`].
    table: Vec<usize>,
    /// The host of each table, or [`NONE`].
    host: Vec<usize>,
    travellers: Vec<usize>,
    /// Earlier tables of each person, `rounds` a person, 0 for none.
    sat: Vec<u16>,
    rounds: usize,
    /// Tables each person was ever at, ascending.
    been: Vec<Vec<u16>>,
    /// What each table costs for being known already; see [`KNOWN`].
    known: Vec<i64>,
    random: Random,
}

impl<'a> Floor<'a> {
    /// Chooses the tables and puts the hosts there. `people` are ascending and fit.
    pub(super) fn new(request: &Request<'a>, people: Vec<&'a ActorId>) -> Self {
        let index = |id: &ActorId| people.binary_search(&id).ok();
        let rounds = request.history.len();
        let mut sat = vec![0; people.len() * rounds];
        for (round, seats) in request.history.iter().enumerate() {
            for (person, table) in seats {
                if let Some(person) = index(person) {
                    sat[person * rounds + round] = table.0;
                }
            }
        }
        let been = (0..people.len())
            .map(|p| {
                let visited = request.visited.get(people[p]).into_iter().flatten().map(|table| table.0);
                let earlier = sat[p * rounds..(p + 1) * rounds].iter().copied().filter(|table| *table > 0);
                let mut been: Vec<u16> = visited.chain(earlier).collect();
                been.sort_unstable();
                been.dedup();
                been
            })
            .collect();

        let mut hosts: Vec<(TableId, usize)> = Vec::new();
        let mut is_host = vec![false; people.len()];
        for (table, host) in request.hosts {
            if (1..=request.tables).contains(&table.0)
                && let Some(host) = index(host)
                && !is_host[host]
            {
                is_host[host] = true;
                hosts.push((*table, host));
            }
        }
        let limit = usize::from(request.seats_per_table).max(1);
        let hosted: Vec<TableId> = hosts.iter().map(|(table, _)| *table).collect();
        let used = tables_used(request.tables, request.seats_per_table, people.len(), &hosted);

        let mut floor = Self {
            table: vec![NONE; people.len()],
            at: vec![Vec::new(); used.len()],
            host: vec![NONE; used.len()],
            travellers: Vec::new(),
            known: Vec::new(),
            random: Random::new(request.seed),
            people,
            used,
            limit,
            sat,
            rounds,
            been,
        };
        for (table, host) in hosts {
            if let Ok(table) = floor.used.binary_search(&table) {
                floor.make_host(table, host);
                floor.sit(host, table);
            }
        }
        floor.count_known();
        floor.keep_somebody();
        floor.travellers = (0..floor.people.len()).filter(|p| floor.table[*p] == NONE).collect();
        floor
    }

    fn count_known(&mut self) {
        let mut known = vec![0; self.used.len()];
        for table in self.been.iter().flatten() {
            if let Ok(table) = self.used.binary_search(&TableId(*table)) {
                known[table] += 1;
            }
        }
        let least = known.iter().min().copied().unwrap_or(0);
        self.known = known.into_iter().map(|count: i64| KNOWN * (count - least).min(10)).collect();
    }

    /// Tables without a host keep one of those who sat there last.
    fn keep_somebody(&mut self) {
        if self.rounds == 0 {
            return;
        }
        let mut last: Vec<Vec<usize>> = vec![Vec::new(); self.used.len()];
        for person in (0..self.people.len()).filter(|p| self.table[*p] == NONE) {
            if let Ok(table) = self.used.binary_search(&TableId(self.last_table(person))) {
                last[table].push(person);
            }
        }
        for (table, stayed) in last.into_iter().enumerate() {
            if self.host[table] == NONE && !stayed.is_empty() {
                let person = stayed[self.random.below(stayed.len())];
                self.make_host(table, person);
                self.sit(person, table);
            }
        }
    }

    /// Seats the travellers one by one, each where it costs least.
    pub(super) fn place_travellers(&mut self) {
        let level = self.people.len().div_ceil(self.used.len());
        let mut order = self.travellers.clone();
        self.random.shuffle(&mut order);
        let mut open: Vec<usize> = (0..self.used.len()).filter(|t| self.at[*t].len() < level).collect();
        for person in order {
            let Some(mut best) = self.cheapest(person, &open, LOOKED_AT) else { return };
            if open.len() > LOOKED_AT && self.repeats(person, open[best]) > 0 {
                best = self.cheapest(person, &open, open.len()).unwrap_or(best);
            }
            let table = open[best];
            self.sit(person, table);
            if self.at[table].len() >= level {
                open.swap_remove(best);
            }
        }
    }

    fn cheapest(&mut self, person: usize, open: &[usize], look_at: usize) -> Option<usize> {
        let mut best: Option<(i64, usize)> = None;
        let sampled = open.len() > look_at;
        // A random start, so that equal tables are filled in no fixed order.
        let start = if open.is_empty() { return None } else { self.random.below(open.len()) };
        for i in 0..open.len().min(look_at) {
            let i = if sampled { self.random.below(open.len()) } else { (start + i) % open.len() };
            let table = open[i];
            let crowd = CROWD * (2 * self.at[table].len() as i64 + 1) + self.known[table];
            let cost = self.repeats(person, table) + crowd + self.meetings(person, table, NONE);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, i));
            }
        }
        best.map(|(_, i)| i)
    }

    /// Frees those who sit where they have been, along chains in which everybody goes to a new table: first without
    /// making a table larger than level ones are, then up to the limit.
    pub(super) fn free_repeaters(&mut self) {
        let level = self.people.len().div_ceil(self.used.len());
        for room in [level, self.limit] {
            for i in 0..self.travellers.len() {
                let person = self.travellers[i];
                if self.repeats(person, self.table[person]) > 0 {
                    for (person, to) in self.chain(person, room) {
                        self.stand_up(person);
                        self.sit(person, to);
                    }
                }
            }
        }
    }

    /// The shortest chain of moves that brings `first` to a new table, as (who, where to); empty if there is none.
    fn chain(&self, first: usize, room: usize) -> Vec<(usize, usize)> {
        // How each table is reached: by whom. The person's own table is not reached yet: coming back to it closes a ring.
        let mut reached_by = vec![NONE; self.used.len()];
        let mut unseen: Vec<usize> = (0..self.used.len()).collect();
        let mut queue = VecDeque::from([first]);
        let home = self.table[first];
        while let Some(person) = queue.pop_front() {
            let mut i = 0;
            while i < unseen.len() {
                let table = unseen[i];
                if self.has_been(person, table) {
                    i += 1;
                    continue;
                }
                unseen.swap_remove(i);
                reached_by[table] = person;
                if table == home || self.at[table].len() < room {
                    let mut moves = Vec::new();
                    let mut to = table;
                    loop {
                        let who = reached_by[to];
                        moves.push((who, to));
                        if who == first {
                            return moves;
                        }
                        to = self.table[who];
                    }
                }
                queue.extend(self.at[table].iter().copied().filter(|p| !self.is_host(*p)));
            }
        }
        Vec::new()
    }

    /// Moves people from the fullest tables to the emptiest, as long as nobody has to repeat a table for it.
    pub(super) fn level(&mut self) {
        for _ in 0..self.people.len() {
            let Some(small) = (0..self.used.len()).min_by_key(|t| self.at[*t].len()) else { return };
            let enough = self.at[small].len() + 2;
            let mut best: Option<(i64, usize)> = None;
            let mut looked_at = 0;
            for large in (0..self.used.len()).filter(|t| self.at[*t].len() >= enough) {
                for person in self.at[large].iter().copied().filter(|p| !self.is_host(*p)) {
                    let repeats = self.repeats(person, small) - self.repeats(person, large);
                    let met = self.meetings(person, small, NONE) - self.meetings(person, large, NONE);
                    let cost = repeats + met - CROWD * self.at[large].len() as i64;
                    if repeats <= 0 && best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, person));
                    }
                }
                looked_at += 1;
                if looked_at >= LOOKED_AT && best.is_some() {
                    break;
                }
            }
            let Some((_, person)) = best else { return };
            self.stand_up(person);
            self.sit(person, small);
        }
    }

    /// Random swaps and moves, kept while they cost nothing: the walk along equal costs is what finds new company.
    pub(super) fn mix(&mut self) {
        if self.travellers.is_empty() || self.used.len() < 2 || self.rounds == 0 {
            return;
        }
        let mut left: i64 = (0..self.people.len())
            .map(|p| {
                2 * self.repeats(p, self.table[p]) * i64::from(!self.is_host(p)) + self.meetings(p, self.table[p], NONE)
            })
            .sum();
        let tries = (self.people.len() * 500).clamp(4_000, 500_000);
        for _ in 0..tries {
            if left == 0 {
                return;
            }
            let person = self.travellers[self.random.below(self.travellers.len())];
            let other = self.travellers[self.random.below(self.travellers.len())];
            let (from, to) = (self.table[person], self.table[other]);
            if from == to {
                continue;
            }
            let gain = self.swap_cost(person, other);
            if gain <= 0 {
                self.stand_up(person);
                self.stand_up(other);
                self.sit(person, to);
                self.sit(other, from);
                // Each meeting is counted at both ends, and so are repeats, to keep the sum whole.
                left += 2 * gain;
                continue;
            }
            // A single move where it does not unbalance: for tables one apart it costs nothing.
            let crowd = 2 * CROWD * (self.at[to].len() as i64 - self.at[from].len() as i64 + 1);
            if self.at[to].len() < self.limit && crowd <= 0 {
                let repeats = self.repeats(person, to) - self.repeats(person, from);
                let gain = repeats + self.meetings(person, to, NONE) - self.meetings(person, from, NONE);
                if gain + crowd + self.known[to] - self.known[from] <= 0 {
                    self.stand_up(person);
                    self.sit(person, to);
                    left += 2 * gain;
                }
            }
        }
    }

    fn swap_cost(&self, a: usize, b: usize) -> i64 {
        let (from, to) = (self.table[a], self.table[b]);
        let repeats = self.repeats(a, to) + self.repeats(b, from) - self.repeats(a, from) - self.repeats(b, to);
        // Most random swaps fail on this alone; the meetings are the costly part.
        if repeats > 0 {
            return repeats;
        }
        repeats + self.meetings(a, to, b) + self.meetings(b, from, a)
            - self.meetings(a, from, NONE)
            - self.meetings(b, to, NONE)
    }

    /// The finished seating; tables without a host get one of those who sit there.
    pub(super) fn into_seating(mut self) -> Seating {
        for table in 0..self.used.len() {
            if self.host[table] == NONE && !self.at[table].is_empty() {
                let person = self.at[table][self.random.below(self.at[table].len())];
                self.make_host(table, person);
            }
        }
        let seats = self.people.iter().zip(&self.table).map(|(id, table)| ((*id).clone(), self.used[*table])).collect();
        let hosts = self.used.iter().zip(&self.host).filter(|(_, host)| **host != NONE);
        let hosts = hosts.map(|(table, host)| (*table, self.people[*host].clone())).collect();
        Seating { seats, hosts }
    }

    fn make_host(&mut self, table: usize, person: usize) {
        self.host[table] = person;
    }

    fn is_host(&self, person: usize) -> bool {
        self.table[person] != NONE && self.host[self.table[person]] == person
    }

    fn sit(&mut self, person: usize, table: usize) {
        self.table[person] = table;
        self.at[table].push(person);
    }

    fn stand_up(&mut self, person: usize) {
        self.at[self.table[person]].retain(|p| *p != person);
    }

    fn last_table(&self, person: usize) -> u16 {
        self.rounds.checked_sub(1).map_or(0, |last| self.sat[person * self.rounds + last])
    }

    fn has_been(&self, person: usize, table: usize) -> bool {
        self.been[person].binary_search(&self.used[table].0).is_ok()
    }

    /// What it costs to be at a table again; double for not even leaving it.
    fn repeats(&self, person: usize, table: usize) -> i64 {
        if !self.has_been(person, table) {
            0
        } else if self.last_table(person) == self.used[table].0 {
            2 * REPEAT
        } else {
            REPEAT
        }
    }

    /// How often somebody sat with those at a table, leaving one of them out.
    fn meetings(&self, person: usize, table: usize, without: usize) -> i64 {
        let mine = &self.sat[person * self.rounds..(person + 1) * self.rounds];
        let mut met = 0;
        for other in self.at[table].iter().copied().filter(|p| *p != person && *p != without) {
            let theirs = &self.sat[other * self.rounds..(other + 1) * self.rounds];
            met += mine.iter().zip(theirs).filter(|(a, b)| **a > 0 && a == b).count() as i64;
        }
        met
    }
}
