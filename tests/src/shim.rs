//! What is put between a real server and the system: a library in `tests/shim`, compiled on the spot with `cc`, which building SQLite needs as
//! well, and loaded with `LD_PRELOAD`. The server is the one that is shipped; only the system's answers change, as switches in a file say that
//! both sides share.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Compiles `tests/shim/<name>.c` into this folder.
///
/// # Errors
/// It cannot be compiled: these tests need 64-bit Linux and `cc`.
pub(crate) fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    let library = folder.join(format!("lib{name}.so"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim").join(format!("{name}.c"));
    let compiled = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .output()
        .context("running cc")?;
    ensure!(compiled.status.success(), "cc: {}", String::from_utf8_lossy(&compiled.stderr));
    Ok(library)
}

/// Numbers of eight bytes each, which the server has mapped into its memory.
pub(crate) struct Switches(File);

impl Switches {
    /// So many of them, all 0, in a new file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(file: &Path, count: u64) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(file)?;
        file.set_len(count * 8)?;
        Ok(Self(file))
    }

    /// Sets one of them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&self, switch: u64, value: u64) -> Result<()> {
        self.0.write_all_at(&value.to_ne_bytes(), switch * 8).context("a switch of the shim")
    }

    /// What one of them is now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, switch: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, switch * 8).context("a switch of the shim")?;
        Ok(u64::from_ne_bytes(bytes))
    }
}
