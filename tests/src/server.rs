//! A server process of its own: on a free port and a data directory that cleans up after itself. It can be killed and restarted.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::api::Api;

/// A running server.
pub struct Server {
    child: Child,
    data: PathBuf,
    _directory: Option<tempfile::TempDir>,
    port: u16,
    /// Its HTTP interface.
    pub api: Api,
}

impl Server {
    /// Starts one on a free port with an empty data directory.
    ///
    /// # Errors
    /// The binary is missing (`cargo build -p tablehop-server` makes it) or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts one with further options, given as names and values of environment variables.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(options: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().to_owned();
        Self::spawn(data, 0, Some(directory), options).await
    }

    /// Starts one on a data directory that exists and is kept.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_in(data: &Path) -> Result<Self> {
        Self::spawn(data.to_owned(), 0, None, &[]).await
    }

    async fn spawn(
        data: PathBuf,
        port: u16,
        directory: Option<tempfile::TempDir>,
        options: &[(&str, &str)],
    ) -> Result<Self> {
        let mut child = Command::new(binary()?)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(&data)
            // A whole test room joins from one address within seconds.
            .env("TABLEHOP_JOIN_LIMIT", "100000")
            .env("TABLEHOP_LOG", std::env::var("TABLEHOP_LOG").unwrap_or_else(|_| "warn".into()))
            .envs(options.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the server")?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let base = tokio::time::timeout(Duration::from_secs(30), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.trim().strip_prefix("Listening on ") {
                    return Ok(rest.trim_end_matches('/').to_owned());
                }
            }
            bail!("the server ended before it listened: {:?}", child.try_wait()?)
        })
        .await
        .context("the server did not say where it listens")??;
        // Keep reading, so that a chatty server never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let port = base.rsplit(':').next().and_then(|p| p.parse().ok()).context("port")?;
        Ok(Self { child, data, _directory: directory, port, api: Api::new(&format!("http://127.0.0.1:{port}")) })
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Memory that the process holds, in KiB.
    ///
    /// # Errors
    /// It does not run, or the system does not say.
    pub fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid().context("not running")?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
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
        Ok(status.code())
    }

    /// Starts again on the same data and the same port, after [`Server::kill`] or [`Server::stop`].
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn restart(&mut self) -> Result<()> {
        let again = Self::spawn(self.data.clone(), self.port, self._directory.take(), &[]).await?;
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
