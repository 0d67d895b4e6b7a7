//! Whether there is room on the disk again. SQLite would not tell: a small commit may fit into pages of its log that are there already.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// File that is written and taken away to find out.
const FILE: &str = "tablehop.room";
/// Its size: the largest commit, so that what has waited fits.
const BYTES: usize = 4 * 1024 * 1024;

/// Whether a file of a few megabytes can be written in `dir`, and is on disk. Blocks.
pub(super) fn is_there(dir: &Path) -> bool {
    let path = dir.join(FILE);
    let result = write(&path);
    // If it was not even created there is nothing to take away.
    let _ = fs::remove_file(&path);
    if let Err(error) = &result {
        tracing::debug!(%error, "still no room");
    }
    result.is_ok()
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    let block = vec![0_u8; 64 * 1024];
    for _ in 0..BYTES / block.len() {
        file.write_all(&block)?;
    }
    file.sync_all()
}
