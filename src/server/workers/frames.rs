//! A worker's event stream, read with bounds: on how long it may be silent and on how much it may say before an event is complete.

use super::CallError;
use crate::sync::sse::{Parser, SseEvent};
use futures::stream::{self, BoxStream, StreamExt};
use serde::de::DeserializeOwned;
use std::{collections::VecDeque, time::Duration};

/// What a worker tells, frame by frame. It ends after its first error, and where the worker ended it.
pub type Frames<T> = BoxStream<'static, Result<T, CallError>>;

/// The largest frame: a marking of half a million places.
const LARGEST_FRAME: usize = 8 << 20;

/// Parts of a silence.
const PARTS: u32 = 4;

struct Reader {
    response: reqwest::Response,
    endpoint: String,
    silence: Duration,
    parser: Parser,
    ready: VecDeque<SseEvent>,
    /// Bytes taken in since the last complete event: what the parser may be holding.
    pending: usize,
    ended: bool,
    /// How many parts of a silence have passed since anything came.
    silent_parts: u32,
}

/// Reads `response` as frames of the events that `wanted` names; others are for newer consoles than this one.
pub(super) fn read<T: DeserializeOwned + Send + 'static>(
    response: reqwest::Response,
    endpoint: String,
    silence: Duration,
    wanted: fn(&str) -> bool,
) -> Frames<T> {
    let reader = Reader {
        response,
        endpoint,
        silence,
        parser: Parser::default(),
        ready: VecDeque::new(),
        pending: 0,
        ended: false,
        silent_parts: 0,
    };
    stream::unfold(reader, move |mut reader| async move {
        let frame = reader.next(wanted).await?;
        reader.ended |= frame.is_err();
        Some((frame, reader))
    })
    .boxed()
}

impl Reader {
    async fn next<T: DeserializeOwned>(&mut self, wanted: fn(&str) -> bool) -> Option<Result<T, CallError>> {
        while !self.ended {
            while let Some(event) = self.ready.pop_front() {
                if wanted(&event.event) {
                    let frame = serde_json::from_str(&event.data);
                    return Some(
                        frame.map_err(|error| self.nonsense(format!("a frame that is not one ({error})"))),
                    );
                }
            }
            // Silence is counted in parts, each of which needs a turn of this task: while the console itself does not get to read, as on a
            // machine with too much to do, a part lasts longer, and nobody is called silent.
            match tokio::time::timeout(self.silence / PARTS, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    self.silent_parts = 0;
                    if let Err(error) = self.take(&bytes) {
                        return Some(Err(error));
                    }
                }
                Ok(Ok(None)) => self.ended = true,
                Ok(Err(error)) => {
                    return Some(Err(CallError::of_transport(&self.endpoint, &error, self.silence)));
                }
                Err(_) if self.silent_parts + 1 < PARTS => self.silent_parts += 1,
                Err(_) => {
                    return Some(Err(CallError::Timeout {
                        endpoint: self.endpoint.clone(),
                        after: self.silence,
                    }));
                }
            }
        }
        None
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        let mut events = Vec::new();
        self.parser.push(bytes, &mut events);
        self.pending = if events.is_empty() { self.pending + bytes.len() } else { bytes.len() };
        self.ready.extend(events);
        if self.pending > LARGEST_FRAME {
            return Err(self.nonsense(format!("a frame of more than {} MB", LARGEST_FRAME >> 20)));
        }
        Ok(())
    }

    fn nonsense(&self, what: String) -> CallError {
        CallError::Nonsense { endpoint: self.endpoint.clone(), what }
    }
}
