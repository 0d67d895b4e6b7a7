//! Strangers' text made harmless: in Markdown it shows as it was written, and can be neither markup nor HTML; in formats that have no markup
//! within a text, [`plain`] is enough.

/// Text on one line, for headings and list items: line breaks become spaces.
pub(super) fn line(text: &str) -> String {
    block(&text.split_whitespace().collect::<Vec<_>>().join(" "), "")
}

/// Text of several lines: each stays a line, and begins with `indent` so that it stays within its list item.
pub(super) fn block(text: &str, indent: &str) -> String {
    let lines = text.trim().lines().map(escaped);
    // A backslash at a line's end is Markdown's visible spelling of a line break.
    lines.collect::<Vec<_>>().join(&format!("\\\n{indent}"))
}

/// Text without what is not seen: control characters, what reorders or hides, and what XML does not know. Line breaks stay, each as `\n`; a
/// tab is a space.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(' '),
        '\u{fffe}' | '\u{ffff}' => None,
        c => (!is_invisible(c)).then_some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

fn escaped(line: &str) -> String {
    // Before anything is trimmed: what is not seen would otherwise keep a space in front of what counts at a line's beginning.
    let visible: String = line.chars().filter(|c| !is_invisible(*c) || c.is_whitespace()).collect();
    let mut out = String::with_capacity(visible.len() + 8);
    for c in visible.trim().chars() {
        match c {
            // Entities, not backslashes: some readers pass HTML through whatever stands before it.
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c if is_invisible(c) => {}
            c => out.push(c),
        }
    }
    at_start(out)
}

/// Some characters are markup only where a line begins: headings, lists, rules, numbered lists, underlines of headings.
fn at_start(line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let marks_number = digits > 0 && matches!(line.as_bytes().get(digits), Some(b'.' | b')'));
    if marks_number {
        return format!("{}\\{}", &line[..digits], &line[digits..]);
    }
    if line.starts_with(['#', '-', '+', '=', ':']) { format!("\\{line}") } else { line }
}

/// Control characters, and those that reorder or hide what stands around them.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_as_they_are() {
        for text in ["上门之前先打电话，别让业主等。", "Call first (10 min. before) - always!", "3 days, 50%"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn hostile_text_is_inert() {
        for (hostile, inert) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
            ("![x](http://evil/p.png)", "!\\[x\\](http://evil/p.png)"),
            ("# Heading", "\\# Heading"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("---", "\\---"),
            ("```sh", "\\`\\`\\`sh"),
            ("a | b", "a \\| b"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("**bold** \\* _x_", "\\*\\*bold\\*\\* \\\\\\* \\_x\\_"),
            ("a\u{202e}b\u{0}c", "abc"),
            ("\u{200b} # Heading", "\\# Heading"),
            ("\u{feff}\u{b}- item", "\\- item"),
        ] {
            assert_eq!(line(hostile), inert);
        }
    }

    #[test]
    fn plain_text_keeps_its_lines_and_nothing_that_is_not_seen() {
        assert_eq!(plain(" 一\r\n二\r三\u{2028}四\t五 \n"), "一\n二\n三\n四 五");
        assert_eq!(plain("\u{feff}a\u{0}b\u{b}c\u{1b}[1m\u{202e}d\u{ffff}\u{200b}"), "abc[1md");
    }

    #[test]
    fn a_block_stays_within_its_item() {
        assert_eq!(block("one\n# two\n\n<hr>", "  "), "one\\\n  \\# two\\\n  \\\n  &lt;hr&gt;");
        assert_eq!(line("one\n# two\n\nthree"), "one # two three");
        assert_eq!(block("one\n\u{200b} # two\n\u{1}\t1) three", ""), "one\\\n\\# two\\\n1\\) three");
    }
}
