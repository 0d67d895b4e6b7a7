//! The bytes of an update, read without trusting them; see [`super`].

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::lib0::{ReadError, Reader};
use super::{Id, Parent, Placed, ScanError, SharedType};
use crate::limits;

/// Client ids are JavaScript's safe integers.
const CLIENT_MAX: u64 = (1 << 53) - 1;
/// Yrs calculates with clocks as `i32`.
const CLOCK_MAX: u32 = i32::MAX as u32;
/// Groups of 7 bits in an integer of an `Any` value: 62 bits and a sign; Yjs writes no more than 32 bits so.
const INTEGER_BYTES: usize = 9;

/// What a struct begins with that stands for something left out.
pub(super) const SKIP: u8 = 10;
/// Fewest bytes of a client's section: a count, a client, a clock, a struct.
pub(super) const SECTION_BYTES: usize = 5;
/// Fewest bytes of a struct: GC or Skip and its length.
pub(super) const STRUCT_BYTES: usize = 2;
/// Fewest bytes of a client's deletions, and of one of them.
const DELETION_BYTES: usize = 2;

/// Bytes of memory that a shared type takes in Yrs beside its item: its tables.
const TYPE_MEMORY: usize = 512;
/// Bytes of memory that a value takes: measured 24 for a null, which is one byte of an update, and 60 for a short text.
const VALUE_MEMORY: usize = 64;
/// The same of a value that is a map, beside what is in it: measured 100 when empty, 360 with one entry.
const MAP_MEMORY: usize = 256;

/// What the bytes tell of an update; see [`Checked`].
pub(super) struct Walked {
    pub(super) needs: Vec<(u64, u32)>,
    pub(super) types: Vec<SharedType>,
    pub(super) lazy: bool,
    pub(super) items: Vec<Placed>,
    pub(super) content: usize,
}

/// Reads a whole update.
pub(super) fn walk(update: &[u8]) -> Result<Walked, ScanError> {
    let mut reader = Reader::new(update);
    let mut structs = Structs::default();
    structs.read(&mut reader)?;
    read_deletions(&mut reader)?;
    if !reader.is_empty() {
        return Err(ScanError::Trailing);
    }
    let lazy = structs.check_depth()?;
    Ok(Walked { needs: structs.needs(), types: structs.types, lazy, items: structs.items, content: structs.content })
}

/// Reads the structs of a whole document. Values may take more bytes in it than they did in the updates. Whoever only counts is not told where
/// its items are, which costs most of the time.
pub(super) fn walk_whole(state: &[u8], counts: bool) -> Result<Structs, ScanError> {
    let mut structs = Structs { lenient: true, counts, ..Structs::default() };
    structs.read(&mut Reader::new(state))?;
    Ok(structs)
}

/// Where an item is.
#[derive(Clone, Copy)]
enum Place {
    /// In a root type.
    Root,
    /// In the shared type that is this item.
    In(Id),
    /// In the same type as this item.
    Beside(Id),
}

impl Placed {
    /// Where it is, as far as the bytes tell.
    fn place(&self) -> Place {
        match (self.left.or(self.right), &self.parent) {
            (Some(neighbour), _) => Place::Beside(neighbour),
            (None, Some(Parent::In(id))) => Place::In(*id),
            (None, _) => Place::Root,
        }
    }
}

/// What was seen of the structs.
#[derive(Default)]
pub(super) struct Structs {
    pub(super) items: Vec<Placed>,
    /// How many they are.
    pub(super) count: usize,
    /// Whether they are only counted.
    counts: bool,
    /// The items that are shared types, as indices.
    holders: Vec<usize>,
    /// For each client the items that are its, as indices, and the clock at which its structs end.
    clients: HashMap<u64, (std::ops::Range<usize>, u32)>,
    /// The highest clock of each client that is referred to.
    referred: BTreeMap<u64, u32>,
    types: Vec<SharedType>,
    /// Whether keys and values may have any length.
    lenient: bool,
    /// Whether there is a value that is bytes.
    pub(super) binary: bool,
    /// Bytes of memory that types and values take beside their items.
    pub(super) content: usize,
}

