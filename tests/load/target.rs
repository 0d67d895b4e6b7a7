//! The servers that can be measured, how each is started, and how one speaks to it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use shared::wire::lib0::Writer;

use super::proc;

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// This one: every edit on disk before it is acknowledged or shown.
    Tablehop,
    /// The relay of this folder: no document, no disk.
    Relay,
    /// A Hocuspocus server with its SQLite extension.
    Hocuspocus,
    /// @y/websocket-server, in memory.
    YWebsocket,
    /// y-sweet with a file store.
    YSweet,
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tablehop => "tablehop",
            Self::Relay => "bare relay",
            Self::Hocuspocus => "Hocuspocus",
            Self::YWebsocket => "@y/websocket-server",
            Self::YSweet => "y-sweet",
        }
    }

    /// Whether one socket carries many documents, each frame with its address.
    pub fn has_addresses(self) -> bool {
        matches!(self, Self::Tablehop | Self::Hocuspocus)
    }

    /// The document of a table.
    pub fn document(self, workshop: &str, table: usize) -> String {
        match self {
            Self::Tablehop => format!("board/{workshop}.t{}", table + 1),
            _ => format!("t{}", table + 1),
        }
    }

    /// Where to connect for a table.
    pub fn path(self, table: usize) -> String {
        let document = self.document("", table);
        match self {
            Self::Tablehop => "/collab".to_owned(),
            Self::Hocuspocus => "/".to_owned(),
            Self::Relay | Self::YWebsocket => format!("/{document}"),
            Self::YSweet => format!("/d/{document}/ws/{document}"),
        }
    }

    /// A message on a document.
    pub fn frame(self, document: &str, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        if self.has_addresses() {
            writer.var_string(document);
        }
        write(&mut writer);
        writer.into_bytes()
    }
}

/// How to start the servers.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The core they run on; any if there is none.
    pub core: Option<usize>,
    /// The folder of the peers: `tests/load/peers`.
    pub peers: PathBuf,
    /// Where y-sweet's program is.
    pub y_sweet: PathBuf,
    /// For relays: lose every Nth delivery.
    pub lose: u64,
    /// A server that runs already, and is neither started nor stopped.
    pub at: Option<SocketAddr>,
    /// Its process, where it can be looked at.
    pub pid: Option<u32>,
}

/// A server under way; if it was started here it ends with this.
pub struct Running {
    pub address: SocketAddr,
    pid: Option<u32>,
    own: Option<Own>,
}

/// A server that was started here.
struct Own {
    child: Child,
    /// What it keeps. On the disk of the build folder: a temporary directory may be in memory.
    data: Arc<tempfile::TempDir>,
}

