//! `cargo xtask test`: everything that must hold before a change is taken.
//!
//! All of it is built with one profile, `e2e`, so that procedural macros and build scripts are compiled once and the tests and the program
//! under test share their dependencies. Packages are built one by one, never as `--workspace`: together they would ask for other features of
//! their dependencies, and most of those would be compiled twice. A failing step does not stop the others: one run shows all there is to mend.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::profile::Profile;
use crate::step::Steps;
use crate::tally::Tally;
use crate::{assets, cargo, demo, openapi, playwright, prereq, process, python, wasm};

#[derive(clap::Args)]
pub struct Args {
    /// Leave the browser tests out
    #[arg(long)]
    no_browser: bool,
}

/// A step of this command, its outcome counted; `None` when it failed.
struct Run {
    steps: Steps,
    tally: Tally,
}

impl Run {
    fn check<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        let result = self.steps.step(title, work);
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
            self.tally.add(Tally::ONE_FAILED);
        }
        result.ok()
    }

    fn tests(&mut self, title: &str, work: impl FnOnce() -> Result<Tally>) {
        if let Some(tally) = self.check(title, work) {
            self.tally.add(tally);
        }
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let steps = Steps::new(if args.no_browser { 9 } else { 17 });
    let mut run = Run { steps, tally: Tally::default() };
    run.check("Format", format);
    run.check("Lints: server", || clippy(&["--package", "muster", "--all-targets"]));
    run.check("Lints: these commands", || clippy(&["--package", "xtask", "--all-targets"]));
    run.check("Lints: frontend (hydrate)", || browser_clippy("hydrate"));
    run.check("Lints: demo without a server (csr)", demo_clippy);
    run.tests("Unit and integration tests", || unit_tests("muster"));
    run.tests("Nets against SNAKES and pm4py", nets_against_others);
    run.tests("Documentation tests", || libtest(&["--package", "muster", "--doc"]));
    run.tests("Tests of these commands", || unit_tests("xtask"));
    if !args.no_browser {
        browser_tests(&mut run);
    }
    debug_assert!(run.steps.finished());
    Ok(run.tally.conclude())
}

fn browser_tests(run: &mut Run) {
    let frontend = run.check("Building the frontend", || wasm::build(Profile::Quick));
    let site = match &frontend {
        Some(frontend) => {
            run.check("Collecting the static files", || assets::collect(frontend, Profile::Quick))
        }
        None => {
            run.steps.skip("Collecting the static files", "there is no frontend");
            None
        }
    };
    let program = run.check("Building the server", || cargo::build_program(Profile::Quick));
    const OPENAPI: &str = "The API against its own document";
    match &program {
        Some(program) => run.tests(OPENAPI, || openapi::run(program)),
        None => run.steps.skip(OPENAPI, "there is no server"),
    }
    let demo = run.check("Building the demo", || demo::build(Profile::Quick));
    let installed = run.check("Installing the browser tests' packages", playwright::install);
    const TYPES: &str = "Checking the browser tests' types";
    match installed {
        Some(()) => _ = run.check(TYPES, playwright::check_types),
        None => run.steps.skip(TYPES, "their packages are missing"),
    }
    match (site, program, installed) {
        (Some(_), Some(program), Some(())) => run.tests("Browser tests", || {
            playwright::run(&program, demo.as_deref(), playwright::Options::default(), &[])
        }),
        _ => run.steps.skip("Browser tests", "a step before them failed"),
    }
}

fn format() -> Result<()> {
    prereq::component("fmt", "rustfmt")?;
    process::run(cargo::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(what: &[&str]) -> Result<()> {
    prereq::component("clippy", "clippy")?;
    let mut command = cargo::cargo();
    command.args(["clippy", "--profile", Profile::Quick.native()]).args(what).args(["--", "-D", "warnings"]);
    process::run(&mut command)
}

/// The library as the browser gets it. What compiles natively need not compile there.
fn browser_clippy(feature: &str) -> Result<()> {
    prereq::wasm_target()?;
    clippy(&["--lib", "--target", prereq::WASM_TARGET, "--no-default-features", "--features", feature])
}

/// The demo's program, and with it the library with feature `csr`.
fn demo_clippy() -> Result<()> {
    prereq::wasm_target()?;
    let target = ["--bin", "muster-demo", "--target", prereq::WASM_TARGET];
    clippy(&[&target[..], &["--no-default-features", "--features", "csr"]].concat())
}

/// With `cargo nextest` where it is installed: each test in a process of its own, and all cores busy.
fn unit_tests(package: &str) -> Result<Tally> {
    if !prereq::has_nextest() {
        return libtest(&["--package", package, "--tests", "--no-fail-fast"]);
    }
    let mut command = cargo::cargo();
    command.args([
        "nextest",
        "run",
        "--package",
        package,
        "--no-fail-fast",
        "--cargo-profile",
        Profile::Quick.native(),
    ]);
    command.args(["--status-level", "slow", "--final-status-level", "fail"]);
    counted(&mut command, Tally::from_nextest)
}

/// Where Python or its packages cannot be had this is skipped, and says so.
fn nets_against_others() -> Result<Tally> {
    let python = match python::PETRI.python() {
        Ok(python) => python,
        Err(why) => {
            println!("      skipped: {why:#}");
            return Ok(Tally::default());
        }
    };
    let mut command = cargo::cargo();
    command.args(["test", "--package", "muster", "--profile", Profile::Quick.native(), "--test", "oracles"]);
    command.args(["--", "--ignored", "--nocapture"]).env("MUSTER_ORACLES_PYTHON", python);
    counted(&mut command, Tally::from_libtest)
}

fn libtest(what: &[&str]) -> Result<Tally> {
    let mut command = cargo::cargo();
    command.args(["test", "--profile", Profile::Quick.native()]).args(what);
    counted(&mut command, Tally::from_libtest)
}

/// Runs the tests and adds up the lines that `parse` knows. Ending badly without a failed test (it does not compile) is an error.
fn counted(command: &mut Command, parse: fn(&str) -> Option<Tally>) -> Result<Tally> {
    let mut tally = Tally::default();
    let status = process::watch(command, |line| {
        if let Some(counts) = parse(line) {
            tally.add(counts);
        }
    })?;
    if !status.success() && tally.failed == 0 {
        bail!("`{}` ended with {status}", process::name(command));
    }
    Ok(tally)
}
