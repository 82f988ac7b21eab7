//! From the file to the verdicts, and back to a file that cannot be read: the real router and store, and processes that do as they are told.

use super::*;
use crate::{
    model::{
        Actor, BuildCause, BuildError, BuildId, DefinitionHash, Gone, LoadState, WorkerCause, WorkerStatus,
        build::BUILDS_IN_SNAPSHOT,
    },
    netcheck,
    petri::{
        NetBuilder,
        analysis::{Budget, Structure, analyse},
        generate::Family,
        pnml::{self, Limits},
        report::NetReport,
        samples::SAMPLES,
    },
    server::{actions::tests::harness::*, supervise::tests::fixtures::*},
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt, path::PathBuf};
use tokio::sync::watch;

const BROKEN: &str = "<pnml xmlns=\"http://www.pnml.org/version-2009/grammar/pnml\">\n <nte/>\n</pnml>";

/// A ring of so many places with a token on the first.
fn ring(places: u32) -> String {
    let mut net = NetBuilder::new("ring");
    let all: Vec<_> = (0..places).map(|p| net.place(&format!("p{p}"), u64::from(p == 0))).collect();
    for (n, place) in all.iter().enumerate() {
        let t = net.transition(&format!("t{n}"));
        net.input(*place, t, 1);
        net.output(t, all[(n + 1) % all.len()], 1);
    }
    pnml::write(&net.build().expect("a sound net"))
}

#[derive(clap::Parser)]
struct Program {
    #[command(flatten)]
    args: netcheck::Args,
}

/// What a process runs that a test starts for a build: the very code of `muster net build`. Without a test that starts it, nothing.
#[test]
fn the_code_of_a_build_ends_without_an_error() {
    let Ok(asked) = std::env::var("MUSTER_TEST_BUILD") else { return };
    let program: Program = clap::Parser::parse_from(asked.split(' '));
    netcheck::run(program.args).unwrap();
}

/// What a process runs that a test starts for a console: it has a large net built and says when that is under way.
#[test]
fn a_console_in_a_process_of_its_own_has_a_net_built() {
    let Some(program) = std::env::var_os("MUSTER_TEST_CONSOLE") else { return };
    let config = BuildConfig { seconds: 600, memory_mb: 4_000, ..config(PathBuf::from(program)) };
    let (phase, mut phases) = watch::channel(crate::model::BuildPhase::Reading);
    let under_way = async {
        phases.wait_for(|phase| *phase == crate::model::BuildPhase::States).await.unwrap();
        println!("under way");
        std::future::pending::<()>().await;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pnml = pnml::write(&Family::ALL[0].net(200)).into_bytes();
        tokio::select! {
            outcome = child::build(&config, pnml, &phase) => panic!("it ended: {outcome:?}"),
            () = under_way => {}
        }
    });
}

#[tokio::test]
async fn a_build_ends_with_a_console_that_is_killed() {
    use crate::process::ProcessId;
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let folder = tempfile::tempdir().unwrap();
    let (this, path) = (std::env::current_exe().unwrap(), folder.path().display());
    let test = |name: &str| format!("server::builds::tests::{name}");
    let run = format!(
        "'{}' --exact {} --nocapture --test-threads 1",
        this.display(),
        test("the_code_of_a_build_ends_without_an_error")
    );
    // No process between the two: the number is that of the build itself.
    let program = script_in(
        folder.path(),
        &format!("echo $$ >'{path}/number'\nMUSTER_TEST_BUILD=\"$*\"\nexport MUSTER_TEST_BUILD\nexec {run}"),
    );
    let mut console = Command::new(&this)
        .args(["--exact", &test("a_console_in_a_process_of_its_own_has_a_net_built")])
        .args(["--nocapture", "--test-threads", "1"])
        .env("MUSTER_TEST_CONSOLE", program)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(console.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("under way")), "it is built");
    let number = std::fs::read_to_string(folder.path().join("number")).unwrap();
    let build = ProcessId::of(number.trim().parse().unwrap()).expect("it runs");
    assert!(build.is_alive());

    console.kill().unwrap();
    console.wait().unwrap();
    let ended = tokio::time::timeout(PATIENCE, build.ended()).await;
    build.signal_group(rustix::process::Signal::KILL);
    assert!(ended.is_ok(), "it went on without its console");
}

