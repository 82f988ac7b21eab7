//! What server functions and pages reach the server by.

use super::{
    App,
    auth::{self, Place, SignedIn, Who},
    socket::Peer,
};
use crate::app::error::ApiError;
use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// The console that serves this request.
pub fn app() -> Result<App, ApiError> {
    use_context::<App>()
        .ok_or_else(|| super::api::error::internal(&"a server function ran without the server's context"))
}

/// The user behind this request.
pub async fn who() -> Result<Who, ApiError> {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Who>().cloned())
        .ok_or(ApiError::Unauthorized)
}

/// Where this request comes from.
pub fn place() -> Place {
    let peer = use_context::<Parts>().and_then(|parts| parts.extensions.get::<ConnectInfo<Peer>>().cloned());
    Place::of(peer.map(|ConnectInfo(peer)| peer), &headers())
}

/// The headers of this request.
pub fn headers() -> HeaderMap {
    use_context::<Parts>().map(|parts| parts.headers).unwrap_or_default()
}

/// Gives the answer the error's HTTP status, unless a form without JavaScript is waiting for its redirect.
pub fn fail(error: ApiError) -> ApiError {
    let accept =
        headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if !accept.contains("text/html")
        && let (Some(response), Ok(status)) =
            (use_context::<ResponseOptions>(), StatusCode::from_u16(error.status()))
    {
        response.set_status(status);
    }
    error
}

/// Sends the session's cookie with the answer.
pub fn set_session(signed_in: &SignedIn) {
    with_response(|app, response| {
        let cookie = auth::session_cookie(app.config().cookie_style, &signed_in.token, signed_in.lifetime);
        response.append_header(header::SET_COOKIE, cookie);
    });
}

/// Removes the session's cookie with the answer.
pub fn remove_session() {
    with_response(|app, response| {
        response.append_header(header::SET_COOKIE, auth::session_cookie_removed(app.config().cookie_style));
    });
}

fn with_response(act: impl FnOnce(&App, &ResponseOptions)) {
    if let (Some(app), Some(response)) = (use_context::<App>(), use_context::<ResponseOptions>()) {
        act(&app, &response);
    }
}
