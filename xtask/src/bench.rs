//! `cargo xtask bench`: what a server costs under many people, and how long they wait. The work is done by `tablehop-load`, in
//! tests/load/; here are the builds, the peers, and the table in docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::client::Mode;
use crate::process::{self, cargo, root, target_dir};
use crate::server;

/// The release of y-sweet that is compared with; the others are pinned in tests/load/peers/package.json.
const Y_SWEET: &str = "0.9.1";
/// Where its table stands in docs/benchmarks.md.
const BEGIN: &str = "<!-- written by `cargo xtask bench peers`: begin -->";
const END: &str = "<!-- end -->";

#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    size: Size,
}

#[derive(Subcommand)]
enum What {
    /// Install the peers, measure them beside ours, alternating, and write the table in docs/benchmarks.md
    Peers {
        #[command(flatten)]
        size: Size,
        /// Write nothing to docs/benchmarks.md
        #[arg(long)]
        dry: bool,
    },
    /// Start the server on a store of many sleeping cafés; fails if that takes more than a second or 50 MB
    Asleep {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        cafes: usize,
    },
}

#[derive(Args, Clone)]
struct Size {
    /// People, each with one socket; several sizes separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = [500])]
    people: Vec<usize>,
    /// People at one table
    #[arg(long, default_value_t = 5)]
    seats: usize,
    /// Edits of each person a second
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Seconds of measuring
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Servers, in this order; `tablehop`, `relay`, and with `peers` also `hocuspocus`, `y-websocket` and `y-sweet`
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    /// Each server is measured so often, all in turn
    #[arg(long, default_value_t = 1)]
    turns: usize,
    /// Compile nothing first
    #[arg(long)]
    built: bool,
}

/// Builds what is needed, measures, and prints a table.
pub fn run(options: &Options) -> Result<()> {
    match &options.what {
        None => {
            build(&options.size)?;
            let rows = measure(&options.size, &["tablehop", "relay"])?;
            println!("\n{}", table(&rows));
            Ok(())
        }
        Some(What::Peers { size, dry }) => {
            build(size)?;
            install_peers()?;
            let rows = measure(size, &["tablehop", "y-sweet", "y-websocket", "hocuspocus", "relay"])?;
            let text = format!("{}\n\n```\n{}\n```\n\n{}", machine()?, command(size), table(&rows));
            println!("\n{text}");
            if *dry { Ok(()) } else { keep(&text) }
        }
        Some(What::Asleep { cafes }) => {
            build(&options.size)?;
            process::run(load().args(["asleep", "--cafes", &cafes.to_string()]), "the load check")
        }
    }
}

fn build(size: &Size) -> Result<()> {
    if size.built {
        return Ok(());
    }
    server::build_all(Mode::from_flag(false))?;
    let mut bins = cargo(["build", "--release", "--package", "tablehop-tests"]);
    process::run(bins.args(["--bin", "tablehop-load", "--bin", "tablehop-relay"]), "building the load generator")
}

fn load() -> Command {
    let mut command = Command::new(target_dir().join("release/tablehop-load"));
    // The server on one core, the generator on another.
    command.current_dir(root()).args(["--cores", "0", "1"]).arg("--y-sweet").arg(y_sweet());
    command
}

fn y_sweet() -> PathBuf {
    target_dir().join("peers/bin/y-sweet")
}

/// Through npm and cargo, from their registries.
fn install_peers() -> Result<()> {
    let folder = root().join("tests/load/peers");
    // What npm notes of an installation is younger than the pins it was made from.
    let changed = |file: PathBuf| fs::metadata(file).and_then(|file| file.modified()).ok();
    let installed = changed(folder.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < changed(folder.join("package-lock.json")) {
        process::run(
            Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder),
            "installing peers",
        )?;
    }
    if !folder.join("node_modules/sqlite3/build/Release/node_sqlite3.node").is_file() {
        let mut compile = Command::new("npm");
        compile.args(["rebuild", "sqlite3", "--foreground-scripts"]).current_dir(&folder);
        // Where Node's own headers are installed, nothing needs to be fetched.
        if std::path::Path::new("/usr/include/node/node.h").is_file() {
            compile.env("npm_config_nodedir", "/usr");
        }
        process::run(&mut compile, "compiling Hocuspocus' SQLite")?;
    }
    if !y_sweet().is_file() {
        // Its npm package would fetch a program from elsewhere; the crate is the same one.
        let mut install = cargo(["install", "y-sweet", "--locked", "--version", Y_SWEET, "--root"]);
        process::run(install.arg(target_dir().join("peers")), "installing y-sweet")?;
    }
    Ok(())
}

