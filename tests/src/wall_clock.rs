//! A wall clock that can be set, beneath a real server process: `tests/shim/clock.c`.

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::shim::{Switches, compile};

/// The switches, in the order of `struct control`.
const AHEAD: u64 = 0;
const READS: u64 = 1;
const SWITCHES: u64 = 2;

/// The clock.
pub struct WallClock {
    root: TempDir,
    switches: Switches,
}

impl WallClock {
    /// One that shows what the machine's does.
    ///
    /// # Errors
    /// The shim cannot be compiled: these tests need 64-bit Linux and `cc`.
    pub fn new() -> Result<Self> {
        let root = tempfile::tempdir()?;
        compile("clock", root.path())?;
        let switches = Switches::new(&root.path().join("control"), SWITCHES)?;
        Ok(Self { root, switches })
    }

    /// What a server needs in its environment to use it.
    pub fn env(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.root.path().join(name).display().to_string();
        [("LD_PRELOAD", path("libclock.so")), ("CLOCK_CONTROL", path("control"))]
    }

    /// Sets it so many milliseconds ahead of the machine's clock, or behind it.
    ///
    /// # Errors
    /// The switch cannot be set.
    pub fn set_ahead(&self, millis: i64) -> Result<()> {
        self.switches.set(AHEAD, millis.cast_unsigned())
    }

    /// What it shows: milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// The switch cannot be read.
    pub fn now(&self) -> Result<u64> {
        let ahead = self.switches.get(AHEAD)?.cast_signed();
        server::clock::now().checked_add_signed(ahead).context("before 1970")
    }

    /// How often processes have read it.
    ///
    /// # Errors
    /// The switch cannot be read.
    pub fn reads(&self) -> Result<u64> {
        self.switches.get(READS)
    }
}
