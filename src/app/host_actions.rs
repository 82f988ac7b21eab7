//! The server functions of hosts, commands and pipelines.
//!
//! As in [`super::actions`], each is also the target of a plain HTML form. Lists travel as text, ids parted by commas and stages by spaces,
//! because a form's field is text.

#![expect(clippy::too_many_arguments, reason = "a server function's arguments are the fields of its form")]

use super::error::ApiError;
use crate::model::{
    CommandId, CommandKind, Done, HostAction, HostId, PipelineId, Plan, lifecycle::PipelineAction,
};
#[cfg(feature = "ssr")]
use crate::{
    model::{Action, Options, lifecycle::Verb},
    server::{
        actions::perform,
        context::{app, fail, who},
    },
};
use leptos::prelude::*;
use std::ops::RangeInclusive;

/// Hosts that a pipeline may work on at once, and may fail before it stops.
pub const AT_ONCE: RangeInclusive<u64> = 1..=5_000;
/// Hosts that may go first.
pub const CANARIES: RangeInclusive<u64> = 0..=5_000;

#[cfg(feature = "ssr")]
async fn act(action: Action, if_match: Option<u64>, key: Option<String>) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    perform(&app, &who, action, Options { if_match, key }).await.map_err(fail)
}

/// Adds a host. The answer holds its token, this once.
#[server(prefix = "/do", endpoint = "create-host")]
pub async fn create_host(name: String, #[server(default)] key: Option<String>) -> Result<Done, ApiError> {
    act(Action::CreateHost { name }, None, key).await
}

#[server(prefix = "/do", endpoint = "host")]
pub async fn act_on_host(
    id: HostId,
    action: HostAction,
    #[server(default)] state_revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let key = key.map(|key| format!("{key}-{}", action.verb()));
    act(Action::Host { id, action }, state_revision, key).await
}

/// Queues a command on each of the hosts named in `ids`. None named is an error, never all of them.
#[server(prefix = "/do", endpoint = "run-command")]
pub async fn run_command(
    #[server(default)] ids: String,
    kind: CommandKind,
    #[server(default)] state_revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let host_ids = read_ids(&ids).map_err(fail)?;
    let key = key.map(|key| format!("{key}-run-{kind}"));
    act(Action::RunCommand { host_ids, kind }, state_revision, key).await
}

#[server(prefix = "/do", endpoint = "cancel-command")]
pub async fn cancel_command(id: CommandId, #[server(default)] key: Option<String>) -> Result<Done, ApiError> {
    act(Action::CancelCommand(id), None, key.map(|key| format!("{key}-cancel"))).await
}

#[server(prefix = "/do", endpoint = "start-pipeline")]
pub async fn start_pipeline(
    #[server(default)] title: String,
    #[server(default)] ids: String,
    stages: String,
    concurrency: String,
    canary: String,
    stop_after_failures: String,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let plan = read_plan(&ids, &stages, &concurrency, &canary, &stop_after_failures).map_err(fail)?;
    let title = Some(title.trim()).filter(|title| !title.is_empty()).map(str::to_owned);
    let title = title.unwrap_or_else(|| title_of(&plan));
    act(Action::StartPipeline { title, plan }, None, key).await
}

#[server(prefix = "/do", endpoint = "pipeline")]
pub async fn act_on_pipeline(
    id: PipelineId,
    action: PipelineAction,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let key = key.map(|key| format!("{key}-{}", action.verb()));
    act(Action::Pipeline { id, action }, None, key).await
}

/// Merges the pull request if its head is still `head_sha`, and with `deploy` starts a pipeline over the named hosts then.
#[server(prefix = "/do", endpoint = "merge-pull-request")]
pub async fn merge_pull_request(
    number: u64,
    head_sha: String,
    #[server(default)] deploy: bool,
    #[server(default)] ids: String,
    #[server(default)] stages: String,
    #[server(default)] concurrency: String,
    #[server(default)] canary: String,
    #[server(default)] stop_after_failures: String,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let plan = deploy.then(|| read_plan(&ids, &stages, &concurrency, &canary, &stop_after_failures));
    let deploy = plan.transpose().map_err(fail)?;
    act(Action::MergePullRequest { number, head_sha, deploy }, None, key).await
}

