//! A small pool of reading connections. In a write-ahead log readers neither wait for the writer nor hold it up, and a
//! transaction that begins after a commit sees it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{StoreError, schema};

/// Reads at a time. Loading a board is mostly copying, so a few cores' worth is enough.
const READERS: u32 = 4;

/// Reading connections, opened when first needed.
pub(super) struct Readers {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared { file, idle: Mutex::new(Vec::new()) }),
            permits: Arc::new(Semaphore::new(READERS as usize)),
        }
    }

    /// Runs `work` on a blocking thread, within one read transaction, so that all it reads is of one moment.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let shared = self.shared.clone();
        let done = spawn_blocking(move || {
            let result = shared.run(work);
            // Only now: the connection is back in the pool, or closed.
            drop(permit);
            result
        });
        done.await.map_err(|error| StoreError::Io(format!("a read did not finish: {error}")))?
    }

    /// Waits for the reads under way and closes their connections.
    pub(super) async fn close(&self) {
        // Fails only if it has been closed already.
        if let Ok(all) = self.permits.acquire_many(READERS).await {
            self.permits.close();
            all.forget();
        }
        self.shared.idle().clear();
    }
}

impl Shared {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::connect_reader(&self.file)?,
        };
        let transaction = connection.unchecked_transaction()?;
        let result = work(&transaction);
        // A connection that cannot end its transaction would show the past for ever; it is closed instead.
        if transaction.finish().is_ok() {
            self.idle().push(connection);
        }
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A list of idle connections is sound whatever happened to the thread that held it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
