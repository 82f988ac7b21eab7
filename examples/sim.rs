//! Runs the simulation; `cargo xtask sim` and `cargo xtask soak` call it.
//!
//! `sim [--seeds N] [--seed S] [--first S] [--break NAME] [--lines N]` runs seeds on every core and tells the story (its last N lines) of the first that fails;
//! `sim --every-break [--seeds N]` plants each bug in turn, and fails if one goes unnoticed. The last line sums up.

/// No release holds the simulation, nor the bugs it can plant.
#[cfg(not(debug_assertions))]
fn main() {
    eprintln!("error: the simulation needs a build with debug assertions");
}

#[cfg(debug_assertions)]
fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    simulation::main()
}

#[cfg(debug_assertions)]
mod simulation {
    use muster::sim::{Break, Failure, Figures, Plan, run, shrink, story};
    use std::{
        env,
        error::Error,
        ops::Range,
        process::ExitCode,
        sync::atomic::{AtomicBool, AtomicU64, Ordering},
        thread,
        time::Instant,
    };

    type Failed = (Plan, Box<Failure>);

    pub fn main() -> Result<ExitCode, Box<dyn Error>> {
        let (mut seeds, mut first, mut plant, mut every, mut lines) = (300, 0, None, false, 40);
        let mut args = env::args().skip(1);
        while let Some(name) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{name} wants a value"));
            match name.as_str() {
                "--seeds" => seeds = value()?.parse()?,
                "--seed" => (first, seeds) = (value()?.parse()?, 1),
                "--first" => first = value()?.parse()?,
                "--break" => plant = Some(value()?.parse::<Break>()?),
                "--lines" => lines = value()?.parse()?,
                "--every-break" => every = true,
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        let seeds = first..first + seeds;
        Ok(if every { plant_all(seeds) } else { hold(seeds, plant, lines) })
    }

    fn hold(seeds: Range<u64>, plant: Option<Break>, lines: usize) -> ExitCode {
        let began = Instant::now();
        match run_all(seeds.clone(), plant) {
            Ok(sum) => {
                let count = seeds.end - seeds.start;
                println!(
                    "{count} seeds, every guarantee held: {sum} ({:.1} s)",
                    began.elapsed().as_secs_f64()
                );
                ExitCode::SUCCESS
            }
            Err((plan, failure)) => {
                let (least, failure) = shrink(&plan, &failure);
                println!("{}", story(&least, &failure, lines));
                let planted = plant.map(|plant| format!(" --break {}", plant.name())).unwrap_or_default();
                println!("again with: cargo xtask sim --seed {}{planted}", plan.seed);
                ExitCode::FAILURE
            }
        }
    }

    fn plant_all(seeds: Range<u64>) -> ExitCode {
        let (mut latest, mut unnoticed) = (seeds.start, Vec::new());
        for plant in Break::ALL {
            match run_all(seeds.clone(), Some(*plant)) {
                Ok(_) => {
                    println!("{:<28} goes unnoticed", plant.name());
                    unnoticed.push(plant.name());
                }
                Err((plan, failure)) => {
                    latest = latest.max(plan.seed);
                    let guarantee = failure.violation.guarantee;
                    println!("{:<28} seed {:>3}: not {guarantee}", plant.name(), plan.seed);
                }
            }
        }
        let caught = Break::ALL.len() - unnoticed.len();
        println!("{caught} of {} planted bugs caught, the last by seed {latest}", Break::ALL.len());
        if unnoticed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Runs the seeds on every core; the lowest that failed before the others heard of it.
    fn run_all(seeds: Range<u64>, plant: Option<Break>) -> Result<Figures, Failed> {
        let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
        let one_core = || {
            let mut sum = Figures::default();
            while !stop.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    break;
                }
                let plan = Plan { plant, ..Plan::new(seed) };
                match run(&plan) {
                    Ok(figures) => sum += figures,
                    Err(failure) => {
                        stop.store(true, Ordering::Relaxed);
                        return Err((plan, failure));
                    }
                }
            }
            Ok(sum)
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let outcomes: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one_core)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a run that panics is a failure")).collect()
        });
        let mut sum = Figures::default();
        let mut failed: Option<Failed> = None;
        for outcome in outcomes {
            match outcome {
                Ok(figures) => sum += figures,
                Err(other) if failed.as_ref().is_none_or(|(plan, _)| other.0.seed < plan.seed) => {
                    failed = Some(other);
                }
                Err(_) => {}
            }
        }
        failed.map_or(Ok(sum), Err)
    }
}
