//! What the agent finds out comes from the repository and the machine, not from what it reported before.

use super::{
    console::{Console, Heard, Log, ran, within},
    host::Host,
    repository::{Repository, commit, git},
};
use muster::{
    agent::protocol::{FromAgent, ToAgent},
    model::{CompartmentStatus::*, Outcome},
};
use sha2::{Digest, Sha256};
use std::fs;

const REPOSITORY: &str = "[repository]\npath = \"$HOST/checkout\"\n";

#[tokio::test]
async fn behind_ahead_diverged_and_dirty_are_seen_as_they_are() {
    let mut console = Console::start().await;
    let mut host = Host::new(&console, REPOSITORY);
    let repository = Repository::new(host.folder.path());
    host.start_agent();
    let (mut connection, _) = console.welcome().await;

    let (status, message) = connection.git().await;
    assert_eq!(status, Ok, "{message}");
    assert_eq!(message, format!("Up to date with origin/main ({})", &repository.head()[..10]));

    repository.push("one");
    repository.push("two");
    let seen = git(&repository.checkout, &["rev-parse", "origin/main"]);
    let (status, message) = connection.git().await;
    let there = git(&repository.folder, &["--git-dir=remote.git", "rev-parse", "main"]);
    let expected =
        format!("2 commits behind origin/main ({}, there {})", &repository.head()[..10], &there[..10]);
    assert_eq!((status, message), (Outdated, expected));
    assert_eq!(git(&repository.checkout, &["rev-parse", "origin/main"]), seen, "the owner's references stay");
    assert!(
        !repository.checkout.join(".git/FETCH_HEAD").exists() && !repository.checkout.join("one").exists()
    );

    commit(&repository.checkout, "of my own");
    let (status, message) = connection.git().await;
    assert_eq!(status, Outdated);
    assert!(message.starts_with("Diverged from origin/main: 1 ahead, 2 behind"), "{message}");

    git(&repository.checkout, &["pull", "--quiet", "--rebase"]);
    let (status, message) = connection.git().await;
    assert_eq!(status, Outdated);
    assert!(message.starts_with("1 commit ahead of origin/main"), "{message}");

    git(&repository.checkout, &["push", "--quiet"]);
    fs::write(repository.checkout.join("one"), "changed by hand").unwrap();
    let (status, message) = connection.git().await;
    assert_eq!(status, Outdated);
    assert!(message.ends_with("; dirty: 1 file differs from the commit"), "{message}");
}

#[tokio::test]
async fn pull_fixes_behind_and_what_it_changed_is_looked_at() {
    let mut console = Console::start().await;
    let mut host = Host::new(&console, REPOSITORY);
    let repository = Repository::new(host.folder.path());
    host.start_agent();
    let (mut connection, register) = console.welcome().await;
    assert_eq!(register.commands[0].kind.as_str(), "pull", "the one command of those who configured none");
    let before = connection.refresh().await.lock.unwrap().hash.unwrap();
    assert_eq!(before, sha256(b"{}\n"));

    fs::write(repository.folder.join("elsewhere/flake.lock"), "{\"version\": 7}\n").unwrap();
    repository.push("a new lock file");
    assert_eq!(connection.git().await.0, Outdated);

    let (log, outcome) = ran(&mut connection, "pull").await;
    assert_eq!(outcome, Outcome::Exited { code: 0 }, "{}", log.text());
    let report = connection
        .until("a report after the command", |heard| match heard {
            Heard::Said(FromAgent::Report(report)) if report.after == Some(log.command_id) => Some(report),
            _ => None,
        })
        .await;
    assert_eq!(report.git.unwrap().status, Ok);
    assert_eq!(report.git_head.unwrap(), repository.head());
    assert_eq!(report.lock.unwrap().hash.unwrap(), sha256(b"{\"version\": 7}\n"));
}

#[tokio::test]
async fn what_a_command_changed_is_reported_once_its_end_is_settled_and_not_before() {
    let mut console = Console::start().await;
    let config = format!(
        "{REPOSITORY}[commands.pull]\nargv = [\"git\", \"pull\", \"--ff-only\"]\nchecks = [\"git\"]\n"
    );
    let mut host = Host::new(&console, &config);
    let repository = Repository::new(host.folder.path());
    host.start_agent();
    let (mut connection, _) = console.welcome().await;
    repository.push("one");
    let mut log = Log::of(connection.run("pull").await);
    log.until(&mut connection, "its end", |log| log.finished.is_some()).await;
    // A round of checks that is over by now was begun after the end was said.
    assert_eq!(connection.refresh().await.after, None);
    drop(connection);
    let (mut connection, register) = console.welcome().await;
    assert_eq!(register.holds.len(), 1);
    log.finished = None;
    let mut early = Vec::new();
    within("its end, said again", async {
        while log.finished.is_none() {
            let heard = connection.hear().await.expect("it stays");
            if let Heard::Said(FromAgent::Report(report)) = &heard {
                early.extend(report.after);
            }
            log.take(&mut connection, heard).await;
        }
    })
    .await;
    assert!(early.is_empty(), "a console that has not heard of the end believes none of it");
    connection.say(ToAgent::Settled { command_id: log.command_id }).await;
    let report = connection
        .until("a report after the command", |heard| match heard {
            Heard::Said(FromAgent::Report(report)) if report.after == Some(log.command_id) => Some(report),
            _ => None,
        })
        .await;
    assert_eq!(report.git.unwrap().status, Ok);
}

