//! The engine and the analysis against two programs that share no line with them: SNAKES and pm4py, from PyPI.
//!
//! Five hundred random small nets are written as PNML. For each the engine runs, and says at every step what is enabled and where the
//! tokens are; the analysis says how many markings and edges there are and whether one of them is dead. Both Python programs then fire the
//! same transitions and explore the same net. `MUSTER_ORACLES_PYTHON` is a Python that has them; `cargo xtask test` provides it.

mod nets;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use muster::petri::analysis::{Budget, analyse};
use muster::petri::{Engine, PetriNet, Step, pnml};
use serde_json::{Value, json};

const NETS: u64 = 500;
const FIRINGS: usize = 25;
/// Markings up to which the others explore: they do a few thousand a second.
const LIMIT: u64 = 150;

#[test]
#[ignore = "needs Python with SNAKES and pm4py: cargo xtask test runs it"]
fn snakes_and_pm4py_agree_on_five_hundred_nets() {
    let python = std::env::var_os("MUSTER_ORACLES_PYTHON").expect("MUSTER_ORACLES_PYTHON names the Python");
    let dir = tempfile::tempdir().expect("a directory");
    let cases: Vec<Value> = (0..NETS).map(|seed| case(seed, dir.path())).collect();
    let interesting = cases.iter().filter(|case| case["states"].as_u64().is_some_and(|states| states > 3));
    assert!(interesting.count() > NETS as usize / 3, "most nets are too dull to tell anything");
    let file = dir.path().join("cases.json");
    std::fs::write(&file, json!({ "limit": LIMIT, "cases": cases }).to_string()).expect("writable");
    let status = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/compare.py"))
        .arg(&file)
        .stdin(Stdio::null())
        .status()
        .expect("Python starts");
    assert!(status.success(), "they do not agree; see above");
}

/// A net in a file, and all that we say of it.
fn case(seed: u64, dir: &Path) -> Value {
    let net = nets::random(seed);
    let file = dir.join(format!("{seed}.pnml"));
    std::fs::write(&file, pnml::write(&net)).expect("writable");
    let report = analyse(&net, &Budget::of_memory(1 << 20));
    let count = |verdict: &muster::petri::analysis::Verdict<u64>| verdict.value().copied();
    let unbounded = report.unbounded.map(|p| net.places[p.index()].id.clone());
    json!({
        "file": file,
        "states": count(&report.verdicts.states),
        "edges": count(&report.verdicts.edges),
        "most_in_place": count(&report.verdicts.max_tokens_in_place),
        "deadlock": report.verdicts.deadlock.value(),
        "unbounded": unbounded,
        "run": run(net, seed),
    })
}

/// What is enabled and where the tokens are, before each firing and after the last.
fn run(net: PetriNet, seed: u64) -> Vec<Value> {
    let net = Arc::new(net);
    let mut engine = Engine::new(net.clone(), seed);
    let mut steps = Vec::new();
    loop {
        let mut enabled: Vec<&str> =
            engine.enabled().map(|t| net.transitions[t.index()].id.as_str()).collect();
        enabled.sort_unstable();
        let tokens = net.places.iter().zip(engine.marking().as_slice());
        let marking: serde_json::Map<String, Value> =
            tokens.filter(|(_, n)| **n > 0).map(|(place, n)| (place.id.clone(), json!(n))).collect();
        let fires = match engine.step() {
            Step::Fired(t) if steps.len() < FIRINGS => Some(net.transitions[t.index()].id.as_str()),
            _ => None,
        };
        steps.push(json!({ "enabled": enabled, "marking": marking, "fires": fires }));
        if fires.is_none() {
            return steps;
        }
    }
}
