//! The server's copy of one board's document: a fold of the board's stream. Knows Yrs, and nothing of people or sockets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use shared::board::{new_doc, root};
use shared::limits;
use shared::wire::SharedType;
use shared::wire::lib0::{ReadError, Reader};
use shared::wire::scan::{self, Id, Part, Range, ScanError};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{
    Assoc, BranchID, ClientID, Doc, ID, Map, Out, ReadTxn, StateVector, StickyIndex, Text, Transact, TransactionMut,
    Update,
};

use super::ledger::{Held, Purpose};
use super::order::{self, Order, Refused, Surroundings};
use super::weight::{Gauge, Gone, Weight, memory_for, memory_of_cuts, state_of};
use crate::socket::guard::Attributed;
use crate::store::Loaded;

/// Bytes of document for each byte of a v2 snapshot, at most: measured 8 for many small edits, and hardly more than 1 for long texts.
const EXPANSION: usize = 8;

/// As many steps as this may have been taken to put items where they stand before it is looked at how many they really were. Most boards are
/// never so large, or awake for so long, that this would have to be known.
const STEPS_UNCOUNTED: u64 = limits::BOARD_STEPS;

/// The part of what was counted that may have come since then before a board counts anew, rather than take more of the memory for all:
/// counting goes through all of it.
const WORTH_COUNTING: usize = 4;

/// Bytes of documents that are out of reach for good; see [`leaked_bytes`].
static LEAKED: AtomicUsize = AtomicUsize::new(0);

/// A document with its place in the log. The log is the truth: after any doubt the replica is thrown away and loaded again.
pub struct Replica {
    doc: Doc,
    /// The last row it holds.
    seq: u64,
    /// Rows since the newest snapshot.
    unfolded: u64,
    /// How large it is, in bytes of v1 updates.
    bytes: Gauge,
    /// How far it knows each client, once that had to be known: Yrs goes through all of them to say so.
    known: Option<Clocks>,
    /// How its items stand, once that had to be known.
    order: Option<Order>,
    /// Steps that were taken to put items where they stand since it was loaded: at most so many before the order was known, and since then.
    uncounted: u64,
    steps: u64,
    /// What it costs beside its bytes, once that had to be known: for that all of it is gone through.
    weight: Option<Weight>,
    /// What is deleted in it, once that had to be known, until it changes.
    gone: Option<Gone>,
    /// What follows from the update that was checked last.
    next: Next,
}

/// What a replica will know once the update that it has checked is applied.
#[derive(Default)]
struct Next {
    reaches: Clocks,
    order: Option<Order>,
    /// Bytes of memory that it takes more.
    memory: usize,
}

/// How far each client's structs are known, without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Clocks(Vec<(u64, u32)>);

impl Clocks {
    fn of(doc: &Doc) -> Self {
        let vector = doc.transact().state_vector();
        let mut clocks: Vec<(u64, u32)> = vector.iter().map(|(client, clock)| (client.get(), *clock)).collect();
        clocks.sort_unstable();
        Self(clocks)
    }

    fn get(&self, client: u64) -> Option<u32> {
        let found = self.0.binary_search_by_key(&client, |(client, _)| *client).ok()?;
        self.0.get(found).map(|(_, clock)| *clock)
    }

    fn set(&mut self, client: u64, clock: u32) {
        match self.0.binary_search_by_key(&client, |(client, _)| *client) {
            Ok(at) => self.0[at].1 = clock,
            Err(at) => self.0.insert(at, (client, clock)),
        }
    }
}

/// Why an update is not applied. The document is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It leaves a gap to what is known: something that came before it is missing.
    Gap,
    /// It brings something new under a client id of somebody else.
    Foreign,
    /// The board would become too large.
    Full,
    /// All boards together would take more memory than they may.
    NoMemory,
    /// It puts a shared type into one that is there already. Elements are created whole, with all that nests in them: so what the scan
    /// allows in one update is how deep a board can ever nest, and deleting, which recurses in Yrs, stays shallow.
    Lazy,
    /// It puts an item between two that did not stand side by side. Where that is depends on how a document came by what it holds: the
    /// live one and one loaded from the log could read it differently.
    Misplaced,
    /// Finding the places of its items takes too many steps; see [`limits::BOARD_STEPS`].
    Crowded,
}

