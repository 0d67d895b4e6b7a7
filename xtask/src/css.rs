//! Joins the style sheets of the client into one and strips what only people need.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{files_under, root, shown};

/// The sheets that set what all others use, in this order; those of the components follow.
const FIRST: [&str; 2] = ["client/src/ui/tokens.css", "client/src/ui/base.css"];

/// The sheets of the client in the order in which they apply.
pub fn sheets() -> Result<Vec<PathBuf>> {
    let root = root();
    let mut sheets: Vec<PathBuf> = FIRST.iter().map(|sheet| root.join(sheet)).filter(|sheet| sheet.is_file()).collect();
    for dir in ["client/src/ui", "client/src/pages"] {
        sheets.extend(files_under(&root.join(dir), &|_| true)?.into_iter().filter(|file| is_component_sheet(file)));
    }
    Ok(sheets)
}

/// Components keep their style beside them under this one name.
fn is_component_sheet(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "style.css")
}

/// All sheets as one, minified.
pub fn bundle() -> Result<String> {
    let mut all = String::new();
    for sheet in sheets()? {
        let text = fs::read_to_string(&sheet).with_context(|| format!("cannot read {}", shown(&sheet)))?;
        all.push_str(&minify(&text));
    }
    Ok(all)
}

/// Strips comments and the spaces that mean nothing.
///
/// Strings and `url(…)` stay as they are. A space is dropped only where no grammar of CSS gives it a meaning, so those around
/// `+ - * /`, before `:` and between the parts of a selector stay.
pub fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    let mut space = false;
    while let Some(next) = rest.chars().next() {
        if next.is_whitespace() {
            space = true;
            rest = &rest[next.len_utf8()..];
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").map_or(rest.len(), |at| at + 4);
            rest = &rest[end..];
            // A comment separates two words even without a space.
            if !space && out.ends_with(is_word) && rest.starts_with(is_word) {
                out.push_str("/**/");
            }
        } else {
            if space && !out.is_empty() && needs_space(&out, next) {
                out.push(' ');
            }
            space = false;
            if next == '}' {
                while out.ends_with(';') {
                    out.pop();
                }
            }
            let length = verbatim(rest, &out).unwrap_or(next.len_utf8());
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '%' | '#' | '.')
}

fn needs_space(before: &str, next: char) -> bool {
    !before.ends_with(['{', '}', ';', ',', ':', '(', '[']) && !matches!(next, '{' | '}' | ';' | ',' | ')' | ']')
}

/// The length of what must be copied as it is, if something of that kind starts here: a string, an unquoted URL, an escape.
fn verbatim(rest: &str, before: &str) -> Option<usize> {
    let mut chars = rest.char_indices();
    let (_, first) = chars.next()?;
    match first {
        '"' | '\'' => {
            while let Some((at, c)) = chars.next() {
                if c == '\\' {
                    chars.next();
                } else if c == first {
                    return Some(at + 1);
                }
            }
            Some(rest.len())
        }
        '\\' => chars.next().map(|(at, c)| at + c.len_utf8()),
        'u' | 'U' => {
            let opens = rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("url("));
            let quoted = rest.get(4..).is_some_and(|inner| inner.trim_start().starts_with(['"', '\'']));
            if !opens || quoted || before.ends_with(is_word) {
                return None;
            }
            rest.find(')').map(|at| at + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::minify;

    #[test]
    fn drops_comments_and_spaces() {
        let css = "/* a */\n.note ,\n.card > p {\n  color : var(--ink) ;\n  margin: 0  auto;\n}\n\n@media (min-width: 40rem) and (hover: hover) {\n  a:hover { top: 0 }\n}\n";
        assert_eq!(
            minify(css),
            ".note,.card > p{color :var(--ink);margin:0 auto}@media (min-width:40rem) and (hover:hover){a:hover{top:0}}"
        );
    }

    #[test]
    fn keeps_what_has_a_meaning() {
        assert_eq!(minify("a{width: calc( 100% - ( 2 * var(--s) ) )}"), "a{width:calc(100% - (2 * var(--s)))}");
        assert_eq!(minify(".a :hover , .a:hover  .b{x:y}"), ".a :hover,.a:hover .b{x:y}");
        assert_eq!(
            minify("a::before{content: \"  /* 换桌 */ ; } \\\"  \"}"),
            "a::before{content:\"  /* 换桌 */ ; } \\\"  \"}"
        );
        assert_eq!(
            minify("a{background: url( data:image/svg+xml;a,b/*c*/ )}"),
            "a{background:url( data:image/svg+xml;a,b/*c*/ )}"
        );
        assert_eq!(minify("a{background: url( \"x y\" )}"), "a{background:url(\"x y\")}");
        assert_eq!(minify("a{margin:1px/**/2px;border:0/* none */}"), "a{margin:1px/**/2px;border:0}");
        assert_eq!(minify(".w-1\\/2  .b{x:y}"), ".w-1\\/2 .b{x:y}");
        assert_eq!(minify("a{x:y ! important;;}"), "a{x:y ! important}");
    }
}
