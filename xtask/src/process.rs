//! Where things are, and how other programs are started and ended.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a program may take to end by itself once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A path as it is best read: relative to the workspace where it lies inside.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// `cargo` in the workspace, without the variables that tell build scripts about *this* crate.
pub fn cargo<I, S>(arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program to its end, its output shown as it comes.
///
/// Fails when it cannot be started or does not succeed; `what` says what was being done.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{what}: cannot start {}", name_of(command)))?;
    if !status.success() {
        bail!("{what}: {} ended with {status}", name_of(command));
    }
    Ok(())
}

/// What a program said and whether it succeeded.
pub struct Heard {
    pub success: bool,
    /// Both streams, a line at a time in the order in which they came.
    pub text: String,
}

/// Runs a program to its end, its output shown as it comes and kept.
pub fn tee(command: &mut Command) -> Result<Heard> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", name_of(command)))?;
    let (lines, heard) = std::sync::mpsc::channel::<String>();
    let mut readers = Vec::new();
    let streams: [Option<Box<dyn io::Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as Box<dyn io::Read + Send>),
        child.stderr.take().map(|s| Box::new(s) as Box<dyn io::Read + Send>),
    ];
    for stream in streams.into_iter().flatten() {
        let lines = lines.clone();
        readers.push(thread::spawn(move || forward(stream, &lines)));
    }
    drop(lines);
    let mut text = String::new();
    let mut out = io::stdout().lock();
    for line in heard {
        out.write_all(line.as_bytes())?;
        text.push_str(&line);
    }
    out.flush()?;
    drop(out);
    for reader in readers {
        if reader.join().is_err() {
            bail!("{}: its output could not be read", name_of(command));
        }
    }
    let success = child.wait()?.success();
    Ok(Heard { success, text })
}

fn forward(stream: impl io::Read, lines: &std::sync::mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
        if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

/// The first of these programs that is on the path.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|candidate| candidate.is_file())
}

/// Becomes true once somebody presses Ctrl-C or asks this process to end.
pub fn interrupted() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || raised.store(true, Ordering::SeqCst)).context("cannot listen for Ctrl-C")?;
    Ok(flag)
}

/// A program that runs beside this one and ends with it.
pub struct Companion {
    name: String,
    child: Child,
}

impl Companion {
    /// Starts a program without waiting for it.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = name_of(command);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot watch {}", self.name))
    }

    /// Asks it to end, and ends it if it does not.
    pub fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The standard library can only kill; the server should commit and say goodbye first.
        let asked = cfg!(unix)
            && Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        let patience = Instant::now() + if asked { GRACE } else { Duration::ZERO };
        while Instant::now() < patience {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("{} could not be ended", self.name);
        }
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.end();
    }
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().map_or_else(|| program.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Every file under a folder, in a stable order; nothing if it does not exist.
///
/// Folders for which `enter` says no are left out.
pub fn files_under(dir: &Path, enter: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", shown(dir)))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if enter(&entry.file_name().to_string_lossy()) {
                found.extend(files_under(&path, enter)?);
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
