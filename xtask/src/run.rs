//! `cargo xtask run`: everything built, then the server.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::profile::Profile;
use crate::step::Steps;
use crate::{assets, cargo, wasm};

#[derive(clap::Args)]
pub struct Args {
    /// Build what would be deployed: slower to build, faster to run
    #[arg(long)]
    release: bool,
    /// Handed to `muster serve`, for example `--listen 127.0.0.1:9000`; see `cargo xtask run -- --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    serve: Vec<OsString>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let profile = Profile::from_release_flag(args.release);
    let mut steps = Steps::new(4);
    let frontend = steps.step("Building the frontend", || wasm::build(profile))?;
    let summary = steps.step("Collecting the static files", || assets::collect(&frontend, profile))?;
    println!("      frontend: {}", summary.wasm);
    let program = steps.step("Building the server", || cargo::build_program(profile))?;
    steps.announce("Starting the server; Ctrl-C stops it");
    let mut server = Command::new(&program);
    server.arg("serve").args(&args.serve);
    become_program(server).with_context(|| format!("cannot start {}", program.display()))
}

/// The server takes this process's place: Ctrl-C and its exit code are then its own.
#[cfg(unix)]
fn become_program(mut server: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(server.exec().into())
}

#[cfg(not(unix))]
fn become_program(mut server: Command) -> Result<ExitCode> {
    let status = server.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
