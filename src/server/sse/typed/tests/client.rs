//! A client that reads a stream, and a console for it.

use crate::{
    model::{Actor, Gone, Severity, WorkerStatus},
    server::{actions::tests::harness::*, supervise::tests::fixtures::*},
    sync::sse::{Parser, SseEvent},
};
use serde_json::Value;
use std::{collections::VecDeque, net::SocketAddr};

pub struct Stage {
    pub console: Console,
    pub address: SocketAddr,
}

impl Stage {
    pub async fn new() -> Stage {
        let nets = vec![net(1), unloaded(2)];
        let console = Console::with(health([held(1)]), worker(WorkerStatus::Ready), vec![], nets).await;
        let address = console.listen().await;
        Stage { console, address }
    }

    /// Writes notes, each a change of its own, in one transaction.
    pub async fn notes(&self, notes: impl IntoIterator<Item = String> + Send + 'static) {
        let written = self.console.app.store().transact(Actor::System, move |draft| {
            for note in notes {
                draft.log(Severity::Info, "event.logged", note, |_| {});
            }
            Ok::<_, Gone>(())
        });
        written.await.unwrap();
    }

    pub async fn set_status(&self, status: WorkerStatus) {
        let set = self.console.app.store().transact(Actor::System, move |draft| {
            draft.set_worker_status(WORKER, status, Some("the test says so".to_owned()))
        });
        set.await.unwrap();
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = reqwest::Client::new().get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Ana's stream, greeted.
    pub async fn stream(&self, path: &str) -> Stream {
        self.stream_after(path, "").await
    }

    /// The same, of a client that comes back.
    pub async fn stream_after(&self, path: &str, last_event_id: &str) -> Stream {
        let cookie = format!("muster={ANA}");
        let mut headers = vec![("cookie", cookie.as_str())];
        if !last_event_id.is_empty() {
            headers.push(("last-event-id", last_event_id));
        }
        let mut stream = Stream::of(self.get(path, &headers).await);
        let greeting = stream.next().await.unwrap();
        assert_eq!(greeting.event, "connected");
        stream
    }
}

pub struct Stream {
    response: reqwest::Response,
    parser: Parser,
    read: VecDeque<SseEvent>,
}

impl Stream {
    pub fn of(response: reqwest::Response) -> Stream {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { response, parser: Parser::default(), read: VecDeque::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(event);
            }
            let bytes =
                tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("the stream is silent");
            let mut events = Vec::new();
            self.parser.push(&bytes.ok()??, &mut events);
            self.read.extend(events);
        }
    }

    /// The next event with this name; what comes before it is passed over.
    pub async fn until(&mut self, name: &str) -> (SseEvent, Value) {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}"));
            if event.event == name {
                let data = serde_json::from_str(&event.data).unwrap();
                return (event, data);
            }
        }
    }
}
