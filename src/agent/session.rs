//! One connection, from `register` to its end.

use super::{
    checks::{Ask, Checks, Findings, Round},
    commands::{Commands, Run},
    config::Config,
    feed::{self, Frame},
    protocol::{FromAgent, Goodbye, Output, PROTOCOL, Register, ToAgent},
    wire::{Broken, Heard, Receiver, Sender},
};
use crate::model::{CommandId, HostMetrics, host::HEARTBEAT};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::Arc,
    time::Duration,
};
use sysinfo::System;
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// A console answers pings: one that says nothing for so long is not there.
const SILENCE: Duration = Duration::from_secs(20);
/// Frames that wait for the network beside those that are made when it is ready for them.
const QUEUE: usize = 4;
/// Small messages that wait for the network. More of them means that it takes nothing.
const MOST_UNSAID: usize = 1_000;

/// All of the agent that outlives a connection.
pub struct Agent {
    pub config: Arc<Config>,
    pub commands: Commands,
    pub checks: Checks,
    pub figures: watch::Receiver<Option<HostMetrics>>,
    /// The latest round.
    pub findings: Option<Arc<Findings>>,
    /// Commands after which a round was asked for, whose round is over and not said.
    pub unsaid: HashSet<CommandId>,
}

/// Why a connection is over.
#[derive(Debug)]
pub enum Over {
    /// This agent was asked to end.
    Ended,
    Goodbye(Goodbye, String),
    Broken(Broken),
    Silent,
    /// There is a connection and no welcome.
    NotWelcome,
}

impl Agent {
    /// A round is over: its answers wait for a connection, except to those who wanted to know on one that is gone.
    pub fn keep(&mut self, (findings, asks): Round) {
        self.findings = Some(findings);
        self.unsaid.extend(asks.iter().filter_map(|ask| match ask {
            Ask::After(command) => Some(*command),
            Ask::Time | Ask::Refresh(_) => None,
        }));
    }

    fn register(&self) -> FromAgent {
        let os = System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned());
        FromAgent::Register(Register {
            protocol: PROTOCOL,
            agent_id: self.commands.state().agent_id,
            hostname: self.config.hostname.clone().unwrap_or_default(),
            host_type: self.config.host_type.clone(),
            os: format!("{os}, {}", std::env::consts::ARCH),
            theme_color: self.config.theme_color,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            commands: self.config.offers(),
            holds: self.commands.held(),
        })
    }
}

/// One connection.
pub struct Session<'a> {
    agent: &'a mut Agent,
    /// What is to be said, in order.
    say: VecDeque<Frame>,
    frames: mpsc::Sender<Frame>,
    /// One for each command that is told of; each ends once its command's end was said.
    feeds: JoinSet<()>,
    feeding: HashMap<CommandId, AbortHandle>,
    /// When the console took this agent in.
    pub welcomed: Option<Instant>,
}

/// Speaks with the console until the connection is over. Says as well since when the agent was welcome.
pub async fn hold(
    agent: &mut Agent,
    sender: Sender,
    receiver: Receiver,
    end: &CancellationToken,
) -> (Over, Option<Instant>) {
    let (frames, queue) = mpsc::channel(QUEUE);
    let mut writer = tokio::spawn(write(sender, queue));
    let say = VecDeque::from([Frame::Say(agent.register())]);
    let mut session =
        Session { agent, say, frames, feeds: JoinSet::new(), feeding: HashMap::new(), welcomed: None };
    let over = session.speak(receiver, &mut writer, end).await;
    let welcomed = session.welcomed;
    drop(session);
    if let Over::Ended = over {
        // It takes its leave once nobody gives it anything any more.
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut writer).await;
    }
    writer.abort();
    (over, welcomed)
}

/// Sends what it is given, and closes the connection when nobody gives any more.
async fn write(mut sender: Sender, mut queue: mpsc::Receiver<Frame>) -> Result<(), Broken> {
    while let Some(frame) = queue.recv().await {
        match frame {
            Frame::Say(message) => sender.send(&message).await?,
            Frame::Ping => sender.ping().await?,
            Frame::Output { command_id, offset, bytes } => {
                sender.output(&Output { command_id, offset, bytes: &bytes }).await?;
            }
        }
    }
    sender.close().await
}

