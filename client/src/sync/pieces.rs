//! Pending edits as messages of bounded size, in an order in which the server can take them. Pure.
//!
//! The server keeps nothing aside: an edit that builds on something it has not got is refused. Edits are stored by the document that made
//! them; those of two tabs, or of two lives of a page, build on each other, and no order of documents is right for both.

use std::collections::HashMap;

use shared::wire::scan;
use yrs::StateVector;

use super::outbox::EditKey;

/// Some edits as one message.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which edits.
    pub keys: Vec<EditKey>,
    /// What they are together, as a v1 update.
    pub update: Vec<u8>,
}

/// The edits that somebody with this state vector can take, each after those that it builds on, in pieces of `most` bytes, or of one edit
/// that is larger. What builds on something that is neither theirs nor here is left out.
pub fn in_pieces(edits: Vec<(EditKey, Vec<u8>)>, theirs: &StateVector, most: usize) -> Vec<Piece> {
    let mut known: HashMap<u64, u32> = theirs.iter().map(|(client, clock)| (client.get(), *clock)).collect();
    let mut pieces = Vec::new();
    let (mut keys, mut updates, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut close = |keys: &mut Vec<EditKey>, updates: &mut Vec<Vec<u8>>| {
        // Our own edits can always be merged.
        if let Ok(update) = yrs::merge_updates_v1(std::mem::take(updates)) {
            pieces.push(Piece { keys: std::mem::take(keys), update });
        }
    };
    for (key, update) in in_order(edits, &mut known) {
        if bytes + update.len() > most && !keys.is_empty() {
            close(&mut keys, &mut updates);
            bytes = 0;
        }
        bytes += update.len();
        keys.push(key);
        updates.push(update);
    }
    if !keys.is_empty() {
        close(&mut keys, &mut updates);
    }
    pieces
}

/// Those that can be taken, each after what it builds on.
fn in_order(edits: Vec<(EditKey, Vec<u8>)>, known: &mut HashMap<u64, u32>) -> Vec<(EditKey, Vec<u8>)> {
    let mut waiting: Vec<_> = (edits.into_iter())
        .filter_map(|(key, update)| scan::check(&update).ok().map(|checked| (key, update, checked)))
        .collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    loop {
        let before = ordered.len();
        let mut later = Vec::new();
        for (key, update, checked) in waiting {
            let at = |client: u64| known.get(&client).copied().unwrap_or(0);
            let follows = checked.inserted.iter().all(|range| range.clock <= at(range.client));
            if !follows || checked.needs.iter().any(|(client, clock)| *clock >= at(*client)) {
                later.push((key, update, checked));
                continue;
            }
            for range in &checked.inserted {
                let end = known.entry(range.client).or_default();
                *end = (*end).max(range.clock.saturating_add(range.len));
            }
            ordered.push((key, update));
        }
        if ordered.len() == before {
            return ordered;
        }
        waiting = later;
    }
}

#[cfg(test)]
mod tests {
    use shared::board::new_doc;
    use yrs::updates::decoder::Decode;
    use yrs::{Doc, GetString, ReadTxn, Text, Transact, Update};

    use super::*;

    fn types(doc: &Doc, at: u32, words: &str) -> Vec<u8> {
        let text = doc.get_or_insert_text("t");
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, at, words);
        txn.encode_update_v1()
    }

    fn take(doc: &Doc, update: &[u8]) {
        doc.transact_mut().apply_update(Update::decode_v1(update).expect("an update")).expect("applies");
    }

    #[test]
    fn edits_of_two_tabs_that_build_on_each_other_arrive_in_the_order_they_were_made() {
        // Stored by document: all of the second tab's (1) stand before those of the first (9).
        let (first, second) = (new_doc(9), new_doc(1));
        let (mut of_first, mut of_second) = (Vec::new(), Vec::new());
        for n in 0..20 {
            let (by, other, kept) =
                if n % 2 == 0 { (&first, &second, &mut of_first) } else { (&second, &first, &mut of_second) };
            let update = types(by, n, "字");
            take(other, &update);
            kept.push((format!("{n:02}"), update));
        }
        let edits: Vec<_> = of_second.into_iter().chain(of_first).collect();
        let pieces = in_pieces(edits, &StateVector::default(), 40);
        assert!(pieces.len() > 3, "{pieces:?}");
        assert_eq!(pieces.iter().map(|piece| piece.keys.len()).sum::<usize>(), 20);
        let server = new_doc(2);
        let text = server.get_or_insert_text("t");
        for piece in pieces {
            take(&server, &piece.update);
            assert!(!server.transact().has_missing_updates(), "{:?}", piece.keys);
        }
        assert_eq!(text.get_string(&server.transact()), "字".repeat(20));
    }

    #[test]
    fn what_builds_on_nothing_that_is_there_is_left_out() {
        let doc = new_doc(9);
        types(&doc, 0, "lost");
        let orphan = types(&doc, 4, "orphan");
        assert_eq!(in_pieces(vec![("a".to_owned(), orphan.clone())], &StateVector::default(), 100), []);
        let theirs = new_doc(3);
        take(&theirs, &doc.transact().encode_state_as_update_v1(&StateVector::default()));
        let theirs = theirs.transact().state_vector();
        assert_eq!(
            in_pieces(vec![("a".to_owned(), orphan)], &theirs, 100).len(),
            1,
            "known already: sent for the answer"
        );
    }

    #[test]
    fn an_edit_that_is_larger_goes_alone() {
        let doc = new_doc(9);
        let edits: Vec<_> = (0..3).map(|n| (n.to_string(), types(&doc, 0, &"x".repeat(200)))).collect();
        assert_eq!(in_pieces(edits, &StateVector::default(), 100).len(), 3);
    }
}
