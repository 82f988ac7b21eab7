//! `cargo xtask e2e`: the browser tests alone.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::profile::Profile;
use crate::step::Steps;
use crate::{assets, cargo, demo, playwright, wasm};

#[derive(clap::Args)]
pub struct Args {
    /// Save pictures of the pages, light and dark, wide and narrow, in target/screenshots
    #[arg(long)]
    screenshots: bool,
    /// With the frontend that is deployed, and hold the times that pages take against their limits (tests/load.spec.ts)
    #[arg(long)]
    measure: bool,
    /// Handed to Playwright, for example `-- tests/smoke.spec.ts --headed`
    #[arg(last = true)]
    rest: Vec<OsString>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    // Whoever names tests waits for what they need, and only one file needs the demo.
    let with_demo = args.rest.is_empty() || args.rest.iter().any(|it| it.to_string_lossy().contains("demo"));
    let mut steps = Steps::new(if with_demo { 7 } else { 6 });
    steps.step("Installing the browser tests' packages", playwright::install)?;
    steps.step("Checking the browser tests' types", playwright::check_types)?;
    let profile = Profile::from_release_flag(args.measure);
    let frontend = steps.step("Building the frontend", || wasm::build(profile))?;
    steps.step("Collecting the static files", || assets::collect(&frontend, profile))?;
    let program = steps.step("Building the server", || cargo::build_program(Profile::Quick))?;
    let demo = match with_demo {
        true => Some(steps.step("Building the demo", || demo::build(Profile::Quick))?),
        false => None,
    };
    let options = playwright::Options { screenshots: args.screenshots, measure: args.measure };
    let tally =
        steps.step("Browser tests", || playwright::run(&program, demo.as_deref(), options, &args.rest))?;
    if args.screenshots {
        println!("pictures: target/screenshots");
    }
    Ok(tally.conclude())
}
