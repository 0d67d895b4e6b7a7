//! Cuts the compiled client into the parts that `client/src/parts.rs` names, and makes the JavaScript that loads them.
//!
//! One module comes with the page; the others are fetched when something of them is first shown. What several parts share and the
//! first load does not need becomes a file of its own. All files of one build carry the same hash: they fit together only.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;
use wasm_split_cli_support::{Options, transform};

use crate::client::Mode;

/// How the names of files begin that are not part of the first load.
pub const PART: &str = "part-";

/// The files that a page loads.
pub struct Bound {
    /// Name of the JavaScript module that instantiates `wasm`.
    pub js: String,
    /// Name of the module that comes with the page.
    pub wasm: String,
}

/// Writes everything into `dir`, which exists.
pub fn bind(wasm: &[u8], mode: Mode, dir: &Path) -> Result<Bound> {
    let hash = format!("{:08x}", crc32fast::hash(wasm));
    let bound = Bound { js: format!("client-{hash}.js"), wasm: format!("client-{hash}.wasm") };
    let work = dir.join("work");
    fs::create_dir_all(&work)?;
    let main = work.join("main.wasm");
    let loader = format!("loader-{hash}.js");
    let (link_name, main_module) = (format!("./{loader}"), format!("./{}", bound.js));
    let mut options = Options::new(wasm);
    options.output_dir = &work;
    options.main_out_path = &main;
    options.link_name = &link_name;
    options.main_module = &main_module;
    let split =
        transform(options).map_err(|error| anyhow!("{error:#}")).context("the client could not be cut into parts")?;

    let mut script = fs::read_to_string(work.join(&loader))?;
    for file in split.split_modules {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hashed = format!("{PART}{}-{hash}.wasm", file.file_stem().unwrap_or_default().to_string_lossy());
        script = script.replace(&format!("\"./{name}\""), &format!("\"./{hashed}\""));
        let part = fs::read(&file)?;
        let part = if mode == Mode::Release { without_names(&part).with_context(|| name.clone())? } else { part };
        fs::write(dir.join(hashed), part)?;
    }
    fs::write(dir.join(&loader), script)?;

    Bindgen::new()
        .input_bytes("client", fs::read(&main)?)
        .out_name("client")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // The parts import what the first module exports, by these names.
        .keep_lld_exports(true)
        .demangle(false)
        .remove_name_section(mode == Mode::Release)
        .remove_producers_section(true)
        .generate(&work)
        .context("wasm-bindgen could not bind the client")?;
    fs::rename(work.join("client_bg.wasm"), dir.join(&bound.wasm))?;
    fs::rename(work.join("client.js"), dir.join(&bound.js))?;
    // Modules that crates bring along are loaded by their path, which names the crate's own hash.
    if work.join("snippets").is_dir() {
        fs::rename(work.join("snippets"), dir.join("snippets"))?;
    }
    fs::remove_dir_all(&work)?;
    Ok(bound)
}

/// Nearly half of a part is the names of its functions, which only debuggers read.
fn without_names(part: &[u8]) -> Result<Vec<u8>> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    Ok(config.parse(part)?.emit_wasm())
}
