//! `cargo xtask tidy`: the checks that no other tool makes.
//!
//! - every rule of docs/spec.md is proved by a test that carries its number, and every number a test carries is a rule's
//! - no source file has outgrown its reader
//! - colours are design tokens, and every style sheet is part of the one that is shipped
//! - both languages say the same things ([`locales`])
//! - everything we build on has a licence that we can keep ([`licences`])
//! - nothing is left for later, and no test is switched off

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{files_under, root, shown};
use crate::{css, licences, locales};

/// Lines above which a file is split along what its reader is looking for.
const MOST_LINES: usize = 600;

/// Files that may be longer, each with the reason.
const LONGER: [(&str, &str); 0] = [];

/// How a rule says that no test proves it yet.
const UNTESTED: &str = "(not yet tested)";

/// Written in two parts, so that this file does not find itself.
const LEFT_FOR_LATER: [&str; 8] = [
    concat!("todo", "!("),
    concat!("FIX", "ME"),
    concat!("test.", "only("),
    concat!("test.", "skip("),
    concat!("describe.", "only("),
    concat!("describe.", "skip("),
    concat!("it.", "only("),
    concat!("it.", "skip("),
];

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl Problem {
    pub fn new(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: shown(file), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// A file that people wrote, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn is(&self, endings: &[&str]) -> bool {
        let ending = self.path.extension().unwrap_or_default();
        endings.iter().any(|known| ending == *known)
    }
}

/// Prints each problem with its file and line; fails if there is one.
pub fn run() -> Result<()> {
    match print_problems()?.len() {
        0 => Ok(()),
        1 => bail!("1 problem"),
        count => bail!("{count} problems"),
    }
}

/// Looks for problems, and prints and returns them.
pub fn print_problems() -> Result<Vec<Problem>> {
    let sources = sources()?;
    let mut problems = check_rules(&sources)?;
    problems.extend(sources.iter().filter_map(check_length));
    problems.extend(sources.iter().flat_map(check_left_for_later));
    problems.extend(check_style_sheets(&sources)?);
    problems.extend(licences::check()?);
    problems.extend(locales::check(&root().join("client/locales"))?);
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("{} files are tidy", sources.len());
    }
    Ok(problems)
}

fn sources() -> Result<Vec<Source>> {
    let root = root();
    let mut sources = Vec::new();
    for dir in ["shared", "server", "client", "tests", "xtask", "fuzz"] {
        let enter = |name: &str| {
            !name.starts_with('.')
                && !name.starts_with("dist")
                && !["node_modules", "target", "report", "results"].contains(&name)
        };
        for path in files_under(&root.join(dir), &enter)? {
            let source = Source { text: String::new(), path };
            if source.is(&["rs", "ts", "js", "mjs", "css", "html"]) {
                let text =
                    fs::read_to_string(&source.path).with_context(|| format!("cannot read {}", shown(&source.path)))?;
                sources.push(Source { text, ..source });
            }
        }
    }
    Ok(sources)
}

fn check_length(source: &Source) -> Option<Problem> {
    let lines = source.text.lines().count();
    let may_be_longer = LONGER.iter().any(|(file, _)| *file == shown(&source.path));
    (lines > MOST_LINES && !may_be_longer).then(|| {
        Problem::new(
            &source.path,
            MOST_LINES + 1,
            format!("{lines} lines; past {MOST_LINES}, split it along what its reader is looking for"),
        )
    })
}

fn check_left_for_later(source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        for mark in LEFT_FOR_LATER {
            if contains_word(line, mark) {
                problems.push(Problem::new(
                    &source.path,
                    at + 1,
                    format!("`{}` must not stay", mark.trim_end_matches('(')),
                ));
            }
        }
    }
    problems
}

/// Whether the mark occurs other than as the end of a longer word.
fn contains_word(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
}

// ── Rules and tests ──────────────────────────────────────────────────────────────────────────────────────────────────

/// A rule of the spec, such as `S-12`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    letters: String,
    number: u32,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.letters, self.number)
    }
}

impl Rule {
    /// Reads `S-12` at the start of a text; returns what follows too.
    fn at_start(text: &str) -> Option<(Self, &str)> {
        let dash = text.find('-')?;
        let (letters, rest) = (&text[..dash], &text[dash + 1..]);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if letters.is_empty() || !letters.chars().all(|c| c.is_ascii_uppercase()) {
            return None;
        }
        let number = rest[..end].parse().ok()?;
        let letters = letters.to_owned();
        Some((Self { letters, number }, &rest[end..]))
    }

