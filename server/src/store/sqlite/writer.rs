//! The writer: one thread, one connection, and group commit.
//!
//! It takes everything that is waiting, runs it in one transaction, commits once (one fsync) and only then answers. While the
//! disk works the next batch gathers by itself. Only while thousands of requests a second come does a batch wait for company, a few
//! milliseconds, because then what commits cost decides how many people the server holds: see [`Pace`].
//!
//! Invariant: an answer other than an error means that the commit has succeeded.
//!
//! Most of what is asked is an append, which fails before it has written anything or not at all; it needs no savepoint of its own, and is
//! one insert. If the database fails one all the same, the batch is undone and told so, and for some time every request gets a savepoint,
//! so that whose stream it is stands alone.
//!
//! A commit that fails for want of space is an error for those in it, and the next one is tried as if nothing had happened. After a sync
//! that failed nothing is tried any more: the system may have thrown the pages away that it could not write, and the next sync would
//! succeed without them (docs/decisions/0016).

use std::fs::File;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::checkpoint::Checkpointer;
use super::journal::{Journal, Taking};
use super::pace::Pace;
use super::{Health, StoreError, checkpoint, log};

/// Requests that may wait; past it callers wait before they hand over, which slows sockets down instead of filling memory.
const QUEUE: usize = 1024;
/// Requests in one commit: enough to spread an fsync over a whole café, few enough that the first one does not wait long.
const BATCH_REQUESTS: usize = 512;
/// Payload bytes after which a commit takes no further request.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Batches with savepoints after one that was undone.
const CAREFUL: u32 = 1_000;

const COMMITS: &str = "tablehop_store_commits_total";
const FAILURES: &str = "tablehop_store_commit_failures_total";
const BATCH_SIZE: &str = "tablehop_store_batch_requests";
const COMMIT_SECONDS: &str = "tablehop_store_commit_seconds";
const WRITABLE: &str = "tablehop_store_writable";

/// Tells the metrics recorder what the numbers mean.
pub(super) fn describe_metrics() {
    metrics::describe_counter!(COMMITS, "Transactions that the store committed");
    metrics::describe_counter!(FAILURES, "Transactions that failed; nothing in them was acknowledged");
    metrics::describe_histogram!(BATCH_SIZE, metrics::Unit::Count, "Requests that shared one commit");
    metrics::describe_histogram!(
        COMMIT_SECONDS,
        metrics::Unit::Seconds,
        "Time from the start of a transaction until it was on disk"
    );
    metrics::describe_gauge!(WRITABLE, "1 while the store takes writes, 0 while the disk is full or failing");
    metrics::gauge!(WRITABLE).set(1.0);
}

/// Notes how well the store can write, and says so where it changed.
pub(super) fn note(health: &watch::Sender<Health>, now: Health) {
    let changed = health.send_if_modified(|health| {
        // Nothing mends a sync that failed.
        let changes = *health != now && *health != Health::Broken;
        if changes {
            *health = now;
        }
        changes
    });
    if !changed {
        return;
    }
    metrics::gauge!(WRITABLE).set(if now == Health::Good { 1.0 } else { 0.0 });
    match now {
        Health::Good => tracing::info!("the store takes writes again"),
        Health::Full => tracing::error!(
            "the disk is full: nothing is saved, and all cafés are read-only until there is room. Nothing that was shown as saved is \
             lost, and devices keep what they could not send. Make room; it goes on by itself"
        ),
        Health::Failing => tracing::error!(
            "the disk does not take writes: nothing is saved, and all cafés are read-only. Nothing that was shown as saved is lost, and \
             devices keep what they could not send. It is tried again every second"
        ),
        Health::Broken => tracing::error!(
            "the disk failed while syncing, so nothing can be said of its latest writes. None of them was acknowledged. The server stops"
        ),
    }
}

/// Handle to the writer thread, which ends when the handle is dropped or stopped.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Work(Box<dyn Request>),
    Stop,
}

