//! Looking through a store: every row and snapshot by its checksum, every stream by its numbers, and whether it folds.

use std::io::{self, Write};
use std::time::Instant;

use super::fold::{self, Folded};
use super::seconds_since;
use crate::store::sqlite::archive::{Archive, Inspected};
use crate::store::sqlite::registers;
use crate::store::{Loaded, StoreError, StreamId};

/// What was found wrong with one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which stream.
    pub stream: StreamId,
    /// What is wrong, in words.
    pub faults: Vec<String>,
    /// Whether a server still serves all of it, from its other copy.
    pub served: bool,
}

/// What was found in a store.
#[derive(Debug)]
pub struct Report {
    /// Streams looked at.
    pub streams: usize,
    /// Rows looked at.
    pub rows: usize,
    /// Snapshots looked at.
    pub snapshots: usize,
    /// Streams that are kept aside since a restore.
    pub aside: usize,
    /// Tokens, join codes and client ids looked at, and the damaged ones.
    pub registers: registers::Inspected,
    /// What SQLite says of the file.
    pub file_faults: Vec<String>,
    /// The damaged streams.
    pub findings: Vec<Finding>,
    seconds: f64,
}

/// Looks through all of a store.
///
/// # Errors
/// It cannot even be listed.
pub fn check(archive: &Archive) -> Result<Report, StoreError> {
    let start = Instant::now();
    let mut report = Report {
        streams: 0,
        rows: 0,
        snapshots: 0,
        aside: archive.aside()?.len(),
        registers: archive
            .inspect_registers()
            .unwrap_or_else(|error| registers::Inspected { count: 0, faults: vec![error.to_string()] }),
        file_faults: archive.file_faults()?,
        findings: Vec::new(),
        seconds: 0.0,
    };
    for stream in archive.streams()? {
        report.streams += 1;
        let inspected = match archive.inspect(&stream) {
            Ok(inspected) => inspected,
            Err(error) => {
                report.findings.push(Finding { stream, faults: vec![error.to_string()], served: false });
                continue;
            }
        };
        report.rows += inspected.rows.len();
        report.snapshots += inspected.snapshots.len();
        report.findings.extend(judge(archive, stream, &inspected));
    }
    report.seconds = seconds_since(start);
    Ok(report)
}

fn judge(archive: &Archive, stream: StreamId, inspected: &Inspected) -> Option<Finding> {
    let mut faults = Vec::new();
    let mut expected = 1;
    let missing = |from: u64, next: u64| match next - from.min(next) {
        1 => format!("row {from} is missing"),
        _ => format!("rows {from} to {} are missing", next.saturating_sub(1)),
    };
    for (seq, row) in &inspected.rows {
        if *seq != expected {
            faults.push(missing(expected, *seq));
        }
        faults.extend(row.as_ref().err().cloned());
        expected = seq + 1;
    }
    if let Some(last) = inspected.last.filter(|last| *last >= expected) {
        faults.push(missing(expected, last + 1));
    }
    let log_is_whole = faults.is_empty();
    faults.extend(inspected.snapshots.iter().filter_map(|(_, snapshot)| snapshot.as_ref().err().cloned()));

    let served = serve(archive, &stream, &mut faults);
    if let (Some(served), true) = (&served, log_is_whole) {
        let rows = inspected.rows.iter().filter_map(|(_, row)| row.clone().ok()).collect();
        let log = Loaded { snapshot: None, rows, last_seq: expected - 1 };
        match fold::fold(&stream, &log) {
            Ok(log) if log.is_same_as(served) => {}
            Ok(_) => faults.push("the newest snapshot says something else than the rows".to_owned()),
            Err(what) => faults.push(format!("the rows alone do not fold: {what}")),
        }
    }
    (!faults.is_empty()).then(|| Finding { stream, served: served.is_some(), faults })
}

/// What a server would serve; nothing if it would quarantine the stream.
fn serve(archive: &Archive, stream: &StreamId, faults: &mut Vec<String>) -> Option<Folded> {
    let mut below = u64::MAX;
    loop {
        let loaded = match archive.load(stream, below) {
            Ok(loaded) => loaded,
            Err(StoreError::Corrupt { what, .. }) => {
                if !faults.contains(&what) {
                    faults.push(what);
                }
                return None;
            }
            Err(error) => {
                faults.push(error.to_string());
                return None;
            }
        };
        match (fold::fold(stream, &loaded), &loaded.snapshot) {
            (Ok(folded), _) => return Some(folded),
            (Err(_), Some(snapshot)) if fold::is_foreign(stream, snapshot) => below = snapshot.seq,
            (Err(what), Some(snapshot)) => {
                faults.push(format!("it does not fold from the snapshot of row {}: {what}", snapshot.seq));
                below = snapshot.seq;
            }
            (Err(what), None) => {
                faults.push(format!("it does not fold: {what}"));
                return None;
            }
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.file_faults.is_empty() && self.registers.faults.is_empty()
    }

    /// Whether something is not served any more.
    pub fn loses(&self) -> bool {
        self.findings.iter().any(|finding| !finding.served) || !self.registers.faults.is_empty()
    }

    /// Whether both found the same, in the same store.
    pub(super) fn same_findings(&self, other: &Self) -> bool {
        (self.streams, self.rows, self.snapshots, self.aside, &self.registers, &self.findings)
            == (other.streams, other.rows, other.snapshots, other.aside, &other.registers, &other.findings)
    }

    /// Writes it for people.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for fault in &self.file_faults {
            writeln!(out, "DAMAGED   the file: {fault}")?;
        }
        for Finding { stream, faults, served } in &self.findings {
            let word = if *served { "impaired " } else { "DAMAGED  " };
            writeln!(out, "{word} {stream}")?;
            for fault in faults {
                writeln!(out, "            {fault}")?;
            }
            let then = match served {
                true => "All of it is still served, from its other copy.",
                false => "It is quarantined: nobody can open it until it is restored.",
            };
            writeln!(out, "            {then}")?;
        }
        for fault in &self.registers.faults {
            writeln!(out, "DAMAGED   {fault}")?;
            writeln!(out, "            It is refused: a link opens nothing, a code leads nowhere, an id is nobody's.")?;
        }
        let damaged = self.findings.iter().filter(|finding| !finding.served).count();
        let impaired = self.findings.len() - damaged;
        writeln!(
            out,
            "Looked at {} streams, {} rows, {} snapshots in {:.1} s: {damaged} damaged, {impaired} impaired.",
            self.streams, self.rows, self.snapshots, self.seconds
        )?;
        writeln!(
            out,
            "Looked at {} tokens, join codes and client ids: {} damaged.",
            self.registers.count,
            self.registers.faults.len()
        )?;
        if self.aside > 0 {
            writeln!(out, "{} are kept aside since a restore.", self.aside)?;
        }
        Ok(())
    }
}
