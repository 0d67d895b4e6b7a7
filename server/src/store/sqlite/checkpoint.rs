//! Folding the write-ahead log into the database, beside the writer: copying pages and syncing the database take longer than a commit,
//! and nobody is to wait for them.
//!
//! A log only begins anew once all of it is folded and nobody reads it. While commits never cease the thread beside the writer is always
//! a little behind; so past [`LONG`] times what is worth folding the writer folds the little that is left itself.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::watch;

use super::{Health, StoreError, writer};

/// Pages of 4 KiB in the log that are worth folding: a busy board's last page is in it many times, and folded once.
const WORTH: u32 = 4_000;
/// How often as many past which the writer lends a hand: 64 MiB.
const LONG: u32 = 4;

/// Pages that are worth folding. `TABLEHOP_FOLD_PAGES` makes them few, so that tests see it done often.
static WORTH_NOW: LazyLock<u32> = LazyLock::new(|| crate::config::for_tests("TABLEHOP_FOLD_PAGES").unwrap_or(WORTH));

thread_local! {
    /// Pages in the log after this thread's last commit, as SQLite counts them.
    static PAGES: Cell<u32> = const { Cell::new(0) };
    /// The count at which the log was last worth folding.
    static FOLDED: Cell<u32> = const { Cell::new(0) };
}

/// The thread beside the writer.
pub(super) struct Checkpointer {
    tell: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpointer {
    /// Moves a connection of its own to a new thread.
    pub(super) fn start(connection: Connection, health: watch::Sender<Health>) -> Result<Self, StoreError> {
        // One order may wait: it folds whatever is there when it is carried out.
        let (tell, told) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || serve(&connection, &told, &health))
            .map_err(|error| StoreError::Io(format!("cannot start the store's second thread: {error}")))?;
        Ok(Self { tell, thread })
    }

    /// Ends the thread after the checkpoint under way.
    pub(super) fn stop(self) {
        drop(self.tell);
        if self.thread.join().is_err() {
            tracing::error!("the store's second thread did not end in order");
        }
    }
}

/// Counts the pages of the log; for the writer's connection, on any thread.
pub(super) fn count_pages(connection: &Connection) {
    // Takes the place of SQLite's own hook, which would checkpoint within the commit and keep its failures to itself.
    connection.wal_hook(Some(|_, pages| {
        PAGES.set(u32::try_from(pages).unwrap_or(0));
        Ok(())
    }));
}

/// For the writer, once everybody has their answer: has the log folded if that is worth it.
pub(super) fn after_commit(connection: &Connection, checkpointer: &Checkpointer, health: &watch::Sender<Health>) {
    let pages = PAGES.get();
    if pages < FOLDED.get() {
        // The log has begun anew.
        FOLDED.set(0);
    }
    if pages < FOLDED.get() + *WORTH_NOW {
        return;
    }
    FOLDED.set(pages);
    tracing::debug!(pages, "folding the write-ahead log");
    if pages >= *WORTH_NOW * LONG {
        fold(connection, health);
    } else if let Err(TrySendError::Disconnected(())) = checkpointer.tell.try_send(()) {
        fold(connection, health);
    }
}

fn serve(connection: &Connection, told: &Receiver<()>, health: &watch::Sender<Health>) {
    while told.recv().is_ok() {
        if *health.borrow() == Health::Broken {
            break;
        }
        fold(connection, health);
    }
}

fn fold(connection: &Connection, health: &watch::Sender<Health>) {
    match run(connection, "PASSIVE") {
        Ok(_) => {}
        Err(error @ StoreError::SyncFailed(_)) => {
            tracing::error!(%error, "folding the write-ahead log failed");
            writer::note(health, Health::Broken);
        }
        // The commits stay in the log, and the next attempt copies them again.
        Err(error) => tracing::warn!(%error, "the write-ahead log could not be folded"),
    }
}

/// Folds all of the log before anybody else has the database open, and empties it. What a process left there that was killed, or whose
/// sync failed, may be in the system's memory alone: this writes it once more, into the database, and syncs that.
pub(super) fn settle(connection: &Connection) -> Result<(), StoreError> {
    empty(connection).map(drop)
}

/// The same, and says whether it is empty now: it is not while another process reads from it.
pub(super) fn empty(connection: &Connection) -> Result<bool, StoreError> {
    run(connection, "TRUNCATE")
}

/// Returns whether nobody was in the way.
fn run(connection: &Connection, mode: &str) -> Result<bool, StoreError> {
    let mut pragma = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
    Ok(pragma.query_row([], |row| row.get::<_, i64>(0))? == 0)
}
