//! Simulated hosts: each agent is a task with a connection of its own, and speaks the real protocol over it. Their hosts are made and removed
//! through the console's API, as an operator's own program would.

mod agent;
#[cfg(test)]
mod tests;

use self::agent::{Sends, SimulatedAgent};
use super::{
    config::{Args, Error},
    console::{Console, ConsoleError},
    fleet::{Failures, each},
    script::Fault,
};
use crate::{
    agent::{
        protocol::{Goodbye, Output, ToAgent},
        wire::{Address, Broken, ConnectError, Heard, Receiver, Sender, connect},
    },
    model::host::HEARTBEAT,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, interval_at},
};
use tokio_util::sync::CancellationToken;

/// A running command writes this often.
const WORKS_EVERY: Duration = Duration::from_millis(200);
/// Before the first new try to connect; doubles.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// All agents come up, spread over this.
const ALL_UP_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Figures of the agents together.
#[derive(Debug, Default)]
pub struct Counts {
    pub connected: AtomicUsize,
    pub heartbeats: AtomicUsize,
    pub refused: AtomicUsize,
}

/// The agents. They end when this goes.
pub struct Agents {
    manners: Vec<watch::Sender<Option<Fault>>>,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

impl Agents {
    /// Makes the hosts, and brings their agents up. How long that took.
    pub async fn raise(
        console: &Console,
        args: &Args,
        end: &CancellationToken,
    ) -> Result<(Agents, Duration), Error> {
        let left = if args.agents > 0 { hosts(console, &args.name).await? } else { Vec::new() };
        if !left.is_empty() {
            return Err(Error::HostsLeftBehind(args.name.clone(), left.len()));
        }
        let address = Address::of_console(console.url()).map_err(|error| Error::Agents(error.to_string()))?;
        let began = Instant::now();
        let counts = Arc::<Counts>::default();
        let mut agents = Agents { manners: Vec::new(), counts: counts.clone(), _tasks: JoinSet::new() };
        let failures = Failures::default();
        let make = |n: usize| {
            let name = host_name(&args.name, n + 1);
            async move {
                let path = "/api/hosts";
                let made = console.post(path, json!({ "name": name })).await?;
                let token = made["token"].as_str().map(str::to_owned);
                token.ok_or_else(|| ConsoleError::Nonsense {
                    path: path.to_owned(),
                    what: "a host without a token".to_owned(),
                })
            }
        };
        let tokens = each(usize::from(args.width), "hosts are made", args.agents, &failures, make).await;
        failures.verdict()?;
        for (token, n) in tokens.into_iter().flatten().zip(1..) {
            let (manner, follows) = watch::channel(None);
            agents.manners.push(manner);
            let life = Life {
                n,
                of: args.agents,
                agent: SimulatedAgent::new(n, host_name(&args.name, n)),
                address: address.clone(),
                token,
                manner: follows,
                lines_per_second: u64::from(args.lines_per_second),
                counts: counts.clone(),
            };
            let end = end.clone();
            agents._tasks.spawn(async move {
                tokio::select! {
                    () = life.live() => {}
                    () = end.cancelled() => {}
                }
            });
        }
        while counts.connected.load(Relaxed) < args.agents {
            let refused = counts.refused.load(Relaxed);
            if refused > 0 {
                return Err(Error::Agents(format!("the console refuses {refused} of the agents")));
            }
            if began.elapsed() > ALL_UP_WITHIN + Duration::from_millis(20) * args.agents as u32 {
                let up = counts.connected.load(Relaxed);
                return Err(Error::Agents(format!(
                    "only {up} of {} agents are connected after {} s",
                    args.agents,
                    began.elapsed().as_secs()
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok((agents, began.elapsed()))
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Agents are numbered from 1.
    pub fn begin(&self, agent: usize, fault: Fault) {
        self.set(agent, Some(fault));
    }

    pub fn recover(&self, agent: usize) {
        self.set(agent, None);
    }

    fn set(&self, agent: usize, manner: Option<Fault>) {
        if let Some(sender) = agent.checked_sub(1).and_then(|at| self.manners.get(at)) {
            sender.send_replace(manner);
        }
    }
}

/// Deletes the hosts of this name; how many there were.
pub async fn remove(console: &Console, args: &Args) -> Result<usize, Error> {
    let hosts = hosts(console, &args.name).await?;
    let failures = Failures::default();
    let delete = |n: usize| {
        let path = format!("/api/hosts/{}", hosts[n]);
        async move {
            match console.delete(&path).await {
                Err(error) if !error.is_gone() && !error.is_leaving() => Err(error),
                _ => Ok(()),
            }
        }
    };
    each(usize::from(args.width), "hosts are deleted", hosts.len(), &failures, delete).await;
    failures.verdict()?;
    Ok(hosts.len())
}

fn host_name(swarm: &str, n: usize) -> String {
    format!("{swarm}-host-{n:05}")
}

/// The ids of the hosts with the swarm's name.
async fn hosts(console: &Console, swarm: &str) -> Result<Vec<String>, Error> {
    let (path, prefix) = ("/api/hosts", format!("{swarm}-host-"));
    let rows = match console.get(path).await {
        Ok(Value::Array(rows)) => rows,
        // An older console knows no hosts.
        Err(error) if error.is_gone() => Vec::new(),
        Err(error) => return Err(error.into()),
        Ok(_) => {
            return Err(ConsoleError::Nonsense { path: path.to_owned(), what: "no list".to_owned() }.into());
        }
    };
    let ours = rows.iter().filter(|row| row["name"].as_str().is_some_and(|name| name.starts_with(&prefix)));
    Ok(ours.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
}

/// An agent with what it needs to live.
struct Life {
    n: usize,
    of: usize,
    agent: SimulatedAgent,
    address: Address,
    token: String,
    manner: watch::Receiver<Option<Fault>>,
    lines_per_second: u64,
    counts: Arc<Counts>,
}

/// Why a connection was over.
enum Over {
    /// Come back.
    Broken(Broken),
    Crashed,
    /// The console wants no more of it.
    ForEver(String),
}

impl Life {
    /// Connects, again and again, until the console wants no more of it.
    async fn live(mut self) {
        let mut pause = PAUSE;
        loop {
            while *self.manner.borrow_and_update() == Some(Fault::Crash) {
                if self.manner.changed().await.is_err() {
                    return;
                }
            }
            let connected = match connect(&self.address, &self.token).await {
                Ok(connection) => connection,
                Err(error @ (ConnectError::Refused(_) | ConnectError::Token)) => {
                    return self.refused(&error.to_string());
                }
                Err(error) => {
                    tracing::debug!(n = self.n, %error, "an agent did not connect");
                    tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            };
            match self.connected(connected, &mut pause).await {
                Over::Crashed => self.agent.crashes(),
                Over::ForEver(why) => return self.refused(&why),
                Over::Broken(error) => {
                    tracing::debug!(n = self.n, %error, "an agent's connection ended");
                    tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn refused(&self, why: &str) {
        self.counts.refused.fetch_add(1, Relaxed);
        tracing::warn!(n = self.n, why, "an agent stops");
    }

    /// One connection, from register to its end.
    async fn connected(
        &mut self,
        (mut sender, mut receiver): (Sender, Receiver),
        pause: &mut Duration,
    ) -> Over {
        if let Err(error) = sender.send(&self.agent.register()).await {
            return Over::Broken(error);
        }
        let mut open = None;
        // All of them beat every five seconds, not all at once.
        let phase = HEARTBEAT.mul_f64(self.n as f64 / self.of.max(1) as f64);
        let mut beat = interval_at(tokio::time::Instant::now() + phase, HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut work = interval(WORKS_EVERY);
        work.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let lines = (self.lines_per_second * WORKS_EVERY.as_millis() as u64 / 1000).max(1);
        let mut manner = self.manner.clone();
        loop {
            let now = *manner.borrow_and_update();
            match now {
                Some(Fault::Crash) => return Over::Crashed,
                // Connected, and deaf and dumb.
                Some(Fault::Hang) => match manner.changed().await {
                    Ok(()) => continue,
                    Err(_) => return Over::Crashed,
                },
                Some(Fault::Slow(_)) | None => {}
            }
            let sends = tokio::select! {
                changed = manner.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Over::Crashed,
                },
                heard = receiver.next() => match heard {
                    Err(error) => return Over::Broken(error),
                    Ok(Heard::Alive) => continue,
                    Ok(Heard::Said(ToAgent::Goodbye { why: Goodbye::Revoked | Goodbye::Protocol, detail })) => {
                        return Over::ForEver(detail);
                    }
                    Ok(Heard::Said(said)) => {
                        if let ToAgent::Welcome { .. } = said {
                            open = Some(Open::count(self.counts.clone()));
                            *pause = PAUSE;
                        }
                        if let Some(Fault::Slow(late)) = now {
                            tokio::time::sleep(late).await;
                        }
                        self.agent.hears(said)
                    }
                },
                _ = beat.tick(), if open.is_some() => {
                    self.counts.heartbeats.fetch_add(1, Relaxed);
                    vec![Sends::Message(self.agent.heartbeat())]
                }
                _ = work.tick(), if open.is_some() && self.agent.is_running() => self.agent.works(lines),
            };
            for one in sends {
                let sent = match &one {
                    Sends::Message(message) => sender.send(message).await,
                    Sends::Output { command_id, offset, bytes } => {
                        sender.output(&Output { command_id: *command_id, offset: *offset, bytes }).await
                    }
                };
                if let Err(error) = sent {
                    return Over::Broken(error);
                }
            }
        }
    }
}

/// Counts a connection as long as it is there.
struct Open(Arc<Counts>);

impl Open {
    fn count(counts: Arc<Counts>) -> Open {
        counts.connected.fetch_add(1, Relaxed);
        Open(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Relaxed);
    }
}
