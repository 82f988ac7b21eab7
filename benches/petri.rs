//! How fast nets are read, laid out and run: `cargo bench --bench petri -- [folder of .pnml files]`.
//!
//! Without a folder, `MUSTER_NETS_DIR`, `../shared/nets` or, where there is neither, the nets we ship. Each figure is
//! the best of several rounds: the others measure what else the machine was doing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::petri::pnml::{self, Limits};
use muster::petri::samples::SAMPLES;
use muster::petri::{Engine, NetGraph};

const SEED: u64 = 1;
/// Long enough for the caches to settle, short enough for all nets in half a minute.
const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: u32 = 4;

fn main() {
    println!(
        "{:<28} {:>7} {:>7} {:>7} {:>10} {:>10} {:>9} {:>14}",
        "net", "places", "trans.", "arcs", "parse ms", "draw ms", "JSON kB", "firings/s"
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
        println!(
            "{name:<28} {:>7} {:>7} {:>7} {:>10.2} {:>10.2} {:>9} {:>14.0}",
            net.places.len(),
            net.transitions.len(),
            net.arc_count(),
            parse.as_secs_f64() * 1e3,
            draw.as_secs_f64() * 1e3,
            json / 1000,
            firings_per_second(&net),
        );
    }
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

fn nets() -> Vec<(String, Vec<u8>)> {
    let samples =
        || SAMPLES.iter().map(|sample| (sample.id.to_string(), sample.pnml.as_bytes().to_vec())).collect();
    // `cargo bench` adds `--bench`; `cargo test --all-targets` does not, and only wants to see it work.
    if !std::env::args().any(|arg| arg == "--bench") {
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