/// A program in the folder of the console.
fn script(console: &Console, text: &str) -> PathBuf {
    script_in(console.data.path(), text)
}

fn script_in(folder: &std::path::Path, text: &str) -> PathBuf {
    let path = folder.join("build.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The program that builds.
fn builder(console: &Console) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let test = "server::builds::tests::the_code_of_a_build_ends_without_an_error";
    let run = format!("'{}' --exact {test} --nocapture --test-threads 1", this.display());
    // What the test harness says itself is left out.
    script(console, &format!("MUSTER_TEST_BUILD=\"$*\" {run} | grep '^{{'"))
}

fn config(program: PathBuf) -> BuildConfig {
    BuildConfig { program, at_once: 1, seconds: 60, memory_mb: 512, late: PATIENCE }
}

fn begin(console: &Console, config: BuildConfig) {
    let app = &console.app;
    app.tasks().spawn(run(app.store().clone(), config, app.shutdown().clone()));
}

async fn console() -> Console {
    Console::with(health([]), worker(WorkerStatus::Ready), vec![], vec![]).await
}

async fn add(console: &Console, name: &str, pnml: &str, keep_broken: bool) -> Answer {
    let body = json!({"name": name, "project_id": PROJECT, "pnml": pnml, "keep_broken": keep_broken});
    console.ask(ANA, Method::POST, "/api/nets", &body.to_string()).await
}

async fn change(console: &Console, net: NetId, pnml: &str, keep_broken: bool) -> Answer {
    let body = json!({"pnml": pnml, "keep_broken": keep_broken}).to_string();
    console.ask(ANA, Method::PUT, &format!("/api/nets/{net}/definition"), &body).await
}

async fn act(console: &Console, net: NetId, action: &str, body: Value) -> Answer {
    console.ask(ANA, Method::POST, &format!("/api/nets/{net}/{action}"), &body.to_string()).await
}

async fn get(console: &Console, path: &str) -> Value {
    let answer = console.ask(ANA, Method::GET, path, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.body
}

fn id_of(answer: &Answer) -> NetId {
    assert!(answer.status.is_success(), "{}", answer.text);
    answer.body["net"]["id"].as_str().unwrap().parse().unwrap()
}

fn row(console: &Console, net: NetId) -> Arc<Net> {
    console.fleet().net(net).unwrap().clone()
}

async fn until_built(console: &Console, net: NetId) -> NetBuild {
    let over =
        |fleet: &crate::model::Fleet| fleet.net(net)?.build.as_ref().map(|build| build.status.is_over());
    console.until("built", |fleet| over(fleet) == Some(true)).await;
    row(console, net).build.clone().unwrap()
}

/// Assigned to the worker.
async fn placed(console: &Console, name: &str, pnml: &str) -> NetId {
    let net = id_of(&add(console, name, pnml, false).await);
    let answer = act(console, net, "assign", json!({"worker_id": WORKER})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    net
}

#[tokio::test]
async fn a_net_is_built_as_it_is_added_and_loads_before_that() {
    let console = console().await;
    let net = placed(&console, "ring", &ring(3)).await;
    let queued = row(&console, net).build.clone().unwrap();
    assert_eq!((queued.status, queued.version), (BuildStatus::Queued, 1));
    let loaded = act(&console, net, "load", json!({})).await;
    assert_eq!(loaded.message(), "Loaded ring on w1.", "{}", loaded.text);

    begin(&console, config(builder(&console)));
    let built = until_built(&console, net).await;
    assert_eq!(built.status, BuildStatus::Succeeded, "{built:?}");
    let summary = built.summary.unwrap();
    assert_eq!((summary.states, summary.deadlock, summary.live), (Some(3), Some(false), Some(true)));
    assert_eq!((summary.bounded, summary.decided), (Some(true), 8));

    let report = get(&console, &format!("/api/nets/{net}/report")).await;
    assert_eq!(report["build"]["id"], built.id.to_string());
    assert_eq!(report["structure"]["state_machine"], true);
    assert_eq!(report["report"]["verdicts"]["states"], 3);
    let log: Vec<&str> =
        report["log"].as_array().unwrap().iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!((log[0], log[1]), ("Queued", "Begun"), "{log:?}");
    assert_eq!(log.last(), Some(&"Succeeded: 8 of 8 verdicts are decided"), "{log:?}");
    let told: Vec<String> = console.fleet().events().map(|event| event.kind.clone()).collect();
    assert!(told.iter().any(|kind| kind == "build.completed"), "{told:?}");

    // The same file is known.
    let again = id_of(&add(&console, "again", &ring(3), false).await);
    let known = row(&console, again).build.clone().unwrap();
    assert_eq!((known.status, known.summary), (BuildStatus::Succeeded, Some(summary)));
    let report = get(&console, &format!("/api/nets/{again}/report")).await;
    assert_eq!(report["report"]["verdicts"]["states"], 3);
    assert_eq!(report["build"]["attempts"], 0);

    // Unless it is asked for anew.
    let answer = act(&console, again, "build", json!({})).await;
    assert_eq!(answer.message(), "Version 1 of again is built anew.", "{}", answer.text);
    let build: BuildId = until_built(&console, again).await.id;
    assert_ne!(build, known.id);
    let rows = get(&console, &format!("/api/builds?net_id={again}")).await;
    let ids: Vec<&str> = rows.as_array().unwrap().iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids, [build.to_string(), known.id.to_string()]);
    console.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_kept_if_asked_for_and_its_net_loads_once_it_is_mended() {
    let console = console().await;
    let refused = add(&console, "odd", BROKEN, false).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let line = refused.body["line"].as_u64().unwrap();
    let nameless = add(&console, "", BROKEN, true).await;
    assert!(nameless.detail().contains("says no name"), "{}", nameless.text);

    let kept = add(&console, "odd", BROKEN, true).await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text);
    assert!(kept.message().starts_with("The net odd was added. The file was kept as it is"), "{}", kept.text);
    let net = id_of(&kept);
    let build = row(&console, net).build.clone().unwrap();
    assert_eq!(build.status, BuildStatus::Failed);
    assert_eq!(u64::from(build.error.clone().unwrap().at.unwrap().0), line);
    let report = get(&console, &format!("/api/nets/{net}/report")).await;
    assert_eq!((&report["report"], &report["build"]["status"]), (&Value::Null, &json!("failed")));

    act(&console, net, "assign", json!({"worker_id": WORKER})).await;
    let load = act(&console, net, "load", json!({})).await;
    assert_eq!(load.status, StatusCode::CONFLICT, "{}", load.text);
    assert!(load.detail().starts_with("Cannot load odd: it is broken (its build failed)."), "{}", load.text);
    let named = act(&console, net, "load", json!({"version": 1})).await;
    assert_eq!((named.status, named.detail()), (StatusCode::CONFLICT, load.detail()));
    // It has no drawing, and its file is there.
    let drawing = console.ask(ANA, Method::GET, &format!("/api/nets/{net}/graph"), "").await;
    assert_eq!(drawing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let file = console.ask(ANA, Method::GET, &format!("/api/nets/{net}/versions/1/pnml"), "").await;
    assert_eq!(file.text, BROKEN);

    let mended = change(&console, net, &ring(3), false).await;
    assert_eq!(mended.message(), "odd has version 2 now.", "{}", mended.text);
    assert_eq!(row(&console, net).version, 2);
    let load = act(&console, net, "load", json!({})).await;
    assert_eq!(load.message(), "Loaded odd on w1.", "{}", load.text);
    console.close().await;
}

#[tokio::test]
async fn an_older_version_is_loaded_by_its_number_and_the_newest_comes_into_force_afterwards() {
    let console = console().await;
    let net = placed(&console, "ring", &ring(3)).await;
    change(&console, net, BROKEN, true).await;
    let third = change(&console, net, &ring(4), false).await;
    assert_eq!(third.body["net"]["version"], 3, "{}", third.text);
    let same = change(&console, net, &ring(4), false).await;
    assert_eq!(same.message(), "ring is the same in version 3 already: it is as it was.");

    let failed = act(&console, net, "load", json!({"version": 2})).await;
    assert_eq!(failed.body["code"], "build_failed", "{}", failed.text);
    assert!(
        failed.detail().starts_with("Cannot load version 2 of ring: its build failed (line "),
        "{}",
        failed.text
    );
    let missing = act(&console, net, "load", json!({"version": 9})).await;
    assert_eq!(missing.detail(), "Cannot load version 9 of ring: it has versions 1 to 3.");

    let first = act(&console, net, "load", json!({"version": 1})).await;
    assert_eq!(first.message(), "Loaded version 1 of ring on w1; the newest is 3.", "{}", first.text);
    let loaded = row(&console, net);
    assert_eq!((loaded.version, loaded.newer.unwrap().number), (1, 3));
    assert_eq!(loaded.definition, DefinitionHash::of(ring(3).as_bytes()));
    // A newer one leaves what is on the worker alone.
    let fourth = change(&console, net, &ring(5), false).await;
    assert!(fourth.message().starts_with("ring has version 4 now. Version 1 stays on its worker"));
    assert_eq!((row(&console, net).version, row(&console, net).newest().number), (1, 4));

    let versions = get(&console, &format!("/api/nets/{net}/versions")).await;
    let versions = versions.as_array().unwrap();
    let of = |n: usize| (versions[n]["number"].as_u64(), versions[n]["build"]["status"].as_str());
    assert_eq!((of(0), of(2)), ((Some(4), Some("queued")), (Some(2), Some("failed"))));
    assert_eq!(versions[3]["actor"]["name"], ANA);

    act(&console, net, "unload", json!({})).await;
    let unloaded = row(&console, net);
    assert_eq!((unloaded.version, unloaded.newer, unloaded.size.places), (4, None, 5));
    // Whoever looked before the version came is told.
    let (path, body) = (format!("/api/nets/{net}/definition"), json!({"pnml": ring(6)}).to_string());
    let old = console.ask_with(BEN, Method::PUT, &path, &body, &[("if-match", "\"1\"")]).await;
    assert_eq!(old.status, StatusCode::PRECONDITION_FAILED);
    console.close().await;
}

#[tokio::test]
async fn the_version_in_force_stays_while_its_worker_cannot_be_heard() {
    let console = console().await;
    let net = placed(&console, "ring", &ring(3)).await;
    change(&console, net, &ring(4), false).await;
    act(&console, net, "load", json!({"version": 1})).await;
    let unreachable = console.app.store().transact(Actor::System, |draft| {
        draft.edit_worker(WORKER, WorkerCause::Status, |row| {
            row.status = WorkerStatus::Error(crate::model::ErrorDetail::Unreachable);
        })
    });
    unreachable.await.unwrap();
    let lost = row(&console, net);
    assert_eq!((lost.load_state, lost.version), (LoadState::Unloaded, 1));
    change(&console, net, &ring(5), false).await;
    assert_eq!((row(&console, net).version, row(&console, net).newest().number), (1, 3));
    // It kept running there.
    let back = console.ask(ANA, Method::POST, &format!("/api/workers/{WORKER}/refresh"), "").await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.text);
    let adopted = row(&console, net);
    assert_eq!((adopted.load_state, adopted.version), (LoadState::Loaded, 1));
    assert_eq!(adopted.newest().number, 3);
    console.close().await;
}

/// As if the console had ended so often while it was built.
async fn interrupted(console: &Console, net: NetId, attempts: u32) {
    let running = console.app.store().transact(Actor::System, move |draft| {
        let id = draft.net(net)?.build.as_ref().ok_or(Gone("build"))?.id;
        let build = Build::clone(draft.build(id)?);
        let started_at = Some(draft.now());
        draft.put_build(
            BuildCause::Started,
            Build { status: BuildStatus::Running, attempts, started_at, ..build },
        )
    });
    running.await.unwrap();
}

#[tokio::test]
async fn a_build_that_ended_with_the_console_is_begun_again_and_given_up_the_third_time() {
    let first = console().await;
    let (often, once) = (
        id_of(&add(&first, "often", &ring(3), false).await),
        id_of(&add(&first, "once", &ring(4), false).await),
    );
    interrupted(&first, often, 3).await;
    interrupted(&first, once, 1).await;
    let console = first.restarted().await;
    begin(&console, config(builder(&console)));
    let given_up = until_built(&console, often).await;
    assert_eq!(given_up.status, BuildStatus::Failed);
    assert_eq!(given_up.error.unwrap().text, "The console ended three times while it was built.");
    let built = until_built(&console, once).await;
    assert_eq!(built.status, BuildStatus::Succeeded, "{built:?}");
    let report = get(&console, &format!("/api/builds/{}", built.id)).await;
    assert_eq!(report["attempts"], 2);
    console.close().await;
}

#[tokio::test]
async fn a_version_that_was_built_keeps_its_verdicts_though_building_it_anew_fails() {
    let first = console().await;
    let net = placed(&first, "ring", &ring(3)).await;
    begin(&first, config(builder(&first)));
    let built = until_built(&first, net).await;
    let first = first.restarted().await;
    let answer = act(&first, net, "build", json!({})).await;
    assert_eq!(answer.message(), "Version 1 of ring is built anew.", "{}", answer.text);
    interrupted(&first, net, 3).await;
    let console = first.restarted().await;
    begin(&console, config(builder(&console)));
    let failed = until_built(&console, net).await;
    assert_eq!((failed.status, failed.summary), (BuildStatus::Failed, built.summary));
    assert_ne!(failed.id, built.id);

    let report = get(&console, &format!("/api/nets/{net}/report")).await;
    assert_eq!(
        (&report["build"]["status"], &report["report"]["verdicts"]["states"]),
        (&json!("failed"), &json!(3))
    );
    let load = act(&console, net, "load", json!({"version": 1})).await;
    assert_eq!(load.message(), "Loaded ring on w1.", "{}", load.text);
    console.close().await;
}

#[tokio::test]
async fn a_version_that_there_is_not_is_not_found() {
    let console = console().await;
    let net = id_of(&add(&console, "ring", &ring(3), false).await);
    for path in ["report?version=99", "versions/99/pnml"] {
        let answer = console.ask(ANA, Method::GET, &format!("/api/nets/{net}/{path}"), "").await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("no_such_version")));
        let said = "There is no version 99 of this net: it has version 1 alone.";
        assert_eq!(answer.detail(), said, "{path}");
    }
    console.close().await;
}

