//! Pipelines go on: whoever ends a command, deletes a host or starts the console again, what comes next is written by [`step`], in the
//! transaction of whoever calls it. The job here calls it for what nobody asked for: commands that ended.
//!
//! Nothing is kept in memory that a restart could lose. The job remembers what it has seen only to know when it need not look.

#[cfg(test)]
mod tests;

use super::storage::{Store, TransactError};
use crate::model::{
    Actor, Cell, Command, CommandId, Draft, Fleet, Gone, Happening, Pipeline, PipelineId,
    pipeline::{Next, QUEUED_FOR},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A step writes the pipeline's row whole, and the row grows with its hosts: what ends meanwhile is gathered for so long a host, a second
/// for 5,000 of them.
const GATHER_PER_LANE: Duration = Duration::from_micros(200);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(2);

/// Writes what comes next for `pipeline`, whose row is as given, together with the commands it queues and cancels; `by` is who cancels.
/// `pipeline` may be the row as it was or as the caller has changed it; one draft takes one step. Returns the row as it is then.
pub fn step(draft: &mut Draft, pipeline: Pipeline, by: &Actor) -> Result<Pipeline, Gone> {
    let before = draft.before().pipeline(pipeline.id).cloned();
    let mut after = pipeline;
    // A command that is cancelled before it was sent ends by that, and with it, it may be, the pipeline: so until there is nothing new.
    loop {
        let Next { changed, queue, cancel } = {
            let fresh = || CommandId(Uuid::now_v7());
            let (command, is_there) = (|id| draft.command(id).ok().cloned(), |id| draft.host(id).is_ok());
            after.next(command, is_there, fresh, draft.now())
        };
        let still = changed.is_none() && cancel.is_empty();
        for (id, host_id, kind) in queue {
            let mut command = Command::queued(id, host_id, kind, after.actor.clone(), draft.now());
            command.pipeline_id = Some(after.id);
            command.expires_at = draft.now().plus(QUEUED_FOR);
            draft.queue_command(command)?;
        }
        for id in cancel {
            draft.happens(id, &Happening::Cancel { by: by.clone() })?;
        }
        if let Some(changed) = changed {
            after = changed;
        }
        if still {
            break;
        }
    }
    if before.as_deref() != Some(&after) {
        draft.put_pipeline(after.clone());
        after.revision = before.map_or(0, |before| before.revision).max(after.revision) + 1;
    }
    Ok(after)
}

/// What the job waits for, of a pipeline that is not over.
struct Awaited {
    revision: u64,
    commands: Vec<CommandId>,
}

impl Awaited {
    fn of(pipeline: &Pipeline) -> Awaited {
        Awaited { revision: pipeline.revision, commands: pipeline.active().collect() }
    }

    /// Whether a step could find something: the row is another one, a command of it ended, or a host that it has yet to go to is gone.
    fn is_stirred(&self, pipeline: &Pipeline, fleet: &Fleet) -> bool {
        self.revision != pipeline.revision
            || self
                .commands
                .iter()
                .any(|id| fleet.command(*id).is_none_or(|command| command.status.is_over()))
            || pipeline
                .lanes
                .iter()
                .any(|lane| lane.cells.contains(&Cell::Waiting) && fleet.host(lane.host_id).is_none())
    }
}

/// Keeps pipelines going until shutdown.
pub async fn run(store: Store, shutdown: CancellationToken) {
    let mut news = store.watch();
    let mut awaited: BTreeMap<PipelineId, Awaited> = BTreeMap::new();
    loop {
        let fleet = news.borrow_and_update().fleet.clone();
        let open: Vec<_> = fleet.pipelines().filter(|row| !row.status.is_over()).cloned().collect();
        let ids: BTreeSet<PipelineId> = open.iter().map(|row| row.id).collect();
        awaited.retain(|id, _| ids.contains(id));
        let mut gather = Duration::ZERO;
        let mut failed = false;
        for row in open {
            if awaited.get(&row.id).is_some_and(|awaited| !awaited.is_stirred(&row, &fleet)) {
                continue;
            }
            match go_on(&store, row.id).await {
                Ok(Some(after)) => {
                    gather = gather.max(GATHER_PER_LANE * after.lanes.len() as u32);
                    awaited.insert(after.id, Awaited::of(&after));
                }
                Ok(None) => {}
                Err(error) => {
                    if shutdown.is_cancelled() {
                        return;
                    }
                    tracing::error!(%error, pipeline = %row.id, "a pipeline could not go on; it is tried again");
                    failed = true;
                }
            }
        }
        let pause = if failed { PAUSE } else { gather };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if failed {
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = news.changed() => if changed.is_err() { return },
        }
    }
}

/// One step of one pipeline, in a transaction of its own; the row as it is then, unless it is over or gone.
async fn go_on(store: &Store, id: PipelineId) -> Result<Option<Pipeline>, TransactError<Gone>> {
    store
        .transact(Actor::System, move |draft| {
            let Some(row) = draft.before().pipeline(id).filter(|row| !row.status.is_over()) else {
                return Ok(None);
            };
            step(draft, Pipeline::clone(row), &Actor::System).map(Some)
        })
        .await
}
