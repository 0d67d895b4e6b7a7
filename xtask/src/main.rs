//! `cargo xtask <command>`: everything one does with this repository.
//!
//! # Layout
//!
//! - [`client`]: compiles the client, names its files after their content, compresses them; [`bind`] cuts it into the parts that
//!   are fetched when they are shown and makes its JavaScript, [`css`] joins its style sheets
//! - [`server`]: compiles the server, which embeds what [`client`] made
//! - [`run`], [`demo`], [`dev`], [`mod@bench`]: build, then start something
//! - [`mod@test`]: every check there is, counted by [`counts`]; [`tidy`] and [`locales`] are the checks no other tool makes
//! - [`install`]: what is missing on this machine; [`process`]: starting and ending other programs

mod bench;
mod bind;
mod client;
mod counts;
mod css;
mod demo;
mod dev;
mod install;
mod licences;
mod locales;
mod process;
mod run;
mod server;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Build, run and check Tablehop.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the client and the server into one binary, target/release/tablehop
    Build {
        /// Quick to build, slow and large to run: target/debug/tablehop
        #[arg(long)]
        dev: bool,
    },
    /// Build, then start the server
    Run(run::Options),
    /// Install what the tests need, then run every check and every test
    Test(test::Options),
    /// Build, then start a server with a café under way and simulated guests in it
    Demo(demo::Options),
    /// Build quickly and start the server; again after each change of a source file
    Dev(run::Options),
    /// Check what no other tool does: rules and tests, file sizes, colours, texts
    Tidy,
    /// Check what we build on with cargo-deny: advisories, licences, sources
    Deny,
    /// Measure the server under load beside a bare relay, or beside other servers
    #[command(args_conflicts_with_subcommands = true)]
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match start(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> Result<()> {
    match command {
        Command::Build { dev } => {
            let binary = server::build_all(client::Mode::from_flag(dev))?;
            println!("Built {}", process::shown(&binary));
            Ok(())
        }
        Command::Run(options) => run::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Dev(options) => dev::run(options),
        Command::Tidy => tidy::run(),
        Command::Deny => licences::deny(),
        Command::Bench(options) => bench::run(&options),
    }
}