#[tokio::test]
async fn a_build_that_a_console_leaves_at_its_end_is_no_interrupted_one() {
    let first = console().await;
    begin(&first, config(script(&first, "exec sleep 600")));
    let net = id_of(&add(&first, "left", &ring(3), false).await);
    let status = |fleet: &crate::model::Fleet| fleet.net(net)?.build.as_ref().map(|build| build.status);
    first.until("begun", |fleet| status(fleet) == Some(BuildStatus::Running)).await;
    let console = first.restarted().await;
    assert_eq!(row(&console, net).build.as_ref().unwrap().status, BuildStatus::Queued);
    begin(&console, config(builder(&console)));
    let built = until_built(&console, net).await;
    assert_eq!(built.status, BuildStatus::Succeeded, "{built:?}");
    assert_eq!(get(&console, &format!("/api/builds/{}", built.id)).await["attempts"], 1);
    console.close().await;
}

#[tokio::test]
async fn what_is_given_back_is_given_back_although_a_net_of_it_is_gone() {
    let console = console().await;
    let mut builds = Vec::new();
    for (name, places) in [("gone", 3), ("there", 4)] {
        let net = id_of(&add(&console, name, &ring(places), false).await);
        interrupted(&console, net, 1).await;
        builds.push((net, row(&console, net).build.as_ref().unwrap().id));
    }
    let [(gone, first), (there, second)] = builds[..] else { panic!("two") };
    let delete = console.app.store().transact(Actor::System, move |draft| draft.delete_net(gone));
    delete.await.unwrap();
    queue::give_back(console.app.store(), vec![first, second]).await.unwrap();
    let given = row(&console, there).build.clone().unwrap();
    assert_eq!((given.id, given.status), (second, BuildStatus::Queued));
    console.close().await;
}