/// The document is not as it may be, and a part may have been applied: load again.
#[derive(Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// Applying failed, in words for the operator.
    Broken(String),
    /// Yrs panicked, and so many bytes of memory are out of reach for good.
    Leaked(usize),
    /// A text has grown past [`limits::TEXT_KEPT`].
    TextTooLong,
    /// There are more root types than [`limits::ROOTS_MAX`].
    TooManyRoots,
}

impl Replica {
    fn empty() -> Self {
        Self {
            doc: new_doc(0),
            seq: 0,
            unfolded: 0,
            bytes: Gauge::default(),
            known: None,
            order: None,
            uncounted: 0,
            steps: 0,
            weight: None,
            gone: None,
            next: Next::default(),
        }
    }

    /// Folds a stream.
    ///
    /// # Errors
    /// In words for the operator: a row or the snapshot cannot be applied.
    pub fn load(loaded: &Loaded) -> Result<Self, String> {
        let mut replica = Self { unfolded: loaded.rows.len() as u64, ..Self::empty() };
        if let Some(snapshot) = &loaded.snapshot {
            let update = decode_snapshot(&snapshot.payload).map_err(|e| format!("snapshot {}: {e}", snapshot.seq))?;
            replica.fold(update).map_err(|why| format!("snapshot {}: {why}", snapshot.seq))?;
            let expansion = if is_v2(&snapshot.payload) { EXPANSION } else { 1 };
            replica.bytes = Gauge::estimated(snapshot.payload.len() * expansion);
        }
        for row in &loaded.rows {
            replica.replay(&row.payload).map_err(|why| format!("row {}: {why}", row.seq))?;
        }
        replica.seq = loaded.last_seq;
        Ok(replica)
    }

