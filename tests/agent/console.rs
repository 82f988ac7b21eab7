//! A console that says what a test tells it to say.

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use muster::{
    agent::protocol::{FromAgent, Output, Register, Report, ToAgent},
    model::{CommandId, CompartmentStatus, HostId, Outcome, RefreshId},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
};
use uuid::Uuid;

pub const TOKEN: &str = "a-token-for-tests";
/// Long enough for a loaded machine; nothing waits for it when all is well.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for something, and says what, should it not come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

pub struct Console {
    pub url: String,
    /// Requests for a connection, refused ones too.
    pub dialled: Arc<AtomicUsize>,
    connections: mpsc::Receiver<Connection>,
}

#[derive(Clone)]
struct Door {
    connections: mpsc::Sender<Connection>,
    dialled: Arc<AtomicUsize>,
}

impl Console {
    pub async fn start() -> Console {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, come) = mpsc::channel(8);
        let dialled = Arc::new(AtomicUsize::new(0));
        let door = Door { connections, dialled: dialled.clone() };
        let router = Router::new().route("/api/agent", get(enter)).with_state(door);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Console { url, dialled, connections: come }
    }

    /// The next connection, before anything was said on it.
    pub async fn next(&mut self) -> Connection {
        within("a connection", self.connections.recv()).await.expect("the console is there")
    }

    /// The next connection, its agent registered and welcome.
    pub async fn welcome(&mut self) -> (Connection, Register) {
        let mut connection = self.next().await;
        let register = connection.register().await;
        connection.welcome().await;
        (connection, register)
    }
}

async fn enter(State(door): State<Door>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    door.dialled.fetch_add(1, Ordering::SeqCst);
    if headers.get("authorization").is_none_or(|given| given != &format!("Bearer {TOKEN}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(move |socket| async move {
        let (heard, from_agent) = mpsc::channel(8);
        let (to_agent, say) = mpsc::channel(8);
        let silence = Arc::new(Notify::new());
        let connection = Connection { from_agent, to_agent, silence: silence.clone() };
        if door.connections.send(connection).await.is_ok() {
            serve(socket, heard, say, silence).await;
        }
    })
}

/// Until either side has gone. Dropping the socket cuts the connection without a word.
async fn serve(
    mut socket: WebSocket,
    heard: mpsc::Sender<Message>,
    mut say: mpsc::Receiver<Message>,
    silence: Arc<Notify>,
) {
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(message)) => if heard.send(message).await.is_err() { return },
                Some(Err(_)) | None => return,
            },
            message = say.recv() => match message {
                Some(message) => if socket.send(message).await.is_err() { return },
                None => return,
            },
            // Neither read nor written from now on, and open.
            () = silence.notified() => std::future::pending().await,
        }
    }
}

/// One connection of an agent; cut when dropped.
pub struct Connection {
    from_agent: mpsc::Receiver<Message>,
    to_agent: mpsc::Sender<Message>,
    silence: Arc<Notify>,
}

#[derive(Debug)]
pub enum Heard {
    Said(FromAgent),
    Output { command_id: CommandId, offset: u64, bytes: Vec<u8> },
}

impl Connection {
    /// The next thing said; `None` when the agent has gone.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            match within("a word of the agent", self.from_agent.recv()).await? {
                Message::Text(text) => {
                    let message = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
                    return Some(Heard::Said(message));
                }
                Message::Binary(frame) => {
                    let Output { command_id, offset, bytes } = Output::parse(&frame).expect("output");
                    return Some(Heard::Output { command_id, offset, bytes: bytes.to_vec() });
                }
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    /// The next thing said that is as wanted; everything else is passed over.
    pub async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(Heard) -> Option<T>) -> T {
        within(what, async {
            loop {
                let heard = self.hear().await.unwrap_or_else(|| panic!("the agent went before {what}"));
                if let Some(found) = wanted(heard) {
                    return found;
                }
            }
        })
        .await
    }

    pub async fn register(&mut self) -> Register {
        match self.hear().await {
            Some(Heard::Said(FromAgent::Register(register))) => register,
            other => panic!("register comes first, not {other:?}"),
        }
    }

    pub async fn welcome(&mut self) {
        let host_id = HostId(Uuid::from_u128(7));
        self.say(ToAgent::Welcome { host_id, console_version: "0.1.0".to_owned() }).await;
    }

    pub async fn say(&mut self, message: ToAgent) {
        self.send(Message::text(serde_json::to_string(&message).unwrap())).await;
    }

    pub async fn send(&mut self, message: Message) {
        // Where the agent has gone already, whoever waits for its answer sees that.
        let _ = self.to_agent.send(message).await;
    }

    /// Says and reads nothing any more, not even the answer to a ping.
    pub fn go_silent(&self) {
        self.silence.notify_one();
    }

    /// Waits until the agent has closed the connection.
    pub async fn closed(&mut self) {
        while self.hear().await.is_some() {}
    }

    pub async fn run(&mut self, kind: &str) -> CommandId {
        let command_id = CommandId(Uuid::new_v4());
        self.run_as(command_id, kind).await;
        command_id
    }

    pub async fn run_as(&mut self, command_id: CommandId, kind: &str) {
        self.say(ToAgent::Run { command_id, kind: kind.parse().unwrap() }).await;
    }

    /// The answer to a refresh.
    pub async fn refresh(&mut self) -> Report {
        let refresh_id = RefreshId(Uuid::new_v4());
        self.say(ToAgent::Refresh { refresh_id }).await;
        self.until("a report", |heard| match heard {
            Heard::Said(FromAgent::Report(report)) if report.refresh_id == Some(refresh_id) => Some(report),
            _ => None,
        })
        .await
    }

    /// The git compartment, looked at now.
    pub async fn git(&mut self) -> (CompartmentStatus, String) {
        let found = self.refresh().await.git.expect("there is a repository");
        (found.status, found.message)
    }

    pub async fn refusal(&mut self, of: CommandId) -> String {
        self.until("a refusal", |heard| match heard {
            Heard::Said(FromAgent::Refused { command_id, reason }) if command_id == of => Some(reason),
            _ => None,
        })
        .await
    }
}

