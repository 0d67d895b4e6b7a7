//! Compiles the server around the client that [`client::build`] left in `client/dist`.

use std::path::PathBuf;

use anyhow::Result;

use crate::client::{self, Mode};
use crate::process::{cargo, run, target_dir};

/// The client, then the server: one binary that needs no other file. Returns its path.
pub fn build_all(mode: Mode) -> Result<PathBuf> {
    client::build(mode)?;
    println!("4/4 Server: compiling …");
    build(mode)
}

/// The server alone, with whatever client there is. Returns the path of the binary.
pub fn build(mode: Mode) -> Result<PathBuf> {
    let mut command = cargo(["build", "--package", "tablehop-server"]);
    if mode == Mode::Release {
        command.arg("--release");
    }
    run(&mut command, "compiling the server")?;
    Ok(program(mode, "tablehop"))
}

/// Where cargo puts a program of the workspace.
pub fn program(mode: Mode, name: &str) -> PathBuf {
    let profile = match mode {
        Mode::Release => "release",
        Mode::Dev => "debug",
    };
    target_dir().join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
