//! `cargo xtask soak`: what takes too long for `cargo xtask test`.
//!
//! A step that fails does not stop the others. What each of them says in its last line is printed again at the end.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::profile::Profile;
use crate::step::Steps;
use crate::tally::Tally;
use crate::{cargo, process};

#[derive(clap::Args)]
pub struct Args {
    /// Seeds of the simulation; each must hold every guarantee of docs/sync.md
    #[arg(long, default_value_t = 5_000)]
    seeds: u64,
    /// Seeds within which each planted bug must be caught
    #[arg(long, default_value_t = 300)]
    bug_seeds: u64,
    /// How often the server is killed while actions run
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Seconds for which files that mean it ill are thrown at the PNML reader
    #[arg(long, default_value_t = 600)]
    fuzz_seconds: u64,
}

/// The outcome of each step, for the end.
struct Soak {
    steps: Steps,
    lines: Vec<(&'static str, String)>,
    tally: Tally,
}

impl Soak {
    /// Runs a step whose outcome is a line with its figures.
    fn step(&mut self, title: &'static str, work: impl FnOnce() -> Result<String>) {
        match self.steps.step(title, work) {
            Ok(figures) => {
                self.lines.push((title, figures));
                self.tally.add(Tally { passed: 1, ..Tally::default() });
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                self.lines.push((title, format!("FAILED: {error:#}")));
                self.tally.add(Tally::ONE_FAILED);
            }
        }
    }

    fn conclude(self) -> ExitCode {
        let width = self.lines.iter().map(|(title, _)| title.len()).max().unwrap_or(0);
        println!();
        for (title, line) in &self.lines {
            println!("{title:<width$}  {line}");
        }
        self.tally.conclude()
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let mut steps = Steps::new(7);
    let simulation = steps.step("Building the simulation", || cargo::build_example("sim", Profile::Quick))?;
    let mut soak = Soak { steps, lines: Vec::new(), tally: Tally::default() };
    soak.step("Simulation", || {
        last_line(Command::new(&simulation).args(["--seeds", &args.seeds.to_string()]), |line| {
            line.contains(" seeds, ")
        })
    });
    soak.step("Planted bugs", || {
        let seeds = args.bug_seeds.to_string();
        last_line(Command::new(&simulation).args(["--every-break", "--seeds", &seeds]), |line| {
            line.contains(" planted bugs caught")
        })
    });
    soak.step("Kill -9 under load", || {
        // Not with nextest: it ends a test that takes minutes.
        let mut tests = cargo::cargo();
        tests.args(["test", "--package", "muster", "--profile", Profile::Quick.native(), "--test", "faults"]);
        tests.args(["kill_9_under_load", "--", "--nocapture"]).env("MUSTER_ROUNDS", args.rounds.to_string());
        last_line(&mut tests, |line| line.contains(" rounds of kill -9"))
    });
    soak.step("Verdicts on large nets", || {
        let mut tests = cargo::cargo();
        // Optimised: what is decided within a minute is the claim.
        tests.args([
            "test",
            "--package",
            "muster",
            "--release",
            "--lib",
            "contest_nets",
            "--",
            "--include-ignored",
        ]);
        tests.args(["--nocapture", "--test-threads", "1"]);
        last_line(&mut tests, |line| {
            line.contains(" known verdicts decided") || line.contains("skipped: no nets")
        })
    });
    soak.step("One million events", || {
        let mut tests = cargo::cargo();
        tests.args(["test", "--package", "muster", "--release", "--lib", "one_million_events"]);
        tests.args(["--", "--include-ignored", "--nocapture"]);
        last_line(&mut tests, |line| line.contains("one million events: the slowest"))
    });
    soak.step("Fuzzing of the PNML reader", || {
        let mut tests = cargo::cargo();
        tests.args(["test", "--package", "muster", "--release", "--test", "fuzz", "--", "--nocapture"]);
        tests.env("MUSTER_FUZZ_SECONDS", args.fuzz_seconds.to_string());
        last_line(&mut tests, |line| line.contains(" inputs in "))
    });
    debug_assert!(soak.steps.finished());
    Ok(soak.conclude())
}

/// Runs `command` and returns the last of its lines that `sums_up`. Without such a line it did not do what it was started for.
fn last_line(command: &mut Command, sums_up: impl Fn(&str) -> bool) -> Result<String> {
    let mut last = None;
    let status = process::watch(command, |line| {
        if sums_up(line) {
            last = Some(line.trim().to_owned());
        }
    })?;
    process::succeeded(command, status)?;
    match last {
        Some(line) => Ok(line),
        None => bail!("`{}` ended without its figures", process::name(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_with_figures_is_what_a_step_says() -> Result<()> {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo 1 seeds, a; echo 2 seeds, b; echo done"]);
        assert_eq!(last_line(&mut shell, |line| line.contains(" seeds, "))?, "2 seeds, b");
        Ok(())
    }

    #[test]
    fn a_step_that_did_nothing_or_failed_is_no_success() {
        assert!(last_line(Command::new("sh").args(["-c", "echo nothing"]), |line| line == "x").is_err());
        assert!(last_line(Command::new("sh").args(["-c", "echo x; exit 3"]), |line| line == "x").is_err());
    }
}
