//! The bookkeeping of a field that several people edit at once: what the field shows, what the document says, and how one becomes the
//! other. Pure; positions are UTF-16 units, as in the DOM.
//!
//! While an input method composes, the browser owns the field: what others write meanwhile waits, and the composed words find their
//! place among it at the end. So it is while the field shows more than the text may have: nothing of it is cut, and nothing written.

use shared::board::text::{Splice, apply, diff, diff_near, transform, transform_caret, utf16_len};

/// What follows from something that a person did in the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// To be done to the document.
    pub splice: Option<Splice>,
    /// What the field must show instead, if it differs from what it shows.
    pub shown: Option<Shown>,
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
    /// Whether an input method composes.
    composing: bool,
    /// Units by which the field shows more than the text may have; 0 if it fits.
    over: u32,
    /// What others did since field and document last agreed, while the field shows what the document does not.
    waiting: Vec<Splice>,
}

impl Editing {
    /// A field that shows `text` and takes `limit` units.
    pub fn new(text: String, limit: u32) -> Self {
        Self { text, limit, ..Self::default() }
    }

    /// A field that shows again what was too long, and was begun on `base`. The document says `now`.
    pub fn resume(base: String, now: &str, limit: u32) -> Self {
        let waiting = diff(&base, now).into_iter().collect();
        Self { text: base, limit, waiting, ..Self::default() }
    }

    /// What field and document last agreed on.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Units by which the field shows more than the text may have. Until it is 0, nothing of what was done since it fitted is in the
    /// document.
    pub fn over(&self) -> u32 {
        self.over
    }

    /// Whether an input method composes.
    pub fn is_composing(&self) -> bool {
        self.composing
    }

    /// An input method begins.
    pub fn compose(&mut self) {
        self.composing = true;
    }

    /// A person changed the field to `dom`, with the caret at `caret`. While an input method composes, nothing follows.
    pub fn input(&mut self, dom: &str, caret: u32) -> Outcome {
        if self.composing { Outcome::default() } else { self.settle(dom, caret) }
    }

    /// The input method is done, and the field shows `dom`.
    pub fn composed(&mut self, dom: &str, caret: u32) -> Outcome {
        self.composing = false;
        self.settle(dom, caret)
    }

    /// What was too long is given up: the field shows what the document says.
    pub fn give_up(&mut self, dom: &str, caret: u32) -> Outcome {
        let theirs = self.theirs();
        self.agree(theirs);
        let shown =
            (self.text != dom).then(|| Shown { caret: caret.min(utf16_len(&self.text)), text: self.text.clone() });
        Outcome { splice: None, shown }
    }

    /// Somebody else changed the document. Whether the field shall show it now; otherwise it is kept until the field has settled.
    pub fn remote(&mut self, splice: &Splice) -> bool {
        if self.is_ahead() {
            self.waiting.push(splice.clone());
            return false;
        }
        self.text = apply(&self.text, splice);
        true
    }

    /// The document turned out to say `text`: what the field must show, unless it does, or shows more than the document.
    pub fn correct(&mut self, text: String) -> bool {
        if self.is_ahead() || self.text == text {
            return false;
        }
        self.text = text;
        true
    }

    /// Whether the field shows what is not in the document yet.
    fn is_ahead(&self) -> bool {
        self.composing || self.over > 0
    }

    /// What the document says.
    fn theirs(&self) -> String {
        self.waiting.iter().fold(self.text.clone(), |text, splice| apply(&text, splice))
    }

    fn agree(&mut self, text: String) {
        self.text = text;
        self.over = 0;
        self.waiting.clear();
    }

    fn settle(&mut self, dom: &str, caret: u32) -> Outcome {
        let theirs = self.theirs();
        let past = |caret: u32| self.waiting.iter().fold(caret, transform_caret);
        let Some(typed) = diff_near(&self.text, dom, caret) else {
            let shown = (theirs != dom).then(|| Shown { caret: past(caret), text: theirs.clone() });
            self.agree(theirs);
            return Outcome { splice: None, shown };
        };
        let local = Splice { insert: printable(&typed.insert), ..typed.clone() };
        let moved = self.waiting.iter().fold(local.clone(), |local, splice| transform(&local, splice));
        let had = utf16_len(&theirs);
        let over = (had.saturating_sub(moved.delete) + moved.inserted()).saturating_sub(self.limit.max(had));
        if over > 0 {
            self.over = over;
            return Outcome::default();
        }
        let end = typed.at + typed.inserted();
        let caret = if caret < typed.at {
            transform_caret(past(caret), &moved)
        } else if caret <= end {
            moved.at + (caret - typed.at).min(local.inserted())
        } else {
            transform_caret(past(caret - end + typed.at + typed.delete), &moved)
        };
        self.agree(apply(&theirs, &moved));
        Outcome {
            shown: (self.text != dom).then(|| Shown { text: self.text.clone(), caret }),
            splice: (!moved.is_empty()).then_some(moved),
        }
    }
}

