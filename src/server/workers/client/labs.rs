//! Calls about the labs of a worker. None needs a key: each says how the lab shall be, and asked twice it is so already.

use super::{CallError, LARGEST_ANSWER, LARGEST_HEALTH, WorkerClient};
use crate::{
    model::{LabId, Machine, WorkerId},
    worker::protocol::{HostedLab, LabResults, NewLab},
};
use reqwest::Method;

/// One lab: its plan is bounded by the worker (`bad_plan`), far below this.
const LARGEST_LAB: usize = 256 << 10;
/// The largest results: an estimate for each of 200,000 places and transitions.
const LARGEST_RESULTS: usize = 32 << 20;

impl WorkerClient {
    /// All labs of a worker.
    pub async fn labs(&self, machine: &Machine, worker: WorkerId) -> Result<Vec<HostedLab>, CallError> {
        let request = self.request(&machine.endpoint, worker, Method::GET, "/labs");
        self.answer(&machine.endpoint, self.timing.call, request, LARGEST_HEALTH).await
    }

    /// Makes a lab, idle. The same lab that is already there stays as it is.
    pub async fn make_lab(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: &NewLab,
    ) -> Result<HostedLab, CallError> {
        let request = self.request(&machine.endpoint, worker, Method::POST, "/labs").json(lab);
        let made = self.answer(&machine.endpoint, self.timing.load, request, LARGEST_LAB).await?;
        about(machine, lab.id, made)
    }

    /// Starts a lab, or has it go on. One that works already works on.
    pub async fn start_lab(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: LabId,
    ) -> Result<HostedLab, CallError> {
        self.control_lab(machine, worker, lab, "start").await
    }

    /// Stops a lab; what was counted is kept. One that does not work is stopped already.
    pub async fn stop_lab(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: LabId,
    ) -> Result<HostedLab, CallError> {
        self.control_lab(machine, worker, lab, "stop").await
    }

    /// Has a lab forget what it counted. One that works refuses (`lab_active`).
    pub async fn wipe_lab(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: LabId,
    ) -> Result<HostedLab, CallError> {
        self.control_lab(machine, worker, lab, "wipe").await
    }

    /// Deletes a lab, whatever it does. One that is not there is deleted.
    pub async fn delete_lab(&self, machine: &Machine, worker: WorkerId, lab: LabId) -> Result<(), CallError> {
        let request = self.request(&machine.endpoint, worker, Method::DELETE, &format!("/labs/{lab}"));
        match self.call(&machine.endpoint, self.timing.call, request, LARGEST_ANSWER).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused { status: 404, error }) if error.code == "no_lab" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What a lab has found up to now.
    pub async fn lab_results(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: LabId,
    ) -> Result<LabResults, CallError> {
        let request = self.request(&machine.endpoint, worker, Method::GET, &format!("/labs/{lab}/results"));
        self.answer(&machine.endpoint, self.timing.load, request, LARGEST_RESULTS).await
    }

    async fn control_lab(
        &self,
        machine: &Machine,
        worker: WorkerId,
        lab: LabId,
        verb: &str,
    ) -> Result<HostedLab, CallError> {
        let path = format!("/labs/{lab}/{verb}");
        let request = self.request(&machine.endpoint, worker, Method::POST, &path);
        about(machine, lab, self.answer(&machine.endpoint, self.timing.call, request, LARGEST_LAB).await?)
    }
}

/// The answer, if it is about the lab that was asked for.
fn about(machine: &Machine, wanted: LabId, answer: HostedLab) -> Result<HostedLab, CallError> {
    if answer.id == wanted {
        return Ok(answer);
    }
    let what = format!("an answer about another lab ({})", answer.id);
    Err(CallError::Nonsense { endpoint: machine.endpoint.clone(), what })
}
