//! Runs the simulation: `sim [--seeds N] [--seed S] [--break NAME]`. `cargo xtask sim` calls it.

#[cfg(debug_assertions)]
use muster::sim::{Break, Figures, Plan, run, shrink, story};
#[cfg(debug_assertions)]
use std::{env, error::Error, process::ExitCode, time::Instant};

/// No release holds the simulation, nor the bugs it can plant.
#[cfg(not(debug_assertions))]
fn main() {
    eprintln!("error: the simulation needs a build with debug assertions");
}

#[cfg(debug_assertions)]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (mut seeds, mut first, mut plant) = (300, 0, None);
    let mut args = env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--seeds" => seeds = value.parse()?,
            "--seed" => (first, seeds) = (value.parse()?, 1),
            "--first" => first = value.parse()?,
            "--break" => plant = Some(value.parse::<Break>()?),
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    let began = Instant::now();
    let mut sum = Figures::default();
    for seed in first..first + seeds {
        let plan = Plan { plant, ..Plan::new(seed) };
        match run(&plan) {
            Ok(figures) => sum += figures,
            Err(failure) => {
                let (plan, failure) = shrink(&plan, &failure);
                println!("{}", story(&plan, &failure));
                println!("after {} seeds; again with: cargo xtask sim --seed {seed}", seed - first + 1);
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    println!("{seeds} seeds, every guarantee held: {sum} ({:.1} s)", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}
