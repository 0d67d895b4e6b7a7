//! Edits of a text as splices. All positions and lengths are UTF-16 units, as in the DOM, Yjs and our documents.

use yrs::{GetString, ReadTxn, Text, TextRef, TransactionMut};

/// At `at`, `delete` units go and `insert` comes in their place. Neither end lies within a surrogate pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// Where, from the start of the text.
    pub at: u32,
    /// How many units are taken away from there on.
    pub delete: u32,
    /// What is put there.
    pub insert: String,
}

impl Splice {
    /// Units that it inserts.
    pub fn inserted(&self) -> u32 {
        utf16_len(&self.insert)
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.delete == 0 && self.insert.is_empty()
    }

    fn end(&self) -> u32 {
        self.at.saturating_add(self.delete)
    }
}

/// Length in UTF-16 units.
pub fn utf16_len(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

/// The one splice that turns `before` into `after`: what lies between their common beginning and their common end. None if they are equal.
pub fn diff(before: &str, after: &str) -> Option<Splice> {
    diff_at(before, after, None)
}

/// As [`diff`], but among equal letters the change is taken to end at the caret, which is given as it stands after the edit: the second
/// `l` typed into `hel|o` goes where it was typed.
pub fn diff_near(before: &str, after: &str, caret_utf16: u32) -> Option<Splice> {
    diff_at(before, after, Some(caret_utf16))
}

fn diff_at(before: &str, after: &str, caret: Option<u32>) -> Option<Splice> {
    if before == after {
        return None;
    }
    // Whole characters are compared, so that no cut can fall within a surrogate pair.
    let old: Vec<char> = before.chars().collect();
    let new: Vec<char> = after.chars().collect();
    let shorter = old.len().min(new.len());
    let mut prefix = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let mut suffix = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    if prefix + suffix > shorter {
        // Beginning and end overlap: the change may lie at any of several places.
        suffix = match caret {
            Some(caret) => (new.len() - chars_before(&new, caret)).clamp(shorter - prefix, suffix),
            None => shorter - prefix,
        };
        prefix = shorter - suffix;
    }
    let units = |chars: &[char]| chars.iter().map(|c| c.len_utf16() as u32).sum();
    Some(Splice {
        at: units(&old[..prefix]),
        delete: units(&old[prefix..old.len() - suffix]),
        insert: new[prefix..new.len() - suffix].iter().collect(),
    })
}

/// Characters that begin before `offset`.
fn chars_before(chars: &[char], offset: u32) -> usize {
    let mut units = 0;
    chars
        .iter()
        .take_while(|c| {
            let begins = units;
            units += c.len_utf16() as u32;
            begins < offset
        })
        .count()
}

/// `local` and `remote` both start from the same text; the answer does what `local` meant to the text that `remote` left. What either
/// inserted stays, what either deleted goes. Where both insert at one place, local comes first.
pub fn transform(local: &Splice, remote: &Splice) -> Splice {
    let inserted = remote.inserted();
    let untouched = remote.at >= local.end();
    if untouched {
        return local.clone();
    }
    if remote.end() <= local.at {
        return Splice { at: local.at - remote.delete + inserted, ..local.clone() };
    }
    // They overlap: of what local deletes, a part may be left on either side of what remote inserted.
    let left = remote.at.saturating_sub(local.at);
    let right = local.end().saturating_sub(remote.end());
    match (left, right) {
        (0, 0) if local.at == remote.at => Splice { at: local.at, delete: 0, insert: local.insert.clone() },
        (left, 0) if left > 0 => Splice { at: local.at, delete: left, insert: local.insert.clone() },
        (0, right) => Splice { at: remote.at + inserted, delete: right, insert: local.insert.clone() },
        // Remote wrote in the midst of what local deletes. One splice can only take it along, so it is put back.
        (left, right) => Splice {
            at: local.at,
            delete: left + inserted + right,
            insert: format!("{}{}", local.insert, remote.insert),
        },
    }
}

/// Where a caret stands after `remote`. What is inserted just at the caret goes behind it.
pub fn transform_caret(caret: u32, remote: &Splice) -> u32 {
    if caret <= remote.at {
        caret
    } else if caret >= remote.end() {
        caret - remote.delete + remote.inserted()
    } else {
        remote.at + remote.inserted()
    }
}

/// The text after the splice. What lies outside the text is cut off; a cut within a surrogate pair moves outwards.
pub fn apply(text: &str, splice: &Splice) -> String {
    let (at, delete) = fit(text, splice);
    let start = byte_of(text, at);
    let end = byte_of(text, at + delete);
    [&text[..start], &splice.insert, &text[end..]].concat()
}

/// Does the splice to a text of a document. What lies outside the text is cut off, as in [`apply`].
pub fn edit(txn: &mut TransactionMut, text: &TextRef, splice: &Splice) {
    let says = text.get_string(txn);
    let (at, delete) = fit(&says, splice);
    // A text that a stranger's client put objects into has positions that are no characters, and Yrs panics on deleting across some
    // of them. Such a text can still be written into.
    let plain = length(txn, text) == utf16_len(&says);
    if delete > 0 && plain {
        text.remove_range(txn, at, delete);
    }
    if !splice.insert.is_empty() {
        text.insert(txn, at, &splice.insert);
    }
}

fn length<T: ReadTxn>(txn: &T, text: &TextRef) -> u32 {
    text.len(txn)
}

/// Position and length of the deletion, within the text and on boundaries of characters.
fn fit(text: &str, splice: &Splice) -> (u32, u32) {
    let (mut units, mut at, mut end) = (0, None, None);
    for c in text.chars() {
        let next = units + c.len_utf16() as u32;
        if at.is_none() && splice.at < next {
            at = Some(units);
        }
        if end.is_none() && splice.end() <= units {
            end = Some(units);
        }
        units = next;
    }
    let at = at.unwrap_or(units);
    (at, end.unwrap_or(units).max(at) - at)
}

/// Byte at which the unit `offset` begins; the end if there is none.
fn byte_of(text: &str, offset: u32) -> usize {
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        if units >= offset {
            return byte;
        }
        units += c.len_utf16() as u32;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn splice(at: u32, delete: u32, insert: &str) -> Splice {
        Splice { at, delete, insert: insert.to_owned() }
    }

    #[test]
    fn b4_a_difference_is_one_splice() {
        assert_eq!(diff("同", "同"), None);
        assert_eq!(diff("", "业主"), Some(splice(0, 0, "业主")));
        assert_eq!(diff("业主服务", "业主的服务"), Some(splice(2, 0, "的")));
        assert_eq!(diff("a😀b", "a😀😀b"), Some(splice(3, 0, "😀")));
        // Both are the pair d83d + another low half: the pair is replaced whole.
        assert_eq!(diff("😀", "😁"), Some(splice(0, 2, "😁")));
        // The same low half under another high half.
        assert_eq!(diff("\u{1F400}", "\u{10400}"), Some(splice(0, 2, "\u{10400}")));
    }

    #[test]
    fn the_caret_tells_equal_letters_apart() {
        assert_eq!(diff_near("aa", "aaa", 1), Some(splice(0, 0, "a")));
        assert_eq!(diff_near("aa", "aaa", 2), Some(splice(1, 0, "a")));
        assert_eq!(diff_near("aa", "aaa", 3), Some(splice(2, 0, "a")));
        assert_eq!(diff_near("aaa", "aa", 0), Some(splice(0, 1, "")));
        assert_eq!(diff_near("aaa", "aa", 2), Some(splice(2, 1, "")));
        assert_eq!(diff_near("哈哈", "哈哈哈", 99), Some(splice(2, 0, "哈")));
        // A caret far from the change says nothing against it.
        assert_eq!(diff_near("ab", "xab", 3), Some(splice(0, 0, "x")));
    }

    #[test]
    fn a_splice_is_moved_behind_what_came_before_it() {
        assert_eq!(transform(&splice(5, 1, "x"), &splice(0, 2, "😀😀")), splice(7, 1, "x"));
        assert_eq!(transform(&splice(1, 1, "x"), &splice(2, 2, "y")), splice(1, 1, "x"));
        assert_eq!(transform(&splice(1, 0, "x"), &splice(1, 0, "y")), splice(1, 0, "x"));
    }

    #[test]
    fn words_written_into_a_deletion_survive() {
        let base = "abcdef";
        let (local, remote) = (splice(1, 4, ""), splice(3, 0, "新"));
        assert_eq!(apply(&apply(base, &remote), &transform(&local, &remote)), "a新f");
        assert_eq!(apply(&apply(base, &local), &transform(&remote, &local)), "a新f");
    }

    #[test]
    fn splices_outside_the_text_are_cut_off() {
        assert_eq!(apply("ab", &splice(9, 9, "c")), "abc");
        assert_eq!(apply("ab", &splice(1, u32::MAX, "c")), "ac");
        assert_eq!(apply("😀", &splice(1, 1, "")), "");
        assert_eq!(apply("a😀b", &splice(0, 2, "")), "b");
    }

    #[test]
    fn b5_a_caret_keeps_its_place() {
        assert_eq!(transform_caret(3, &splice(0, 0, "😀")), 5);
        assert_eq!(transform_caret(3, &splice(3, 0, "x")), 3);
        assert_eq!(transform_caret(3, &splice(1, 5, "")), 1);
        assert_eq!(transform_caret(3, &splice(1, 2, "")), 1);
        assert_eq!(transform_caret(2, &splice(5, 5, "x")), 2);
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", " ", "业", "主", "😀", "👩‍🔧", "\u{10400}"]),
            0..12,
        )
        .prop_map(|parts| parts.concat())
    }

    /// Splices of the given text that start and end between characters.
    fn splice_of(base: &str, from: usize, to: usize, insert: String) -> Splice {
        let count = base.chars().count() + 1;
        let (a, b) = (from % count, to % count);
        let units = |n: usize| base.chars().take(n).map(|c| c.len_utf16() as u32).sum::<u32>();
        Splice { at: units(a.min(b)), delete: units(a.max(b)) - units(a.min(b)), insert }
    }

    proptest! {
        #[test]
        fn diff_then_apply_gives_the_new_text(before in text(), after in text(), caret in 0u32..40) {
            for found in [diff(&before, &after), diff_near(&before, &after, caret)] {
                let result = found.as_ref().map_or_else(|| before.clone(), |s| apply(&before, s));
                prop_assert_eq!(&result, &after);
                prop_assert_eq!(found.is_none(), before == after);
            }
        }

        #[test]
        fn transform_keeps_every_insertion_and_every_deletion(base in text(), a in any::<(usize, usize)>(), b in any::<(usize, usize)>()) {
            // Marks that occur nowhere else tell whose words are where.
            let local = splice_of(&base, a.0, a.1, "L🅛".to_owned());
            let remote = splice_of(&base, b.0, b.1, "R🅡".to_owned());
            let merged = apply(&apply(&base, &remote), &transform(&local, &remote));
            let mirrored = apply(&apply(&base, &local), &transform(&remote, &local));
            for result in [&merged, &mirrored] {
                prop_assert_eq!(result.matches("L🅛").count(), 1, "{}", result);
                prop_assert_eq!(result.matches("R🅡").count(), 1, "{}", result);
            }
            // What is left of the base is the same on both sides, and is what neither deleted.
            let strip = |s: &str| s.replace("L🅛", "").replace("R🅡", "");
            let mut units = 0;
            let kept: String = base.chars().filter(|c| {
                let at = units;
                units += c.len_utf16() as u32;
                ![&local, &remote].iter().any(|s| (s.at..s.end()).contains(&at))
            }).collect();
            prop_assert_eq!(strip(&merged), kept.clone());
            prop_assert_eq!(strip(&mirrored), kept);
        }

        #[test]
        fn any_splice_fits_any_text(base in text(), at in any::<u32>(), delete in any::<u32>(), insert in text()) {
            let _ = apply(&base, &Splice { at, delete, insert: insert.clone() });
            let _ = apply(&base, &Splice { at: at % 16, delete: delete % 16, insert });
        }
    }
}
