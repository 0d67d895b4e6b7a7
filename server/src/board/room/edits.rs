//! The way of an edit through a room: onto the document, into the log, to its author and the others.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use shared::wire::ServerMessage;
use tokio::time::Instant;

use super::{Ack, Edit, LOAD_AGAIN, Memory, Room, TAKE_AGAIN};
use crate::board::BoardError;
use crate::board::member::{Audience, MemberId, Way};
use crate::board::replica::{Replica, Spoilt, Unfit};
use crate::clock;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::End;
use crate::store::{NewRow, Snapshot};
use crate::telemetry;

/// New rows after which a board that is never idle gets one too, so that a crash does not cost a long replay.
const SNAPSHOT_ROWS_AWAKE: u64 = 5_000;

/// The same now. `TABLEHOP_SNAPSHOT_ROWS` makes them few, so that tests see it done often.
static ROWS_AWAKE: LazyLock<u64> =
    LazyLock::new(|| crate::config::for_tests("TABLEHOP_SNAPSHOT_ROWS").map_or(SNAPSHOT_ROWS_AWAKE, u64::from));

/// How long after an edit was put off by a board that rests it is asked for again.
const RESTING: Duration = Duration::from_secs(60);

/// An edit that has been applied to the document, and waits for its commit.
pub(super) struct Staged {
    pub(super) id: MemberId,
    pub(super) ack: Ack,
    /// What it changed; `None` if all of it was known.
    pub(super) row: Option<NewRow>,
    /// Whether everything that its sender sent before it, and wants stored, is stored once this is: its number covers that.
    pub(super) whole: bool,
}

fn count_refusal(why: &'static str) {
    metrics::counter!("tablehop_refusals_total", "reason" => why).increment(1);
}

impl Room {
    pub(super) async fn stage(&mut self, edit: Edit, staged: &mut Vec<Staged>) {
        let Edit { id, ack, allowed, .. } = edit;
        let update = &edit.update;
        if self.members.get(id).is_none() {
            return;
        }
        if !matches!(self.memory, Memory::Loaded(_)) {
            self.load().await;
        }
        let Memory::Loaded(replica) = &mut self.memory else {
            self.refuse(id, ack, self.not_loaded(), staged);
            self.behind.insert(id);
            return;
        };
        // It may have waited for seconds, for the store or for its turn, and a right that was taken away since then is gone (H-21).
        if !allowed || !self.members.may_write(id) {
            match replica.holds(update) {
                true => staged.push(Staged { id, ack, row: None, whole: self.is_whole(id, ack) }),
                false => self.refuse(id, ack, "read_only", staged),
            }
            return;
        }
        if self.hurt.rests(Instant::now) {
            match replica.holds(update) {
                true => staged.push(Staged { id, ack, row: None, whole: self.is_whole(id, ack) }),
                false => self.take_later(id, ack, "board_resting", RESTING, staged),
            }
            return;
        }
        match replica.check_within(update, Some(&mut self.share.held)) {
            Ok(()) => {}
            // It is asked for again when what it waits for has come.
            Err(Unfit::Gap) if self.waiting.waits(id) => return self.refuse(id, ack, "resync", staged),
            Err(Unfit::Gap) => {
                // Something before it was refused, or is missing at its sender's own source.
                self.refuse(id, ack, "resync", staged);
                return self.resync(id);
            }
            Err(Unfit::Foreign) => return Box::pin(self.stage_part(edit, staged)).await,
            Err(Unfit::Full) => return self.refuse(id, ack, "board_full", staged),
            Err(Unfit::NoMemory) => {
                self.inner.ledger.refuses();
                let (_, others_go) = self.inner.sweep();
                let after = if others_go { LOAD_AGAIN } else { TAKE_AGAIN };
                return self.take_later(id, ack, "server_full", after, staged);
            }
            Err(Unfit::Lazy) => return self.expel(id, End { code: 1002, reason: "lazy_type" }),
            Err(Unfit::Misplaced) => return self.expel(id, End { code: 1002, reason: "misplaced" }),
            Err(Unfit::Crowded) => return self.expel(id, End { code: 1002, reason: "crowded" }),
        }
        match replica.apply(update) {
            Ok(delta) => {
                self.whole = None;
                self.put_off.remove(&id);
                let actor = self.members.get(id).map(|member| member.actor.to_string()).unwrap_or_default();
                let row = delta.map(|delta| NewRow { principal: actor, at: clock::now(), payload: delta.into() });
                self.waiting.comes(&update.inserted);
                staged.push(Staged { id, ack, row, whole: self.is_whole(id, ack) });
            }
            Err(spoilt) => {
                tracing::warn!(board = %self.board, why = ?spoilt, "an update was not taken");
                let (code, reason) = match spoilt {
                    Spoilt::Broken(_) | Spoilt::Leaked(_) => (1002, "bad_update"),
                    Spoilt::TextTooLong => (1009, "text_too_long"),
                    Spoilt::TooManyRoots => (1002, "too_many_roots"),
                };
                self.expel(id, End { code, reason });
                if let Spoilt::Leaked(lost) = spoilt {
                    self.is_hurt(lost);
                }
                self.rebuild(staged).await;
            }
        }
    }