/// What a console keeps of one command.
#[derive(Debug)]
pub struct Log {
    pub command_id: CommandId,
    pub started: usize,
    /// Up to where output is stored, gaps included.
    pub end: u64,
    /// The bytes; empty where they are only counted.
    pub bytes: Vec<u8>,
    pub kept: u64,
    pub gaps: u64,
    pub counts_only: bool,
    pub finished: Option<(Outcome, Option<String>, u64)>,
}

impl Log {
    pub fn of(command_id: CommandId) -> Log {
        let (started, end, bytes, kept, gaps) = (0, 0, Vec::new(), 0, 0);
        Log { command_id, started, end, bytes, kept, gaps, counts_only: false, finished: None }
    }

    pub fn counting(command_id: CommandId) -> Log {
        Log { counts_only: true, ..Log::of(command_id) }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("text")
    }

    /// Takes one thing said of this command and stores it. Nothing may be missing before it.
    pub async fn take(&mut self, connection: &mut Connection, heard: Heard) {
        match heard {
            Heard::Output { command_id, offset, bytes } if command_id == self.command_id => {
                assert!(offset <= self.end, "bytes {} to {offset} are missing", self.end);
                let known = (self.end - offset).min(bytes.len() as u64) as usize;
                if !self.counts_only {
                    self.bytes.extend_from_slice(&bytes[known..]);
                }
                self.end += (bytes.len() - known) as u64;
                self.kept += (bytes.len() - known) as u64;
            }
            Heard::Said(FromAgent::Gap { command_id, offset, size }) if command_id == self.command_id => {
                assert_eq!(offset, self.end, "a gap begins where the output ends");
                self.end += size;
                self.gaps += size;
            }
            Heard::Said(FromAgent::Started { command_id, .. }) if command_id == self.command_id => {
                self.started += 1;
                return;
            }
            Heard::Said(FromAgent::Finished { command_id, outcome, reason, output_bytes })
                if command_id == self.command_id =>
            {
                assert_eq!(output_bytes, self.end, "all output is said before the end");
                self.finished = Some((outcome, reason, output_bytes));
                return;
            }
            _ => return,
        }
        connection.say(ToAgent::Stored { command_id: self.command_id, offset: self.end }).await;
    }

    /// Takes until this holds.
    pub async fn until(&mut self, connection: &mut Connection, what: &str, done: impl Fn(&Log) -> bool) {
        within(what, async {
            while !done(self) {
                let heard = connection.hear().await.unwrap_or_else(|| panic!("the agent went before {what}"));
                self.take(connection, heard).await;
            }
        })
        .await;
    }

    /// Takes to the end, and settles it.
    pub async fn finish(&mut self, connection: &mut Connection) -> Outcome {
        self.until(connection, "the end of the command", |log| log.finished.is_some()).await;
        connection.say(ToAgent::Settled { command_id: self.command_id }).await;
        self.finished.as_ref().expect("it has ended").0
    }
}

/// Runs a command to its end.
pub async fn ran(connection: &mut Connection, kind: &str) -> (Log, Outcome) {
    let mut log = Log::of(connection.run(kind).await);
    let outcome = log.finish(connection).await;
    (log, outcome)
}
