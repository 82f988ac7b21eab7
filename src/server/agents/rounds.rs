//! The one task that owns what is sent to hosts and when waiting ends: it looks over the fleet whenever that changes, and every second.

use super::{Agents, said::offline};
use crate::{
    agent::protocol::ToAgent,
    model::{
        Actor, Command, CommandId, CommandStatus, CompartmentKind, CompartmentStatus, Draft, Fleet, Gone,
        Happening, HostCause, HostId, PostCheck, Timestamp, command::OVERDUE_AFTER,
    },
    server::{
        clock::now,
        storage::{StorageError, TransactError},
    },
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// The fleet is looked over at most this often.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Commands of one transaction.
const TOGETHER: usize = 500;

pub async fn run(agents: Agents) {
    let mut rows = agents.0.store.watch();
    let mut tick = interval(agents.0.pace.tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked = Instant::now();
    loop {
        let is_tick = tokio::select! {
            () = agents.0.shutdown.cancelled() => return,
            _ = tick.tick() => true,
            () = agents.0.wake.notified() => false,
            changed = rows.changed() => match changed {
                Ok(()) => false,
                Err(_) => return,
            },
        };
        if !is_tick {
            sleep_until(looked + LOOK_EVERY).await;
        }
        rows.mark_unchanged();
        let round = match is_tick {
            true => async { pass(&agents).await.and(send(&agents).await) }.await,
            false => send(&agents).await,
        };
        if let Err(error) = round {
            tracing::error!(%error, "commands could not be followed; it is tried again");
        }
        looked = Instant::now();
    }
}

/// The commands of a host that are not over.
#[derive(Default)]
struct Open {
    pending: Option<Arc<Command>>,
    /// The one that waits longest.
    next: Option<Arc<Command>>,
}

fn open(fleet: &Fleet) -> HashMap<HostId, Open> {
    let mut hosts: HashMap<HostId, Open> = HashMap::new();
    for command in fleet.commands().filter(|command| !command.status.is_over()) {
        let host = hosts.entry(command.host_id).or_default();
        match command.is_pending() {
            true => host.pending = Some(command.clone()),
            false => {
                let is_older =
                    |next: &Arc<Command>| (command.queued_at, command.id) < (next.queued_at, next.id);
                if host.next.as_ref().is_none_or(is_older) {
                    host.next = Some(command.clone());
                }
            }
        }
    }
    hosts
}

/// Has every connected host that is free take its next command, and repeats what was not confirmed.
async fn send(agents: &Agents) -> Result<(), StorageError> {
    let open = open(&agents.0.store.fleet());
    let mut due = Vec::new();
    for (host, commands) in &open {
        let Some(standing) = agents.0.registry.standing(*host).filter(|standing| standing.is_ready) else {
            continue;
        };
        match (&commands.pending, &commands.next) {
            (Some(pending), _) => repeat(agents, *host, pending),
            (None, Some(next)) if standing.is_free => due.push((*host, next.id)),
            _ => {}
        }
    }
    for due in due.chunks(TOGETHER) {
        let due = due.to_vec();
        let dispatched = agents.0.store.transact(Actor::System, move |draft| {
            let mut dispatched = Vec::new();
            for (host, command) in due {
                // Another may have been cancelled, deleted or sent since we looked.
                let is_free =
                    draft.host(host).is_ok_and(|host| host.online && host.pending_command.is_none());
                let Some(row) = draft.command(command).ok().filter(|_| is_free) else { continue };
                let kind = row.kind.clone();
                if draft.happens(command, &Happening::Dispatched)? {
                    dispatched.push((host, command, kind));
                }
            }
            Ok::<_, Gone>(dispatched)
        });
        for (host, command_id, kind) in written(dispatched.await)?.unwrap_or_default() {
            agents.0.registry.tell(host, command_id, ToAgent::Run { command_id, kind }, agents.0.pace.resend);
        }
    }
    Ok(())
}

fn repeat(agents: &Agents, host: HostId, pending: &Command) {
    let (registry, again, command_id) = (&agents.0.registry, agents.0.pace.resend, pending.id);
    // One that is to end and was never confirmed is sent all the same: only its agent can say that it is not running.
    if pending.status == CommandStatus::Queued {
        registry.tell(host, command_id, ToAgent::Run { command_id, kind: pending.kind.clone() }, again);
    }
    if pending.cancel.is_some() {
        registry.tell(host, command_id, ToAgent::Cancel { command_id }, again);
    }
}

/// What has to end because time passed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    commands: Vec<(CommandId, Option<Timestamp>)>,
    checks: Vec<CommandId>,
    compartments: Vec<(HostId, CompartmentKind)>,
    hosts: Vec<HostId>,
}

impl Due {
    /// `quiet`: how long nothing was heard of a host's command, where its agent is connected. `is_late`: agents had their time to come back
    /// after this console began.
    pub fn of(
        fleet: &Fleet,
        now: Timestamp,
        quiet: impl Fn(HostId) -> Option<Duration>,
        is_late: bool,
    ) -> Due {
        let mut due = Due::default();
        for command in fleet.commands() {
            if let Some(PostCheck::Awaited { until }) = command.post_check
                && until <= now
            {
                due.checks.push(command.id);
            }
            let Some(host) = fleet.host(command.host_id).filter(|_| !command.status.is_over()) else {
                continue;
            };
            let gone = (!host.online).then_some(host.online_since);
            let is_told_of = match quiet(host.id) {
                // What was missed while it was away comes first.
                Some(quiet) => gone.is_some() || quiet < OVERDUE_AFTER,
                // The console went down under it; it is not known yet that its agent is away.
                None => host.online,
            };
            if command.is_pending() && is_told_of {
                continue;
            }
            if command.after(&Happening::Tick { agent_gone_since: gone }, now).is_some() {
                due.commands.push((command.id, gone));
            }
        }
        for host in fleet.hosts() {
            if is_late && host.online && quiet(host.id).is_none() {
                due.hosts.push(host.id);
            }
            for kind in CompartmentKind::ALL {
                if is_over(host.compartments.get(kind), now) {
                    due.compartments.push((host.id, kind));
                }
            }
        }
        due
    }

    fn write(&self, draft: &mut Draft, connected: impl Fn(HostId) -> bool) -> Result<(), Gone> {
        let now = draft.now();
        for host in self.hosts.iter().filter(|host| !connected(**host)) {
            if draft.host(*host).is_ok() {
                offline(draft, *host, None)?;
            }
        }
        for (command, agent_gone_since) in &self.commands {
            if draft.command(*command).is_ok() {
                draft.happens(*command, &Happening::Tick { agent_gone_since: *agent_gone_since })?;
            }
        }
        for command in &self.checks {
            let is_awaited = draft
                .command(*command)
                .is_ok_and(|row| matches!(row.post_check, Some(PostCheck::Awaited { .. })));
            if is_awaited {
                draft.post_checked(*command, PostCheck::Unknown)?;
            }
        }
        for (host, kind) in &self.compartments {
            if draft.host(*host).is_ok_and(|host| is_over(host.compartments.get(*kind), now)) {
                draft.edit_host(*host, HostCause::Reported, |host| {
                    let compartment = host.compartments.get_mut(*kind);
                    compartment.status = CompartmentStatus::Unknown;
                    compartment.message = "No report came in time".to_owned();
                    compartment.working_until = None;
                })?;
            }
        }
        Ok(())
    }
}

fn is_over(compartment: &crate::model::Compartment, now: Timestamp) -> bool {
    // One that works without a deadline would work for ever.
    compartment.status == CompartmentStatus::Working
        && compartment.working_until.is_none_or(|until| until <= now)
}

/// Ends what has waited too long.
async fn pass(agents: &Agents) -> Result<(), StorageError> {
    let fleet = agents.0.store.fleet();
    agents.0.outputs.close(|id| fleet.command(id).is_some_and(|command| !command.status.is_over()));
    let quiet = |host| agents.0.registry.standing(host).map(|standing| standing.quiet);
    let due = Due::of(&fleet, now(), quiet, agents.0.began.elapsed() >= agents.0.pace.grace);
    if due == Due::default() {
        return Ok(());
    }
    let within = agents.clone();
    let ended = agents
        .0
        .store
        .transact(Actor::System, move |draft| due.write(draft, |host| within.0.registry.is_connected(host)));
    written(ended.await).map(drop)
}

/// A row that went meanwhile is no failure: the next round sees what is there.
fn written<T>(outcome: Result<T, TransactError<Gone>>) -> Result<Option<T>, StorageError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(TransactError::Refused(_)) => Ok(None),
        Err(TransactError::Storage(error)) => Err(error),
    }
}
