//! What handlers share in reading requests and writing answers.

use crate::{
    app::error::ApiError,
    model::{Build, Command, Host, Net, Options, Worker},
    server::{App, auth::Who},
};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::str::FromStr;

/// An id in a path.
pub fn id<T: FromStr>(text: &str, what: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::BadRequest { detail: format!("{text:?} is not the id of a {what}.") })
}

/// `If-Match` and `Idempotency-Key`.
pub fn options(headers: &HeaderMap) -> Result<Options, ApiError> {
    let text = |name: header::HeaderName| -> Result<Option<&str>, ApiError> {
        let bad = |_| ApiError::BadRequest { detail: format!("The header {name} is not readable text.") };
        headers.get(&name).map(HeaderValue::to_str).transpose().map_err(bad)
    };
    let if_match = match text(header::IF_MATCH)? {
        None | Some("*") => None,
        Some(tag) => Some(tag.trim_matches('"').parse().map_err(|_| ApiError::BadRequest {
            detail: format!("If-Match must be a state_revision, a number in quotes; it is {tag}."),
        })?),
    };
    Ok(Options {
        if_match,
        key: text(header::HeaderName::from_static("idempotency-key"))?.map(str::to_owned),
    })
}

/// A row with its `state_revision` as ETag, ready for `If-Match`.
pub trait Tagged: Serialize {
    fn tag(&self) -> u64;
}

impl Tagged for Worker {
    fn tag(&self) -> u64 {
        self.state_revision
    }
}

impl Tagged for Net {
    fn tag(&self) -> u64 {
        self.state_revision
    }
}

impl Tagged for Host {
    fn tag(&self) -> u64 {
        self.state_revision
    }
}

/// Commands have no `If-Match`; their tag tells versions apart.
impl Tagged for Command {
    fn tag(&self) -> u64 {
        self.revision
    }
}

/// Nobody but the console changes a build; its tag tells versions apart.
impl Tagged for Build {
    fn tag(&self) -> u64 {
        self.revision
    }
}

/// Where the server was when it answered (DESIGN.md section 4). Read before the rows, so that it never claims more than they show.
pub const POSITION: &str = "x-muster-position";

pub fn position(app: &App, who: &Who) -> HeaderValue {
    let position = app.hub().head().position(who.scope.revision()).to_string();
    HeaderValue::from_str(&position).unwrap_or_else(|_| HeaderValue::from_static(""))
}

pub fn row<T: Tagged>(row: &T, position: HeaderValue) -> Response {
    let mut response = Json(row).into_response();
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", row.tag())) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(POSITION, position);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The position of `app`'s state as `who` sees it, as an ETag.
pub fn position_tag(app: &App, who: &Who) -> String {
    format!("\"{}\"", app.hub().head().position(who.scope.revision()))
}
