//! A store that fails on demand, around another one: for tests of everything that stands on the store.
//!
//! Without a fault it passes everything through, and keeps the same contract as the store inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::{Fut, Health, Loaded, NewRow, Page, Row, Snapshot, Store, StoreError, StreamId, TokenRecord};

/// Wraps a store; its [`Faults`] decide what goes wrong.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Arc<Faults>,
}

impl FaultyStore {
    /// A wrapper without any fault yet, and the switches for it.
    pub fn new(inner: Arc<dyn Store>) -> (Self, Arc<Faults>) {
        let faults = Arc::new(Faults::default());
        (Self { inner, faults: faults.clone() }, faults)
    }
}

/// The switches of a [`FaultyStore`]. They act on everything that is asked, or still held, after they are set.
pub struct Faults {
    plan: watch::Sender<Plan>,
    held: watch::Sender<usize>,
    health: watch::Sender<Health>,
    appends: AtomicU64,
    loads: AtomicU64,
}

#[derive(Clone, Default)]
struct Plan {
    hold_writes: bool,
    writes: WriteFault,
    reads: Option<StoreError>,
    damaged: Vec<StreamId>,
}

#[derive(Clone, Default)]
enum WriteFault {
    #[default]
    None,
    Refuse(StoreError),
    LoseAnswer(StoreError),
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            plan: watch::Sender::new(Plan::default()),
            held: watch::Sender::new(0),
            health: watch::Sender::new(Health::Good),
            appends: AtomicU64::new(0),
            loads: AtomicU64::new(0),
        }
    }
}

impl Faults {
    /// Every write fails with `error`, and nothing is written. The store's health follows.
    pub fn refuse_writes(&self, error: StoreError) {
        self.health.send_replace(match error {
            StoreError::Full => Health::Full,
            StoreError::SyncFailed(_) => Health::Broken,
            _ => Health::Failing,
        });
        self.plan.send_modify(|plan| plan.writes = WriteFault::Refuse(error));
    }

    /// Every write is done, but reported as failed with `error`: the answer got lost.
    pub fn lose_answers(&self, error: StoreError) {
        self.plan.send_modify(|plan| plan.writes = WriteFault::LoseAnswer(error));
    }

    /// Every read fails with `error`.
    pub fn refuse_reads(&self, error: StoreError) {
        self.plan.send_modify(|plan| plan.reads = Some(error));
    }

    /// Loading this stream, or reading its history, finds it damaged.
    pub fn damage(&self, stream: StreamId) {
        self.plan.send_modify(|plan| plan.damaged.push(stream));
    }

    /// Every write waits, as on a very slow disk, until [`Faults::release_writes`] or [`Faults::heal`].
    pub fn hold_writes(&self) {
        self.plan.send_modify(|plan| plan.hold_writes = true);
    }

    /// Lets the held writes go on, into whatever other fault is set.
    pub fn release_writes(&self) {
        self.plan.send_modify(|plan| plan.hold_writes = false);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.plan.send_replace(Plan::default());
        self.health.send_replace(Health::Good);
    }

    /// Resolves as soon as at least `count` writes are being held.
    pub async fn writes_held(&self, count: usize) {
        // The sender is `self`, so the wait cannot end for want of one.
        let _ = self.held.subscribe().wait_for(|held| *held >= count).await;
    }

    /// Appends asked for so far, whatever became of them.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// Loads asked for so far, whatever became of them.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    async fn pass_hold(&self) {
        let mut plan = self.plan.subscribe();
        if !plan.borrow().hold_writes {
            return;
        }
        let _count = Held::count(&self.held);
        // As above: the sender outlives the wait.
        let _ = plan.wait_for(|plan| !plan.hold_writes).await;
    }
}

/// Counts a held write for as long as it lives, so that a cancelled one is not counted for ever.
struct Held<'a>(&'a watch::Sender<usize>);

impl<'a> Held<'a> {
    fn count(held: &'a watch::Sender<usize>) -> Self {
        held.send_modify(|held| *held += 1);
        Self(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

impl FaultyStore {
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Fut<Result<T, StoreError>> + Send + 'static,
    ) -> Fut<Result<T, StoreError>> {
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        Box::pin(async move {
            faults.pass_hold().await;
            let fault = faults.plan.borrow().writes.clone();
            match fault {
                WriteFault::None => work(&*inner).await,
                WriteFault::Refuse(error) => Err(error),
                WriteFault::LoseAnswer(error) => work(&*inner).await.and(Err(error)),
            }
        })
    }

    fn read<T: Send + 'static>(
        &self,
        stream: Option<StreamId>,
        work: impl FnOnce(&dyn Store) -> Fut<Result<T, StoreError>> + Send + 'static,
    ) -> Fut<Result<T, StoreError>> {
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        Box::pin(async move {
            let fault = {
                let plan = faults.plan.borrow();
                let damaged = stream.filter(|stream| plan.damaged.contains(stream)).map(|stream| StoreError::Corrupt {
                    stream: stream.to_string(),
                    what: "damaged on purpose".to_owned(),
                });
                plan.reads.clone().or(damaged)
            };
            match fault {
                None => work(&*inner).await,
                Some(error) => Err(error),
            }
        })
    }
}

impl Store for FaultyStore {
    fn append(&self, stream: StreamId, expected: Option<u64>, rows: Vec<NewRow>) -> Fut<Result<u64, StoreError>> {
        self.faults.appends.fetch_add(1, Ordering::Relaxed);
        self.write(move |store| store.append(stream, expected, rows))
    }

