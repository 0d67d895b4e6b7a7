//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use server::care::remove::{RemoveOptions, remove};
use server::care::restore::{RestoreOptions, restore};
use server::care::{self, BackupOptions, VerifyOptions};
use server::config::Config;
use server::run::{ServeError, run, runtime};

/// Thousands of small things come and go with each second of writing; see docs/decisions/0019.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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

    /// Copy everything into another directory, also while the server runs
    #[command(
        long_about = "Copy everything into another directory, also while the server runs: the copy is of one moment, and people go on \
            writing. It is looked through before this says that it is done, and it is one file, tablehop.db, that needs no other. A \
            directory that holds a store already is refused, so give each backup its own.\n\n\
            Exit code 0: done. 1: there is no backup. 3: done, but the store is damaged, and so is the copy in the same places.",
        after_help = "Example:\n  tablehop backup /backup/$(date +%F) --data /var/lib/tablehop"
    )]
    Backup(BackupOptions),

    /// Look through everything that is stored and report what is damaged
    #[command(
        long_about = "Look through everything that is stored, also while the server runs: the checksum of every row, snapshot, token, \
            join code and client id, the numbers of every stream, and whether every board and café can be made from it. Nothing is changed. \
            What is damaged is named: “DAMAGED” streams are quarantined, “impaired” ones are still served whole from their other copy; a \
            damaged token, code or id is refused.\n\n\
            Exit code 0: sound. 1: it could not be looked through. 3: something is damaged.",
        after_help = "Examples:\n  tablehop verify --data /var/lib/tablehop\n  tablehop verify --data /backup/2026-03-01"
    )]
    Verify(VerifyOptions),

    /// Bring back a whole store, one board, or one café from a backup
    #[command(
        long_about = "Bring back a whole store from a backup, into a new or empty directory; or, with --board, one board that is \
            quarantined, into the store it belongs to; or, with --cafe, all that is damaged or missing of one café: its events, its boards, \
            its links, its join code and its client ids. The server that uses the directory must be stopped.\n\n\
            Nothing that is there is lost. A directory that holds a store is refused. A board is made from its own sound rows and the \
            backup's where they are damaged, so what was written after the backup comes back too; the damaged rows are kept aside in the \
            same file. Of a café, what is whole stays as it is, and so does a token that was revoked after the backup.\n\n\
            Exit code 0: done. 1: nothing was changed. 3: done, but the places named could not be restored, or are damaged in the backup \
            as well.",
        after_help = "Examples:\n  \
            tablehop restore /backup/2026-03-01 --data /var/lib/tablehop-new\n  \
            tablehop restore /backup/2026-03-01 --data /var/lib/tablehop --board 5f3k9q2m7x1c8v4b.t3\n  \
            tablehop restore /backup/2026-03-01 --data /var/lib/tablehop --cafe 5f3k9q2m7x1c8v4b"
    )]
    Restore(RestoreOptions),

    /// Remove cafés for good, by name or by age, with all that was written in them
    #[command(
        long_about = "Remove cafés for good: their events and boards, also what a restore has kept aside, and their links, join codes and \
            client ids; all of it or nothing. Then the file is written anew without them, which gives the space back and needs room for a \
            second copy of what stays, and its changes, while it lasts. The server that uses the directory must be stopped, unless \
            --dry-run only lists what would go.\n\n\
            Backups still hold what was removed: remove them as well, or make a new one and keep only that.\n\n\
            Exit code 0: done, or nothing to do. 1: nothing was changed. 3: removed, but the file could not be written anew.",
        after_help = "Examples:\n  \
            tablehop remove --cafe 5f3k9q2m7x1c8v4b --data /var/lib/tablehop\n  \
            tablehop remove --idle-days 365 --dry-run --data /var/lib/tablehop"
    )]
    Remove(RemoveOptions),
}

fn main() -> ExitCode {
    // Not locked: the server prints, too.
    let out = &mut std::io::stdout();
    let done = match Tablehop::parse().command {
        Command::Serve(config) => return serve(*config),
        Command::Backup(options) => care::backup(&options, out),
        Command::Verify(options) => care::verify(&options, out),
        Command::Restore(options) => restore(&options, out),
        Command::Remove(options) => remove(&options, out),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tablehop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> ExitCode {
    let served = runtime().map_err(ServeError::from).and_then(|runtime| {
        let served = runtime.block_on(run(config));
        // Dropping it would wait for threads that wait for a disk.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tablehop: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
