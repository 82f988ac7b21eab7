//! `/api/nets`.

use super::{
    error::internal,
    extract::{id, options, position, row},
    fields::{Fields, unknown},
    lists::{ListRequest, Order},
    openapi::{Operation, bodies, post},
};
use crate::{
    app::error::ApiError,
    model::{
        Action, ChangedNet, DefinitionHash, Done, EntityRef, Net, NetId, NetRequest, NewNet, VersionRow,
        action::{MAX_PNML_BYTES, RATE, TOKENS, whole_number_wanted},
    },
    petri::report::BuildReport,
    server::{
        App,
        actions::{gone_for, perform},
        auth::Who,
        builds,
        clock::now,
        storage::{definitions, versions},
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Multipart, Path, Query, Request, State, multipart::MultipartError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{ops::RangeInclusive, sync::Arc};

/// Numbers of versions.
pub const VERSIONS: RangeInclusive<u64> = 1..=u32::MAX as u64;

pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<NetId>("net")?;
    let fleet = app.store().fleet();
    let rows = fleet.nets().filter(|row| {
        who.scope.sees_project(row.project_id)
            && wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id))
    });
    let rows: Vec<_> = rows.map(Arc::clone).collect();
    asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at)
}

pub async fn show(State(app): State<App>, who: Who, Path(net): Path<String>) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    find(&app, &who, &net).map(|net| row(&*net, at))
}

/// The drawing. It never changes for a definition, so its hash is the ETag.
pub async fn graph(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let net = find(&app, &who, &net)?;
    let tag = format!("\"{}\"", net.definition);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|wanted| wanted.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let graph = app.graph_json(net.definition).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::ETAG, HeaderValue::from_str(&tag).map_err(|error| internal(&error))?),
    ];
    Ok((headers, graph).into_response())
}

/// The PNML file as it was added.
pub async fn definition(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
) -> Result<Response, ApiError> {
    let net = find(&app, &who, &net)?;
    file(&app, net.definition).await
}

/// The PNML file of a version.
pub async fn version(
    State(app): State<App>,
    who: Who,
    Path((net, number)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let net = find(&app, &who, &net)?;
    let number = number_of(&number)?;
    let row = versions::one(app.store().pool(), net.id, number).await.map_err(|error| internal(&error))?;
    let row = row.ok_or(ApiError::NoVersion { number, newest: net.newest().number })?;
    file(&app, row.version.definition).await
}

/// The number of a version.
fn number_of(text: &str) -> Result<u32, ApiError> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number
        .filter(|number| VERSIONS.contains(&u64::from(*number)))
        .ok_or_else(|| ApiError::BadRequest { detail: whole_number_wanted("version", &VERSIONS, text) })
}

/// The versions of a net, newest first.
pub async fn versions(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
) -> Result<Json<Vec<VersionRow>>, ApiError> {
    let net = find(&app, &who, &net)?;
    builds::versions(&app, &who, net.id).await.map(Json)
}

#[derive(Deserialize)]
pub struct ReportQuery {
    version: Option<String>,
}

/// What the build of a version found.
pub async fn report(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<Option<BuildReport>>, ApiError> {
    let net = find(&app, &who, &net)?;
    let version = query.version.as_deref().map(number_of).transpose()?;
    builds::report(&app, &who, net.id, version).await.map(Json)
}

async fn file(app: &App, definition: DefinitionHash) -> Result<Response, ApiError> {
    let pnml = definitions::get(app.store().pool(), definition).await.map_err(|error| internal(&error))?;
    let pnml = pnml.ok_or_else(|| internal(&format!("definition {definition} is missing")))?;
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
        // A file to keep, never a page to run.
        (header::CONTENT_DISPOSITION, "attachment; filename=\"net.pnml\""),
    ];
    Ok((headers, pnml).into_response())
}

/// JSON with the PNML as text, or a multipart form with it as a file.
pub async fn create(State(app): State<App>, who: Who, request: Request) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let new = match Sent::read::<bodies::NewNet>(request, &app).await? {
        Sent::Json(body) => NewNet {
            name: body.text_or_empty("name")?,
            project_id: body.id("project_id", "project")?,
            pnml: body.text("pnml")?.into_bytes(),
            keep_broken: body.optional_flag("keep_broken")?.unwrap_or_default(),
        },
        Sent::Form(form) => {
            let project = form.project.as_deref().ok_or_else(|| missing("project_id"))?;
            NewNet {
                project_id: id(project, "project")?,
                pnml: form.pnml.ok_or_else(|| missing("pnml"))?,
                keep_broken: form.keep_broken,
                name: form.name,
            }
        }
    };
    let done = perform(&app, &who, Action::CreateNet(new), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

/// The same for a new version of a net.
pub async fn change(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    request: Request,
) -> Result<Json<Done>, ApiError> {
    let headers = request.headers().clone();
    let id = id(&net, "net")?;
    let changed = match Sent::read::<bodies::ChangedNet>(request, &app).await? {
        Sent::Json(body) => ChangedNet {
            pnml: body.text("pnml")?.into_bytes(),
            keep_broken: body.optional_flag("keep_broken")?.unwrap_or_default(),
        },
        Sent::Form(form) => {
            ChangedNet { pnml: form.pnml.ok_or_else(|| missing("pnml"))?, keep_broken: form.keep_broken }
        }
    };
    perform(&app, &who, Action::ChangeNet { id, changed }, options(&headers)?).await.map(Json)
}

/// Builds the newest version anew.
pub async fn build(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    perform(&app, &who, Action::BuildNet(id(&net, "net")?), options(&headers)?).await.map(Json)
}

pub async fn load(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    // 0 is no version of any net.
    let version = Fields::read::<bodies::Load>(&body)?.whole_number_or("version", &VERSIONS, 0)? as u32;
    let version = Some(version).filter(|version| *version > 0);
    act(&app, &who, &net, NetRequest::Load { version }, &headers).await
}

/// How a file came.
enum Sent {
    Json(Fields),
    Form(Form),
}

#[derive(Default)]
struct Form {
    name: String,
    project: Option<String>,
    pnml: Option<Vec<u8>>,
    keep_broken: bool,
}

impl Sent {
    async fn read<T: JsonSchema>(request: Request, app: &App) -> Result<Sent, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            let form = Multipart::from_request(request, app).await;
            let form = form.map_err(|error| unreadable(error.status(), &error.body_text()))?;
            return Form::read(form).await.map(Sent::Form);
        }
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|error| unreadable(error.status(), &error.body_text()))?;
        Fields::read::<T>(&body).map(Sent::Json)
    }
}

