//! One time of asking a worker for its labs, and writing what it says.

use super::{
    Reach,
    judge::{self, is_wanted, judge},
};
use crate::{
    app::labs::LabReport,
    model::{Actor, Gone, Lab, LabCounts, LabId, LabProgress, LabState, Machine, WorkerCause, WorkerId},
    server::{
        App,
        clock::now,
        storage::{SideWrite, StorageError, TransactError, labs},
        workers::CallError,
    },
    worker::protocol::HostedLab,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Why a worker's labs are not known.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("The worker no longer exists, or is not ready.")]
    NotReady,
    #[error("The worker changed while it was asked.")]
    Changed,
    #[error("{0}")]
    Call(CallError),
    #[error("{0}")]
    Storage(StorageError),
}

impl From<Gone> for SyncError {
    fn from(_: Gone) -> SyncError {
        SyncError::NotReady
    }
}

impl From<StorageError> for SyncError {
    fn from(error: StorageError) -> SyncError {
        SyncError::Storage(error)
    }
}

/// What a worker said it has.
struct Said {
    machine: Machine,
    held: Vec<HostedLab>,
    results: BTreeMap<LabId, LabReport>,
    /// Labs whose results are not what results look like.
    unreadable: BTreeSet<LabId>,
}

/// Asks a worker for its labs and brings the rows in line, in one transaction. What no row knows there is deleted on the worker.
pub async fn sync(app: &App, worker: WorkerId, reach: Reach) -> Result<LabCounts, SyncError> {
    let _turn = app.supervisor().labs().turn(worker).await;
    let row = app.store().fleet().worker(worker).filter(|row| row.is_ready()).cloned();
    let machine = row.as_ref().and_then(|row| row.machine.clone()).ok_or(SyncError::NotReady)?;
    // What is written is at least as new as the question.
    let at = now();
    let held = match app.client().labs(&machine, worker).await {
        Ok(held) => held,
        // A worker that knows nothing of labs has none.
        Err(CallError::Refused { status: 404, .. }) => Vec::new(),
        Err(error) => return Err(SyncError::Call(error)),
    };
    let rows: Vec<Arc<Lab>> = app.store().fleet().labs_on(worker).cloned().collect();
    let name = row.map(|row| row.name.to_string()).unwrap_or_default();
    let judged = judge(&rows, Some(machine.incarnation), &name, &held, at);
    let as_judged = |id: LabId| {
        let changed = judged.rows.iter().find(|row| row.id == id);
        changed.or_else(|| rows.iter().map(|row| &**row).find(|row| row.id == id))
    };

    let kept = labs::kept(app.store().pool(), &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    let (mut results, mut unreadable, mut broken) = (BTreeMap::new(), BTreeSet::new(), None);
    for held in &held {
        let known = kept.get(&held.id).copied();
        let wanted = as_judged(held.id).is_some_and(|row| is_wanted(row, held, known, reach == Reach::All));
        if !wanted {
            continue;
        }
        match app.client().lab_results(&machine, worker, held.id).await {
            Ok(found) => _ = results.insert(held.id, LabReport { at, results: found }),
            Err(error @ CallError::Nonsense { .. }) => {
                // The fault of one lab, told of that one.
                tracing::warn!(lab = %held.id, %error, "the results of a lab cannot be read");
                unreadable.insert(held.id);
            }
            Err(error) if error.is_workers_fault() => {
                // The rest is asked for again, and what is known by now is written.
                broken = Some(error);
                break;
            }
            Err(error) => tracing::debug!(lab = %held.id, %error, "a lab has nothing to tell"),
        }
    }
    let said = Said { machine: machine.clone(), held, results, unreadable };
    let (counts, strays) = write(app, worker, name, said, at).await?;
    for stray in strays {
        match app.client().delete_lab(&machine, worker, stray).await {
            Ok(()) => tracing::info!(%worker, lab = %stray, "deleted a lab that nobody knows"),
            Err(error) => {
                tracing::warn!(%worker, lab = %stray, %error, "a lab that nobody knows stays");
                broken = broken.or_else(|| Some(error).filter(CallError::is_workers_fault));
                break;
            }
        }
    }
    match broken {
        Some(error) => Err(SyncError::Call(error)),
        None => Ok(counts),
    }
}

async fn write(
    app: &App,
    worker: WorkerId,
    name: String,
    said: Said,
    at: crate::model::Timestamp,
) -> Result<(LabCounts, Vec<LabId>), SyncError> {
    let written = app.store().transact_with(Actor::System, None, move |draft, _| {
        let row = draft.worker(worker)?;
        // What one machine says tells nothing of the next.
        if !row.is_ready() {
            return Err(SyncError::NotReady);
        }
        if row.machine.as_ref() != Some(&said.machine) {
            return Err(SyncError::Changed);
        }
        let rows = draft.labs_on(worker);
        let judged = judge(&rows, Some(said.machine.incarnation), &name, &said.held, at);
        let mut side = Vec::new();
        let mut changed = judged.rows;
        let readable = said.results.keys().map(|id| (*id, true));
        for (id, readable) in readable.chain(said.unreadable.iter().map(|id| (*id, false))) {
            let at_hand = changed.iter().position(|lab| lab.id == id);
            let lab = match at_hand {
                Some(place) => Some(&changed[place]),
                None => rows.iter().map(|row| &**row).find(|row| row.id == id),
            };
            match (lab.and_then(|lab| judge::read(lab, readable, at)), at_hand) {
                (Some(lab), Some(place)) => changed[place] = lab,
                (Some(lab), None) => changed.push(lab),
                (None, _) => {}
            }
        }
        for lab in changed {
            // Wiped, and nobody wrote so.
            let before = rows.iter().find(|row| row.id == lab.id).map(|row| row.progress);
            let is_empty = lab.state == LabState::Idle && lab.progress == LabProgress::default();
            if is_empty && before.is_some_and(|before| before != lab.progress) {
                side.push(SideWrite::NoLabResults { lab: lab.id });
            }
            draft.put_lab(lab)?;
        }
        let found = said.results.into_iter().filter(|(id, _)| rows.iter().any(|row| row.id == *id));
        side.extend(found.map(|(lab, report)| SideWrite::LabResults { lab, report: Arc::new(report) }));
        draft.edit_worker(worker, WorkerCause::Labs, |row| row.labs = Some(judged.counts))?;
        Ok(((judged.counts, judged.strays), side))
    });
    written.await.map_err(|error| match error {
        TransactError::Refused(error) => error,
        TransactError::Storage(error) => SyncError::Storage(error),
    })
}
