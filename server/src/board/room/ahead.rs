//! Devices that hold more than the server: it was restored from a backup, and they were there later. What they send has others' structs in
//! it, which only these may bring, and perhaps words that build on such.

use std::collections::{HashMap, HashSet};

use shared::wire::scan::Range;

use super::edits::Staged;
use super::{Ack, Edit, Memory, Room};
use crate::board::member::MemberId;
use crate::socket::guard::Attributed;

/// Of whom the store is asked whose client ids they are, for one message. If there are more, it is not known whether all are others'.
const LOOK_UPS: usize = 16;

/// Who waits for somebody else to come back.
#[derive(Default)]
pub(super) struct Waiting {
    /// The client ids of which something is missing.
    all: HashMap<MemberId, Vec<u64>>,
    /// Those of whom something has come that is about to be committed.
    coming: Vec<u64>,
    /// Who has been told.
    told: HashSet<MemberId>,
}

impl Waiting {
    pub fn waits(&self, id: MemberId) -> bool {
        self.all.contains_key(&id)
    }

    /// They leave the board.
    pub fn leaves(&mut self, id: MemberId) {
        self.asks(id);
        self.told.remove(&id);
    }

    /// They ask for the document, and send again what it lacks.
    pub fn asks(&mut self, id: MemberId) {
        self.all.remove(&id);
    }

    /// Something of these is about to be committed.
    pub fn comes(&mut self, inserted: &[Range]) {
        if !self.all.is_empty() {
            self.coming.extend(inserted.iter().map(|range| range.client));
        }
    }

    /// It was not.
    pub fn came_not(&mut self) {
        self.coming.clear();
    }

    /// It was: who waited for it.
    pub fn came(&mut self) -> Vec<MemberId> {
        let coming = std::mem::take(&mut self.coming);
        if coming.is_empty() {
            return Vec::new();
        }
        let waited = |missing: &Vec<u64>| missing.iter().any(|client| coming.contains(client));
        let done: Vec<MemberId> = (self.all.iter()).filter(|(_, missing)| waited(missing)).map(|(id, _)| *id).collect();
        done.iter().for_each(|id| self.asks(*id));
        done
    }
}

impl Room {
    /// Takes what is the sender's own of an update that brings others' structs too, as far as it builds on what is there. Acknowledged is
    /// only who has left nothing out of their own; for others it is told them, and asked for again when more of those has come.
    pub(super) async fn stage_part(&mut self, edit: Edit, staged: &mut Vec<Staged>) {
        let Edit { id, ack, update, _permit, .. } = edit;
        metrics::counter!("tablehop_refusals_total", "reason" => "foreign_client").increment(1);
        let Memory::Loaded(replica) = &self.memory else { return };
        let Ok(part) = replica.part_of(&update) else { return self.refuse(id, ack, "foreign_client", staged) };
        let Ok(own) = Attributed::scan(part.bytes) else { return self.refuse(id, ack, "foreign_client", staged) };
        let is_whole = part.is_whole && self.are_others(id, ack, &part.missing).await;
        let ack = if is_whole {
            ack
        } else {
            // That something is sent once more is nothing that people need to hear of.
            let is_news = self.waiting.told.insert(id);
            self.refuse(id, ack, if is_news { "waits_for_others" } else { "resync" }, staged);
            self.waiting.all.insert(id, part.missing);
            Ack::Answered
        };
        self.stage(Edit { id, ack, update: Box::new(own), allowed: true, _permit }, staged).await;
    }

    /// Whether what is left out cannot be the sender's own: it belongs to others, and the sender is one that writes under no ids but those
    /// that it was given.
    async fn are_others(&self, id: MemberId, ack: Ack, clients: &[u64]) -> bool {
        let Some(member) = self.members.get(id).filter(|member| member.ours) else { return false };
        if !matches!(ack, Ack::Number(_)) || clients.len() > LOOK_UPS {
            return false;
        }
        for client in clients {
            let owner = self.inner.store.client_owner(self.board.workshop.to_string(), *client).await;
            if !owner.is_ok_and(|owner| owner.is_some_and(|owner| owner != member.actor.as_str())) {
                return false;
            }
        }
        true
    }
}
