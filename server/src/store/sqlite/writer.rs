//! The writer: one thread, one connection, and group commit.
//!
//! It takes everything that is waiting, runs it in one transaction, commits once (one fsync) and only then answers. While the
//! disk works the next batch gathers by itself, so nothing ever waits for company.
//!
//! Invariant: an answer other than an error means that the commit has succeeded.

use std::fs::File;
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::StoreError;

/// Requests that may wait; past it callers wait before they hand over, which slows sockets down instead of filling memory.
const QUEUE: usize = 1024;
/// Requests in one commit: enough to spread an fsync over a whole café, few enough that the first one does not wait long.
const BATCH_REQUESTS: usize = 512;
/// Payload bytes after which a commit takes no further request.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

const COMMITS: &str = "tablehop_store_commits_total";
const FAILURES: &str = "tablehop_store_commit_failures_total";
const BATCH_SIZE: &str = "tablehop_store_batch_requests";
const COMMIT_SECONDS: &str = "tablehop_store_commit_seconds";

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
    pub(super) fn start(connection: Connection, lock: File) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                serve(&connection, waiting);
                drop(connection);
                drop(lock);
            })
            .map_err(|error| StoreError::Io(format!("cannot start the store's thread: {error}")))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` within the next transaction, and resolves after its commit. If `work` fails, only its own changes are undone.
    /// `weight` is the number of bytes it will write, roughly.
    pub(super) async fn run<T, F>(&self, weight: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Pending { work: Some(work), outcome: None, reply, weight });
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

/// One thing to write, with the answer that goes back.
trait Request: Send {
    fn weight(&self) -> usize;
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
}

impl<T, F> Request for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn weight(&self) -> usize {
        self.weight
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

fn serve(connection: &Connection, mut waiting: mpsc::Receiver<Message>) {
    let mut batch: Vec<Box<dyn Request>> = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
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
        if !batch.is_empty() {
            commit(connection, &mut batch);
        }
    }
}

fn commit(connection: &Connection, batch: &mut Vec<Box<dyn Request>>) {
    let started = Instant::now();
    let result = transact(connection, batch);
    match &result {
        Ok(()) => {
            metrics::counter!(COMMITS).increment(1);
            metrics::histogram!(BATCH_SIZE).record(batch.len() as f64);
            metrics::histogram!(COMMIT_SECONDS).record(started.elapsed());
        }
        Err(error) => {
            metrics::counter!(FAILURES).increment(1);
            tracing::error!(%error, requests = batch.len(), "a commit failed");
            if let Err(error) = abandon(connection) {
                tracing::error!(%error, "the failed transaction could not be rolled back");
            }
        }
    }
    for request in batch.drain(..) {
        request.answer(&result);
    }
}

fn transact(connection: &Connection, batch: &mut [Box<dyn Request>]) -> Result<(), StoreError> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(|_| ());
    // Only if an earlier rollback has failed.
    abandon(connection)?;
    execute("BEGIN IMMEDIATE")?;
    for request in batch {
        execute("SAVEPOINT request")?;
        if let Err(error) = request.run(connection) {
            // On a full or failing disk SQLite itself rolls back the whole transaction, the others' rows with it.
            if connection.is_autocommit() {
                return Err(error);
            }
            execute("ROLLBACK TO request")?;
        }
        execute("RELEASE request")?;
    }
    execute("COMMIT")?;
    Ok(())
}

fn abandon(connection: &Connection) -> Result<(), StoreError> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    Ok(())
}
