//! `cargo xtask bench <name>`: one benchmark of `benches/`, in release.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::step::Steps;
use crate::{cargo, process, python};

#[derive(clap::Args)]
pub struct Args {
    /// A file of `benches/`, without its ending
    #[arg(value_parser = ["petri"])]
    name: String,
    /// Handed to the benchmark
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    // Nets are pure: without the server there is little to compile, and nothing else that could be measured by mistake.
    let bench = ["bench", "--bench", &args.name, "--no-default-features"];
    let mut steps = Steps::new(3);
    let python = steps.step("Installing SNAKES, to measure beside", || python::PETRI.python());
    if let Err(why) = &python {
        println!("      SNAKES is left out: {why:#}");
    }
    steps.step("Building the benchmark", || process::run(cargo::cargo().args(bench).arg("--no-run")))?;
    steps.step("Measuring", || {
        let mut measure = cargo::cargo();
        measure
            .args(bench)
            .arg("--")
            .args(&args.rest)
            .envs(python.ok().map(|python| ("MUSTER_SNAKES_PYTHON", python)));
        process::run(&mut measure)
    })?;
    Ok(ExitCode::SUCCESS)
}
