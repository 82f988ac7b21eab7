//! `/api/commands`, and the history of a host's.

use super::{
    error::internal,
    extract::{id, options, position, row},
    fields::Fields,
    lists::{ListRequest, Order},
    openapi::bodies,
};
use crate::{
    app::error::ApiError,
    model::{
        Action, Command, CommandId, CommandKind, CommandStatus, Done, EntityRef, HostId, PostCheck, Timestamp,
    },
    server::{
        App,
        actions::{gone, need_hosts, perform},
        agents::outputs::{Extent, Gap, Piece},
        auth::Who,
        clock::now,
        storage::hosts::{self, Wanted},
    },
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rows of one page of a history.
const PAGE: u32 = 50;
/// Gaps that are listed in a header.
const LISTED: usize = 50;
/// Output is read in pieces of this size.
const PIECE: usize = 256 << 10;

#[derive(Deserialize)]
pub struct ListQuery {
    host_id: Option<String>,
    status: Option<String>,
}

/// Those of the snapshot.
pub async fn list(
    State(app): State<App>,
    who: Who,
    Query(query): Query<ListQuery>,
    asked: ListRequest,
) -> Result<Response, ApiError> {
    need_hosts(&who)?;
    let at = position(&app, &who);
    let wanted = asked.wanted::<CommandId>("command")?;
    let host = query.host_id.as_deref().map(|host| id::<HostId>(host, "host")).transpose()?;
    let status = query.status.as_deref().map(status).transpose()?;
    let fleet = app.store().fleet();
    let rows = fleet.commands().filter(|row| {
        wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id))
            && host.is_none_or(|host| row.host_id == host)
            && status.is_none_or(|status| row.status == status)
    });
    let rows: Vec<_> = rows.cloned().collect();
    asked.also(&["host_id", "status"]).answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(
    State(app): State<App>,
    who: Who,
    Path(command): Path<String>,
) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let command = find(&app, &who, id(&command, "command")?).await?;
    Ok(row(&*command, at))
}