#[tokio::test]
async fn of_a_version_that_is_built_again_and_again_the_last_builds_are_kept() {
    let console = console().await;
    let net = id_of(&add(&console, "again", &ring(3), false).await);
    let other = id_of(&add(&console, "other", &ring(4), false).await);
    // The other's only build is the oldest of those that are over.
    for (net, times) in [(other, 1), (net, BUILDS_IN_SNAPSHOT + 20)] {
        for _ in 0..times {
            let over = console.app.store().transact(Actor::System, move |draft| {
                let last = draft.net(net)?.build.as_ref().ok_or(Gone("build"))?.id;
                let (now, last) = (draft.now(), draft.build(last)?.clone());
                let id = BuildId(uuid::Uuid::now_v7());
                let over =
                    |build: Build| Build { status: BuildStatus::Succeeded, finished_at: Some(now), ..build };
                draft.put_build(BuildCause::Finished, over(Build::clone(&last)))?;
                draft.put_build(BuildCause::Finished, over(Build { id, ..Build::clone(&last) }))
            });
            over.await.unwrap();
        }
    }
    let pool = console.app.store().pool();
    let kept = crate::server::storage::builds::of_net(pool, net).await.unwrap();
    assert!(kept.len() <= BUILDS_IN_SNAPSHOT, "{}", kept.len());
    assert_eq!(kept.last().unwrap().id, row(&console, net).build.as_ref().unwrap().id);
    let alone = crate::server::storage::builds::of_net(pool, other).await.unwrap();
    assert_eq!(alone.len(), 1, "what is known of it would go with it");
    console.close().await;
}

