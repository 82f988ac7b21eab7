//! The engine and the explorer beside loops written for one net, and beside SNAKES.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::petri::analysis::{Budget, state_space};
use muster::petri::generate::Family;
use muster::petri::{Engine, PetriNet, pnml};

use crate::flat::{Kanban, Seen, explore_kanban, explore_philosophers, explore_philosophers_as_a_word};

const SEED: u64 = 1;
const ROUNDS: u32 = 12;
const FIRINGS: u64 = 2_000_000;
/// What SNAKES gets for each figure.
const SNAKES_SECONDS: &str = "3";
/// A net small enough for SNAKES, which does some hundred markings a second.
const SMALL: u32 = 3;

pub fn print() {
    println!(
        "\nBeside a loop over flat arrays written for the one net (times slower; the aim is at most 1.5):"
    );
    println!(
        "{:<18} {:<8} {:>14} {:>14} {:>8} {:>8}",
        "net", "", "Muster /s", "the loop /s", "slower", "B/state"
    );
    for stations in [3, 20, 200] {
        firings(stations);
    }
    states(Family::Kanban.net(6), explore_kanban::<6, 18>);
    states(Family::Philosophers.net(14), explore_philosophers::<14, 56>);
    println!("and where the whole marking of the loop is one word in a register:");
    states(Family::Philosophers.net(14), explore_philosophers_as_a_word::<14>);
    snakes();
}

fn row(net: &str, what: &str, ours: f64, theirs: f64, bytes: Option<f64>) {
    let bytes = bytes.map_or(String::new(), |bytes| format!("{bytes:.1}"));
    println!("{net:<18} {what:<8} {ours:>14.0} {theirs:>14.0} {:>8.2} {bytes:>8}", theirs / ours);
}

/// The best rates per second of two pieces of work, by turns so that what else the machine does troubles both.
fn rates(work: u64, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        best.0 = best.0.min(timed(&mut ours));
        best.1 = best.1.min(timed(&mut theirs));
    }
    (work as f64 / best.0.as_secs_f64(), work as f64 / best.1.as_secs_f64())
}

fn timed(run: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn firings(stations: u32) {
    let net = Family::Kanban.net(stations);
    let id = net.id.clone();
    let mut engine = Engine::new(Arc::new(net), SEED);
    let mut flat = Kanban::new(stations as usize, SEED);
    let (ours, theirs) = rates(
        FIRINGS,
        || assert_eq!(engine.run(FIRINGS).fired, FIRINGS),
        || _ = std::hint::black_box(flat.run(FIRINGS)),
    );
    row(&id, "firings", ours, theirs, None);
}

fn states(net: PetriNet, flat: fn() -> Seen) {
    let Seen { states, edges } = flat();
    let mut bytes = 0.0;
    let ours = || {
        let seen = state_space(&net, &Budget::of_memory(1 << 30));
        assert_eq!((seen.complete, seen.states, seen.edges), (true, states, edges), "{}", net.id);
        bytes = seen.bytes as f64 / states as f64;
    };
    let (ours, theirs) =
        rates(states, ours, || assert_eq!(std::hint::black_box(flat()), Seen { states, edges }));
    row(&net.id, "states", ours, theirs, Some(bytes));
}

/// `MUSTER_SNAKES_PYTHON` is the Python that has SNAKES; `cargo xtask bench petri` sets it.
fn snakes() {
    println!("\nBeside SNAKES (times faster):");
    let Some(python) = std::env::var_os("MUSTER_SNAKES_PYTHON") else {
        println!("skipped: no Python with SNAKES (cargo xtask bench petri provides one where Python 3 is)");
        return;
    };
    let net = Family::Kanban.net(SMALL);
    let file = std::env::temp_dir().join(format!("muster-bench-{}.pnml", std::process::id()));
    let written = std::fs::write(&file, pnml::write(&net));
    let out = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/petri/snakes_rates.py"))
        .arg(&file)
        .arg(SNAKES_SECONDS)
        .stdin(Stdio::null())
        .output();
    let _ = std::fs::remove_file(&file);
    let rates = written.and(out).ok().filter(|out| out.status.success()).and_then(|out| {
        let text = String::from_utf8(out.stdout).ok()?;
        let mut rates = text.split_whitespace().map(str::parse::<f64>);
        Some((rates.next()?.ok()?, rates.next()?.ok()?))
    });
    let Some((firings, states)) = rates else {
        println!("failed: SNAKES gave no figures");
        return;
    };
    println!("{:<18} {:<8} {:>14} {:>14} {:>8}", "net", "", "Muster /s", "SNAKES /s", "faster");
    let mut engine = Engine::new(Arc::new(net.clone()), SEED);
    let (mut fastest, mut whole) = (0f64, 0f64);
    for _ in 0..ROUNDS {
        let run = timed(&mut || _ = engine.run(FIRINGS));
        fastest = fastest.max(FIRINGS as f64 / run.as_secs_f64());
        let start = Instant::now();
        let seen = state_space(&net, &Budget::of_memory(1 << 28));
        whole = whole.max(seen.states as f64 / start.elapsed().as_secs_f64());
    }
    for (what, ours, theirs) in [("firings", fastest, firings), ("states", whole, states)] {
        println!("{:<18} {what:<8} {ours:>14.0} {theirs:>14.0} {:>8.0}", net.id, ours / theirs);
    }
}