pub async fn run(
    State(app): State<App>,
    who: Who,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body = Fields::read::<bodies::NewCommands>(&body)?;
    let kind: CommandKind =
        (body.text("kind")?).parse().map_err(|error: crate::model::command::NotAKind| {
            ApiError::BadRequest { detail: error.to_string() }
        })?;
    let action = Action::RunCommand { host_ids: body.ids("host_ids", "host")?, kind };
    let done = perform(&app, &who, action, options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

pub async fn cancel(
    State(app): State<App>,
    who: Who,
    Path(command): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = Action::CancelCommand(id(&command, "command")?);
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}

#[derive(Deserialize)]
pub struct HistoryQuery {
    cursor: Option<String>,
    status: Option<String>,
    kind: Option<String>,
}

/// A page of a host's commands, the newest first.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "CommandHistory")]
pub struct History {
    commands: Vec<Command>,
    /// The `cursor` of the next page.
    next: Option<CommandId>,
}

pub async fn of_host(
    State(app): State<App>,
    who: Who,
    Path(host): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, ApiError> {
    need_hosts(&who)?;
    let host: HostId = id(&host, "host")?;
    let fleet = app.store().fleet();
    fleet.host(host).ok_or_else(|| gone(&fleet, EntityRef::Host(host), now()))?;
    let kind = query.kind.as_deref().map(str::parse::<CommandKind>).transpose();
    let wanted = Wanted {
        before: query.cursor.as_deref().map(|cursor| id(cursor, "command")).transpose()?,
        status: query.status.as_deref().map(status).transpose()?,
        kind: kind.map_err(|error| ApiError::BadRequest { detail: error.to_string() })?,
    };
    let found = hosts::history(app.store().pool(), host, &wanted, PAGE + 1).await;
    let mut commands = found.map_err(|error| internal(&error))?;
    let more = commands.len() > PAGE as usize;
    commands.truncate(PAGE as usize);
    let next = commands.last().filter(|_| more).map(|last| last.id);
    let at = now();
    let commands = commands.into_iter().map(|command| settled(command, at)).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(History { commands, next })).into_response())
}

#[derive(Deserialize)]
pub struct OutputQuery {
    offset: Option<String>,
    download: Option<String>,
}

/// Where the output goes on: the `offset` of the next request.
const NEXT_OFFSET: HeaderName = HeaderName::from_static("x-muster-next-offset");
/// `offset+size` of each gap among what is answered, with commas between.
const GAPS: HeaderName = HeaderName::from_static("x-muster-gaps");
/// Bytes in all gaps among what is answered.
const GAP_BYTES: HeaderName = HeaderName::from_static("x-muster-gap-bytes");
/// Whether the command is over: nothing follows.
const IS_OVER: HeaderName = HeaderName::from_static("x-muster-is-over");

/// What a command wrote, from an offset to what is stored now. Gaps are left out of the body and told in the headers.
pub async fn output(
    State(app): State<App>,
    who: Who,
    Path(command): Path<String>,
    Query(query): Query<OutputQuery>,
) -> Result<Response, ApiError> {
    let offset = match query.offset.as_deref() {
        None | Some("") => 0,
        Some(text) => text.parse::<u64>().map_err(|_| ApiError::BadRequest {
            detail: format!(
                "offset must be a whole number; it is {:?}.",
                text.chars().take(40).collect::<String>()
            ),
        })?,
    };
    // Before the extent: of what is over, everything is stored.
    let command = find(&app, &who, id(&command, "command")?).await?;
    let extent = app.agents().outputs().extent(command.id).await.map_err(|error| internal(&error))?;
    let gaps: Vec<Gap> = extent.gaps_from(offset).collect();
    let listed: Vec<String> =
        gaps.iter().take(LISTED).map(|gap| format!("{}+{}", gap.offset, gap.size)).collect();
    let name = format!("{}-{}.log", command.kind, command.id);
    let length = extent.kept_from(offset);
    let next = extent.end.max(offset);
    let mut response = Body::from_stream(bytes(app, command.id, extent, offset)).into_response();
    let headers = response.headers_mut();
    let text = |text: String| HeaderValue::from_str(&text).map_err(|error| internal(&error));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(NEXT_OFFSET, HeaderValue::from(next));
    headers.insert(GAPS, text(listed.join(","))?);
    headers.insert(GAP_BYTES, HeaderValue::from(gaps.iter().map(|gap| gap.size).sum::<u64>()));
    headers
        .insert(IS_OVER, HeaderValue::from_static(if command.status.is_over() { "true" } else { "false" }));
    if query.download.is_some() {
        headers.insert(header::CONTENT_DISPOSITION, text(format!("attachment; filename=\"{name}\""))?);
    }
    Ok(response)
}

/// The bytes that are stored from `offset` on.
fn bytes(
    app: App,
    command: CommandId,
    extent: Extent,
    offset: u64,
) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
    futures::stream::try_unfold(offset, move |mut offset| {
        let (app, extent) = (app.clone(), extent.clone());
        async move {
            loop {
                match app.agents().outputs().read(command, &extent, offset, PIECE).await? {
                    Piece::Bytes(bytes) => {
                        offset += bytes.len() as u64;
                        return Ok(Some((bytes, offset)));
                    }
                    Piece::Gap { size } => offset += size,
                    Piece::End => return Ok(None),
                }
            }
        }
    })
}

/// A command of the snapshot, or an older one.
pub async fn find(app: &App, who: &Who, id: CommandId) -> Result<Arc<Command>, ApiError> {
    need_hosts(who)?;
    let fleet = app.store().fleet();
    if let Some(command) = fleet.command(id) {
        return Ok(command.clone());
    }
    let found = hosts::command(app.store().pool(), id).await.map_err(|error| internal(&error))?;
    let command = found.map(|command| Arc::new(settled(command, now())));
    command.ok_or_else(|| gone(&fleet, EntityRef::Command(id), now()))
}

/// A row that left the snapshot while a report was awaited is not written any more: what nobody can find out is not known.
fn settled(mut command: Command, now: Timestamp) -> Command {
    if let Some(PostCheck::Awaited { until }) = command.post_check
        && until <= now
    {
        command.post_check = Some(PostCheck::Unknown);
    }
    command
}

fn status(word: &str) -> Result<CommandStatus, ApiError> {
    let found = CommandStatus::ALL.into_iter().find(|status| status.word() == word);
    found.ok_or_else(|| {
        let words = CommandStatus::ALL.map(CommandStatus::word).join(", ");
        let given: String = word.chars().take(40).collect();
        ApiError::BadRequest { detail: format!("status must be one of {words}; it is {given:?}.") }
    })
}
