//! `cargo xtask run`: from a fresh clone to a running server.

use std::env;
use std::process::Command;

use anyhow::Result;

use crate::client::Mode;
use crate::process::root;
use crate::server;

/// What is passed on to `tablehop serve`; its own defaults hold for what is not given.
#[derive(clap::Args)]
pub struct Options {
    /// Address to listen on, such as 0.0.0.0:8080
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Folder of the data
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Address under which people reach this server
    #[arg(
        long,
        value_name = "URL",
        help = "Address under which people reach this server, such as https://cafe.example.com"
    )]
    pub public_url: Option<String>,
    /// Open the page in a browser
    #[arg(long)]
    pub open: bool,
    /// Quick to build, slow and large to run
    #[arg(long)]
    pub dev: bool,
    /// More for `tablehop serve`, after --
    #[arg(last = true)]
    pub more: Vec<String>,
}

impl Options {
    /// `tablehop serve` with these options.
    pub fn server(&self, binary: &std::path::Path) -> Command {
        let mut command = Command::new(binary);
        command.arg("serve");
        for (flag, value) in [("--listen", &self.listen), ("--data", &self.data), ("--public-url", &self.public_url)] {
            if let Some(value) = value {
                command.args([flag, value]);
            }
        }
        if self.open {
            command.arg("--open");
        }
        command.args(&self.more);
        // The default, ./data, should be the same folder from wherever in the workspace this is called.
        if self.data.is_none() && env::var_os("TABLEHOP_DATA").is_none() {
            command.current_dir(root());
        }
        command
    }
}

/// Builds, then turns into the server, so that Ctrl-C and every signal reach it directly.
pub fn run(options: &Options) -> Result<()> {
    let binary = server::build_all(Mode::from_flag(options.dev))?;
    become_program(&mut options.server(&binary))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(command.exec()).context("cannot start the server"))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<()> {
    crate::process::run(command, "the server")
}
