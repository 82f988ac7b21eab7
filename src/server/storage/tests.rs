//! The promises of the storage, against a real database file.

use super::{
    News, SideWrite, StorageError, Store, TransactError, append_from_outside, audit,
    idempotency::{Key, Known},
    ledger::Head,
    open,
};
use crate::model::{
    Actor, Change, Cluster, ClusterId, Connection, Draft, Gone, Name, Provider, Timestamp, UserId,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

struct Opened {
    store: Store,
    news: mpsc::Receiver<News>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Opened {
    async fn at(path: &Path) -> Opened {
        let (sender, news) = mpsc::channel(64);
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let (store, _) = Store::open(path, sender, &tasks, shutdown.clone()).await.unwrap();
        Opened { store, news, tasks, shutdown }
    }

    async fn close(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The next entry that the follower hands on.
    async fn next_version(&mut self) -> u64 {
        loop {
            let news = tokio::time::timeout(Duration::from_secs(10), self.news.recv())
                .await
                .expect("the follower said nothing");
            if let News::Entry(entry, head) = news.expect("the follower ended") {
                assert_eq!(head.version, entry.version);
                return entry.version;
            }
        }
    }
}

fn cluster(name: &str) -> Cluster {
    Cluster {
        id: ClusterId(Uuid::new_v4()),
        name: Name::new(name).unwrap(),
        provider: Provider::Local,
        region: None,
        connection: Connection::Connected,
        lab_sync_minutes: None,
        revision: 0,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

async fn add(store: &Store, name: &'static str) -> Result<(), TransactError<Gone>> {
    store
        .transact(Actor::System, move |draft: &mut Draft| {
            draft.put_cluster(cluster(name));
            Ok(())
        })
        .await
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("muster.db");
    let first = Opened::at(&path).await;
    add(&first.store, "a").await.unwrap();
    add(&first.store, "b").await.unwrap();
    let (head, fleet) = (first.store.head(), first.store.fleet());
    assert_eq!(head.version, 2, "one version a transaction");
    first.close().await;

    let second = Opened::at(&path).await;
    assert_eq!(second.store.head(), head);
    assert_eq!(*second.store.fleet(), *fleet);
    second.close().await;
}

#[tokio::test]
async fn transactions_that_wait_together_keep_their_order_and_their_versions() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = Opened::at(&dir.path().join("muster.db")).await;
    let names: Vec<String> = (0..50).map(|n| format!("c{n}")).collect();
    let all = names.iter().map(|name| {
        let name = name.clone();
        opened.store.transact(Actor::System, move |draft: &mut Draft| {
            draft.put_cluster(cluster(&name));
            Ok::<_, Gone>(())
        })
    });
    for outcome in futures::future::join_all(all).await {
        outcome.unwrap();
    }
    assert_eq!(opened.store.head().version, 50);
    for version in 1..=50 {
        assert_eq!(opened.next_version().await, version);
    }
    opened.close().await;
}

#[tokio::test]
async fn a_refused_decision_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Opened::at(&dir.path().join("muster.db")).await;
    let refused = opened.store.transact(Actor::System, |draft: &mut Draft| {
        draft.put_cluster(cluster("never"));
        Err::<(), _>(Gone("worker"))
    });
    assert!(matches!(refused.await, Err(TransactError::Refused(Gone("worker")))));
    assert_eq!(opened.store.head().version, 0);
    assert_eq!(opened.store.fleet().clusters().len(), 0);
    opened.close().await;
}

#[tokio::test]
async fn a_decision_that_panics_takes_nobody_down() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Opened::at(&dir.path().join("muster.db")).await;
    let panicked = opened.store.transact::<(), Gone>(Actor::System, |_| panic!("a bug in one action"));
    assert!(matches!(panicked.await, Err(TransactError::Storage(StorageError::Closed))));
    add(&opened.store, "after").await.unwrap();
    assert_eq!(opened.store.head().version, 1);
    opened.close().await;
}

/// Writes to the database as another process would.
async fn write_from_outside(path: &Path, name: &str) -> Head {
    let change = Change::ClusterPut { created: true, reconnected: false, cluster: Arc::new(cluster(name)) };
    append_from_outside(path, Timestamp(2), Actor::System, vec![change]).await.unwrap()
}

#[tokio::test]
async fn the_journal_is_the_only_feed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("muster.db");
    let mut opened = Opened::at(&path).await;
    add(&opened.store, "ours").await.unwrap();
    assert_eq!(opened.next_version().await, 1);
    let head = write_from_outside(&path, "theirs").await;
    assert_eq!(opened.next_version().await, 2, "a row written by another connection is handed on");
    // Our writer catches up before it decides.
    add(&opened.store, "ours again").await.unwrap();
    assert_eq!(opened.store.head().version, 3);
    assert_ne!(opened.store.head().chain, head.chain);
    assert_eq!(opened.store.fleet().clusters().len(), 3);
    opened.close().await;
}

#[tokio::test]
async fn a_database_that_lost_its_end_is_told_apart_even_at_equal_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("muster.db");
    let mut opened = Opened::at(&path).await;
    add(&opened.store, "a").await.unwrap();
    assert_eq!(opened.next_version().await, 1);
    // As if an older copy had been put back: the last transaction is gone …
    let mut connection = open::open_reader(&path).await.unwrap();
    for sql in [
        "DELETE FROM journal",
        "DELETE FROM clusters",
        "DELETE FROM events",
        "UPDATE meta SET version = 0, chain = zeroblob(16)",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    // … and another one took its number.
    write_from_outside(&path, "b").await;
    let reset = async {
        loop {
            if let News::Reset(fleet, head) = opened.news.recv().await.unwrap()
                && head.version == 1
            {
                return fleet;
            }
        }
    };
    let fleet =
        tokio::time::timeout(Duration::from_secs(10), reset).await.expect("the follower did not notice");
    assert_eq!(fleet.clusters().next().unwrap().name.as_str(), "b");
    opened.close().await;
}

#[tokio::test]
async fn a_key_is_taken_with_the_transaction_and_gives_its_first_answer_again() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Opened::at(&dir.path().join("muster.db")).await;
    let key = Key { user: UserId(Uuid::new_v4()), key: "k".to_owned(), request: "r".to_owned() };
    let other = Key { request: "another".to_owned(), ..key.clone() };
    let seen = async |key: Key, write: Vec<SideWrite>| {
        let decide = move |_: &mut Draft, known: Known| Ok::<_, Gone>((known, write));
        opened.store.transact_with(Actor::System, Some(key), decide).await.unwrap()
    };
    assert_eq!(seen(key.clone(), vec![SideWrite::Claim(key.clone())]).await, Known::New);
    assert_eq!(seen(key.clone(), vec![]).await, Known::UnderWay);
    assert_eq!(seen(other, vec![]).await, Known::Reused);
    seen(key.clone(), vec![SideWrite::Answer { key: key.clone(), answer: "done".to_owned() }]).await;
    assert_eq!(seen(key.clone(), vec![]).await, Known::Answered("done".to_owned()));
    opened.close().await;
}

