//! How many tests passed and failed, out of what each runner prints.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// Of those that passed, how many only at the second try.
    pub retried: u64,
}

impl Tally {
    /// A step that is not a test, such as the format, and does not hold.
    pub const ONE_FAILED: Self = Self { passed: 0, failed: 1, retried: 0 };

    /// A test that is one whole.
    pub const ONE_PASSED: Self = Self { passed: 1, failed: 0, retried: 0 };

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.retried += other.retried;
    }

    /// Prints the result as the last line and turns it into the exit code.
    pub fn conclude(self) -> ExitCode {
        if self.retried > 0 {
            println!(
                "{} of them passed only at the second try, named above as flaky: mend them.",
                self.retried
            );
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// From a line of `cargo nextest`: `Summary [ 0.1s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped`; a timeout is a failure.
    pub fn from_nextest(line: &str) -> Option<Self> {
        let counts = line.trim_start().strip_prefix("Summary [")?.split_once("run: ")?.1;
        // What stands in parentheses is part of the number before it.
        let counts =
            counts.split('(').map(|part| part.rsplit(')').next().unwrap_or_default()).collect::<String>();
        let mut tally = Self::default();
        for count in counts.split(", ") {
            let mut words = count.split_whitespace();
            let number: u64 = words.next()?.parse().ok()?;
            match words.next()? {
                "passed" => tally.passed += number,
                "skipped" => {}
                _ => tally.failed += number,
            }
        }
        Some(tally)
    }

    /// From a line of `cargo test`: `test result: ok. 3 passed; 0 failed; …`.
    pub fn from_libtest(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let mut numbers =
            counts.split("; ").map(|count| count.split(' ').next().and_then(|it| it.parse().ok()));
        Some(Self { passed: numbers.next()??, failed: numbers.next()??, retried: 0 })
    }

    /// From the file Playwright's JSON reporter writes. An error outside a test (a file that does not load) is a failure.
    pub fn from_playwright(report: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Report {
            stats: Stats,
            #[serde(default)]
            errors: Vec<serde_json::Value>,
        }
        #[derive(Deserialize)]
        struct Stats {
            expected: u64,
            unexpected: u64,
            flaky: u64,
        }
        let report: Report =
            serde_json::from_slice(report).context("Playwright's report is not as expected")?;
        let Stats { expected, unexpected, flaky } = report.stats;
        let broken = u64::from(!report.errors.is_empty());
        Ok(Self { passed: expected + flaky, failed: unexpected + broken, retried: flaky })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_is_counted() {
        let line = "     Summary [   0.005s] 15 tests run: 12 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 3 skipped";
        assert_eq!(Tally::from_nextest(line), Some(Tally { passed: 12, failed: 3, retried: 0 }));
        let line = "     Summary [   0.005s] 3/15 tests run: 2 passed, 1 failed, 0 skipped";
        assert_eq!(Tally::from_nextest(line), Some(Tally { passed: 2, failed: 1, retried: 0 }));
        assert_eq!(Tally::from_nextest("        PASS [   0.003s] muster x"), None);
    }

    #[test]
    fn libtest_is_counted() {
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(Tally::from_libtest(line), Some(Tally { passed: 3, failed: 1, retried: 0 }));
        assert_eq!(Tally::from_libtest("test a ... ok"), None);
    }

    #[test]
    fn playwright_is_counted() -> Result<()> {
        let report =
            br#"{"stats":{"expected":4,"unexpected":1,"flaky":1,"skipped":2},"errors":[],"suites":[]}"#;
        assert_eq!(Tally::from_playwright(report)?, Tally { passed: 5, failed: 1, retried: 1 });
        let broken =
            br#"{"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0},"errors":[{"message":"x"}]}"#;
        assert_eq!(Tally::from_playwright(broken)?, Tally::ONE_FAILED);
        Ok(())
    }
}
