//! The guard for hosts, their commands and pipelines: look again, ask the lifecycle, only then send.

use super::{Desk, Outcome, cannot, fresh_key, until_heard, with_known};
use crate::{
    app::{
        components::Question,
        error::ApiError,
        host_actions::{ActOnHost, act_on_host, act_on_pipeline, cancel_command, run_command},
        live::http,
        log_panel::LogPanel,
    },
    model::{
        Command, CommandId, CommandKind, Done, Host, HostAction, HostId, Pipeline, PipelineId,
        lifecycle::{self, PipelineAction, Verb},
        time::age,
    },
};
use leptos::prelude::*;

/// A token as it is told, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldToken {
    pub name: String,
    pub token: String,
}

/// What an action on hosts needs at hand.
#[derive(Clone, Copy)]
pub struct HostDesk {
    pub desk: Desk,
    pub logs: LogPanel,
    /// The token that is on the screen.
    pub told: RwSignal<Option<ToldToken>>,
}

pub fn use_host_desk() -> HostDesk {
    expect_context()
}

impl HostDesk {
    pub fn new(desk: Desk, logs: LogPanel) -> HostDesk {
        HostDesk { desk, logs, told: RwSignal::new(None) }
    }

    /// Does it, and says how it ended.
    pub async fn host(self, ask: ActOnHost) {
        let goes = matches!(ask.action, HostAction::Delete | HostAction::RevokeToken);
        let outcome = guard_host(self.desk, ask).await;
        if let Outcome::Done(done) = &outcome {
            self.tell_token(done);
        }
        self.desk.tell(outcome, goes);
    }

    /// Shows the token that an answer came with.
    pub fn tell_token(self, done: &Done) {
        if let (Some(host), Some(token)) = (&done.host, &done.token) {
            self.told.set(Some(ToldToken { name: host.name.to_string(), token: token.clone() }));
        }
    }

    /// Runs a command on one host, and opens what it writes.
    pub async fn run(self, host: HostId, kind: CommandKind) {
        let outcome = guard_run(self.desk, host, kind).await;
        if let Outcome::Done(done) = &outcome {
            done.commands.iter().for_each(|command| self.logs.open(command.clone()));
        }
        self.desk.tell(outcome, false);
    }

    /// Shows what a command wrote, one of the snapshot or of long ago.
    pub async fn open_log(self, id: CommandId) {
        if let Some(row) = self.desk.store.command_row(id) {
            return self.logs.open(row.get_untracked());
        }
        match http::get_json::<Command>(&format!("/api/commands/{id}")).await {
            Ok(command) => self.logs.open(command.into()),
            Err(error) => self.desk.toasts.error(format!("The log could not be opened. {error}")),
        }
    }

    pub async fn cancel(self, id: CommandId) {
        let outcome = guard_cancel(self.desk, id).await;
        self.desk.tell(outcome, false);
    }

    pub async fn pipeline(self, id: PipelineId, action: PipelineAction) {
        let outcome = guard_pipeline(self.desk, id, action).await;
        self.desk.tell(outcome, false);
    }
}

async fn fetch_host(id: HostId) -> Result<Host, ApiError> {
    http::get_json(&format!("/api/hosts/{id}")).await
}

async fn guard_host(desk: Desk, ask: ActOnHost) -> Outcome {
    let (id, action) = (ask.id, ask.action);
    let name = move || desk.store.host_name_now(id);
    if loses(action) {
        let words = move || {
            let host = desk.store.host(id).ok_or("The host no longer exists.")?;
            lifecycle::host_action(&host, action).map_err(|refusal| refusal.to_string())?;
            Ok(question(&host, action))
        };
        if !desk.confirm.ask_live(words).await {
            return Outcome::Called;
        }
    }
    let host = match fetch_host(id).await {
        Ok(host) => host,
        Err(error) => return Outcome::Failed(cannot(action, &name(), &error)),
    };
    if let Err(refusal) = lifecycle::host_action(&host, action) {
        return changed(desk, &host, refusal.to_string());
    }
    let key = fresh_key();
    // A refresh is not sent again when it is not heard: it waits long by itself.
    let answer = match action {
        HostAction::Refresh => act_on_host(id, action, None, Some(key)).await,
        _ => until_heard(|| act_on_host(id, action, Some(host.state_revision), Some(key.clone()))).await,
    };
    match answer {
        Ok(done) => Outcome::Done(done),
        // No report newer than the click: what is shown is the last one, and its age belongs to it.
        Err(error) if action == HostAction::Refresh && error.status() == 504 => {
            let heard = desk.store.host_heard_now(&host);
            let known = match heard {
                Some(at) => format!("Last known: {} old.", age(desk.store.now.get_untracked().since(at))),
                None => "It was never heard.".to_owned(),
            };
            Outcome::Changed(format!("{error} {known}"))
        }
        Err(error) => Outcome::Failed(with_known(&error, known(id).await)),
    }
}

