//! How fast nets are read, laid out, run and explored, and how fast that is beside others: `cargo xtask bench petri [folder of .pnml files]`.
//!
//! Without a folder, `MUSTER_NETS_DIR`, `../shared/nets` or, where there is neither, the nets we ship. Each figure is
//! the best of several rounds: the others measure what else the machine was doing.

mod compare;
mod flat;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::petri::analysis::{Budget, state_space};
use muster::petri::pnml::{self, Limits};
use muster::petri::samples::SAMPLES;
use muster::petri::{Engine, NetGraph};

const SEED: u64 = 1;
/// Long enough for the caches to settle, short enough for all nets in half a minute.
const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: u32 = 4;
const EXPLORE: Duration = Duration::from_secs(2);

fn main() {
    println!(
        "{:<28} {:>7} {:>7} {:>7} {:>10} {:>10} {:>9} {:>14} {:>12} {:>12} {:>8}",
        "net",
        "places",
        "trans.",
        "arcs",
        "parse ms",
        "draw ms",
        "JSON kB",
        "firings/s",
        "states/s",
        "edges/s",
        "B/state"
    );
    for (name, bytes) in nets() {
        let (net, parse) = best(|| pnml::read(&bytes, &Limits::default()));
        let net = match net {
            Ok(net) => Arc::new(net),
            Err(e) => {
                println!("{name:<28} refused: {e}");
                continue;
            }
        };
        let (graph, draw) = best(|| NetGraph::of(&net));
        let json = serde_json::to_vec(&graph).map(|json| json.len()).unwrap_or(0);
        let explored = exploration(&net);
        println!(
            "{name:<28} {:>7} {:>7} {:>7} {:>10.2} {:>10.2} {:>9} {:>14.0} {:>12.0} {:>12.0} {:>8.1}",
            net.places.len(),
            net.transitions.len(),
            net.arc_count(),
            parse.as_secs_f64() * 1e3,
            draw.as_secs_f64() * 1e3,
            json / 1000,
            firings_per_second(&net),
            explored.states_per_second,
            explored.edges_per_second,
            explored.bytes_per_state,
        );
    }
    if measuring() {
        compare::print();
    }
}

/// `cargo bench` adds `--bench`; `cargo test --all-targets` does not, and only wants to see it work.
fn measuring() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// The result of the last of a few runs, and the time of the shortest.
fn best<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut shortest = Duration::MAX;
    for _ in 1..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(run());
        shortest = shortest.min(start.elapsed());
    }
    (run(), shortest)
}

/// Starts over whenever the net is dead, so that nets that die young can be compared too.
fn firings_per_second(net: &Arc<muster::petri::PetriNet>) -> f64 {
    let mut engine = Engine::new(net.clone(), SEED);
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let (start, mut fired) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            fired += engine.run(50_000).fired;
            if engine.is_dead() {
                engine = Engine::new(net.clone(), engine.seed() + 1);
                if engine.is_dead() {
                    return 0.0;
                }
            }
        }
        best = best.max(fired as f64 / start.elapsed().as_secs_f64());
    }
    best
}

struct Exploration {
    states_per_second: f64,
    edges_per_second: f64,
    /// All that is held for a state: its marking, its parent, its share of the index. Of small nets mostly air.
    bytes_per_state: f64,
}

/// Explores as much as fits into the time and 500 MB. What is done sooner is done again until the time is over.
fn exploration(net: &muster::petri::PetriNet) -> Exploration {
    let start = Instant::now();
    let (mut states, mut edges, mut bytes) = (0, 0, 0.0);
    let elapsed = || start.elapsed();
    while start.elapsed() < EXPLORE {
        let seen = state_space(net, &Budget { time: EXPLORE, memory: 500_000_000, elapsed: &elapsed });
        states += seen.states;
        edges += seen.edges;
        if bytes == 0.0 {
            bytes = seen.bytes as f64 / seen.states.max(1) as f64;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    Exploration {
        states_per_second: states as f64 / seconds,
        edges_per_second: edges as f64 / seconds,
        bytes_per_state: bytes,
    }
}

fn nets() -> Vec<(String, Vec<u8>)> {
    let samples =
        || SAMPLES.iter().map(|sample| (sample.id.to_string(), sample.pnml.as_bytes().to_vec())).collect();
    if !measuring() {
        return samples();
    }
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let folder = given
        .or_else(|| std::env::var_os("MUSTER_NETS_DIR").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/nets")));
    let mut nets: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pnml"))
        .filter_map(|path| {
            Some((path.file_stem()?.to_string_lossy().into_owned(), std::fs::read(&path).ok()?))
        })
        .collect();
    nets.sort();
    if nets.is_empty() {
        eprintln!("no nets in {}; measuring the samples", folder.display());
        return samples();
    }
    nets
}