fn line(n: u64) -> audit::Line {
    let target = format!("worker {n}");
    audit::Line { at: Timestamp(n), actor: Actor::System, action: "stop", target, outcome: "done".to_owned() }
}

async fn audited(store: &Store) -> Vec<String> {
    sqlx::query_scalar("SELECT target FROM audit ORDER BY id").fetch_all(store.pool()).await.unwrap()
}

#[tokio::test]
async fn lines_of_the_audit_log_are_durable_when_answered_and_have_no_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("muster.db");
    let opened = Opened::at(&path).await;
    let lines = (0..40).map(|n| opened.store.record(line(n)));
    let changes = (0..40).map(|n| {
        opened.store.transact(Actor::System, move |draft: &mut Draft| {
            draft.put_cluster(cluster(&format!("beside {n}")));
            Ok::<_, Gone>(())
        })
    });
    let (recorded, changed) =
        futures::join!(futures::future::join_all(lines), futures::future::join_all(changes));
    recorded.into_iter().for_each(|outcome| outcome.unwrap());
    changed.into_iter().for_each(|outcome| outcome.unwrap());
    let expected: Vec<String> = (0..40).map(|n| line(n).target).collect();
    assert_eq!(audited(&opened.store).await, expected);
    opened.close().await;

    let opened = Opened::at(&path).await;
    assert_eq!(audited(&opened.store).await, expected);
    assert_eq!(opened.store.head().version, 40, "one for each change, none for a line");
    opened.close().await;
}

#[tokio::test]
async fn a_line_recorded_after_the_writer_ended_is_refused_not_lost_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Opened::at(&dir.path().join("muster.db")).await;
    let store = opened.store.clone();
    opened.close().await;
    assert!(matches!(store.record(line(1)).await, Err(StorageError::Closed)));
}