impl Running {
    pub fn start(target: Target, launch: &Launch) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("load-").tempdir_in(beside_us()?)?;
        Self::start_on(target, launch, Arc::new(data))
    }

    /// Starts it on data that are there.
    pub fn start_on(target: Target, launch: &Launch, data: Arc<tempfile::TempDir>) -> Result<Self> {
        // Given up at once, so that the server can take it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = command(target, launch, data.path(), address)?;
        command.stdin(Stdio::null()).stdout(log(&data, "out")?).stderr(log(&data, "err")?);
        let child = command.spawn().with_context(|| format!("starting {}", target.name()))?;
        let pid = child.id();
        let mut own = Own { child, data };
        let patience = Instant::now() + Duration::from_secs(30);
        while !is_ready(target, address) {
            if own.child.try_wait()?.is_some() || Instant::now() > patience {
                bail!("{} did not start: {}", target.name(), own.said());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(Self { address, pid: Some(pid), own: Some(own) })
    }

    /// One that runs already.
    pub fn elsewhere(address: SocketAddr, pid: Option<u32>) -> Result<Self> {
        TcpStream::connect(address).with_context(|| format!("nothing listens on {address}"))?;
        Ok(Self { address, pid, own: None })
    }

    /// Processor time so far, in microseconds, where its process is known.
    pub fn cpu_micros(&self) -> Result<Option<f64>> {
        self.pid.map(proc::cpu_micros).transpose()
    }

    /// Resident memory, in KiB, where its process is known.
    pub fn resident_kib(&self) -> Result<Option<u64>> {
        self.pid.map(proc::resident_kib).transpose()
    }

    /// What it keeps; see [`Running::start_on`].
    pub fn data(&self) -> Result<Arc<tempfile::TempDir>> {
        Ok(self.own.as_ref().context("it was not started here")?.data.clone())
    }

    /// What it wrote to its standard error.
    pub fn said(&self) -> String {
        self.own.as_ref().map(Own::said).unwrap_or_default()
    }

    /// Stops it, if it was started here.
    pub fn ask_to_end(&mut self) -> Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        Command::new("kill").args(["-TERM", &own.child.id().to_string()]).status()?;
        let patience = Instant::now() + Duration::from_secs(20);
        while own.child.try_wait()?.is_none() {
            if Instant::now() > patience {
                own.child.kill()?;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Own {
    fn said(&self) -> String {
        fs::read_to_string(self.data.path().join("err.log")).unwrap_or_default()
    }
}

/// Whether it serves. Ours listens before its store is open, and says when that is; the others are ready when they listen.
fn is_ready(target: Target, address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    if target != Target::Tablehop {
        return true;
    }
    let mut answer = String::new();
    let asked = write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200 ")
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(data: &tempfile::TempDir, name: &str) -> Result<File> {
    Ok(File::create(data.path().join(format!("{name}.log")))?)
}

fn command(target: Target, launch: &Launch, data: &Path, address: SocketAddr) -> Result<Command> {
    let (program, arguments): (PathBuf, Vec<String>) = match target {
        Target::Tablehop => {
            let listen = ["serve", "--listen", &address.to_string(), "--qr", "never", "--data"].map(str::to_owned);
            let kept = data.join("data").display().to_string();
            (program("TABLEHOP_BIN", "tablehop")?, listen.into_iter().chain([kept]).collect())
        }
        Target::Relay => {
            let arguments = ["--listen", &address.to_string(), "--lose", &launch.lose.to_string()].map(str::to_owned);
            (program("TABLEHOP_RELAY", "tablehop-relay")?, arguments.into())
        }
        Target::Hocuspocus => {
            let script = launch.peers.join("hocuspocus.mjs").display().to_string();
            ("node".into(), vec![script, address.port().to_string(), data.join("db.sqlite").display().to_string()])
        }
        Target::YWebsocket => {
            let script = launch.peers.join("node_modules/@y/websocket-server/src/server.js");
            ("node".into(), vec![script.display().to_string()])
        }
        Target::YSweet => {
            let port = address.port().to_string();
            let kept = data.join("data").display().to_string();
            (launch.y_sweet.clone(), ["serve", "--port", &port, "--host", "127.0.0.1", &kept].map(str::to_owned).into())
        }
    };
    let mut command = match launch.core {
        Some(core) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", &core.to_string()]).arg(program);
            pinned
        }
        None => Command::new(program),
    };
    command.args(arguments).env("HOST", "127.0.0.1").env("PORT", address.port().to_string());
    // A whole café comes from one address here.
    for limit in ["TABLEHOP_JOIN_LIMIT", "TABLEHOP_CREATE_LIMIT"] {
        command.env(limit, "1000000");
    }
    command.env("TABLEHOP_TRUSTED_PROXY", "true");
    command.env("TABLEHOP_LOG", std::env::var("TABLEHOP_LOG").unwrap_or_else(|_| "warn".into()));
    Ok(command)
}

fn program(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let path = beside_us()?.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        bail!("{} is missing: build it first, or run `cargo xtask bench`", path.display());
    }
    Ok(path)
}

/// The folder of this program.
fn beside_us() -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    Ok(folder)
}