/// The ids in a form's field, parted by commas.
#[cfg_attr(not(feature = "ssr"), allow(dead_code))]
fn read_ids(text: &str) -> Result<Vec<HostId>, ApiError> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let ids = words.map(|word| {
        let detail = || format!("{:?} is not the id of a host.", word.chars().take(60).collect::<String>());
        word.parse().map_err(|_| ApiError::BadRequest { detail: detail() })
    });
    let ids: Vec<HostId> = ids.collect::<Result<_, _>>()?;
    match ids.is_empty() {
        true => Err(ApiError::BadRequest {
            detail: "No host was named. Choose at least one: an empty list never means all hosts.".to_owned(),
        }),
        false => Ok(ids),
    }
}

/// The stages in a form's field, parted by spaces, commas or arrows.
pub fn read_stages(text: &str) -> Result<Vec<CommandKind>, String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '→' | '>'));
    words
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().map_err(|wrong: crate::model::command::NotAKind| wrong.to_string()))
        .collect()
}

/// What a form asks a pipeline to be.
pub fn read_plan(
    ids: &str,
    stages: &str,
    concurrency: &str,
    canary: &str,
    stop_after_failures: &str,
) -> Result<Plan, ApiError> {
    let number = |field: &str, bounds: &RangeInclusive<u64>, given: &str| {
        let given = given.trim();
        let number: Option<u64> = given.parse().ok().filter(|number| bounds.contains(number));
        let given = if given.is_empty() { "empty" } else { given };
        let detail = || crate::model::action::whole_number_wanted(field, bounds, given);
        number.map(|number| number as u32).ok_or_else(|| ApiError::BadRequest { detail: detail() })
    };
    let plan = Plan {
        host_ids: read_ids(ids)?,
        stages: read_stages(stages).map_err(|detail| ApiError::BadRequest { detail })?,
        concurrency: number("At once", &AT_ONCE, concurrency)?,
        canary: number("Canaries", &CANARIES, canary)?,
        stop_after_failures: number("Stop after failures", &AT_ONCE, stop_after_failures)?,
    };
    plan.check().map_err(|wrong| ApiError::BadRequest { detail: wrong.to_string() })?;
    Ok(plan)
}

/// `pull → switch on 4 hosts`.
pub fn title_of(plan: &Plan) -> String {
    let stages: Vec<&str> = plan.stages.iter().map(CommandKind::as_str).collect();
    format!(
        "{} on {}",
        stages.join(" → "),
        super::components::format::counted(plan.host_ids.len(), "host", "hosts")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn no_host_named_is_never_every_host() {
        for empty in ["", " ", ",", " , "] {
            let Err(ApiError::BadRequest { detail }) = read_ids(empty) else {
                panic!("{empty:?} names hosts")
            };
            assert!(detail.contains("never means all"), "{detail}");
        }
        assert!(read_ids("all").is_err());
        let id = HostId(Uuid::from_u128(7));
        assert_eq!(read_ids(&format!(" {id} ,{id}")), Ok(vec![id, id]));
    }

    #[test]
    fn a_plan_is_read_from_text_and_checked() {
        let id = HostId(Uuid::from_u128(7)).to_string();
        let plan = read_plan(&id, "pull → switch", "2", "1", "3").unwrap();
        assert_eq!(
            (plan.stages.len(), plan.concurrency, plan.canary, plan.stop_after_failures),
            (2, 2, 1, 3)
        );
        assert_eq!(title_of(&plan), "pull → switch on 1 host");
        for (stages, concurrency, canary, failures) in [
            ("", "1", "0", "1"),
            ("Pull", "1", "0", "1"),
            ("pull", "0", "0", "1"),
            ("pull", "1", "-1", "1"),
            ("pull", "1", "", "1"),
            ("pull", "1", "0", "0"),
        ] {
            assert!(
                read_plan(&id, stages, concurrency, canary, failures).is_err(),
                "{stages} {concurrency} {canary} {failures}"
            );
        }
        assert!(read_plan(&format!("{id},{id}"), "pull", "1", "0", "1").is_err(), "a host twice");
    }
}