#[tokio::test]
async fn nets_that_were_never_built_are_built_by_the_next_console() {
    let nets = vec![Net { definition: DefinitionHash::of(PNML), ..unloaded(1) }];
    let console = Console::with(health([]), worker(WorkerStatus::Ready), vec![], nets).await;
    assert_eq!(row(&console, net_id(1)).build, None);
    begin(&console, config(builder(&console)));
    // Its file says nothing of a net.
    let built = until_built(&console, net_id(1)).await;
    assert_eq!(built.status, BuildStatus::Failed, "{built:?}");
    assert!(built.error.unwrap().at.is_some());
    console.close().await;
}

/// The outcome of a build of `pnml` by `config`.
async fn outcome(config: &BuildConfig, pnml: &str) -> Result<netcheck::build::Found, BuildError> {
    let (phase, _phases) = watch::channel(crate::model::BuildPhase::Reading);
    child::build(config, pnml.as_bytes().to_vec(), &phase).await
}

#[tokio::test]
async fn a_build_over_its_time_succeeds_and_says_what_is_not_decided() {
    let console = console().await;
    let config = BuildConfig { seconds: 1, ..config(builder(&console)) };
    let net = id_of(&add(&console, "large", &pnml::write(&Family::ALL[0].net(60)), false).await);
    begin(&console, config);
    let built = until_built(&console, net).await;
    assert_eq!(built.status, BuildStatus::Succeeded, "{built:?}");
    let summary = built.summary.unwrap();
    assert!(summary.decided < 8 && summary.states.is_none(), "{summary:?}");
    let report = get(&console, &format!("/api/nets/{net}/report")).await;
    assert_eq!(report["report"]["verdicts"]["states"], "not decided");
    assert_eq!(report["report"]["hit"], "time");
    // Somebody may give it more: it is no reason to take the word of the last one.
    let again = id_of(&add(&console, "again", &pnml::write(&Family::ALL[0].net(60)), false).await);
    assert_ne!(row(&console, again).build.as_ref().unwrap().status, BuildStatus::Succeeded);
    console.close().await;
}

