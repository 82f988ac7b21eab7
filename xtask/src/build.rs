//! `cargo xtask build --release`: the program as it is deployed, one file.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::profile::Profile;
use crate::step::Steps;
use crate::{assets, cargo, process, project, wasm};

#[derive(clap::Args)]
pub struct Args {
    /// Optimised, with the frontend embedded: one file to deploy. Without it the program reads the frontend from this checkout
    #[arg(long)]
    release: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let profile = Profile::from_release_flag(args.release);
    let mut steps = Steps::new(3);
    let frontend = steps.step("Building the frontend", || wasm::build(profile))?;
    let site_was_missing = !project::site().join("manifest.json").is_file();
    let summary = steps.step("Collecting the static files", || assets::collect(&frontend, profile))?;
    println!("      frontend: {}", summary.wasm);
    let program = steps.step("Building the program", || {
        if site_was_missing && profile == Profile::Release {
            // Cargo notices when an embedded file changes, but not when the first one appears.
            process::run(cargo::cargo().args([
                "clean",
                "--quiet",
                "--package",
                "muster",
                "--profile",
                "release",
            ]))?;
        }
        cargo::build_program(profile)
    })?;
    println!("{} ({})", program.display(), size(&program)?);
    Ok(ExitCode::SUCCESS)
}

fn size(file: &Path) -> Result<String> {
    let bytes = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(format!("{:.1} MB", bytes as f64 / 1e6))
}
