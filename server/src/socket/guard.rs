//! Whose edit is it? Between the bytes of an update and the document: scan, decode, attribute.
//!
//! A client can only write structs under client ids that the server gave to its principal (invariant 3). Clients that are not ours
//! draw their ids themselves; one that nobody has is given to the first who uses it.

use std::collections::BTreeSet;

use shared::id::{ActorId, WorkshopId};
use shared::limits;
use shared::wire::scan::{self, Checked, Placed, Range, ScanError, SharedType};
use tokio::time::Instant;

use super::allowance::Allowance;
use crate::draw;
use crate::store::{Store, StoreError};

/// Unknown ids that are looked up one by one; more are looked up at once.
const FEW: usize = 4;
/// Client ids bound beside those that are asked for, and given out by the same connection later: changing table then asks nothing of the
/// store, where a whole café does so at once.
const SPARE: usize = 3;
/// Draws for a free client id, of which 2^32 exist.
const DRAWS: usize = 8;

/// The client ids of one connection's principal, as far as it has used them.
#[derive(Debug, Default)]
pub struct Guard {
    /// Ids known to be the principal's own, ascending.
    own: Vec<u64>,
    /// Those of them that were bound and not yet given out.
    spare: Vec<u64>,
    /// Those that were given out and could not be bound yet.
    lent: Vec<u64>,
    claims: usize,
    /// How many the principal holds in all, once asked.
    held: Option<usize>,
}

/// Why an edit cannot be attributed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// It is no update, or a dangerous one.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The principal holds too many ids.
    #[error("too many client ids")]
    TooMany,
    /// The principal has had the register read too often.
    #[error("too many unknown client ids")]
    TooFast,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An update that may be given to a board, with what is known of it. Not decoded: a decoded one cannot go from one task to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Attributed {
    /// The v1 update; it was scanned and can be decoded.
    pub bytes: Vec<u8>,
    /// What it inserts, ascending.
    pub inserted: Vec<Range>,
    /// What it deletes, ascending.
    pub deleted: Vec<Range>,
    /// Clients and clocks it refers to without bringing them.
    pub needs: Vec<(u64, u32)>,
    /// The shared types it brings.
    pub types: Vec<SharedType>,
    /// Whether it puts one into a type that it does not bring.
    pub lazy: bool,
    /// Where it puts its items; see [`Checked::items`].
    pub items: Vec<Placed>,
    /// Bytes of memory that its shared types and values take; see [`Checked::content`].
    pub content: usize,
    /// Client ids in it that are not its sender's, ascending.
    pub foreign: Vec<u64>,
}

impl Attributed {
    /// Scans an update and takes it for its sender's own.
    ///
    /// # Errors
    /// It is no update, or a dangerous one.
    pub fn scan(bytes: Vec<u8>) -> Result<Self, ScanError> {
        let Checked { inserted, deleted, needs, types, lazy, items, content, .. } = scan::check(&bytes)?;
        Ok(Self { bytes, inserted, deleted, needs, types, lazy, items, content, foreign: Vec::new() })
    }
}

/// A principal, as the register of client ids knows it.
#[derive(Clone, Copy)]
pub struct Holder<'a> {
    /// The register.
    pub store: &'a dyn Store,
    /// The workshop within which ids are unique.
    pub workshop: &'a WorkshopId,
    /// Who.
    pub actor: &'a ActorId,
    /// How often the register may still be read for them.
    pub allowance: &'a Allowance,
    /// The time that counts for that.
    pub now: Instant,
}

impl Guard {
    /// Scans, decodes and attributes an update. With `ours`, ids must have been assigned; otherwise free ones are claimed.
    ///
    /// # Errors
    /// See [`GuardError`].
    pub async fn check(
        &mut self,
        holder: Holder<'_>,
        ours: bool,
        bytes: Vec<u8>,
    ) -> Result<Box<Attributed>, GuardError> {
        let mut update = Box::new(Attributed::scan(bytes)?);
        let clients: Vec<u64> = update.inserted.iter().map(|range| range.client).collect();
        update.foreign = self.foreign(holder, ours, clients).await?;
        Ok(update)
    }

