//! What waits for one client.

use crate::server::metrics::METRICS;
use bytes::{Bytes, BytesMut};
use std::{
    collections::VecDeque,
    sync::Mutex,
    task::{Poll, Waker},
};

/// How much may wait for one client. Beyond either, it gets a fresh `init` instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub frames: usize,
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { frames: 1_000, bytes: 4 << 20 }
    }
}

/// A bounded queue of frames. Pushing never waits: a client that is too slow loses its queue, never another client's time.
#[derive(Debug, Default)]
pub struct Queue {
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The queue overflowed: what the client needs next is an `init`.
    overflowed: bool,
    /// The latest telemetry; the one before is replaced, not queued, so figures never delay state.
    telemetry: Option<Bytes>,
    /// Telemetry was replaced before it was taken: only the whole board makes the client right again.
    telemetry_lost: bool,
    closed: bool,
    waker: Option<Waker>,
}

/// What a client takes from its queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Everything that waited, as one write.
    Frames(Bytes),
    /// The queue overflowed, or nothing was sent yet: send an `init`.
    NeedsInit,
    /// Some telemetry was replaced: send the whole board.
    NeedsBoard,
    Closed,
}

impl Queue {
    pub fn new(limits: Limits) -> Queue {
        Queue { limits, ..Queue::default() }
    }

    /// A queue whose first answer is [`Taken::NeedsInit`].
    pub fn needing_init(limits: Limits) -> Queue {
        Queue { limits, inner: Mutex::new(Inner { overflowed: true, ..Inner::default() }) }
    }

    /// Appends a frame. `false` if the queue overflowed with it.
    pub fn push(&self, frame: Bytes) -> bool {
        let mut inner = self.lock();
        if inner.overflowed || inner.closed {
            return true;
        }
        inner.bytes += frame.len();
        inner.frames.push_back(frame);
        let fits = inner.frames.len() <= self.limits.frames && inner.bytes <= self.limits.bytes;
        if !fits {
            inner.overflow();
        }
        inner.wake();
        fits
    }

    /// Drops what waits; the client needs an `init` next.
    pub fn reset(&self) {
        let mut inner = self.lock();
        inner.overflow();
        inner.wake();
    }

    pub fn set_telemetry(&self, batch: Bytes) {
        let mut inner = self.lock();
        inner.telemetry_lost |= inner.telemetry.replace(batch).is_some();
        inner.wake();
    }

    /// Frames and bytes that wait.
    pub fn depth(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.frames.len(), inner.bytes)
    }

    /// Ends the stream once what waits is taken.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.wake();
    }

    /// Takes all that waits, merged: one write a wake-up is what makes a busy stream cheap.
    pub fn poll_take(&self, context: &mut std::task::Context<'_>) -> Poll<Taken> {
        let mut inner = self.lock();
        if inner.overflowed && !inner.closed {
            inner.overflowed = false;
            return Poll::Ready(Taken::NeedsInit);
        }
        if std::mem::take(&mut inner.telemetry_lost) {
            inner.telemetry = None;
            return Poll::Ready(Taken::NeedsBoard);
        }
        let telemetry = inner.telemetry.take();
        let taken = inner.frames.len() + usize::from(telemetry.is_some());
        let merged = match (inner.frames.len(), &telemetry) {
            (0, None) if inner.closed => return Poll::Ready(Taken::Closed),
            (0, None) => {
                inner.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            (0, Some(telemetry)) => telemetry.clone(),
            (1, None) => inner.frames.pop_front().unwrap_or_default(),
            _ => {
                let mut merged =
                    BytesMut::with_capacity(inner.bytes + telemetry.as_ref().map_or(0, Bytes::len));
                inner.frames.iter().for_each(|frame| merged.extend_from_slice(frame));
                telemetry.iter().for_each(|frame| merged.extend_from_slice(frame));
                merged.freeze()
            }
        };
        METRICS.frames_sent(taken);
        inner.frames.clear();
        inner.bytes = 0;
        Poll::Ready(Taken::Frames(merged))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing under this lock can panic half-way through a change.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Inner {
    fn overflow(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.overflowed = true;
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Context;

    fn take(queue: &Queue) -> Poll<Taken> {
        queue.poll_take(&mut Context::from_waker(Waker::noop()))
    }

    fn frames(text: &'static str) -> Poll<Taken> {
        Poll::Ready(Taken::Frames(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn what_waits_is_taken_at_once_and_in_order() {
        let queue = Queue::default();
        assert_eq!(take(&queue), Poll::Pending);
        queue.push(Bytes::from_static(b"a"));
        queue.push(Bytes::from_static(b"b"));
        queue.set_telemetry(Bytes::from_static(b"t"));
        assert_eq!(take(&queue), frames("abt"));
        assert_eq!(take(&queue), Poll::Pending);
    }

    #[test]
    fn a_queue_that_overflows_is_dropped_and_asks_for_an_init() {
        let queue = Queue::default();
        for _ in 0..Limits::default().frames {
            assert!(queue.push(Bytes::from_static(b"x")));
        }
        assert!(!queue.push(Bytes::from_static(b"x")));
        queue.push(Bytes::from_static(b"lost as well: the init holds it"));
        assert_eq!(take(&queue), Poll::Ready(Taken::NeedsInit));
        queue.push(Bytes::from_static(b"after"));
        assert_eq!(take(&queue), frames("after"));
    }

    #[test]
    fn telemetry_is_replaced_and_the_loss_is_noticed() {
        let queue = Queue::default();
        queue.set_telemetry(Bytes::from_static(b"1"));
        queue.set_telemetry(Bytes::from_static(b"2"));
        assert_eq!(take(&queue), Poll::Ready(Taken::NeedsBoard));
        assert_eq!(take(&queue), Poll::Pending);
    }

    #[test]
    fn a_closed_queue_still_hands_out_what_waits() {
        let queue = Queue::default();
        queue.push(Bytes::from_static(b"bye"));
        queue.close();
        assert_eq!(take(&queue), frames("bye"));
        assert_eq!(take(&queue), Poll::Ready(Taken::Closed));
    }
}
