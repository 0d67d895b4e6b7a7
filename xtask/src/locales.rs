//! Both languages say the same things: the same keys, no empty text, the same values to fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::process::{files_under, shown};
use crate::tidy::Problem;

/// The language every other one is compared with.
const FIRST: &str = "zh-CN";
const OTHERS: [&str; 1] = ["en"];

/// What a key of a plural form ends with. Languages differ in which they need.
const PLURALS: [&str; 6] = ["_zero", "_one", "_two", "_few", "_many", "_other"];

/// The texts of one file: each key, joined by dots, with the values it fills in.
type Texts = BTreeMap<String, BTreeSet<String>>;

/// Compares `<dir>/<language>/<namespace>.json` of all languages.
pub fn check(dir: &Path) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for language in [FIRST].iter().chain(&OTHERS) {
        for file in files_under(&dir.join(language), &|_| true)? {
            names.extend(file.file_name().map(ToOwned::to_owned));
        }
    }
    if names.is_empty() {
        problems.push(Problem::new(dir, 1, "there are no texts"));
    }
    for name in names {
        let file = dir.join(FIRST).join(&name);
        let Some(texts) = read(&file, &mut problems)? else {
            continue;
        };
        for language in OTHERS {
            let other_file = dir.join(language).join(&name);
            if let Some(other) = read(&other_file, &mut problems)? {
                compare(&file, &texts, &other_file, &other, &mut problems)?;
            }
        }
    }
    Ok(problems)
}

fn read(file: &Path, problems: &mut Vec<Problem>) -> Result<Option<Texts>> {
    if !file.is_file() {
        problems.push(Problem::new(file, 1, "missing, while another language has it"));
        return Ok(None);
    }
    let source = fs::read_to_string(file)?;
    let content: Value = serde_json::from_str(&source).with_context(|| format!("{}: not JSON", shown(file)))?;
    let mut texts = Texts::new();
    let Value::Object(map) = &content else {
        problems.push(Problem::new(file, 1, "must be an object"));
        return Ok(None);
    };
    for empty in collect(map, "", &mut texts) {
        problems.push(Problem::new(file, line_of(&source, &empty), format!("the text of `{empty}` is empty")));
    }
    Ok(Some(texts))
}

/// Texts that one language does without: `moving_unit` is the word after a table's number (4 号桌), which English has before it.
const MAY_BE_EMPTY: [&str; 1] = ["moving_unit"];

/// Fills `texts`; returns the keys without a text.
fn collect(map: &Map<String, Value>, prefix: &str, texts: &mut Texts) -> Vec<String> {
    let mut empty = Vec::new();
    for (key, value) in map {
        let path = format!("{prefix}{}", plain_key(key, map));
        if let Value::Object(inner) = value {
            empty.extend(collect(inner, &format!("{path}."), texts));
            continue;
        }
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if (text.trim().is_empty() || value.is_null()) && !MAY_BE_EMPTY.contains(&path.as_str()) {
            empty.push(path.clone());
        }
        texts.entry(path).or_default().extend(filled_in(&text));
    }
    empty
}

/// The forms of a plural count as one key.
fn plain_key<'k>(key: &'k str, map: &Map<String, Value>) -> &'k str {
    PLURALS
        .iter()
        .find_map(|ending| key.strip_suffix(ending))
        .filter(|base| map.contains_key(&format!("{base}_other")))
        .unwrap_or(key)
}

/// The names in `{{ name }}`.
fn filled_in(text: &str) -> Vec<String> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .filter_map(|(name, _)| name.split(',').next())
        .map(|name| name.trim().to_owned())
        .collect()
}

fn compare(file: &Path, texts: &Texts, other_file: &Path, other: &Texts, problems: &mut Vec<Problem>) -> Result<()> {
    let source = fs::read_to_string(file)?;
    let other_source = fs::read_to_string(other_file)?;
    for (key, values) in texts {
        match other.get(key) {
            None => problems.push(Problem::new(
                file,
                line_of(&source, key),
                format!("`{key}` is missing in {}", shown(other_file)),
            )),
            Some(other_values) if other_values != values => problems.push(Problem::new(
                other_file,
                line_of(&other_source, key),
                format!("`{key}` fills in {other_values:?}, in {} {values:?}", shown(file)),
            )),
            Some(_) => {}
        }
    }
    for key in other.keys().filter(|key| !texts.contains_key(*key)) {
        problems.push(Problem::new(
            other_file,
            line_of(&other_source, key),
            format!("`{key}` is missing in {}", shown(file)),
        ));
    }
    Ok(())
}

/// The line of a key, found by its parts in order; good enough to jump to.
fn line_of(source: &str, key: &str) -> usize {
    let mut parts = key.split('.').peekable();
    for (at, line) in source.lines().enumerate() {
        while let Some(part) = parts.peek() {
            let named = line.contains(&format!("\"{part}\""))
                || PLURALS.iter().any(|ending| line.contains(&format!("\"{part}{ending}\"")));
            if !named {
                break;
            }
            parts.next();
            if parts.peek().is_none() {
                return at + 1;
            }
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> (Texts, Vec<String>) {
        let mut texts = Texts::new();
        let Ok(Value::Object(map)) = serde_json::from_str(json) else {
            return (texts, vec!["not an object".to_owned()]);
        };
        let empty = collect(&map, "", &mut texts);
        (texts, empty)
    }

    #[test]
    fn plural_forms_count_as_one_key() {
        let (zh, _) = texts(r#"{"notes_other": "{{ count }} 张便签"}"#);
        let (en, _) = texts(r#"{"notes_one": "one note", "notes_other": "{{ count }} notes"}"#);
        assert_eq!(zh, en);
    }

    #[test]
    fn a_key_that_only_looks_like_a_plural_stays() {
        let (found, _) = texts(r#"{"pick_one": "Pick one"}"#);
        assert!(found.contains_key("pick_one"));
    }

    #[test]
    fn nested_keys_values_and_empty_texts_are_found() {
        let (found, empty) = texts(r#"{"join": {"hello": "Hello {{ name }}, table {{table}}", "code": " "}}"#);
        let values: Vec<_> = found["join.hello"].iter().map(String::as_str).collect();
        assert_eq!(values, ["name", "table"]);
        assert_eq!(empty, ["join.code"]);
    }

    #[test]
    fn a_key_is_found_on_its_line() {
        let source = "{\n  \"join\": {\n    \"code\": \"x\"\n  },\n  \"leave\": {\n    \"code\": \"y\"\n  }\n}\n";
        assert_eq!(line_of(source, "join.code"), 3);
        assert_eq!(line_of(source, "leave.code"), 6);
    }
}