    /// Those of the given ids that are not the principal's.
    ///
    /// # Errors
    /// [`GuardError::TooMany`], [`GuardError::TooFast`] and [`GuardError::Store`].
    pub async fn foreign(
        &mut self,
        holder: Holder<'_>,
        ours: bool,
        mut clients: Vec<u64>,
    ) -> Result<Vec<u64>, GuardError> {
        clients.sort_unstable();
        clients.dedup();
        clients.retain(|client| self.own.binary_search(client).is_err());
        if clients.is_empty() {
            return Ok(clients);
        }
        // Asking the store is rare and takes room, which what is usual should not pay for.
        Box::pin(self.look_up(holder, ours, clients)).await
    }

    /// Whether an id is known to be the principal's, without asking anybody.
    pub fn knows(&self, client: u64) -> bool {
        self.own.binary_search(&client).is_ok()
    }

    async fn look_up(&mut self, holder: Holder<'_>, ours: bool, mut clients: Vec<u64>) -> Result<Vec<u64>, GuardError> {
        let all_known = clients.len() > FEW;
        // Reading all of their own is one of many rows.
        let readings = clients.len().min(limits::LOOK_UPS) + if all_known { limits::LOOK_UPS } else { 0 };
        if !holder.allowance.look_up(holder.now, readings) {
            return Err(GuardError::TooFast);
        }
        if all_known {
            let (workshop, actor) = holder.names();
            self.own = holder.store.clients_of(workshop, actor).await?;
            self.held = Some(self.own.len());
            clients.retain(|client| self.own.binary_search(client).is_err());
        }
        let mut foreign = Vec::new();
        for (asked, client) in clients.into_iter().enumerate() {
            // All that are theirs are known by now; what is left is others', or free to be claimed.
            let may_claim = !ours && self.claims < limits::CLIENT_IDS_CLAIMED && asked < limits::LOOK_UPS;
            if (may_claim || !all_known) && self.owns(holder, ours, client).await? {
                self.remember(client);
            } else {
                foreign.push(client);
            }
        }
        Ok(foreign)
    }

    /// Gives the principal up to `count` client ids: one, if they hold plenty already.
    ///
    /// # Errors
    /// [`GuardError::TooMany`] and [`GuardError::Store`].
    pub async fn assign_up_to(&mut self, holder: Holder<'_>, count: usize) -> Result<Vec<u64>, GuardError> {
        if self.spare.len() >= count {
            return Ok(self.spare.split_off(self.spare.len() - count));
        }
        self.make_room(holder, 1).await?;
        if self.held.is_some_and(|held| held >= limits::CLIENT_IDS_PLENTY) {
            return self.assign(holder, 1).await;
        }
        let mut assigned = self.assign(holder, count + SPARE).await?;
        self.spare.extend(assigned.drain(count..));
        Ok(assigned)
    }

