//! What an agent says, as transactions.

use super::{Agents, report};
use crate::{
    agent::protocol::{Held, Register, Report},
    model::{
        Actor, Agent, Command, CommandId, CommandOffer, CommandStatus, Draft, Gone, Happening, Host,
        HostCause, HostId, Severity,
    },
    server::storage::TransactError,
};
use std::collections::BTreeSet;

/// An agent may offer and hold so many commands; more is no agent of ours.
const MOST_COMMANDS: usize = 200;

/// Why what an agent said was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    #[error("the host was deleted")]
    Deleted,
    #[error("{0}")]
    Storage(crate::server::storage::StorageError),
}

impl From<TransactError<Gone>> for NotWritten {
    fn from(error: TransactError<Gone>) -> NotWritten {
        match error {
            TransactError::Refused(Gone(_)) => NotWritten::Deleted,
            TransactError::Storage(error) => NotWritten::Storage(error),
        }
    }
}

/// Commands that an agent holds and that are not its pending one here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// It will tell how they ended, and nobody waits for it.
    pub strays: BTreeSet<CommandId>,
    /// It may forget them now.
    pub settled: Vec<CommandId>,
}

/// What is wrong with a registration, if anything is.
pub fn refuse(register: &Register) -> Result<(), String> {
    if register.commands.len() > MOST_COMMANDS || register.holds.len() > MOST_COMMANDS {
        return Err(format!("An agent may offer {MOST_COMMANDS} commands and hold as many."));
    }
    let mut kinds = BTreeSet::new();
    match register.commands.iter().find(|offer| !kinds.insert(&offer.kind)) {
        Some(twice) => Err(format!("The command {} is offered twice.", twice.kind)),
        None => Ok(()),
    }
}

impl Agents {
    /// The host is online, and its pending command is what its agent says it is, in one transaction.
    pub(super) async fn came(&self, host: HostId, register: Register) -> Result<Reconciled, NotWritten> {
        let came = self.0.store.transact(Actor::System, move |draft| {
            let now = draft.now();
            draft.edit_host(host, HostCause::Online, |row| {
                take_over(row, &register);
                (row.online, row.online_since) = (true, now);
            })?;
            reconcile(draft, host, &register.holds)
        });
        Ok(came.await?)
    }

    /// The host is offline, unless another connection of it came meanwhile.
    pub(super) async fn went(&self, host: HostId) {
        let (registry, heard) = (self.clone(), self.0.board.heard(host));
        let went = self.0.store.transact(Actor::System, move |draft| {
            // Decided here, among the transactions: a connection takes its place before it writes that its host is online.
            if !registry.0.registry.is_connected(host) {
                offline(draft, host, heard)?;
            }
            Ok::<_, Gone>(())
        });
        match went.await.map_err(NotWritten::from) {
            Ok(()) | Err(NotWritten::Deleted) => {}
            Err(error) => tracing::error!(%host, %error, "that a host went offline could not be written"),
        }
    }

    /// Something happened to the command that this host holds. About any other command nothing is believed.
    pub(super) async fn happened(
        &self,
        host: HostId,
        command: CommandId,
        happening: Happening,
    ) -> Result<(), NotWritten> {
        let happened = self.0.store.transact(Actor::System, move |draft| {
            let is_its = |row: &Command| row.host_id == host && row.is_pending();
            match draft.command(command).is_ok_and(|row| is_its(row)) {
                true => draft.happens(command, &happening).map(drop),
                false => Ok(()),
            }
        });
        Ok(happened.await?)
    }

    /// A report; whoever waits for it is told once it is in the row.
    pub(super) async fn reported(&self, host: HostId, report: Report) -> Result<(), NotWritten> {
        let refresh = report.refresh_id;
        let written =
            self.0.store.transact(Actor::System, move |draft| report::apply(draft, host, &report)).await;
        written?;
        if let Some(refresh) = refresh {
            self.answered(refresh);
        }
        Ok(())
    }