impl Session<'_> {
    async fn speak(
        &mut self,
        mut receiver: Receiver,
        writer: &mut JoinHandle<Result<(), Broken>>,
        end: &CancellationToken,
    ) -> Over {
        let mut pings = interval(HEARTBEAT);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let silent = sleep_until(Instant::now() + SILENCE);
        let unwelcome = sleep_until(Instant::now() + SILENCE);
        tokio::pin!(silent, unwelcome);
        let frames = self.frames.clone();
        loop {
            tokio::select! {
                permit = frames.reserve(), if !self.say.is_empty() => {
                    // Closed when the writer is over, which says why.
                    if let (Ok(permit), Some(frame)) = (permit, self.say.pop_front()) {
                        permit.send(frame);
                    }
                }
                heard = receiver.next() => {
                    silent.as_mut().reset(Instant::now() + SILENCE);
                    match heard {
                        Ok(Heard::Alive) => {}
                        Ok(Heard::Said(ToAgent::Goodbye { why, detail })) => return Over::Goodbye(why, detail),
                        Ok(Heard::Said(message)) => self.hear(message),
                        Err(broken) => return Over::Broken(broken),
                    }
                }
                // Whoever measures has said why, should there be none any more.
                Ok(()) = self.agent.figures.changed(), if self.welcomed.is_some() => self.say_figures(),
                _ = pings.tick() => self.say.push_back(Frame::Ping),
                Some(round) = self.agent.checks.rounds.recv() => self.say_round(round),
                Some(_) = self.feeds.join_next() => {}
                written = &mut *writer => return Over::Broken(match written {
                    Ok(Err(broken)) => broken,
                    Ok(Ok(())) | Err(_) => Broken::Closed,
                }),
                () = &mut silent => return Over::Silent,
                () = &mut unwelcome, if self.welcomed.is_none() => return Over::NotWelcome,
                () = end.cancelled() => return Over::Ended,
            }
            if self.say.len() > MOST_UNSAID {
                return Over::Broken(Broken::Stuck);
            }
        }
    }

    fn hear(&mut self, message: ToAgent) {
        match message {
            ToAgent::Welcome { host_id, console_version } => self.be_welcome(host_id, &console_version),
            ToAgent::Run { command_id, kind } => match self.agent.commands.run(command_id, &kind) {
                Run::Begun(holding) => self.feed(command_id, holding),
                Run::Known => tracing::info!(%command_id, %kind, "was run already, and is not run again"),
                Run::Refused(reason) => {
                    tracing::warn!(%command_id, %kind, reason, "a command is refused");
                    self.say.push_back(Frame::Say(FromAgent::Refused { command_id, reason }));
                }
            },
            ToAgent::Cancel { command_id } => self.agent.commands.cancel(command_id),
            ToAgent::Stored { command_id, offset } => self.agent.commands.stored(command_id, offset),
            ToAgent::Settled { command_id } => {
                if let Some(feed) = self.feeding.remove(&command_id) {
                    feed.abort();
                }
                // What it changed is found out now and not before: a report that the console hears before the end tells it nothing.
                if self.agent.commands.settled(command_id) {
                    self.ask(Ask::After(command_id));
                }
            }
            ToAgent::Refresh { refresh_id } => self.ask(Ask::Refresh(refresh_id)),
            // Ends the connection before it comes here.
            ToAgent::Goodbye { .. } => {}
        }
    }

    fn be_welcome(&mut self, host_id: crate::model::HostId, console_version: &str) {
        if self.welcomed.is_some() {
            return;
        }
        tracing::info!(%host_id, console_version, "connected");
        self.welcomed = Some(Instant::now());
        self.say_figures();
        let unsaid = std::mem::take(&mut self.agent.unsaid);
        if let Some(findings) = self.agent.findings.clone() {
            let asks = unsaid.into_iter().map(Ask::After).chain([Ask::Time]);
            self.say.extend(asks.map(|ask| Frame::Say(FromAgent::Report(findings.report(ask)))));
        }
        let held: Vec<_> = self.agent.commands.wanted().cloned().collect();
        for holding in held {
            self.feed(holding.spool.record.command_id, holding);
        }
    }

    fn feed(&mut self, command: CommandId, holding: super::commands::Holding) {
        let frames = self.frames.clone();
        let feed = self.feeds.spawn(feed::tell(holding, frames));
        self.feeding.insert(command, feed);
    }

    fn say_figures(&mut self) {
        let metrics = *self.agent.figures.borrow_and_update();
        self.say.extend(metrics.map(|metrics| Frame::Say(FromAgent::Heartbeat { metrics })));
    }

    fn say_round(&mut self, (findings, asks): Round) {
        self.agent.findings = Some(findings.clone());
        if self.welcomed.is_none() {
            return self.agent.keep((findings, asks));
        }
        self.say.extend(asks.into_iter().map(|ask| Frame::Say(FromAgent::Report(findings.report(ask)))));
    }

    fn ask(&self, ask: Ask) {
        if let Err(error) = self.agent.checks.ask.try_send(ask) {
            tracing::warn!(?ask, %error, "too many wait for the next round of checks; this one is not answered");
        }
    }
}

/// What the machine calls itself.
pub fn machine_name() -> io::Result<String> {
    System::host_name()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| io::Error::other("this machine has no name: write hostname into the configuration"))
}
