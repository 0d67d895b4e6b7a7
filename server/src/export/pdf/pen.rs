//! How people's words come onto paper: without what is not seen, no longer than there is room, and only in characters that some font draws.

use std::collections::BTreeSet;

use typst::text::is_default_ignorable;

use super::super::escape::plain;
use super::super::words::Words;
use super::fonts::Found;

/// Characters of one text: two full notes of one person. Nobody reads more of one field on paper.
const TEXT: usize = 4_000;

/// Characters of a title where it only names an action.
const TITLE: usize = 160;

/// What a text takes up beside its characters.
const EACH: usize = 20;

/// Characters without a place to break, after which there is one: no word is longer, and no column narrower than that.
const UNBROKEN: usize = 12;

/// Characters that no font draws, of which it is told.
const TOLD: usize = 8;

/// Writes texts, and remembers what it could not.
pub(super) struct Pen<'a> {
    words: &'static Words,
    found: &'a Found,
    /// Characters for which there is still room.
    room: usize,
    missing: BTreeSet<char>,
}

impl<'a> Pen<'a> {
    /// With room for so many characters.
    pub(super) fn new(words: &'static Words, found: &'a Found, room: usize) -> Self {
        Self { words, found, room, missing: BTreeSet::new() }
    }

    /// Whether the document is full. What has been begun is still ended.
    pub(super) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// A text with its line breaks.
    pub(super) fn said(&mut self, text: &str) -> String {
        self.write(&plain(text), TEXT)
    }

    /// A text on one line.
    pub(super) fn line(&mut self, text: &str) -> String {
        self.write(&on_one_line(text), TEXT)
    }

    /// The title of an action or a theme on one line, where it only names it.
    pub(super) fn title(&mut self, title: &str) -> String {
        let title = on_one_line(title);
        let title = if title.is_empty() { self.words.untitled } else { &title };
        if title.chars().count() <= TITLE {
            return self.write(title, TITLE);
        }
        let short: String = title.chars().take(TITLE - 1).chain(['…']).collect();
        self.write(&short, TITLE)
    }

    /// The characters that no font draws, in order; the first of them, if they are many.
    pub(super) fn missing(&self) -> String {
        self.missing.iter().take(TOLD).collect()
    }

    fn write(&mut self, text: &str, most: usize) -> String {
        let mut out = String::with_capacity(text.len().min(4 * most));
        let (mut unbroken, mut in_picture) = (0, false);
        for (nth, c) in text.chars().enumerate() {
            if nth == most {
                out.push_str(self.words.cut);
                break;
            }
            self.room = self.room.saturating_sub(1);
            if c == '\n' || c.is_whitespace() {
                // Spaces of other widths are in few fonts.
                out.push(if c == '\n' || (c == '\u{3000}' && self.found.has(c)) { c } else { ' ' });
                (unbroken, in_picture) = (0, false);
                continue;
            }
            if is_default_ignorable(c) {
                // Joins or colours what stands before it; nothing by itself.
                if !in_picture {
                    out.push(c);
                }
                continue;
            }
            if !self.found.has(c) {
                if is_picture(c) {
                    // One sign for all that makes up a picture.
                    if !in_picture {
                        out.push_str(self.words.picture);
                    }
                    in_picture = true;
                    continue;
                }
                self.missing.insert(c);
            }
            in_picture = false;
            unbroken = if c < '\u{2e80}' { unbroken + 1 } else { 0 };
            if unbroken > UNBROKEN {
                out.push('\u{200b}');
                unbroken = 1;
            }
            out.push(c);
        }
        self.room = self.room.saturating_sub(EACH);
        out
    }
}

fn on_one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Emoji and other signs that belong to no script, and what somebody's own font has for its own use. Without a font for them, words can
/// still be read.
fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{2bff}' | '\u{e000}'..='\u{f8ff}' | '\u{fffc}' | '\u{fffd}' | '\u{1f000}'..='\u{1fbff}'
        | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::super::super::words::words;
    use super::super::fonts::Fonts;
    use super::*;
    use shared::workshop::Language;

    fn write(text: &str) -> (String, String) {
        let fonts = Fonts::new(None);
        let mut pen = Pen::new(words(Language::ZhCn), fonts.found(), 10_000);
        let said = pen.said(text);
        (said, pen.missing())
    }

    #[test]
    fn x6_what_no_font_draws_is_a_word_or_is_missed() {
        // Private use: no font has these by rights.
        assert_eq!(write("好\u{f0001}\u{200d}\u{f0002}\u{fe0f}的"), ("好[表情]的".into(), String::new()));
        // Signs of a script that is in no font of an ordinary machine, and of none that is made for offices.
        let (_, missing) = write("好\u{12000}\u{12001}");
        assert_eq!(missing, "\u{12000}\u{12001}");
    }

    #[test]
    fn x6_a_text_is_cut_and_says_so() {
        let (said, _) = write(&"茶".repeat(1_000_000));
        assert_eq!(said, "茶".repeat(TEXT) + words(Language::ZhCn).cut);
    }

    #[test]
    fn x6_what_has_no_place_to_break_gets_some() {
        let (said, _) = write(&"x".repeat(100));
        assert!(said.split('\u{200b}').all(|part| part.len() <= UNBROKEN), "{said}");
        assert_eq!(said.replace('\u{200b}', ""), "x".repeat(100));
        assert_eq!(write("先打电话，再上门。").0, "先打电话，再上门。");
    }
}
