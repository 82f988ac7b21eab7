use super::*;
use crate::{
    model::WorkerStatus,
    server::{
        supervise::tests::fixtures::{WORKER, worker},
        workers::Timing,
    },
};
use std::os::unix::fs::PermissionsExt;

struct Set {
    data: tempfile::TempDir,
    provider: LocalProvider,
    exits: mpsc::Receiver<WorkerExit>,
}

/// A provider whose program is this shell script.
fn set(script: &str) -> Set {
    let data = tempfile::tempdir().unwrap();
    let program = data.path().join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = Keys::load(data.path()).unwrap();
    let client = WorkerClient::new(keys.clone(), Timing::default()).unwrap();
    let mut config = LocalConfig::new(data.path(), keys, client).unwrap();
    (config.program, config.ready_within) = (program, Duration::from_secs(2));
    config.end_within = Duration::from_millis(500);
    let (sender, exits) = mpsc::channel(8);
    Set { data, provider: LocalProvider::new(config, sender).unwrap(), exits }
}

async fn exit(set: &mut Set) -> WorkerExit {
    timeout(Duration::from_secs(30), set.exits.recv()).await.expect("an exit is noticed").unwrap()
}

fn row() -> Worker {
    worker(WorkerStatus::Provisioning)
}

#[tokio::test]
async fn a_program_that_fails_says_why_and_leaves_nothing() {
    let mut set = set("echo starting >&2; echo 'no room for me' >&2; exit 3");
    let error = set.provider.start(&row()).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ProviderError::NotReady { .. }) && text.contains("no room for me"), "{text}");
    assert_eq!(exit(&mut set).await.how, "failed with exit code 3");
    assert_eq!(set.provider.inspect(&row()).unwrap(), MachineState::Gone);
    assert_eq!(RunFile::read(&set.data.path().join("workers"), WORKER), None);
}

#[tokio::test]
async fn a_program_that_says_something_else_or_nothing_is_ended() {
    for script in ["echo hello; sleep 60", "sleep 60", "trap '' TERM; while :; do sleep 0.1; done"] {
        let mut set = set(script);
        let error = set.provider.start(&row()).await.unwrap_err();
        assert!(matches!(error, ProviderError::NotReady { .. }), "{script}: {error}");
        let ended = exit(&mut set).await;
        assert!(ended.how.starts_with("was killed by signal"), "{script}: {}", ended.how);
        let process: ProcessId = ended.provider_ref.parse().unwrap();
        assert!(!process.is_alive(), "{script}: not even as a zombie");
    }
}

#[tokio::test]
async fn a_program_that_would_take_the_token_elsewhere_is_refused() {
    let line = r#"{"endpoint":"http://192.0.2.1:80","pid":'$$',"incarnation":"00000000-0000-0000-0000-000000000001"}"#;
    let set = set(&format!("echo '{line}'; sleep 60"));
    let error = set.provider.start(&row()).await.unwrap_err().to_string();
    assert!(error.contains("192.0.2.1"), "{error}");
}

#[tokio::test]
async fn a_process_gets_what_it_needs_of_the_environment_and_no_more() {
    let set = set("env >&2; id -u >&2; echo \"group $(ps -o pgid= -p $$ | tr -d ' ') $$\" >&2; exit 1");
    let _ = set.provider.start(&row()).await;
    let log = fs::read_to_string(set.data.path().join(format!("workers/{WORKER}.log"))).unwrap();
    assert!(log.contains(&format!("MUSTER_WORKER_ID={WORKER}")) && log.contains("MUSTER_WORKER_TOKEN="));
    assert!(!log.contains("CARGO") && !log.contains("HOME="), "{log}");
    let mode = fs::metadata(set.data.path().join(format!("workers/{WORKER}.log"))).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_machine_being_made_can_be_given_up() {
    let mut set = set("sleep 60");
    let (provider, row) = (set.provider.clone(), row());
    let made = tokio::spawn({
        let row = row.clone();
        async move { provider.start(&row).await }
    });
    let folder = set.data.path().join("workers");
    let there = async {
        while RunFile::read(&folder, WORKER).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), there).await.unwrap();
    set.provider.destroy(&row).await.unwrap();
    assert!(matches!(made.await.unwrap(), Err(ProviderError::GivenUp)));
    exit(&mut set).await;
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "neither run file nor log is left");
    set.provider.destroy(&row).await.unwrap();
}

#[tokio::test]
async fn a_large_log_is_begun_anew() {
    let set = set("echo new >&2; exit 1");
    let log = set.data.path().join(format!("workers/{WORKER}.log"));
    File::create(&log).unwrap().set_len(LARGEST_LOG + 1).unwrap();
    let _ = set.provider.start(&row()).await;
    assert_eq!(fs::read_to_string(&log).unwrap(), "new\n");
    assert_eq!(fs::metadata(log.with_extension("log.old")).unwrap().len(), LARGEST_LOG + 1);
}

#[test]
fn only_this_machine_counts_as_local() {
    assert!(is_loopback("http://127.0.0.1:4000") && is_loopback("http://[::1]:4000"));
    for other in ["http://127.0.0.1.example:80", "http://10.0.0.1:80", "https://127.0.0.1:1", "127.0.0.1:80"]
    {
        assert!(!is_loopback(other), "{other}");
    }
}
