//! A room's document against the store: loading it, and what follows when a commit or a load fails.

use std::time::Duration;

use shared::wire::ServerMessage;
use yrs::StateVector;

use super::edits::Staged;
use super::{Memory, Room};
use crate::board::member::Audience;
use crate::board::replica::Replica;
use crate::store::{Loaded, StoreError};

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
            self.refuse(*id, *ack, "store_unavailable");
            self.behind.insert(*id);
        }
        self.reload(before).await;
    }

    /// Throws the document away and loads it. Rows after `before` have not been shown to anybody: now they are.
    pub(super) async fn reload(&mut self, before: u64) {
        self.memory = Memory::Unloaded;
        let news = match self.inner.store.load(self.stream.clone()).await {
            Ok(loaded) => {
                self.remember(&loaded);
                loaded.rows
            }
            Err(error) => return self.cannot_load(&error),
        };
        for row in news.iter().filter(|row| row.seq > before) {
            self.tell_edit(&row.payload, Audience::All);
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
        match self.inner.store.load(self.stream.clone()).await {
            Ok(loaded) => {
                self.remember(&loaded);
                self.failures = 0;
                self.catch_up().await;
            }
            Err(error) => {
                self.failures += 1;
                self.cannot_load(&error);
            }
        }
    }

    fn remember(&mut self, loaded: &Loaded) {
        self.memory = match Replica::load(loaded) {
            Ok(replica) => Memory::Loaded(Box::new(replica)),
            Err(why) => self.quarantine(why),
        };
    }

    fn cannot_load(&mut self, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "the board could not be loaded");
        self.failure = Some(error.clone());
        if let StoreError::Corrupt { what, .. } = error {
            self.memory = self.quarantine(what.clone());
        }
    }

    fn quarantine(&self, why: String) -> Memory {
        tracing::error!(board = %self.board, why, "the board is quarantined");
        for member in self.members.iter() {
            member.answer(&self.address, ServerMessage::Close { reason: "board_quarantined".to_owned() });
        }
        Memory::Quarantined(why)
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
