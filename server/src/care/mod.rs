//! Looking after a store from the command line: `tablehop backup`, `tablehop verify`, `tablehop restore` and `tablehop remove`.
//!
//! # Layout
//!
//! - this file: `backup` and `verify`, their options and what they say
//! - [`mod@remove`]: `remove`, and what it says
//! - [`mod@restore`]: `restore`, and what it says
//! - [`mod@check`]: looking through a store, stream by stream
//! - `fold`: whether a stream can still be made into a board or a café
//!
//! [`CareError`] is the failure type of this layer. Damage that was found is no failure: the report says so, and the exit code is 3.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use self::check::{Report, check};
use crate::store::StoreError;
use crate::store::sqlite::archive::Archive;

pub mod check;
mod fold;
pub mod remove;
pub mod restore;
#[cfg(test)]
mod tests;

/// Exit code of a command that did its work and found damage.
const DAMAGED: u8 = 3;

/// Options of `tablehop backup`.
#[derive(Clone, Debug, Args)]
pub struct BackupOptions {
    /// Directory for the backup; created if it does not exist, refused if it holds a store already
    #[arg(value_name = "DIR")]
    pub to: PathBuf,

    /// Directory that holds what is to be backed up; a server may be using it
    #[arg(long, env = "TABLEHOP_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,
}

/// Options of `tablehop verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyOptions {
    /// Directory to look through: of a server, which may be running, or of a backup
    #[arg(long, env = "TABLEHOP_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,
}

/// Why a command could not do its work, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CareError {
    /// The store says why.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The report could not be written.
    #[error("cannot write the report: {0}")]
    Report(#[from] io::Error),
    /// A copy is not what it was made from; it was taken away again.
    #[error("the copy differs from what it was made from, so it was taken away: {0}")]
    Differs(String),
}

/// `tablehop backup`: copies a store while it is used, looks through the copy, and says so only then. Returns the exit code.
///
/// # Errors
/// See [`CareError`]; then there is no backup.
pub fn backup(options: &BackupOptions, out: &mut impl Write) -> Result<u8, CareError> {
    let source = Archive::open(&options.data)?;
    let (report, file) = copy(&source, &options.to)?;
    let size = std::fs::metadata(&file).map(|meta| meta.len()).unwrap_or(0);
    report.write(out)?;
    writeln!(out, "Backed up {} to {}: {}.", source.file().display(), file.display(), Size(size))?;
    if report.is_sound() {
        return Ok(0);
    }
    writeln!(
        out,
        "The damage is in {} as well. Keep older backups: what is damaged here may be sound there.",
        options.data.display()
    )?;
    Ok(DAMAGED)
}

/// `tablehop verify`: looks through a store and changes nothing. Returns the exit code.
///
/// # Errors
/// See [`CareError`].
pub fn verify(options: &VerifyOptions, out: &mut impl Write) -> Result<u8, CareError> {
    let report = check(&Archive::open(&options.data)?)?;
    report.write(out)?;
    if report.is_sound() {
        writeln!(out, "{} is sound.", options.data.display())?;
        return Ok(0);
    }
    if report.loses() {
        writeln!(
            out,
            "To restore one board, or a café with all its boards, stop the server and run: tablehop restore BACKUP --board ID --data {0}, \
             or with --cafe ID",
            options.data.display()
        )?;
    }
    Ok(DAMAGED)
}

/// Copies a store and looks through the copy. What is damaged in the source is damaged in the copy, and nothing else is.
fn copy(source: &Archive, dir: &Path) -> Result<(Report, PathBuf), CareError> {
    let before = check(source)?;
    let file = source.copy_to(dir)?;
    let after = check(&Archive::open(&file)?)?;
    if before.same_findings(&after) {
        return Ok((after, file));
    }
    // The difference is what counts; a file that cannot be taken away is seen by its name.
    let _ = std::fs::remove_file(&file);
    Err(CareError::Differs(format!(
        "{} streams and {} rows became {} and {}",
        before.streams, before.rows, after.streams, after.rows
    )))
}

/// Bytes for people.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 1_000_000 => write!(f, "{} KB", bytes.div_ceil(1_000)),
            bytes => write!(f, "{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

/// Seconds since, for people.
fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
