//! Which note goes on from which: "yes, and" as the list shows it, one level deep.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;
use shared::id::NoteId;

use crate::state::board::Board;

/// The notes of a board, gathered under those they go back to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Threads {
    /// Notes that build on no other that is still there, in time order.
    pub roots: Vec<NoteId>,
    /// All that goes back to a root, over however many steps, in time order.
    below: HashMap<NoteId, Vec<NoteId>>,
    /// How many notes build directly on one.
    answers: HashMap<NoteId, usize>,
}

impl Threads {
    /// The threads of a board; changes only when notes come or go.
    pub fn of_board(board: Board) -> Memo<Self> {
        let ids = board.note_ids();
        Memo::new(move |_| {
            // What a note builds on never changes, so the notes themselves are not followed.
            let notes = ids.with(|ids| {
                ids.iter()
                    .map(|id| {
                        (id.clone(), board.note(id).and_then(|note| note.with_untracked(|note| note.builds_on.clone())))
                    })
                    .collect::<Vec<_>>()
            });
            Self::new(&notes)
        })
    }

    /// Notes in time order, each with the one it builds on.
    pub fn new(notes: &[(NoteId, Option<NoteId>)]) -> Self {
        let there: HashMap<&NoteId, Option<&NoteId>> = notes.iter().map(|(id, on)| (id, on.as_ref())).collect();
        let mut threads = Self::default();
        for (id, on) in notes {
            if let Some(on) = on.as_ref().filter(|on| there.contains_key(on)) {
                *threads.answers.entry(on.clone()).or_default() += 1;
            }
            match root(id, &there) {
                Some(root) => threads.below.entry(root.clone()).or_default().push(id.clone()),
                None => threads.roots.push(id.clone()),
            }
        }
        threads
    }

    /// What goes back to a root.
    pub fn below(&self, root: &NoteId) -> &[NoteId] {
        self.below.get(root).map_or(&[], Vec::as_slice)
    }

    /// How many notes build directly on one.
    pub fn answers(&self, id: &NoteId) -> usize {
        self.answers.get(id).copied().unwrap_or(0)
    }
}

/// The last note that can be reached; none for a note that builds on nothing, and for those that build on each other in a circle.
fn root<'a>(id: &'a NoteId, there: &HashMap<&'a NoteId, Option<&'a NoteId>>) -> Option<&'a NoteId> {
    let mut seen = HashSet::from([id]);
    let mut at = id;
    while let Some(on) = there.get(at).copied().flatten().filter(|on| there.contains_key(on)) {
        if !seen.insert(on) {
            return None;
        }
        at = on;
    }
    (at != id).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(notes: &[(&str, &str)]) -> Threads {
        let notes: Vec<(NoteId, Option<NoteId>)> =
            notes.iter().map(|(id, on)| ((*id).into(), (!on.is_empty()).then(|| (*on).into()))).collect();
        Threads::new(&notes)
    }

    fn names(ids: &[NoteId]) -> Vec<&str> {
        ids.iter().map(NoteId::as_str).collect()
    }

    #[test]
    fn all_that_goes_on_from_a_note_lies_under_it() {
        let threads = threads(&[("a", ""), ("b", ""), ("c", "a"), ("d", "c"), ("e", "a")]);
        assert_eq!(names(&threads.roots), ["a", "b"]);
        assert_eq!(names(threads.below(&"a".into())), ["c", "d", "e"]);
        assert_eq!(threads.answers(&"a".into()), 2);
        assert_eq!(threads.answers(&"c".into()), 1);
    }

    #[test]
    fn what_went_on_from_a_note_taken_away_stands_by_itself() {
        let threads = threads(&[("c", "gone"), ("d", "c")]);
        assert_eq!(names(&threads.roots), ["c"]);
        assert_eq!(names(threads.below(&"c".into())), ["d"]);
    }

    #[test]
    fn a_circle_hides_no_note() {
        let threads = threads(&[("a", "b"), ("b", "a"), ("c", "c"), ("d", "a")]);
        assert_eq!(names(&threads.roots), ["a", "b", "c", "d"]);
    }
}