#[tokio::test]
async fn a_process_that_comes_to_a_bad_end_is_a_failed_build_with_a_sentence() {
    let console = console().await;
    let text = |outcome: Result<_, BuildError>| outcome.map(|_: netcheck::build::Found| ()).unwrap_err().text;
    let with = |program: PathBuf, seconds, late| BuildConfig { seconds, late, ..config(program) };

    let none = with(PathBuf::from("/nowhere/muster"), 60, PATIENCE);
    let said = text(outcome(&none, &ring(3)).await);
    assert!(said.starts_with("No process could be started to build it (/nowhere/muster: "), "{said}");

    let killed = with(script(&console, "kill -9 $$"), 60, PATIENCE);
    let said = text(outcome(&killed, &ring(3)).await);
    assert!(said.starts_with("Its process came to a bad end (killed by signal 9"), "{said}");

    let panics = with(script(&console, "echo 'at the wrong place' >&2; exit 101"), 60, PATIENCE);
    let said = text(outcome(&panics, &ring(3)).await);
    assert_eq!(said, "Its process came to a bad end (exit code 101). Its last words: at the wrong place");

    let greedy = script(&console, "echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$");
    let said = text(outcome(&with(greedy, 60, PATIENCE), &ring(3)).await);
    assert_eq!(said, "It needs more than the 512 MB that a build may take (--build-memory).");

    let hangs = with(script(&console, "exec sleep 600"), 1, Duration::ZERO);
    let said = text(outcome(&hangs, &ring(3)).await);
    assert_eq!(said, "Its process was ended: it may take 1 s (--build-seconds), and did not end by itself.");
    let babbles = with(script(&console, "echo '{\"phase\":\"states\"}'; echo nonsense"), 60, PATIENCE);
    let said = text(outcome(&babbles, &ring(3)).await);
    assert_eq!(said, "Its process came to a bad end (exit code 0).");

    // And as a row.
    let net = id_of(&add(&console, "ring", &ring(3), false).await);
    begin(&console, killed);
    std::fs::remove_file(console.data.path().join("build.sh")).unwrap();
    let built = until_built(&console, net).await;
    assert_eq!(built.status, BuildStatus::Failed);
    assert!(built.error.unwrap().text.starts_with("No process could be started"));
    console.close().await;
}