impl Writer {
    /// Moves the connection to a new thread. `lock` is released when the last commit is done.
    pub(super) fn start(
        connection: Connection,
        lock: File,
        checkpointer: Checkpointer,
        journal: Arc<Journal>,
        at_rest: Taking,
        health: watch::Sender<Health>,
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let mut desk = Desk { connection, checkpointer, journal, at_rest, health, careful: 0 };
                desk.serve(waiting);
                desk.tidy();
                let Desk { connection, checkpointer, health, .. } = desk;
                // First, so that the writer's is the last connection.
                checkpointer.stop();
                if *health.borrow() == Health::Broken {
                    // Closing would sync once more and believe the answer. Both end with the process.
                    std::mem::forget(connection);
                    std::mem::forget(lock);
                }
            })
            .map_err(|error| StoreError::Io(format!("cannot start the store's thread: {error}")))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` within the next transaction, and resolves after its commit. If `work` fails, only its own changes are undone.
    /// `weight` is the number of bytes it will write, roughly.
    pub(super) async fn run<T, F>(&self, weight: usize, kind: Kind, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Pending { work: Some(work), outcome: None, reply, weight, kind });
        self.queue.send(Message::Work(request)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits what is waiting, ends the thread and waits for its end.
    pub(super) async fn stop(&self) {
        // Held to the end, so that a second caller does not return before the thread has ended.
        let mut thread = self.thread.lock().await;
        // Fails only if the thread has gone already.
        let _ = self.queue.send(Message::Stop).await;
        if let Some(thread) = thread.take()
            && !matches!(tokio::task::spawn_blocking(move || thread.join()).await, Ok(Ok(())))
        {
            tracing::error!("the store's thread did not end in order");
        }
    }

    /// Requests handed over that the thread has not taken up yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// What a request leaves behind when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, unless the database itself fails: it looks before it writes.
    Clean,
    /// Perhaps a part of what it had to write.
    Partial,
}

/// One thing to write, with the answer that goes back.
trait Request: Send {
    fn weight(&self) -> usize;
    fn kind(&self) -> Kind;
    /// Does the work, once, and keeps the outcome.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Answers with the outcome, or with the reason why the whole batch failed.
    fn answer(self: Box<Self>, batch: &Result<(), StoreError>);
}

struct Pending<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    weight: usize,
    kind: Kind,
}

impl<T, F> Request for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let outcome = match self.work.take() {
            Some(work) => work(connection),
            None => Err(StoreError::Closed),
        };
        let result = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        result
    }

    fn answer(self: Box<Self>, batch: &Result<(), StoreError>) {
        let answer = match batch {
            Ok(()) => self.outcome.unwrap_or(Err(StoreError::Closed)),
            // Even a conflict: it may be one with a row of this very batch, which does not exist any more.
            Err(error) => Err(error.clone()),
        };
        // Whoever asked may have gone; the row stays.
        let _ = self.reply.send(answer);
    }
}

/// What the thread works with.
struct Desk {
    connection: Connection,
    checkpointer: Checkpointer,
    journal: Arc<Journal>,
    /// What the journal takes while few write.
    at_rest: Taking,
    health: watch::Sender<Health>,
    /// Batches that still get savepoints throughout.
    careful: u32,
}

impl Desk {
    fn serve(&mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut batch: Vec<Box<dyn Request>> = Vec::new();
        let mut pace = Pace::new(Instant::now());
        while let Some(first) = waiting.blocking_recv() {
            if let Some(pause) = pace.pause(Instant::now()) {
                std::thread::sleep(pause);
            }
            pace.begin(Instant::now());
            let mut weight = 0;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Work(request) => {
                        weight += request.weight();
                        batch.push(request);
                    }
                    // What is in the queue is still received; nothing new gets in.
                    Message::Stop => waiting.close(),
                }
                let room = batch.len() < BATCH_REQUESTS && weight < BATCH_BYTES;
                next = if room { waiting.try_recv().ok() } else { None };
            }
            pace.count(batch.len());
            if !batch.is_empty() {
                let taking = if pace.is_busy() { Taking::All } else { self.at_rest };
                self.commit(&mut batch, taking);
            }
        }
    }

    /// Files what is left in the journal. What cannot be filed stays there, and is filed with the next start.
    fn tidy(&mut self) {
        let mut before = usize::MAX;
        while *self.health.borrow() != Health::Broken && (1..before).contains(&self.journal.waiting()) {
            before = self.journal.waiting();
            self.commit(&mut Vec::new(), Taking::Rest);
        }
    }

    fn commit(&mut self, batch: &mut Vec<Box<dyn Request>>, taking: Taking) {
        let started = Instant::now();
        let result = if *self.health.borrow() == Health::Broken {
            Err(StoreError::SyncFailed("the server is stopping".to_owned()))
        } else {
            let careful = self.careful > 0;
            self.journal.begin(if careful { Taking::Rest } else { taking });
            transact(&self.connection, &self.journal, batch, careful)
        };
        self.careful = self.careful.saturating_sub(1);
        match &result {
            Ok(()) => {
                self.journal.committed();
                metrics::counter!(COMMITS).increment(1);
                metrics::histogram!(BATCH_SIZE).record(batch.len() as f64);
                metrics::histogram!(COMMIT_SECONDS).record(started.elapsed());
                // That a small commit finds room on a full disk does not mean that there is any: see `SqliteStore::keep_watch`.
                if *self.health.borrow() == Health::Failing {
                    note(&self.health, Health::Good);
                }
            }
            Err(error) => self.failed(error, batch.len()),
        }
        for request in batch.drain(..) {
            request.answer(&result);
        }
        if result.is_ok() {
            checkpoint::after_commit(&self.connection, &self.checkpointer, &self.health);
        }
    }

    fn failed(&mut self, error: &StoreError, requests: usize) {
        log::forget_tails();
        self.journal.undone();
        self.careful = CAREFUL;
        metrics::counter!(FAILURES).increment(1);
        tracing::error!(%error, requests, "a commit failed");
        // Before anybody is answered, so that who hears of the failure finds out why.
        match error {
            StoreError::Full => note(&self.health, Health::Full),
            StoreError::SyncFailed(_) => return note(&self.health, Health::Broken),
            // A damaged page says nothing about the disk's taking writes.
            StoreError::Corrupt { .. } => {}
            _ => note(&self.health, Health::Failing),
        }
        if let Err(error) = abandon(&self.connection) {
            tracing::error!(%error, "the failed transaction could not be rolled back");
        }
    }
}

fn transact(
    connection: &Connection,
    journal: &Journal,
    batch: &mut [Box<dyn Request>],
    careful: bool,
) -> Result<(), StoreError> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(|_| ());
    // Only if an earlier rollback has failed.
    abandon(connection)?;
    execute("BEGIN IMMEDIATE")?;
    for request in batch {
        let guarded = careful || request.kind() == Kind::Partial;
        if guarded {
            execute("SAVEPOINT request")?;
        }
        if let Err(error) = request.run(connection) {
            // On a full or failing disk SQLite itself rolls back the whole transaction, the others' rows with it.
            if connection.is_autocommit() {
                return Err(error);
            }
            match error {
                _ if guarded => {
                    execute("ROLLBACK TO request")?;
                    log::forget_tails();
                }
                StoreError::Conflict { .. } => {}
                error => return Err(error),
            }
        }
        if guarded {
            execute("RELEASE request")?;
        }
    }
    journal.write(connection)?;
    execute("COMMIT")?;
    Ok(())
}

fn abandon(connection: &Connection) -> Result<(), StoreError> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    Ok(())
}
