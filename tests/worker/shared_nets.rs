//! Every net of the contest loads and runs, where a checkout has them beside it.

use std::path::PathBuf;

use muster::model::RunState;

use crate::harness::Worker;

#[tokio::test]
async fn every_shared_net_loads_and_runs() {
    let dir = std::env::var_os("MUSTER_NETS_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/nets")), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&dir) else {
        eprintln!("skipped: no nets in {}", dir.display());
        return;
    };
    let worker = Worker::start().await;
    let files = entries.map(|entry| entry.expect("readable").path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "pnml")) {
        let net = worker.load(std::fs::read_to_string(&path).expect("readable")).await;
        worker.run(net.id, 0).await;
        let name = path.display().to_string();
        let moved = |net: &muster::worker::protocol::HostedNet| {
            net.firings > 1_000 || (net.firings > 0 && net.run_state == RunState::Dead)
        };
        worker.until(&name, net.id, moved).await;
    }
    assert!(!worker.health().await.nets.is_empty());
}
