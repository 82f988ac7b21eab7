//! How a worker starts and ends.

use std::process::Stdio;
use std::time::Duration;

use muster::model::WorkerId;
use muster::petri::samples::SAMPLES;
use uuid::Uuid;

use crate::harness::{Worker, command, within};

/// Waits for the end of the process.
async fn exit_code(worker: &mut Worker) -> Option<i32> {
    within("the end of the process", async {
        loop {
            if let Some(status) = worker.child.try_wait().expect("our child") {
                return status.code();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

fn signal(worker: &Worker, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(&worker.child);
    rustix::process::kill_process(pid, signal).expect("our child");
}

#[tokio::test]
async fn sigterm_and_ctrl_c_end_the_streams_and_then_the_worker() {
    for kind in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut worker = Worker::start().await;
        let id = worker.load(SAMPLES[1].pnml).await.id;
        worker.run(id, 0).await;
        let (mut events, mut watched) = (worker.events().await, worker.watch(id).await);
        assert!(events.next().await.is_some() && watched.next().await.is_some());
        signal(&worker, kind);
        within("the end of the streams", async {
            while events.next().await.is_some() {}
            while watched.next().await.is_some() {}
        })
        .await;
        assert_eq!(exit_code(&mut worker).await, Some(0));
    }
}

#[tokio::test]
async fn a_worker_without_a_console_ends_by_itself_and_an_open_stream_keeps_it() {
    let mut worker = Worker::start_with(&["--orphan-timeout", "1"]).await;
    let mut events = worker.events().await;
    // Figures of three seconds: it has outlived its timeout.
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        assert!(events.next().await.is_some());
    }
    assert!(worker.child.try_wait().expect("our child").is_none());
    drop(events);
    assert_eq!(exit_code(&mut worker).await, Some(0));
}

#[test]
fn without_a_token_it_says_so_in_one_sentence() {
    let output = command(WorkerId(Uuid::new_v4()))
        .env_remove("MUSTER_WORKER_TOKEN")
        .stderr(Stdio::piped())
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("MUSTER_WORKER_TOKEN"), "{said}");
}
