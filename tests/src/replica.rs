//! One board's document as a guest holds it, with what is not yet acknowledged.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result};
use serde_json::Value;
use shared::board::doc::{HarvestRoots, PlanRoots, TableRoots, new_doc};
use shared::board::read;
use shared::board::view::{HarvestBoard, PlanBoard, TableBoard};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, ReadTxn, StateVector, Transact, TransactionMut, Update};

/// A board's document with its roots, and the bookkeeping of one connection.
pub struct Replica {
    /// The document.
    pub doc: Doc,
    /// Roots of a table's board.
    pub table: TableRoots,
    /// Roots of the harvest board.
    pub harvest: HarvestRoots,
    /// Roots of the plan board.
    pub plan: PlanRoots,
    /// The server has accepted us here on this connection.
    pub authenticated: bool,
    /// Everything the server had when we asked has arrived on this connection.
    pub synced: bool,
    /// The server has been sent what it lacked on this connection; from now on edits go out as they are made.
    answered: bool,
    /// Why the server refused us, if it did.
    pub denied: Option<String>,
    /// Whether the server lets us write.
    pub read_only: bool,
    /// Number of the last edit sent on this connection.
    sent: u64,
    /// Edits made and not yet acknowledged: their number on this connection, and how many local edits they carry.
    pending: VecDeque<(u64, usize)>,
    /// Local edits that wait for the next connection.
    unsent: usize,
    /// Local edits ever made.
    pub made: usize,
    /// Local edits ever acknowledged.
    pub acknowledged: usize,
    /// Updates received from others.
    pub received: usize,
    /// Who is at the board, by client id: the clock and the state last heard on this connection.
    pub present: BTreeMap<u64, (u32, Value)>,
    /// How often we have said that we are here.
    pub clock: u32,
}

impl Replica {
    /// An empty document that writes under `client`.
    pub fn new(client: u64) -> Self {
        let doc = new_doc(client);
        let (table, harvest, plan) = (TableRoots::of(&doc), HarvestRoots::of(&doc), PlanRoots::of(&doc));
        Self {
            doc,
            table,
            harvest,
            plan,
            authenticated: false,
            synced: false,
            answered: false,
            denied: None,
            read_only: false,
            sent: 0,
            pending: VecDeque::new(),
            unsent: 0,
            made: 0,
            acknowledged: 0,
            received: 0,
            present: BTreeMap::new(),
            clock: 0,
        }
    }

    /// The connection is gone: what was not acknowledged waits for the next one.
    pub fn disconnected(&mut self) {
        self.authenticated = false;
        self.synced = false;
        self.sent = 0;
        self.present.clear();
        self.recall();
    }

    /// The server may not have taken what is not acknowledged: it waits for the server's next Step1.
    pub fn recall(&mut self) {
        self.answered = false;
        self.unsent += self.pending.drain(..).map(|(_, edits)| edits).sum::<usize>();
    }

    /// Makes a local edit. Returns `(n, update)` to send, or `None` while it has to wait for the connection.
    pub fn edit(&mut self, make: impl FnOnce(&mut TransactionMut<'_>, &Self)) -> Option<(u64, Vec<u8>)> {
        let doc = self.doc.clone();
        let update = {
            let mut txn = doc.transact_mut();
            make(&mut txn, self);
            txn.encode_update_v1()
        };
        self.made += 1;
        if self.answered {
            self.sent += 1;
            self.pending.push_back((self.sent, 1));
            Some((self.sent, update))
        } else {
            self.unsent += 1;
            None
        }
    }

    /// The server's state vector: returns the edit that brings it up to date.
    ///
    /// # Errors
    /// The bytes are not a state vector.
    pub fn answer_step1(&mut self, state_vector: &[u8]) -> Result<Option<(u64, Vec<u8>)>> {
        let remote = StateVector::decode_v1(state_vector).context("state vector")?;
        self.answered = true;
        let ours = self.doc.transact().state_vector();
        let is_ahead = ours.iter().any(|(client, clock)| *clock > remote.get(client));
        if self.unsent == 0 && (self.read_only || !is_ahead) {
            return Ok(None);
        }
        let update = self.doc.transact().encode_diff_v1(&remote);
        self.sent += 1;
        self.pending.push_back((self.sent, std::mem::take(&mut self.unsent)));
        Ok(Some((self.sent, update)))
    }

    /// The server has everything up to edit `n` on disk.
    pub fn durable_up_to(&mut self, n: u64) {
        while let Some((number, edits)) = self.pending.front().copied() {
            if number > n {
                break;
            }
            self.pending.pop_front();
            self.acknowledged += edits;
        }
    }

    /// Whether edits go out as they are made: both sides have told each other what they have.
    pub fn is_live(&self) -> bool {
        self.synced && self.answered
    }

    /// Whether everything made here is on the server's disk.
    pub fn is_saved(&self) -> bool {
        self.unsent == 0 && self.pending.is_empty()
    }

    /// Takes an update from the server.
    ///
    /// # Errors
    /// The bytes are not an update.
    pub fn receive(&mut self, update: &[u8]) -> Result<()> {
        let update = Update::decode_v1(update).context("update")?;
        self.doc.transact_mut().apply_update(update).context("apply")?;
        self.received += 1;
        Ok(())
    }

    /// What this replica has, for the server.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// As a table's board.
    pub fn table_board(&self) -> TableBoard {
        read::table_board(&self.doc)
    }

    /// As the harvest board.
    pub fn harvest_board(&self) -> HarvestBoard {
        read::harvest_board(&self.doc)
    }

    /// As the plan board.
    pub fn plan_board(&self) -> PlanBoard {
        read::plan_board(&self.doc)
    }
}