#[tokio::test]
async fn a_remote_that_is_away_and_a_repository_that_is_not_there_are_told_apart() {
    let mut console = Console::start().await;
    let mut host = Host::new(&console, REPOSITORY);
    host.start_agent();
    let (mut connection, _) = console.welcome().await;
    let missing = connection.refresh().await;
    assert!(missing.git.unwrap().message.starts_with("There is no folder "));
    assert!(missing.lock.unwrap().error.unwrap().starts_with("The lock file "));

    fs::create_dir(host.path("checkout")).unwrap();
    let (status, message) = connection.git().await;
    assert_eq!(status, Error);
    assert!(message.starts_with("There is no repository in "), "{message}");
    fs::remove_dir(host.path("checkout")).unwrap();

    let repository = Repository::new(host.folder.path());
    assert_eq!(connection.git().await.0, Ok);
    fs::rename(host.path("remote.git"), host.path("away.git")).unwrap();
    let away = connection.refresh().await;
    let git = away.git.unwrap();
    assert_eq!(git.status, Error);
    assert!(git.message.starts_with("The remote origin cannot be reached: "), "{}", git.message);
    assert_eq!(away.git_head.unwrap(), repository.head(), "what is here is known all the same");
    assert_eq!(away.lock.unwrap().hash.unwrap(), sha256(b"{}\n"));
}

#[tokio::test]
async fn the_system_is_what_the_owners_programs_say() {
    let mut console = Console::start().await;
    let config = "[system]\nchecked_out = [\"cat\", \"$HOST/wanted\"]\ndeployed = [\"cat\", \"$HOST/here\"]\n\
                  generation = [\"echo\", \"/nix/profiles/system-42-link\"]";
    let host = Host::start(&console, config);
    let (mut connection, register) = console.welcome().await;
    assert!(register.commands.is_empty());
    let broken = connection.refresh().await;
    assert!(broken.git.is_none() && broken.lock.is_none(), "nothing is claimed of what is not configured");
    let system = broken.system.unwrap();
    assert_eq!(system.status, Error);
    assert!(system.message.contains("No such file"), "{}", system.message);
    assert_eq!(broken.generation.unwrap(), "system-42-link");

    fs::write(host.path("wanted"), "/nix/store/aaa-system\n").unwrap();
    fs::write(host.path("here"), "/nix/store/bbb-system\n").unwrap();
    let system = connection.refresh().await.system.unwrap();
    assert_eq!(system.status, Outdated);
    assert_eq!(system.message, "Deployed is bbb-system, checked out is aaa-system");
    fs::write(host.path("here"), "/nix/store/aaa-system\n").unwrap();
    assert_eq!(connection.refresh().await.system.unwrap().status, Ok);
}

#[tokio::test]
async fn it_says_who_it_is_and_how_it_is() {
    let mut console = Console::start().await;
    let config = "hostname = \"rack-7\"\nhost_type = \"bench\"\ntheme_color = \"#7aa2f7\"\n\
                  commands.test = { argv = [\"true\"], timeout = \"90 s\", checks = [\"git\"] }";
    let _host = Host::start(&console, config);
    let (mut connection, register) = console.welcome().await;
    assert_eq!((register.hostname.as_str(), register.host_type.as_deref()), ("rack-7", Some("bench")));
    assert_eq!(register.theme_color.unwrap().to_string(), "#7aa2f7");
    assert_eq!(register.commands[0].timeout_s, 90);
    let figures = |heard| match heard {
        Heard::Said(FromAgent::Heartbeat { metrics }) => Some(metrics),
        _ => None,
    };
    for _ in 0..2 {
        let metrics = connection.until("a heartbeat", figures).await;
        assert!(metrics.ram_total > 0 && metrics.disk_total > 0 && metrics.uptime_s > 0, "{metrics:?}");
    }
    drop(connection);
    let (_, again) = console.welcome().await;
    assert_eq!(again.agent_id, register.agent_id, "it stays itself");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
