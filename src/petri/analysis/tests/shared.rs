//! The nets of the Model Checking Contest against its verdicts, where a checkout has them beside it.

use std::path::{Path, PathBuf};

use crate::petri::analysis::{Budget, Verdicts, analyse};
use crate::petri::pnml::{self, Limits};

/// Unoptimised, more markings than this take too long for a test that always runs; `--ignored` (the soak) takes the others on too.
const QUICK: u64 = 60_000;
const EXACT: u64 = 100_000;
const COLUMNS: [&str; 8] = [
    "states",
    "edges",
    "max_tokens_in_place",
    "max_tokens_per_marking",
    "deadlock",
    "one_safe",
    "quasi_live",
    "live",
];

/// Their folder: `MUSTER_NETS_DIR`, else `../shared/nets` beside the package.
fn folder() -> Option<PathBuf> {
    let dir = std::env::var_os("MUSTER_NETS_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/nets")), PathBuf::from);
    if !dir.join("verdicts.csv").exists() {
        eprintln!("skipped: no nets in {}", dir.display());
        return None;
    }
    Some(dir)
}

/// Model, its known verdicts by [`COLUMNS`] (empty: not known), and the net.
fn nets(dir: &Path) -> Vec<(String, Vec<String>, Vec<u8>)> {
    let verdicts = std::fs::read_to_string(dir.join("verdicts.csv")).expect("readable");
    let mut rows = verdicts.lines();
    let header: Vec<&str> = rows.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).expect("a known column");
    let (model, columns) = (column("model"), COLUMNS.map(column));
    rows.filter(|row| !row.is_empty())
        .map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            let file = dir.join(format!("{}.pnml", cells[model]));
            let known = columns.iter().map(|&column| cells[column].to_string()).collect();
            (cells[model].to_string(), known, std::fs::read(file).expect("a net for each row"))
        })
        .collect()
}

/// As `verdicts.csv` writes them.
fn said(verdicts: &Verdicts) -> Vec<String> {
    let json = serde_json::to_value(verdicts).expect("serialisable");
    COLUMNS.iter().map(|column| json[*column].to_string().trim_matches('"').to_string()).collect()
}

/// Compares every net with between `more_than` and `at_most` known states; returns how many there were.
fn check_exactly(more_than: u64, at_most: u64) -> Option<usize> {
    let mut checked = 0;
    for (model, known, bytes) in nets(&folder()?) {
        let states = known[0].parse::<u64>().unwrap_or(u64::MAX);
        if states > more_than && states <= at_most {
            let net = pnml::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{model}: {e}"));
            let report = analyse(&net, &Budget::of_memory(256 << 20));
            assert_eq!(said(&report.verdicts), known, "{model}: {COLUMNS:?}");
            checked += 1;
        }
    }
    Some(checked)
}

#[test]
fn small_contest_nets_have_exactly_their_known_verdicts() {
    assert!(check_exactly(0, QUICK) != Some(0));
}

#[test]
#[ignore = "slow unless optimised"]
fn middling_contest_nets_have_exactly_their_known_verdicts() {
    assert!(check_exactly(QUICK, EXACT) != Some(0));
}

#[test]
#[ignore = "takes up to 60 s and 2 GB a net; run it optimised"]
fn large_contest_nets_are_never_wrong_and_half_decided() {
    let Some(dir) = folder() else { return };
    let (mut decided, mut all) = (0, 0);
    for (model, known, bytes) in nets(&dir) {
        if known[0].parse::<u64>().is_ok_and(|states| states <= EXACT) {
            continue;
        }
        let net = pnml::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{model}: {e}"));
        let started = std::time::Instant::now();
        let elapsed = || started.elapsed();
        let time = std::time::Duration::from_secs(55);
        let report = analyse(&net, &Budget { time, memory: 1_800_000_000, elapsed: &elapsed });
        let took = started.elapsed().as_secs_f64();
        for (column, (said, known)) in COLUMNS.iter().zip(said(&report.verdicts).iter().zip(&known)) {
            if known.is_empty() {
                continue;
            }
            all += 1;
            if said != "not decided" {
                assert_eq!(said, known, "{model}: {column}");
                decided += 1;
            }
        }
        let Verdicts { states, deadlock, .. } = &report.verdicts;
        println!(
            "{model}: {took:.1} s, {} seen, states {states}, deadlock {deadlock}",
            report.explored.states
        );
    }
    println!("{decided} of {all} known verdicts decided");
    assert!(decided * 2 >= all);
}
