//! `cargo xtask sim`: the whole system under a seed, by the thousand if wanted.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::profile::Profile;
use crate::step::Steps;
use crate::{cargo, process};

#[derive(clap::Args)]
pub struct Args {
    /// How many seeds to run
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// Only this one; a seed that fails tells its story
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// How much of the story of a seed that fails is told
    #[arg(long, default_value_t = 40)]
    lines: usize,
    /// Plant a bug, to see it caught; a wrong name lists them all
    #[arg(long = "break", value_name = "NAME")]
    plant: Option<String>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let mut steps = Steps::new(2);
    let program = steps.step("Building the simulation", || cargo::build_example("sim", Profile::Quick))?;
    let mut simulation = Command::new(program);
    match args.seed {
        Some(seed) => simulation.arg("--seed").arg(seed.to_string()),
        None => simulation.arg("--seeds").arg(args.seeds.to_string()),
    };
    simulation.args(["--lines", &args.lines.to_string()]);
    if let Some(plant) = &args.plant {
        simulation.args(["--break", plant]);
    }
    steps.step("Simulating", || process::run(&mut simulation))?;
    Ok(ExitCode::SUCCESS)
}
