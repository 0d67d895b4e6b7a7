//! What of an update can be taken where some of it cannot: the structs of some authors, each after what it builds on.
//!
//! Structs are copied as they are and never decoded, so nothing of them can change.

use std::collections::BTreeMap;

use super::super::lib0::{Reader, Writer};
use super::read::Structs;
use super::{Id, Parent, Range, ScanError, read};

/// A part of an update.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// It, as a v1 update; perhaps of nothing at all.
    pub bytes: Vec<u8>,
    /// Whether all that is new of those who are not left out is in it.
    pub is_whole: bool,
    /// Clients of whom something is missing that came with the update and is left out, or that it builds on, ascending.
    pub missing: Vec<u64>,
}

/// A client's structs: where they are in the bytes, and how many of them are taken.
struct Section {
    client: u64,
    /// The first clock.
    clock: u32,
    start: usize,
    structs: Vec<Struct>,
    taken: usize,
}

struct Struct {
    /// The clock after its last.
    end: u32,
    /// Where its bytes end.
    at: usize,
    is_skip: bool,
    needs: Vec<Id>,
}

/// The part of an update without the structs of `left_out`, ascending, and without what builds on something that is not there: `known` tells
/// how many clocks of a client are. `deleted` is what the update deletes; what of that is not there is left out as well.
pub fn part(update: &[u8], left_out: &[u64], deleted: &[Range], known: impl Fn(u64) -> u32) -> Result<Part, ScanError> {
    let mut sections = sections(update)?;
    let mut reach: BTreeMap<u64, u32> = BTreeMap::new();
    let is_left_out = |client: u64| left_out.binary_search(&client).is_ok();
    loop {
        let mut progress = false;
        for section in sections.iter_mut().filter(|section| !is_left_out(section.client)) {
            while let Some(next) = section.structs.get(section.taken) {
                let of = |client: u64| reach.get(&client).copied().unwrap_or_else(|| known(client));
                let begins = section.taken.checked_sub(1).map_or(section.clock, |last| section.structs[last].end);
                let fits = begins <= of(section.client) && next.needs.iter().all(|id| id.clock < of(id.client));
                if next.is_skip || !fits {
                    break;
                }
                let end = next.end.max(of(section.client));
                reach.insert(section.client, end);
                section.taken += 1;
                progress = true;
            }
        }
        if !progress {
            break;
        }
    }
    let of = |client: u64| reach.get(&client).copied().unwrap_or_else(|| known(client));
    let mut missing = Vec::new();
    let mut is_whole = true;
    for section in &sections {
        let end = section.structs.last().map_or(section.clock, |last| last.end);
        if end <= of(section.client) {
            continue;
        }
        if is_left_out(section.client) {
            missing.push(section.client);
            continue;
        }
        is_whole = false;
        let waits = section.structs.get(section.taken).into_iter().flat_map(|next| &next.needs);
        missing.extend(waits.filter(|id| id.clock >= of(id.client)).map(|id| id.client));
    }
    missing.sort_unstable();
    missing.dedup();
    Ok(Part { bytes: write(update, &sections, deleted, of), is_whole, missing })
}

fn sections(update: &[u8]) -> Result<Vec<Section>, ScanError> {
    let mut reader = Reader::new(update);
    let mut seen = Structs::default();
    let mut sections = Vec::new();
    let at = |reader: &Reader<'_>| update.len() - reader.remaining();
    for _ in 0..read::count(&mut reader, read::SECTION_BYTES)? {
        let count = read::count(&mut reader, read::STRUCT_BYTES)?;
        let (client, clock) = (read::client(&mut reader)?, read::clock(&mut reader)?);
        let start = at(&reader);
        let mut structs = Vec::new();
        let mut end = clock;
        for _ in 0..count {
            let is_skip = update.get(at(&reader)) == Some(&read::SKIP);
            let items = seen.items.len();
            end = read::advance(end, seen.read_struct(&mut reader, Id { client, clock: end })?)?;
            let needs = seen.items.get(items).map_or_else(Vec::new, |item| {
                let parent = match &item.parent {
                    Some(Parent::In(id)) => Some(*id),
                    _ => None,
                };
                [item.left, item.right, parent].into_iter().flatten().collect()
            });
            structs.push(Struct { end, at: at(&reader), is_skip, needs });
        }
        sections.push(Section { client, clock, start, structs, taken: 0 });
    }
    Ok(sections)
}

