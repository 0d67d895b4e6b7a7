//! Both languages say the same things: the same keys, the same values put into them, nothing forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Every text of a language by `namespace.key.key`.
fn texts(language: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language);
    let mut texts = BTreeMap::new();
    for file in fs::read_dir(&folder).expect("the folder of a language") {
        let path = file.expect("a file").path();
        let namespace = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let json = fs::read_to_string(&path).expect("a readable file");
        let value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        collect(&namespace, &value, &mut texts);
    }
    texts
}

fn collect(path: &str, value: &Value, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(&format!("{path}.{key}"), value, texts)),
        Value::String(text) => drop(texts.insert(path.to_owned(), text.clone())),
        other => panic!("{path} is no text: {other}"),
    }
}

/// The names between `{{` and `}}`.
fn values_in(text: &str) -> BTreeSet<&str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).map(str::trim).collect()
}

#[test]
fn both_languages_say_the_same_things() {
    let (chinese, english) = (texts("zh-CN"), texts("en"));
    let missing: Vec<_> = chinese.keys().filter(|key| !english.contains_key(*key)).collect();
    assert!(missing.is_empty(), "not in English: {missing:?}");
    let missing: Vec<_> = english.keys().filter(|key| !chinese.contains_key(*key)).collect();
    assert!(missing.is_empty(), "not in Chinese: {missing:?}");
    for (key, text) in &chinese {
        assert_eq!(values_in(text), values_in(&english[key]), "{key}");
    }
}

/// One language may need no word where the other does (a unit behind a number); a text that neither has was forgotten.
#[test]
fn no_text_is_empty_in_both_languages() {
    let english = texts("en");
    let empty = |text: &String| text.trim().is_empty();
    let forgotten: Vec<_> =
        texts("zh-CN").into_iter().filter(|(key, text)| empty(text) && english.get(key).is_none_or(empty)).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
