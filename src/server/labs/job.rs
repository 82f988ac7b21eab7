//! Who is asked for their labs when: each ready worker every so often, at once who has something to tell, and again who did not answer.

use super::{Reach, SyncError, sync};
use crate::{
    model::{Fleet, LabId, Timestamp, Worker, WorkerId, lab::SYNC_EVERY},
    server::{App, clock::now},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// Calls that come within this time are one.
const GATHER: Duration = Duration::from_millis(100);
/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Workers asked together.
const AT_ONCE: usize = 32;
/// Before a worker that did not answer is asked again; doubles up to the second.
const TRY_AGAIN: Duration = Duration::from_secs(5);
const TRY_AGAIN_MOST: Duration = Duration::from_secs(300);

/// A worker that did not answer.
struct Again {
    at: Instant,
    pause: Duration,
    reach: Reach,
}

#[derive(Default)]
struct Job {
    waiting: BTreeMap<WorkerId, Reach>,
    under_way: BTreeSet<WorkerId>,
    again: HashMap<WorkerId, Again>,
    /// The labs as they were last looked at, and where each was.
    known: BTreeMap<LabId, WorkerId>,
}

/// Keeps the rows of labs true until the console goes down.
pub async fn run(app: App) {
    let desk = app.supervisor().labs().clone();
    let mut job = Job::default();
    let mut tasks = JoinSet::new();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.shutdown().cancelled() => break,
            () = desk.is_called() => {
                sleep(GATHER).await;
                job.called(desk.take());
            }
            _ = look.tick() => job.look(&app.store().fleet(), now(), Instant::now()),
            Some(done) = tasks.join_next() => match done {
                Ok((worker, reach, outcome)) => job.done(worker, reach, outcome, Instant::now()),
                Err(error) => {
                    // A bug in one of them; whose place it held cannot be told.
                    tracing::error!(%error, "a worker's labs could not be synced");
                    job.under_way.clear();
                }
            },
        }
        while let Some((worker, reach)) = job.next(tasks.len()) {
            let app = app.clone();
            tasks.spawn(async move { (worker, reach, sync(&app, worker, reach).await) });
        }
    }
    tasks.shutdown().await;
}

impl Job {
    fn called(&mut self, called: BTreeMap<WorkerId, Reach>) {
        for (worker, reach) in called {
            let wanted = self.waiting.entry(worker).or_insert(reach);
            *wanted = reach.max(*wanted);
        }
    }

    /// What is due by the clock, and the workers of which a row of a lab is gone: it may still be there.
    fn look(&mut self, fleet: &Arc<Fleet>, at: Timestamp, now: Instant) {
        let labs: BTreeMap<LabId, WorkerId> =
            fleet.labs().filter_map(|lab| Some((lab.id, lab.worker_id?))).collect();
        let before = std::mem::replace(&mut self.known, labs);
        let left = before.into_iter().filter(|(id, _)| !self.known.contains_key(id));
        let mut due: BTreeMap<WorkerId, Reach> = left.map(|(_, worker)| (worker, Reach::Over)).collect();
        let is_ready = |id: &WorkerId| fleet.worker(*id).is_some_and(|worker| worker.is_ready());
        self.again.retain(|worker, _| is_ready(worker));
        for (worker, again) in self.again.iter_mut().filter(|(_, again)| again.at <= now) {
            due.entry(*worker).or_insert(again.reach);
            // How it ends decides when the next time is.
            again.at = now + TRY_AGAIN_MOST;
        }
        let is_open = |id| !self.again.contains_key(id) && !self.under_way.contains(id);
        for worker in fleet.workers().filter(|worker| worker.is_ready() && is_due(fleet, worker, at)) {
            if is_open(&worker.id) {
                due.insert(worker.id, Reach::All);
            }
        }
        due.retain(|worker, _| is_ready(worker));
        self.called(due);
    }

    fn next(&mut self, running: usize) -> Option<(WorkerId, Reach)> {
        if running >= AT_ONCE {
            return None;
        }
        let worker = *self.waiting.keys().find(|worker| !self.under_way.contains(worker))?;
        let reach = self.waiting.remove(&worker)?;
        self.under_way.insert(worker);
        Some((worker, reach))
    }

