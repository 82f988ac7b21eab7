//! A pipeline over five hosts whose console is killed again and again.

use super::{
    console::{console, host_that, is_at_rest, online},
    harness::{Server, until},
    machine::{Machine, scripts},
    repository::{Repository, git},
};
use serde_json::{Value, json};
use std::fs;

const NAMES: [&str; 5] = ["canary", "b", "c", "d", "e"];
const AT_ONCE: usize = 2;

async fn pipeline_that(console: &Server, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut row = Value::Null;
    until(&format!("the pipeline {what}"), async || {
        row = console.get_json(&format!("/api/pipelines/{id}")).await;
        holds(&row)
    })
    .await;
    row
}

fn is_over(pipeline: &Value) -> bool {
    matches!(pipeline["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// Each stage writes down when it begins and ends, in one file for all hosts, and waits in between until it is let go.
fn config(shared: &str, name: &str) -> String {
    let stage = |stage: &str, act: &str| {
        format!(
            "echo begin {name} {stage} >> {shared}/log; {act}; until [ -e {shared}/go-{name}-{stage} ]; do sleep 0.02; done; \
             echo end {name} {stage} >> {shared}/log"
        )
    };
    scripts(&[
        ("pull", &stage("pull", "git -C checkout pull --quiet --ff-only")),
        ("switch", &stage("switch", "true")),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_survives_its_console_and_runs_every_stage_on_every_host_once() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().to_str().unwrap();
    let repository = Repository::new(folder.path());
    let mut console = console(&[]).await;
    let mut machines = Vec::new();
    for name in NAMES {
        let mut machine = Machine::new(&console, name, &config(shared, name)).await;
        git(folder.path(), &["clone", "--quiet", "remote.git", machine.path("checkout").to_str().unwrap()]);
        machine.start_agent();
        machines.push(machine);
    }
    repository.push("what is to be deployed");
    for machine in &machines {
        online(&console, &machine.id).await;
    }
    let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let begun = async |what: &str| {
        until(what, async || log().lines().any(|line| line == format!("begin {what}"))).await;
    };
    let done = async |what: &str| {
        until(what, async || log().lines().any(|line| line == format!("end {what}"))).await;
    };
    let go = |what: &str| fs::write(folder.path().join(format!("go-{what}")), "").unwrap();

    let ids: Vec<&str> = machines.iter().map(|machine| machine.id.as_str()).collect();
    let plan = json!({
        "title": "Deploy", "host_ids": ids, "stages": ["pull", "switch"], "concurrency": AT_ONCE, "canary": 1,
    });
    let answer = console.post("/api/pipelines", plan).await;
    let pipeline = answer["pipeline"]["id"].as_str().unwrap().to_owned();

    // While the canary's first command runs; it ends while there is no console.
    begun("canary pull").await;
    console.kill();
    go("canary-pull");
    done("canary pull").await;
    console.restart().await;
    begun("canary switch").await;
    go("canary-switch");

    // While two others are under way, one before the other; one of them ends, the other one goes on.
    begun("b pull").await;
    begun("c pull").await;
    go("b-pull");
    begun("b switch").await;
    console.kill();
    go("b-switch");
    done("b switch").await;
    console.restart().await;
    let row =
        pipeline_that(&console, &pipeline, "to go on", |row| row["lanes"][1]["cells"][1]["state"] == "ended")
            .await;
    assert_eq!(row["status"], "running", "{row}");

    // At once after a command was asked for, whatever became of it.
    go("c-pull");
    console.kill();
    console.restart().await;
    for name in &NAMES[1..] {
        go(&format!("{name}-pull"));
        go(&format!("{name}-switch"));
    }
    let row = pipeline_that(&console, &pipeline, "to end", is_over).await;
    assert_eq!(row["status"], "succeeded", "{row}");
    for cell in row["lanes"].as_array().unwrap().iter().flat_map(|lane| lane["cells"].as_array().unwrap()) {
        assert_eq!((&cell["state"], &cell["status"]), (&json!("ended"), &json!("succeeded")), "{row}");
    }

    let log = log();
    for name in NAMES {
        let its: Vec<&str> = log.lines().filter(|line| line.split(' ').nth(1) == Some(name)).collect();
        let expected = ["begin", "end"].map(|word| format!("{word} {name} pull"));
        let then = ["begin", "end"].map(|word| format!("{word} {name} switch"));
        assert_eq!(its, [expected, then].concat(), "each stage once, one after the other");
    }
    let (mut under_way, mut most) = (Vec::new(), 0);
    for line in log.lines() {
        let [word, name, stage] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(name == "canary" || log.find("end canary switch") < log.find(line), "the canary comes first");
        match (word, stage) {
            ("begin", "pull") => under_way.push(name),
            ("end", "switch") => under_way.retain(|other| *other != name),
            _ => {}
        }
        most = most.max(under_way.len());
    }
    assert_eq!(most, AT_ONCE);
    let head = git(&repository.folder, &["--git-dir=remote.git", "rev-parse", "main"]);
    for machine in &machines {
        assert_eq!(git(&machine.path("checkout"), &["rev-parse", "HEAD"]), head);
        host_that(&console, &machine.id, "to be at rest", is_at_rest).await;
    }
}
