//! Hosts, their tokens and their commands. Each is one transaction; what reaches a host is sent by [`crate::server::agents`] because the
//! rows say so.

use super::{create::taken, gone, outcome::once};
use crate::{
    agent::protocol::Goodbye,
    app::error::{ApiError, Current},
    model::{
        Command, CommandId, CommandKind, Done, Draft, EntityRef, Event, Happening, Host, HostAction,
        HostCause, HostId, Name, Refusal, Role, Severity, lifecycle,
    },
    server::{
        App,
        agents::{NoReport, token},
        api::error::internal,
        auth::Who,
        clock::now,
        storage::{SideWrite, hosts, idempotency::Key},
    },
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// One request runs a command on so many hosts at most.
const MOST_HOSTS: usize = 10_000;
/// Commands that may wait for one host.
const MOST_WAITING: usize = 100;
/// Refusals that are told one by one.
const TOLD: usize = 10;

pub async fn create(app: &App, who: &Who, name: &str, key: Option<Key>) -> Result<Done, ApiError> {
    who.need(Role::Admin)?;
    let name = Name::new(name).map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    once(app, who, key, move |draft| {
        if let Some(there) = draft.host_named(&name) {
            return Err(taken("host", &there.name, "this console"));
        }
        let id = HostId(Uuid::now_v7());
        draft.create_host(Host::unseen(id, name.clone()));
        let (token, hash) = token::new();
        let message =
            format!("The host {name} was added. Give its token to its agent; it is shown this once.");
        let host = draft.host(id).ok().cloned();
        let done = Done { message, host, token: Some(token), ..Done::default() };
        Ok((done, vec![SideWrite::HostToken { host: id, hash }]))
    })
    .await
}

pub async fn act(
    app: &App,
    who: &Who,
    id: HostId,
    action: HostAction,
    if_match: Option<u64>,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    if action != HostAction::Refresh {
        who.need(Role::Admin)?;
    }
    need_hosts(who)?;
    match action {
        HostAction::Refresh => refresh(app, id).await,
        HostAction::IssueToken => {
            let done = once(app, who, key, move |draft| {
                let host = permitted(draft, id, action, if_match)?;
                draft.edit_host(id, HostCause::Edited, |host| host.revoked = false)?;
                let text = format!("A new token was made for host {}", host.name);
                draft.log(Severity::Warning, "host.updated", text, |event: &mut Event| {
                    event.host_id = Some(id)
                });
                let (token, hash) = token::new();
                let message = format!(
                    "{} has a new token; the old one is good for nothing now. It is shown this once.",
                    host.name
                );
                let host = draft.host(id).ok().cloned();
                let done = Done { message, host, token: Some(token), ..Done::default() };
                Ok((done, vec![SideWrite::HostToken { host: id, hash }]))
            });
            let done = done.await?;
            app.agents().cut(id, Goodbye::Revoked, "A new token was made for this host.");
            Ok(done)
        }
        HostAction::RevokeToken => {
            let done = once(app, who, key, move |draft| {
                let host = permitted(draft, id, action, if_match)?;
                draft.edit_host(id, HostCause::Edited, |host| host.revoked = true)?;
                let message =
                    format!("The token of {} was revoked; no agent can speak for it now.", host.name);
                let done = Done { message, host: draft.host(id).ok().cloned(), ..Done::default() };
                Ok((done, vec![SideWrite::NoHostToken { host: id }]))
            });
            let done = done.await?;
            app.agents().cut(id, Goodbye::Revoked, "The token of this host was revoked.");
            Ok(done)
        }
        HostAction::Delete => {
            let done = once(app, who, key, move |draft| {
                let host = permitted(draft, id, action, if_match)?;
                draft.delete_host(id)?;
                let message =
                    format!("The host {} was deleted. Its agent stops; what it runs goes on.", host.name);
                Ok((Done { message, ..Done::default() }, Vec::new()))
            });
            let done = done.await?;
            app.agents().forget(id);
            Ok(done)
        }
    }
}

/// Asks the host for a report, and answers with what it says; with the last known state after ten seconds.
async fn refresh(app: &App, id: HostId) -> Result<Done, ApiError> {
    let fleet = app.store().fleet();
    let row = |fleet: &crate::model::Fleet| {
        fleet.host(id).cloned().ok_or_else(|| gone(fleet, EntityRef::Host(id), now()))
    };
    let host = row(&fleet)?;
    lifecycle::host_action(&host, HostAction::Refresh).map_err(|refusal| refused(&refusal, &host))?;
    let asked = app.agents().refresh(id).await;
    let host = row(&app.store().fleet())?;
    let detail = match asked {
        Ok(()) => {
            let message = format!("{} reported.", host.name);
            return Ok(Done { message, host: Some(host), ..Done::default() });
        }
        Err(NoReport::Away) => {
            format!("{} is not connected at this moment. What is shown is as old as it says.", host.name)
        }
        Err(NoReport::Silent) => {
            format!("{} did not report in time. What is shown is as old as it says.", host.name)
        }
    };
    Err(ApiError::Unknown { detail, current: Some(Current::Host(host)) })
}

/// Queues a command for each of these hosts, or for none.
pub async fn run(
    app: &App,
    who: &Who,
    host_ids: Vec<HostId>,
    kind: CommandKind,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    need_hosts(who)?;
    let bad = |detail: String| ApiError::BadRequest { detail };
    if host_ids.is_empty() {
        return Err(bad("Name the hosts to run this on: an empty list never means all of them.".to_owned()));
    }
    if host_ids.len() > MOST_HOSTS {
        return Err(bad(format!(
            "A command is run on {MOST_HOSTS} hosts at a time; these are {}.",
            host_ids.len()
        )));
    }
    let actor = who.actor();
    once(app, who, key, move |draft| {
        let mut seen = BTreeSet::new();
        let hosts: Vec<HostId> = host_ids.into_iter().filter(|id| seen.insert(*id)).collect();
        let mut refusals = Vec::new();
        let mut waiting = std::collections::BTreeMap::<HostId, usize>::new();
        for command in draft.before().commands().filter(|command| !command.status.is_over()) {
            *waiting.entry(command.host_id).or_default() += 1;
        }
        for id in &hosts {
            let Ok(host) = draft.host(*id) else {
                refusals.push(gone(draft.before(), EntityRef::Host(*id), draft.now()));
                continue;
            };
            if let Err(refusal) = lifecycle::run_on_host(host, &kind) {
                refusals.push(refused(&refusal, host));
            } else if waiting.get(id).is_some_and(|waiting| *waiting >= MOST_WAITING) {
                let detail = format!(
                    "Cannot run {kind} on {}: {MOST_WAITING} commands wait for it already. Cancel some first.",
                    host.name
                );
                refusals.push(ApiError::Conflict { detail });
            }
        }
        if !refusals.is_empty() {
            return Err(all_of(refusals));
        }
        let mut commands = Vec::with_capacity(hosts.len());
        for host in hosts {
            let id = CommandId(Uuid::now_v7());
            let command = Command::queued(id, host, kind.clone(), actor.clone(), draft.now());
            draft.queue_command(command)?;
            commands.push(draft.command(id)?.clone());
        }
        let message = match &commands[..] {
            [one] => format!("{kind} was queued on {}.", draft.host(one.host_id)?.name),
            many => format!("{kind} was queued on {} hosts.", many.len()),
        };
        Ok((Done { message, commands, ..Done::default() }, Vec::new()))
    })
    .await
}

pub async fn cancel(app: &App, who: &Who, id: CommandId, key: Option<Key>) -> Result<Done, ApiError> {
    need_hosts(who)?;
    let actor = who.actor();
    // What the snapshot no longer holds is over.
    let older = match app.store().fleet().command(id) {
        Some(_) => None,
        None => hosts::command(app.store().pool(), id).await.map_err(|error| internal(&error))?.map(Arc::new),
    };
    once(app, who, key, move |draft| {
        let command = draft.command(id).ok().cloned().or(older);
        let command = command.ok_or_else(|| gone(draft.before(), EntityRef::Command(id), draft.now()))?;
        let host = draft.host(command.host_id).ok().cloned();
        lifecycle::cancel_command(&command, host.as_deref()).map_err(|refusal| {
            ApiError::refused(&refusal, draft.now(), None, host.clone().map(Current::Host))
        })?;
        let there = host.as_ref().is_some_and(|host| host.online);
        let name = host.map(|host| host.name.to_string()).unwrap_or_default();
        let asked = draft.happens(id, &Happening::Cancel { by: actor })?;
        let command = draft.command(id)?.clone();
        let message = match (asked, command.status.is_over()) {
            (_, true) => format!("{} on {name} was cancelled before it was sent.", command.kind),
            (true, false) if there => format!("{name} is asked to end {}.", command.kind),
            (true, false) => {
                format!("{name} is not connected; it is asked to end {} when it comes back.", command.kind)
            }
            (false, false) => format!("{name} was asked to end {} already.", command.kind),
        };
        Ok((Done { message, commands: vec![command], ..Done::default() }, Vec::new()))
    })
    .await
}

/// Hosts need a role in the whole fleet.
pub fn need_hosts(who: &Who) -> Result<(), ApiError> {
    match who.scope.sees_hosts() {
        true => Ok(()),
        false => Err(ApiError::Forbidden {
            detail: "Hosts and their commands need a role in the whole fleet. Ask an administrator."
                .to_owned(),
        }),
    }
}

fn permitted(
    draft: &Draft,
    id: HostId,
    action: HostAction,
    if_match: Option<u64>,
) -> Result<Arc<Host>, ApiError> {
    let host = draft.host(id).cloned();
    let host = host.map_err(|_| gone(draft.before(), EntityRef::Host(id), draft.now()))?;
    if if_match.is_some_and(|revision| revision != host.state_revision) {
        let state = if host.online { "online" } else { "offline" }.to_owned();
        let name = host.name.to_string();
        return Err(ApiError::Stale { name, state, who: None, current: Current::Host(host) });
    }
    lifecycle::host_action(&host, action).map_err(|refusal| refused(&refusal, &host))?;
    Ok(host)
}

fn refused(refusal: &Refusal, host: &Arc<Host>) -> ApiError {
    ApiError::refused(refusal, now(), None, Some(Current::Host(host.clone())))
}

/// One error that names every host that stands in the way.
fn all_of(mut refusals: Vec<ApiError>) -> ApiError {
    if refusals.len() == 1 {
        return refusals.remove(0);
    }
    let mut detail: Vec<String> = refusals.iter().take(TOLD).map(ToString::to_string).collect();
    if refusals.len() > TOLD {
        detail.push(format!("{} more hosts are refused as well.", refusals.len() - TOLD));
    }
    detail.push("Nothing was queued.".to_owned());
    let code = refusals[0].code().to_owned();
    ApiError::Refused { detail: detail.join(" "), code, current: None }
}
