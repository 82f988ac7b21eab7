//! `GET /api/agent`: the WebSocket of an agent, from its token to its last frame.

use super::{
    Agents,
    outputs::Gap,
    registry::{Claimed, Leave},
    report,
    said::{self, NotWritten},
    token,
};
use crate::{
    agent::protocol::{FromAgent, Goodbye, MAX_FRAME, MAX_OUTPUT, Output, PROTOCOL, Register, ToAgent},
    app::error::ApiError,
    model::{CommandId, Happening, Host, HostId},
    server::{App, api::error::internal, clock::now, socket::Peer, storage::hosts::TokenHash},
};
use axum::{
    Extension,
    extract::{
        ConnectInfo, State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::FutureExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

/// Output that is gathered for one write.
const GATHERED: usize = 1 << 20;
/// The buffer of a connection that frames are read through, bytes.
const READ_AT_ONCE: usize = 8 << 10;

/// The route. It is public for the table of roles: what lets an agent in is its host's token, checked here.
pub async fn connect(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let peer = peer.map(|Extension(ConnectInfo(Peer(address)))| address.to_string()).unwrap_or_default();
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = token::shown(&headers);
    let host = match &shown {
        Some(hash) => token::host(app.store().pool(), hash).await.map_err(|error| internal(&error))?,
        None => None,
    };
    let (Some(hash), Some(host)) = (shown, host) else {
        tracing::warn!(%peer, %forwarded, "an agent was refused: its token is unknown or revoked");
        return Err(ApiError::WrongToken);
    };
    if app.is_shutting_down() {
        let detail = "The console is shutting down. Try again in a moment.".to_owned();
        return Err(ApiError::Unavailable { detail });
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let agents = app.agents().clone();
    let tasks = agents.0.tasks.clone();
    // Thousands of agents are connected and say little: what each may say at once is not set aside for all of them.
    let upgrade =
        upgrade.read_buffer_size(READ_AT_ONCE).max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    Ok(upgrade.on_upgrade(move |socket| {
        tasks.track_future(async move {
            tracing::info!(%host, %peer, "an agent connected");
            let why = serve(&agents, host, hash, socket).await;
            tracing::info!(%host, %peer, why, "an agent's connection ended");
        })
    }))
}

/// How a connection ends.
enum End {
    /// With a word to the agent.
    Goodbye(Leave),
    /// Nobody is there any more.
    Gone(&'static str),
}

impl From<NotWritten> for End {
    fn from(error: NotWritten) -> End {
        match error {
            NotWritten::Deleted => End::Goodbye((Goodbye::Revoked, "This host was deleted.".to_owned())),
            NotWritten::Storage(error) => {
                internal(&error);
                End::Goodbye((Goodbye::Closing, "The console could not write that down.".to_owned()))
            }
        }
    }
}

/// A frame as it was read.
enum Frame {
    Said(FromAgent),
    Output { command: CommandId, offset: u64, bytes: Bytes },
    Alive,
    Malformed(String),
    Closed,
}

/// Serves one connection; returns why it ended.
async fn serve(agents: &Agents, host: HostId, token: TokenHash, mut socket: WebSocket) -> &'static str {
    let end = match admit(agents, host, token, &mut socket).await {
        Err(end) => end,
        Ok((register, claimed)) => {
            let serial = claimed.serial;
            let mut link =
                Link { agents, host, socket: &mut socket, claimed, gathered: Vec::new(), bytes: 0 };
            let end = link.run(register).await;
            // At a shutdown every agent is back in a moment: its host was never away.
            if agents.0.registry.release(host, serial) && !agents.0.shutdown.is_cancelled() {
                agents.went(host).await;
            }
            end
        }
    };
    if let End::Goodbye((Goodbye::Malformed, _)) = &end {
        let text =
            |row: &Host| format!("The agent of {} sent what cannot be read; it was disconnected", row.name);
        agents.tell(host, "malformed", text).await;
    }
    let (why, detail) = match end {
        End::Gone(why) => return why,
        End::Goodbye(leave) => leave,
    };
    let said = async {
        let goodbye = text(&ToAgent::Goodbye { why, detail });
        if socket.send(goodbye).await.is_ok() {
            // The other side closes, too; what it still sends is not read.
            _ = socket.send(Message::Close(None)).await;
        }
    };
    _ = timeout(agents.0.pace.patience, said).await;
    match why {
        Goodbye::Revoked => "its token was revoked or its host deleted",
        Goodbye::Taken => "another agent speaks for its host",
        Goodbye::Protocol => "it speaks another version of the protocol",
        Goodbye::Malformed => "it sent what cannot be read",
        Goodbye::Closing => "the console closed it",
    }
}

/// The first frame, and whether the agent may speak for its host.
async fn admit(
    agents: &Agents,
    host: HostId,
    token: TokenHash,
    socket: &mut WebSocket,
) -> Result<(Register, Claimed), End> {
    let first = timeout(agents.0.pace.register, async {
        loop {
            match read(socket.recv().await) {
                Frame::Alive => {}
                frame => return frame,
            }
        }
    });
    let malformed = |detail: String| End::Goodbye((Goodbye::Malformed, detail));
    let register = match first.await {
        Ok(Frame::Said(FromAgent::Register(register))) => register,
        Ok(Frame::Malformed(detail)) => return Err(malformed(detail)),
        Ok(Frame::Closed) => return Err(End::Gone("it went before it registered")),
        Ok(_) => return Err(malformed("The first message must be register.".to_owned())),
        Err(_) => return Err(malformed("No register came in time.".to_owned())),
    };
    if register.protocol != PROTOCOL {
        let detail = format!(
            "This console speaks version {PROTOCOL} of the agent protocol, the agent version {}. Install the agent of this console.",
            register.protocol
        );
        return Err(End::Goodbye((Goodbye::Protocol, detail)));
    }
    said::refuse(&register).map_err(malformed)?;
    let Some(claimed) = agents.0.registry.claim(host, register.agent_id) else {
        let from = report::short(&register.hostname);
        agents
            .tell(host, "taken", move |row| {
                format!(
                    "A second agent (on {from}) came with the token of host {}; it was refused. If the host moved, stop the other one; if not, make a new token",
                    row.name
                )
            })
            .await;
        let detail = "Another agent with this token is connected.".to_owned();
        return Err(End::Goodbye((Goodbye::Taken, detail)));
    };
    // Once more, now that a revocation would find this connection.
    match token::host(agents.0.store.pool(), &token).await {
        Ok(Some(of)) if of == host => Ok((register, claimed)),
        outcome => {
            agents.0.registry.release(host, claimed.serial);
            Err(match outcome {
                Ok(_) => End::Goodbye((Goodbye::Revoked, "This token was revoked.".to_owned())),
                Err(error) => NotWritten::Storage(error).into(),
            })
        }
    }
}

/// One connection of an agent that was let in.
struct Link<'a> {
    agents: &'a Agents,
    host: HostId,
    socket: &'a mut WebSocket,
    claimed: Claimed,
    /// Output that is not stored yet, in the order it came.
    gathered: Vec<(CommandId, u64, Bytes)>,
    bytes: usize,
}

impl Link<'_> {
    async fn run(&mut self, register: Register) -> End {
        match self.follow(register).await {
            Ok(never) => match never {},
            Err(end) => {
                // What came is kept, whoever cut the connection; its agent sends it again if this fails.
                _ = self.store_gathered().await;
                end
            }
        }
    }

    async fn follow(&mut self, register: Register) -> Result<std::convert::Infallible, End> {
        let (agents, host, pace) = (self.agents, self.host, self.agents.0.pace);
        let reconciled = agents.came(host, register).await?;
        let console_version = env!("CARGO_PKG_VERSION").to_owned();
        self.send(&ToAgent::Welcome { host_id: host, console_version }).await?;
        for command_id in reconciled.settled {
            self.send(&ToAgent::Settled { command_id }).await?;
        }
        agents.0.registry.ready(host, self.claimed.serial, reconciled.strays);
        agents.0.wake.notify_one();

        let mut ping = interval_at(Instant::now() + pace.ping, pace.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut store_at) = (Instant::now(), None);
        loop {
            tokio::select! {
                _ = self.claimed.leave.changed() => {
                    let leave = self.claimed.leave.borrow_and_update().clone();
                    return Err(leave.map_or(End::Gone("its place was taken"), End::Goodbye));
                }
                () = agents.0.shutdown.cancelled() => {
                    return Err(End::Goodbye((Goodbye::Closing, "The console goes down.".to_owned())));
                }
                Some(message) = self.claimed.inbox.recv() => self.send(&message).await?,
                _ = ping.tick() => self.write(Message::Ping(Bytes::new())).await?,
                () = sleep_until(heard + pace.silence) => return Err(End::Gone("it said nothing for too long")),
                () = sleep_until(store_at.unwrap_or(heard)), if store_at.is_some() => {
                    store_at = None;
                    self.store_gathered().await?;
                }
                received = self.socket.recv() => {
                    heard = Instant::now();
                    self.take(read(received)).await?;
                    // What is here already goes into the same write.
                    while self.bytes < GATHERED {
                        let Some(received) = self.socket.recv().now_or_never() else { break };
                        self.take(read(received)).await?;
                    }
                    if self.bytes >= GATHERED {
                        self.store_gathered().await?;
                    }
                    store_at = (self.bytes > 0).then(|| store_at.unwrap_or(heard + pace.gather));
                }
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), End> {
        let malformed = |detail: String| Err(End::Goodbye((Goodbye::Malformed, detail)));
        let message = match frame {
            Frame::Said(message) => message,
            Frame::Output { command, offset, bytes } => {
                self.bytes += bytes.len();
                self.gathered.push((command, offset, bytes));
                return Ok(());
            }
            Frame::Alive => return Ok(()),
            Frame::Malformed(detail) => return malformed(detail),
            Frame::Closed => return Err(End::Gone("its agent closed it, or the network did")),
        };
        let (agents, host) = (self.agents, self.host);
        match message {
            FromAgent::Register(_) => return malformed("register comes once, first.".to_owned()),
            FromAgent::Heartbeat { metrics } => agents.0.board.put(host, now(), metrics),
            FromAgent::Report(report) => agents.reported(host, report).await?,
            FromAgent::Started { command_id, timeout_s } => {
                agents.0.registry.progressed(host);
                let timeout = report::timeout(timeout_s);
                agents.happened(host, command_id, Happening::Started { timeout }).await?;
            }
            FromAgent::Refused { command_id, reason } => {
                let reason = report::sentence(&reason);
                agents.happened(host, command_id, Happening::Refused { reason }).await?;
            }
            FromAgent::Gap { command_id, offset, size } => {
                self.store_gathered().await?;
                if offset.checked_add(size).is_none() {
                    return malformed("A gap ends beyond every offset.".to_owned());
                }
                if agents.keeps_output(host, command_id) {
                    agents.0.registry.progressed(host);
                    let stored = agents.0.outputs.gap(command_id, Gap { offset, size }).await;
                    let offset = stored.map_err(|error| not_stored(&error))?.end;
                    self.send(&ToAgent::Stored { command_id, offset }).await?;
                } else {
                    self.send(&ToAgent::Stored { command_id, offset: offset + size }).await?;
                }
            }
            FromAgent::Finished { command_id, outcome, reason, output_bytes } => {
                self.store_gathered().await?;
                let reason = reason.map(|reason| report::sentence(&reason));
                let happening = Happening::Finished { outcome, reason, output_bytes };
                self.finished(command_id, output_bytes, happening).await?;
            }
        }
        Ok(())
    }

    /// A command ended. It is settled once all its output is stored.
    async fn finished(&mut self, command_id: CommandId, size: u64, how: Happening) -> Result<(), End> {
        let (agents, host) = (self.agents, self.host);
        if agents.is_pending(host, command_id) {
            let complete = agents.0.outputs.completes(command_id, size).await;
            if !complete.map_err(|error| not_stored(&error))? {
                let extent = agents.0.outputs.extent(command_id).await.map_err(|error| not_stored(&error))?;
                self.send(&ToAgent::Stored { command_id, offset: extent.end }).await?;
                let detail =
                    format!("Output of {command_id} is missing from byte {} on; send it again.", extent.end);
                return Err(End::Goodbye((Goodbye::Closing, detail)));
            }
            agents.happened(host, command_id, how).await?;
        }
        self.send(&ToAgent::Settled { command_id }).await?;
        if agents.0.registry.settled(host, command_id) {
            agents.0.wake.notify_one();
        }
        Ok(())
    }

    /// Writes the output that was gathered, and tells the agent what it may let go of.
    async fn store_gathered(&mut self) -> Result<(), End> {
        self.bytes = 0;
        let mut gathered = std::mem::take(&mut self.gathered);
        while let Some((command_id, ..)) = gathered.first() {
            let command_id = *command_id;
            let (these, others): (Vec<_>, Vec<_>) =
                gathered.into_iter().partition(|(of, ..)| *of == command_id);
            gathered = others;
            let pieces: Vec<(u64, Bytes)> =
                these.into_iter().map(|(_, offset, bytes)| (offset, bytes)).collect();
            let last = pieces.iter().map(|(offset, bytes)| offset + bytes.len() as u64).max();
            let offset = if self.agents.keeps_output(self.host, command_id) {
                self.agents.0.registry.progressed(self.host);
                let stored = self.agents.0.outputs.append(command_id, pieces).await;
                stored.map_err(|error| not_stored(&error))?.end
            } else {
                // Nobody can ever look at it: let the agent be done with it.
                last.unwrap_or_default()
            };
            self.send(&ToAgent::Stored { command_id, offset }).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &ToAgent) -> Result<(), End> {
        self.write(text(message)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.agents.0.pace.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone("the connection broke")),
            Err(_) => Err(End::Gone("its agent takes nothing")),
        }
    }
}

fn not_stored(error: &std::io::Error) -> End {
    tracing::error!(%error, "output of a command cannot be stored");
    End::Goodbye((Goodbye::Closing, "The console cannot store output at the moment.".to_owned()))
}

fn read(received: Option<Result<Message, axum::Error>>) -> Frame {
    match received {
        Some(Ok(Message::Text(text))) => match serde_json::from_str(text.as_str()) {
            Ok(message) => Frame::Said(message),
            Err(error) => Frame::Malformed(format!("A message cannot be read: {error}")),
        },
        Some(Ok(Message::Binary(frame))) => match Output::parse(&frame) {
            Some(Output { command_id, offset, bytes }) => {
                let bytes = frame.slice(frame.len() - bytes.len()..);
                Frame::Output { command: command_id, offset, bytes }
            }
            None => Frame::Malformed(format!(
                "A binary frame must be 24 bytes of command id and offset, then 1 to {MAX_OUTPUT} of output."
            )),
        },
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Frame::Alive,
        Some(Ok(Message::Close(_))) | None => Frame::Closed,
        Some(Err(error)) => broken(error),
    }
}

/// An error of the socket: a mistake of the agent, or the network's.
fn broken(error: axum::Error) -> Frame {
    use tungstenite::{Error, error::ProtocolError};
    let error = error.into_inner();
    match error.downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => Frame::Malformed(format!("A frame may have {MAX_FRAME} bytes.")),
        Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Frame::Closed,
        Some(Error::Protocol(error)) => Frame::Malformed(error.to_string()),
        Some(Error::Utf8(_)) => Frame::Malformed("A text frame is not UTF-8.".to_owned()),
        _ => Frame::Closed,
    }
}

fn text(message: &ToAgent) -> Message {
    let json =
        serde_json::to_string(message).expect("messages are plain data: no map keys, no failing serialiser");
    Message::Text(json.into())
}
