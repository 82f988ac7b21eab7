//! Whether a console is there: a worker nobody looks after ends by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// When a console was last heard of, and how many streams are open to it.
#[derive(Debug)]
pub struct Presence {
    started: Instant,
    /// Milliseconds after `started`.
    last_heard: AtomicU64,
    streams: AtomicU32,
}

/// An open stream; its end is noted when it is dropped.
#[derive(Debug)]
pub struct StreamGuard(Arc<Presence>);

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.heard();
        self.0.streams.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Presence {
    pub fn new(started: Instant) -> Arc<Self> {
        Arc::new(Self { started, last_heard: AtomicU64::new(0), streams: AtomicU32::new(0) })
    }

    /// A request that showed the token.
    pub fn heard(&self) {
        self.last_heard.store(self.started.elapsed().as_millis() as u64, Ordering::SeqCst);
    }

    pub fn stream(self: &Arc<Self>) -> StreamGuard {
        self.streams.fetch_add(1, Ordering::SeqCst);
        StreamGuard(self.clone())
    }

    /// How long nobody has been there; `None` while a stream is open.
    fn alone(&self) -> Option<Duration> {
        if self.streams.load(Ordering::SeqCst) > 0 {
            return None;
        }
        let last = Duration::from_millis(self.last_heard.load(Ordering::SeqCst));
        Some(self.started.elapsed().saturating_sub(last))
    }

    /// Ends the worker once it has been alone for `timeout`.
    pub async fn guard(self: Arc<Self>, timeout: Duration, end: CancellationToken) {
        loop {
            let left = timeout.saturating_sub(self.alone().unwrap_or_default());
            if left.is_zero() {
                tracing::warn!(seconds = timeout.as_secs(), "no console for too long; ending");
                end.cancel();
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = end.cancelled() => return,
            }
        }
    }
}
