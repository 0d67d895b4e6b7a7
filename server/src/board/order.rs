//! In which order the items of texts and arrays stand, those deleted included.
//!
//! An item names the two between which it was written. Everybody finds the same place for it only because for who wrote it those stood
//! side by side: an item whose neighbours are crossed, or have something between them that its author must have seen, stands where the
//! way leads by which a document came by its items, so the same edits read differently after a restart. Yrs does not look, and of the
//! order that it keeps it tells only where the visible items are. So a board keeps this: clocks without words, in the order that Yjs' way
//! of inserting gives them, from the first item on that names a right neighbour: without one it has one place in any document. So it is
//! with keys' values, of which only their number is in here.
//!
//! It also tells how far one has to go to find an item's place. Yrs walks along all that others put at the same place at the same time,
//! which is hardly anything where people write, and everything there is where somebody means harm.

use std::collections::{BTreeMap, HashMap, HashSet};

use shared::wire::scan::{self, Id, Parent, Placed, ScanError};

mod keys;

use keys::Keys;

/// Why items are not put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// One was put between two that did not stand side by side for who put it there.
    Misplaced,
    /// One would have to walk along too many others to find their places.
    Crowded,
}

use Refused::{Crowded, Misplaced};

/// What must be known of the document into which items are put.
pub trait Surroundings {
    /// How many clocks of a client it holds.
    fn known(&self, client: u64) -> u32;
    /// Whether a known item was deleted together with what it was in.
    fn is_gone(&self, id: Id) -> bool;
    /// Whether a known item is no shared type that is still there.
    fn is_dead(&self, id: Id) -> bool;
}

/// The order of one board.
#[derive(Debug, Default)]
pub struct Order {
    pieces: Vec<Piece>,
    /// The pieces of a client by their first clocks.
    clients: HashMap<u64, BTreeMap<u32, usize>>,
    sequences: Vec<Sequence>,
    parents: HashMap<Parent, usize>,
    keys: Keys,
    /// How many items were walked along to put in what is here, at most.
    steps: u64,
}

/// Bytes of memory that a piece takes, its place among those of its client included.
const PIECE_MEMORY: usize = 192;

#[derive(Debug)]
struct Sequence {
    parent: Parent,
    first: Option<usize>,
}

/// Clocks of one client that stand side by side.
#[derive(Debug)]
struct Piece {
    id: Id,
    len: u32,
    /// The neighbours it named.
    left: Option<Id>,
    right: Option<Id>,
    sequence: usize,
    /// What stands behind it.
    next: Option<usize>,
}

impl Piece {
    fn last(&self) -> Id {
        Id { client: self.id.client, clock: self.id.clock + self.len - 1 }
    }
}

/// For each client a clock: the first one of some, or the one after those known.
type Known = HashMap<u64, u32>;

/// What an item is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A sequence that is kept here.
    In(usize),
    /// A key's values.
    Keyed,
    /// Something that was deleted. What is put there is not kept by anybody.
    Gone,
    /// What this known item is part of, and no sequence. Which of both, the document would have to look for.
    Beside(Id),
}

/// Whether the order must be known to say whether these items may be put into a document.
pub fn matters(items: &[Placed], known: impl Fn(u64) -> u32) -> bool {
    items.iter().any(|item| {
        let known = known(item.id.client);
        // Of an item that is known in part, the rest stands behind that, whatever is now said of it.
        item.end() > known && (item.right.is_some() || item.id.clock < known && item.parent.is_some())
    })
}

/// How often items that are put into a document may have to walk along what is there, at most: along all of it, and along these. Most have a
/// left neighbour behind which nobody but their author can have put anything, or a right one, with which the order tells.
pub fn loose(items: &[Placed], known: impl Fn(u64) -> u32) -> (u64, u64) {
    let (mut among_all, mut among_these) = (0, 0);
    for item in items.iter().filter(|item| item.end() > known(item.id.client)) {
        match (item.left, item.right, &item.parent) {
            (Some(left), None, _) if left == (Id { clock: item.id.clock.wrapping_sub(1), ..item.id }) => {}
            // There is nothing yet in what comes with it.
            (None, None, Some(Parent::In(id))) if id.clock >= known(id.client) => among_these += 1,
            _ => among_all += 1,
        }
    }
    (among_all, among_these)
}

impl Order {
    /// Bytes of memory that it takes, about.
    pub fn memory(&self) -> usize {
        self.pieces.len() * PIECE_MEMORY
    }

    /// The order in a document, encoded as a v1 update.
    ///
    /// # Errors
    /// It is no document.
    pub fn of(state: &[u8]) -> Result<Self, ScanError> {
        /// Nothing is around it. What was taken before this was looked at is taken as it is.
        struct Nothing;
        impl Surroundings for Nothing {
            fn known(&self, _: u64) -> u32 {
                0
            }
            fn is_gone(&self, _: Id) -> bool {
                true
            }
            fn is_dead(&self, _: Id) -> bool {
                true
            }
        }
        let items = scan::items(state)?;
        let mut order = Self::default();
        // With `strict` off nothing is refused.
        let _ = Placing::new(&mut order, &items, &Nothing, None).all();
        Ok(order)
    }

