//! The job: takes the oldest build that waits, has it done, and writes down what came of it.

use super::{
    child::{self, BuildConfig},
    queue,
};
use crate::{
    model::{
        Actor, Build, BuildCause, BuildError, BuildId, BuildPhase, BuildStatus, BuildSummary, Draft, Gone,
    },
    netcheck::build::Found,
    server::storage::{SideWrite, Store, TransactError, definitions, reports, reports::Kept},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// A row tells of its phase this often at most.
const TELLS_EVERY: Duration = Duration::from_secs(1);
/// Until a database that took nothing is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Builds what waits, until the console shuts down. What is under way then goes back to the queue, for the next one.
pub async fn run(store: Store, config: BuildConfig, shutdown: CancellationToken) {
    if let Err(error) = queue::take_up(&store).await {
        tracing::error!(%error, "the builds that an earlier console left could not be taken up");
    }
    let mut rows = store.watch();
    let mut under_way = JoinSet::new();
    let mut taken = BTreeSet::new();
    loop {
        let fleet = rows.borrow_and_update().fleet.clone();
        let waiting = fleet.builds().filter(|build| build.status == BuildStatus::Queued);
        let room = config.at_once.saturating_sub(under_way.len());
        let next: Vec<_> = waiting.filter(|build| !taken.contains(&build.id)).take(room).cloned().collect();
        for build in next {
            taken.insert(build.id);
            under_way.spawn(one(store.clone(), config.clone(), build));
        }
        tokio::select! {
            () = shutdown.cancelled() => {
                // The processes end with their tasks.
                under_way.shutdown().await;
                let taken = taken.into_iter().collect();
                if let Err(error) = queue::give_back(&store, taken).await {
                    tracing::warn!(%error, "what was being built is taken up as interrupted");
                }
                return;
            }
            Some(ended) = under_way.join_next(), if !under_way.is_empty() => match ended {
                Ok(id) => _ = taken.remove(&id),
                Err(error) => tracing::error!(%error, "a build was left in the middle"),
            },
            changed = rows.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn one(store: Store, config: BuildConfig, build: Arc<Build>) -> BuildId {
    let id = build.id;
    // What was found in the same file since this one was queued holds for it.
    let pool = store.pool();
    if let Ok(Some((at, kept))) = reports::get(pool, build.definition).await
        && at >= build.queued_at
        && kept.is_whole()
    {
        finish(&store, id, Ok((kept.summary(), None))).await;
        return id;
    }
    let started = edit(&store, id, BuildStatus::Queued, BuildCause::Started, |build, now| {
        build.status = BuildStatus::Running;
        build.phase = Some(BuildPhase::Reading);
        build.attempts += 1;
        build.started_at = Some(now);
    });
    if !started.await {
        return id;
    }
    let outcome = match definitions::get(pool, build.definition).await {
        Ok(Some(pnml)) => {
            let (phase, phases) = watch::channel(BuildPhase::Reading);
            tokio::select! {
                outcome = child::build(&config, pnml, &phase) => outcome,
                never = tell(&store, id, phases) => match never {},
            }
        }
        Ok(None) => Err(BuildError { text: "Its file is missing.".to_owned(), at: None }),
        Err(error) => Err(BuildError { text: format!("Its file could not be read: {error}."), at: None }),
    };
    let outcome = outcome.map(|found| {
        let Found { structure, report, log } = found;
        let kept = Kept { build: id, structure, report, log };
        (kept.summary(), Some(kept))
    });
    finish(&store, id, outcome).await;
    id
}

/// Tells of phases, as long as it is let.
async fn tell(
    store: &Store,
    id: BuildId,
    mut phases: watch::Receiver<BuildPhase>,
) -> std::convert::Infallible {
    loop {
        // What is over within a second is told by its end alone.
        tokio::time::sleep(TELLS_EVERY).await;
        let phase = *phases.borrow_and_update();
        edit(store, id, BuildStatus::Running, BuildCause::Progress, move |build, _| {
            build.phase = Some(phase)
        })
        .await;
        if phases.changed().await.is_err() {
            // It is about to end.
            std::future::pending::<()>().await;
        }
    }
}

/// Writes down what came of it, together with its report.
async fn finish(store: &Store, id: BuildId, outcome: Result<(BuildSummary, Option<Kept>), BuildError>) {
    let (result, kept) = match outcome {
        Ok((summary, kept)) => (Ok(summary), kept),
        Err(error) => (Err(error), None),
    };
    let kept: Option<Arc<str>> = kept.map(|kept| {
        serde_json::to_string(&kept)
            .expect("reports are plain data: no map keys, no failing serialiser")
            .into()
    });
    loop {
        let (result, kept) = (result.clone(), kept.clone());
        let written = store.transact_with(Actor::System, None, move |draft, _| {
            let mut build = Build::clone(draft.build(id)?);
            if build.status.is_over() {
                return Ok(((), Vec::new()));
            }
            (build.phase, build.finished_at) = (None, Some(draft.now()));
            match result {
                Ok(summary) => (build.status, build.summary) = (BuildStatus::Succeeded, Some(summary)),
                Err(error) => {
                    // Where the file itself is wrong, nothing that was found in it holds.
                    build.summary = build.summary.filter(|_| error.at.is_none());
                    (build.status, build.error) = (BuildStatus::Failed, Some(error));
                }
            }
            let definition = build.definition;
            draft.put_build(BuildCause::Finished, build)?;
            let side = kept.map(|kept| SideWrite::Report { definition, kept });
            Ok::<_, Gone>(((), side.into_iter().collect()))
        });
        match written.await {
            Ok(()) | Err(TransactError::Refused(Gone(_))) => return,
            Err(TransactError::Storage(error)) => {
                tracing::error!(%error, build = %id, "what came of a build could not be written; it is tried again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

/// Changes the row of a build that is still what it is taken for; whether it was.
async fn edit(
    store: &Store,
    id: BuildId,
    is: BuildStatus,
    cause: BuildCause,
    edit: impl FnOnce(&mut Build, crate::model::Timestamp) + Send + 'static,
) -> bool {
    let written = store.transact(Actor::System, move |draft: &mut Draft| {
        let mut build = Build::clone(draft.build(id)?);
        if build.status != is {
            return Ok(false);
        }
        let before = build.clone();
        edit(&mut build, draft.now());
        if build != before {
            draft.put_build(cause, build)?;
        }
        Ok::<_, Gone>(true)
    });
    match written.await {
        Ok(is_so) => is_so,
        Err(TransactError::Refused(Gone(_))) => false,
        Err(TransactError::Storage(error)) => {
            tracing::error!(%error, build = %id, "a build could not be written");
            // Not at once again: it would fail the same way.
            tokio::time::sleep(AGAIN_AFTER).await;
            false
        }
    }
}
