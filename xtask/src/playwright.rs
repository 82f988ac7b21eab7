//! The browser tests: their packages, their types, and running them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::profile::Profile;
use crate::tally::Tally;
use crate::{cargo, prereq, process, project};

/// Installs exactly what `package-lock.json` says, if it is not there already.
pub fn install() -> Result<()> {
    prereq::node()?;
    let folder = project::end2end();
    let lock =
        std::fs::read(folder.join("package-lock.json")).context("cannot read end2end/package-lock.json")?;
    let stamp = folder.join("node_modules/.installed-from");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).stdin(Stdio::null());
    // The browser is the system's.
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    process::run(&mut npm).context("cannot install the browser tests' packages")?;
    std::fs::write(stamp, lock).context("cannot note what was installed")
}

/// Checks the types of the tests: Playwright itself runs them without.
pub fn check_types() -> Result<()> {
    process::run(&mut local("tsc", &["--noEmit"]))
}

/// What the tests do besides testing.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Pictures of the pages are saved.
    pub screenshots: bool,
    /// Times are held against their limits.
    pub measure: bool,
}

/// Which tests run now: see `playwright.config.ts`.
#[derive(Clone, Copy)]
enum Pass {
    /// Those that two browsers may run at a time.
    Together,
    /// Those that hold times against limits: one by one.
    Alone,
    Named,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Alone => "alone",
            Self::Named => "named",
        }
    }
}

/// What the tests run with.
struct Setup<'a> {
    program: &'a Path,
    demo: Option<&'a Path>,
    options: Options,
    rest: &'a [OsString],
    chromium: PathBuf,
    journal_append: PathBuf,
    fleet_storm: PathBuf,
}

/// Runs the tests against `program` and, where it was built, the demo in the folder `demo`; `Err` only if they could not be run at all.
/// Without names in `rest` all of them, in two passes.
pub fn run(program: &Path, demo: Option<&Path>, options: Options, rest: &[OsString]) -> Result<Tally> {
    let chromium = prereq::chromium()?;
    let journal_append = cargo::build_example("journal_append", Profile::Quick)?;
    let fleet_storm = cargo::build_example("fleet_storm", Profile::Quick)?;
    let setup = Setup { program, demo, options, rest, chromium, journal_append, fleet_storm };
    if !rest.is_empty() || options.measure {
        return run_pass(Pass::Named, &setup);
    }
    let mut tally = run_pass(Pass::Together, &setup)?;
    tally.add(run_pass(Pass::Alone, &setup)?);
    Ok(tally)
}

fn run_pass(pass: Pass, setup: &Setup) -> Result<Tally> {
    let report = project::root().join("target/playwright.json");
    std::fs::remove_file(&report).ok();
    let mut command = local("playwright", &["test"]);
    command.args(setup.rest).stdin(Stdio::null());
    command
        .env("MUSTER_PASS", pass.name())
        .env("MUSTER_BIN", setup.program)
        .env("MUSTER_JOURNAL_APPEND", &setup.journal_append)
        .env("MUSTER_FLEET_STORM", &setup.fleet_storm)
        .env("MUSTER_CHROMIUM", &setup.chromium)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    for (name, package, variable) in
        [("nginx", "nginx-light", "MUSTER_NGINX"), ("haproxy", "haproxy", "MUSTER_HAPROXY")]
    {
        if let Some(path) = prereq::reverse_proxy(name, package) {
            command.env(variable, path);
        }
    }
    if let Some(demo) = setup.demo {
        command.env("MUSTER_DEMO", demo);
    }
    if setup.options.measure {
        command.env("MUSTER_MEASURE", "1");
    }
    if setup.options.screenshots {
        command.env("MUSTER_SCREENSHOTS", project::root().join("target/screenshots"));
    }
    let status = command.status().context("cannot start Playwright")?;
    let written = std::fs::read(&report)
        .with_context(|| format!("Playwright ended with {status} and left no report"))?;
    let mut tally = Tally::from_playwright(&written)?;
    if !status.success() && tally.failed == 0 {
        tally.add(Tally::ONE_FAILED);
    }
    Ok(tally)
}

/// A command of one of the installed packages.
fn local(name: &str, args: &[&str]) -> Command {
    let folder = project::end2end();
    let mut command = Command::new(folder.join("node_modules/.bin").join(name));
    command.args(args).current_dir(folder);
    command
}
