//! What the seating plan is measured by: all rounds of an evening at once, improved for long by simulated annealing (Kirkpatrick, Gelatt and
//! Vecchi, Science 220, 1983), which knows beforehand who will be there in every round.

use std::collections::BTreeMap;

use shared::id::{ActorId, TableId};

/// Weight of a table visited again against two people who meet again.
const REPEAT: i64 = 1_000;

/// Rounds as numbers: the table of each person, and who stays where they are.
pub struct Annealed {
    rounds: Vec<Vec<usize>>,
    stays: Vec<bool>,
    tables: usize,
    /// How often each two people meet.
    met: Vec<i64>,
    /// How often each person is at each table.
    visits: Vec<i64>,
    random: u64,
}

impl Annealed {
    pub fn new(history: &[BTreeMap<ActorId, TableId>], hosts: &BTreeMap<TableId, ActorId>, seed: u64) -> Self {
        let people: Vec<&ActorId> = history[0].keys().collect();
        let rounds: Vec<Vec<usize>> =
            history.iter().map(|seats| seats.values().map(|table| usize::from(table.0) - 1).collect()).collect();
        let stays = people.iter().map(|person| hosts.values().any(|host| host == *person)).collect();
        let tables = rounds.iter().flatten().max().map_or(0, |most| most + 1);
        let n = people.len();
        let mut plan =
            Self { rounds, stays, tables, met: vec![0; n * n], visits: vec![0; n * tables], random: seed * 2 + 1 };
        for round in 0..plan.rounds.len() {
            for a in 0..n {
                plan.visits[a * tables + plan.rounds[round][a]] += 1;
                let with = |b: &usize| *b != a && plan.rounds[round][*b] == plan.rounds[round][a];
                for b in (0..n).filter(with).collect::<Vec<_>>() {
                    plan.met[a * n + b] += 1;
                }
            }
        }
        plan
    }

    /// For each two people the pairs of their meetings: none where nobody meets anybody twice.
    pub fn cost(&self) -> i64 {
        self.met.iter().map(|met| met * (met - 1) / 2).sum::<i64>() / 2
    }

    /// The least cost that so many swaps find.
    pub fn anneal(mut self, swaps: u32) -> i64 {
        let n = self.stays.len();
        let mut cost = self.cost();
        let mut best = cost;
        for swap in 0..swaps {
            if best == 0 {
                break;
            }
            let heat = 2.0 * (1.0 - f64::from(swap) / f64::from(swaps)) + 0.02;
            let (round, a, b) = (self.below(self.rounds.len()), self.below(n), self.below(n));
            if self.stays[a] || self.stays[b] || self.rounds[round][a] == self.rounds[round][b] {
                continue;
            }
            let more = self.swap(round, a, b);
            if more > 0 && self.below(1 << 20) as f64 / f64::from(1 << 20) >= (-(more as f64) / heat).exp() {
                self.swap(round, a, b);
            } else {
                cost += more;
                best = best.min(cost);
            }
        }
        best
    }

    /// Swaps two people in a round; returns what it costs more.
    fn swap(&mut self, round: usize, a: usize, b: usize) -> i64 {
        let n = self.stays.len();
        let (from, to) = (self.rounds[round][a], self.rounds[round][b]);
        let mut more = 0;
        for other in (0..n).filter(|other| *other != a && *other != b) {
            let (leaves, comes) = match self.rounds[round][other] {
                table if table == from => (a, b),
                table if table == to => (b, a),
                _ => continue,
            };
            more += self.met[comes * n + other] - (self.met[leaves * n + other] - 1);
            for (person, times) in [(leaves, -1), (comes, 1)] {
                self.met[person * n + other] += times;
                self.met[other * n + person] += times;
            }
        }
        for (person, left, reached) in [(a, from, to), (b, to, from)] {
            let left = &mut self.visits[person * self.tables + left];
            *left -= 1;
            more -= REPEAT * i64::from(*left > 0);
            let reached = &mut self.visits[person * self.tables + reached];
            more += REPEAT * i64::from(*reached > 0);
            *reached += 1;
        }
        self.rounds[round].swap(a, b);
        more
    }

    /// Xorshift (Marsaglia 2003).
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }
}