    /// Refuses an edit that may be taken as it is later, and has it sent again then. Its sender is told why once.
    fn take_later(&mut self, id: MemberId, ack: Ack, why: &'static str, after: Duration, staged: &mut Vec<Staged>) {
        let is_news = self.put_off.insert(id);
        self.refuse(id, ack, if is_news { why } else { "resync" }, staged);
        self.behind.insert(id);
        self.load_again.get_or_insert_with(|| Instant::now() + after);
    }

    /// What those are told who write while the document is not there.
    fn not_loaded(&self) -> &'static str {
        match self.failure {
            Some(BoardError::ServerFull) => "server_full",
            _ => "store_unavailable",
        }
    }

    fn is_whole(&self, id: MemberId, ack: Ack) -> bool {
        match ack {
            Ack::Number(n) => self.members.is_whole_up_to(id, n),
            Ack::Status | Ack::Refused | Ack::Answered => true,
        }
    }

    /// Loads the document anew and applies what is about to be committed.
    async fn rebuild(&mut self, staged: &mut Vec<Staged>) {
        let steps = self.replica().map(Replica::steps).unwrap_or_default();
        self.memory = Memory::Unloaded;
        self.load().await;
        let replayed = match &mut self.memory {
            Memory::Loaded(replica) => {
                replica.took(steps);
                let mut rows = staged.iter().filter_map(|staged| staged.row.as_ref());
                rows.try_for_each(|row| replica.replay(&row.payload)).is_ok()
            }
            _ => false,
        };
        if !replayed {
            for Staged { id, ack, .. } in staged.drain(..) {
                self.answer_refused(id, ack, self.not_loaded());
                self.behind.insert(id);
            }
            self.waiting.came_not();
            if matches!(self.memory, Memory::Loaded(_)) {
                self.memory = Memory::Unloaded;
                self.load_again = Some(Instant::now() + LOAD_AGAIN);
            }
        }
    }

    pub(super) async fn commit(&mut self, staged: Vec<Staged>) {
        if staged.is_empty() {
            return;
        }
        let rows: Vec<NewRow> = staged.iter().filter_map(|staged| staged.row.clone()).collect();
        let mut shown = false;
        if !rows.is_empty() {
            let count = rows.len() as u64;
            let started = Instant::now();
            let outcome = self.inner.store.append(self.stream.clone(), None, rows).await;
            telemetry::per_edit().commit_seconds.record(started.elapsed().as_secs_f64());
            match outcome {
                Ok(seq) => shown = self.committed(seq, count).await,
                Err(error) => return self.fail(staged, &error).await,
            }
            telemetry::per_edit().edits.increment(count);
            self.edits = self.edits.saturating_add(u16::try_from(count).unwrap_or(u16::MAX));
        }
        let way = self.members.way(staged.len());
        self.acknowledge(&staged, way);
        for Staged { id, row, .. } in staged {
            if let Some(row) = row.filter(|_| !shown) {
                self.tell_edit(&row.payload, Audience::AllBut(id), way);
            }
        }
        if way == Way::Together {
            self.members.flush();
        }
        for id in self.waiting.came() {
            self.resync(id);
        }
    }

    /// Returns whether everybody was shown it already.
    async fn committed(&mut self, seq: u64, count: u64) -> bool {
        (self.failures, self.damages) = (0, 0);
        let Memory::Loaded(replica) = &mut self.memory else { return false };
        let expected = replica.seq() + count;
        replica.committed(seq, count);
        if seq != expected {
            // Somebody else writes to this stream, too: what they wrote is in the store, and is shown together with this.
            self.reload().await;
            return matches!(self.memory, Memory::Loaded(_));
        }
        self.shown = seq;
        if replica.unfolded() >= *ROWS_AWAKE {
            let payload = replica.snapshot();
            replica.folded();
            let Some(payload) = payload else {
                tracing::warn!(board = %self.board, "no snapshot: it could not be read again; the log is kept as it is");
                return false;
            };
            let snapshot = Snapshot { seq, payload: payload.into() };
            let (saving, board) = (self.inner.store.save_snapshot(self.stream.clone(), snapshot), self.board.clone());
            // Those who wait for their acknowledgement do not wait for this.
            tokio::spawn(async move {
                if let Err(error) = saving.await {
                    tracing::warn!(%board, %error, "no snapshot");
                }
            });
        }
        false
    }

    fn acknowledge(&self, staged: &[Staged], way: Way) {
        let stored = staged.iter().filter(|staged| matches!(staged.ack, Ack::Status | Ack::Number(_))).count();
        telemetry::per_edit().acks.increment(stored as u64);
        // A later number covers the earlier ones of the same member.
        let mut numbers: Vec<(MemberId, u64)> = Vec::new();
        for Staged { id, ack, whole, .. } in staged.iter().rev() {
            match ack {
                Ack::Number(n) if *whole && numbers.iter().all(|(told, _)| told != id) => numbers.push((*id, *n)),
                _ => {}
            }
        }
        for Staged { id, ack, .. } in staged {
            if let (Ack::Status | Ack::Refused, Some(member)) = (ack, self.members.get(*id)) {
                member.answer_as(&self.address, ServerMessage::SyncStatus(*ack == Ack::Status), way);
            }
        }
        for (id, n) in numbers {
            if let Some(member) = self.members.get(id) {
                member.answer_as(&self.address, ServerMessage::DurableUpTo { n }, way);
            }
        }
    }

    pub(super) fn tell_edit(&self, payload: &Bytes, audience: Audience, way: Way) {
        self.members.tell(&self.address, &ServerMessage::Update { update: payload.to_vec() }, audience, way);
    }

    /// Answers an edit that was not taken. Nothing was changed. Those who count answers hear this one behind those to what they sent before it.
    pub(super) fn refuse(&mut self, id: MemberId, ack: Ack, why: &'static str, staged: &mut Vec<Staged>) {
        match ack {
            Ack::Status if staged.iter().any(|staged| staged.id == id) => {
                count_refusal(why);
                let ack = if self.is_told(id, why) { Ack::Refused } else { Ack::Answered };
                staged.push(Staged { id, ack, row: None, whole: false });
            }
            _ => self.answer_refused(id, ack, why),
        }
    }

    /// Answers what was not stored: an edit that had been staged, or one that nothing of its sender was staged before.
    pub(super) fn answer_refused(&mut self, id: MemberId, ack: Ack, why: &'static str) {
        if matches!(ack, Ack::Status | Ack::Number(_)) {
            count_refusal(why);
        }
        if let Ack::Number(n) = ack {
            self.members.refused(id, n);
        }
        let Some(member) = self.members.get(id) else { return };
        match ack {
            Ack::Status if !self.is_told(id, why) => {}
            Ack::Status | Ack::Refused => member.answer(&self.address, ServerMessage::SyncStatus(false)),
            // What may be done now its session says, and perhaps has said since this edit came. With the right to write, what is not
            // acknowledged is sent again. That something is sent once more is nothing that people need to hear of.
            Ack::Number(_) if why != "resync" => member.notice(&self.address, why),
            Ack::Number(_) | Ack::Answered => {}
        }
    }

    /// y-websocket clients take a refusal for a lack of rights; what they are asked for again is none.
    fn is_told(&self, id: MemberId, why: &str) -> bool {
        let is_yjs = self.members.get(id).is_some_and(|member| member.dialect == Dialect::Yjs);
        !is_yjs || matches!(why, "read_only" | "board_full")
    }

    /// Ends the connection of somebody whose message was bad; the others do not notice.
    fn expel(&self, id: MemberId, end: End) {
        metrics::counter!("tablehop_refusals_total", "reason" => end.reason).increment(1);
        if let Some(member) = self.members.get(id) {
            member.outbox.end(end);
        }
    }
}
