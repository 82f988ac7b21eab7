//! Telemetry: figures that are only ever as good as their age. Not part of the versioned state; the latest wins.

use super::{LabId, LabProgress, LabState, NetId, RunState, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};

/// What a worker's process says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerMetrics {
    /// Share of one core, in percent: 150 is one and a half cores.
    pub cpu_percent: f32,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// Seconds since the process started.
    pub uptime_s: u64,
    /// Nets loaded.
    pub nets: u32,
}

/// What a worker says of one loaded net.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetMetrics {
    pub id: NetId,
    pub run_state: RunState,
    /// Firings since it was loaded or reset.
    pub firings: u64,
    /// Firings per second over the last second.
    pub rate: f64,
    /// Tokens in all places together.
    pub tokens: u64,
    /// Enabled transitions.
    pub enabled: u32,
}

/// What a worker says of a lab that works or waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabFigures {
    pub id: LabId,
    pub state: LabState,
    #[serde(flatten)]
    pub progress: LabProgress,
}

/// The latest figures of one worker and of the nets on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Telemetry {
    pub worker_id: WorkerId,
    /// When the console received them.
    pub at: Timestamp,
    pub worker: WorkerMetrics,
    pub nets: Vec<NetMetrics>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<LabFigures>,
}
