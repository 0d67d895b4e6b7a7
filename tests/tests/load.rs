//! The load generator itself: it does real work, and it notices when something is lost.
#![cfg(target_os = "linux")]

use std::process::{Command, Output};

use serde_json::Value;

fn load(arguments: &[&str]) -> (Output, Value) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tablehop-load")).args(arguments).output().expect("the load generator");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = text.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| {
        panic!("no report: {text}{}", String::from_utf8_lossy(&output.stderr));
    });
    let report = serde_json::from_str(report).expect("a report");
    (output, report)
}

const TEN_PEOPLE: [&str; 8] = ["--people", "10", "--tables", "2", "--rate", "4", "--seconds", "2"];

#[test]
fn ten_people_write_move_and_lose_nothing() {
    let (output, report) = load(&[&["run", "--target", "tablehop"], &TEN_PEOPLE[..]].concat());
    assert!(output.status.success(), "{report}");
    assert_eq!((&report["losses"], &report["resyncs"]), (&0.into(), &0.into()), "{report}");
    // Each of 80 edits at each of the five at its table.
    assert_eq!((&report["edits"], &report["deliveries"]), (&80.into(), &400.into()), "{report}");
    // Both tables' documents hold every edit once, and are what all ten have.
    assert_eq!((&report["documents"], &report["replicas"]), (&2.into(), &10.into()), "{report}");
    assert!(report["rotation"].as_f64().is_some_and(|seconds| seconds > 0.0), "{report}");
}

#[test]
fn a_store_of_sleeping_cafes_is_ready_at_once() {
    let (output, report) = load(&["asleep", "--cafes", "200"]);
    assert!(output.status.success(), "{report}");
    assert_eq!((&report["cafes"], &report["written_in"]), (&200.into(), &100.into()), "{report}");
    assert!(report["ready_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_runs_already_can_be_measured() {
    let server = harness::server::Server::start().await.expect("a server");
    let address = format!("127.0.0.1:{}", server.port());
    let arguments = ["run", "--target", "tablehop", "--at", &address];
    let (output, report) = load(&[&arguments, &TEN_PEOPLE[..]].concat());
    assert!(output.status.success(), "{report}");
    assert_eq!(report["deliveries"], 400, "{report}");
    assert!(report["cpu_per_delivery"].is_null(), "nobody said where its process is: {report}");
}

#[test]
fn what_a_server_loses_is_noticed() {
    let (output, report) = load(&[&["run", "--target", "relay", "--still", "--lose", "60"], &TEN_PEOPLE[..]].concat());
    assert!(!output.status.success(), "{report}");
    let lost = report["losses"].as_u64().unwrap_or_default();
    // One in sixty of what was sent while measuring and before.
    assert!((8..=20).contains(&lost), "{report}");
}
