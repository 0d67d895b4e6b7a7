//! Logs and counters: where they go. What is logged and counted stands where it happens.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper ends of the buckets of everything measured in seconds: from a commit to a request that is given up.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 20.0];

/// How often measurements are folded into their buckets; until then they wait in memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Logs to standard error, as the configuration says. Whoever has set up logging before is left alone.
///
/// # Errors
/// If `--log` cannot be read; says why.
pub fn log(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("--log {}: {error}", config.log))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error here means that a subscriber is already there, as in tests.
    let _ = match config.log_format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

/// Starts counting. One recorder serves the whole process, however many servers run in it.
pub fn count() {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::debug!("somebody else records the metrics");
        }
        metrics::describe_histogram!(
            "tablehop_http_request_seconds",
            metrics::Unit::Seconds,
            "Time from a request's head to its answer's head"
        );
        metrics::describe_counter!("tablehop_wrong_codes_total", "Join codes tried that lead nowhere");
        metrics::describe_counter!("tablehop_workshops_created_total", "Cafés created");
        handle
    });
}

/// Keeps measurements small for as long as the runtime lives.
pub async fn keep_counting() {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        if let Some(handle) = METRICS.get() {
            handle.run_upkeep();
        }
    }
}

/// All counters in Prometheus' text format; empty before [`count`].
pub fn render_metrics() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}
