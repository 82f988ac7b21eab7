//! Labs on workers: what the rows say of them is kept true, and what they find is kept.
//!
//! A lab lives on its worker and nowhere else. [`judge`] holds the rules by which the rows follow what a worker says, purely; `sync` is
//! one time of asking; `job` decides who is asked when; [`plan`] checks what is to be tried before anybody is asked for it. What comes in:
//! the store, the worker client, and supervision's word that a worker has something to tell ([`Desk`]). What must not: decisions about
//! workers and nets; those are supervision's.

mod desk;
mod job;
mod judge;
pub mod plan;
mod sync;
#[cfg(test)]
mod tests;

pub use desk::{Desk, Reach};
pub use job::run;
pub use judge::NOT_THERE;
pub use sync::{SyncError, sync};

use super::{App, api::error::internal, auth::Who, clock::now, storage::labs};
use crate::{
    app::{error::ApiError, labs::LabReport},
    model::LabId,
};
use std::time::Duration;

/// Who reads does not wait longer for a worker: there is what was kept.
const READER_WAITS: Duration = Duration::from_secs(5);

/// What a lab has found, as far as the console knows; `None`: nothing yet. One that works is asked now; where its worker does not answer,
/// and of all others, it is what was kept.
pub async fn results(app: &App, who: &Who, id: LabId) -> Result<Option<LabReport>, ApiError> {
    let fleet = app.store().fleet();
    let lab = fleet.lab(id).filter(|lab| who.scope.sees_project(lab.project_id));
    let lab = lab.ok_or(ApiError::Gone { what: "lab".to_owned() })?;
    let worker = lab.worker_id.and_then(|id| fleet.worker(id)).filter(|worker| worker.is_ready());
    if lab.state.is_active()
        && let Some((worker, machine)) = worker.and_then(|row| Some((row.id, row.machine.as_ref()?)))
    {
        let asked = app.client().lab_results(machine, worker, id);
        match tokio::time::timeout(READER_WAITS, asked).await {
            Ok(Ok(results)) => return Ok(Some(LabReport { at: now(), results })),
            other => tracing::debug!(lab = %id, ?other, "a lab could not be asked for what it has found"),
        }
    }
    labs::results(app.store().pool(), id).await.map_err(|error| internal(&error))
}
