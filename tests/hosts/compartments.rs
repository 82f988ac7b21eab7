//! How hosts stand against their repository, as the list of hosts shows it.

use super::{
    console::{console, ended, host_that, is_at_rest, run},
    harness::Server,
    machine::Machine,
    repository::{Repository, commit, git},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const CONFIG: &str = "[repository]\npath = \"$HOST/checkout\"\n";

/// A host with a checkout of the remote as it is now.
async fn clone(console: &Server, repository: &Repository, name: &str) -> (Machine, PathBuf) {
    let machine = Machine::new(console, name, CONFIG).await;
    let checkout = machine.path("checkout");
    git(&repository.folder, &["clone", "--quiet", "remote.git", checkout.to_str().unwrap()]);
    (machine, checkout)
}

fn git_of(host: &Value) -> (&str, &str) {
    let git = &host["compartments"]["git"];
    (git["status"].as_str().unwrap(), git["message"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_differ_from_the_remote_is_shown_right_and_pull_mends_what_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::new(folder.path());
    let remote = folder.path().join("remote.git");
    let console = console(&["--repository", remote.to_str().unwrap(), "--repository-poll", "1"]).await;

    let (behind, _) = clone(&console, &repository, "behind").await;
    let (diverged, its) = clone(&console, &repository, "diverged").await;
    commit(&its, "of its own");
    repository.push("one");
    repository.push("two");
    let (ahead, its) = clone(&console, &repository, "ahead").await;
    commit(&its, "not pushed");
    let (dirty, its) = clone(&console, &repository, "dirty").await;
    fs::write(its.join("one"), "changed by hand").unwrap();
    let (current, its) = clone(&console, &repository, "current").await;
    let mut machines = [behind, diverged, ahead, dirty, current];
    machines.iter_mut().for_each(Machine::start_agent);
    for machine in &machines {
        host_that(&console, &machine.id, "to be known", |row| {
            row["online"] == true
                && row["compartments"]["git"]["checked_at"].is_number()
                && row["compartments"]["lock"]["status"] == "ok"
        })
        .await;
    }

    let list = console.get_json("/api/hosts").await;
    let rows = list.as_array().unwrap();
    assert_eq!(rows.len(), 5);
    let head = git(&its, &["rev-parse", "--short=10", "HEAD"]);
    for (name, status, message) in [
        ("behind", "outdated", "2 commits behind origin/main".to_owned()),
        ("diverged", "outdated", "Diverged from origin/main: 1 ahead, 2 behind".to_owned()),
        ("ahead", "outdated", "1 commit ahead of origin/main".to_owned()),
        (
            "dirty",
            "outdated",
            format!("Up to date with origin/main ({head}); dirty: 1 file differs from the commit"),
        ),
        ("current", "ok", format!("Up to date with origin/main ({head})")),
    ] {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        let shown = git_of(row);
        assert!(shown.0 == status && shown.1.starts_with(&message), "{name}: {shown:?}");
    }

    // `pull` mends what is behind, and a look afterwards says so; what diverged it cannot mend, and says that.
    let [behind, diverged, .., current] = &machines;
    let commands = run(&console, &[&behind.id, &diverged.id], "pull").await;
    let pulled = ended(&console, &commands[0]).await;
    assert_eq!(pulled["status"], "succeeded", "{pulled}");
    let refused = ended(&console, &commands[1]).await;
    assert_eq!((&refused["status"], &refused["exit_code"]), (&json!("failed"), &json!(128)), "{refused}");
    let row = host_that(&console, &behind.id, "to be looked at again", is_at_rest).await;
    assert_eq!(git_of(&row), ("ok", format!("Up to date with origin/main ({head})").as_str()));
    assert_eq!(super::console::command(&console, &commands[0]).await["post_check"]["post_check"], "passed");
    let row = host_that(&console, &diverged.id, "to be looked at again", |row| {
        is_at_rest(row) && row["compartments"]["git"]["status"] == "outdated"
    })
    .await;
    assert!(git_of(&row).1.starts_with("Diverged from origin/main"), "{row}");

    // Somebody pushes a new lock file: the console finds that out by itself.
    fs::write(repository.folder.join("elsewhere/flake.lock"), "{\"version\": 7}\n").unwrap();
    repository.push("a new lock file");
    for machine in &machines {
        host_that(&console, &machine.id, "to have an old lock file", |row| {
            row["compartments"]["lock"]["status"] == "outdated"
        })
        .await;
    }
    let commands = run(&console, &[&behind.id, &current.id], "pull").await;
    for (machine, command) in [(behind, &commands[0]), (current, &commands[1])] {
        assert_eq!(ended(&console, command).await["status"], "succeeded");
        let row = host_that(&console, &machine.id, "to be looked at again", is_at_rest).await;
        assert_eq!(row["compartments"]["lock"]["status"], "ok", "{row}");
        assert_eq!(git_of(&row).0, "ok", "{row}");
        assert_eq!(super::console::command(&console, command).await["post_check"]["post_check"], "passed");
    }

    // Asked for, the answer is newer than the question.
    let [_, _, ahead, ..] = &machines;
    let before = super::console::host(&console, &ahead.id).await;
    let answer = console.post(&format!("/api/hosts/{}/refresh", ahead.id), json!({})).await;
    assert!(
        answer["host"]["compartments"]["git"]["checked_at"].as_u64()
            > before["compartments"]["git"]["checked_at"].as_u64(),
        "{answer}"
    );
    assert!(
        git_of(&answer["host"]).1.starts_with("Diverged from origin/main: 1 ahead, 1 behind"),
        "{answer}"
    );
}