    /// Puts in what is new of an update, whose every item has all that it refers to in the document or in the update. At most `steps` others
    /// are walked along for that, and once more all there are.
    ///
    /// # Errors
    /// Why not, with a part of it put in: this order is of no use any more.
    pub fn place(&mut self, items: &[Placed], around: &impl Surroundings, steps: u64) -> Result<(), Refused> {
        let limit = self.steps.saturating_add(steps);
        Placing::new(self, items, around, Some(limit)).all()
    }

    /// How many items were walked along to put in what is here, at most.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The piece that holds a clock.
    fn find(&self, id: Id) -> Option<usize> {
        let (_, &piece) = self.clients.get(&id.client)?.range(..=id.clock).next_back()?;
        (id.clock <= self.pieces[piece].last().clock).then_some(piece)
    }

    fn sequence(&mut self, parent: &Parent) -> usize {
        if let Some(&sequence) = self.parents.get(parent) {
            return sequence;
        }
        self.sequences.push(Sequence { parent: parent.clone(), first: None });
        self.parents.insert(parent.clone(), self.sequences.len() - 1);
        self.sequences.len() - 1
    }

    /// Whether an item's neighbours stand in a sequence, in their order, with nothing between them that its author knew. Without a right
    /// one it stands among those put behind its left one, by their clients alone.
    fn fits(&mut self, item: &Placed, sequence: usize, knew: &mut HashMap<(u64, usize), Known>) -> bool {
        let Some(at_right) = item.right else { return true };
        let Some(right) = self.find(at_right) else { return false };
        let left = item.left.and_then(|left| self.find(left));
        if let (Some(left), Some(at)) = (left, item.left)
            && at == (Id { clock: item.id.clock.wrapping_sub(1), ..item.id })
            && self.pieces[left].right == item.right
        {
            // Typed on. What has come between since then, its author has not named.
            return true;
        }
        let mut between = Known::new();
        let mut next = match (left, item.left) {
            (Some(left), Some(at)) => {
                let piece = &self.pieces[left];
                let after = Id { clock: at.clock + 1, ..at };
                if left == right && at_right == after {
                    return true;
                }
                if at != piece.last() {
                    between.insert(after.client, after.clock);
                }
                piece.next
            }
            _ => self.sequences[sequence].first,
        };
        while next != Some(right) {
            // The end, and the right one was not met.
            let Some(index) = next else { return false };
            let piece = &self.pieces[index];
            let first = between.entry(piece.id.client).or_insert(piece.id.clock);
            *first = piece.id.clock.min(*first);
            next = piece.next;
            self.steps += 1;
        }
        // Within a piece there is what the same client wrote before.
        self.pieces[right].id == at_right
            && (between.is_empty()
                || !self.knew(item, sequence, knew.entry((item.id.client, sequence)).or_default(), &between))
    }

    /// Adds to what the author of an item knew in a sequence: their own, the item's neighbours, and what these were put beside or written
    /// after by their own authors. Whether one of `these` was in it.
    fn knew(&self, item: &Placed, sequence: usize, knew: &mut Known, these: &Known) -> bool {
        let own = item.id.clock.checked_sub(1).map(|clock| Id { clock, ..item.id });
        let mut found: Vec<Id> = [item.left, item.right, own].into_iter().flatten().collect();
        while let Some(Id { client, clock }) = found.pop() {
            let end = knew.entry(client).or_insert(0);
            let Some(pieces) = self.clients.get(&client).filter(|_| *end <= clock) else { continue };
            let from = std::mem::replace(end, clock + 1);
            for &index in pieces.range(from..=clock).map(|(_, index)| index) {
                let piece = &self.pieces[index];
                if piece.sequence == sequence {
                    found.extend([piece.left, piece.right].into_iter().flatten());
                }
            }
        }
        these.iter().any(|(client, first)| knew.get(client).is_some_and(|end| first < end))
    }

    /// Cuts the piece that holds a clock so that one begins with it. Returns that one.
    fn cut(&mut self, id: Id) -> Option<usize> {
        let index = self.find(id)?;
        let piece = &mut self.pieces[index];
        let before = id.clock - piece.id.clock;
        if before == 0 {
            return Some(index);
        }
        let rest = Piece {
            id,
            len: piece.len - before,
            left: Some(Id { clock: id.clock - 1, ..id }),
            right: piece.right,
            sequence: piece.sequence,
            next: piece.next,
        };
        piece.len = before;
        Some(self.push(rest, Some(index)))
    }

