//! The worker protocol on the wire: what `muster worker` and the console say to each other (docs/worker-protocol.md).

use crate::model::{
    DefinitionHash, Incarnation, LabFigures, LabId, LabPlan, LabProgress, LabState, LoadId, NetId,
    NetMetrics, RunState, WorkerId, WorkerMetrics,
};
use crate::petri::{NetReport, lab::Results};
use serde::{Deserialize, Serialize};

/// The one line a worker prints on standard output once it listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Base address, for example `http://127.0.0.1:40123`.
    pub endpoint: String,
    pub pid: u32,
    pub incarnation: Incarnation,
}

/// `GET /health`, and the first frame of `GET /events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub worker_id: WorkerId,
    pub incarnation: Incarnation,
    pub version: String,
    pub nets: Vec<HostedNet>,
    /// A worker that knows nothing of labs leaves them out.
    #[serde(default)]
    pub labs: Vec<HostedLab>,
    pub metrics: WorkerMetrics,
}

/// A net as its worker holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostedNet {
    pub id: NetId,
    pub load_id: LoadId,
    pub run_state: RunState,
    /// Firings per second asked for; 0 is as fast as possible. Meaningful while running.
    pub rate: u32,
    pub firings: u64,
}

/// A lab as its worker holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostedLab {
    pub id: LabId,
    pub net_id: NetId,
    pub definition: DefinitionHash,
    pub plan: LabPlan,
    /// Never `lost`.
    pub state: LabState,
    /// Of a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(flatten)]
    pub progress: LabProgress,
}

/// `POST /labs`: makes a lab, idle. The id that is already there, with the same plan: nothing happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewLab {
    pub id: LabId,
    /// The net that it is a copy of; that one need not be loaded here.
    pub net_id: NetId,
    pub plan: LabPlan,
    pub pnml: String,
}

/// `GET /labs/{id}/results`: what it has found up to now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "one is made for each question")]
pub enum LabResults {
    MonteCarlo {
        results: Results,
    },
    /// `None` while it is explored.
    Explore {
        report: Option<Box<NetReport>>,
    },
}

/// A frame of `GET /events`: SSE event `state` for the whole picture, `worker` for what happened since. Never silent for more than 2 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WorkerEvent {
    /// The whole picture: first on every stream, and again when a reader was too slow for the frames between.
    State(Health),
    Loaded(HostedNet),
    Unloaded {
        id: NetId,
        load_id: LoadId,
    },
    RunState {
        id: NetId,
        load_id: LoadId,
        run_state: RunState,
        rate: u32,
    },
    /// Every second.
    Metrics {
        worker: WorkerMetrics,
        nets: Vec<NetMetrics>,
        /// Those that work or wait for their turn.
        #[serde(default)]
        labs: Vec<LabFigures>,
    },
    /// A lab was made, or has another state.
    Lab(HostedLab),
    LabGone {
        id: LabId,
    },
    /// Something an operator should read. `net` is the net it is about.
    Log {
        level: LogLevel,
        net: Option<NetId>,
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Info,
    Warning,
    Error,
}

/// A frame of `GET /events?net=<id>`: one net, watched closely. At most 20 frames a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NetEvent {
    /// Tokens of every place, in the order of the PNML file: first on every stream, and again after an overflow or a reset.
    Marking {
        load_id: LoadId,
        firings: u64,
        tokens: Vec<u64>,
        enabled: Vec<u32>,
    },
    /// What changed since the last frame. `tokens` holds (place, tokens now); `enabled` and `disabled` hold transitions that changed;
    /// `fired` holds the last transitions fired, oldest first, at most 50; `skipped` says how many firings before those are not listed.
    Changed {
        firings: u64,
        tokens: Vec<(u32, u64)>,
        enabled: Vec<u32>,
        disabled: Vec<u32>,
        fired: Vec<u32>,
        skipped: u64,
    },
    RunState {
        run_state: RunState,
        rate: u32,
    },
    /// The net is not (or no longer) loaded; the stream ends after it.
    Gone,
}

/// `POST /nets/{id}/run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// Firings per second; 0 is as fast as possible.
    pub rate: u32,
}

/// `POST /nets/{id}/inject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InjectRequest {
    /// The place's id in the PNML file.
    pub place: String,
    pub tokens: u64,
}

/// The answer to `PUT /nets/{id}` and to every control: the net as it is afterwards, and what the control did to its marking. A console
/// does without the last two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetAnswer {
    #[serde(flatten)]
    pub net: HostedNet,
    /// Of a step: the name of the transition that fired, or its id where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<String>,
    /// Of an injection: the tokens that the place now holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

impl From<HostedNet> for NetAnswer {
    fn from(net: HostedNet) -> NetAnswer {
        NetAnswer { net, fired: None, tokens: None }
    }
}

/// What a worker says when it refuses: with status 401, 404, 409, 413 or 422.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerError {
    /// A sentence.
    pub error: String,
    /// A stable word: `unauthorized`, `not_loaded`, `dead`, `running`, `bad_pnml`, `unknown_place`, `overflow`, `too_large`, …
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}
