//! Starting and stopping: from a configuration to a server that answers, and back to a store that is closed.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fast_qr::{ECL, QRBuilder, QRCode};
use shared::limits;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::app::App;
use crate::config::{Config, QrWhen};
use crate::store::sqlite::is_busy;
use crate::store::{Health, SqliteStore, Store, StoreError};
use crate::{http, listen, telemetry};

/// While the store is busy nobody notices this much: an edit waits ten times as long for its commit.
const NAP: Duration = Duration::from_micros(500);

/// Open files past which nobody needs more: a hundred thousand connections are more than one process serves.
const FILES: u64 = 1 << 17;
/// Open files below which a full café may find no place.
const FEW_FILES: u64 = 4_096;

/// How long requests under way may take to finish once the server is to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// How long closing the store may take after that: it waits for the disk.
const LAST_FOLD: Duration = Duration::from_secs(2);

/// Why the server did not start or run, in words for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An option has a value that cannot be used.
    #[error("{0}")]
    Option(String),
    /// The address is taken.
    #[error(
        "something already listens on {0}. Stop it, or choose another port with --listen {ip}:{next}",
        ip = .0.ip(), next = next_port(*.0)
    )]
    AddressTaken(SocketAddr),
    /// The address cannot be used.
    #[error("cannot listen on {address}: {source}. Choose another address with --listen, such as 0.0.0.0:8080")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("cannot keep anything in {}: {source}", dir.display())]
    Data {
        /// The directory asked for.
        dir: PathBuf,
        /// What the store says, and what to do.
        source: StoreError,
    },
    /// A sync failed: see [`Health::Broken`].
    #[error(
        "the disk under {dir} failed while syncing, so the server has stopped rather than guess what is on it. Nothing was acknowledged \
         that was not on disk before, and devices keep what they could not send. Look at the disk and the system's log, run \
         `tablehop verify --data {dir}`, then start again",
        dir = .0.display()
    )]
    SyncFailed(PathBuf),
    /// The disk did not answer while the server stopped.
    #[error(
        "the disk under {} does not answer, so the server has ended without it. Everything that was acknowledged is on it, and devices keep \
         what they could not send. Look at the disk and the system's log before you start again",
        .0.display()
    )]
    DiskHangs(PathBuf),
    /// The system failed us while serving.
    #[error("the server stopped: {0}")]
    Io(#[from] io::Error),
}

impl ServeError {
    /// The exit code: 74, as `sysexits.h` has it for a failing disk, and otherwise 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::SyncFailed(_) | Self::DiskHangs(_) => 74,
            _ => 1,
        }
    }
}

/// The runtime to run it on. While thousands write, a worker with nothing to do naps for a moment before it listens again: what comes
/// meanwhile is then taken up together, instead of one waking each (docs/decisions/0019).
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    let nap = || {
        if is_busy() {
            std::thread::sleep(NAP);
        }
    };
    Builder::new_multi_thread().enable_all().on_thread_park(nap).build()
}

/// `tablehop serve`: everything from logging to the last commit. Ends on SIGTERM, SIGINT or Ctrl-C.
///
/// # Errors
/// If it cannot start, or the system fails it.
pub async fn run(config: Config) -> Result<(), ServeError> {
    telemetry::log(&config).map_err(ServeError::Option)?;
    allow_connections();
    let listener = bind(config.listen).await?;
    serve_and(config, listener, signal(), |config| {
        // Whoever closed our standard output does not want to read it.
        let _ = announce(config, &mut io::stdout().lock(), io::stdout().is_terminal());
        if config.open
            && let Err(error) = open::that_detached(config.local_url())
        {
            tracing::warn!(%error, "could not open a browser; open the address yourself");
        }
    })
    .await
}

/// Serves on a listener until `shutdown` resolves: then takes nothing more, lets requests finish, tells clients to reconnect, commits and
/// closes the store. `config.listen` is set to where the listener really is.
///
/// # Errors
/// If the store cannot be opened, or the system fails it.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    serve_and(config, listener, shutdown, |_| {}).await
}

async fn serve_and(
    mut config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(&Config),
) -> Result<(), ServeError> {
    config.listen = listener.local_addr()?;
    telemetry::count();
    let (dir, store) = (config.data.clone(), config.data.clone());
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&store)).await.map_err(io::Error::other)?;
    let store = Arc::new(opened.map_err(|source| ServeError::Data { dir, source })?);
    let app = App::new(config.clone(), store.clone());

    let (stop, stopped) = watch::channel(false);
    let shutdown = tokio::spawn(async move {
        shutdown.await;
        stop.send_replace(true);
    });
    let upkeep = tokio::spawn(telemetry::keep_counting());
    let watching = {
        let store = store.clone();
        tokio::spawn(async move { store.keep_watch().await })
    };
    let patience = listen::Patience {
        head: Duration::from_secs(config.head_seconds.into()),
        write: Duration::from_secs(limits::WRITE_SECONDS),
        places: config.http_connection_limit(),
    };
    let serving = listen::serve(listener, patience, http::router(app.clone()), until(stopped.clone()));
    tracing::info!(address = %config.listen, data = %config.data.display(), "serving");
    ready(&config);

    let served = tokio::select! {
        () = serving => Ok(()),
        () = broken(store.health()) => Err(ServeError::SyncFailed(config.data.clone())),
        () = async { until(stopped).await; tokio::time::sleep(LAST_REQUESTS).await } => Ok(()),
    };
    tracing::info!("stopping");
    app.shut_down().await;
    let closed = tokio::time::timeout(LAST_FOLD, store.close()).await.is_ok();
    shutdown.abort();
    upkeep.abort();
    watching.abort();
    // A sync that failed in the very last moment counts as well.
    if *store.health().borrow() == Health::Broken {
        return Err(ServeError::SyncFailed(config.data));
    }
    if !closed {
        return Err(ServeError::DiskHangs(config.data));
    }
    tracing::info!("stopped; everything is saved");
    served
}

