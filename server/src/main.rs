//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use server::config::Config;

/// World Cafés on your own machine: tables, boards, rounds, harvest and plan (换桌)
#[derive(Parser)]
#[command(name = "tablehop", version, arg_required_else_help = true)]
struct Tablehop {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    #[command(
        long_about = "Start the server. Everything that is written in its cafés is kept in one directory; the pages are part of this \
            program. Guests reach it under the printed address or its QR code, on the same wifi or over the internet.\n\n\
            Ctrl-C or SIGTERM stops it: what is written is committed, clients are told to come back, and cafés under way go on where they \
            were when it is started again.",
        after_help = "Examples:\n  \
            tablehop serve                                            a café on this network\n  \
            tablehop serve --listen 127.0.0.1:8080 --open             try it out, on this machine alone\n  \
            tablehop serve --listen 127.0.0.1:8080 --trusted-proxy \\\n    \
            --public-url https://cafe.example.com                   behind a reverse proxy"
    )]
    Serve(Box<Config>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(config) = Tablehop::parse().command;
    match server::run::run(*config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tablehop: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