fn measure(size: &Size, usual: &[&str]) -> Result<Vec<Value>> {
    let servers: Vec<&str> =
        if size.servers.is_empty() { usual.to_vec() } else { size.servers.iter().map(String::as_str).collect() };
    let mut rows = Vec::new();
    for &people in &size.people {
        for _ in 0..size.turns {
            for target in &servers {
                eprintln!("{target}: {people} people …");
                let mut run = load();
                run.args(["run", "--target", target, "--people", &people.to_string()]);
                run.args(["--tables", &people.div_ceil(size.seats).to_string()]);
                run.args(["--rate", &size.rate.to_string(), "--seconds", &size.seconds.to_string()]);
                let output = run.stderr(std::process::Stdio::inherit()).output().context("the load generator")?;
                let text = String::from_utf8_lossy(&output.stdout);
                let Some(line) = text.lines().find(|line| line.starts_with('{')) else {
                    bail!("{target}: the load generator gave no report");
                };
                // What others lose is a figure; what ours loses is a fault.
                if *target == "tablehop" && !output.status.success() {
                    bail!("{target}: the load generator found fault with it: {line}");
                }
                rows.push(serde_json::from_str(line).context("the load generator's report")?);
            }
        }
    }
    Ok(rows)
}

/// The reports as a table in Markdown.
fn table(rows: &[Value]) -> String {
    let mut text = String::from(
        "| people | server | deliveries | lost | CPU µs / delivery | p50 ms | p95 ms | p99 ms | max ms | KiB / connection | rotation s | \
         server's core | generator's core | sent late, p99 ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let rotation = row["rotation"].as_f64().map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.2}"));
        let clean = if row["faults"].as_array().is_none_or(Vec::is_empty) { "" } else { " (faults)" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {}{clean} | {} | {} | {:.1} | {:.2} | {:.1} | {:.1} | {:.1} | {:.1} | {rotation} | {:.0} % | {:.0} % | {:.1} |",
            number("people"),
            row["target"].as_str().unwrap_or_default(),
            number("deliveries"),
            number("losses"),
            number("cpu_per_delivery"),
            number("p50"),
            number("p95"),
            number("p99"),
            number("max"),
            number("kib_per_connection"),
            number("server_cpu") * 100.0,
            number("own_cpu") * 100.0,
            number("late_p99"),
        );
    }
    text
}

fn command(size: &Size) -> String {
    let people: Vec<String> = size.people.iter().map(usize::to_string).collect();
    let Size { seats, rate, seconds, .. } = size;
    let people = people.join(",");
    let mut text =
        format!("cargo xtask bench peers --people {people} --seats {seats} --rate {rate} --seconds {seconds}");
    if size.turns > 1 {
        let _ = write!(text, " --turns {}", size.turns);
    }
    if !size.servers.is_empty() {
        let _ = write!(text, " --servers {}", size.servers.join(","));
    }
    text
}

/// The machine in general terms, and what was measured on it when.
fn machine() -> Result<String> {
    let read = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = read("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory =
        read("/proc/meminfo", "MemTotal").and_then(|kib| kib.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
    let said = |program: &str, arguments: &[&str]| -> String {
        let output = Command::new(program).args(arguments).current_dir(root()).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let files = said("stat", &["-f", "-c", "%T", &target_dir().display().to_string()]);
    Ok(format!(
        "Commit {}, {}. {cores} cores ({model}), {} GiB of memory, Linux; loopback; the store on {files}, where 4 KiB and their fsync take \
         {:.2} ms (median).",
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("date", &["-u", "+%F %H:%M UTC"]),
        memory / 1024 / 1024,
        sync_millis()?,
    ))
}

/// How long a page and its fsync take where the stores are, in milliseconds: the median of a hundred.
fn sync_millis() -> Result<f64> {
    let path = target_dir().join("sync-probe");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * 1e3)
}

fn keep(text: &str) -> Result<()> {
    let file = root().join("docs/benchmarks.md");
    let page = fs::read_to_string(&file).context("docs/benchmarks.md")?;
    let (Some((before, _)), Some((_, after))) = (page.split_once(BEGIN), page.split_once(END)) else {
        bail!("docs/benchmarks.md has no place for the table: {BEGIN}");
    };
    fs::write(&file, format!("{before}{BEGIN}\n{text}\n{END}{after}"))?;
    println!("Written to {}", process::shown(&file));
    Ok(())
}