impl Structs {
    fn read(&mut self, reader: &mut Reader) -> Result<(), ScanError> {
        for _ in 0..count(reader, SECTION_BYTES)? {
            let structs = count(reader, STRUCT_BYTES)?;
            let client = client(reader)?;
            let mut clock = clock(reader)?;
            let first = self.items.len();
            let mut something = false;
            for _ in 0..structs {
                let len = self.read_struct(reader, Id { client, clock })?;
                something |= len > 0;
                clock = advance(clock, len)?;
            }
            // Yrs recurses over clients without structs, and mixes up those that come twice.
            if !something || self.clients.insert(client, (first..self.items.len(), clock)).is_some() {
                return Err(ScanError::Section);
            }
        }
        Ok(())
    }

    /// Reads one struct; returns its length in clocks.
    pub(super) fn read_struct(&mut self, reader: &mut Reader, id: Id) -> Result<u32, ScanError> {
        const GC: u8 = 0;
        let info = reader.byte()?;
        if info == GC || info == SKIP {
            let len = clock(reader)?;
            return if len > 0 { Ok(len) } else { Err(ScanError::Range) };
        }
        let mut item = self.read_place(reader, info, id)?;
        let (len, holds_type) = self.read_content(reader, info & 0x1f)?;
        if holds_type && !self.counts {
            let at_root = matches!(item.place(), Place::Root);
            self.types.push(SharedType { client: id.client, clock: id.clock, at_root });
        }
        // Old versions of Yjs wrote items of no length; Yrs passes over them.
        if len > 0 {
            advance(id.clock, len)?;
            self.count += 1;
            if self.counts {
                return Ok(len);
            }
            item.len = len;
            self.holders.extend(holds_type.then_some(self.items.len()));
            self.items.push(item);
        }
        Ok(len)
    }

    fn read_place(&mut self, reader: &mut Reader, info: u8, id: Id) -> Result<Placed, ScanError> {
        const LEFT: u8 = 0x80;
        const RIGHT: u8 = 0x40;
        const KEY: u8 = 0x20;
        let mut item = Placed { id, len: 0, left: None, right: None, parent: None, key: None };
        if info & LEFT != 0 {
            item.left = Some(self.read_reference(reader, id)?);
        }
        if info & RIGHT != 0 {
            item.right = Some(self.read_reference(reader, id)?);
        }
        if item.left.or(item.right).is_some() {
            return Ok(item);
        }
        item.parent = Some(match reader.var_uint()? {
            1 => Parent::Root(self.kept_key(reader)?),
            0 => Parent::In(self.read_reference(reader, id)?),
            _ => return Err(ReadError::Oversized.into()),
        });
        if info & KEY != 0 {
            item.key = Some(self.kept_key(reader)?);
        }
        Ok(item)
    }

    fn read_reference(&mut self, reader: &mut Reader, from: Id) -> Result<Id, ScanError> {
        let (client, clock) = (client(reader)?, clock(reader)?);
        if client == from.client && clock >= from.clock {
            return Err(ScanError::Clock);
        }
        if !self.counts {
            let highest = self.referred.entry(client).or_default();
            *highest = clock.max(*highest);
        }
        Ok(Id { client, clock })
    }

    fn needs(&self) -> Vec<(u64, u32)> {
        let brought = |client: u64| self.clients.get(&client).map_or(0, |(_, end)| *end);
        self.referred
            .iter()
            .filter(|&(&client, &clock)| clock >= brought(client))
            .map(|(&client, &clock)| (client, clock))
            .collect()
    }

    /// The item of this update that holds a clock.
    fn find(&self, id: Id) -> Option<usize> {
        let (range, _) = self.clients.get(&id.client)?;
        let items = &self.items[range.clone()];
        let after = items.partition_point(|item| item.id.clock <= id.clock);
        let index = after.checked_sub(1)?;
        (id.clock < items[index].end()).then_some(range.start + index)
    }

