//! A room's document against the store: loading it, and what follows when a commit or a load fails.

use std::time::Duration;

use shared::wire::ServerMessage;
use yrs::StateVector;

use super::edits::Staged;
use super::{Memory, Room};
use crate::board::member::Audience;
use crate::board::replica::Replica;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::End;
use crate::store::{Row, StoreError};

/// The wait before telling of a failed commit, doubled each time: who is told sends again at once.
const BACK_OFF: Duration = Duration::from_millis(125);
/// Its upper bound.
const BACK_OFF_MAX: Duration = Duration::from_secs(4);

impl Room {
    /// A commit failed: nobody sees anything of it. What the store has is loaded, and the authors send again.
    pub(super) async fn fail(&mut self, staged: Vec<Staged>, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "edits were not stored");
        let before = self.replica().map(Replica::seq).unwrap_or_default();
        self.back_off().await;
        for Staged { id, ack, .. } in &staged {
            self.refuse(*id, *ack, code_of(error));
            self.behind.insert(*id);
        }
        self.waiting.came_not();
        self.reload(before).await;
    }

    /// Throws the document away and loads it. Rows after `before` have not been shown to anybody: now they are.
    pub(super) async fn reload(&mut self, before: u64) {
        self.memory = Memory::Unloaded;
        let news = match self.fold().await {
            Ok((replica, rows)) => {
                self.remember(replica);
                rows
            }
            Err(error) => return self.cannot_load(&error),
        };
        for row in news.iter().filter(|row| row.seq > before) {
            self.tell_edit(&row.payload, Audience::All, self.members.way(1));
        }
        self.catch_up().await;
    }

    /// Loads the document if it is not there.
    pub(super) async fn load(&mut self) {
        if !matches!(self.memory, Memory::Unloaded) {
            return;
        }
        if self.failures > 0 {
            self.back_off().await;
        }
        match self.fold().await {
            Ok((replica, _)) => {
                self.remember(replica);
                self.failures = 0;
                self.catch_up().await;
            }
            Err(error) => {
                self.failures += 1;
                self.cannot_load(&error);
            }
        }
    }

    /// Reads the stream and folds it; gives the rows after the snapshot, too. A snapshot that does not fold, though its checksum holds, is
    /// passed over like a damaged one: the log is its other copy.
    async fn fold(&self) -> Result<(Replica, Vec<Row>), StoreError> {
        let mut loaded = self.inner.store.load(self.stream.clone()).await?;
        loop {
            let what = match Replica::load(&loaded) {
                Ok(replica) => return Ok((replica, loaded.rows)),
                Err(what) => what,
            };
            let Some(snapshot) = &loaded.snapshot else {
                return Err(StoreError::Corrupt { stream: self.stream.to_string(), what });
            };
            tracing::warn!(board = %self.board, snapshot = snapshot.seq, what, "passed over a snapshot that does not fold");
            loaded = self.inner.store.load_below(self.stream.clone(), snapshot.seq).await?;
        }
    }

    fn remember(&mut self, replica: Replica) {
        self.memory = Memory::Loaded(Box::new(replica));
        self.whole = None;
        self.floor.inspected(self.board.kind, false);
    }

    fn cannot_load(&mut self, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "the board could not be loaded");
        self.failure = Some(error.clone());
        if let StoreError::Corrupt { what, .. } = error {
            self.quarantine(what.clone());
        }
    }

    fn quarantine(&mut self, why: String) {
        tracing::error!(
            board = %self.board, why,
            "the board is quarantined: it is served to nobody, and nothing is written to it. Restore it from a backup with `tablehop restore`"
        );
        metrics::counter!("tablehop_boards_quarantined_total").increment(1);
        self.floor.inspected(self.board.kind, true);
        for member in self.members.iter() {
            match member.dialect {
                Dialect::Collab(_) => {
                    member.answer(&self.address, ServerMessage::Close { reason: "board_quarantined".to_owned() });
                }
                // Has no word for it, and no other address.
                Dialect::Yjs => member.outbox.end(End { code: 4403, reason: "board_quarantined" }),
            }
        }
        self.memory = Memory::Quarantined(why);
    }

    /// Has those send again whose edits were not taken.
    async fn catch_up(&mut self) {
        for id in std::mem::take(&mut self.behind) {
            match self.members.get(id) {
                Some(member) if member.ours => self.resync(id),
                // Their own Step1 may not have been answered, and they cannot be asked to send it again.
                Some(_) => Box::pin(self.sync(id, &StateVector::default())).await,
                None => {}
            }
        }
    }

    async fn back_off(&mut self) {
        let wait = BACK_OFF.saturating_mul(1 << self.failures.min(6)).min(BACK_OFF_MAX);
        // The first failure may be the last: it is told at once.
        if self.failures > 0 {
            tokio::time::sleep(wait).await;
        }
        self.failures += 1;
    }
}

/// What those are told whose edit was not stored.
fn code_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full => "store_full",
        _ => "store_unavailable",
    }
}