/// What is known of a host after an action failed.
async fn known(id: HostId) -> String {
    match fetch_host(id).await {
        Ok(host) if host.online => format!(" {} is now online.", host.name),
        Ok(host) => format!(" {} is now offline.", host.name),
        Err(ApiError::Gone { .. } | ApiError::Deleted { .. }) => " The host no longer exists.".to_owned(),
        Err(_) => " The host may no longer be available.".to_owned(),
    }
}

/// The refusal, and that the row is another one than was shown, if it is.
fn changed(desk: Desk, host: &Host, refusal: String) -> Outcome {
    let shown = desk.store.host_row(host.id).map(|row| row.get_untracked().state_revision);
    Outcome::Changed(match shown == Some(host.state_revision) {
        true => refusal,
        false => format!("Host state has changed — please review before retrying. {refusal}"),
    })
}

fn loses(action: HostAction) -> bool {
    matches!(action, HostAction::Delete | HostAction::RevokeToken | HostAction::IssueToken)
}

fn question(host: &Host, action: HostAction) -> Question {
    let loss = match action {
        HostAction::IssueToken => {
            "Its present token stops working at once: its agent is cut off until it is given the new one. The new token is shown once."
        }
        HostAction::RevokeToken => {
            "Its agent is cut off at once, and cannot come back before a new token is made."
        }
        HostAction::Delete => {
            "Its record, its token and its command history will be gone; commands that wait for it or run on it end. Its agent is cut off."
        }
        HostAction::Refresh => "Nothing is lost by it.",
    };
    let title = match action {
        HostAction::IssueToken => format!("Make a new token for {}?", host.name),
        HostAction::RevokeToken => format!("Revoke the token of {}?", host.name),
        _ => format!("{} {}?", action.label(), host.name),
    };
    Question { title, losses: vec![loss.to_owned()], verb: action.label() }
}

async fn guard_run(desk: Desk, id: HostId, kind: CommandKind) -> Outcome {
    let what = || format!("Could not run {kind} on {}.", desk.store.host_name_now(id));
    let host = match fetch_host(id).await {
        Ok(host) => host,
        Err(error) => return Outcome::Failed(format!("{} {error}", what())),
    };
    if let Err(refusal) = lifecycle::run_on_host(&host, &kind) {
        return changed(desk, &host, refusal.to_string());
    }
    let key = fresh_key();
    let send = || run_command(id.to_string(), kind.clone(), Some(host.state_revision), Some(key.clone()));
    match until_heard(send).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => Outcome::Failed(with_known(&error, known(id).await)),
    }
}

async fn guard_cancel(desk: Desk, id: CommandId) -> Outcome {
    let command = match http::get_json::<Command>(&format!("/api/commands/{id}")).await {
        Ok(command) => command,
        Err(error) => return Outcome::Failed(format!("Could not cancel the command. {error}")),
    };
    let host = desk.store.host_row(command.host_id).map(|row| row.get_untracked());
    if let Err(refusal) = lifecycle::cancel_command(&command, host.as_deref()) {
        return Outcome::Changed(refusal.to_string());
    }
    let key = fresh_key();
    match until_heard(|| cancel_command(id, Some(key.clone()))).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => Outcome::Failed(with_known(&error, String::new())),
    }
}

async fn guard_pipeline(desk: Desk, id: PipelineId, action: PipelineAction) -> Outcome {
    if action == PipelineAction::Cancel {
        let words = move || {
            let pipeline = desk.store.pipeline(id).ok_or("The pipeline no longer exists.")?;
            lifecycle::pipeline_action(&pipeline, action).map_err(|refusal| refusal.to_string())?;
            let running = pipeline.active().count();
            Ok(Question {
                title: format!("Cancel {}?", pipeline.title),
                losses: vec![format!(
                    "What waits is skipped; {} running now will be cancelled. What was done stays done.",
                    crate::app::components::format::counted(running, "command", "commands")
                )],
                verb: "Cancel pipeline",
            })
        };
        if !desk.confirm.ask_live(words).await {
            return Outcome::Called;
        }
    }
    let pipeline = match http::get_json::<Pipeline>(&format!("/api/pipelines/{id}")).await {
        Ok(pipeline) => pipeline,
        Err(error) => return Outcome::Failed(cannot(action, "the pipeline", &error)),
    };
    if let Err(refusal) = lifecycle::pipeline_action(&pipeline, action) {
        return Outcome::Changed(refusal.to_string());
    }
    let key = fresh_key();
    match until_heard(|| act_on_pipeline(id, action, Some(key.clone()))).await {
        Ok(done) => Outcome::Done(done),
        Err(error) => Outcome::Failed(with_known(&error, String::new())),
    }
}
