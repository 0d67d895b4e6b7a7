//! `tablehop restore`: a whole store, one board, or one café from a backup.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use shared::id::{BoardId, NotABoard};

use super::{CareError, DAMAGED, copy, fold};
use crate::clock;
use crate::store::sqlite::archive::{self, Archive};
use crate::store::sqlite::mend::{self, Mended};
use crate::store::{Loaded, StreamId};

/// Options of `tablehop restore`.
#[derive(Clone, Debug, Args)]
pub struct RestoreOptions {
    /// Directory that `tablehop backup` has made
    #[arg(value_name = "BACKUP")]
    pub backup: PathBuf,

    /// Directory to restore into: a new or empty one for a whole store, the damaged one for a single board or café
    #[arg(long, env = "TABLEHOP_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,

    /// Restore this board alone, as the log and `tablehop verify` name it: 5f3k9q2m7x1c8v4b.t3
    #[arg(long, value_name = "ID", value_parser = parse_board)]
    pub board: Option<BoardId>,

    /// Restore what is damaged or missing of this café: its events, its boards, its links, its join code and its client ids
    #[arg(long, value_name = "ID", conflicts_with = "board", value_parser = parse_cafe)]
    pub cafe: Option<String>,
}

/// `tablehop restore`: a whole store into an empty directory, or what is damaged into a store. Returns the exit code.
///
/// # Errors
/// See [`CareError`]; then nothing has been changed.
pub fn restore(options: &RestoreOptions, out: &mut impl Write) -> Result<u8, CareError> {
    match (&options.board, &options.cafe) {
        (Some(board), _) => restore_board(options, board, out),
        (None, Some(cafe)) => restore_cafe(options, cafe, out),
        (None, None) => restore_all(options, out),
    }
}

fn restore_board(options: &RestoreOptions, board: &BoardId, out: &mut impl Write) -> Result<u8, CareError> {
    let backup = Archive::open(&options.backup)?;
    let stream = StreamId::board(&board.to_string());
    tell(&mend::mend(&options.data, &backup, &stream, clock::now(), &folds)?, out)?;
    Ok(0)
}

fn restore_cafe(options: &RestoreOptions, cafe: &str, out: &mut impl Write) -> Result<u8, CareError> {
    let backup = Archive::open(&options.backup)?;
    let done = mend::mend_cafe(&options.data, &backup, cafe, clock::now(), &folds)?;
    for mended in &done.mended {
        tell(mended, out)?;
    }
    for (stream, why) in &done.refused {
        writeln!(out, "NOT restored: {stream}, which stays as it was: {why}")?;
    }
    let registers = done.registers;
    writeln!(
        out,
        "Café {cafe}: {} streams restored, {} were whole and stay as they are, {} could not be restored. Brought back besides: {} tokens, \
         {} join codes, {} client ids.",
        done.mended.len(),
        done.whole,
        done.refused.len(),
        registers.tokens,
        registers.codes,
        registers.clients
    )?;
    Ok(if done.refused.is_empty() { 0 } else { DAMAGED })
}

fn folds(stream: &StreamId, loaded: &Loaded) -> Result<(), String> {
    fold::fold(stream, loaded).map(drop)
}

fn tell(mended: &Mended, out: &mut impl Write) -> Result<(), CareError> {
    writeln!(out, "Restored {}: {} rows, {} of them from the backup.", mended.stream, mended.rows, mended.from_backup)?;
    if mended.left_behind > 0 {
        writeln!(
            out,
            "{} later rows could not be taken over, because one before them is damaged and not in the backup. Devices that still hold \
             what was written send it again when they open the board, each what its person wrote.",
            mended.left_behind
        )?;
    }
    if let Some(aside) = &mended.aside {
        writeln!(out, "What was there is kept in the same file as {aside}.")?;
    }
    Ok(())
}

fn restore_all(options: &RestoreOptions, out: &mut impl Write) -> Result<u8, CareError> {
    archive::refuse_occupied(&options.data)?;
    let _lock = archive::lock(&options.data)?;
    let source = Archive::open(&options.backup)?;
    let (report, file) = copy(&source, &options.data)?;
    report.write(out)?;
    writeln!(out, "Restored {} to {}.", source.file().display(), file.display())?;
    if report.is_sound() {
        return Ok(0);
    }
    writeln!(out, "The backup is damaged in these places. All else can be used; an older backup may have them sound.")?;
    Ok(DAMAGED)
}

fn parse_board(text: &str) -> Result<BoardId, String> {
    let text = text.strip_prefix("board/").unwrap_or(text);
    text.parse().map_err(|NotABoard| "a board is named like 5f3k9q2m7x1c8v4b.t3, ….harvest or ….plan".to_owned())
}

/// A café's id, also as the log and `tablehop verify` name its stream.
pub(super) fn parse_cafe(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("workshop/").unwrap_or(text);
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        true => Ok(text.to_owned()),
        false => Err("a café is named like 5f3k9q2m7x1c8v4b, which is a part of its links".to_owned()),
    }
}
