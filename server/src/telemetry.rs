//! Logs and counters: where they go. What is logged and counted stands where it happens.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::board::replica::leaked_bytes;
use crate::config::{Config, LogFormat};
use crate::socket::outbox;

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
        LogFormat::Json => {
            let ids_in_message = IdsInMessage(Format::default().json());
            lines.json().event_format(ids_in_message).try_init()
        }
    };
    Ok(())
}

/// What a line is about, by the names of its fields. As text they stand behind the message anyway.
const IDS: [&str; 4] = ["workshop", "board", "principal", "connection"];

/// JSON lines whose message names what it is about, for whoever reads messages alone; the fields stay for whoever filters.
struct IdsInMessage(Format<Json>);

impl<S, N> FormatEvent<S, N> for IdsInMessage
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    Format<Json>: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        match with_ids(&line) {
            Some(line) => writeln!(to, "{line}"),
            None => to.write_str(&line),
        }
    }
}

/// A JSON line with its ids in the message and among its fields; `None` if it has none.
fn with_ids(line: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(line).ok()?;
    // What a request is about stands in its span.
    let span = line.get("span").cloned().unwrap_or_default();
    let fields = line.get_mut("fields")?.as_object_mut()?;
    for id in IDS {
        if let Some(value) = span.get(id) {
            fields.entry(id).or_insert_with(|| value.clone());
        }
    }
    // Addresses and streams are named by what they are of, as in `board/5f3k9q2m7x1c8v4b.t3`.
    for name in ["address", "stream"] {
        let Some((kind, id)) = fields.get(name).and_then(Value::as_str).and_then(|name| name.split_once('/')) else {
            continue;
        };
        if let (Some(kind), id) = (IDS.into_iter().find(|known| *known == kind), id.to_owned()) {
            fields.entry(kind).or_insert_with(|| id.into());
        }
    }
    let named = |(name, value): (&&str, &Value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    };
    let ids: Vec<String> = IDS.iter().filter_map(|id| Some(named((id, fields.get(*id)?)))).collect();
    let message = fields.get("message")?.as_str()?;
    if ids.is_empty() {
        return None;
    }
    let message = format!("{message} ({})", ids.join(", "));
    fields.insert("message".to_owned(), message.into());
    Some(line)
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
        metrics::describe_counter!(
            "tablehop_commands_repeated_total",
            "Commands sent again under their key, which acted once"
        );
        metrics::describe_gauge!(
            "tablehop_queue_bytes",
            metrics::Unit::Bytes,
            "Bytes that wait to be written to WebSockets"
        );
        metrics::describe_gauge!(
            "tablehop_boards_lost_bytes",
            metrics::Unit::Bytes,
            "Memory that documents take on which the CRDT library panicked; the next start gives it back"
        );
        handle
    });
}

/// What is counted with each edit: held on to, for a counter is otherwise looked up by its name each time.
pub struct PerEdit {
    /// Edits stored.
    pub edits: Counter,
    /// Edits acknowledged.
    pub acks: Counter,
    /// Frames with an edit or a presence, to somebody else.
    pub fan_out: Counter,
    /// From handing a batch to the store until it is on disk.
    pub commit_seconds: Histogram,
}

/// The counters of each edit.
pub fn per_edit() -> &'static PerEdit {
    static PER_EDIT: LazyLock<PerEdit> = LazyLock::new(|| {
        // Before that nothing is counted, and these would never be.
        count();
        PerEdit {
            edits: metrics::counter!("tablehop_edits_total"),
            acks: metrics::counter!("tablehop_acks_total"),
            fan_out: metrics::counter!("tablehop_fan_out_total"),
            commit_seconds: metrics::histogram!("tablehop_room_commit_seconds"),
        }
    });
    &PER_EDIT
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
    metrics::gauge!("tablehop_queue_bytes").set(outbox::waiting_bytes() as f64);
    metrics::gauge!("tablehop_boards_lost_bytes").set(leaked_bytes() as f64);
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o4_a_json_line_names_its_ids_in_the_message_and_as_fields() {
        let line = r#"{"level":"ERROR","fields":{"message":"edits were not stored","board":"abc.t1","connection":7,"error":"x"}}"#;
        let line = with_ids(line).expect("ids");
        assert_eq!(line["fields"]["message"], "edits were not stored (board abc.t1, connection 7)");
        assert_eq!((&line["fields"]["board"], &line["fields"]["connection"]), (&"abc.t1".into(), &7.into()));
        assert_eq!(with_ids(r#"{"fields":{"message":"serving"}}"#), None);
        let line = with_ids(r#"{"fields":{"message":"passed over a damaged snapshot","stream":"board/abc.t1"}}"#);
        let line = line.expect("a stream is one of a board or a café");
        assert_eq!(line["fields"]["message"], "passed over a damaged snapshot (board abc.t1)");
        assert_eq!(line["fields"]["board"], "abc.t1");
        let line = r#"{"fields":{"message":"the store failed a request"},"span":{"name":"request","workshop":"abc"}}"#;
        let line = with_ids(line).expect("a request is about a café");
        assert_eq!(line["fields"]["message"], "the store failed a request (workshop abc)");
        assert_eq!(line["fields"]["workshop"], "abc");
    }
}