    fn done<T>(&mut self, worker: WorkerId, reach: Reach, outcome: Result<T, SyncError>, now: Instant) {
        self.under_way.remove(&worker);
        match outcome {
            // One that comes back says so.
            Ok(_) | Err(SyncError::NotReady) => _ = self.again.remove(&worker),
            Err(error) => {
                let before = self.again.get(&worker).map(|again| again.pause);
                let pause = before.map_or(TRY_AGAIN, |pause| (pause * 2).min(TRY_AGAIN_MOST));
                tracing::debug!(%worker, %error, ?pause, "a worker could not be asked for its labs");
                self.again.insert(worker, Again { at: now + pause, pause, reach });
            }
        }
    }
}

/// Whether it was last asked as long ago as its cluster says.
fn is_due(fleet: &Fleet, worker: &Worker, at: Timestamp) -> bool {
    let minutes = fleet.cluster(worker.cluster_id).and_then(|cluster| cluster.lab_sync_minutes);
    let every = minutes.map_or(SYNC_EVERY, |minutes| Duration::from_secs(u64::from(minutes) * 60));
    let since = worker.labs.map_or(worker.status_since, |labs| labs.synced_at.max(worker.status_since));
    at.since(since) >= every
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Change, Cluster, LabCounts, WorkerCause, WorkerStatus},
        server::supervise::tests::fixtures::{self as some, WORKER},
    };

    fn fleet(minutes: Option<u32>, synced_at: u64) -> Arc<Fleet> {
        let mut fleet = Fleet::default();
        let cluster = Arc::new(Cluster { lab_sync_minutes: minutes, ..some::cluster() });
        fleet.apply(&Change::ClusterPut { created: true, reconnected: false, cluster });
        let labs = Some(LabCounts { synced_at: Timestamp(synced_at), ..LabCounts::default() });
        let worker = Arc::new(Worker { labs, ..some::worker(WorkerStatus::Ready) });
        fleet.apply(&Change::WorkerPut { cause: WorkerCause::Created, worker });
        Arc::new(fleet)
    }

    fn failed() -> Result<(), SyncError> {
        Err(SyncError::Changed)
    }

    #[test]
    fn a_worker_is_asked_as_often_as_its_cluster_says() {
        let minute = 60_000;
        for (minutes, every) in [(None, 30), (Some(5), 5)] {
            for (after, due) in [(every - 1, false), (every, true)] {
                let mut job = Job::default();
                job.look(&fleet(minutes, 1_000), Timestamp(1_000 + after * minute), Instant::now());
                assert_eq!(job.next(0).is_some(), due, "{minutes:?} after {after} minutes");
                // It is asked already.
                job.look(&fleet(minutes, 1_000), Timestamp(1_000 + after * minute), Instant::now());
                assert_eq!(job.next(0), None);
            }
        }
    }

    #[test]
    fn who_does_not_answer_is_asked_again_less_and_less_often() {
        let (mut job, fleet, mut now) = (Job::default(), fleet(None, 0), Instant::now());
        job.called(BTreeMap::from([(WORKER, Reach::Over)]));
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            assert_eq!(job.next(0), Some((WORKER, Reach::Over)));
            job.done(WORKER, Reach::Over, failed(), now);
            let pause = Duration::from_secs(pause);
            job.look(&fleet, Timestamp(0), now + pause - Duration::from_millis(1));
            assert_eq!(job.next(0), None, "{pause:?}");
            now += pause;
            job.look(&fleet, Timestamp(0), now);
        }
        job.next(0).unwrap();
        job.done(WORKER, Reach::Over, Ok(()), now);
        assert!(job.again.is_empty());
    }

    #[test]
    fn a_worker_that_has_something_to_tell_is_asked_once_at_a_time_and_once_more_after_it() {
        let mut job = Job::default();
        job.called(BTreeMap::from([(WORKER, Reach::Over)]));
        assert_eq!(job.next(AT_ONCE), None, "not too many together");
        assert_eq!(job.next(0), Some((WORKER, Reach::Over)));
        job.called(BTreeMap::from([(WORKER, Reach::All)]));
        job.called(BTreeMap::from([(WORKER, Reach::Over)]));
        assert_eq!(job.next(1), None);
        job.done(WORKER, Reach::Over, Ok(()), Instant::now());
        assert_eq!(job.next(0), Some((WORKER, Reach::All)));
    }
}
