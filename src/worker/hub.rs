//! What is told on `/events`: written once, sent to every stream.

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::broadcast;

use super::protocol::{LogLevel, WorkerEvent};
use crate::model::NetId;
use crate::sync::sse;

/// Frames a slow reader may be behind before it gets a whole picture instead.
const BACKLOG: usize = 256;

/// One SSE frame.
pub fn frame(event: &str, data: &impl Serialize) -> Bytes {
    match serde_json::to_string(data) {
        Ok(json) => sse::frame(event, None, &json).into(),
        Err(e) => {
            // Our own types always write; a stream must not end if one day they do not.
            tracing::error!(error = %e, event, "cannot write a frame");
            Bytes::from_static(b": a frame could not be written\n\n")
        }
    }
}

/// The stream of everything.
#[derive(Clone, Debug)]
pub struct Hub {
    sender: broadcast::Sender<Bytes>,
}

impl Hub {
    pub fn new() -> Self {
        Self::with_backlog(BACKLOG)
    }

    /// With room for so many frames, which is taken at once: a process that is many workers wants less.
    pub fn with_backlog(backlog: usize) -> Self {
        Self { sender: broadcast::Sender::new(backlog) }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Bytes> {
        self.sender.subscribe()
    }

    pub fn tell(&self, event: &WorkerEvent) {
        // Without a listener there is nothing to write, and nobody to miss it.
        if self.sender.receiver_count() > 0 {
            let _ = self.sender.send(frame("worker", event));
        }
    }

    /// Something an operator should read; in the process's own log too.
    pub fn log(&self, level: LogLevel, net: Option<NetId>, text: impl Into<String>) {
        let text = text.into();
        let id = net.map(|net| net.to_string()).unwrap_or_default();
        match level {
            LogLevel::Info => tracing::info!(net = id, "{text}"),
            LogLevel::Warning => tracing::warn!(net = id, "{text}"),
            LogLevel::Error => tracing::error!(net = id, "{text}"),
        }
        self.tell(&WorkerEvent::Log { level, net, text });
    }
}
