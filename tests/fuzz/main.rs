//! The PNML reader against bytes that mean it ill. No input makes it panic, take long or take more memory than the input explains; and what
//! it reads it reads again once written.
//!
//! Inputs are made from the files of `corpus/` (samples, attacks made by hand, and whatever was found) by breaking, joining and repeating
//! them. What behaves in a way not met before joins those that more are made from. The run of `cargo test` is short and the same every time;
//! `cargo xtask soak` sets `MUSTER_FUZZ_SECONDS` and goes by the clock. An input that breaks a rule is written into `corpus/` under the name
//! `found-…`, and every later run begins with it.

mod allocator;
mod judge;
mod mutate;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use judge::Judge;
use mutate::Mutator;

/// Inputs of the short run.
const SHORT: u64 = 1_500;
/// Bytes of an input that more are made from; the largest made are larger.
const KEPT: usize = 1 << 16;

fn corpus() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus"))
}

/// The files of the corpus and our own nets, in an order that is always the same.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(corpus())
        .expect("the corpus is beside this file")
        .map(|entry| entry.expect("readable").path())
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("readable"))
        })
        .collect();
    seeds.sort();
    let samples = muster::petri::samples::SAMPLES.iter();
    seeds.extend(samples.map(|sample| (sample.id.to_string(), sample.pnml.as_bytes().to_vec())));
    seeds
}

#[test]
fn no_input_makes_the_reader_panic_hang_or_swell() {
    let seconds: Option<u64> = std::env::var("MUSTER_FUZZ_SECONDS")
        .ok()
        .map(|text| text.parse().expect("MUSTER_FUZZ_SECONDS is a number of seconds"));
    let judge = Judge::new(corpus());
    let mut mutator = Mutator::new(if seconds.is_some() { fresh_seed() } else { 1 });
    for (name, bytes) in seeds() {
        judge.check(&bytes).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        mutator.keep(bytes);
    }
    for (name, bytes) in large_attacks() {
        judge.check(&bytes).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    }
    let started = Instant::now();
    let mut inputs = 0u64;
    let mut behaviours = std::collections::HashSet::new();
    let more = |inputs: u64| match seconds {
        Some(seconds) => started.elapsed() < Duration::from_secs(seconds),
        None => inputs < SHORT,
    };
    while more(inputs) {
        let input = mutator.next();
        match judge.check(&input) {
            Ok(behaviour) => {
                if behaviours.insert(behaviour) && input.len() <= KEPT {
                    mutator.keep(input);
                }
            }
            Err(broken) => panic!("{broken}; the input is kept as {}", judge.keep(&input).display()),
        }
        inputs += 1;
    }
    println!(
        "{inputs} inputs in {:.0} s, seed {}, {} kinds of behaviour, slowest {:.1} ms, most memory {:.1} times the input: no panic, no hang, no swelling",
        started.elapsed().as_secs_f64(),
        mutator.seed(),
        behaviours.len(),
        judge.slowest().as_secs_f64() * 1e3,
        judge.most_memory(),
    );
}

/// What costs most for its size, too large to be kept as files: each is a piece many times over, `#` being a number.
fn large_attacks() -> Vec<(&'static str, Vec<u8>)> {
    let head = "<pnml><net type='ptnet'><place id='p'/><transition id='t'/>";
    let many = |piece: &str| {
        let pieces = (0..).map(|n: u32| piece.replace('#', &n.to_string()));
        let mut size = 0;
        let pieces: String = pieces.take_while(|piece| (size += piece.len(), size < 1 << 20).1).collect();
        format!("{head}{pieces}</net></pnml>").into_bytes()
    };
    vec![
        ("arcs that lead nowhere", many("<arc source='a#' target='b#'/>")),
        ("places", many("<place id='#'/>")),
        ("arcs", many("<arc source='p' target='t'/>")),
        ("references", many("<referencePlace id='#' ref='p'/>")),
        ("a chain of references", many("<referencePlace id='r#' ref='r#0'/>")),
        ("empty elements", many("<a/>")),
        (
            "attributes",
            format!("{head}<place id='q' {}/></net></pnml>", "a='' ".repeat(1 << 17)).into_bytes(),
        ),
        ("text in pieces", many("<place id='q#'><name><text>&lt;<![CDATA[a]]>b</text></name></place>")),
        ("comments", many("<!--#-->")),
    ]
}

fn fresh_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_nanos() as u64)
}

/// The judge itself is no good if it lets everything pass.
#[test]
fn a_reader_that_swells_or_dawdles_or_panics_is_found_out() {
    let judge = Judge::new(std::env::temp_dir());
    let input = b"<pnml/>";
    let swells = judge.watch(input, || std::hint::black_box(vec![1u8; 100 << 20]).len());
    assert!(swells.is_err_and(|broken| broken.contains("memory")));
    let dawdles = judge.watch(input, || {
        let started = Instant::now();
        while started.elapsed() < judge::time_limit(input.len()) * 2 {
            std::hint::spin_loop();
        }
    });
    assert!(dawdles.is_err_and(|broken| broken.contains("took")));
    let panics = judge.watch(input, || panic!("on purpose"));
    assert!(panics.is_err_and(|broken| broken.contains("panic")));
}
