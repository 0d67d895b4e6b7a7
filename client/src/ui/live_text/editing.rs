//! The bookkeeping of a field that several people edit at once: what the field shows, what the document says, and how one becomes the
//! other. Pure; positions are UTF-16 units, as in the DOM.
//!
//! While an input method composes, the browser owns the field: what others write meanwhile waits, and the composed words find their
//! place among it at the end.

use shared::board::text::{Splice, apply, diff_near, transform, transform_caret, utf16_len};

/// What follows from something that a person did in the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// To be done to the document.
    pub splice: Option<Splice>,
    /// What the field must show instead, if it differs from what it shows.
    pub shown: Option<Shown>,
    /// Characters that found no room and were left out.
    pub cut: usize,
}

/// A text with the caret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The whole text.
    pub text: String,
    /// Where the caret stands.
    pub caret: u32,
}

/// One field.
#[derive(Clone, Debug, Default)]
pub struct Editing {
    /// What field and document last agreed on.
    text: String,
    /// Units the text may have.
    limit: u32,
    /// What others did since the composition began; none outside of compositions.
    waiting: Option<Vec<Splice>>,
}

impl Editing {
    /// A field that shows `text` and takes `limit` units.
    pub fn new(text: String, limit: u32) -> Self {
        Self { text, limit, waiting: None }
    }

    /// What field and document last agreed on.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether an input method composes.
    pub fn is_composing(&self) -> bool {
        self.waiting.is_some()
    }

