//! The names of events: one table, and a column for each vocabulary.

use super::message::{About, Message, State};
use crate::{
    model::{Actor, Timestamp},
    sync::sse::frame,
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// In whose words a stream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vocabulary {
    /// Muster's own, which are seed 001's.
    Named,
    /// Seed 004's: a net is a workload, a timestamp is in seconds.
    Workloads,
    /// Seed 000's: messages without a name, which an `EventSource` hands to `onmessage`.
    Unnamed,
}

const WORKLOAD: Option<&str> = Some("workload_status_update");
const PROJECT: Option<&str> = Some("project_status_update");
const CLUSTER: Option<&str> = Some("cluster_status_update");
const WORKER_STATE: Option<&str> = Some("worker_state_changed");
const NET_STATE: Option<&str> = Some("net_state_changed");

/// Muster's name, seed 004's, seed 000's. What has no name in a vocabulary is not sent in it.
const TABLE: &[(&str, Option<&str>, Option<&str>)] = &[
    ("worker.created", None, WORKER_STATE),
    ("worker.updated", None, None),
    ("worker.status.updated", None, WORKER_STATE),
    ("worker.metrics.updated", None, None),
    ("worker.labs.updated", None, None),
    ("worker.terminated", None, WORKER_STATE),
    ("worker.deleted", None, WORKER_STATE),
    ("net.created", WORKLOAD, NET_STATE),
    ("net.updated", WORKLOAD, None),
    ("net.load_state.updated", WORKLOAD, NET_STATE),
    ("net.run_state.updated", WORKLOAD, None),
    ("net.assigned", WORKLOAD, NET_STATE),
    ("net.unassigned", WORKLOAD, NET_STATE),
    ("net.deleted", WORKLOAD, NET_STATE),
    ("host.added", None, None),
    ("host.updated", None, None),
    ("host.heartbeat", None, None),
    ("host.offline", None, None),
    ("host.removed", None, None),
    ("command.queued", None, None),
    ("command.started", None, None),
    ("command.progress", None, None),
    ("command.finished", None, None),
    ("pipeline.updated", None, None),
    ("pull_request.updated", None, None),
    ("cluster.connected", CLUSTER, None),
    ("cluster.disconnected", CLUSTER, None),
    ("cluster.status.updated", CLUSTER, None),
    ("project.created", PROJECT, None),
    ("project.status.updated", PROJECT, None),
    ("project.deleted", PROJECT, None),
    ("lab.updated", None, None),
    ("build.completed", Some("build_complete"), None),
    ("build.failed", Some("build_failed"), None),
    ("error.reported", Some("error_report"), None),
    ("event.logged", None, None),
];

#[derive(Serialize)]
struct Named<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    event_type: &'a str,
    /// Milliseconds since 1970.
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a Actor>,
    #[serde(flatten)]
    about: &'a About,
    data: &'a Value,
}

#[derive(Serialize)]
struct Workload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    event_type: &'a str,
    /// As `types/events.ts` of the seed has it: `workload.running`.
    #[serde(rename = "type")]
    kind: String,
    /// Seconds since 1970.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload_id: Option<String>,
    #[serde(flatten)]
    about: &'a About,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    data: &'a Value,
}

impl Vocabulary {
    /// The name of Muster's `kind` in this vocabulary.
    pub fn name(self, kind: &str) -> Option<&'static str> {
        let (named, workloads, unnamed) = TABLE.iter().find(|(name, ..)| *name == kind)?;
        match self {
            Vocabulary::Named => Some(*named),
            Vocabulary::Workloads => *workloads,
            Vocabulary::Unnamed => *unnamed,
        }
    }

    /// The message as a frame, or `None` if this vocabulary has no words for it. Figures have no `id`.
    pub fn frame(self, message: &Message, id: Option<&str>) -> Option<Bytes> {
        let name = self.name(message.kind)?;
        let about = &message.about;
        let text = match self {
            Vocabulary::Named => {
                let (timestamp, actor) = (message.at, message.actor.as_ref());
                let named = Named { id, event_type: name, timestamp, actor, about, data: &message.data };
                frame(name, id, &json(&named))
            }
            Vocabulary::Workloads => {
                let workload = Workload {
                    id,
                    event_type: name,
                    kind: message.workload_kind(),
                    timestamp: message.at.0 / 1_000,
                    workload_id: about.net_id.map(|id| id.to_string()),
                    about,
                    status: message.status(),
                    data: &message.data,
                };
                frame(name, id, &json(&workload))
            }
            Vocabulary::Unnamed => {
                let data = match &message.state {
                    State::Worker { status, .. } => {
                        json!({"type": name, "worker_id": about.worker_id, "status": status})
                    }
                    State::Net { load_state, .. } => {
                        json!({"type": name, "net_id": about.net_id, "load_state": load_state})
                    }
                    State::Other(_) => return None,
                };
                let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
                format!("{id}data: {data}\n\n")
            }
        };
        Some(Bytes::from(text))
    }

    /// What the stream says of itself: `connected`, `heartbeat`, `system.sse.…`. These names are the same everywhere.
    pub fn notice(self, name: &str, id: Option<&str>, at: Timestamp, mut data: Value) -> Bytes {
        data["event_type"] = json!(name);
        data["timestamp"] = match self {
            Vocabulary::Named | Vocabulary::Unnamed => json!(at),
            Vocabulary::Workloads => json!(at.0 / 1_000),
        };
        if let Some(id) = id {
            data["id"] = json!(id);
        }
        Bytes::from(frame(name, id, &data.to_string()))
    }
}

impl Message {
    /// Seed 004's type of an event: `workload.running`, `project.created`.
    fn workload_kind(&self) -> String {
        match (self.kind, &self.state) {
            ("net.load_state.updated", State::Net { load_state, .. }) => format!("workload.{load_state}"),
            ("net.run_state.updated", State::Net { run_state, .. }) => format!("workload.{run_state}"),
            (kind, State::Net { .. }) => kind.replacen("net.", "workload.", 1),
            (kind, _) => kind.to_owned(),
        }
    }

    /// Seed 004's status of what it tells of.
    fn status(&self) -> Option<&'static str> {
        match &self.state {
            State::Worker { status, .. } => Some(status),
            State::Net { load_state: "loaded", run_state } => Some(run_state),
            State::Net { load_state, .. } => Some(load_state),
            State::Other(status) => *status,
        }
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("messages are plain data: no map keys, no failing serialiser")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_there_once() {
        let names: BTreeSet<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(Vocabulary::Workloads.name("build.completed"), Some("build_complete"));
        assert_eq!(Vocabulary::Named.name("build.queued"), None, "it is told by the row of its net");
        assert_eq!(Vocabulary::Workloads.name("net.assigned"), Some("workload_status_update"));
        assert_eq!(Vocabulary::Unnamed.name("net.run_state.updated"), None);
    }
}
