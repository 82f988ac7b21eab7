//! Which agent speaks for which host at this moment. Everything under its lock is in memory and never waits.

use crate::{
    agent::protocol::{Goodbye, ToAgent},
    model::{AgentId, CommandId, HostId},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

/// Messages that may wait for one agent. What finds no room is sent again later.
const WAITING: usize = 64;

#[derive(Default)]
pub struct Registry(Mutex<State>);

#[derive(Default)]
struct State {
    connections: HashMap<HostId, Connection>,
    serial: u64,
}

struct Connection {
    serial: u64,
    agent: AgentId,
    to: mpsc::Sender<ToAgent>,
    leave: watch::Sender<Option<Leave>>,
    /// Its host is online, and its commands are reconciled with what it holds.
    is_ready: bool,
    run_sent: Option<(CommandId, Instant)>,
    cancel_sent: Option<(CommandId, Instant)>,
    /// Commands that it holds and that are over here: it is busy with them.
    strays: BTreeSet<CommandId>,
    /// When it connected, or last told of a command.
    progress: Instant,
}

/// Why a connection has to end.
pub type Leave = (Goodbye, String);

/// The ends of a connection that its own task holds.
pub struct Claimed {
    pub serial: u64,
    pub inbox: mpsc::Receiver<ToAgent>,
    pub leave: watch::Receiver<Option<Leave>>,
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub is_ready: bool,
    /// Whether it is free of commands that are over here.
    pub is_free: bool,
    /// How long nothing was heard of its command.
    pub quiet: Duration,
}

impl Registry {
    /// Takes the place of a host's agent. `None` while another agent has it; a connection of the same agent is ended.
    pub fn claim(&self, host: HostId, agent: AgentId) -> Option<Claimed> {
        let mut state = self.lock();
        if let Some(older) = state.connections.get(&host) {
            if older.agent != agent {
                return None;
            }
            let detail = "A newer connection of the same agent took over.".to_owned();
            older.leave.send_replace(Some((Goodbye::Closing, detail)));
        }
        state.serial += 1;
        let serial = state.serial;
        let ((to, inbox), (leave, left)) = (mpsc::channel(WAITING), watch::channel(None));
        let connection = Connection {
            serial,
            agent,
            to,
            leave,
            is_ready: false,
            run_sent: None,
            cancel_sent: None,
            strays: BTreeSet::new(),
            progress: Instant::now(),
        };
        state.connections.insert(host, connection);
        Some(Claimed { serial, inbox, leave: left })
    }

    /// Gives the place back, if this connection still has it.
    pub fn release(&self, host: HostId, serial: u64) -> bool {
        let mut state = self.lock();
        let is_ours = state.connections.get(&host).is_some_and(|connection| connection.serial == serial);
        if is_ours {
            state.connections.remove(&host);
        }
        is_ours
    }

    pub fn ready(&self, host: HostId, serial: u64, strays: BTreeSet<CommandId>) {
        self.with(host, |connection| {
            if connection.serial == serial {
                (connection.is_ready, connection.strays, connection.progress) =
                    (true, strays, Instant::now());
            }
        });
    }

    /// The agent told something of a command.
    pub fn progressed(&self, host: HostId) {
        self.with(host, |connection| connection.progress = Instant::now());
    }

    /// A command that the agent held is settled. Returns whether that set it free.
    pub fn settled(&self, host: HostId, command: CommandId) -> bool {
        self.with(host, |connection| connection.strays.remove(&command)).unwrap_or(false)
    }

    pub fn standing(&self, host: HostId) -> Option<Standing> {
        self.with(host, |connection| Standing {
            is_ready: connection.is_ready,
            is_free: connection.strays.is_empty(),
            quiet: connection.progress.elapsed(),
        })
    }

    /// Whether any agent speaks for the host.
    pub fn is_connected(&self, host: HostId) -> bool {
        self.lock().connections.contains_key(&host)
    }

    /// Hands a message to a connection that is ready. False where there is none, or no room.
    pub fn send(&self, host: HostId, message: ToAgent) -> bool {
        self.with(host, |connection| connection.is_ready && connection.to.try_send(message).is_ok())
            .unwrap_or(false)
    }

    /// Sends `run` or `cancel`, unless that was done on this connection less than `again` ago.
    pub fn tell(&self, host: HostId, command: CommandId, message: ToAgent, again: Duration) {
        self.with(host, |connection| {
            let sent = match message {
                ToAgent::Cancel { .. } => &mut connection.cancel_sent,
                _ => &mut connection.run_sent,
            };
            let is_done = sent.is_some_and(|(of, at)| of == command && at.elapsed() < again);
            if connection.is_ready && !is_done && connection.to.try_send(message).is_ok() {
                *sent = Some((command, Instant::now()));
            }
        });
    }

    pub fn cut(&self, host: HostId, why: Goodbye, detail: &str) {
        self.with(host, |connection| connection.leave.send_replace(Some((why, detail.to_owned()))));
    }

    pub fn len(&self) -> usize {
        self.lock().connections.len()
    }

    fn with<T>(&self, host: HostId, act: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        self.lock().connections.get_mut(&host).map(act)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const HOST: HostId = HostId(Uuid::from_u128(1));

    #[tokio::test]
    async fn another_agent_has_to_wait_and_the_same_one_takes_over() {
        let registry = Registry::default();
        let (a, b) = (AgentId(Uuid::from_u128(2)), AgentId(Uuid::from_u128(3)));
        let older = registry.claim(HOST, a).unwrap();
        assert!(registry.claim(HOST, b).is_none());
        let newer = registry.claim(HOST, a).unwrap();
        assert_eq!(older.leave.borrow().as_ref().map(|(why, _)| *why), Some(Goodbye::Closing));
        assert!(!registry.release(HOST, older.serial), "it is not its place any more");
        assert!(registry.is_connected(HOST));
        assert!(registry.release(HOST, newer.serial));
        assert!(registry.claim(HOST, b).is_some());
    }

    #[tokio::test]
    async fn the_same_is_not_sent_twice_on_one_connection_and_again_on_the_next() {
        let registry = Registry::default();
        let (agent, command) = (AgentId(Uuid::from_u128(2)), CommandId(Uuid::from_u128(9)));
        let tell = || {
            let cancel = ToAgent::Cancel { command_id: command };
            registry.tell(HOST, command, cancel, Duration::from_secs(60));
        };
        let mut first = registry.claim(HOST, agent).unwrap();
        tell();
        assert!(first.inbox.try_recv().is_err(), "not before it is ready");
        registry.ready(HOST, first.serial, BTreeSet::new());
        (tell(), tell());
        assert_eq!(first.inbox.try_recv(), Ok(ToAgent::Cancel { command_id: command }));
        assert!(first.inbox.try_recv().is_err());
        let mut second = registry.claim(HOST, agent).unwrap();
        registry.ready(HOST, second.serial, BTreeSet::new());
        tell();
        assert!(second.inbox.try_recv().is_ok());
    }
}
