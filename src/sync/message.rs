//! What travels on `GET /api/sync`: one SSE event a message, its name the kind, its data JSON.

use super::{digest::Digest, position::Token};
use crate::model::{Actor, Change, Fleet, HostTelemetry, Roles, Telemetry, Timestamp};
use serde::{Deserialize, Serialize};

/// The first message of every stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Names this stream in the server's log.
    pub stream_id: String,
    /// Names the server process; it changes when the server restarts.
    pub instance: String,
    pub server_time: Timestamp,
    /// A `sync` comes at least this often, milliseconds.
    pub sync_interval_ms: u64,
    /// A `sync` carries a digest at least this often, milliseconds.
    pub digest_interval_ms: u64,
    /// What who follows may do now.
    #[serde(default)]
    pub roles: Roles,
}

/// The whole state in scope: `init` on a stream, and the answer of `GET /api/state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct FullState {
    pub position: Token,
    pub version: u64,
    pub state: Fleet,
}

/// One transaction, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The version of the frame of this scope before this one.
    pub prev: u64,
    pub version: u64,
    pub position: Token,
    pub at: Timestamp,
    pub actor: Actor,
    pub changes: Vec<Change>,
}

/// The beacon: everything up to `version` has been sent on this stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    pub prev: u64,
    pub version: u64,
    pub position: Token,
    pub server_time: Timestamp,
    /// What the replica's digest must be at `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The stream ends: come back spread over `spread_ms`. The server goes down; or, where that is nothing, what its user may see or do has
/// changed, and everything is there at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    pub spread_ms: u64,
}

/// The latest figures of some workers, or of all of them right after connecting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TelemetryBatch {
    pub server_time: Timestamp,
    pub workers: Vec<Telemetry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostTelemetry>,
}

#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "messages are taken one by one; the large one is the state itself"
)]
pub enum Message {
    Connected(Connected),
    Init(FullState),
    Delta(Delta),
    Sync(Sync),
    Telemetry(TelemetryBatch),
    Shutdown(Shutdown),
}

impl Message {
    /// Reads the message in an SSE event. `None` for a kind this build does not know: a newer server may send more.
    pub fn parse(event: &str, data: &str) -> Option<Result<Message, serde_json::Error>> {
        Some(match event {
            "connected" => serde_json::from_str(data).map(Message::Connected),
            "init" => serde_json::from_str(data).map(Message::Init),
            "delta" => serde_json::from_str(data).map(Message::Delta),
            "sync" => serde_json::from_str(data).map(Message::Sync),
            "telemetry" => serde_json::from_str(data).map(Message::Telemetry),
            "shutdown" => serde_json::from_str(data).map(Message::Shutdown),
            _ => return None,
        })
    }
}
