//! A server process of its own: on a free port and a data directory that cleans up after itself. It can be killed and restarted.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::api::Api;

/// A running server.
pub struct Server {
    child: Child,
    data: PathBuf,
    _directory: Option<tempfile::TempDir>,
    port: u16,
    env: Vec<(String, String)>,
    /// What it wrote to standard error.
    log: Arc<Mutex<String>>,
    /// Reads it until the process has ended.
    logging: Option<JoinHandle<()>>,
    /// Its HTTP interface.
    pub api: Api,
}

/// Open files that a server is started with.
pub const FILES: usize = 256;

impl Server {
    /// Starts one on a free port with an empty data directory.
    ///
    /// # Errors
    /// The binary is missing (`cargo build -p tablehop-server` makes it) or does not start.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().to_owned();
        Self::spawn(data, 0, Some(directory), Vec::new()).await
    }

    /// Starts one with further options, given as names and values of environment variables.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(options: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().to_owned();
        let env = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::spawn(data, 0, Some(directory), env).await
    }

    /// Starts one on a data directory that exists and is kept.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_in(data: &Path) -> Result<Self> {
        Self::start_in_with(data, Vec::new()).await
    }

    /// The same with further variables in its environment.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_in_with(data: &Path, env: Vec<(String, String)>) -> Result<Self> {
        Self::spawn(data.to_owned(), 0, None, env).await
    }

    async fn spawn(
        data: PathBuf,
        port: u16,
        directory: Option<tempfile::TempDir>,
        env: Vec<(String, String)>,
    ) -> Result<Self> {
        // As from a shell that gives few files; the server has to ask for more (O-5).
        let few_files = format!("ulimit -Sn {FILES}; exec \"$0\" \"$@\"");
        let mut child = Command::new("sh")
            .args(["-c", &few_files])
            .arg(binary()?)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(&data)
            // A whole test room joins from one address within seconds.
            .env("TABLEHOP_JOIN_LIMIT", "100000")
            .env("TABLEHOP_LOG", std::env::var("TABLEHOP_LOG").unwrap_or_else(|_| "warn".into()))
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the server")?;
        let stdout = child.stdout.take().context("stdout")?;
        let log = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(child.stderr.take().context("stderr")?).lines();
        let kept = log.clone();
        let mut logging = tokio::spawn(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                // Shown by the test runner if the test fails.
                eprintln!("{line}");
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut lines = BufReader::new(stdout).lines();
        let base = tokio::time::timeout(Duration::from_secs(30), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.trim().strip_prefix("Listening on ") {
                    return Ok(rest.trim_end_matches('/').to_owned());
                }
            }
            // All that it had to say.
            let _ = (&mut logging).await;
            let said = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
            bail!("the server ended before it listened: {:?}\n{said}", child.try_wait()?)
        })
        .await
        .context("the server did not say where it listens")??;
        // Keep reading, so that a chatty server never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let port = base.rsplit(':').next().and_then(|p| p.parse().ok()).context("port")?;
        Ok(Self {
            child,
            data,
            _directory: directory,
            port,
            env,
            log,
            logging: Some(logging),
            api: Api::new(&format!("http://127.0.0.1:{port}")),
        })
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What it has written to standard error.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for its end, as it comes by itself; returns the exit code, or none if a signal ended it.
    ///
    /// # Errors
    /// It does not end.
    pub async fn ended(&mut self) -> Result<Option<i32>> {
        let status =
            tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.context("still running")??;
        self.read_all().await;
        Ok(status.code())
    }

    /// Runs another of the binary's commands to its end: exit code, and what it printed to both outputs.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn command(args: &[&str]) -> Result<(Option<i32>, String)> {
        Self::command_with(args, Vec::new()).await
    }

    /// The same with further variables in its environment.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn command_with(args: &[&str], env: Vec<(String, String)>) -> Result<(Option<i32>, String)> {
        let done = Command::new(binary()?).args(args).envs(env).output().await?;
        let said = [done.stdout, done.stderr].concat();
        Ok((done.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// Memory that the process holds, in KiB. From now on [`Server::peak`] is the most that it has held since.
    ///
    /// # Errors
    /// It does not run, or the system does not say.
    pub fn memory(&self) -> Result<u64> {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid().context("not running")?), "5")?;
        self.status("VmRSS:")
    }

    /// The most that the process has held at any moment since the last [`Server::memory`], in KiB: what was freed again in between counts.
    ///
    /// # Errors
    /// It does not run, or the system does not say.
    pub fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, figure: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid().context("not running")?))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).context("no such figure")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// The process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The figures of `/metrics`: each line's name, with its labels, and its value.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn figures(&self) -> Result<std::collections::BTreeMap<String, f64>> {
        let text = self.api.http.get(self.api.url("/metrics")).send().await?.error_for_status()?.text().await?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').with_context(|| format!("no figure: {line}"))?;
                Ok((name.to_owned(), value.parse().with_context(|| format!("no figure: {line}"))?))
            })
            .collect()
    }

    /// The address of the WebSocket.
    pub fn collab(&self) -> String {
        format!("ws://127.0.0.1:{}/collab", self.port)
    }

    /// SIGKILL: no chance to write anything.
    ///
    /// # Errors
    /// The process could not be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("kill")
    }

    /// SIGTERM, as an operator stops it; returns the exit code.
    ///
    /// # Errors
    /// The process does not end.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        let pid = self.pid().context("not running")?;
        Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        let status =
            tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.context("still running")??;
        self.read_all().await;
        Ok(status.code())
    }

    /// The process has ended: what it said last is in the log, too.
    async fn read_all(&mut self) {
        if let Some(logging) = self.logging.take() {
            let _ = logging.await;
        }
    }

    /// Starts again on the same data and the same port, after [`Server::kill`] or [`Server::stop`].
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn restart(&mut self) -> Result<()> {
        let again = Self::spawn(self.data.clone(), self.port, self._directory.take(), self.env.clone()).await?;
        *self = again;
        Ok(())
    }
}

/// The server's binary: `TABLEHOP_BIN`, or beside the test's own.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TABLEHOP_BIN") {
        return Ok(path.into());
    }
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(format!("tablehop{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        bail!("{} is missing: run `cargo build -p tablehop-server` first", path.display());
    }
    Ok(path)
}