#[tokio::test]
async fn a_build_says_of_our_samples_what_the_check_says() {
    let console = console().await;
    let config = config(builder(&console));
    for sample in SAMPLES {
        let net = pnml::read(sample.pnml.as_bytes(), &Limits::default()).unwrap();
        let found = outcome(&config, sample.pnml).await.unwrap();
        let report = NetReport::from(&analyse(&net, &Budget::of_memory(320_000_000)));
        assert_eq!(found.report, report, "{}", sample.name);
        assert_eq!(found.structure, Structure::of(&net), "{}", sample.name);
    }
    console.close().await;
}

#[tokio::test]
async fn a_net_that_moves_takes_its_builds_along() {
    let console = console().await;
    let net = id_of(&add(&console, "ring", &ring(3), false).await);
    let other = console.ask(EVA, Method::POST, "/api/projects", &json!({"name": "other"}).to_string()).await;
    let other = other.body["project"]["id"].as_str().unwrap().to_owned();
    let moved = act(&console, net, "move", json!({"project_id": other})).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let builds = get(&console, &format!("/api/builds?net_id={net}")).await;
    assert_eq!(builds[0]["project_id"], other);
    let fleet = console.fleet();
    let seen = |project| fleet.filtered(|seen| seen == project).builds().len();
    assert_eq!((seen(PROJECT), seen(other.parse().unwrap())), (0, 1));
    console.close().await;
}

