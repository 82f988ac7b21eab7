//! Starting pipelines, and pausing, resuming and cancelling them. Each is one transaction: the hosts do the rest.

use super::{
    hosts::need_hosts,
    outcome::{gone, once},
};
use crate::{
    app::error::ApiError,
    model::{
        Actor, Done, Draft, EntityRef, Pipeline, PipelineId, Plan,
        lifecycle::{self, PipelineAction, Verb},
    },
    server::{App, auth::Who, pipelines, storage::idempotency::Key},
};
use std::sync::Arc;
use uuid::Uuid;

/// A title may have this many characters.
pub const LONGEST_TITLE: usize = 200;
/// So many hosts that stand in the way are named, the others counted.
const NAMED: usize = 5;

pub async fn start(
    app: &App,
    who: &Who,
    title: String,
    plan: Plan,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    need_hosts(who)?;
    let title = checked_title(&title, &plan)?;
    let actor = who.actor();
    once(app, who, key, move |draft| {
        check(draft, &plan)?;
        let pipeline = begin(draft, title.clone(), plan, actor)?;
        let done = Done {
            message: format!("The pipeline {title} was started."),
            pipeline: Some(Arc::new(pipeline)),
            ..Done::default()
        };
        Ok((done, Vec::new()))
    })
    .await
}

pub async fn act(
    app: &App,
    who: &Who,
    id: PipelineId,
    action: PipelineAction,
    key: Option<Key>,
) -> Result<Done, ApiError> {
    need_hosts(who)?;
    let actor = who.actor();
    once(app, who, key, move |draft| {
        let row = draft.before().pipeline(id).cloned();
        let row = row.ok_or_else(|| gone(draft.before(), EntityRef::Pipeline(id), draft.now()))?;
        let status = lifecycle::pipeline_action(&row, action)
            .map_err(|refusal| ApiError::refused(&refusal, draft.now(), None, None))?;
        let reason = match action {
            PipelineAction::Resume => None,
            _ => Some(format!("{actor} {} it", action.done())),
        };
        let asked = Pipeline { status, reason, ..Pipeline::clone(&row) };
        let after = pipelines::step(draft, asked, &actor)?;
        let message = format!("The pipeline {} is {}.", after.title, after.status.word());
        Ok((Done { message, pipeline: Some(Arc::new(after)), ..Done::default() }, Vec::new()))
    })
    .await
}

/// The title, or one made of what is done.
pub fn checked_title(title: &str, plan: &Plan) -> Result<String, ApiError> {
    let title = title.trim();
    if title.chars().count() > LONGEST_TITLE || title.chars().any(char::is_control) {
        let detail = format!("The title must have at most {LONGEST_TITLE} printable characters.");
        return Err(ApiError::BadRequest { detail });
    }
    if !title.is_empty() {
        return Ok(title.to_owned());
    }
    let stages: Vec<&str> = plan.stages.iter().map(|kind| kind.as_str()).collect();
    Ok(format!("{} on {}", stages.join(" → "), counted(plan.host_ids.len())))
}

fn counted(hosts: usize) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

/// Whether `plan` could begin now: it is sound, and every host is there and permits every stage. The refusal names those that do not.
pub fn check(draft: &Draft, plan: &Plan) -> Result<(), ApiError> {
    plan.check().map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    let mut refusals = Vec::new();
    for id in &plan.host_ids {
        let refusal = match draft.host(*id) {
            Err(_) => Some((format!("There is no host with the id {id}."), "host_gone")),
            Ok(host) => plan.stages.iter().find_map(|kind| {
                let refusal = lifecycle::run_on_host(host, kind).err()?;
                Some((refusal.tell(draft.now()), refusal.code()))
            }),
        };
        refusals.extend(refusal);
    }
    let Some((_, code)) = refusals.first() else { return Ok(()) };
    let code = (*code).to_owned();
    let more = refusals.len().saturating_sub(NAMED);
    let mut detail: Vec<String> = refusals.into_iter().take(NAMED).map(|(text, _)| text).collect();
    if more > 0 {
        detail.push(format!("So do {more} more."));
    }
    Err(ApiError::Refused { detail: detail.join(" "), code, current: None })
}

/// Puts the pipeline with its first commands. `plan` was checked in this draft.
pub fn begin(draft: &mut Draft, title: String, plan: Plan, actor: Actor) -> Result<Pipeline, ApiError> {
    let id = PipelineId(Uuid::now_v7());
    let pipeline = Pipeline::begin(id, title, plan, actor.clone(), draft.now());
    Ok(pipelines::step(draft, pipeline, &actor)?)
}
