//! Pipelines.

use super::{
    extract::{id, options, position},
    fields::Fields,
    lists::{ListRequest, Order},
    openapi::{Operation, bodies, post},
};
use crate::{
    app::error::ApiError,
    model::{
        Action, CommandKind, Done, HostId, Pipeline, PipelineId, Plan, lifecycle::PipelineAction, pipeline,
    },
    server::{
        App,
        actions::{need_hosts, perform},
        auth::Who,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// How many hosts may be worked on at once where a request does not say: few enough that a mistake is seen before it is everywhere.
const CONCURRENCY: u64 = 5;

/// Those that go on, and the newest of the others; newest first.
pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    need_hosts(&who)?;
    let position = position(&app, &who);
    let wanted = asked.wanted::<PipelineId>("pipeline")?;
    let fleet = app.store().fleet();
    let rows = fleet.pipelines().rev();
    let rows = rows.filter(|row| wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id)));
    let rows: Vec<Arc<Pipeline>> = rows.cloned().collect();
    asked.answer(rows, Order::NewestFirst, |row| (row.id.0, row.revision), position)
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(text): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    need_hosts(&who)?;
    let wanted: PipelineId = id(&text, "pipeline")?;
    let row = app.store().fleet().pipeline(wanted).cloned();
    Ok(Json(row.ok_or(ApiError::Gone { what: "pipeline".to_owned() })?))
}

pub async fn start(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let fields = Fields::read::<bodies::NewPipeline>(&body)?;
    let stages = stages(&fields)?
        .ok_or_else(|| ApiError::BadRequest { detail: "The body has no field \"stages\".".to_owned() })?;
    let action =
        Action::StartPipeline { title: fields.text_or_empty("title")?, plan: plan(&fields, stages)? };
    let done = perform(&app, &who, action, options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)))
}

/// The operation that does `action`.
pub fn act(path: &'static str, summary: &'static str, action: PipelineAction) -> Operation {
    let handler =
        async move |State(app): State<App>, who: Who, Path(text): Path<String>, headers: HeaderMap| {
            let action = Action::Pipeline { id: id(&text, "pipeline")?, action };
            perform(&app, &who, action, options(&headers)?).await.map(Json)
        };
    post(path, summary, handler)
        .says("What runs goes on while it is paused; cancelling also cancels what runs.")
        .ok::<Done>("The row as it is now.")
        .acts()
        .errors(&[404])
}

pub fn stages(fields: &Fields) -> Result<Option<Vec<CommandKind>>, ApiError> {
    fields.optional_list("stages", "the name of a command", |text| text.parse().ok())
}

/// A plan as a body tells it. What is wrong with it as a whole, [`Plan::check`] says.
pub fn plan(fields: &Fields, stages: Vec<CommandKind>) -> Result<Plan, ApiError> {
    let hosts = *pipeline::HOSTS.end() as u64;
    let number =
        |name, first, default| fields.whole_number_or(name, &(first..=hosts), default).map(|n| n as u32);
    Ok(Plan {
        host_ids: fields.list("host_ids", "the id of a host", |text| text.parse::<HostId>().ok())?,
        stages,
        concurrency: number("concurrency", 1, CONCURRENCY)?,
        canary: number("canary", 0, 0)?,
        stop_after_failures: number("stop_after_failures", 1, 1)?,
    })
}
