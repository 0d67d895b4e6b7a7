//! `cargo xtask demo`: a café under way, to see it alive.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, id};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::client::Mode;
use crate::process::{Companion, cargo, interrupted, run as run_program};
use crate::server;

/// How long a server may take to answer after its start.
const START_LIMIT: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub struct Options {
    /// Folder of the data; without it a temporary one, removed at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on; without it 0.0.0.0:8080, so that phones can look in, or another port if that is taken
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Quick to build, slow and large to run
    #[arg(long)]
    dev: bool,
    /// More for `tablehop-guests demo`, after --
    #[arg(last = true)]
    more: Vec<String>,
}

/// Starts the server and the guests, and ends both on Ctrl-C or when the server ends.
pub fn run(options: &Options) -> Result<()> {
    let mode = Mode::from_flag(options.dev);
    let binary = server::build_all(mode)?;
    let guests = build_guests(mode)?;
    let interrupted = interrupted()?;

    let address = match &options.listen {
        Some(text) => text
            .to_socket_addrs()
            .ok()
            .and_then(|mut found| found.next())
            .with_context(|| format!("--listen {text}: not an address and port such as 0.0.0.0:8080"))?,
        None => free_address()?,
    };
    let data = DataDir::new(options.data.clone())?;
    let here = reachable_here(address);

    let mut serve = Command::new(binary);
    serve.args(["serve", "--listen", &address.to_string()]).arg("--data").arg(&data.path);
    let mut server = Companion::start(&mut serve)?;
    wait_until_ready(here, &mut server, &interrupted)?;

    let mut come = Command::new(guests);
    come.args(["demo", "--server", &format!("http://{here}")]).args(&options.more);
    let mut guests = Companion::start(&mut come)?;
    let mut guests_left = false;
    while !interrupted.load(Ordering::SeqCst) {
        if let Some(status) = ended_by_itself(&mut server, &interrupted)? {
            bail!("the server ended with {status}");
        }
        if !guests_left && let Some(status) = ended_by_itself(&mut guests, &interrupted)? {
            if !status.success() {
                bail!("the simulated guests ended with {status}");
            }
            guests_left = true;
            println!("The guests have left; the café stays open until Ctrl-C.");
        }
        thread::sleep(Duration::from_millis(100));
    }
    guests.end();
    server.end();
    Ok(())
}

/// How a program ended, unless that was Ctrl-C, which a terminal sends to all of them at once.
fn ended_by_itself(program: &mut Companion, interrupted: &AtomicBool) -> Result<Option<ExitStatus>> {
    let ended = program.ended()?;
    if ended.is_some() {
        thread::sleep(Duration::from_millis(100));
    }
    Ok(ended.filter(|_| !interrupted.load(Ordering::SeqCst)))
}

fn build_guests(mode: Mode) -> Result<PathBuf> {
    println!("Guests: compiling …");
    let mut command = cargo(["build", "--package", "tablehop-tests", "--bin", "tablehop-guests"]);
    if mode == Mode::Release {
        command.arg("--release");
    }
    run_program(&mut command, "compiling the simulated guests")?;
    Ok(server::program(mode, "tablehop-guests"))
}

/// The usual port, or one that nothing listens on.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("0.0.0.0:8080").or_else(|_| TcpListener::bind("0.0.0.0:0"))?;
    Ok(listener.local_addr()?)
}

/// The address at which this machine reaches a server that may listen on all of them.
fn reachable_here(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

fn wait_until_ready(address: SocketAddr, server: &mut Companion, interrupted: &AtomicBool) -> Result<()> {
    let patience = Instant::now() + START_LIMIT;
    while Instant::now() < patience && !interrupted.load(Ordering::SeqCst) {
        if let Some(status) = server.ended()? {
            bail!("the server ended with {status}");
        }
        if is_ready(address) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("the server did not answer on {address} within {} s", START_LIMIT.as_secs());
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// Where the demo keeps its data; a temporary folder goes with it.
struct DataDir {
    path: PathBuf,
    temporary: bool,
}

impl DataDir {
    fn new(given: Option<PathBuf>) -> Result<Self> {
        let temporary = given.is_none();
        let path = given.unwrap_or_else(|| std::env::temp_dir().join(format!("tablehop-demo-{}", id())));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, temporary })
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.temporary && std::fs::remove_dir_all(&self.path).is_err() {
            eprintln!("left behind: {}", self.path.display());
        }
    }
}
