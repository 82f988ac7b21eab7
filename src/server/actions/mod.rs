//! The one room behind both doors: every action, whoever asks and however.
//!
//! An action that reaches a machine takes two transactions. The first asks the lifecycle, compares the revision, records the operation and
//! takes the idempotency key. Then the effect happens, outside any transaction and in a task of its own, so that a caller who goes away
//! changes nothing. The second applies the outcome, but only if that operation is still the current one; otherwise the effect is undone.

mod cluster;
mod create;
mod delete;
mod events;
mod hosts;
mod key;
mod lab;
mod merge;
mod net;
mod outcome;
mod pipeline;
mod project;
#[cfg(test)]
pub(super) mod tests;
mod version;
mod worker;

pub use delete::run as carry_out_deletions;
pub use hosts::need_hosts;
pub use merge::settle as settle_merges;
pub use outcome::{gone, gone_for};

use super::{
    App,
    api::error::internal,
    auth::Who,
    clock::now,
    storage::{StorageError, TransactError, audit},
};
use crate::{
    app::error::ApiError,
    model::{Action, Done, NetRequest, Options, Role, lifecycle::Verb},
};

/// Does `action` for `who`. Both doors call this and nothing else.
pub async fn perform(app: &App, who: &Who, action: Action, options: Options) -> Result<Done, ApiError> {
    need(who, &action)?;
    if app.is_shutting_down() {
        return Err(ApiError::Unavailable {
            detail: "The console is shutting down. Try again in a moment.".to_owned(),
        });
    }
    // In a task of its own: an action that was begun is done and written down, also if who asked goes away.
    let (within, who) = (app.clone(), who.clone());
    let done = app.tasks().spawn(async move { act_and_record(&within, &who, action, options).await });
    done.await.unwrap_or_else(|error| Err(internal(&error)))
}

/// Refuses who may do such a thing nowhere. What is about a project's rows is asked again where they are read, in their transaction.
fn need(who: &Who, action: &Action) -> Result<(), ApiError> {
    match action {
        Action::CreateNet(new) => who.need_in(new.project_id, Role::Operator),
        Action::Net { .. }
        | Action::MoveNet { .. }
        | Action::ChangeNet { .. }
        | Action::BuildNet(_)
        | Action::CreateLab(_)
        | Action::Lab { .. }
        | Action::RefreshLabs(_)
        | Action::AcknowledgeEvents(_) => who.need_somewhere(Role::Operator),
        Action::CreateCluster(_)
        | Action::RenameCluster { .. }
        | Action::DeleteCluster(_)
        | Action::CreateProject(_)
        | Action::EditProject { .. }
        | Action::DeleteProject(_)
        | Action::SetRules(_)
        | Action::SetLabSync { .. }
        | Action::CreateHost { .. } => who.need(Role::Admin),
        Action::CreateWorker(_)
        | Action::Worker { .. }
        | Action::Host { .. }
        | Action::RunCommand { .. }
        | Action::CancelCommand(_)
        | Action::StartPipeline { .. }
        | Action::Pipeline { .. }
        | Action::MergePullRequest { .. } => who.need(Role::Operator),
    }
}

