//! The job over a real database that is closed and opened again between any two steps.

use super::*;
use crate::{
    model::{
        Agent, AgentId, CommandOffer, Host, HostId, Name, Outcome, PipelineStatus, Plan,
        command::COMMANDS_IN_SNAPSHOT,
    },
    server::storage::News,
};
use std::path::Path;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::task::TaskTracker;

const PATIENCE: Duration = Duration::from_secs(30);

struct Opened {
    store: Store,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    job: Option<(JoinHandle<()>, CancellationToken)>,
    _news: tokio::task::JoinHandle<()>,
}

impl Opened {
    async fn at(path: &Path) -> Opened {
        let (sender, mut news) = mpsc::channel::<News>(64);
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let (store, _) = Store::open(path, sender, &tasks, shutdown.clone()).await.unwrap();
        let news = tokio::spawn(async move { while news.recv().await.is_some() {} });
        Opened { store, tasks, shutdown, job: None, _news: news }
    }

    fn start_job(&mut self) {
        let end = CancellationToken::new();
        self.job = Some((tokio::spawn(run(self.store.clone(), end.clone())), end));
    }

    async fn end_job(&mut self) {
        if let Some((job, end)) = self.job.take() {
            end.cancel();
            tokio::time::timeout(PATIENCE, job).await.unwrap().unwrap();
        }
    }

    async fn close(mut self) {
        self.end_job().await;
        self.shutdown.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.unwrap();
    }

    async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Draft) -> Result<T, Gone> + Send + 'static,
    ) -> T {
        self.store.transact(Actor::System, decide).await.unwrap()
    }

    /// Waits until the job has nothing left to do; the pipeline then.
    async fn quiet(&self, id: PipelineId) -> Pipeline {
        let mut news = self.store.watch();
        let is_quiet = |fleet: &Fleet| {
            let row = fleet.pipeline(id).unwrap();
            let next = row.next(
                |id| fleet.command(id).cloned(),
                |id| fleet.host(id).is_some(),
                || CommandId(Uuid::now_v7()),
                row.created_at,
            );
            next == Next::default()
        };
        let waited = tokio::time::timeout(PATIENCE, news.wait_for(|now| is_quiet(&now.fleet))).await;
        let fleet = waited.expect("the pipeline goes on").unwrap().fleet.clone();
        Pipeline::clone(fleet.pipeline(id).unwrap())
    }
}

fn host(n: u128) -> Host {
    let offer = |kind: &str| CommandOffer { kind: kind.parse().unwrap(), timeout_s: 60, checks: Vec::new() };
    let agent = Agent { id: AgentId(Uuid::from_u128(n)), version: "1".to_owned(), outdated: false };
    Host {
        agent: Some(agent),
        commands: vec![offer("pull"), offer("switch")],
        ..Host::unseen(HostId(Uuid::from_u128(n)), Name::new(&format!("host-{n}")).unwrap())
    }
}

/// Hosts 1 to `hosts`, and a pipeline over them that has begun.
async fn begun(opened: &Opened, hosts: u128, stages: &[&str], concurrency: u32) -> PipelineId {
    let plan = Plan {
        host_ids: (1..=hosts).map(|n| HostId(Uuid::from_u128(n))).collect(),
        stages: stages.iter().map(|kind| kind.parse().unwrap()).collect(),
        concurrency,
        canary: 0,
        stop_after_failures: 1,
    };
    opened
        .write(move |draft| {
            (1..=hosts).for_each(|n| draft.create_host(host(n)));
            let pipeline =
                Pipeline::begin(PipelineId(Uuid::now_v7()), "a".to_owned(), plan, Actor::System, draft.now());
            step(draft, pipeline, &Actor::System)
        })
        .await
        .id
}

fn ended(code: i32) -> Happening {
    Happening::Finished { outcome: Outcome::Exited { code }, reason: None, output_bytes: 0 }
}

#[tokio::test]
async fn a_pipeline_survives_a_restart_between_any_two_steps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let mut opened = Opened::at(&path).await;
    let id = begun(&opened, 3, &["pull", "switch"], 2).await;
    let mut seen = BTreeSet::new();
    let mut restarts = 0;
    let last = loop {
        opened.close().await;
        opened = Opened::at(&path).await;
        opened.start_job();
        let row = opened.quiet(id).await;
        seen.extend(row.active());
        assert!(row.active().count() <= 2);
        let fleet = opened.store.fleet();
        for command in row.active().map(|id| fleet.command(id).unwrap()) {
            assert_eq!(
                (command.pipeline_id, command.expires_at),
                (Some(id), command.queued_at.plus(QUEUED_FOR))
            );
        }
        let Some(command) = row.active().next() else { break row };
        // The console dies after a command ended and before anybody saw to the pipeline.
        opened.end_job().await;
        assert!(opened.write(move |draft| draft.happens(command, &ended(0))).await);
        restarts += 1;
    };
    assert_eq!(last.status, PipelineStatus::Succeeded);
    assert_eq!((seen.len(), restarts), (6, 6), "one command a host and stage");
    opened.close().await;
}

#[tokio::test]
async fn more_commands_than_the_snapshot_keeps_may_end_while_nobody_looks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let opened = Opened::at(&path).await;
    let hosts = COMMANDS_IN_SNAPSHOT as u128 + 20;
    let id = begun(&opened, hosts, &["pull"], hosts as u32).await;
    let commands: Vec<CommandId> = opened.store.fleet().pipeline(id).unwrap().active().collect();
    assert_eq!(commands.len() as u128, hosts);
    opened
        .write(move |draft| commands.into_iter().try_for_each(|id| draft.happens(id, &ended(0)).map(drop)))
        .await;
    opened.close().await;
    let mut opened = Opened::at(&path).await;
    opened.start_job();
    assert_eq!(opened.quiet(id).await.status, PipelineStatus::Succeeded, "none of them is lost");
    opened.close().await;
}

#[tokio::test]
async fn what_the_job_does_follows_from_what_happens_and_nothing_else_makes_it_write() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = Opened::at(&dir.path().join("db")).await;
    let id = begun(&opened, 3, &["pull"], 1).await;
    opened.start_job();
    let row = opened.quiet(id).await;
    let version = opened.store.head().version;
    // Somebody else's news wakes the job and changes nothing of the pipeline.
    opened
        .write(|draft| {
            draft.create_host(host(9));
            Ok(())
        })
        .await;
    assert_eq!((opened.quiet(id).await, opened.store.head().version), (row.clone(), version + 1));
    let command = row.active().next().unwrap();
    opened.write(move |draft| draft.delete_host(HostId(Uuid::from_u128(3)))).await;
    let stopping = opened.quiet(id).await;
    assert_eq!(
        (stopping.status, stopping.reason.as_deref()),
        (PipelineStatus::Stopping, Some("1 host failed"))
    );
    opened.write(move |draft| draft.happens(command, &ended(0))).await;
    let over = opened.quiet(id).await;
    assert_eq!(over.status, PipelineStatus::Failed);
    assert_eq!(over.lanes[1].cells, [Cell::Skipped], "what waited never began");
    opened.close().await;
}
