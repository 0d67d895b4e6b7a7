//! `cargo xtask bench`: many connections, what they cost and how long they wait.

use anyhow::{Result, bail};

use crate::process::{self, cargo, root};

/// Runs `tablehop-load` of the crate in `tests/`, built for release.
pub fn run(arguments: &[String]) -> Result<()> {
    let manifest = std::fs::read_to_string(root().join("tests/Cargo.toml"))?;
    let in_bin = ["tablehop-load.rs", "tablehop-load/main.rs"]
        .iter()
        .any(|file| root().join("tests/src/bin").join(file).is_file());
    if !in_bin && !manifest.contains("\"tablehop-load\"") {
        bail!("`cargo xtask bench` runs the load check, `tablehop-load` of the crate in tests/; there is none here");
    }
    let mut command = cargo(["run", "--release", "--package", "tablehop-tests"]);
    command.args(["--bin", "tablehop-load", "--"]).args(arguments);
    process::run(&mut command, "the load check")
}
