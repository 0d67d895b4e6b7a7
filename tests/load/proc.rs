//! What the system knows of a process (Linux).

use anyhow::{Context, Result};

/// Clock ticks a second in `/proc`: the same on every Linux that Rust's targets run on.
const TICKS: f64 = 100.0;

/// Processor time of a process so far, in its own code and in the system's, in microseconds.
pub fn cpu_micros(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the server has ended")?;
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(") ").context("stat")?.1.split(' ').collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).context("stat")?.parse::<u64>()? as f64) };
    Ok((ticks(11)? + ticks(12)?) / TICKS * 1e6)
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the server has ended")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    line.split_whitespace().nth(1).context("figure")?.parse().context("figure")
}

/// Has this process run on one core alone, and open as many files as it may.
pub fn settle(core: Option<usize>) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::thread::{CpuSet, sched_setaffinity};
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).context("the limit of open files")?;
    if let Some(core) = core {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores).context("pinning to a core")?;
    }
    Ok(())
}
