//! Figures of servers under many people. `cargo xtask bench` builds it and passes its arguments on.
//!
//! # Layout
//!
//! - [`run`]: one measurement, from an empty server to the closed books, and its report
//! - [`crowd`]: everybody on one thread: writing, listening, moving; [`socket`]: their sockets; [`pen`]: what they write
//! - [`ledger`]: which edit has reached whom, and when
//! - [`target`]: the servers: ours, the peers, and the bare relay of relay.rs; [`cafe`]: ours has people join a café
//! - [`asleep`]: a store of many cafés in which nobody is; [`proc`]: what the system knows of a process
//!
//! It runs on Linux: it reads `/proc`, and waits with epoll.

#[cfg(target_os = "linux")]
mod asleep;
#[cfg(target_os = "linux")]
mod cafe;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod pen;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(target_os = "linux")]
mod target;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    start::start()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The load generator runs on Linux.");
    std::process::exit(1);
}

#[cfg(target_os = "linux")]
mod start {
    use std::path::PathBuf;

    use anyhow::Result;
    use clap::{Parser, Subcommand};

    use super::run::{Size, measure};
    use super::target::{Launch, Target};
    use super::{asleep, proc};

    /// Figures of servers under many people.
    #[derive(Parser)]
    struct Arguments {
        #[command(subcommand)]
        what: What,
        /// The server's core and the generator's; without, the system chooses
        #[arg(long, global = true, value_name = "CORE", num_args = 2)]
        cores: Vec<usize>,
        /// Where the peers are installed
        #[arg(long, global = true, default_value = "tests/load/peers")]
        peers: PathBuf,
        /// y-sweet's program
        #[arg(long, global = true, default_value = "y-sweet")]
        y_sweet: PathBuf,
        /// A server that runs already, instead of one that is started: any that speaks the protocol of `--target`
        #[arg(long, global = true, value_name = "ADDR:PORT")]
        at: Option<std::net::SocketAddr>,
        /// The process of that server, for its processor time and memory
        #[arg(long, global = true, requires = "at")]
        pid: Option<u32>,
        /// Have the relay lose every Nth delivery: this must fail
        #[arg(long, global = true, default_value_t = 0)]
        lose: u64,
    }

    #[derive(Subcommand)]
    enum What {
        /// Tables of people who write, then all change tables. A report as JSON for each server, in this order
        Run {
            /// What to measure
            #[arg(long, value_enum, default_values_t = [Target::Tablehop, Target::Relay])]
            target: Vec<Target>,
            #[command(flatten)]
            size: Size,
        },
        /// Time and memory of a start with many sleeping cafés in the store
        Asleep {
            /// How many
            #[arg(long, default_value_t = 100_000)]
            cafes: usize,
        },
    }

    /// Does what the command line says.
    pub fn start() -> Result<()> {
        let Arguments { what, cores, peers, y_sweet, at, pid, lose } = Arguments::parse();
        proc::settle(cores.get(1).copied())?;
        let launch = Launch { core: cores.first().copied(), peers, y_sweet, lose, at, pid };
        match what {
            What::Run { target, size } => {
                for target in target {
                    let report = measure(target, size, &launch)?;
                    println!("{}", serde_json::to_string(&report)?);
                    report.check()?;
                }
                Ok(())
            }
            What::Asleep { cafes } => asleep::measure(cafes, &launch),
        }
    }
}
