//! The poll against the stub, and the rows it leaves.

use super::{
    stub::{REPO, Stub, StubPull, TOKEN},
    *,
};
use crate::{model::host::Checks, server::storage::News};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

struct Opened {
    store: Store,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    _news: mpsc::Receiver<News>,
    _dir: tempfile::TempDir,
}

async fn store() -> Opened {
    let dir = tempfile::tempdir().unwrap();
    let (sender, news) = mpsc::channel(1024);
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let (store, _) = Store::open(&dir.path().join("db"), sender, &tasks, shutdown.clone()).await.unwrap();
    Opened { store, tasks, shutdown, _news: news, _dir: dir }
}

fn sha(of: char) -> String {
    of.to_string().repeat(40)
}

#[tokio::test]
async fn rows_follow_what_github_says_and_what_is_the_same_is_not_sent_again() {
    let stub = Stub::start().await;
    stub.world().pulls.insert(1, StubPull::new("Update the lock file", &sha('a')));
    let mut second = StubPull::new("Try\u{7} this", &sha('b'));
    (second.mergeable, second.runs) = (None, vec![("queued", None)]);
    stub.world().pulls.insert(2, second);
    let github = GitHub::new(stub.target()).unwrap();
    let opened = store().await;

    let looked = github.look().await;
    github.write(&opened.store, looked).await;
    let fleet = opened.store.fleet();
    let row = |number| PullRequest::clone(fleet.pull_request(number).unwrap());
    assert_eq!((row(1).mergeable, row(1).checks, row(1).revision), (Some(true), Checks::Passing, 1));
    assert_eq!((row(2).mergeable, row(2).checks, row(2).title.as_str()), (None, Checks::Pending, "Try this"));
    assert_eq!(row(1).url, format!("https://github.com/{REPO}/pull/1"));
    assert!(github.seen().checked_at.is_some());

    // Nothing new: every answer is a 304, and no version is written.
    let (version, requests) = (opened.store.head().version, stub.world().requests);
    let looked = github.look().await;
    github.write(&opened.store, looked).await;
    assert_eq!(opened.store.head().version, version);
    assert_eq!(stub.world().not_modified, requests, "as many as the first look asked");

    stub.world().pulls.get_mut(&2).unwrap().mergeable = Some(false);
    stub.world().pulls.get_mut(&1).unwrap().open = false;
    let looked = github.look().await;
    github.write(&opened.store, looked).await;
    let fleet = opened.store.fleet();
    assert!(fleet.pull_request(1).is_none());
    assert_eq!(fleet.pull_request(2).unwrap().mergeable, Some(false));
}

#[tokio::test]
async fn a_failure_is_said_once_keeps_the_rows_and_its_end_is_said_too() {
    let stub = Stub::start().await;
    stub.world().pulls.insert(1, StubPull::new("Update", &sha('a')));
    let github = GitHub::new(stub.target()).unwrap();
    let opened = store().await;
    let looked = github.look().await;
    github.write(&opened.store, looked).await;
    let checked_at = github.seen().checked_at;

    stub.world().refuses = Some((500, Vec::new()));
    for _ in 0..2 {
        let looked = github.look().await;
        github.write(&opened.store, looked).await;
    }
    assert_eq!(opened.store.fleet().pull_requests().len(), 1);
    let seen = github.seen();
    assert_eq!(seen.checked_at, checked_at);
    assert!(seen.error.unwrap().contains("500"));
    stub.world().refuses = None;
    let looked = github.look().await;
    github.write(&opened.store, looked).await;
    let texts: Vec<String> = opened.store.fleet().events().map(|event| event.text.clone()).collect();
    let told = |text: &str| texts.iter().filter(|told| told.contains(text)).count();
    assert_eq!((told("cannot be read"), told("are read again")), (1, 1), "{texts:?}");
    assert!(opened.store.fleet().events().all(|event| event.is_of_hosts()));
}

#[tokio::test]
async fn limits_are_obeyed_without_asking_again() {
    let stub = Stub::start().await;
    let github = GitHub::new(stub.target()).unwrap();
    stub.world().refuses = Some((403, vec![("retry-after", "40".to_owned())]));
    let Err(Failure::Limited { pause }) = github.look().await else { panic!("it is limited") };
    assert_eq!(pause, Duration::from_secs(40));
    stub.world().refuses = None;
    let requests = stub.world().requests;
    assert!(matches!(github.look().await, Err(Failure::Limited { .. })));
    assert_eq!(stub.world().requests, requests, "GitHub is left alone meanwhile");

    // The hour's requests are used up; the answer that says so still counts.
    let github = GitHub::new(stub.target()).unwrap();
    let reset = (now().0 / 1000 + 1800).to_string();
    let headers = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset)];
    stub.world().refuses = Some((403, headers));
    let Err(Failure::Limited { pause }) = github.look().await else { panic!("it is limited") };
    assert!((1790..=1800).contains(&pause.as_secs()), "{pause:?}");
}

#[tokio::test]
async fn the_token_goes_to_no_other_host_and_into_no_message() {
    let other = Stub::start().await;
    let to = format!("{}/repos/{REPO}/pulls", other.url);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let redirects = axum::Router::new().fallback(move || {
        let to = to.clone();
        async move { axum::response::Redirect::temporary(&to) }
    });
    tokio::spawn(axum::serve(listener, redirects).into_future());
    let github = GitHub::new(Target { url, ..other.target() }).unwrap();
    let failed = github.look().await.unwrap_err();
    assert!(matches!(failed, Failure::Refused { status: 307, .. }), "{failed}");
    assert_eq!(other.world().requests, 0);

    std::fs::write(other.token_file(), "another\n").unwrap();
    let github = GitHub::new(other.target()).unwrap();
    let failed = github.look().await.unwrap_err();
    assert_eq!(failed, Failure::Refused { status: 401, said: "Bad credentials".to_owned() });
    // A new token is taken without a restart.
    std::fs::write(other.token_file(), TOKEN).unwrap();
    github.look().await.unwrap();
    std::fs::write(other.token_file(), "two\nlines").unwrap();
    let failed = format!("{:?}", github.look().await.unwrap_err());
    assert!(failed.contains("one line") && !failed.contains("two"), "{failed}");
    assert!(!format!("{github:?}").contains(TOKEN));
}

#[tokio::test]
async fn the_poll_looks_when_woken_and_ends_with_the_console() {
    let stub = Stub::start().await;
    let github = GitHub::new(stub.target()).unwrap();
    let opened = store().await;
    let polling = tokio::spawn(github.clone().poll(
        opened.store.clone(),
        Duration::from_secs(3600),
        opened.shutdown.clone(),
    ));
    let mut news = opened.store.watch();
    stub.world().pulls.insert(7, StubPull::new("Late", &sha('d')));
    github.wake.now();
    let seen = news.wait_for(|now| now.fleet.pull_request(7).is_some());
    tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap().unwrap();
    opened.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(30), polling).await.unwrap().unwrap();
    opened.tasks.close();
}