/// Lets the process have as many connections as the system allows. Each is an open file, of which a shell gives 1,024 by default, and the
/// thousandth guest would be turned away.
fn allow_connections() {
    match rlimit::increase_nofile_limit(FILES) {
        Ok(files) if files < FEW_FILES => tracing::warn!(
            files,
            "this process may have only so many files open, each connection being one. Raise the hard limit (`ulimit -Hn`, LimitNOFILE= of \
             systemd) for a larger café"
        ),
        Ok(files) => tracing::debug!(files, "open files allowed"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

async fn broken(mut health: watch::Receiver<Health>) {
    if health.wait_for(|health| *health == Health::Broken).await.is_err() {
        // There is no store any more: nothing can break.
        std::future::pending::<()>().await;
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can stop us any more, so we must stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddressTaken(address),
        _ => ServeError::Listen { address, source },
    })
}

fn next_port(address: SocketAddr) -> u16 {
    address.port().checked_add(1).unwrap_or(8080)
}

/// Resolves when the process is asked to stop.
async fn signal() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Tells where the server is: for people, and for programs that wait for the line `Listening on …`.
fn announce(config: &Config, out: &mut impl Write, is_terminal: bool) -> io::Result<()> {
    let (local, public) = (config.local_url(), config.public_url());
    writeln!(out, "Tablehop {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  on this machine  {local}")?;
    if public != local {
        writeln!(out, "  for your guests  {public}")?;
    }
    writeln!(out, "  data in          {}", config.data.display())?;
    let draws = match config.qr {
        QrWhen::Auto => is_terminal,
        QrWhen::Always => true,
        QrWhen::Never => false,
    };
    if draws && let Ok(code) = QRBuilder::new(public.as_str()).ecl(ECL::L).build() {
        writeln!(out, "\n{}", drawn(&code, is_terminal))?;
    }
    writeln!(out, "Listening on http://{}", config.listen)?;
    out.flush()
}

/// A QR code of half blocks, two modules a letter, with the quiet zone that cameras need. A terminal is told to show it black on white,
/// because nobody knows its colours; elsewhere the light modules are drawn, as for a dark background.
fn drawn(code: &QRCode, is_coloured: bool) -> String {
    const QUIET: usize = 4;
    let is_dark = |y: usize, x: usize| {
        let inside = (QUIET..QUIET + code.size).contains(&y) && (QUIET..QUIET + code.size).contains(&x);
        inside && code[y - QUIET][x - QUIET].value()
    };
    let across = code.size + 2 * QUIET;
    let mut out = String::new();
    for y in (0..across).step_by(2) {
        let half = |x| match (is_dark(y, x) == is_coloured, is_dark(y + 1, x) == is_coloured) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        let line: String = (0..across).map(half).collect();
        // Black 16 and white 231 are the same in every palette of 256 colours, unlike the first sixteen.
        let line = if is_coloured { format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m") } else { line };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(config: &Config, is_terminal: bool) -> String {
        let mut out = Vec::new();
        announce(config, &mut out, is_terminal).expect("a buffer");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_line_that_programs_wait_for_is_always_there() {
        let mut config = Config::new(([127, 0, 0, 1], 4321).into(), "d".into());
        let plain = announced(&config, false);
        assert!(plain.lines().any(|line| line == "Listening on http://127.0.0.1:4321"), "{plain}");
        assert!(!plain.contains('█'));
        assert!(announced(&config, true).contains('█'));
        config.qr = QrWhen::Never;
        assert!(!announced(&config, true).contains('█'));
    }

    #[tokio::test]
    async fn a_taken_port_says_what_to_do() {
        let holder = bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let taken = holder.local_addr().expect("an address");
        let message = bind(taken).await.expect_err("taken").to_string();
        assert!(message.contains("already listens") && message.contains("--listen 127.0.0.1:"), "{message}");
    }

    #[tokio::test]
    async fn a_data_directory_that_is_a_file_says_so() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let config = Config::new(([127, 0, 0, 1], 0).into(), file.path().to_owned());
        let listener = bind(config.listen).await.expect("a port");
        let error = serve(config, listener, async {}).await.expect_err("no directory").to_string();
        assert!(error.starts_with("cannot keep anything in"), "{error}");
    }
}