    /// Draws client ids for the principal and binds them.
    ///
    /// # Errors
    /// [`GuardError::TooMany`] and [`GuardError::Store`].
    pub async fn assign(&mut self, holder: Holder<'_>, count: usize) -> Result<Vec<u64>, GuardError> {
        self.make_room(holder, count).await?;
        let mut last = StoreError::Io("the system has no randomness to give".to_owned());
        for _ in 0..DRAWS {
            let Some(drawn) = draw_distinct(count) else { break };
            let (workshop, actor) = holder.names();
            // Binding an id again to the one who holds it is fine, but it may be in use: each is given out once.
            if let Some(client) = self.held_already(holder, &drawn).await? {
                last = StoreError::ClientTaken { client };
                continue;
            }
            match holder.store.bind_clients(workshop, actor, drawn.clone()).await {
                Ok(()) => {
                    drawn.iter().for_each(|client| self.remember(*client));
                    self.held = self.held.map(|held| held + count);
                    return Ok(drawn);
                }
                Err(error @ StoreError::ClientTaken { .. }) => last = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.into())
    }

    /// Gives out ids that nobody holds while nothing can be written: without one a page cannot even show what it may read. Nothing may be
    /// written under them before [`Guard::bind_lent`].
    ///
    /// # Errors
    /// [`GuardError::TooMany`] and [`GuardError::Store`].
    pub async fn lend(&mut self, holder: Holder<'_>, count: usize) -> Result<Vec<u64>, GuardError> {
        self.make_room(holder, self.lent.len() + count).await?;
        for _ in 0..DRAWS {
            let Some(drawn) = draw_distinct(count) else { break };
            if self.held_already(holder, &drawn).await?.is_none() {
                drawn.iter().for_each(|client| self.remember(*client));
                self.lent.extend(&drawn);
                return Ok(drawn);
            }
        }
        Err(StoreError::Io("the system has no randomness to give".to_owned()).into())
    }

    /// Binds what was lent, if there is anything.
    ///
    /// # Errors
    /// [`GuardError::Store`]; then nothing may be written under these ids.
    pub async fn bind_lent(&mut self, holder: Holder<'_>) -> Result<(), GuardError> {
        if self.lent.is_empty() {
            return Ok(());
        }
        let (workshop, actor) = holder.names();
        let lent = std::mem::take(&mut self.lent);
        self.held = None;
        Ok(holder.store.bind_clients(workshop, actor, lent).await?)
    }

    /// One of these ids that belongs to somebody already, be it the principal.
    async fn held_already(&self, holder: Holder<'_>, clients: &[u64]) -> Result<Option<u64>, StoreError> {
        for &client in clients {
            let known = self.own.binary_search(&client).is_ok();
            if known || holder.store.client_owner(holder.workshop.to_string(), client).await?.is_some() {
                return Ok(Some(client));
            }
        }
        Ok(None)
    }

    async fn owns(&mut self, holder: Holder<'_>, ours: bool, client: u64) -> Result<bool, GuardError> {
        let (workshop, actor) = holder.names();
        match holder.store.client_owner(workshop.clone(), client).await? {
            Some(owner) => return Ok(owner == actor),
            None if ours || self.claims >= limits::CLIENT_IDS_CLAIMED => return Ok(false),
            None => {}
        }
        self.make_room(holder, 1).await?;
        self.claims += 1;
        match holder.store.bind_clients(workshop, actor, vec![client]).await {
            Ok(()) => {
                self.held = self.held.map(|held| held + 1);
                Ok(true)
            }
            // Somebody was faster.
            Err(StoreError::ClientTaken { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn make_room(&mut self, holder: Holder<'_>, count: usize) -> Result<(), GuardError> {
        let held = match self.held {
            Some(held) => held,
            None => {
                let (workshop, actor) = holder.names();
                holder.store.clients_of(workshop, actor).await?.len()
            }
        };
        self.held = Some(held);
        if held + count > limits::CLIENT_IDS_PER_ACTOR { Err(GuardError::TooMany) } else { Ok(()) }
    }

    fn remember(&mut self, client: u64) {
        if let Err(place) = self.own.binary_search(&client) {
            self.own.insert(place, client);
        }
    }
}

/// Client ids, each once: among thousands of 32 bits two are equal now and then.
fn draw_distinct(count: usize) -> Option<Vec<u64>> {
    let mut drawn = BTreeSet::new();
    while drawn.len() < count {
        drawn.insert(draw::client_id()?);
    }
    Some(drawn.into_iter().collect())
}

impl Holder<'_> {
    fn names(self) -> (String, String) {
        (self.workshop.to_string(), self.actor.to_string())
    }
}

#[cfg(test)]
mod tests {
    use yrs::{Map, Transact};

    use super::*;
    use crate::socket::allowance::Allowances;
    use crate::store::SqliteStore;

    struct Register {
        store: SqliteStore,
        workshop: WorkshopId,
        allowance: Allowance,
        now: Instant,
        _dir: tempfile::TempDir,
    }

    impl Register {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a directory");
            let store = SqliteStore::open(dir.path()).expect("a store");
            let now = Instant::now();
            let allowance = Allowances::default().of(&"w".into(), &"p".into(), now);
            Self { store, workshop: "w".into(), allowance, now, _dir: dir }
        }

        fn holder<'a>(&'a self, actor: &'a ActorId) -> Holder<'a> {
            Holder { store: &self.store, workshop: &self.workshop, actor, allowance: &self.allowance, now: self.now }
        }
    }

    fn written_under(client: u64) -> Vec<u8> {
        let doc = shared::board::new_doc(client);
        let notes = doc.get_or_insert_map("notes");
        let mut txn = doc.transact_mut();
        notes.insert(&mut txn, "n", "words");
        txn.encode_update_v1()
    }

    #[tokio::test]
    async fn b7_an_edit_is_its_senders_only_under_assigned_ids() {
        let register = Register::new();
        let (ann, bob) = (ActorId::from("p1"), ActorId::from("p2"));
        let mut guard = Guard::default();
        let assigned = guard.assign(register.holder(&ann), 4).await.expect("ids");
        assert_eq!(assigned.len(), 4);
        let update = written_under(assigned[0]);
        let own = guard.check(register.holder(&ann), true, update.clone()).await.expect("attributed");
        assert_eq!(own.foreign, [0; 0]);
        // The same person on another device, and another person.
        let mut fresh = Guard::default();
        assert_eq!(fresh.check(register.holder(&ann), true, update.clone()).await.expect("attributed").foreign, [0; 0]);
        let mut other = Guard::default();
        for ours in [true, false] {
            let checked = other.check(register.holder(&bob), ours, update.clone()).await.expect("attributed");
            assert_eq!(checked.foreign, [assigned[0]]);
        }
    }

    #[tokio::test]
    async fn a_free_id_is_claimed_by_other_clients_alone_and_only_so_often() {
        let register = Register::new();
        let (ann, bob) = (ActorId::from("p1"), ActorId::from("p2"));
        let mut guard = Guard::default();
        assert_eq!(guard.foreign(register.holder(&ann), true, vec![77]).await, Ok(vec![77]));
        assert_eq!(guard.foreign(register.holder(&ann), false, vec![77]).await, Ok(vec![]));
        let mut other = Guard::default();
        assert_eq!(other.foreign(register.holder(&bob), false, vec![77]).await, Ok(vec![77]));
        let many: Vec<u64> = (100..200).collect();
        let foreign = other.foreign(register.holder(&bob), false, many).await.expect("attributed");
        assert_eq!(foreign.len(), 100 - limits::CLIENT_IDS_CLAIMED);
    }

    #[tokio::test]
    async fn h23_the_register_is_read_for_one_person_only_so_often() {
        let mut register = Register::new();
        let ann = ActorId::from("p1");
        let mut guard = Guard::default();
        let own = guard.assign(register.holder(&ann), 1).await.expect("an id");
        let others = |n: u64| (n * 100..n * 100 + 5).collect::<Vec<u64>>();
        let mut times = 0;
        while guard.foreign(register.holder(&ann), true, others(times + 1)).await.is_ok() {
            times += 1;
        }
        assert_eq!(times, u64::from(limits::LOOK_UPS_BURST) / (limits::LOOK_UPS as u64 + 5));
        // On another connection it is the same person; what is known is known all the same, and the next second there is more.
        let mut again = Guard::default();
        assert_eq!(again.foreign(register.holder(&ann), true, others(1)).await, Err(GuardError::TooFast));
        assert_eq!(guard.foreign(register.holder(&ann), true, own.clone()).await, Ok(vec![]));
        assert!(guard.knows(own[0]) && !guard.knows(100));
        register.now += std::time::Duration::from_secs(2);
        assert_eq!(again.foreign(register.holder(&ann), true, own).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn nobody_holds_ids_without_end() {
        let register = Register::new();
        let ann = ActorId::from("p1");
        let mut guard = Guard::default();
        guard.assign(register.holder(&ann), limits::CLIENT_IDS_PER_ACTOR - 1).await.expect("ids");
        assert_eq!(guard.assign(register.holder(&ann), 2).await, Err(GuardError::TooMany));
        assert_eq!(Guard::default().assign(register.holder(&ann), 2).await, Err(GuardError::TooMany));
        let last = Guard::default().assign_up_to(register.holder(&ann), 4).await.expect("one more");
        assert_eq!(last.len(), 1);
        assert_eq!(Guard::default().assign_up_to(register.holder(&ann), 4).await, Err(GuardError::TooMany));
    }

    #[tokio::test]
    async fn b7_who_changes_table_is_given_an_id_that_is_bound_already() {
        let register = Register::new();
        let ann = ActorId::from("p1");
        let bound = async || register.store.clients_of("w".to_owned(), "p1".to_owned()).await.expect("ids");
        let mut guard = Guard::default();
        let first = guard.assign_up_to(register.holder(&ann), 4).await.expect("ids");
        let before = bound().await;
        assert_eq!(before.len(), 4 + SPARE);
        for _ in 0..SPARE {
            let [id] = guard.assign_up_to(register.holder(&ann), 1).await.expect("an id")[..] else {
                panic!("not one")
            };
            assert!(before.contains(&id) && !first.contains(&id));
        }
        assert_eq!(bound().await, before, "nothing was asked of the store");
        let [id] = guard.assign_up_to(register.holder(&ann), 1).await.expect("an id")[..] else { panic!("not one") };
        assert!(!before.contains(&id), "an id was given twice");
    }

    #[tokio::test]
    async fn b7_a_flapping_phone_is_given_ids_sparingly_and_never_one_twice() {
        let register = Register::new();
        let ann = ActorId::from("p1");
        let mut given = std::collections::HashSet::new();
        let mut reconnects = 0;
        while given.len() < limits::CLIENT_IDS_PLENTY + 40 {
            let mut guard = Guard::default();
            let holds = register.store.clients_of("w".to_owned(), "p1".to_owned()).await.expect("ids").len();
            let mut ids = guard.assign_up_to(register.holder(&ann), 32).await.expect("ids");
            assert_eq!(ids.len(), if holds < limits::CLIENT_IDS_PLENTY { 32 } else { 1 });
            for _ in 0..=SPARE {
                ids.extend(guard.assign_up_to(register.holder(&ann), 1).await.expect("an id"));
            }
            assert!(ids.iter().all(|id| given.insert(*id)), "an id was given twice");
            reconnects += 1;
        }
        assert!(reconnects > limits::CLIENT_IDS_PLENTY / 64, "{reconnects}");
    }

    #[tokio::test]
    async fn d12_ids_that_could_not_be_bound_are_bound_before_anybody_writes() {
        let register = Register::new();
        let ann = ActorId::from("p1");
        let mut guard = Guard::default();
        let lent = guard.lend(register.holder(&ann), 3).await.expect("ids");
        assert_eq!(guard.foreign(register.holder(&ann), false, lent.clone()).await, Ok(vec![]), "presence is theirs");
        assert_eq!(register.store.clients_of("w".to_owned(), "p1".to_owned()).await, Ok(vec![]));
        guard.bind_lent(register.holder(&ann)).await.expect("bound");
        guard.bind_lent(register.holder(&ann)).await.expect("once is enough");
        let bound = register.store.clients_of("w".to_owned(), "p1".to_owned()).await.expect("ids");
        assert!(bound.len() == 3 && lent.iter().all(|client| bound.contains(client)));
    }

    #[tokio::test]
    async fn b8_what_is_no_update_ends_here() {
        let register = Register::new();
        let ann = ActorId::from("p1");
        let mut guard = Guard::default();
        for bytes in [vec![], vec![1, 2, 3], vec![0xff; 40]] {
            assert!(matches!(guard.check(register.holder(&ann), true, bytes).await, Err(GuardError::Scan(_))));
        }
    }
}
