//! Those who have a board open: coming, going, what they are told of each other, and what they lack of the document.

use bytes::Bytes;
use shared::wire::{PresenceEntry, ServerMessage, presence as wire_presence};
use tokio::time::Instant;
use yrs::StateVector;

use super::{Memory, Room, Whole};
use crate::board::member::{Audience, Member, MemberId};

/// Bytes of an answer to a Step1 past which other boards get their turn before the next one is made.
const LARGE: usize = 256 * 1024;
/// People of whom somebody is told in one frame: some 10 KiB of what our page says, and 64 if all say as much as they may.
const GREETED: usize = 64;

impl Room {
    pub(super) fn join(&mut self, id: MemberId, member: Member) {
        self.expects_until = Instant::now();
        if let Err(member) = self.members.insert(id, member) {
            return member.turn_away(&self.address, "too_many_sessions");
        }
        let here = self.presence.welcome(id);
        if !here.is_empty() {
            self.greet(id, &here);
        }
    }

    pub(super) fn leave(&mut self, id: MemberId) {
        self.members.remove(id);
        self.behind.remove(&id);
        self.put_off.remove(&id);
        self.waiting.leaves(id);
        let changes = self.presence.leave(id);
        self.tell_presence(&changes, Audience::AllBut(id));
        self.idle_since = Instant::now();
    }

    /// Tells somebody who is here, and who is not any more. If nobody is, that too is an answer.
    pub(super) fn greet(&self, id: MemberId, here: &[PresenceEntry]) {
        let Some(member) = self.members.get(id) else { return };
        for some in in_frames(here) {
            member.tell(&self.address, ServerMessage::Awareness(wire_presence::encode(some)));
        }
    }

    pub(super) fn tell_presence(&self, changes: &[PresenceEntry], audience: Audience) {
        if !changes.is_empty() {
            let message = ServerMessage::Awareness(wire_presence::encode(changes));
            self.members.tell(&self.address, &message, audience, self.members.way(1));
        }
    }

    /// Answers a Step1: what they lack, then our own Step1, so that who answers that has everything.
    pub(super) async fn sync(&mut self, id: MemberId, state_vector: &StateVector) {
        self.load().await;
        let Memory::Loaded(replica) = &self.memory else {
            self.behind.insert(id);
            return;
        };
        let Some(member) = self.members.get(id) else { return };
        if !member.outbox.may_answer(member.slot) {
            return;
        }
        let kept = self.whole.as_ref().filter(|whole| state_vector.is_empty() && whole.dialect == member.dialect);
        let frames = match kept {
            Some(whole) => whole.frames.clone(),
            None => {
                let answer = [
                    ServerMessage::Step2 { update: replica.diff(state_vector) },
                    ServerMessage::Step1 { state_vector: replica.state_vector() },
                ];
                answer.iter().filter_map(|message| member.dialect.encode(&self.address, message)).collect()
            }
        };
        let is_large = frames.iter().map(Bytes::len).sum::<usize>() > LARGE;
        let lagged = member.outbox.push_sync(member.slot, frames.iter().cloned());
        if state_vector.is_empty() && kept.is_none() {
            self.whole = Some(Whole { dialect: member.dialect.clone(), frames, made: Instant::now() });
        }
        self.members.synced(id);
        if lagged {
            // Presence was dropped together with the edits, farewells too.
            let missed = self.presence.missed_by(id);
            if !missed.is_empty() {
                self.greet(id, &missed);
            }
        }
        if is_large {
            tokio::task::yield_now().await;
        }
    }

    /// Has somebody send again what the server lacks.
    pub(super) fn resync(&self, id: MemberId) {
        let (Some(member), Memory::Loaded(replica)) = (self.members.get(id), &self.memory) else { return };
        if member.ours {
            member.answer(&self.address, ServerMessage::Resync);
        } else {
            // Others answer a Step1 with all that we lack, and count the answer to that.
            member.answer(&self.address, ServerMessage::Step1 { state_vector: replica.state_vector() });
        }
    }
}

/// Presence in parts of which each makes a small frame; at least one.
fn in_frames(mut entries: &[PresenceEntry]) -> Vec<&[PresenceEntry]> {
    let mut frames = Vec::new();
    while entries.len() > GREETED {
        let (some, rest) = entries.split_at(GREETED);
        frames.push(some);
        entries = rest;
    }
    frames.push(entries);
    frames
}
