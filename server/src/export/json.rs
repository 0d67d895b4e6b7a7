//! The model as JSON, indented: people look into it too.

use super::plan::Export;

/// The whole café as one JSON object.
pub fn write(export: &Export) -> String {
    // The model has only string keys and finite numbers, which is all that could fail.
    let mut text = serde_json::to_string_pretty(export).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::export::sample::Sample;

    #[test]
    fn it_is_json_that_reads_back() {
        let text = super::write(&Sample::cafe().export());
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["format"], "tablehop/1");
        assert_eq!(value["workshop"]["language"], "zh-CN");
        assert_eq!(value["tables"][0]["notes"][0]["kind"], "pain");
        assert_eq!(value["timeline"][1]["what"], "phase");
        assert_eq!(value["actions"][0]["decision"]["verdict"], "approve");
    }
}
