//! Builds in a transaction: queued, taken up again, or finished at once where all is known.

use crate::{
    model::{
        Actor, Build, BuildCause, BuildError, BuildId, BuildStatus, BuildSummary, DefinitionHash, Draft,
        Gone, NetId, build::ATTEMPTS,
    },
    server::storage::{StorageError, Store, TransactError, reports},
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What is known of a file before it is built.
#[derive(Clone, Debug)]
pub enum Known {
    Nothing,
    /// It cannot be read.
    Broken(BuildError),
    /// Another build found this in the same file.
    Found(BuildSummary),
    /// The same, but it is wanted anew.
    Again(BuildSummary),
}

/// Nets that get a build in one transaction at start-up.
const AT_ONCE: usize = 100;

/// Puts the build of a version.
pub fn put(
    draft: &mut Draft,
    net: NetId,
    version: u32,
    definition: DefinitionHash,
    known: Known,
) -> Result<(), Gone> {
    let (project, now) = (draft.net(net)?.project_id, draft.now());
    let queued = Build::queued(BuildId(Uuid::now_v7()), net, project, version, definition, now);
    let over = |build: Build| Build { finished_at: Some(now), ..build };
    let (cause, build) = match known {
        Known::Nothing => (BuildCause::Queued, queued),
        Known::Again(summary) => (BuildCause::Queued, Build { summary: Some(summary), ..queued }),
        Known::Broken(error) => {
            let failed = Build { status: BuildStatus::Failed, error: Some(error), ..queued };
            (BuildCause::Finished, over(failed))
        }
        Known::Found(summary) => {
            let succeeded = Build { status: BuildStatus::Succeeded, summary: Some(summary), ..queued };
            (BuildCause::Finished, over(succeeded))
        }
    };
    draft.put_build(cause, build)
}

/// What an earlier console left: builds that ran go back to the queue, and nets that were never built get a build.
pub async fn take_up(store: &Store) -> Result<(), StorageError> {
    commit(store, |draft| {
        let running: Vec<_> =
            draft.before().builds().filter(|build| build.status == BuildStatus::Running).cloned().collect();
        for build in running {
            let now = draft.now();
            let build = Build::clone(&build);
            if build.attempts < ATTEMPTS {
                draft.put_build(
                    BuildCause::Progress,
                    Build { status: BuildStatus::Queued, phase: None, started_at: None, ..build },
                )?;
                continue;
            }
            let text = "The console ended three times while it was built.".to_owned();
            let error = Some(BuildError { text, at: None });
            let failed =
                Build { status: BuildStatus::Failed, phase: None, error, finished_at: Some(now), ..build };
            draft.put_build(BuildCause::Finished, failed)?;
        }
        Ok(())
    })
    .await?;

    let fleet = store.fleet();
    let never: Vec<_> = fleet.nets().filter(|net| net.build.is_none()).map(|net| net.id).collect();
    let mut found = BTreeMap::new();
    for net in never.iter().filter_map(|id| fleet.net(*id)) {
        let definition = net.newest().definition;
        if found.contains_key(&definition) {
            continue;
        }
        let kept = reports::get(store.pool(), definition).await?;
        let kept = kept.filter(|(_, kept)| kept.is_whole()).map(|(_, kept)| kept.summary());
        found.insert(definition, kept);
    }
    for nets in never.chunks(AT_ONCE) {
        let (nets, found) = (nets.to_vec(), found.clone());
        commit(store, move |draft| {
            for id in nets {
                let Ok(net) = draft.net(id).cloned() else { continue };
                let newest = net.newest();
                if net.build.is_some() {
                    continue;
                }
                let known = found.get(&newest.definition).copied().flatten();
                let known = known.map_or(Known::Nothing, Known::Found);
                put(draft, id, newest.number, newest.definition, known)?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// What this console leaves at its end goes back to the queue, as if it had not been begun: nothing is wrong with it.
pub async fn give_back(store: &Store, taken: Vec<BuildId>) -> Result<(), StorageError> {
    commit(store, move |draft| {
        for id in taken {
            let Ok(build) = draft.build(id) else { continue };
            if build.status != BuildStatus::Running {
                continue;
            }
            let attempts = build.attempts.saturating_sub(1);
            let build = Build {
                status: BuildStatus::Queued,
                phase: None,
                attempts,
                started_at: None,
                ..Build::clone(build)
            };
            // One whose net is gone needs nothing more, and is no reason to keep the others.
            _ = draft.put_build(BuildCause::Progress, build);
        }
        Ok(())
    })
    .await
}

/// A transaction of the console's own. What is gone by then needs nothing more.
async fn commit(
    store: &Store,
    decide: impl FnOnce(&mut Draft) -> Result<(), Gone> + Send + 'static,
) -> Result<(), StorageError> {
    match store.transact(Actor::System, decide).await {
        Ok(()) | Err(TransactError::Refused(Gone(_))) => Ok(()),
        Err(TransactError::Storage(error)) => Err(error),
    }
}