    /// Reads `s12`, a part of the name of a function.
    fn of_part(part: &str) -> Option<Self> {
        let digits = part.find(|c: char| c.is_ascii_digit())?;
        let (letters, number) = part.split_at(digits);
        if letters.is_empty() || !letters.chars().all(|c| c.is_ascii_lowercase()) {
            return None;
        }
        Some(Self { letters: letters.to_ascii_uppercase(), number: number.parse().ok()? })
    }
}

fn check_rules(sources: &[Source]) -> Result<Vec<Problem>> {
    let spec = root().join("docs/spec.md");
    if !spec.is_file() {
        return Ok(vec![Problem::new(
            &spec,
            1,
            "missing; it numbers the rules that tests prove, one a line: `- **S-1** The rule.`",
        )]);
    }
    let text = fs::read_to_string(&spec)?;
    Ok(compare_rules(&spec, &text, sources))
}

fn compare_rules(spec: &Path, text: &str, sources: &[Source]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rules = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let Some((rule, _)) = line.strip_prefix("- **").and_then(Rule::at_start) else {
            continue;
        };
        let untested = line.trim_end().ends_with(UNTESTED);
        if rules.insert(rule.clone(), (at + 1, untested)).is_some() {
            problems.push(Problem::new(spec, at + 1, format!("{rule} is the number of an earlier rule too")));
        }
    }
    if rules.is_empty() {
        problems.push(Problem::new(spec, 1, "no rules found; one is written as a line `- **S-1** The rule.`"));
    }
    let families: BTreeSet<&str> = rules.keys().map(|rule| rule.letters.as_str()).collect();
    let mut proved = BTreeSet::new();
    // The tool itself proves no rule of the product, but its tests speak of some.
    let tool = root().join("xtask");
    for source in sources.iter().filter(|source| !source.path.starts_with(&tool)) {
        for (at, line) in source.text.lines().enumerate() {
            for rule in rules_named_in(source, line) {
                if !families.contains(rule.letters.as_str()) {
                    continue;
                }
                if !rules.contains_key(&rule) {
                    problems.push(Problem::new(
                        &source.path,
                        at + 1,
                        format!("a test carries {rule}, which docs/spec.md does not have"),
                    ));
                }
                proved.insert(rule);
            }
        }
    }
    for (rule, (line, untested)) in &rules {
        if !untested && !proved.contains(rule) {
            problems.push(Problem::new(
                spec,
                *line,
                format!(
                    "no test carries {rule}: name one `{}{}_…` in Rust or \"{rule} …\" in a browser test, or end the rule with {UNTESTED}",
                    rule.letters.to_ascii_lowercase(),
                    rule.number
                ),
            ));
        }
    }
    problems
}

/// The rules whose numbers begin the name of a test on this line: `fn s1_b3_…` in Rust, `"S-1 B-3 …"` in a script.
fn rules_named_in(source: &Source, line: &str) -> Vec<Rule> {
    if source.is(&["rs"]) {
        let Some((_, name)) =
            line.split_once("fn ").filter(|(before, _)| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        else {
            return Vec::new();
        };
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        return name[..end].split('_').map_while(Rule::of_part).collect();
    }
    let mut found = Vec::new();
    if source.is(&["ts", "js", "mjs"]) {
        for (at, _) in line.match_indices(['"', '\'', '`']) {
            let mut rest = &line[at + 1..];
            while let Some((rule, after)) = Rule::at_start(rest) {
                found.push(rule);
                rest = after.trim_start_matches([' ', ',', '+', ':']);
            }
        }
    }
    found
}

// ── Style sheets ─────────────────────────────────────────────────────────────────────────────────────────────────────

fn check_style_sheets(sources: &[Source]) -> Result<Vec<Problem>> {
    let shipped = css::sheets()?;
    let own = root().join("client/src");
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.is(&["css"]) && source.path.starts_with(&own)) {
        if !shipped.contains(&source.path) {
            problems.push(Problem::new(
                &source.path,
                1,
                "not shipped: a component's sheet is called style.css and lies under client/src/ui or client/src/pages",
            ));
        }
        if source.path.file_name().is_none_or(|name| name != "tokens.css") {
            for (line, colour) in raw_colours(&source.text) {
                problems.push(Problem::new(
                    &source.path,
                    line,
                    format!("`{colour}` is a raw colour; make it a token in client/src/ui/tokens.css"),
                ));
            }
        }
    }
    Ok(problems)
}

