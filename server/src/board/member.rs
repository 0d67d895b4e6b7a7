//! Those who have a board open, and telling them things.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use shared::id::ActorId;
use shared::limits;
use shared::wire::{Address, ServerMessage, presence};

use crate::socket::dialect::Dialect;
use crate::socket::outbox::{Class, End, Outbox, Slot};
use crate::telemetry;

/// As many are told something at once; where more have a board open, their connections' tasks take turns with everything else.
const AT_ONCE: usize = 64;

/// Dialects in which a message is kept once it was encoded. Those of clients that name their sessions are as many as these, and looking
/// through them all for each costs more than encoding once more.
const KEPT: usize = 4;

/// One opening of a board by one connection; unique in the process.
pub(crate) type MemberId = u64;

/// Somebody who has a board open.
pub(crate) struct Member {
    /// Who; rows are written in this name.
    pub actor: ActorId,
    /// Whether they speak `tablehop/1`.
    pub ours: bool,
    /// How their connection frames messages.
    pub dialect: Dialect,
    /// Their connection's queue.
    pub outbox: Arc<Outbox>,
    /// The board's address within the connection.
    pub slot: Slot,
    /// Tells whether they may write this board by the café as it is when it is asked; asked for every edit.
    pub may_write: MayWrite,
}

/// See [`Member::may_write`].
pub(crate) type MayWrite = Box<dyn FnMut() -> bool + Send + Sync>;

impl Member {
    /// Refuses them the board that they have asked for.
    pub fn turn_away(&self, board: &Address, reason: &'static str) {
        metrics::counter!("tablehop_refusals_total", "reason" => reason).increment(1);
        match self.dialect {
            Dialect::Collab(_) => self.answer(board, ServerMessage::Denied { reason: reason.to_owned() }),
            // Has no word for it, and no other address.
            Dialect::Yjs => self.outbox.end(End { code: 4403, reason }),
        }
    }

    /// Tells them something that is waited for.
    pub fn answer(&self, board: &Address, message: ServerMessage) {
        self.answer_as(board, message, Way::AtOnce);
    }

    /// Tells them something that may be dropped when they read too slowly, for they are told anew when they have caught up.
    pub fn tell(&self, board: &Address, message: ServerMessage) {
        if let Some(frame) = self.dialect.encode(board, &message) {
            self.put(Class::Document, frame, Way::AtOnce);
        }
    }

    /// Tells them an answer, in some way.
    pub(super) fn answer_as(&self, board: &Address, message: ServerMessage, way: Way) {
        if let Some(frame) = self.dialect.encode(board, &message) {
            self.put(Class::Answer, frame, way);
        }
    }

    fn put(&self, class: Class, frame: Bytes, way: Way) {
        match way {
            Way::AtOnce => self.outbox.push(self.slot, class, frame),
            Way::Together => self.outbox.gather(self.slot, class, frame),
            Way::InTurn => self.outbox.push_to_wait(self.slot, class, frame),
        }
    }

    /// Tells them something about their board in words, on the workshop's address; ours only.
    pub fn notice(&self, board: &Address, code: &str) {
        if let (true, Address::Board(id)) = (self.ours, board) {
            let workshop = Address::Workshop(id.workshop.clone());
            let text = serde_json::json!({ "type": "notice", "code": code, "board": id.to_string() }).to_string();
            if let Some(frame) = Dialect::Collab(None).encode(&workshop, &ServerMessage::Stateless(text)) {
                self.outbox.push(self.slot, Class::Answer, frame);
            }
        }
    }
}

/// All members of a board, those of a table side by side in memory: each edit goes through them all.
#[derive(Default)]
pub(super) struct Members {
    all: BTreeMap<MemberId, Seat>,
    /// How often each person has the board open.
    openings: HashMap<ActorId, u32>,
}

struct Seat {
    member: Member,
    /// Whether they have asked for the document; before, edits would only be noise to them.
    synced: bool,
    /// The first number of theirs that was refused since they last asked for the document.
    refused: Option<u64>,
}

/// To whom something is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everybody but one.
    AllBut(MemberId),
    /// Everybody.
    All,
}

/// How what is told gets onto the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Each frame by itself, from here.
    AtOnce,
    /// With what else is told in the same breath, from here; [`Members::flush`] has to follow.
    Together,
    /// By the task of each connection, when its turn comes.
    InTurn,
}

