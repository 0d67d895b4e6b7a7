//! What every part of the server works with, and how it stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::auth::Tokens;
use crate::board::Boards;
use crate::clock::Clock;
use crate::config::Config;
use crate::socket::allowance::Allowances;
use crate::store::Store;
use crate::workshop::Workshops;
use crate::workshop::floor::Floors;

/// How long connections may take to end when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How long the last commits may take: with the above, and requests under way, within the 20 seconds after which supervisors kill.
const LAST_COMMITS: Duration = Duration::from_secs(10);

/// The server's parts. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What was chosen at the start.
    pub config: Arc<Config>,
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Who may act.
    pub tokens: Arc<Tokens>,
    /// The live documents.
    pub boards: Arc<Boards>,
    /// The live cafés.
    pub workshops: Arc<Workshops>,
    /// How much each person may still write.
    pub allowances: Arc<Allowances>,
    stopping: Arc<watch::Sender<bool>>,
}

impl App {
    /// All parts over one store; nothing is loaded yet.
    pub fn new(config: Config, store: Arc<dyn Store>) -> Self {
        describe_figures();
        let floors = Arc::new(Floors::default());
        let tokens = Tokens::new(store.clone(), config.token_lifetime(), Clock::system());
        let boards = Arc::new(Boards::new(store.clone(), floors.clone(), config.boards_bytes()));
        Self {
            config: Arc::new(config),
            tokens: Arc::new(tokens),
            workshops: Arc::new(Workshops::new(store.clone(), boards.clone(), floors, Clock::system())),
            boards,
            store,
            allowances: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Tells clients to come back, finishes all commits and unloads everything. New connections are refused from now on.
    pub async fn shut_down(&self) {
        self.stopping.send_replace(true);
        if timeout(LAST_WORDS, self.stopping.closed()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        let unloaded = async {
            self.boards.close().await;
            self.workshops.close().await;
        };
        if timeout(LAST_COMMITS, unloaded).await.is_err() {
            tracing::error!(
                "the disk does not answer; what was acknowledged is on it, and what was not will be sent again"
            );
        }
    }

    /// Whether [`App::shut_down`] was called.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Becomes `true` when the server stops. It waits until those who hold this have ended.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// What the figures of the live parts mean; they are counted where it happens.
fn describe_figures() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("tablehop_connections", "Open WebSockets");
    describe_gauge!("tablehop_boards_awake", "Boards in memory");
    describe_gauge!("tablehop_boards_memory_bytes", Unit::Bytes, "Memory that boards hold, at most");
    describe_gauge!("tablehop_workshops_awake", "Cafés in memory");
    describe_counter!("tablehop_boards_quarantined_total", "Boards found damaged when they were opened");
    describe_counter!(
        "tablehop_store_damaged_snapshots_total",
        "Snapshots whose checksum did not hold, and that were passed over"
    );
    describe_counter!(
        "tablehop_store_damaged_logs_total",
        "Starts that found the write-ahead log of the process before them damaged"
    );
    describe_counter!("tablehop_edits_total", "Edits stored");
    describe_counter!("tablehop_acks_total", "Edits acknowledged, those sent again included");
    describe_counter!("tablehop_fan_out_total", "Frames put into the queues of a board's members");
    describe_counter!("tablehop_resyncs_total", "Queues dropped because their reader was too slow");
    describe_counter!("tablehop_refusals_total", "Edits, addresses and connections refused, by reason");
    describe_histogram!("tablehop_room_commit_seconds", Unit::Seconds, "Time a board waits for the commit of a batch");
    // What has not happened yet is 0, not missing: a rate can be watched from the first scrape on.
    for name in [
        "tablehop_edits_total",
        "tablehop_acks_total",
        "tablehop_fan_out_total",
        "tablehop_resyncs_total",
        "tablehop_store_commits_total",
        "tablehop_store_commit_failures_total",
        "tablehop_store_damaged_snapshots_total",
        "tablehop_store_damaged_logs_total",
        "tablehop_boards_quarantined_total",
        "tablehop_commands_repeated_total",
        "tablehop_wrong_codes_total",
        "tablehop_workshops_created_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    for name in
        ["tablehop_connections", "tablehop_boards_awake", "tablehop_boards_memory_bytes", "tablehop_workshops_awake"]
    {
        metrics::gauge!(name).increment(0.0);
    }
}
