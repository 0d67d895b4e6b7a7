//! `tablehop remove`: cafés taken away for good, by name or by age.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::fold::{self, Folded};
use super::restore::parse_cafe;
use super::{CareError, DAMAGED, Size};
use crate::clock;
use crate::store::sqlite::archive::Archive;
use crate::store::sqlite::removal::{Held, Removal};
use crate::store::{StoreError, StreamId};

const DAY: u64 = 86_400_000;
/// A hundred years: no café is as old.
const DAYS_MOST: u64 = 36_500;

/// Options of `tablehop remove`.
#[derive(Clone, Debug, Args)]
pub struct RemoveOptions {
    /// Remove this café, named like 5f3k9q2m7x1c8v4b, which is a part of its links; can be repeated
    #[arg(long, value_name = "ID", value_parser = parse_cafe, required_unless_present = "idle_days")]
    pub cafe: Vec<String>,

    /// Remove all cafés in which nothing has happened for more than so many days
    #[arg(long, value_name = "DAYS", conflicts_with = "cafe", value_parser = clap::value_parser!(u64).range(1..=DAYS_MOST))]
    pub idle_days: Option<u64>,

    /// List what would go, and change nothing; a server may be using the directory
    #[arg(long)]
    pub dry_run: bool,

    /// Directory to remove from; no server may be using it
    #[arg(long, env = "TABLEHOP_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,
}

/// A café that is to go.
struct Chosen {
    id: String,
    title: String,
    held: Held,
}

/// `tablehop remove`. Returns the exit code.
///
/// # Errors
/// See [`CareError`]; then nothing has been changed.
pub fn remove(options: &RemoveOptions, out: &mut impl Write) -> Result<u8, CareError> {
    // From before it is decided what goes: nobody may write in a café that was found idle.
    let removal = if options.dry_run { None } else { Some(Removal::begin(&options.data)?) };
    // Closed before anything is removed, for it holds on to what was there.
    let chosen = choose(&Archive::open(&options.data)?, options, out)?;
    for Chosen { id, title, held } in &chosen {
        let last = match &held.last {
            Ok(Some(at)) => format!("last active {}", clock::utc(*at)),
            Ok(None) => "never active".to_owned(),
            Err(_) => "damaged".to_owned(),
        };
        let (rows, registers) = (held.rows, held.registers);
        writeln!(
            out,
            "{id}  {title}  {last}, {}: {} streams, {rows} rows, {} snapshots; {} tokens, {} join codes, {} client ids",
            Size(held.bytes),
            held.streams,
            held.snapshots,
            registers.tokens,
            registers.codes,
            registers.clients
        )?;
    }
    let count = match chosen.len() {
        1 => "1 café".to_owned(),
        count => format!("{count} cafés"),
    };
    let Some(mut removal) = removal else {
        writeln!(out, "{count} to remove. Nothing was changed.")?;
        return Ok(0);
    };
    if chosen.is_empty() && !removal.has_free_room()? {
        writeln!(out, "{count} to remove. Nothing was changed.")?;
        return Ok(0);
    }
    let ids: Vec<&str> = chosen.iter().map(|chosen| chosen.id.as_str()).collect();
    removal.remove(&ids)?;
    writeln!(out, "Removed {count}.")?;
    match removal.give_back() {
        Ok(bytes) => {
            let size = Size(bytes);
            writeln!(
                out,
                "The file was written anew, without what was removed; it is {size} smaller. Backups still hold it."
            )?;
            Ok(0)
        }
        Err(error) => {
            writeln!(
                out,
                "Nobody is served what was removed any more, but it may still be in the file, which could not be written anew: {error}. \
                 Mend that and run `tablehop remove --idle-days {DAYS_MOST}`, which removes no further café and writes the file anew."
            )?;
            Ok(DAMAGED)
        }
    }
}

fn choose(archive: &Archive, options: &RemoveOptions, out: &mut impl Write) -> Result<Vec<Chosen>, CareError> {
    let choose = |id: String, held| Chosen { title: title(archive, &id), id, held };
    let mut chosen = Vec::new();
    let Some(days) = options.idle_days else {
        for id in &options.cafe {
            let held = archive.held(id)?;
            if held.is_nothing() {
                let data = options.data.display();
                return Err(StoreError::Io(format!("there is no café {id} in {data}; nothing was changed")).into());
            }
            if chosen.iter().all(|chosen: &Chosen| chosen.id != *id) {
                chosen.push(choose(id.clone(), held));
            }
        }
        return Ok(chosen);
    };
    let latest = clock::now().saturating_sub(days.saturating_mul(DAY));
    for id in archive.cafes()? {
        let held = archive.held(&id)?;
        match &held.last {
            Ok(Some(at)) if *at < latest => chosen.push(choose(id, held)),
            Ok(_) => {}
            // It may have been used yesterday.
            Err(what) => writeln!(out, "{id} stays, for nobody can say how old it is: {what}")?,
        }
    }
    Ok(chosen)
}

/// What people know a café by.
fn title(archive: &Archive, cafe: &str) -> String {
    let stream = StreamId::workshop(cafe);
    let folded = archive.load(&stream, u64::MAX).ok().and_then(|loaded| fold::fold(&stream, &loaded).ok());
    match folded {
        Some(Folded::Cafe(cafe)) => format!("“{}”", cafe.draft.title),
        _ => "(its title cannot be read)".to_owned(),
    }
}
