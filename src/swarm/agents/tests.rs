//! An agent over a real socket, against a console of a few lines.

use super::*;
use crate::{
    agent::protocol::FromAgent,
    model::{CommandId, HostId},
};
use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::HeaderMap,
    response::Response,
    routing::get,
};
use std::sync::Mutex;
use uuid::Uuid;

const ID: CommandId = CommandId(Uuid::from_u128(1));

#[derive(Clone, Default)]
struct Desk {
    connections: Arc<AtomicUsize>,
    output: Arc<Mutex<Vec<u8>>>,
}

async fn dial(State(desk): State<Desk>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    assert_eq!(headers["authorization"], "Bearer a-token");
    let n = desk.connections.fetch_add(1, Relaxed);
    upgrade.on_upgrade(move |socket| desk.serve(socket, n))
}

impl Desk {
    /// The first connection is cut in the middle of the command's output; the second goes on to its end.
    async fn serve(self, mut socket: WebSocket, n: usize) {
        let Some(Ok(Message::Text(first))) = socket.recv().await else { panic!("it registers first") };
        let Ok(FromAgent::Register(register)) = serde_json::from_str(&first) else { panic!("{first}") };
        let held: Vec<_> = register.holds.iter().map(|held| (held.command_id, held.interrupted)).collect();
        assert_eq!(held, if n == 0 { vec![] } else { vec![(ID, false)] });
        say(&mut socket, &ToAgent::Welcome { host_id: HostId(Uuid::nil()), console_version: "1".to_owned() })
            .await;
        match n {
            0 => say(&mut socket, &ToAgent::Run { command_id: ID, kind: "test".parse().unwrap() }).await,
            _ => {
                let offset = self.output.lock().unwrap().len() as u64;
                say(&mut socket, &ToAgent::Stored { command_id: ID, offset }).await;
            }
        }
        let mut frames = 0;
        while let Some(Ok(message)) = socket.recv().await {
            match message {
                Message::Binary(frame) => {
                    self.store(&Output::parse(&frame).unwrap());
                    frames += 1;
                    if n == 0 && frames == 2 {
                        return;
                    }
                }
                Message::Text(text) => {
                    if let Ok(FromAgent::Finished { output_bytes, .. }) = serde_json::from_str(&text) {
                        assert_eq!(output_bytes, self.output.lock().unwrap().len() as u64);
                        say(&mut socket, &ToAgent::Settled { command_id: ID }).await;
                        let detail = "the token was revoked".to_owned();
                        say(&mut socket, &ToAgent::Goodbye { why: Goodbye::Revoked, detail }).await;
                    }
                }
                _ => {}
            }
        }
    }

    fn store(&self, output: &Output<'_>) {
        let mut stored = self.output.lock().unwrap();
        let (at, end) = (output.offset as usize, output.offset as usize + output.bytes.len());
        assert!(at <= stored.len(), "a hole in the output");
        let known = stored.len().min(end) - at;
        assert_eq!(stored[at..at + known], output.bytes[..known], "said again, it is the same");
        stored.extend_from_slice(&output.bytes[known..]);
    }
}

async fn say(socket: &mut WebSocket, message: &ToAgent) {
    socket.send(Message::text(serde_json::to_string(message).unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_cut_loses_no_line_and_a_revoked_token_ends_the_agent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let desk = Desk::default();
    let router = Router::new().route("/api/agent", get(dial)).with_state(desk.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    let (_manner, follows) = watch::channel(None);
    let counts = Arc::<Counts>::default();
    let life = Life {
        n: 1,
        of: 1,
        agent: SimulatedAgent::new(1, "host-1".to_owned()),
        address: Address::of_console(&url).unwrap(),
        token: "a-token".to_owned(),
        manner: follows,
        lines_per_second: 1_000,
        counts: counts.clone(),
    };
    tokio::time::timeout(Duration::from_secs(60), life.live())
        .await
        .expect("it stops when its token is revoked");
    assert_eq!((desk.connections.load(Relaxed), counts.connected.load(Relaxed)), (2, 0));
    assert_eq!(counts.refused.load(Relaxed), 1);
    let output = String::from_utf8(desk.output.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 1_000);
    assert!(lines.iter().zip(1..).all(|(line, n)| line.ends_with(&format!("step {n} of 1000"))));
}
