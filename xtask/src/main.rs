//! `cargo xtask`: one command for each thing a developer does with Muster.
//!
//! A file is a step (`wasm`, `assets`, `server`, `playwright`) or a subcommand (`run`, `build`, `test`, `e2e`, `sim`, `soak`, `demo`, `bench`) that strings steps
//! together. [`step`] prints them and counts them; [`prereq`] says in a sentence what a machine lacks.

mod assets;
mod bench;
mod binaryen;
mod build;
mod cargo;
mod css;
mod demo;
mod e2e;
mod openapi;
mod playwright;
mod prereq;
mod process;
mod profile;
mod project;
mod python;
mod run;
mod sim;
mod soak;
mod step;
mod tally;
mod test;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, runs and tests Muster.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the frontend and the server, start `muster serve` and print its address
    Run(run::Args),
    /// Format, lints, unit and integration tests, doc tests, then the browser tests
    Test(test::Args),
    /// Build the program; with --release, one file with the frontend inside
    Build(build::Args),
    /// Only the browser tests, against the real program
    E2e(e2e::Args),
    /// Simulate the whole system under faults, many seeds or one
    Sim(sim::Args),
    /// The whole interface on a fleet simulated in the browser, without a server
    Demo(demo::Args),
    /// The long tests: simulation by the thousand, every planted bug, kill -9 again and again,
    /// large nets, fuzzing
    Soak(soak::Args),
    /// Measure: prints the figures of one benchmark
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Build(args) => build::run(&args),
        Command::E2e(args) => e2e::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}