    /// A line in the event log, once in a while for the same cause.
    pub(super) async fn tell(
        &self,
        host: HostId,
        what: &'static str,
        text: impl Fn(&Host) -> String + Send + 'static,
    ) {
        if !self.is_news(host, what) {
            return;
        }
        let told = self.0.store.transact(Actor::System, move |draft| {
            let text = text(draft.host(host)?);
            draft.log(Severity::Warning, "error.reported", text, |event| event.host_id = Some(host));
            Ok::<_, Gone>(())
        });
        if let Err(TransactError::Storage(error)) = told.await {
            tracing::error!(%host, %error, "an event could not be written");
        }
    }

    /// Whether output of this command is kept: it is in the snapshot, and of this host.
    pub(super) fn keeps_output(&self, host: HostId, command: CommandId) -> bool {
        self.0.store.fleet().command(command).is_some_and(|row| row.host_id == host)
    }

    /// Whether this is the command that the host holds, and it is not over.
    pub(super) fn is_pending(&self, host: HostId, command: CommandId) -> bool {
        self.0.store.fleet().command(command).is_some_and(|row| row.host_id == host && row.is_pending())
    }
}

pub(super) fn offline(
    draft: &mut Draft,
    host: HostId,
    heard: Option<crate::model::Timestamp>,
) -> Result<(), Gone> {
    let now = draft.now();
    draft.edit_host(host, HostCause::Offline, |row| {
        if row.online {
            // What it reported last was heard, too.
            let reported =
                crate::model::CompartmentKind::ALL.map(|kind| row.compartments.get(kind).checked_at);
            let known = [heard, row.last_seen, Some(row.online_since)];
            row.last_seen = known.into_iter().chain(reported).flatten().filter(|at| *at <= now).max();
            (row.online, row.online_since) = (false, now);
        }
    })
}

fn take_over(row: &mut Host, register: &Register) {
    let text = |text: &str| Some(report::short(text)).filter(|text| !text.is_empty());
    row.hostname = text(&register.hostname);
    row.host_type = register.host_type.as_deref().and_then(text);
    row.os = text(&register.os);
    row.theme_color = register.theme_color;
    let version = report::short(&register.agent_version);
    let outdated = version != env!("CARGO_PKG_VERSION");
    row.agent = Some(Agent { id: register.agent_id, version, outdated });
    let offer = |offer: &CommandOffer| CommandOffer {
        timeout_s: report::timeout(offer.timeout_s).as_secs(),
        ..offer.clone()
    };
    row.commands = register.commands.iter().map(offer).collect();
}

/// Compares what the console believes the agent to hold with what it holds.
fn reconcile(draft: &mut Draft, host: HostId, holds: &[Held]) -> Result<Reconciled, Gone> {
    let pending = draft.host(host)?.pending_command;
    let mut found = Reconciled::default();
    if let Some(command) = pending {
        let row = draft.command(command)?.clone();
        let happening = match holds.iter().find(|held| held.command_id == command) {
            Some(Held { interrupted: true, .. }) => Some(Happening::Forgotten { may_have_run: true }),
            // It began, and the word of it was lost with the connection.
            Some(_) if row.status == CommandStatus::Queued => {
                let offer = draft.host(host)?.offer(&row.kind).map_or(u64::MAX, |offer| offer.timeout_s);
                Some(Happening::Started { timeout: report::timeout(offer) })
            }
            Some(_) => None,
            // An agent writes down what it begins before it begins it.
            None => Some(Happening::Forgotten { may_have_run: row.status != CommandStatus::Queued }),
        };
        if let Some(happening) = happening {
            draft.happens(command, &happening)?;
        }
    }
    for held in holds {
        match held.interrupted {
            true => found.settled.push(held.command_id),
            false if Some(held.command_id) != pending => _ = found.strays.insert(held.command_id),
            false => {}
        }
    }
    Ok(found)
}
