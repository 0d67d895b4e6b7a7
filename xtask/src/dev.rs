//! `cargo xtask dev`: the server again after each change of a source file.

use std::fs;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::client::Mode;
use crate::process::{Companion, files_under, interrupted, root};
use crate::run::Options;
use crate::server;

/// How often the files are looked at: soon enough to feel at once, rare enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Builds for development and serves until Ctrl-C; a build that fails is shown and leaves the old server running.
pub fn run(mut options: Options) -> Result<()> {
    let interrupted = interrupted()?;
    let mut serving: Option<Companion> = None;
    let mut seen = None;
    while !interrupted.load(Ordering::SeqCst) {
        let now = newest_change()?;
        if seen != Some(now) {
            seen = Some(now);
            match server::build_all(Mode::Dev) {
                Ok(binary) if !interrupted.load(Ordering::SeqCst) => {
                    // The address must be free before the next one starts.
                    drop(serving.take());
                    serving = Some(Companion::start(&mut options.server(&binary))?);
                    options.open = false;
                }
                Ok(_) => {}
                Err(error) => eprintln!("{error:#}\nWaiting for a change …"),
            }
        }
        if let Some(server) = &mut serving
            && let Some(status) = server.ended()?
            && !interrupted.load(Ordering::SeqCst)
        {
            eprintln!("The server ended with {status}. Waiting for a change …");
            serving = None;
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// When a source file last changed, and how many there are (to notice removals).
fn newest_change() -> Result<(SystemTime, usize)> {
    let root = root();
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut count = 0;
    for dir in ["client/src", "client/locales", "client/public", "server/src", "shared/src"] {
        for file in files_under(&root.join(dir), &|_| true)? {
            newest = newest.max(changed_at(&file));
            count += 1;
        }
    }
    for file in
        ["Cargo.toml", "Cargo.lock", "client/Cargo.toml", "client/index.html", "server/Cargo.toml", "shared/Cargo.toml"]
    {
        newest = newest.max(changed_at(&root.join(file)));
    }
    Ok((newest, count))
}

/// A file that has just gone counts as old: the number of files changes instead.
fn changed_at(file: &std::path::Path) -> SystemTime {
    fs::metadata(file).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}
