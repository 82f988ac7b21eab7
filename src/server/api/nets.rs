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
        Action, Done, EntityRef, Net, NetId, NetRequest, NewNet,
        action::{MAX_PNML_BYTES, RATE, TOKENS},
    },
    server::{
        App,
        actions::{gone_for, perform},
        auth::Who,
        clock::now,
        storage::definitions,
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Multipart, Path, Request, State, multipart::MultipartError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

pub async fn list(State(app): State<App>, who: Who, asked: ListRequest) -> Result<Response, ApiError> {
    let at = position(&app, &who);
    let wanted = asked.wanted::<NetId>("net")?;
    let fleet = app.store().fleet();
    let rows = fleet.nets().filter(|row| {
        who.scope.sees_project(row.project_id)
            && wanted.as_ref().is_none_or(|wanted| wanted.contains(&row.id))
    });
    let rows: Vec<_> = rows.map(Arc::clone).collect();
    Ok(asked.answer(rows, Order::OldestFirst, |row| (row.id.0, row.revision), at))
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
    let pnml =
        definitions::get(app.store().pool(), net.definition).await.map_err(|error| internal(&error))?;
    let pnml = pnml.ok_or_else(|| internal(&format!("definition {} is missing", net.definition)))?;
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
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let new = if kind.starts_with("multipart/form-data") {
        let form = Multipart::from_request(request, &app).await;
        from_form(form.map_err(|error| unreadable(error.status(), &error.body_text()))?).await?
    } else {
        let body = Bytes::from_request(request, &app).await;
        let body = Fields::read::<bodies::NewNet>(
            &body.map_err(|error| unreadable(error.status(), &error.body_text()))?,
        )?;
        NewNet {
            name: body.text_or_empty("name")?,
            project_id: body.id("project_id", "project")?,
            pnml: body.text("pnml")?.into_bytes(),
            keep_broken: false,
        }
    };
    let done = perform(&app, &who, Action::CreateNet(new), options(&headers)?).await?;
    Ok((StatusCode::CREATED, Json(done)).into_response())
}

async fn from_form(mut form: Multipart) -> Result<NewNet, ApiError> {
    let unreadable = |error: MultipartError| unreadable(error.status(), &error.body_text());
    let (mut name, mut project, mut pnml) = (String::new(), None, None);
    while let Some(mut field) = form.next_field().await.map_err(unreadable)? {
        match field.name() {
            Some("name") => name = field.text().await.map_err(unreadable)?,
            Some("project_id") => {
                let text = field.text().await.map_err(unreadable)?;
                project = Some(id(&text, "project")?);
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
                    pnml = Some(bytes);
                }
            }
            Some(name) => {
                let names = ["name", "project_id", "pnml"].map(str::to_owned);
                return Err(unknown(name, "", &names));
            }
            None => {}
        }
    }
    let missing = |what: &str| ApiError::BadRequest { detail: format!("The form has no field {what:?}.") };
    Ok(NewNet {
        name,
        project_id: project.ok_or(missing("project_id"))?,
        pnml: pnml.ok_or(missing("pnml"))?,
        keep_broken: false,
    })
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