    fn load(&self, stream: StreamId) -> Fut<Result<Loaded, StoreError>> {
        self.faults.loads.fetch_add(1, Ordering::Relaxed);
        self.read(Some(stream.clone()), move |store| store.load(stream))
    }

    fn load_below(&self, stream: StreamId, below: u64) -> Fut<Result<Loaded, StoreError>> {
        self.read(Some(stream.clone()), move |store| store.load_below(stream, below))
    }

    fn history(&self, stream: StreamId, after: u64, page: Page) -> Fut<Result<Vec<Row>, StoreError>> {
        self.read(Some(stream.clone()), move |store| store.history(stream, after, page))
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) -> Fut<Result<(), StoreError>> {
        self.write(move |store| store.save_snapshot(stream, snapshot))
    }

    fn put_token(&self, hash: [u8; 32], token: TokenRecord) -> Fut<Result<(), StoreError>> {
        self.write(move |store| store.put_token(hash, token))
    }

    fn token(&self, hash: [u8; 32]) -> Fut<Result<Option<TokenRecord>, StoreError>> {
        self.read(None, move |store| store.token(hash))
    }

    fn revoke_token(&self, hash: [u8; 32], at: u64) -> Fut<Result<(), StoreError>> {
        self.write(move |store| store.revoke_token(hash, at))
    }

    fn revoke_participant(&self, workshop: String, participant: String, at: u64) -> Fut<Result<(), StoreError>> {
        self.write(move |store| store.revoke_participant(workshop, participant, at))
    }

    fn links(&self, workshop: String) -> Fut<Result<Vec<TokenRecord>, StoreError>> {
        self.read(None, move |store| store.links(workshop))
    }

    fn reserve_join_code(&self, code: String, workshop: String) -> Fut<Result<bool, StoreError>> {
        self.write(move |store| store.reserve_join_code(code, workshop))
    }

    fn workshop_by_join_code(&self, code: String) -> Fut<Result<Option<String>, StoreError>> {
        self.read(None, move |store| store.workshop_by_join_code(code))
    }

    fn bind_clients(&self, workshop: String, principal: String, clients: Vec<u64>) -> Fut<Result<(), StoreError>> {
        self.write(move |store| store.bind_clients(workshop, principal, clients))
    }

    fn clients_of(&self, workshop: String, principal: String) -> Fut<Result<Vec<u64>, StoreError>> {
        self.read(None, move |store| store.clients_of(workshop, principal))
    }

    fn client_owner(&self, workshop: String, client: u64) -> Fut<Result<Option<String>, StoreError>> {
        self.read(None, move |store| store.client_owner(workshop, client))
    }

    fn check(&self) -> Fut<Result<(), StoreError>> {
        self.write(|store| store.check())
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.faults.health.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::super::{NewRow, SqliteStore, Store, StoreError, StreamId};
    use super::{Faults, FaultyStore};

    fn open() -> (tempfile::TempDir, FaultyStore, Arc<Faults>) {
        let dir = tempfile::tempdir().unwrap();
        let (store, faults) = FaultyStore::new(Arc::new(SqliteStore::open(dir.path()).unwrap()));
        (dir, store, faults)
    }

    fn board() -> StreamId {
        StreamId::board("b")
    }

    fn row() -> Vec<NewRow> {
        vec![NewRow { principal: "p".to_owned(), at: 1, payload: Bytes::from_static(b"x") }]
    }

    #[tokio::test]
    async fn refused_writes_leave_nothing() {
        let (_dir, store, faults) = open();
        faults.refuse_writes(StoreError::Full);
        assert_eq!(store.append(board(), None, row()).await, Err(StoreError::Full));
        assert_eq!(store.check().await, Err(StoreError::Full));
        faults.heal();
        assert_eq!(store.load(board()).await.unwrap().last_seq, 0);
        assert_eq!(store.append(board(), None, row()).await, Ok(1));
        assert_eq!(faults.appends(), 2);
    }

    #[tokio::test]
    async fn lost_answers_leave_the_row() {
        let (_dir, store, faults) = open();
        let lost = StoreError::Io("lost".to_owned());
        faults.lose_answers(lost.clone());
        assert_eq!(store.append(board(), None, row()).await, Err(lost));
        assert_eq!(store.load(board()).await.unwrap().last_seq, 1);
    }

    #[tokio::test]
    async fn held_writes_wait() {
        let (_dir, store, faults) = open();
        faults.hold_writes();
        let held = tokio::spawn(store.append(board(), None, row()));
        let cancelled = tokio::spawn(store.append(board(), None, row()));
        faults.writes_held(2).await;
        cancelled.abort();
        assert!(cancelled.await.is_err());
        assert!(!held.is_finished());
        assert_eq!(store.load(board()).await.unwrap().last_seq, 0);
        faults.release_writes();
        assert_eq!(held.await.unwrap(), Ok(1));
        assert_eq!(*faults.held.borrow(), 0);
    }

    #[tokio::test]
    async fn reads_fail_as_told() {
        let (_dir, store, faults) = open();
        store.append(board(), None, row()).await.unwrap();
        faults.damage(board());
        assert!(matches!(store.load(board()).await, Err(StoreError::Corrupt { .. })));
        assert!(store.load(StreamId::board("other")).await.is_ok());
        faults.refuse_reads(StoreError::Closed);
        assert_eq!(store.token([0; 32]).await, Err(StoreError::Closed));
        faults.heal();
        assert_eq!(store.load(board()).await.unwrap().last_seq, 1);
    }
}