    /// Whether both hold the same, however they came by it.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.doc.transact().snapshot() == other.doc.transact().snapshot()
    }

    /// The last row it holds.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Rows since the newest snapshot.
    pub fn unfolded(&self) -> u64 {
        self.unfolded
    }

    /// Steps that were counted since it was loaded; see [`limits::BOARD_STEPS`].
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Notes that so many were counted for what this takes the place of.
    pub fn took(&mut self, steps: u64) {
        self.steps = self.steps.max(steps);
    }

    /// Notes that what was applied is on disk, as `rows` rows ending at `seq`.
    pub fn committed(&mut self, seq: u64, rows: u64) {
        self.seq = seq;
        self.unfolded += rows;
    }

    /// Notes that a snapshot was taken.
    pub fn folded(&mut self) {
        self.unfolded = 0;
    }

    /// Bytes of memory that it takes at most. The document is gone through if that is not known at all.
    pub fn size(&mut self) -> usize {
        let items = match &self.weight {
            Some(weight) => weight.memory(),
            None => self.count(),
        };
        self.bytes.at_most() + items + self.order.as_ref().map_or(0, Order::memory)
    }

    /// Goes through the document; returns the memory of its items.
    fn count(&mut self) -> usize {
        let state = state_of(&self.doc);
        self.bytes = Gauge::counted(state.len());
        self.weight.insert(Weight::of(&state)).memory()
    }

    /// Whether the memory that the board has, or finds, is enough for so much more, and for what is to be deleted.
    fn finds_memory(&mut self, held: &mut Held, more: usize, deleted: &[Range]) -> bool {
        if held.covers(self.size() + more + memory_of_cuts(deleted, None)) {
            return true;
        }
        let cuts = match deleted {
            [] => 0,
            // Whoever comes back says all that they know to be deleted.
            _ => memory_of_cuts(deleted, Some(self.gone.get_or_insert_with(|| Gone::of(&self.doc)))),
        };
        if more + cuts == 0 || held.covers(self.size() + more + cuts) {
            return true;
        }
        let uncounted = self.bytes.uncounted() + self.weight.as_ref().map_or(0, Weight::uncounted);
        if uncounted > self.size() / WORTH_COUNTING {
            self.count();
            held.settle(self.size());
        }
        held.reach(self.size() + more + cuts, Purpose::GoingOn)
    }

    /// Whether an update can be applied. Under client ids that are not its sender's it may repeat what is known, as clients do who
    /// answer a Step1, and nothing else.
    pub fn check(&mut self, update: &Attributed) -> Result<(), Unfit> {
        self.check_within(update, None)
    }

    /// The same, where `held` is what the board has of the memory for all; more is taken of that if it is needed.
    pub fn check_within(&mut self, update: &Attributed, held: Option<&mut Held>) -> Result<(), Unfit> {
        self.next = Next::default();
        let clocks = self.known.get_or_insert_with(|| Clocks::of(&self.doc));
        let known = |client: u64| clocks.get(client).unwrap_or(0);
        // Taking away, and saying again what is known, is how a full board gets room, and how its people come to rest.
        let brings = update.inserted.iter().any(|range| range.clock.saturating_add(range.len) > known(range.client));
        if brings && !self.bytes.has_room(update.bytes.len(), limits::BOARD_BYTES, || bytes_of(&self.doc)) {
            return Err(Unfit::Full);
        }
        let is_new = |shared: &&SharedType| shared.clock >= known(shared.client);
        if update.lazy && update.types.iter().any(|shared| is_new(&shared)) {
            return Err(Unfit::Lazy);
        }
        let elements = update.types.iter().filter(|shared| shared.at_root).filter(is_new).count();
        if elements > 0 && elements + count_elements(&self.doc.transact()) > limits::ELEMENTS_KEPT {
            return Err(Unfit::Full);
        }
        // How far each client's structs reach, contiguously, once this is applied. Ranges come ascending.
        let mut reaches = Clocks::default();
        for range in &update.inserted {
            let (client, end) = (range.client, range.clock.saturating_add(range.len));
            let before = reaches.get(client).unwrap_or_else(|| known(client));
            if update.foreign.binary_search(&client).is_ok() && end > known(client) {
                return Err(Unfit::Foreign);
            }
            if range.clock > before {
                return Err(Unfit::Gap);
            }
            reaches.set(client, end.max(before));
        }
        let reach = |client: u64| reaches.get(client).unwrap_or_else(|| known(client));
        if update.deleted.iter().any(|range| range.clock.saturating_add(range.len) > reach(range.client))
            || update.needs.iter().any(|(client, clock)| *clock >= reach(*client))
        {
            return Err(Unfit::Gap);
        }
        let new = update.items.iter().filter(|item| item.end() > known(item.id.client));
        let count = new.clone().count() as u64;
        self.next.memory = if count > 0 { memory_for(new) + update.content } else { 0 };
        let weight = self.weight.get_or_insert_with(|| Weight::of(&state_of(&self.doc)));
        if !weight.has_room(&self.doc, self.next.memory, &update.deleted, &mut self.gone) {
            return Err(Unfit::Full);
        }
        let items = weight.items();
        let more = self.next.memory + if brings { update.bytes.len() } else { 0 };
        if let Some(held) = held
            && !self.finds_memory(held, more, &update.deleted)
        {
            return Err(Unfit::NoMemory);
        }
        let known = |client: u64| self.known.as_ref().and_then(|clocks| clocks.get(client)).unwrap_or(0);
        if self.order.is_none() {
            let (among_all, among_these) = order::loose(&update.items, known);
            // Three times along a key's values: to the first of them, along them, and back.
            let steps = 3 * (among_all * (items + count) + among_these * count);
            if order::matters(&update.items, known) || self.uncounted + steps > STEPS_UNCOUNTED {
                // What was taken can be read, and if not it is not for this sender to pay for it.
                let state = state_of(&self.doc);
                self.order = Order::of(&state).ok();
                self.steps = self.order.as_ref().map_or(0, Order::steps).max(self.steps);
            } else {
                self.uncounted += steps;
            }
        }
        if let Some(mut order) = self.order.take() {
            let before = order.steps();
            // What takes as few as this is always taken, whatever was done to the board before.
            let limit = limits::BOARD_STEPS.saturating_sub(self.steps).max(limits::EDIT_STEPS);
            let placed = order.place(&update.items, &Around { txn: &self.doc.transact(), known }, limit);
            // Those who are refused have them taken, too.
            self.steps += (order.steps() - before).saturating_sub(limits::EDIT_STEPS);
            placed.map_err(|refused| match refused {
                Refused::Misplaced => Unfit::Misplaced,
                Refused::Crowded => Unfit::Crowded,
            })?;
            self.next.order = Some(order);
        }
        self.next.reaches = reaches;
        Ok(())
    }

    /// What of an update can be taken without the structs that are not its sender's.
    ///
    /// # Errors
    /// It is no update.
    pub fn part_of(&self, update: &Attributed) -> Result<Part, ScanError> {
        let known = Clocks::of(&self.doc);
        scan::part(&update.bytes, &update.foreign, &update.deleted, |client| known.get(client).unwrap_or(0))
    }

    /// Whether everything in an update is known already. The document is gone through only for what is deleted, and only once until it
    /// changes: whoever may not write may ask this as often as they like.
    pub fn holds(&mut self, update: &Attributed) -> bool {
        let clocks = self.known.get_or_insert_with(|| Clocks::of(&self.doc));
        let reach = |range: &Range| range.clock.saturating_add(range.len);
        let is_known = |range: &Range| clocks.get(range.client).is_some_and(|known| reach(range) <= known);
        update.inserted.iter().chain(&update.deleted).all(is_known)
            && (update.deleted.is_empty() || {
                let gone = self.gone.get_or_insert_with(|| Gone::of(&self.doc));
                update.deleted.iter().all(|range| gone.holds(range))
            })
    }

    /// Applies an update that passed [`Replica::check`]. Returns what it changed, as a v1 update; `None` if all of it was known.
    pub fn apply(&mut self, update: &Attributed) -> Result<Option<Vec<u8>>, Spoilt> {
        let decoded = Update::decode_v1(&update.bytes).map_err(|e| Spoilt::Broken(e.to_string()))?;
        let delta = self.fold_within(decoded, Some(&update.types))?;
        self.bytes.grow(delta.as_ref().map_or(0, Vec::len));
        let next = std::mem::take(&mut self.next);
        if let Some(weight) = &mut self.weight {
            weight.grow(next.memory);
        }
        if let Some(known) = &mut self.known {
            // Nothing is missing, so all of it is there.
            next.reaches.0.into_iter().for_each(|(client, clock)| known.set(client, clock));
            debug_assert_eq!(*known, Clocks::of(&self.doc), "what is remembered is what is there");
        }
        self.order = next.order;
        Ok(delta)
    }

    /// Applies a v1 update that was applied before: a row, or one that is about to become a row.
    pub fn replay(&mut self, payload: &[u8]) -> Result<(), String> {
        let update = Update::decode_v1(payload).map_err(|e| e.to_string())?;
        (self.known, self.order, self.weight, self.next) = (None, None, None, Next::default());
        self.fold(update)?;
        self.bytes.grow(payload.len());
        Ok(())
    }

    /// Applies what was accepted once, and so is within today's limits or those of its time.
    fn fold(&mut self, update: Update) -> Result<Option<Vec<u8>>, String> {
        self.fold_within(update, None).map_err(|spoilt| format!("{spoilt:?}"))
    }

    /// Applies an update. With the shared types that it brings, what it leaves is held to the limits.
    fn fold_within(&mut self, update: Update, brings: Option<&[SharedType]>) -> Result<Option<Vec<u8>>, Spoilt> {
        let mut txn = self.doc.transact_mut();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            txn.apply_update(update).map_err(|e| Spoilt::Broken(e.to_string()))?;
            // No update is known that does this.
            #[cfg(test)]
            assert!(!brings.is_some_and(tests::is_bomb), "as Yrs would panic");
            if txn.has_missing_updates() {
                return Err(Spoilt::Broken("it depends on what is not known".to_owned()));
            }
            if !txn.has_changes() {
                return Ok(None);
            }
            self.gone = None;
            txn.commit();
            if let Some(weight) = &mut self.weight {
                weight.delete(txn.delete_set());
            }
            if let Some(brings) = brings {
                bounded(&txn, brings)?;
            }
            Ok(Some(txn.encode_update_v1()))
        }));
        outcome.unwrap_or_else(|_| {
            // Dropping the transaction would commit what is half applied, and a panic in there would end the process. With it the document
            // is kept, which can be told of no more than that it was within the limits.
            std::mem::forget(txn);
            let items = self.weight.as_ref().map_or(limits::BOARD_MEMORY, Weight::memory);
            let leaked = self.bytes.at_most() + items + self.next.memory;
            LEAKED.fetch_add(leaked, Ordering::Relaxed);
            Err(Spoilt::Leaked(leaked))
        })
    }

    /// What is known, as an encoded state vector.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// What somebody lacks who has `state_vector`, as a v1 update.
    pub fn diff(&self, state_vector: &StateVector) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(state_vector)
    }

    /// The whole document, as a v2 update, or as a v1 update where it holds binary values, which Yrs 0.28 writes in v2 and does not read
    /// back. `None` if it could not be loaded again, or would be another document: that would cost the board, while the log is sound.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        let txn = self.doc.transact();
        let v1 = txn.encode_state_as_update_v1(&StateVector::default());
        let payload = match scan::holds_binary(&v1) {
            Ok(true) => v1,
            _ => txn.encode_state_as_update_v2(&StateVector::default()),
        };
        let update = catch_unwind(AssertUnwindSafe(|| decode_snapshot(&payload))).ok()?.ok()?;
        let mut copy = Self::empty();
        copy.fold(update).ok()?;
        self.is_same_as(&copy).then_some(payload)
    }

    /// The document, for reading it.
    pub fn doc(&self) -> &Doc {
        &self.doc
    }
}

