//! The nets of the Model Checking Contest, where a checkout has them beside it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::petri::engine::{Engine, RunEnd};
use crate::petri::graph::NetGraph;
use crate::petri::pnml::{self, Limits};

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

#[test]
fn every_shared_net_has_its_known_size_is_written_runs_and_is_drawn() {
    let Some(dir) = folder() else { return };
    let verdicts = std::fs::read_to_string(dir.join("verdicts.csv")).expect("readable");
    let mut rows = verdicts.lines();
    let columns: Vec<&str> = rows.next().expect("a header").split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).expect("a known column");
    let mut nets = 0;
    for row in rows.filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split(',').collect();
        let model = cells[column("model")];
        let bytes = std::fs::read(dir.join(format!("{model}.pnml"))).expect("a net for each row");
        let net = pnml::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{model}: {e}"));
        let sizes = [net.places.len(), net.transitions.len(), net.arc_count()].map(|n| n.to_string());
        assert_eq!(sizes, ["places", "transitions", "arcs"].map(|name| cells[column(name)]), "{model}");

        assert_eq!(pnml::read(pnml::write(&net).as_bytes(), &Limits::default()), Ok(net.clone()), "{model}");

        let graph = NetGraph::of(&net);
        assert!(graph.width.is_finite() && graph.height.is_finite(), "{model}");
        println!("{model}: drawn {} x {}", graph.width, graph.height);

        let outcome = Engine::new(Arc::new(net), 1).run(20_000);
        assert!(outcome.fired > 0, "{model}");
        match (outcome.end, cells[column("deadlock")]) {
            (RunEnd::Dead, "false") => panic!("{model} is known to have no deadlock and reached one"),
            (RunEnd::Overflow { .. }, _) => panic!("{model} overflowed"),
            _ => {}
        }
        nets += 1;
    }
    assert!(nets > 0);
}