impl Form {
    async fn read(mut form: Multipart) -> Result<Form, ApiError> {
        let unreadable = |error: MultipartError| unreadable(error.status(), &error.body_text());
        let mut read = Form::default();
        while let Some(mut field) = form.next_field().await.map_err(unreadable)? {
            match field.name() {
                Some("name") => read.name = field.text().await.map_err(unreadable)?,
                Some("project_id") => read.project = Some(field.text().await.map_err(unreadable)?),
                Some("keep_broken") => {
                    let text = field.text().await.map_err(unreadable)?;
                    read.keep_broken = flag("keep_broken", text.trim())?;
                }
                Some("pnml") => {
                    let mut bytes = Vec::new();
                    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
                        if bytes.len() + chunk.len() > MAX_PNML_BYTES {
                            return Err(ApiError::pnml_too_large());
                        }
                        bytes.extend_from_slice(&chunk);
                    }
                    // A form with both a file and a text box sends the unused one empty.
                    if !bytes.is_empty() {
                        read.pnml = Some(bytes);
                    }
                }
                Some(name) => {
                    let names = ["name", "project_id", "pnml", "keep_broken"].map(str::to_owned);
                    return Err(unknown(name, "", &names));
                }
                None => {}
            }
        }
        Ok(read)
    }
}

fn flag(name: &str, text: &str) -> Result<bool, ApiError> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => {
            let given: String = other.chars().take(40).collect();
            Err(ApiError::BadRequest { detail: format!("{name} must be true or false; it is {given:?}.") })
        }
    }
}

fn missing(what: &str) -> ApiError {
    ApiError::BadRequest { detail: format!("The form has no field {what:?}.") }
}

/// The operation for a request that says all by its name.
pub fn plain(path: &'static str, summary: &'static str, request: NetRequest) -> Operation {
    let handler =
        async move |State(app): State<App>, who: Who, Path(net): Path<String>, headers: HeaderMap| {
            act(&app, &who, &net, request, &headers).await
        };
    post(path, summary, handler)
}

pub async fn assign(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let worker_id = Fields::read::<bodies::Assign>(&body)?.id("worker_id", "worker")?;
    act(&app, &who, &net, NetRequest::Assign { worker_id }, &headers).await
}

pub async fn move_to(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let project_id = Fields::read::<bodies::MoveNet>(&body)?.id("project_id", "project")?;
    let action = Action::MoveNet { id: id(&net, "net")?, project_id };
    perform(&app, &who, action, options(&headers)?).await.map(Json)
}

pub async fn run(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let rate = Fields::read::<bodies::Run>(&body)?.whole_number("rate", &RATE)? as u32;
    act(&app, &who, &net, NetRequest::Run { rate }, &headers).await
}

pub async fn inject(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Done>, ApiError> {
    let body = Fields::read::<bodies::Inject>(&body)?;
    let request =
        NetRequest::Inject { place: body.text("place")?, tokens: body.whole_number("tokens", &TOKENS)? };
    act(&app, &who, &net, request, &headers).await
}

pub async fn delete(
    State(app): State<App>,
    who: Who,
    Path(net): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Done>, ApiError> {
    act(&app, &who, &net, NetRequest::Delete, &headers).await
}

async fn act(
    app: &App,
    who: &Who,
    net: &str,
    request: NetRequest,
    headers: &HeaderMap,
) -> Result<Json<Done>, ApiError> {
    let action = Action::Net { id: id(net, "net")?, request };
    perform(app, who, action, options(headers)?).await.map(Json)
}

fn find(app: &App, who: &Who, net: &str) -> Result<Arc<Net>, ApiError> {
    let id: NetId = id(net, "net")?;
    let fleet = app.store().fleet();
    match fleet.net(id) {
        Some(net) if who.scope.sees_project(net.project_id) => Ok(net.clone()),
        Some(_) => Err(ApiError::Gone { what: "net".to_owned() }),
        None => Err(gone_for(who, &fleet, EntityRef::Net(id), now())),
    }
}

fn unreadable(status: StatusCode, text: &str) -> ApiError {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::pnml_too_large(),
        _ => ApiError::BadRequest { detail: format!("The request could not be read: {text}.") },
    }
}
