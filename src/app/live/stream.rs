//! A server-sent event stream over `fetch`: status, order and cuts are all visible, which `EventSource` hides.

use super::browser::Abort;
use crate::sync::{
    Close,
    sse::{Parser, SseEvent},
};
use futures::StreamExt;
use gloo_net::http::Request;
use std::time::Duration;
use wasm_bindgen::JsCast;

/// Reads `url` until it ends, handing over each event; how it ended. `on_event` answers whether to read on.
pub async fn read(
    url: &str,
    abort: &Abort,
    mut on_event: impl FnMut(SseEvent) -> Result<(), Close>,
) -> Close {
    let signal = abort.signal();
    let request = Request::get(url)
        .header("Accept", "text/event-stream")
        .cache(web_sys::RequestCache::NoStore)
        .abort_signal(Some(&signal));
    let Ok(response) = request.send().await else { return Close::Broken };
    if response.status() != 200 {
        let retry_after = response.headers().get("retry-after").and_then(|value| value.parse().ok());
        return Close::Refused {
            status: response.status(),
            retry_after: retry_after.map(Duration::from_secs),
        };
    }
    let Some(body) = response.body() else { return Close::Broken };
    let mut chunks = wasm_streams::ReadableStream::from_raw(body.unchecked_into()).into_stream();
    let mut parser = Parser::default();
    let mut events = Vec::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        let Ok(bytes) = chunk.dyn_into::<js_sys::Uint8Array>() else { return Close::Broken };
        parser.push(&bytes.to_vec(), &mut events);
        for event in events.drain(..) {
            if let Err(close) = on_event(event) {
                return close;
            }
        }
    }
    Close::Broken
}