    /// An input method begins.
    pub fn compose(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// A person changed the field to `dom`, with the caret at `caret`. While an input method composes, nothing follows.
    pub fn input(&mut self, dom: &str, caret: u32) -> Outcome {
        if self.is_composing() { Outcome::default() } else { self.settle(dom, caret, &[]) }
    }

    /// The input method is done, and the field shows `dom`.
    pub fn composed(&mut self, dom: &str, caret: u32) -> Outcome {
        let waiting = self.waiting.take().unwrap_or_default();
        self.settle(dom, caret, &waiting)
    }

    /// Somebody else changed the document. Whether the field shall show it now; otherwise it is kept until the composition ends.
    pub fn remote(&mut self, splice: &Splice) -> bool {
        if let Some(waiting) = &mut self.waiting {
            waiting.push(splice.clone());
            return false;
        }
        self.text = apply(&self.text, splice);
        true
    }

    /// The document turned out to say `text`: what the field must show, unless it does or composes.
    pub fn correct(&mut self, text: String) -> bool {
        if self.is_composing() || self.text == text {
            return false;
        }
        self.text = text;
        true
    }

    fn settle(&mut self, dom: &str, caret: u32, waiting: &[Splice]) -> Outcome {
        let theirs = waiting.iter().fold(self.text.clone(), |text, splice| apply(&text, splice));
        let past = |caret: u32| waiting.iter().fold(caret, transform_caret);
        let Some(typed) = diff_near(&self.text, dom, caret) else {
            self.text.clone_from(&theirs);
            let shown = (theirs != dom).then(|| Shown { caret: past(caret), text: theirs });
            return Outcome { shown, ..Outcome::default() };
        };
        let mut local = Splice { insert: printable(&typed.insert), ..typed.clone() };
        let mut moved = waiting.iter().fold(local.clone(), |local, splice| transform(&local, splice));
        let had = utf16_len(&theirs);
        let over = (had.saturating_sub(moved.delete) + moved.inserted()).saturating_sub(self.limit.max(had));
        let mut cut = 0;
        if over > 0 {
            let before = local.insert.chars().count();
            local.insert = shorten(&local.insert, local.inserted().saturating_sub(over));
            cut = before - local.insert.chars().count();
            moved = waiting.iter().fold(local.clone(), |local, splice| transform(&local, splice));
        }
        let end = typed.at + typed.inserted();
        let caret = if caret < typed.at {
            transform_caret(past(caret), &moved)
        } else if caret <= end {
            moved.at + (caret - typed.at).min(local.inserted())
        } else {
            transform_caret(past(caret - end + typed.at + typed.delete), &moved)
        };
        self.text = apply(&theirs, &moved);
        Outcome {
            shown: (self.text != dom).then(|| Shown { text: self.text.clone(), caret }),
            splice: (!moved.is_empty()).then_some(moved),
            cut,
        }
    }
}

/// Without characters that nobody can see and some programs choke on.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The beginning of a text, of at most `units`; no character is cut in two.
fn shorten(text: &str, units: u32) -> String {
    let mut left = units;
    text.chars()
        .take_while(|c| {
            let needs = c.len_utf16() as u32;
            let fits = needs <= left;
            left = left.saturating_sub(needs);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(at: u32, delete: u32, insert: &str) -> Splice {
        Splice { at, delete, insert: insert.to_owned() }
    }

    fn field(text: &str) -> Editing {
        Editing::new(text.to_owned(), 2_000)
    }

    #[test]
    fn a_letter_typed_goes_where_the_caret_is() {
        let mut field = field("hello");
        let outcome = field.input("helllo", 3);
        assert_eq!(outcome, Outcome { splice: Some(splice(2, 0, "l")), ..Outcome::default() });
        assert_eq!(field.text(), "helllo");
        assert_eq!(field.input("helllo", 3), Outcome::default());
    }

    #[test]
    fn others_words_wait_until_the_composition_ends() {
        let mut field = field("业主");
        field.compose();
        assert_eq!(field.input("业主m", 3), Outcome::default());
        assert!(!field.remote(&splice(0, 0, "老")));
        assert_eq!(field.input("业主man", 5), Outcome::default());
        assert!(!field.remote(&splice(3, 0, "。")));
        let outcome = field.composed("业主满意", 4);
        // 老业主。 with 满意 written after 业主.
        assert_eq!(outcome.splice, Some(splice(3, 0, "满意")));
        assert_eq!(outcome.shown, Some(Shown { text: "老业主满意。".into(), caret: 5 }));
        assert!(!field.is_composing());
        assert_eq!(field.text(), "老业主满意。");
    }

    #[test]
    fn a_composition_given_up_changes_nothing() {
        let mut field = field("好");
        field.compose();
        assert!(!field.remote(&splice(0, 0, "很")));
        let outcome = field.composed("好", 1);
        assert_eq!(outcome, Outcome { shown: Some(Shown { text: "很好".into(), caret: 2 }), ..Outcome::default() });
    }

    #[test]
    fn a_composition_over_words_that_others_took_away_survives() {
        let mut field = field("维修很慢");
        field.compose();
        assert!(!field.remote(&splice(0, 4, "")));
        let outcome = field.composed("维修当天很慢", 4);
        assert_eq!(outcome.splice, Some(splice(0, 0, "当天")));
        assert_eq!(outcome.shown, Some(Shown { text: "当天".into(), caret: 2 }));
    }

    #[test]
    fn what_was_selected_is_replaced_though_others_wrote_before_it() {
        let mut field = field("一二三");
        field.compose();
        assert!(!field.remote(&splice(0, 0, "零")));
        let outcome = field.composed("一两三", 2);
        assert_eq!(outcome.splice, Some(splice(2, 1, "两")));
        assert_eq!(outcome.shown, Some(Shown { text: "零一两三".into(), caret: 3 }));
    }

    #[test]
    fn too_much_is_cut_and_nothing_that_was_there_is_lost() {
        let mut field = Editing::new("头尾".into(), 5);
        let outcome = field.input("头😀😀😀尾", 7);
        assert_eq!(outcome.splice, Some(splice(1, 0, "😀")));
        assert_eq!(outcome.cut, 2);
        assert_eq!(outcome.shown, Some(Shown { text: "头😀尾".into(), caret: 3 }));
        // Full but for half an emoji.
        let outcome = field.input("头😀😀尾", 5);
        assert_eq!((outcome.splice, outcome.cut), (None, 1));
        assert_eq!(outcome.shown, Some(Shown { text: "头😀尾".into(), caret: 3 }));
    }

    #[test]
    fn a_paste_of_100_kb_is_cut() {
        let mut field = field("原来的话");
        let outcome = field.input(&format!("原来的话{}", "长".repeat(100_000)), 100_004);
        assert_eq!(outcome.cut, 100_000 - 1_996);
        assert_eq!(utf16_len(field.text()), 2_000);
        assert!(field.text().starts_with("原来的话长"));
    }

    #[test]
    fn a_text_that_grew_too_long_elsewhere_can_be_shortened() {
        let mut field = Editing::new("一二三四五六".into(), 4);
        let outcome = field.input("一二三四五", 5);
        assert_eq!(outcome, Outcome { splice: Some(splice(5, 1, "")), ..Outcome::default() });
        assert_eq!(field.input("一二三四五七", 6).cut, 1);
    }

    #[test]
    fn characters_nobody_sees_are_left_out() {
        let mut field = field("");
        let outcome = field.input("a\u{0}b\nc\u{1b}", 6);
        assert_eq!(outcome.splice, Some(splice(0, 0, "ab\nc")));
        assert_eq!(outcome.shown, Some(Shown { text: "ab\nc".into(), caret: 4 }));
        assert_eq!(outcome.cut, 0);
    }

    #[test]
    fn others_edits_are_shown_at_once_outside_of_compositions() {
        let mut field = field("ab");
        assert!(field.remote(&splice(1, 0, "x")));
        assert_eq!(field.text(), "axb");
        assert!(!field.correct("axb".into()));
        assert!(field.correct("other".into()));
    }
}