/// Whether a snapshot is a v2 update: these begin with a 0, for features that there are none of, and v1 with how many clients follow.
fn is_v2(payload: &[u8]) -> bool {
    payload.first() == Some(&0)
}

fn decode_snapshot(payload: &[u8]) -> Result<Update, yrs::encoding::read::Error> {
    if is_v2(payload) { Update::decode_v2(payload) } else { Update::decode_v1(payload) }
}

/// A document, as its order is told of it.
struct Around<'a, T, K> {
    txn: &'a T,
    known: K,
}

impl<T: ReadTxn, K: Fn(u64) -> u32> Surroundings for Around<'_, T, K> {
    fn known(&self, client: u64) -> u32 {
        (self.known)(client)
    }

    fn is_gone(&self, id: Id) -> bool {
        let place =
            StickyIndex::from_id(ID::new(ClientID::new(id.client), id.clock), Assoc::After).get_offset(self.txn);
        place.is_none_or(|place| place.branch.is_deleted())
    }

    fn is_dead(&self, id: Id) -> bool {
        let shared = BranchID::get_nested(self.txn, &ID::new(ClientID::new(id.client), id.clock));
        shared.is_none_or(|shared| shared.is_deleted())
    }
}

/// Bytes of memory that documents take on which Yrs has panicked: they cannot be let go before the process ends.
pub fn leaked_bytes() -> usize {
    LEAKED.load(Ordering::Relaxed)
}