    /// Adds a piece behind another one, or as the first.
    fn push(&mut self, mut piece: Piece, behind: Option<usize>) -> usize {
        let index = self.pieces.len();
        let slot = match behind {
            Some(behind) => &mut self.pieces[behind].next,
            None => &mut self.sequences[piece.sequence].first,
        };
        piece.next = slot.replace(index);
        self.clients.entry(piece.id.client).or_default().insert(piece.id.clock, index);
        self.pieces.push(piece);
        index
    }

    /// Puts an item into a sequence, where every Yjs and Yrs puts it.
    fn insert(&mut self, item: &Placed, sequence: usize) {
        let right = item.right.and_then(|right| self.cut(right));
        let mut left = item.left.and_then(|left| {
            self.cut(Id { clock: left.clock + 1, ..left });
            self.find(left)
        });
        let mut other = match left {
            Some(left) => self.pieces[left].next,
            None => self.sequences[sequence].first,
        };
        let (mut passed, mut conflicting) = (HashSet::new(), HashSet::new());
        while let Some(index) = other.filter(|_| other != right) {
            let piece = &self.pieces[index];
            // Yrs may have an item for each of its clocks: it was put in so, or cut by what was deleted.
            self.steps += u64::from(piece.len);
            passed.insert(index);
            conflicting.insert(index);
            if piece.left == item.left {
                if piece.id.client < item.id.client {
                    left = Some(index);
                    conflicting.clear();
                } else if piece.right == item.right {
                    break;
                }
            } else {
                match piece.left.and_then(|origin| self.find(origin)).filter(|origin| passed.contains(origin)) {
                    Some(origin) if !conflicting.contains(&origin) => {
                        left = Some(index);
                        conflicting.clear();
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            other = piece.next;
        }
        // What is typed letter by letter makes one piece.
        if let Some(behind) = left.map(|left| &mut self.pieces[left])
            && item.left == Some(behind.last())
            && item.right == behind.right
            && item.id == (Id { clock: behind.last().clock + 1, ..behind.id })
        {
            behind.len += item.len;
            return;
        }
        let Placed { id, len, left: origin, right, .. } = *item;
        self.push(Piece { id, len, left: origin, right, sequence, next: None }, left);
    }
}

/// Items on their way into an order.
struct Placing<'a, S> {
    order: &'a mut Order,
    items: &'a [Placed],
    around: &'a S,
    /// The steps at which it is enough. Without one nothing is refused.
    limit: Option<u64>,
    /// Those of each client, and how many of them have their place.
    clients: HashMap<u64, (std::ops::Range<usize>, usize)>,
    /// Of those that have one.
    places: Vec<Place>,
    /// What a client knew in a sequence when it wrote its last item there. It never knows less after that.
    knew: HashMap<(u64, usize), Known>,
}

impl<'a, S: Surroundings> Placing<'a, S> {
    fn new(order: &'a mut Order, items: &'a [Placed], around: &'a S, limit: Option<u64>) -> Self {
        let mut clients: HashMap<u64, (std::ops::Range<usize>, usize)> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            clients.entry(item.id.client).or_insert((index..index, 0)).0.end = index + 1;
        }
        Self { order, items, around, limit, clients, places: vec![Place::Gone; items.len()], knew: HashMap::new() }
    }

    /// Each after what it refers to.
    fn all(mut self) -> Result<(), Refused> {
        let mut waiting = Vec::new();
        let (mut start, items) = (0, self.items);
        while let Some(item) = items.get(start) {
            waiting.push(item.id.client);
            while let Some(&client) = waiting.last() {
                let Some((range, placed)) = self.clients.get(&client) else { break };
                let index = range.start + placed;
                if index == range.end {
                    waiting.pop();
                    continue;
                }
                match self.missing(index) {
                    // A circle, to which there is no beginning.
                    Some(other) if waiting.contains(&other) => return Err(Misplaced),
                    Some(other) => waiting.push(other),
                    None => {
                        self.places[index] = self.put(index)?;
                        if let Some((_, placed)) = self.clients.get_mut(&client) {
                            *placed += 1;
                        }
                        // The one that waited for it may not need the rest, which may need that one.
                        if waiting.len() > 1 {
                            waiting.pop();
                        }
                    }
                }
            }
            start = self.clients.get(&item.id.client).map_or(items.len(), |(range, _)| range.end);
        }
        Ok(())
    }

    /// A client whose next item must have its place before this one can have its own.
    fn missing(&self, index: usize) -> Option<u64> {
        let item = &self.items[index];
        let known = self.around.known(item.id.client);
        if item.end() <= known {
            return None;
        }
        let parent = match item.parent {
            Some(Parent::In(id)) => Some(id),
            _ => None,
        };
        let left = item.left.filter(|_| item.id.clock >= known);
        [left, item.right, parent].into_iter().flatten().find(|&id| self.waits(id)).map(|id| id.client)
    }

    /// Whether a clock is of an item that has no place yet.
    fn waits(&self, id: Id) -> bool {
        self.clients.get(&id.client).is_some_and(|(range, placed)| {
            let next = self.items[range.clone()].get(*placed);
            next.is_some_and(|next| next.id.clock <= id.clock) && id.clock >= self.around.known(id.client)
        })
    }

    fn put(&mut self, index: usize) -> Result<Place, Refused> {
        let item = &self.items[index];
        let known = self.around.known(item.id.client);
        if item.end() <= known {
            return Ok(Place::Gone);
        }
        if item.id.clock < known {
            // Only the rest of it is new; it stands behind what is known, wherever that is.
            let before = Id { clock: known - 1, ..item.id };
            if let Some(parent) = &item.parent {
                match self.within(parent) {
                    Place::Gone => return Ok(Place::Gone),
                    place if item.key.is_some() || place != self.settled(before) => return Err(Misplaced),
                    _ => {}
                }
            }
            let rest = Placed {
                id: Id { clock: known, ..item.id },
                len: item.end() - known,
                left: Some(before),
                right: item.right,
                parent: None,
                key: None,
            };
            return self.put_item(&rest);
        }
        self.put_item(item)
    }

    fn put_item(&mut self, item: &Placed) -> Result<Place, Refused> {
        let strict = self.limit.is_some();
        let place = match (item.left, item.right, &item.parent) {
            (Some(left), Some(right), _) => match self.between(left, right) {
                Some(place) => place,
                None if strict => return Err(Misplaced),
                None => self.place(left),
            },
            (Some(left), None, _) => self.place(left),
            (None, Some(right), _) => match self.settled(right) {
                Place::Keyed if strict => return Err(Misplaced),
                place => place,
            },
            (None, None, Some(_)) if item.key.is_some() => Place::Keyed,
            (None, None, Some(parent)) => self.within(parent),
            (None, None, None) => Place::Gone,
        };
        match place {
            Place::In(sequence) => {
                if strict && !self.order.fits(item, sequence, &mut self.knew) {
                    return Err(Misplaced);
                }
                self.order.insert(item, sequence);
            }
            Place::Keyed | Place::Beside(_) => self.order.steps += self.order.keys.put(item),
            Place::Gone => {}
        }
        if self.limit.is_some_and(|limit| self.order.steps > limit) { Err(Crowded) } else { Ok(place) }
    }

    /// What an item between these two is part of, if they can be its neighbours.
    fn between(&self, left: Id, right: Id) -> Option<Place> {
        match (self.settled(left), self.settled(right)) {
            (Place::In(one), Place::In(other)) if one == other => Some(Place::In(one)),
            (Place::Gone, Place::Gone) => Some(Place::Gone),
            // Written in a text that is deleted, by somebody who did not know: a part of it may have come only after that.
            (Place::In(sequence), Place::Gone) | (Place::Gone, Place::In(sequence)) => {
                match self.order.sequences[sequence].parent {
                    Parent::In(id) if self.is_dead(id) => Some(Place::Gone),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn within(&mut self, parent: &Parent) -> Place {
        match parent {
            Parent::In(id) if self.is_dead(*id) => Place::Gone,
            _ => Place::In(self.order.sequence(parent)),
        }
    }

    fn place(&self, id: Id) -> Place {
        if let Some(piece) = self.order.find(id) {
            return Place::In(self.order.pieces[piece].sequence);
        }
        if id.clock >= self.around.known(id.client) {
            // It is new; what is no item was deleted.
            return self.item(id).map_or(Place::Gone, |index| self.places[index]);
        }
        Place::Beside(id)
    }

    /// The same, and looked for.
    fn settled(&self, id: Id) -> Place {
        match self.place(id) {
            Place::Beside(id) if self.around.is_gone(id) => Place::Gone,
            Place::Beside(_) => Place::Keyed,
            place => place,
        }
    }

    /// Whether a shared type is gone, or is none.
    fn is_dead(&self, id: Id) -> bool {
        if id.clock < self.around.known(id.client) {
            return self.around.is_dead(id);
        }
        // One that is a key's value is there; one in a text or an array is there as long as this is.
        self.item(id).is_none_or(|index| match self.places[index] {
            Place::Beside(beside) => self.around.is_gone(beside),
            place => place == Place::Gone,
        })
    }

    /// The item of the update that holds a clock.
    fn item(&self, id: Id) -> Option<usize> {
        let (range, _) = self.clients.get(&id.client)?;
        let items = &self.items[range.clone()];
        let index = items.partition_point(|item| item.id.clock <= id.clock).checked_sub(1)?;
        (id.clock < items[index].end()).then_some(range.start + index)
    }
}

#[cfg(test)]
mod tests;