fn write(update: &[u8], sections: &[Section], deleted: &[Range], reach: impl Fn(u64) -> u32) -> Vec<u8> {
    let taken: Vec<(&Section, &Struct)> = (sections.iter())
        .filter_map(|section| Some((section, section.structs.get(section.taken.checked_sub(1)?)?)))
        .collect();
    let mut writer = Writer::new();
    writer.var_uint(taken.len() as u64);
    for (section, last) in taken {
        writer.var_uint(section.taken as u64).var_uint(section.client).var_uint(section.clock.into());
        update.get(section.start..last.at).unwrap_or_default().iter().for_each(|byte| _ = writer.byte(*byte));
    }
    let mut deletions: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
    for range in deleted {
        let end = range.clock.saturating_add(range.len).min(reach(range.client));
        if end > range.clock {
            deletions.entry(range.client).or_default().push((range.clock, end - range.clock));
        }
    }
    writer.var_uint(deletions.len() as u64);
    for (client, ranges) in deletions {
        writer.var_uint(client).var_uint(ranges.len() as u64);
        for (clock, len) in ranges {
            writer.var_uint(clock.into()).var_uint(len.into());
        }
    }
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use yrs::updates::decoder::Decode;
    use yrs::{Doc, GetString, ReadTxn, StateVector, Text, Transact, Update};

    use super::*;
    use crate::board::new_doc;
    use crate::wire::scan::check;

    fn types(doc: &Doc, at: u32, words: &str) {
        let text = doc.get_or_insert_text("t");
        text.insert(&mut doc.transact_mut(), at, words);
    }

    fn take(doc: &Doc, update: &[u8]) {
        doc.transact_mut().apply_update(Update::decode_v1(update).expect("an update")).expect("applies");
        assert!(!doc.transact().has_missing_updates(), "nothing is kept aside");
    }

    fn all(doc: &Doc) -> Vec<u8> {
        doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn reads(doc: &Doc) -> String {
        let text = doc.get_or_insert_text("t");
        text.get_string(&doc.transact())
    }

    /// What the server takes of a device's difference, without the structs of some.
    fn takes(server: &Doc, device: &Doc, left_out: &[u64]) -> Part {
        let known = server.transact().state_vector();
        let update = device.transact().encode_diff_v1(&known);
        let deleted = check(&update).expect("sound").deleted;
        let part = part(&update, left_out, &deleted, |client| known.get(&yrs::ClientID::new(client))).expect("a part");
        check(&part.bytes).expect("a part is sound");
        take(server, &part.bytes);
        part
    }

    #[test]
    fn what_two_wrote_together_arrives_from_each_device_by_turns() {
        let (ann, bob, server) = (new_doc(1), new_doc(2), new_doc(9));
        types(&ann, 0, "ann ");
        take(&server, &all(&ann));
        // The server knows this much, and not what follows: each types behind the other's words.
        for turn in 0..6 {
            let (by, other) = if turn % 2 == 0 { (&bob, &ann) } else { (&ann, &bob) };
            take(by, &all(other));
            types(by, reads(by).len() as u32, &format!("{turn} "));
        }
        take(&bob, &all(&ann));
        let mut turns = 0;
        while reads(&server) != reads(&bob) {
            turns += 1;
            assert!(turns < 10, "{:?}", reads(&server));
            let part = takes(&server, &ann, &[2]);
            let waits = reads(&server) != reads(&bob);
            assert_eq!(part.missing.contains(&2), waits && turns < 4, "{part:?}");
            takes(&server, &bob, &[1]);
        }
        assert!(turns > 2, "they had to wait for each other");
        let last = takes(&server, &ann, &[2]);
        assert_eq!((last.is_whole, last.missing), (true, vec![]));
    }

    #[test]
    fn what_does_not_build_on_others_goes_at_once_and_is_whole() {
        let (ann, bob, server) = (new_doc(1), new_doc(2), new_doc(9));
        types(&bob, 0, "bob");
        take(&ann, &all(&bob));
        let other = ann.get_or_insert_text("other");
        other.insert(&mut ann.transact_mut(), 0, "mine");
        // Taken away, which nobody but ann knows.
        let text = ann.get_or_insert_text("t");
        text.remove_range(&mut ann.transact_mut(), 0, 1);
        let part = takes(&server, &ann, &[2]);
        assert_eq!((part.is_whole, part.missing), (true, vec![2]));
        assert_eq!(server.get_or_insert_text("other").get_string(&server.transact()), "mine");
        assert_eq!(reads(&server), "");
    }

    #[test]
    fn what_builds_on_others_waits_and_so_does_what_follows_it() {
        let (ann, bob, server) = (new_doc(1), new_doc(2), new_doc(9));
        let other = ann.get_or_insert_text("other");
        other.insert(&mut ann.transact_mut(), 0, "first");
        types(&bob, 0, "bob");
        take(&ann, &all(&bob));
        types(&ann, 3, " and ann");
        other.insert(&mut ann.transact_mut(), 0, "last ");
        let part = takes(&server, &ann, &[2]);
        assert_eq!((part.is_whole, part.missing), (false, vec![2]));
        assert_eq!(server.get_or_insert_text("other").get_string(&server.transact()), "first");
        takes(&server, &bob, &[1]);
        assert!(takes(&server, &ann, &[2]).is_whole);
        assert_eq!(reads(&server), "bob and ann");
    }
}
