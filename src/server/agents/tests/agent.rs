//! An agent that does what the test says.

use crate::{
    agent::protocol::{FromAgent, Goodbye, Held, Output, PROTOCOL, Register, ToAgent},
    model::{
        AgentId, Command, CommandId, CommandOffer, CommandStatus, CompartmentKind, Host, HostId, Outcome,
    },
    server::{actions::tests::harness::*, agents::Pace},
};
use axum::http::{Method, StatusCode};
use futures::{SinkExt, StreamExt};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use uuid::Uuid;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub const FIRST: AgentId = AgentId(Uuid::from_u128(1));
pub const SECOND: AgentId = AgentId(Uuid::from_u128(2));

pub fn pace() -> Pace {
    let soon = Duration::from_millis(20);
    Pace {
        tick: soon,
        gather: Duration::from_millis(2),
        refresh: Duration::from_millis(300),
        ..Pace::default()
    }
}

/// A console with one host.
pub struct Stage {
    pub console: Console,
    pub address: SocketAddr,
    pub host: HostId,
    pub token: String,
}

impl Stage {
    pub async fn new() -> Stage {
        Stage::with(pace()).await
    }

    pub async fn with(pace: Pace) -> Stage {
        let console = Console::for_agents(pace).await;
        let answer = console.ask(EVA, Method::POST, "/api/hosts", r#"{"name":"alpha"}"#).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let host = answer.body["host"]["id"].as_str().unwrap().parse().unwrap();
        let token = answer.body["token"].as_str().unwrap().to_owned();
        let address = console.listen().await;
        Stage { console, address, host, token }
    }

    /// The console goes down and comes back on the same data.
    pub async fn restarted(self) -> Stage {
        let console = self.console.restarted().await;
        let address = console.listen().await;
        Stage { console, address, ..self }
    }

    pub async fn dial(&self, token: &str) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://{}/api/agent", self.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    }

    /// An agent that was welcomed.
    pub async fn agent(&self, holds: Vec<Held>) -> FakeAgent {
        let mut agent = self.knocks(FIRST, holds).await;
        let welcome = agent.hears().await;
        assert!(matches!(welcome, ToAgent::Welcome { host_id, .. } if host_id == self.host), "{welcome:?}");
        agent
    }

    /// An agent that has said who it is.
    pub async fn knocks(&self, agent_id: AgentId, holds: Vec<Held>) -> FakeAgent {
        let mut agent = FakeAgent { socket: self.dial(&self.token).await.unwrap() };
        agent.says(FromAgent::Register(register(agent_id, holds))).await;
        agent
    }

    pub fn row(&self) -> Arc<Host> {
        self.console.fleet().host(self.host).unwrap().clone()
    }

    pub async fn until_online(&self, online: bool) {
        let host = self.host;
        let what = if online { "online" } else { "offline" };
        self.console.until(what, |fleet| fleet.host(host).unwrap().online == online).await;
    }

    /// Queues `kind`.
    pub async fn run(&self, kind: &str) -> CommandId {
        let body = format!(r#"{{"host_ids":["{}"],"kind":"{kind}"}}"#, self.host);
        let answer = self.console.ask(ANA, Method::POST, "/api/commands", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.body["commands"][0]["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn cancel(&self, command: CommandId) -> Answer {
        self.console.ask(ANA, Method::POST, &format!("/api/commands/{command}/cancel"), "").await
    }

    pub fn command(&self, id: CommandId) -> Arc<Command> {
        self.console.fleet().command(id).unwrap().clone()
    }

    pub async fn until_command(&self, id: CommandId, status: CommandStatus) -> Arc<Command> {
        let is_so = |fleet: &crate::model::Fleet| fleet.command(id).is_some_and(|row| row.status == status);
        self.console.until(status.word(), is_so).await;
        self.command(id)
    }

    pub fn events(&self, text: &str) -> usize {
        self.console.fleet().events().filter(|event| event.text.contains(text)).count()
    }
}

pub fn register(agent_id: AgentId, holds: Vec<Held>) -> Register {
    let offer = |kind: &str, checks: &[CompartmentKind]| CommandOffer {
        kind: kind.parse().unwrap(),
        timeout_s: 600,
        checks: checks.to_vec(),
    };
    Register {
        protocol: PROTOCOL,
        agent_id,
        hostname: "alpha.example".to_owned(),
        host_type: Some("nixos".to_owned()),
        os: "Linux".to_owned(),
        theme_color: None,
        agent_version: "0.0.1".to_owned(),
        commands: vec![offer("pull", &[CompartmentKind::Git]), offer("test", &[])],
        holds,
    }
}

pub fn held(command_id: CommandId) -> Held {
    Held { command_id, interrupted: false }
}

pub struct FakeAgent {
    pub socket: Socket,
}

impl FakeAgent {
    pub async fn says(&mut self, message: FromAgent) {
        self.socket.send(Message::text(serde_json::to_string(&message).unwrap())).await.unwrap();
    }

    pub async fn starts(&mut self, command_id: CommandId) {
        self.says(FromAgent::Started { command_id, timeout_s: 600 }).await;
    }

    pub async fn writes(&mut self, command_id: CommandId, offset: u64, bytes: &[u8]) {
        let frame = Output { command_id, offset, bytes }.frame();
        self.socket.send(Message::binary(frame)).await.unwrap();
    }

    pub async fn ends(&mut self, command_id: CommandId, outcome: Outcome, output_bytes: u64) {
        self.says(FromAgent::Finished { command_id, outcome, reason: None, output_bytes }).await;
    }

    /// The next message; pings are answered on the way.
    pub async fn hears(&mut self) -> ToAgent {
        let next = async {
            loop {
                match self.socket.next().await.expect("the connection is open").unwrap() {
                    Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("a message in time")
    }

    pub async fn hears_run(&mut self) -> CommandId {
        match self.hears().await {
            ToAgent::Run { command_id, .. } => command_id,
            other => panic!("{other:?}"),
        }
    }

    /// Reads on until this much of the output is stored.
    pub async fn hears_stored(&mut self, wanted: u64) {
        loop {
            match self.hears().await {
                ToAgent::Stored { offset, .. } if offset >= wanted => return assert_eq!(offset, wanted),
                ToAgent::Stored { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads on until a command is settled.
    pub async fn hears_settled(&mut self, command: CommandId) {
        loop {
            match self.hears().await {
                ToAgent::Settled { command_id } => return assert_eq!(command_id, command),
                ToAgent::Stored { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn hears_goodbye(&mut self) -> Goodbye {
        match self.hears().await {
            ToAgent::Goodbye { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    /// The network breaks: nothing is said any more.
    pub fn cut(self) {
        drop(self);
    }
}
