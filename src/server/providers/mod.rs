//! Who makes machines. One file a provider; [`Providers`] picks by the worker's row.
//!
//! A provider knows machines, not the fleet: it is handed a worker's row and says what became of the machine. It never writes rows.
//! To add one: write its file after the pattern of [`local`], add it to [`Providers`], and answer for it in each `match` below. What it
//! must keep: making, stopping and destroying may be asked again and end in the same state; what is gone already is destroyed; a machine
//! half made when the console died is found again by [`Providers::inspect`] or ended by [`Providers::destroy`].

pub mod external;
pub mod local;
mod run_file;

pub use crate::process::ProcessId;
pub use external::ExternalProvider;
pub use local::{LocalConfig, LocalProvider};

use super::workers::CallError;
use crate::model::{Machine, Provider, Worker, WorkerId};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::mpsc;

/// What a provider knows of a worker's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineState {
    Running {
        machine: Machine,
    },
    /// It is there, and it can be started.
    Stopped,
    Gone,
}

/// A machine ended, by itself or because it was made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerExit {
    pub worker_id: WorkerId,
    pub provider_ref: String,
    /// How, in words that follow "its process": `was killed by signal 9`.
    pub how: String,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("The provider {} is not available in this build of Muster.", .0.as_str())]
    Unavailable(Provider),
    #[error("The worker's process could not be started ({program}): {cause}.")]
    Spawn { program: PathBuf, cause: String },
    #[error("The worker's process {what}.{}", log_tail(.log))]
    NotReady { what: String, log: Vec<String> },
    #[error("The worker's process started, but: {0}")]
    NoHealth(CallError),
    #[error("The file {path} cannot be used: {cause}.")]
    File { path: PathBuf, cause: Arc<std::io::Error> },
    #[error("The worker's record has no address to connect to. Delete it and create it anew with one.")]
    NoEndpoint,
    #[error(
        "The worker at {endpoint} refuses the console's token. Start it with the token that `muster token worker {worker}` tells."
    )]
    WrongToken { endpoint: String, worker: WorkerId },
    #[error("The console could not connect to the worker: {0}")]
    NotConnected(CallError),
    #[error("The machine is somebody else's; the console cannot {0} it.")]
    NotOurs(&'static str),
    #[error("The machine was given up while it was being made.")]
    GivenUp,
    #[error("The process {0} could not be ended. End it by hand, then try again.")]
    WontEnd(String),
}

fn log_tail(log: &[String]) -> String {
    if log.is_empty() { String::new() } else { format!(" Its last words: {}", log.join(" / ")) }
}

/// How many exits may wait for the supervisor.
const EXITS_WAITING: usize = 1024;

/// Every provider of this build.
#[derive(Clone)]
pub struct Providers {
    local: LocalProvider,
    external: ExternalProvider,
}

impl Providers {
    /// The providers, and the exits of machines that they notice; these go to the supervisor.
    pub fn new(local: LocalConfig) -> Result<(Providers, mpsc::Receiver<WorkerExit>), ProviderError> {
        let (exits, noticed) = mpsc::channel(EXITS_WAITING);
        let external = ExternalProvider::new(local.client.clone());
        Ok((Providers { local: LocalProvider::new(local, exits)?, external }, noticed))
    }

    /// Makes a machine and waits until it answers. Whatever an earlier attempt left behind is ended first.
    pub async fn provision(&self, worker: &Worker) -> Result<Machine, ProviderError> {
        match worker.provider {
            Provider::Local => self.local.start(worker).await,
            Provider::External => self.external.connect(worker).await,
            other => Err(ProviderError::Unavailable(other)),
        }
    }

    /// Starts a stopped machine and waits until it answers.
    pub async fn start(&self, worker: &Worker) -> Result<Machine, ProviderError> {
        match worker.provider {
            Provider::Local => self.local.start(worker).await,
            Provider::External => Err(ProviderError::NotOurs("start")),
            other => Err(ProviderError::Unavailable(other)),
        }
    }

    /// Stops a machine so that it can be started again. One that is stopped or gone is stopped.
    pub async fn stop(&self, worker: &Worker) -> Result<(), ProviderError> {
        match worker.provider {
            Provider::Local => self.local.stop(worker).await,
            Provider::External => Err(ProviderError::NotOurs("stop")),
            other => Err(ProviderError::Unavailable(other)),
        }
    }

    /// Ends a machine for good, also one that is still being made. One that is gone is destroyed.
    pub async fn destroy(&self, worker: &Worker) -> Result<(), ProviderError> {
        match worker.provider {
            Provider::Local => self.local.destroy(worker).await,
            Provider::External => {
                self.external.disconnect(worker).await;
                Ok(())
            }
            other => Err(ProviderError::Unavailable(other)),
        }
    }

    /// What the provider says of a worker's machine. Does not ask the machine itself.
    pub async fn inspect(&self, worker: &Worker) -> Result<MachineState, ProviderError> {
        match worker.provider {
            Provider::Local => self.local.inspect(worker),
            Provider::External => Ok(self.external.inspect(worker)),
            other => Err(ProviderError::Unavailable(other)),
        }
    }

    /// Makes sure that the end of this worker's machine will be noticed, where the provider can.
    pub fn watch(&self, worker: &Worker) {
        match worker.provider {
            Provider::Local => self.local.watch(worker),
            Provider::Fly | Provider::Ec2 | Provider::External => {}
        }
    }
}
