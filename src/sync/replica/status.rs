//! What a replica is told, what it asks for, and what it says of itself.

use super::Instant;
use crate::{model::EntityRef, sync::message::TelemetryBatch};
use std::time::Duration;

/// What the badge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// A stream is being opened, or has not proven itself yet.
    Connecting,
    /// A `sync` arrived on this stream: everything up to it is here.
    Connected,
    /// Waiting for try number `attempt`, at `retry_at`.
    Reconnecting { attempt: u32, retry_at: Instant },
    /// The same beyond the tenth try.
    Disconnected { retry_at: Instant },
    /// Not signed in (any more). Trying again cannot help; signing in does.
    SignedOut,
    /// The operator switched real-time off: the state comes from polls alone.
    SwitchedOff,
    /// The browser says it is offline. It is tried again when that changes.
    Offline,
    /// Retrying cannot help; why.
    Error(String),
}

/// How a connection (or the try to make one) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    /// The stream ended or broke, or could not be opened.
    Broken,
    /// The server answered with an HTTP status other than 200.
    Refused { status: u16, retry_after: Option<Duration> },
    /// The server sent what is not the protocol.
    Nonsense(String),
}

/// Why [`Effect::FetchFullState`] brought no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody was reached, or whoever was could not help. Another try may.
    Failed,
    /// The server wants not to be asked for so long (429, `Retry-After`).
    TooSoon(Duration),
    /// The server has no state that goes with this replica (409): another history, or another scope.
    Foreign,
}

/// What the caller has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Rows that changed; read them from [`Replica::fleet`](super::Replica::fleet).
    Changed(Vec<EntityRef>),
    /// Every row may have changed.
    Replaced,
    Telemetry(TelemetryBatch),
    /// The badge changed; see [`Replica::status`](super::Replica::status).
    Status,
    /// Ask `GET /api/state?at_least=&since=` and hand the answer to [`Replica::on_full_state`](super::Replica::on_full_state).
    FetchFullState {
        /// Goes back with the answer: one that was given up is told apart from the one that is waited for.
        request: u64,
        at_least: u64,
    },
    /// Drop the stream, if there is one, and open a new one now.
    Connect,
    /// Drop the stream, if there is one.
    Disconnect,
}
