//! A document brought back from storage. Pure.

use std::collections::BTreeMap;

use shared::id::BoardKind;

use super::doc::Document;
use super::outbox::EditKey;
use super::storage::StoredBoard;

/// The document that is stored, to be written on under a client id that was never used, and the edits in it that the server has not
/// acknowledged. `typed` was made while storage was being read, in the document that this one replaces: it may not be in what was read.
pub fn revive(
    client: u64,
    kind: BoardKind,
    stored: StoredBoard,
    typed: Vec<(EditKey, Vec<u8>)>,
) -> (Document, Vec<EditKey>) {
    let mut document = Document::new(client, kind);
    let whole = stored.state.iter().all(|state| document.apply(state).is_ok());
    if !whole {
        // Nothing was written under this id yet, so it can be used again.
        document = Document::new(client, kind);
    }
    // Each once; keys come sorted, and so do edits of one document from first to last.
    let edits: BTreeMap<EditKey, Vec<u8>> = stored.edits.into_iter().chain(typed).collect();
    // What cannot be read is kept in storage and left alone.
    let pending = edits.into_iter().filter(|(_, update)| document.apply(update).is_ok()).map(|(key, _)| key).collect();
    document.take();
    (document, pending)
}

#[cfg(test)]
mod tests {
    use shared::id::TableId;
    use yrs::{GetString, Text};

    use super::*;
    use crate::sync::doc::Roots;

    const KIND: BoardKind = BoardKind::Table(TableId(1));

    fn types(document: &Document, words: &str) -> Vec<u8> {
        let Roots::Table(table) = document.roots() else { panic!("a table") };
        document.edit(0, |txn| table.so_far.push(txn, words));
        document.take().updates.pop().expect("an edit")
    }

    fn reads(document: &Document) -> String {
        let Roots::Table(table) = document.roots() else { panic!("a table") };
        document.read(|txn| table.so_far.get_string(txn))
    }

    #[test]
    fn d1_what_is_typed_while_storage_is_read_is_in_the_next_document() {
        let old = Document::new(1, KIND);
        let first = types(&old, "before ");
        let state = old.state();
        let (second, third) = (types(&old, "stored "), types(&old, "typed meanwhile"));
        let stored =
            StoredBoard { state: Some(state), edits: vec![("1/01".into(), first), ("1/02".into(), second.clone())] };
        let (new, pending) = revive(2, KIND, stored, vec![("1/02".into(), second), ("1/03".into(), third)]);
        assert_eq!(reads(&new), "before stored typed meanwhile");
        assert_eq!(pending, ["1/01", "1/02", "1/03"], "each once");
        // So the difference to the server holds it, whose acknowledgement has it forgotten.
        let server = Document::new(9, KIND);
        server.apply(&new.diff(&server.state_vector()).expect("a difference")).expect("applies");
        assert_eq!(reads(&server), reads(&new));
        assert!(new.take().updates.is_empty(), "nothing of it is an edit of this page");
    }

    #[test]
    fn a_state_that_cannot_be_read_costs_no_edits() {
        let old = Document::new(1, KIND);
        let first = types(&old, "words");
        let edits = vec![("1/01".into(), first), ("1/02".into(), vec![0xff; 9])];
        let (new, pending) = revive(2, KIND, StoredBoard { state: Some(vec![1, 2, 3]), edits }, Vec::new());
        assert_eq!((reads(&new).as_str(), pending), ("words", vec!["1/01".to_owned()]));
    }
}