/// Colours written out in declarations: their lines, and as they are written.
fn raw_colours(text: &str) -> Vec<(usize, String)> {
    let text = without_comments_and_strings(text);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, end) in text.match_indices(['{', '}', ';']) {
        // What ends in a brace that opens is a selector, in which # is an id.
        if end != "{"
            && let Some((name, value)) = text[start..at].split_once(':')
        {
            let offset = start + name.len() + 1;
            for (inside, colour) in colours_in(value) {
                let line = text[..offset + inside].matches('\n').count() + 1;
                found.push((line, colour));
            }
        }
        start = at + 1;
    }
    found
}

fn colours_in(value: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for function in ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "oklab(", "lab(", "lch(", "hwb("] {
        for (at, _) in value.match_indices(function) {
            let inside_word = value[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
            // `oklch(from var(--ink) …)` takes its colour from a token.
            if !inside_word && !value[at + function.len()..].trim_start().starts_with("from ") {
                found.push((at, format!("{function}…)")));
            }
        }
    }
    for (at, _) in value.match_indices('#') {
        let digits: String =
            value[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
        let is_colour = matches!(digits.len(), 3 | 4 | 6 | 8) && digits.chars().all(|c| c.is_ascii_hexdigit());
        if is_colour && !value[..at].ends_with("url(") {
            found.push((at, format!("#{digits}")));
        }
    }
    found
}

/// The same text with spaces in the place of comments and strings, so that lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map_or(rest.len(), |at| at + 4)
        } else if matches!(next, '"' | '\'') {
            rest[1..].find(next).map_or(rest.len(), |at| at + 2)
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: root().join(path), text: text.to_owned() }
    }

    fn messages(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rules_and_tests_are_compared_both_ways() {
        let spec =
            "# Rules\n- **S-1** A.\n- **S-2** B.\n- **B-10** C. (not yet tested)\n- **B-11** D.\n- **B-12** E.\n";
        let sources = [
            source(
                "server/src/a.rs",
                "    async fn s1_b11_a_is_kept() {}\n    fn s9_gone() {}\n    fn utf16_is_kept() {}\n",
            ),
            source("tests/browser/a.spec.ts", "test('B-12 is shown', async () => {});\ntest(\"UTF-8 works\");\n"),
        ];
        let problems = compare_rules(&root().join("docs/spec.md"), spec, &sources);
        let messages = messages(&problems);
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].starts_with("server/src/a.rs:2: a test carries S-9"));
        assert!(messages[1].starts_with("docs/spec.md:3: no test carries S-2: name one `s2_…`"));
    }

    #[test]
    fn a_number_is_given_once() {
        let spec = "- **S-1** A. (not yet tested)\n- **S-1** B. (not yet tested)\n";
        let problems = compare_rules(&root().join("docs/spec.md"), spec, &[]);
        assert_eq!(messages(&problems), ["docs/spec.md:2: S-1 is the number of an earlier rule too"]);
    }

    #[test]
    fn raw_colours_are_found_in_declarations_only() {
        let css = "#add, #face:hover {\n  color: #fff;\n  fill: url(#abc);\n  /* #123 */\n  border: 1px solid\n    oklch(0.5 0.1 20);\n  content: \"#fff\";\n  background: color-mix(in oklch, var(--a), var(--b));\n  outline-color: oklch(from var(--ink) l c h / 0.5)\n}\n";
        assert_eq!(raw_colours(css), [(2, "#fff".to_owned()), (6, "oklch(…)".to_owned())]);
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        let skipped = ["  te", "st.sk", "ip('later', () => {});\n"].concat();
        let problems = check_left_for_later(&source("tests/browser/a.spec.ts", &skipped));
        assert_eq!(messages(&problems), [["tests/browser/a.spec.ts:1: `te", "st.sk", "ip` must not stay"].concat()]);
        assert_eq!(check_left_for_later(&source("a.ts", "latest.skip(3);\n")), []);
    }

    #[test]
    fn long_files_are_found() {
        let text = "x\n".repeat(MOST_LINES + 1);
        assert!(check_length(&source("server/src/long.rs", &text)).is_some());
        assert!(check_length(&source("server/src/short.rs", "x\n")).is_none());
    }
}
