//! `cargo xtask test`: every check, in the order in which they fail soonest, and one line with the sum.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::client::{self, Mode};
use crate::counts::{self, Counts};
use crate::process::{cargo, files_under, root, run as run_program, shown, target_dir, tee};
use crate::{install, server, tidy};

/// Everything that compiles for this machine; the client is for the browser.
const HOST: [&str; 3] = ["--workspace", "--exclude", "tablehop-client"];
const CLIENT: [&str; 4] = ["--package", "tablehop-client", "--target", "wasm32-unknown-unknown"];

#[derive(clap::Args)]
pub struct Options {
    /// Only these steps (may be repeated)
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Build the client quickly instead of as it is shipped
    #[arg(long)]
    dev: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting
    Fmt,
    /// Lints; warnings are errors
    Clippy,
    /// Documentation without warnings
    Docs,
    /// The checks of `cargo xtask tidy`
    Tidy,
    /// Unit and integration tests in Rust
    Unit,
    /// Clients of other makers against our server, in Node.js
    Interop,
    /// Playwright on the system's Chromium
    Browser,
}

/// Runs all steps, whatever happens in them; fails if one of them did.
pub fn run(options: &Options) -> Result<()> {
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let filter = options.filter.as_deref();
    let mut steps = Steps::default();
    let in_node = wants(Part::Interop) || wants(Part::Browser);
    let has_npm = in_node && root().join("tests/package.json").is_file();
    let has_client = steps.prepare("Install the target of the client", install::wasm_target);
    if in_node {
        steps.prepare("Install npm packages", install::npm_packages);
    }
    // The Rust tests set Chinese pages, the browser shows some.
    if wants(Part::Unit) || wants(Part::Browser) {
        steps.prepare("Install Chinese fonts", install::cjk_fonts);
    }

    if wants(Part::Fmt) {
        steps.check("Formatting", || {
            run_program(&mut cargo(["fmt", "--all", "--", "--check"]), "formatting (`cargo fmt` repairs it)")
        });
    }
    if wants(Part::Tidy) {
        steps.count("Tidy", || {
            let problems = tidy::print_problems()?;
            Ok(Counts {
                failures: problems.iter().map(ToString::to_string).collect(),
                ..Counts::one(problems.is_empty())
            })
        });
    }
    if wants(Part::Clippy) {
        steps.check("Clippy", || {
            let mut command = cargo(["clippy"]);
            command.args(HOST).arg("--all-targets");
            run_program(command.args(["--", "-D", "warnings"]), "clippy")
        });
        if has_client {
            steps.check("Clippy of the client", || {
                let mut command = cargo(["clippy"]);
                run_program(command.args(CLIENT).args(["--", "-D", "warnings"]), "clippy of the client")
            });
        }
    }
    if wants(Part::Docs) {
        steps.check("Documentation", || document(&HOST));
        if has_client {
            steps.check("Documentation of the client", || document(&CLIENT));
        }
    }

    if wants(Part::Unit) || in_node {
        if has_client {
            steps.check("Build the client", || client::build(Mode::from_flag(options.dev)));
        }
        steps.check("Build the server and the tests", || {
            let mut command = cargo(["build"]);
            run_program(command.args(HOST).arg("--all-targets"), "building")
        });
    }
    if wants(Part::Unit) {
        test_in_rust(&mut steps, filter)?;
    }
    if wants(Part::Interop) && has_npm {
        steps.count("Clients of other makers", || test_interop(filter));
    }
    if wants(Part::Browser) && has_npm {
        steps.count("Browser", || test_in_browser(filter));
    }
    steps.close()
}

fn document(packages: &[&str]) -> Result<()> {
    let mut command = cargo(["doc", "--no-deps"]);
    command.args(packages).env("RUSTDOCFLAGS", "-D warnings");
    run_program(&mut command, "documentation")
}

fn test_in_rust(steps: &mut Steps, filter: Option<&str>) -> Result<()> {
    let has_nextest = cargo(["nextest", "--version"]).output().is_ok_and(|answer| answer.status.success());
    if has_nextest {
        steps.count("Unit and integration tests", || {
            let mut command = cargo(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]);
            with_programs(command.args(HOST).args(filter));
            let heard = tee(&mut command)?;
            Ok(counts::of_nextest(&heard.text).or_failed_as_a_whole(heard.success, "cargo nextest"))
        });
        // nextest leaves out the examples in the documentation.
        steps.count("Examples in the documentation", || cargo_test(&[&HOST[..], &["--doc"]].concat(), filter));
    } else {
        steps.count("Unit and integration tests", || cargo_test(&HOST, filter));
    }
    if client_has_tests()? {
        // Its pure parts: they need no browser, so they run here.
        steps.count("Unit tests of the client", || cargo_test(&["--package", "tablehop-client"], filter));
    }
    Ok(())
}

fn cargo_test(arguments: &[&str], filter: Option<&str>) -> Result<Counts> {
    let mut command = cargo(["test", "--no-fail-fast"]);
    with_programs(command.args(arguments).args(filter));
    let heard = tee(&mut command)?;
    Ok(counts::of_cargo_test(&heard.text).or_failed_as_a_whole(heard.success, "cargo test"))
}