#[tokio::test]
async fn an_export_holds_every_version_and_an_import_builds_them_anew() {
    let first = console().await;
    let net = placed(&first, "ring", &ring(3)).await;
    change(&first, net, BROKEN, true).await;
    change(&first, net, &ring(4), false).await;
    act(&first, net, "load", json!({"version": 1})).await;
    let file = first.ask(EVA, Method::GET, "/api/export", "").await.text;

    let second = Console::for_agents(crate::server::agents::Pace::default()).await;
    let imported = second.ask(EVA, Method::POST, "/api/import", &file).await;
    assert_eq!(imported.status, StatusCode::OK, "{}", imported.text);
    assert_eq!(second.ask(EVA, Method::GET, "/api/export", "").await.text, file);
    let arrived = row(&second, net);
    assert_eq!((arrived.version, arrived.newer, arrived.size.places), (3, None, 4));
    let versions = get(&second, &format!("/api/nets/{net}/versions")).await;
    let statuses: Vec<&str> = (versions.as_array().unwrap().iter())
        .filter_map(|version| version["build"]["status"].as_str())
        .collect();
    assert_eq!(statuses, ["queued", "failed", "queued"]);
    assert_eq!(versions[0]["actor"]["name"], ANA);
    // A file of an older console knows no versions.
    let mut older: Value = serde_json::from_str(&file).unwrap();
    older["nets"][0].as_object_mut().unwrap().remove("versions");
    let newest = older["nets"][0]["definition"].as_str().unwrap().to_owned();
    older["definitions"].as_object_mut().unwrap().retain(|hash, _| *hash == newest);
    let third = Console::for_agents(crate::server::agents::Pace::default()).await;
    let imported = third.ask(EVA, Method::POST, "/api/import", &older.to_string()).await;
    assert_eq!(imported.status, StatusCode::OK, "{}", imported.text);
    assert_eq!(get(&third, &format!("/api/nets/{net}/versions")).await.as_array().unwrap().len(), 1);
    first.close().await;
}

#[tokio::test]
async fn what_a_version_refers_to_outlives_the_start_of_a_console() {
    use crate::server::storage::definitions;
    let console = console().await;
    let net = id_of(&add(&console, "ring", &ring(3), false).await);
    change(&console, net, &ring(4), false).await;
    let pool = console.app.store().pool();
    definitions::remove_unused(pool).await.unwrap();
    for places in [3, 4] {
        let hash = DefinitionHash::of(ring(places).as_bytes());
        assert!(definitions::get(pool, hash).await.unwrap().is_some(), "the version with {places} places");
    }
    let delete = console.app.store().transact(Actor::System, move |draft| draft.delete_net(net));
    delete.await.unwrap();
    definitions::remove_unused(pool).await.unwrap();
    assert!(definitions::get(pool, DefinitionHash::of(ring(4).as_bytes())).await.unwrap().is_none());
    console.close().await;
}
