//! One simulated agent: what it is and does, without a socket. Inputs are what the console says and the passing of time; out come the
//! messages to send. The real agent runs processes; this one makes up what they would write.

use crate::{
    agent::protocol::{Found, FoundLock, FromAgent, Held, MAX_OUTPUT, PROTOCOL, Register, Report, ToAgent},
    model::{
        AgentId, CommandId, CommandKind, CommandOffer, CompartmentKind, CompartmentStatus, HostMetrics,
        Outcome, RefreshId,
    },
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// Output that the console has not confirmed is kept up to this size; a command that has written more waits, as at a full pipe.
const KEPT: usize = 256 << 10;
const TIMEOUT: Duration = Duration::from_secs(600);
const GIB: u64 = 1 << 30;

/// What to send.
#[derive(Clone, Debug, PartialEq)]
pub enum Sends {
    Message(FromAgent),
    Output { command_id: CommandId, offset: u64, bytes: Vec<u8> },
}

/// A command that it holds: running, or ended and not settled.
#[derive(Clone, Debug)]
struct Holding {
    kind: CommandKind,
    lines: u64,
    written_lines: u64,
    /// Where what is kept begins, and what it is.
    offset: u64,
    kept: Vec<u8>,
    /// Up to here it was sent on this connection.
    sent: u64,
    ended: Option<Outcome>,
    interrupted: bool,
}

impl Holding {
    fn written(&self) -> u64 {
        self.offset + self.kept.len() as u64
    }
}

#[derive(Debug)]
pub struct SimulatedAgent {
    n: usize,
    id: AgentId,
    hostname: String,
    held: BTreeMap<CommandId, Holding>,
    /// Commits behind its remote.
    behind: u32,
    /// What is checked out is deployed.
    switched: bool,
    generation: u32,
    beats: u64,
}

impl SimulatedAgent {
    pub fn new(n: usize, hostname: String) -> SimulatedAgent {
        // One in ten is behind, one in twenty has something to deploy.
        let (behind, switched) = (if n % 10 == 3 { 2 } else { 0 }, n % 20 != 7);
        SimulatedAgent {
            n,
            id: AgentId(Uuid::new_v4()),
            hostname,
            held: BTreeMap::new(),
            behind,
            switched,
            generation: 40 + (n % 9) as u32,
            beats: 0,
        }
    }

    pub fn register(&self) -> FromAgent {
        let held = |(id, holding): (&CommandId, &Holding)| Held {
            command_id: *id,
            interrupted: holding.interrupted,
        };
        FromAgent::Register(Register {
            protocol: PROTOCOL,
            agent_id: self.id,
            hostname: self.hostname.clone(),
            host_type: Some("swarm".to_owned()),
            os: "Simulated 1.0".to_owned(),
            theme_color: format!(
                "#{:02x}{:02x}{:02x}",
                80 + self.n * 37 % 150,
                80 + self.n * 59 % 150,
                80 + self.n * 83 % 150
            )
            .parse()
            .ok(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            commands: offers(),
            holds: self.held.iter().map(held).collect(),
        })
    }

    pub fn heartbeat(&mut self) -> FromAgent {
        self.beats += 1;
        let wave = ((self.beats + self.n as u64 * 7) % 60) as f32;
        let busy = if self.is_running() { 40.0 } else { 0.0 };
        let metrics = HostMetrics {
            cpu_percent: 1.0 + (wave - 30.0).abs() / 3.0 + busy,
            ram_used: GIB + (self.n as u64 % 13) * (GIB / 8) + (self.beats % 60) * (1 << 20),
            ram_total: 8 * GIB,
            swap_used: 0,
            swap_total: 2 * GIB,
            disk_used: (10 + self.n as u64 % 40) * GIB,
            disk_total: 64 * GIB,
            load: [wave / 60.0 + busy / 40.0, wave / 90.0, wave / 120.0],
            uptime_s: 86_400 + self.beats * 5,
            reboot_needed: self.n % 50 == 11,
        };
        FromAgent::Heartbeat { metrics }
    }

    /// A new connection was welcomed: what the console has not confirmed is said again.
    pub fn welcomed(&mut self) -> Vec<Sends> {
        let mut sends = vec![Sends::Message(self.report(None, None))];
        for (id, holding) in &mut self.held {
            holding.sent = holding.offset;
            if holding.ended.is_none() && !holding.interrupted {
                sends.push(Sends::Message(started(*id)));
            }
        }
        sends.extend(self.unsent());
        sends
    }

    pub fn hears(&mut self, said: ToAgent) -> Vec<Sends> {
        match said {
            ToAgent::Welcome { .. } => self.welcomed(),
            ToAgent::Run { command_id, kind } => self.run(command_id, kind),
            ToAgent::Cancel { command_id } => {
                let Some(holding) = self.held.get_mut(&command_id).filter(|holding| holding.ended.is_none())
                else {
                    return Vec::new();
                };
                holding.ended = Some(Outcome::Cancelled);
                self.unsent()
            }
            ToAgent::Stored { command_id, offset } => {
                if let Some(holding) = self.held.get_mut(&command_id) {
                    let done = offset.saturating_sub(holding.offset).min(holding.kept.len() as u64);
                    holding.kept.drain(..done as usize);
                    holding.offset += done;
                    holding.sent = holding.sent.max(holding.offset);
                }
                Vec::new()
            }
            ToAgent::Settled { command_id } => match self.held.remove(&command_id) {
                Some(Holding { ended: Some(_), .. }) => {
                    vec![Sends::Message(self.report(None, Some(command_id)))]
                }
                _ => Vec::new(),
            },
            ToAgent::Refresh { refresh_id } => vec![Sends::Message(self.report(Some(refresh_id), None))],
            ToAgent::Goodbye { .. } => Vec::new(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.held.values().any(|holding| holding.ended.is_none() && !holding.interrupted)
    }

    /// The running command writes so many lines more, or ends.
    pub fn works(&mut self, lines: u64) -> Vec<Sends> {
        let running =
            self.held.iter_mut().find(|(_, holding)| holding.ended.is_none() && !holding.interrupted);
        let Some((_, holding)) = running else { return Vec::new() };
        for _ in 0..lines {
            if holding.written_lines == holding.lines || holding.kept.len() >= KEPT {
                break;
            }
            holding.written_lines += 1;
            let line = format!(
                "\x1b[32m{}\x1b[0m: step {} of {}\n",
                holding.kind, holding.written_lines, holding.lines
            );
            holding.kept.extend_from_slice(line.as_bytes());
        }
        let mut after = None;
        if holding.written_lines == holding.lines {
            holding.ended = Some(Outcome::Exited { code: 0 });
            after = Some(holding.kind.clone());
        }
        match after.as_ref().map(CommandKind::as_str) {
            Some("pull") => (self.behind, self.switched) = (0, self.switched && self.behind == 0),
            Some("switch") => (self.switched, self.generation) = (true, self.generation + 1),
            _ => {}
        }
        self.unsent()
    }

    /// Its machine went down and came up again: what ran, nobody knows.
    pub fn crashes(&mut self) {
        self.held
            .values_mut()
            .filter(|holding| holding.ended.is_none())
            .for_each(|holding| holding.interrupted = true);
        self.beats = 0;
    }

    fn run(&mut self, id: CommandId, kind: CommandKind) -> Vec<Sends> {
        if self.held.contains_key(&id) {
            return Vec::new();
        }
        let refuse = |reason: &str| {
            vec![Sends::Message(FromAgent::Refused { command_id: id, reason: reason.to_owned() })]
        };
        let lines = match kind.as_str() {
            "pull" => 20,
            "switch" => 200,
            "test" => 1_000,
            _ => return refuse("This agent knows no such command"),
        };
        if self.is_running() {
            return refuse("Another command is running");
        }
        let holding = Holding {
            kind,
            lines,
            written_lines: 0,
            offset: 0,
            kept: Vec::new(),
            sent: 0,
            ended: None,
            interrupted: false,
        };
        self.held.insert(id, holding);
        vec![Sends::Message(started(id))]
    }

    /// Output that this connection has not carried yet, and the ends of commands whose output it has.
    fn unsent(&mut self) -> Vec<Sends> {
        let mut sends = Vec::new();
        for (id, holding) in &mut self.held {
            let unsent = holding.kept.get((holding.sent - holding.offset) as usize..).unwrap_or_default();
            for bytes in unsent.chunks(MAX_OUTPUT) {
                sends.push(Sends::Output { command_id: *id, offset: holding.sent, bytes: bytes.to_vec() });
                holding.sent += bytes.len() as u64;
            }
            if let Some(outcome) = holding.ended {
                let output_bytes = holding.written();
                sends.push(Sends::Message(FromAgent::Finished {
                    command_id: *id,
                    outcome,
                    reason: None,
                    output_bytes,
                }));
            }
        }
        sends
    }

    fn report(&self, refresh_id: Option<RefreshId>, after: Option<CommandId>) -> FromAgent {
        let found = |is_so: bool, good: &str, bad: String| Found {
            status: if is_so { CompartmentStatus::Ok } else { CompartmentStatus::Outdated },
            message: if is_so { good.to_owned() } else { bad },
            age_ms: 0,
        };
        let head = digest(&format!("commit {}", self.behind));
        FromAgent::Report(Report {
            refresh_id,
            after,
            git: Some(found(
                self.behind == 0,
                "Up to date with origin/main",
                format!("{} commits behind origin/main", self.behind),
            )),
            git_head: head.get(..40).map(str::to_owned),
            system: Some(found(
                self.switched,
                "What is checked out is deployed",
                "The checked out commit is not deployed".to_owned(),
            )),
            generation: Some(self.generation.to_string()),
            lock: Some(FoundLock {
                hash: Some(digest(&format!("lock {}", self.behind))),
                error: None,
                age_ms: 0,
            }),
        })
    }
}

fn started(command_id: CommandId) -> FromAgent {
    FromAgent::Started { command_id, timeout_s: TIMEOUT.as_secs() }
}

fn offers() -> Vec<CommandOffer> {
    let kinds: [(&str, &[CompartmentKind]); 3] = [
        ("pull", &[CompartmentKind::Git, CompartmentKind::Lock]),
        ("switch", &[CompartmentKind::System]),
        ("test", &[]),
    ];
    let offer = |(kind, checks): &(&str, &[CompartmentKind])| {
        let kind = kind.parse().ok()?;
        Some(CommandOffer { kind, timeout_s: TIMEOUT.as_secs(), checks: checks.to_vec() })
    };
    kinds.iter().filter_map(offer).collect()
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CommandId = CommandId(Uuid::from_u128(1));

    fn run(agent: &mut SimulatedAgent, kind: &str) -> Vec<Sends> {
        agent.hears(ToAgent::Run { command_id: ID, kind: kind.parse().unwrap() })
    }

    fn output(sends: &[Sends]) -> Vec<(u64, Vec<u8>)> {
        let output = |sends: &Sends| match sends {
            Sends::Output { offset, bytes, .. } => Some((*offset, bytes.clone())),
            Sends::Message(_) => None,
        };
        sends.iter().filter_map(output).collect()
    }

    #[test]
    fn output_is_said_again_from_what_was_stored_and_the_end_until_it_is_settled() {
        let mut agent = SimulatedAgent::new(3, "a".to_owned());
        assert_eq!(run(&mut agent, "pull"), [Sends::Message(started(ID))]);
        assert!(run(&mut agent, "pull").is_empty(), "said again, it does nothing");
        let first = agent.works(5);
        let [(0, bytes)] = &output(&first)[..] else { panic!("{first:?}") };
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 5);
        agent.hears(ToAgent::Stored { command_id: ID, offset: 30 });
        let again = agent.welcomed();
        assert_eq!(output(&again), [(30, bytes[30..].to_vec())], "a new connection");
        let rest = agent.works(100);
        assert_eq!(output(&rest)[0].0, bytes.len() as u64);
        let total: u64 = bytes.len() as u64 + output(&rest)[0].1.len() as u64;
        let finished = FromAgent::Finished {
            command_id: ID,
            outcome: Outcome::Exited { code: 0 },
            reason: None,
            output_bytes: total,
        };
        assert!(rest.contains(&Sends::Message(finished.clone())));
        assert!(agent.welcomed().contains(&Sends::Message(finished)));
        let looked = agent.hears(ToAgent::Settled { command_id: ID });
        let [Sends::Message(FromAgent::Report(report))] = &looked[..] else { panic!("a report follows") };
        assert_eq!(
            (report.after, report.git.as_ref().map(|git| git.status)),
            (Some(ID), Some(CompartmentStatus::Ok))
        );
        assert_eq!(agent.welcomed().len(), 1, "its report alone");
    }

    #[test]
    fn it_runs_one_at_a_time_what_it_knows_can_be_cancelled_and_forgets_when_it_crashes() {
        let mut agent = SimulatedAgent::new(1, "a".to_owned());
        assert!(matches!(run(&mut agent, "reboot")[..], [Sends::Message(FromAgent::Refused { .. })]));
        run(&mut agent, "test");
        let other = CommandId(Uuid::from_u128(2));
        let kind: CommandKind = "pull".parse().unwrap();
        let refused = agent.hears(ToAgent::Run { command_id: other, kind });
        assert!(matches!(refused[..], [Sends::Message(FromAgent::Refused { .. })]));
        let cancelled = agent.hears(ToAgent::Cancel { command_id: ID });
        assert!(matches!(
            cancelled[..],
            [Sends::Message(FromAgent::Finished { outcome: Outcome::Cancelled, .. })]
        ));
        assert!(!agent.is_running());
        let kind: CommandKind = "test".parse().unwrap();
        agent.hears(ToAgent::Run { command_id: other, kind });
        agent.crashes();
        let FromAgent::Register(register) = agent.register() else { panic!("it registers") };
        let interrupted: Vec<_> =
            register.holds.iter().map(|held| (held.command_id, held.interrupted)).collect();
        assert_eq!(interrupted, [(ID, false), (other, true)]);
        assert!(agent.works(10).is_empty());
    }

    #[test]
    fn what_nobody_confirms_does_not_grow_without_end() {
        let mut agent = SimulatedAgent::new(1, "a".to_owned());
        run(&mut agent, "test");
        agent.held.get_mut(&ID).unwrap().lines = 1_000_000;
        agent.works(500_000);
        assert!(agent.held[&ID].kept.len() < KEPT + 100);
        assert!(agent.is_running());
    }
}