    /// Follows every shared type outwards, without recursion, and each item once. Returns [`Checked::lazy`].
    fn check_depth(&self) -> Result<bool, ScanError> {
        const UNKNOWN: u32 = u32::MAX;
        const UNDERWAY: u32 = u32::MAX - 1;
        let mut depths = vec![UNKNOWN; self.items.len()];
        let mut path = Vec::new();
        let mut lazy = false;
        for &start in &self.holders {
            let mut next = Some(start);
            let mut depth = 0;
            while let Some(index) = next {
                match depths[index] {
                    UNKNOWN => {}
                    // A circle; Yrs will never find a beginning to it.
                    UNDERWAY => break,
                    known => {
                        depth = known;
                        break;
                    }
                }
                depths[index] = UNDERWAY;
                path.push(index);
                next = match self.items[index].place() {
                    Place::Root => None,
                    Place::In(id) | Place::Beside(id) => {
                        let found = self.find(id);
                        lazy |= found.is_none();
                        found
                    }
                };
            }
            for index in path.drain(..).rev() {
                if matches!(self.items[index].place(), Place::In(_)) {
                    depth += 1;
                }
                depths[index] = depth;
            }
            if depth > limits::TYPE_DEPTH {
                return Err(ScanError::Depth);
            }
        }
        Ok(lazy)
    }

    /// Reads the content of an item; returns its length in clocks, and whether it is a shared type.
    fn read_content(&mut self, reader: &mut Reader, kind: u8) -> Result<(u32, bool), ScanError> {
        const DELETED: u8 = 1;
        const BINARY: u8 = 3;
        const STRING: u8 = 4;
        const EMBED: u8 = 5;
        const FORMAT: u8 = 6;
        const TYPE: u8 = 7;
        const ANY: u8 = 8;
        let len = match kind {
            DELETED => clock(reader)?,
            BINARY => {
                self.within(reader.var_bytes()?.len())?;
                self.binary = true;
                1
            }
            STRING => reader.var_string()?.chars().map(|c| c.len_utf16() as u32).sum(),
            EMBED => {
                let bytes = read_json(reader, &mut self.content)?;
                self.within(bytes)?;
                1
            }
            FORMAT => {
                self.key(reader)?;
                let bytes = read_json(reader, &mut self.content)?;
                self.within(bytes)?;
                1
            }
            TYPE => {
                const ARRAY: u8 = 0;
                const MAP: u8 = 1;
                const TEXT: u8 = 2;
                match reader.byte()? {
                    ARRAY | MAP | TEXT => {
                        self.content += TYPE_MEMORY;
                        return Ok((1, true));
                    }
                    other => return Err(ScanError::Type(other)),
                }
            }
            ANY => {
                let values = count(reader, 1)?;
                for _ in 0..values {
                    let before = reader.remaining();
                    read_any(reader, limits::ANY_DEPTH, &mut self.content)?;
                    self.within(before - reader.remaining())?;
                }
                values
            }
            other => return Err(ScanError::Content(other)),
        };
        Ok((len, false))
    }

    /// The name of a root type, a key of a map or of a format.
    fn key<'a>(&self, reader: &mut Reader<'a>) -> Result<&'a str, ScanError> {
        let key = reader.var_string()?;
        if self.lenient || key.len() <= limits::KEY_BYTES { Ok(key) } else { Err(ScanError::TooLong("key")) }
    }

    fn kept_key(&self, reader: &mut Reader<'_>) -> Result<Box<str>, ScanError> {
        let key = self.key(reader)?;
        Ok(if self.counts { Box::default() } else { key.into() })
    }

    /// Whether a value that is not shared text has a size that boards have.
    fn within(&self, bytes: usize) -> Result<(), ScanError> {
        if self.lenient || bytes <= limits::VALUE_BYTES { Ok(()) } else { Err(ScanError::TooLong("value")) }
    }
}

