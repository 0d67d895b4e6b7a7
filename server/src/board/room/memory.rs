//! A room's document against the store: loading it, and what follows when a commit or a load fails.

use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::wire::ServerMessage;
use tokio::time::Instant;
use yrs::StateVector;

use super::edits::Staged;
use super::{LOAD_AGAIN, Memory, Room};
use crate::board::BoardError;
use crate::board::ledger::Purpose;
use crate::board::member::Audience;
use crate::board::replica::Replica;
use crate::socket::dialect::Dialect;
use crate::socket::outbox::End;
use crate::store::{Loaded, Page, Row, StoreError};

/// The wait before telling of a failed commit, doubled each time: who is told sends again at once.
const BACK_OFF: Duration = Duration::from_millis(125);
/// Its upper bound.
const BACK_OFF_MAX: Duration = Duration::from_secs(4);
/// How often a board is folded that turns out to need more memory than it has.
const TRIES: usize = 2;

impl Room {
    /// A commit failed: nobody sees anything of it. What the store has is loaded, and the authors send again.
    pub(super) async fn fail(&mut self, staged: Vec<Staged>, error: &StoreError) {
        tracing::error!(board = %self.board, %error, "edits were not stored");
        self.back_off().await;
        for Staged { id, ack, .. } in &staged {
            self.answer_refused(*id, *ack, code_of(error));
            self.behind.insert(*id);
        }
        self.waiting.came_not();
        match error {
            StoreError::Corrupt { what, .. } => {
                self.damages += 1;
                // After the first the store gives every request a savepoint of its own, so that this is about this board alone. That it can
                // be read says nothing of where it has to be written.
                if self.damages > 1 {
                    return self.quarantine(what.clone());
                }
            }
            _ => self.damages = 0,
        }
        self.reload().await;
    }

    /// Throws the document away and loads it.
    pub(super) async fn reload(&mut self) {
        self.memory = Memory::Unloaded;
        match self.fold().await {
            Ok(folded) => self.remember(folded).await,
            Err(error) => self.cannot_load(&error),
        }
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
            Ok(folded) => {
                self.failures = 0;
                self.remember(folded).await;
            }
            Err(error) => {
                // For want of memory nobody is kept waiting: who is refused comes again later.
                self.failures += u32::from(error != BoardError::ServerFull);
                self.cannot_load(&error);
            }
        }
    }

    /// Reads and folds the stream, as soon as there is the memory for it that the board lacks.
    async fn fold(&mut self) -> Result<(Replica, Vec<Row>), BoardError> {
        let purpose = if self.members.is_empty() { Purpose::Opening } else { Purpose::GoingOn };
        // It does not make room for itself.
        self.share.spare.store(0, Ordering::Relaxed);
        for _ in 0..TRIES {
            if !self.inner.find_memory(&mut self.share.held, self.size, purpose).await {
                break;
            }
            let place = self.inner.loading.acquire().await;
            let (mut replica, news) = self.read().await?;
            drop(place);
            let size = replica.size();
            if self.share.held.reach(size, purpose) {
                self.share.held.settle(size);
                self.size = 0;
                return Ok((replica, news));
            }
            // How much it takes is known now. Until that is there it is let go.
            self.size = size;
        }
        tracing::debug!(board = %self.board, size = self.size, "there is no memory for the board");
        Err(BoardError::ServerFull)
    }

    /// Reads the stream and folds it; gives the rows that nobody was shown, too. A snapshot that does not fold, though its checksum holds, is
    /// passed over like a damaged one: the log is its other copy.
    async fn read(&self) -> Result<(Replica, Vec<Row>), StoreError> {
        let mut loaded = self.inner.store.load(self.stream.clone()).await?;
        loop {
            let what = match Replica::load(&loaded) {
                Ok(replica) => return Ok((replica, self.not_shown(loaded).await?)),
                Err(what) => what,
            };
            let Some(snapshot) = &loaded.snapshot else {
                return Err(StoreError::Corrupt { stream: self.stream.to_string(), what });
            };
            tracing::warn!(board = %self.board, snapshot = snapshot.seq, what, "passed over a snapshot that does not fold");
            loaded = self.inner.store.load_below(self.stream.clone(), snapshot.seq).await?;
        }
    }

    /// The rows after the last that was shown. As long as nobody has the document there is nobody to show them to.
    async fn not_shown(&self, loaded: Loaded) -> Result<Vec<Row>, StoreError> {
        let mut rows = match loaded.snapshot {
            _ if !self.members.some_have_it() => return Ok(Vec::new()),
            // Somebody else writes to this stream, and has taken a snapshot of what nobody here has seen.
            Some(snapshot) if snapshot.seq > self.shown => {
                self.inner.store.history(self.stream.clone(), self.shown, Page::ALL).await?
            }
            _ => loaded.rows,
        };
        // What came since this was loaded is not in it.
        rows.retain(|row| row.seq > self.shown && row.seq <= loaded.last_seq);
        Ok(rows)
    }

    /// Keeps what was loaded, shows what of it has not been shown, and has those send again whose edits were not taken.
    async fn remember(&mut self, (replica, news): (Replica, Vec<Row>)) {
        self.shown = replica.seq();
        self.memory = Memory::Loaded(Box::new(replica));
        (self.whole, self.load_again) = (None, None);
        self.floor.inspected(self.board.kind, false);
        for row in &news {
            self.tell_edit(&row.payload, Audience::All, self.members.way(1));
        }
        self.catch_up().await;
    }

    fn cannot_load(&mut self, error: &BoardError) {
        self.failure = Some(error.clone());
        self.load_again = Some(Instant::now() + LOAD_AGAIN);
        if let BoardError::Store(error) = error {
            tracing::error!(board = %self.board, %error, "the board could not be loaded");
            if let StoreError::Corrupt { what, .. } = error {
                self.quarantine(what.clone());
            }
        }
    }

    fn quarantine(&mut self, why: String) {
        self.load_again = None;
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
    pub(super) async fn catch_up(&mut self) {
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