/// How large a document is, in bytes of a v1 update.
fn bytes_of(doc: &Doc) -> usize {
    state_of(doc).len()
}

/// Notes, themes and actions that a board holds, those taken away included.
fn count_elements(txn: &impl ReadTxn) -> usize {
    let count = |root| txn.get_map(root).map_or(0, |map| map.len(txn) as usize);
    [root::NOTES, root::THEMES, root::ACTIONS].into_iter().map(count).sum()
}

/// Whether what a transaction changed, brought or put at a root is within the limits.
fn bounded(txn: &TransactionMut, brings: &[SharedType]) -> Result<(), Spoilt> {
    let new = brings.iter().filter_map(|shared| {
        BranchID::get_nested(txn, &ID::new(ClientID::new(shared.client), shared.clock)).map(|new| new.content_len())
    });
    let changed = txn.changed_parent_types().iter().map(|changed| changed.content_len());
    let mut roots = 0;
    let at_roots = txn.root_refs().map(|(_, root)| {
        roots += 1;
        match root {
            // Roots have no type until somebody asks for one, and this document is only kept.
            Out::UndefinedRef(root) => root.content_len(),
            Out::YText(root) => root.len(txn),
            _ => 0,
        }
    });
    if new.chain(changed).chain(at_roots).any(|len| len > limits::TEXT_KEPT) {
        return Err(Spoilt::TextTooLong);
    }
    if roots > limits::ROOTS_MAX { Err(Spoilt::TooManyRoots) } else { Ok(()) }
}

/// Reads a state vector from outside. Yrs would make room for as many entries as the first number claims.
pub fn read_state_vector(bytes: &[u8]) -> Result<StateVector, ReadError> {
    let mut reader = Reader::new(bytes);
    let count = reader.var_uint()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let client = reader.var_uint()?;
        let clock = reader.var_u32()?;
        // Ids beyond JavaScript's safe integers are nobody's.
        if client < 1 << 53 {
            entries.push((ClientID::new(client), clock));
        }
    }
    Ok(entries.into_iter().collect())
}

#[cfg(test)]
pub(super) mod tests;