/// Reads a value that may nest `depth` deep, and counts the memory that it takes.
fn read_any(reader: &mut Reader, depth: usize, memory: &mut usize) -> Result<(), ScanError> {
    let depth = depth.checked_sub(1).ok_or(ScanError::Depth)?;
    *memory += VALUE_MEMORY;
    match reader.byte()? {
        // undefined, null, false, true
        127 | 126 | 121 | 120 => {}
        125 => read_integer(reader)?,
        // 32 bit float
        124 => _ = reader.take(4)?,
        // 64 bit float, 64 bit integer
        123 | 122 => _ = reader.take(8)?,
        119 => _ = reader.var_string()?,
        118 => {
            *memory += MAP_MEMORY;
            for _ in 0..count(reader, 2)? {
                reader.var_string()?;
                read_any(reader, depth, memory)?;
            }
        }
        117 => {
            for _ in 0..count(reader, 1)? {
                read_any(reader, depth, memory)?;
            }
        }
        116 => _ = reader.var_bytes()?,
        other => return Err(ScanError::Content(other)),
    }
    Ok(())
}

/// A signed integer: 6 bits and a sign, then groups of 7. More bits than Yrs can shift would make it panic.
fn read_integer(reader: &mut Reader) -> Result<(), ScanError> {
    for _ in 0..INTEGER_BYTES {
        if reader.byte()? < 0x80 {
            return Ok(());
        }
    }
    Err(ReadError::Oversized.into())
}

/// A value as JSON text, counted like one of [`read_any`]; returns its length in bytes. Only its depth is looked at; whether it is JSON at
/// all, Yrs finds out safely.
fn read_json(reader: &mut Reader, memory: &mut usize) -> Result<usize, ScanError> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    *memory += VALUE_MEMORY;
    let json = reader.var_string()?;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > limits::ANY_DEPTH {
                    return Err(ScanError::Depth);
                }
                *memory += if byte == b'{' { MAP_MEMORY + VALUE_MEMORY } else { VALUE_MEMORY };
            }
            b',' if !quoted => *memory += VALUE_MEMORY,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(json.len())
}

fn read_deletions(reader: &mut Reader) -> Result<(), ScanError> {
    let mut seen = HashSet::new();
    for _ in 0..count(reader, DELETION_BYTES)? {
        if !seen.insert(client(reader)?) {
            return Err(ScanError::Section);
        }
        let mut end = 0;
        for _ in 0..count(reader, DELETION_BYTES)? {
            let (start, len) = (clock(reader)?, clock(reader)?);
            // Yrs searches them as sorted, and keeps empty ones aside for ever.
            if start < end || len == 0 {
                return Err(ScanError::Range);
            }
            end = advance(start, len)?;
        }
    }
    Ok(())
}

/// A count of things of which each takes at least `bytes`.
pub(super) fn count(reader: &mut Reader, bytes: usize) -> Result<u32, ScanError> {
    let count = reader.var_u32().map_err(|e| if e == ReadError::Oversized { ScanError::Count } else { e.into() })?;
    if count as usize <= reader.remaining() / bytes { Ok(count) } else { Err(ScanError::Count) }
}

pub(super) fn client(reader: &mut Reader) -> Result<u64, ScanError> {
    let client = reader.var_uint()?;
    if client <= CLIENT_MAX { Ok(client) } else { Err(ScanError::Client) }
}

/// A clock, or a number of clocks.
pub(super) fn clock(reader: &mut Reader) -> Result<u32, ScanError> {
    match reader.var_u32() {
        Ok(clock) if clock <= CLOCK_MAX => Ok(clock),
        Ok(_) | Err(ReadError::Oversized) => Err(ScanError::Clock),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn advance(clock: u32, len: u32) -> Result<u32, ScanError> {
    clock.checked_add(len).filter(|&end| end <= CLOCK_MAX).ok_or(ScanError::Clock)
}
