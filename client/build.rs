//! Turns the texts in `locales/` into code, so that a key that is misspelt or missing in one language does not compile.

use std::error::Error;
use std::path::PathBuf;

use leptos_i18n_parser::parse_locales::options::{Config, ParseOptions};
use leptos_i18n_parser::parse_locales::parse_locales;

/// Files in each language's folder: one for each group of pages.
const NAMESPACES: [&str; 17] = [
    "common", "kit", "home", "new", "join", "console", "cafe", "board", "gallery", "harvest", "vote", "plan", "review",
    "journey", "follow", "fate", "bag",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    let config = Config::new("zh-CN")
        .and_then(|config| config.add_locale("en"))
        .and_then(|config| config.add_namespaces(NAMESPACES))
        .map_err(|error| error.to_string())?
        .parse_options(ParseOptions::new().interpolate_display(true));
    let texts = parse_locales(None, config).map_err(|error| error.to_string())?;
    for warning in texts.diag.warnings().iter() {
        println!("cargo::warning={warning}");
    }
    for error in texts.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    let code = leptos_i18n_codegen::gen_code(&texts, None, false, None, true).map_err(|error| error.to_string())?;
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("i18n.rs");
    std::fs::write(target, code.to_string())?;
    Ok(())
}
