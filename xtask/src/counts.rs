//! Reads how many tests passed and failed out of what the test runners say.

use serde_json::Value;

/// What came out of one step.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// The names of those that failed.
    pub failures: Vec<String>,
}

impl Counts {
    /// A step that is a single check.
    pub fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into(), failures: Vec::new() }
    }

    /// A step that failed as a whole.
    pub fn failure(reason: impl Into<String>) -> Self {
        Self { failed: 1, failures: vec![reason.into()], ..Self::default() }
    }

    /// A runner that ended badly without naming a failure did not get as far as the tests.
    pub fn or_failed_as_a_whole(mut self, success: bool, runner: &str) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
            self.failures.push(format!("{runner} did not get to the end; see above"));
        }
        self
    }
}

/// From `cargo nextest run`.
///
/// Reads `Summary [ 0.5s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
pub fn of_nextest(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let line = line.trim();
        if let Some((_, summary)) = line.strip_prefix("Summary").and_then(|rest| rest.split_once("run:")) {
            for part in summary.split(", ") {
                let mut words = part.split_whitespace();
                let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                match words.next() {
                    Some("passed") => counts.passed = number,
                    Some("failed" | "timed" | "exec") => counts.failed += number,
                    _ => {}
                }
            }
        } else if let Some(rest) = ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV [", "SIGKILL ["]
            .iter()
            .find_map(|prefix| line.strip_prefix(prefix))
            && let Some((_, name)) = rest.split_once(']')
        {
            let name = name.trim();
            // Said once when it happens and once at the end, with its number in between.
            let name = match name.split_once(") ") {
                Some((number, name)) if number.starts_with('(') => name,
                _ => name,
            };
            if !counts.failures.iter().any(|known| known == name) {
                counts.failures.push(name.to_owned());
            }
        }
    }
    counts
}

/// From `cargo test`: one summary for each binary, `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
pub fn of_cargo_test(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        if let Some(summary) = line.strip_prefix("test result: ") {
            for part in summary.split([';', '.']) {
                let mut words = part.split_whitespace();
                let number: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                match words.next() {
                    Some("passed") => counts.passed += number,
                    Some("failed") => counts.failed += number,
                    _ => {}
                }
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            counts.failures.push(name.to_owned());
        }
    }
    counts
}

/// From the TAP reporter of `node --test`: `# pass 3`, `# fail 1`, `not ok 2 - its name`, and under that `error: 'why'`. A suite fails with what
/// is in it, and is not named.
pub fn of_tap(text: &str) -> Counts {
    let mut counts = Counts::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let number = |prefix: &str| line.strip_prefix(prefix).and_then(|rest| rest.trim().parse::<u64>().ok());
        if let Some(passed) = number("# pass ") {
            counts.passed += passed;
        } else if let Some(failed) = number("# fail ").or_else(|| number("# cancelled ")) {
            counts.failed += failed;
        } else if let Some((_, name)) =
            line.trim_start().strip_prefix("not ok ").and_then(|rest| rest.split_once(" - "))
        {
            counts.failures.push(name.to_owned());
        } else if let Some(why) = line.trim_start().strip_prefix("error: ") {
            // On the next line where it takes several.
            let why = if why.starts_with('|') { lines.next().unwrap_or_default() } else { why };
            let why = why.trim().trim_matches('\'');
            if why.ends_with("subtest failed") || why.ends_with("subtests failed") {
                counts.failures.pop();
            } else if let Some(name) = counts.failures.last_mut() {
                *name = format!("{name}: {why}");
            }
        }
    }
    counts
}

/// From the JSON reporter of Playwright. A test that passes only when repeated counts as passed, and is named by the runner.
pub fn of_playwright(report: &Value) -> Counts {
    let stat = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
    let mut counts =
        Counts { passed: stat("expected") + stat("flaky"), failed: stat("unexpected"), failures: Vec::new() };
    for suite in report["suites"].as_array().into_iter().flatten() {
        collect_failures(suite, &mut counts.failures);
    }
    counts
}

fn collect_failures(suite: &Value, failures: &mut Vec<String>) {
    for spec in suite["specs"].as_array().into_iter().flatten() {
        if spec["ok"] == Value::Bool(false) {
            let why = spec["tests"].as_array().into_iter().flatten().flat_map(|test| test["results"].as_array());
            let why = why.flatten().find_map(|result| result["error"]["message"].as_str()).unwrap_or_default();
            failures.push(format!(
                "{} ({}:{}) {}",
                spec["title"].as_str().unwrap_or_default(),
                spec["file"].as_str().unwrap_or_default(),
                spec["line"],
                why.lines().next().unwrap_or_default(),
            ));
        }
    }
    for inner in suite["suites"].as_array().into_iter().flatten() {
        collect_failures(inner, failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_is_counted_and_names_each_failure_once() {
        let text = "\
        PASS [   0.004s] ( 1/12) shared seating::tests::keeps_hosts
        FAIL [   0.005s] ( 2/12) server store::tests::s1_append
     TIMEOUT [  60.005s] ( 3/12) server store::tests::s2_read
────────────
     Summary [   0.512s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 4 skipped
        FAIL [   0.005s] ( 2/12) server store::tests::s1_append
     TIMEOUT [  60.005s] ( 3/12) server store::tests::s2_read
error: test run failed
";
        let counts = of_nextest(text);
        assert_eq!((counts.passed, counts.failed), (9, 3));
        assert_eq!(counts.failures, ["server store::tests::s1_append", "server store::tests::s2_read"]);
    }

    #[test]
    fn cargo_test_is_counted_over_all_binaries() {
        let text = "\
test a::one ... ok
test a::two ... FAILED
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: ok. 7 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.25s
";
        let counts = of_cargo_test(text);
        assert_eq!((counts.passed, counts.failed), (8, 1));
        assert_eq!(counts.failures, ["a::two"]);
    }

    #[test]
    fn tap_is_counted() {
        let text = "\
ok 1 - joins
    not ok 1 - syncs
      ---
      error: 'waited in vain for: both'
      ...
    not ok 2 - reads
      ---
      error: |-
        it is not there
      code: 'ERR_ASSERTION'
not ok 2 - a client
  ---
  error: '2 subtests failed'
# tests 4
# pass 2
# fail 2
# cancelled 0
";
        let counts = of_tap(text);
        assert_eq!((counts.passed, counts.failed), (2, 2));
        assert_eq!(counts.failures, ["syncs: waited in vain for: both", "reads: it is not there"]);
    }

    #[test]
    fn playwright_is_counted_through_nested_suites() {
        let report = serde_json::json!({
            "stats": {"expected": 4, "unexpected": 1, "flaky": 1, "skipped": 2},
            "suites": [{"specs": [], "suites": [{"specs": [
                {"title": "joins", "ok": true, "file": "join.spec.ts", "line": 3},
                {"title": "writes", "ok": false, "file": "join.spec.ts", "line": 9, "tests": [
                    {"results": [{"error": {"message": "it did not\nat all"}}]}
                ]}
            ]}]}]
        });
        let counts = of_playwright(&report);
        assert_eq!((counts.passed, counts.failed), (5, 1));
        assert_eq!(counts.failures, ["writes (join.spec.ts:9) it did not"]);
    }

    #[test]
    fn a_runner_that_never_got_to_the_tests_counts_as_one_failure() {
        let counts = of_cargo_test("error: could not compile").or_failed_as_a_whole(false, "cargo");
        assert_eq!((counts.passed, counts.failed), (0, 1));
        assert_eq!(of_cargo_test("").or_failed_as_a_whole(true, "cargo"), Counts::default());
    }
}