async fn act_and_record(app: &App, who: &Who, action: Action, options: Options) -> Result<Done, ApiError> {
    let key = key::of(who, &action, &options)?;
    let (verb, target) = describe(&action);
    let outcome = match action {
        Action::CreateCluster(new) => cluster::create(app, who, new, key).await,
        Action::RenameCluster { id, name } => {
            cluster::rename(app, who, id, &name, options.if_match, key).await
        }
        Action::DeleteCluster(id) => cluster::delete(app, who, id, key).await,
        Action::CreateProject(new) => project::create(app, who, new, key).await,
        Action::EditProject { id, edit } => project::edit(app, who, id, edit, options.if_match, key).await,
        Action::DeleteProject(id) => project::delete(app, who, id, key).await,
        Action::MoveNet { id, project_id } => project::move_net(app, who, id, project_id, key).await,
        Action::AcknowledgeEvents(ids) => events::acknowledge(app, who, ids, key).await,
        Action::SetRules(rules) => events::set_rules(app, who, rules, options.if_match, key).await,
        Action::CreateWorker(new) => create::worker(app, who, new, key).await,
        Action::CreateNet(new) => create::net(app, who, new, key).await,
        Action::Worker { id, action } => worker::act(app, who, id, action, options.if_match, key).await,
        Action::Net { id, request } => net::act(app, who, id, request, options.if_match, key).await,
        Action::ChangeNet { id, changed } => {
            version::change(app, who, id, changed, options.if_match, key).await
        }
        Action::BuildNet(id) => version::build(app, who, id, key).await,
        Action::CreateLab(new) => lab::create(app, who, new, key).await,
        Action::Lab { id, action } => lab::act(app, who, id, action, options.if_match, key).await,
        Action::RefreshLabs(worker) => lab::refresh(app, who, worker).await,
        Action::SetLabSync { id, minutes } => lab::set_sync(app, who, id, minutes, key).await,
        Action::CreateHost { name } => hosts::create(app, who, &name, key).await,
        Action::Host { id, action } => hosts::act(app, who, id, action, options.if_match, key).await,
        Action::RunCommand { host_ids, kind } => hosts::run(app, who, host_ids, kind, key).await,
        Action::CancelCommand(id) => hosts::cancel(app, who, id, key).await,
        Action::StartPipeline { title, plan } => pipeline::start(app, who, title, plan, key).await,
        Action::Pipeline { id, action } => pipeline::act(app, who, id, action, key).await,
        Action::MergePullRequest { number, head_sha, deploy } => {
            merge::merge(app, who, number, head_sha, deploy, key).await
        }
    };
    let said = match &outcome {
        Ok(done) => done.message.clone(),
        Err(error) => format!("refused: {error}"),
    };
    let line = audit::Line { at: now(), actor: who.actor(), action: verb, target, outcome: said };
    // Before the answer. But the action is over: a log that cannot be written must not turn it into a failure, and then this is its line.
    if let Err(error) = app.store().record(line.clone()).await {
        tracing::error!(%error, ?line, "the audit log could not be written");
    }
    outcome
}

fn describe(action: &Action) -> (&'static str, String) {
    match action {
        Action::CreateCluster(new) => ("create cluster", new.name.clone()),
        Action::RenameCluster { id, name } => ("rename cluster", format!("cluster {id} to {name}")),
        Action::DeleteCluster(id) => ("delete cluster", format!("cluster {id}")),
        Action::CreateProject(new) => ("create project", new.name.clone()),
        Action::EditProject { id, edit } => ("change project", format!("project {id}: {}", edit.name)),
        Action::DeleteProject(id) => ("delete project", format!("project {id}")),
        Action::MoveNet { id, project_id } => ("move net", format!("net {id} to project {project_id}")),
        Action::AcknowledgeEvents(ids) => ("acknowledge", format!("{} events", ids.len())),
        Action::SetRules(_) => ("change rules", "rules for events".to_owned()),
        Action::CreateWorker(new) => ("create worker", new.name.clone()),
        Action::CreateNet(new) => ("add net", new.name.clone()),
        Action::Worker { id, action } => (action.verb(), format!("worker {id}")),
        Action::ChangeNet { id, .. } => ("change net", format!("net {id}")),
        Action::BuildNet(id) => ("build net", format!("net {id}")),
        Action::CreateLab(new) => ("make lab", new.name.clone()),
        Action::Lab { id, action } => (action.verb(), format!("lab {id}")),
        Action::RefreshLabs(worker) => ("refresh labs", format!("worker {worker}")),
        Action::SetLabSync { id, .. } => ("change lab sync", format!("cluster {id}")),
        Action::CreateHost { name } => ("create host", name.clone()),
        Action::Host { id, action } => (action.verb(), format!("host {id}")),
        Action::RunCommand { host_ids, kind } => {
            ("run command", format!("{kind} on {} hosts", host_ids.len()))
        }
        Action::CancelCommand(id) => ("cancel", format!("command {id}")),
        Action::StartPipeline { title, .. } => ("start pipeline", title.clone()),
        Action::Pipeline { id, action } => (action.verb(), format!("pipeline {id}")),
        Action::MergePullRequest { number, .. } => ("merge", format!("pull request {number}")),
        Action::Net { id, request } => match request {
            NetRequest::Assign { worker_id } => ("assign", format!("net {id} to worker {worker_id}")),
            other => (other.action().verb(), format!("net {id}")),
        },
    }
}

impl From<TransactError<ApiError>> for ApiError {
    fn from(error: TransactError<ApiError>) -> ApiError {
        match error {
            TransactError::Refused(error) => error,
            TransactError::Storage(StorageError::Closed) => ApiError::Unavailable {
                detail: "The console is shutting down. Try again in a moment.".to_owned(),
            },
            TransactError::Storage(error) => internal(&error),
        }
    }
}
