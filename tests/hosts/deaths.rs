//! `kill -9` of an agent in the midst of a command, and hosts that are away for a while.

use super::{
    console::{
        command, command_that, console, ended, host, host_that, is_at_rest, offline, online, output, run_one,
    },
    harness::until,
    machine::{COUNTS, Machine, assert_counted, scripts},
};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_outlives_its_agent_and_its_console() {
    let mut console = console(&[]).await;
    let mut machine = Machine::new(&console, "a", &scripts(&[("test", COUNTS)])).await;
    machine.start_agent();
    online(&console, &machine.id).await;

    // It goes on without its agent, and without its console.
    let first = run_one(&console, &machine.id, "test").await;
    until("its first words", async || !output(&console, &first).await.is_empty()).await;
    machine.kill_agent().await;
    let row = offline(&console, &machine.id).await;
    assert_eq!(row["pending_command"], first.as_str(), "it is not given up so soon");
    assert_eq!(command(&console, &first).await["status"], "running");
    let before = output(&console, &first).await.len();
    machine.start_agent();
    online(&console, &machine.id).await;
    until("more words", async || output(&console, &first).await.len() > before).await;
    console.kill();
    console.restart().await;
    assert_eq!(command(&console, &first).await["status"], "running");
    let before = output(&console, &first).await.len();
    until("more words", async || output(&console, &first).await.len() > before).await;
    fs::write(machine.path("go"), "").unwrap();
    let row = ended(&console, &first).await;
    assert_eq!((row["status"].as_str(), row["exit_code"].as_i64()), (Some("failed"), Some(4)), "{row}");
    assert_counted(&output(&console, &first).await);

    // It ends while there is no agent.
    fs::remove_file(machine.path("go")).unwrap();
    let second = run_one(&console, &machine.id, "test").await;
    until("its first words", async || !output(&console, &second).await.is_empty()).await;
    machine.kill_agent().await;
    fs::write(machine.path("go"), "").unwrap();
    let outcome = machine.path(&format!("state/commands/{second}/outcome.json"));
    until("its end", async || outcome.exists()).await;
    offline(&console, &machine.id).await;
    assert_eq!(command(&console, &second).await["status"], "running");
    machine.start_agent();
    let row = ended(&console, &second).await;
    assert_eq!(row["exit_code"], 4, "{row}");
    assert_counted(&output(&console, &second).await);
    host_that(&console, &machine.id, "to be at rest", is_at_rest).await;
    until("the agent to forget both", async || machine.held().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_away_runs_what_waited_once_it_is_back_and_in_order() {
    let console = console(&[]).await;
    let script = "echo $MUSTER_COMMAND_ID >> order";
    let mut machine = Machine::new(&console, "a", &scripts(&[("test", script)])).await;
    machine.start_agent();
    online(&console, &machine.id).await;
    machine.kill_agent().await;
    offline(&console, &machine.id).await;

    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(run_one(&console, &machine.id, "test").await);
    }
    for id in &waiting {
        let row = command(&console, id).await;
        assert_eq!((row["status"].as_str(), row["dispatched_at"].as_u64()), (Some("queued"), None), "{row}");
    }
    assert!(host(&console, &machine.id).await["pending_command"].is_null());
    machine.start_agent();
    for id in &waiting {
        assert_eq!(ended(&console, id).await["status"], "succeeded");
    }
    let order: Vec<String> = machine.read("order").lines().map(str::to_owned).collect();
    assert_eq!(order, waiting, "each once, as they were asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_whose_machine_went_down_is_lost_and_the_next_one_runs() {
    let console = console(&[]).await;
    let mut machine = Machine::new(&console, "a", &scripts(&[("test", COUNTS), ("next", "echo here")])).await;
    machine.start_agent();
    online(&console, &machine.id).await;
    let command = run_one(&console, &machine.id, "test").await;
    let next = run_one(&console, &machine.id, "next").await;
    until("its first words", async || !output(&console, &command).await.is_empty()).await;
    machine.kill_agent().await;

    // As a machine leaves it that lost its power: no process, and a record of another start of the machine.
    let program = machine.program(&command).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid)).unwrap();
    let runner: i32 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    let runner = rustix::process::Pid::from_raw(runner).unwrap();
    rustix::process::kill_process(runner, rustix::process::Signal::KILL).unwrap();
    program.signal_group(rustix::process::Signal::KILL);
    let lock = fs::File::open(machine.path(&format!("state/commands/{command}/runner.lock"))).unwrap();
    let take = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    until("its runner to be gone", async || rustix::fs::flock(&lock, take).is_ok()).await;
    drop(lock);
    let record = machine.path(&format!("state/commands/{command}/command.json"));
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    json["boot"] = "another".into();
    fs::write(&record, json.to_string()).unwrap();

    machine.start_agent();
    let row = ended(&console, &command).await;
    assert_eq!(row["status"], "lost", "{row}");
    let row = command_that(&console, &next, "to run", super::console::is_over).await;
    assert_eq!(row["status"], "succeeded", "{row}");
    host_that(&console, &machine.id, "to be at rest", is_at_rest).await;
    until("the agent to forget both", async || machine.held().is_empty()).await;
}