/// Without characters that nobody can see and some programs choke on.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
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
    fn p14_what_is_too_long_stays_in_the_field_and_out_of_the_document_until_it_fits() {
        let mut field = Editing::new("头尾".into(), 5);
        assert_eq!(field.input("头😀😀😀尾", 7), Outcome::default());
        assert_eq!((field.text(), field.over()), ("头尾", 3));
        // Still too long by half an emoji.
        assert_eq!(field.input("头😀😀尾", 5), Outcome::default());
        assert_eq!((field.text(), field.over()), ("头尾", 1));
        let outcome = field.input("头😀尾", 3);
        assert_eq!(outcome, Outcome { splice: Some(splice(1, 0, "😀")), shown: None });
        assert_eq!((field.text(), field.over()), ("头😀尾", 0));
    }

    #[test]
    fn a_paste_of_100_kb_is_kept_whole() {
        let mut field = field("原来的话");
        assert_eq!(field.input(&format!("原来的话{}", "长".repeat(100_000)), 100_004), Outcome::default());
        assert_eq!((field.text(), field.over()), ("原来的话", 98_004));
        // Taken out again by the person themselves.
        assert_eq!(field.input("原来的话", 4), Outcome::default());
        assert_eq!(field.over(), 0);
    }

    #[test]
    fn others_words_wait_while_it_is_too_long_and_are_there_when_it_fits() {
        let mut field = Editing::new("一二三".into(), 5);
        assert_eq!(field.input("一二三四五六七", 7), Outcome::default());
        assert!(!field.remote(&splice(0, 1, "")));
        assert!(!field.correct("二三".into()));
        // Room for one more since the other took one away.
        let outcome = field.input("一二三四五六", 6);
        assert_eq!(outcome.splice, Some(splice(2, 0, "四五六")));
        assert_eq!(outcome.shown, Some(Shown { text: "二三四五六".into(), caret: 5 }));
        assert!(field.remote(&splice(0, 1, "")));
    }

    #[test]
    fn what_is_too_long_can_be_given_up() {
        let mut field = Editing::new("一二".into(), 3);
        assert_eq!(field.input("一二三四", 4), Outcome::default());
        assert!(!field.remote(&splice(2, 0, "五")));
        let outcome = field.give_up("一二三四", 4);
        assert_eq!(outcome, Outcome { splice: None, shown: Some(Shown { text: "一二五".into(), caret: 3 }) });
        assert_eq!((field.text(), field.over()), ("一二五", 0));
    }

    #[test]
    fn what_was_too_long_is_gone_on_with_although_others_wrote_meanwhile() {
        let mut field = Editing::resume("一二".into(), "零一二", 4);
        assert_eq!(field.input("一二三四五", 5), Outcome::default());
        assert_eq!(field.over(), 2);
        let outcome = field.input("一二三", 3);
        assert_eq!(outcome.splice, Some(splice(3, 0, "三")));
        assert_eq!(outcome.shown, Some(Shown { text: "零一二三".into(), caret: 4 }));
    }

    #[test]
    fn a_text_that_grew_too_long_elsewhere_can_be_shortened() {
        let mut field = Editing::new("一二三四五六".into(), 4);
        let outcome = field.input("一二三四五", 5);
        assert_eq!(outcome, Outcome { splice: Some(splice(5, 1, "")), ..Outcome::default() });
        assert_eq!(field.input("一二三四五七", 6), Outcome::default());
        assert_eq!(field.over(), 1);
    }

    #[test]
    fn characters_nobody_sees_are_left_out() {
        let mut field = field("");
        let outcome = field.input("a\u{0}b\nc\u{1b}", 6);
        assert_eq!(outcome.splice, Some(splice(0, 0, "ab\nc")));
        assert_eq!(outcome.shown, Some(Shown { text: "ab\nc".into(), caret: 4 }));
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