fn client_has_tests() -> Result<bool> {
    for file in files_under(&root().join("client/src"), &|_| true)? {
        if file.extension().is_some_and(|ending| ending == "rs") && fs::read_to_string(&file)?.contains("#[test]") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells tests where the programs are that they start.
fn with_programs(command: &mut Command) {
    command
        .env("TABLEHOP_BIN", server::program(Mode::Dev, "tablehop"))
        .env("TABLEHOP_GUESTS", server::program(Mode::Dev, "tablehop-guests"));
}

fn test_interop(filter: Option<&str>) -> Result<Counts> {
    let files: Vec<PathBuf> = files_under(&root().join("tests/interop"), &|name| name != "node_modules")?
        .into_iter()
        .filter(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            [".test.mjs", ".test.js"].iter().any(|ending| name.ends_with(ending))
        })
        .collect();
    if files.is_empty() {
        println!("tests/interop has no *.test.mjs");
        return Ok(Counts::default());
    }
    let report = fresh_report("interop.tap")?;
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]);
    command.args(["--test-reporter-destination=stdout", "--test-reporter=tap"]);
    command.arg(format!("--test-reporter-destination={}", report.display()));
    if let Some(filter) = filter {
        command.arg(format!("--test-name-pattern={filter}"));
    }
    with_programs(command.args(files).current_dir(root().join("tests")));
    let success = command.status().context("cannot start node")?.success();
    let text = fs::read_to_string(&report).unwrap_or_default();
    Ok(counts::of_tap(&text).or_failed_as_a_whole(success, "node --test"))
}

fn test_in_browser(filter: Option<&str>) -> Result<Counts> {
    let chromium = install::chromium()?;
    let tests = root().join("tests");
    let config = tests.join("browser/playwright.config.ts");
    if !config.is_file() {
        bail!("{} is missing", shown(&config));
    }
    let report = fresh_report("browser.json")?;
    let mut command = Command::new("npx");
    command
        .args(["--no-install", "playwright", "test"])
        .args(["--config", "browser/playwright.config.ts"])
        .arg("--reporter=list,json")
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("PLAYWRIGHT_JSON_OUTPUT_NAME", &report)
        .env("CHROMIUM", chromium)
        .current_dir(tests);
    if let Some(filter) = filter {
        command.args(["--grep", filter]);
    }
    with_programs(&mut command);
    let success = command.status().context("cannot start npx")?.success();
    let counts = match fs::read_to_string(&report) {
        Ok(text) => counts::of_playwright(&serde_json::from_str(&text).context("Playwright's report cannot be read")?),
        Err(_) => Counts::default(),
    };
    Ok(counts.or_failed_as_a_whole(success, "Playwright"))
}

/// Where a runner shall write its report; what an earlier run left there is gone.
fn fresh_report(name: &str) -> Result<PathBuf> {
    let dir = target_dir().join("test-reports");
    fs::create_dir_all(&dir)?;
    let file = dir.join(name);
    if file.exists() {
        fs::remove_file(&file)?;
    }
    Ok(file)
}

/// What was done, how long it took and what came of it.
#[derive(Default)]
struct Steps {
    done: Vec<(String, Duration, Counts)>,
}

impl Steps {
    /// Something that must be there; it counts only when it fails. Returns whether it is there.
    fn prepare(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let start = Instant::now();
        match work() {
            Ok(()) => true,
            Err(error) => {
                self.record(name, start, failed(name, &error));
                false
            }
        }
    }

    /// A single check: one passed or one failed.
    fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.count(name, || work().map(|()| Counts::one(true)));
    }

    /// A run of tests.
    fn count(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) {
        println!("\n── {name}");
        let start = Instant::now();
        let counts = work().unwrap_or_else(|error| failed(name, &error));
        self.record(name, start, counts);
    }

    fn record(&mut self, name: &str, start: Instant, counts: Counts) {
        self.done.push((name.to_owned(), start.elapsed(), counts));
    }

    /// The table and, as its last line, the sum.
    fn close(self) -> Result<()> {
        println!("\n{:<34} {:>8} {:>8} {:>9}", "", "passed", "failed", "time");
        let (mut passed, mut failed) = (0, 0);
        for (name, time, counts) in &self.done {
            println!("{name:<34} {:>8} {:>8} {:>7.1} s", counts.passed, counts.failed, time.as_secs_f64());
            passed += counts.passed;
            failed += counts.failed;
        }
        if failed > 0 {
            println!("\nFailed:");
            for (name, _, counts) in self.done.iter().filter(|step| step.2.failed > 0) {
                for failure in &counts.failures {
                    println!("  {name}: {failure}");
                }
            }
        }
        println!("\n{passed} passed, {failed} failed");
        if failed > 0 {
            std::process::exit(1);
        }
        Ok(())
    }
}

fn failed(name: &str, error: &anyhow::Error) -> Counts {
    eprintln!("{name}: {error:#}");
    Counts::failure(format!("{error:#}"))
}