impl Members {
    /// How to tell everybody so many things.
    pub fn way(&self, things: usize) -> Way {
        match things {
            _ if self.all.len() > AT_ONCE => Way::InTurn,
            0 | 1 => Way::AtOnce,
            _ => Way::Together,
        }
    }

    /// Writes what was told [`Way::Together`].
    pub fn flush(&self) {
        for seat in self.all.values() {
            seat.member.outbox.write_gathered();
        }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// They have the board open [`limits::OPENINGS_PER_PERSON`] times already; this is given back.
    pub fn insert(&mut self, id: MemberId, member: Member) -> Result<(), Member> {
        let openings = self.openings.entry(member.actor.clone()).or_default();
        if *openings >= limits::OPENINGS_PER_PERSON {
            return Err(member);
        }
        *openings += 1;
        self.all.insert(id, Seat { member, synced: false, refused: None });
        Ok(())
    }

    pub fn remove(&mut self, id: MemberId) {
        let Some(Seat { member, .. }) = self.all.remove(&id) else { return };
        if let Some(openings) = self.openings.get_mut(&member.actor) {
            *openings -= 1;
            if *openings == 0 {
                self.openings.remove(&member.actor);
            }
        }
    }

    pub fn get(&self, id: MemberId) -> Option<&Member> {
        self.all.get(&id).map(|seat| &seat.member)
    }

    /// Whether somebody may write now.
    pub fn may_write(&mut self, id: MemberId) -> bool {
        self.all.get_mut(&id).is_some_and(|seat| (seat.member.may_write)())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.values().map(|seat| &seat.member)
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Notes that somebody gets the document, and from now on the edits.
    pub fn synced(&mut self, id: MemberId) {
        if let Some(seat) = self.all.get_mut(&id) {
            seat.synced = true;
        }
    }

    /// Whether anybody has the document, and so is shown edits.
    pub fn some_have_it(&self) -> bool {
        self.all.values().any(|seat| seat.synced)
    }

    /// Notes that an edit was refused. An acknowledgement covers all lower numbers, so none that is higher may be given (D-1) until they
    /// have asked for the document again, and with that have what they still want stored sent under a new number.
    pub fn refused(&mut self, id: MemberId, number: u64) {
        if let Some(seat) = self.all.get_mut(&id) {
            seat.refused = Some(seat.refused.map_or(number, |first| first.min(number)));
        }
    }

    /// Notes that somebody asks for the document.
    pub fn asks(&mut self, id: MemberId) {
        if let Some(seat) = self.all.get_mut(&id) {
            seat.refused = None;
        }
    }

    /// Whether everything of theirs up to this number is stored once this one is.
    pub fn is_whole_up_to(&self, id: MemberId, number: u64) -> bool {
        self.all.get(&id).is_some_and(|seat| seat.refused.is_none_or(|first| number < first))
    }

    /// Tells many the same; it is encoded once for all who speak alike. An edit goes to those who have the document. Whoever is not ours and
    /// speaks of themselves hears an empty presence, for they drop a connection on which they hear nothing.
    pub fn tell(&self, board: &Address, message: &ServerMessage, audience: Audience, way: Way) {
        let is_edit = matches!(message, ServerMessage::Update { .. });
        let mut encoded: Vec<(&Dialect, Option<Bytes>)> = Vec::new();
        let mut told = 0;
        for (id, Seat { member, synced, .. }) in &self.all {
            let own = audience == Audience::AllBut(*id);
            if (is_edit && (own || !synced)) || (own && member.ours) {
                continue;
            }
            if own {
                if let Some(frame) = member.dialect.encode(board, &ServerMessage::Awareness(presence::encode(&[]))) {
                    member.put(Class::Document, frame, way);
                }
                continue;
            }
            let frame = match encoded.iter().find(|(dialect, _)| *dialect == &member.dialect) {
                Some((_, frame)) => frame.clone(),
                None => {
                    let frame = member.dialect.encode(board, message);
                    if encoded.len() < KEPT {
                        encoded.push((&member.dialect, frame.clone()));
                    }
                    frame
                }
            };
            if let Some(frame) = frame {
                member.put(Class::Document, frame, way);
                told += 1;
            }
        }
        telemetry::per_edit().fan_out.increment(told);
    }
}
