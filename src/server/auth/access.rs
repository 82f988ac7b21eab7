//! Which requests need what: one table, and the middleware that asks it. What it does not name is denied.

use super::{CookieStyle, Who, origin, session};
use crate::{
    app::error::ApiError,
    model::Role,
    server::{App, api::error::internal, clock::now, events::tickets},
};
use axum::{
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// A session with at least this role.
    Role(Role),
}

/// Pages and routes that need no session.
const PUBLIC: &[(&str, &[&str])] = &[
    ("GET", &["/sign-in", "/setup/", "/assets/", "/favicon.ico", "/robots.txt", "/healthz", "/readyz"]),
    // Let in by the token of a host, which the route itself asks for.
    ("GET", &["/api/agent"]),
    (
        "POST",
        &["/api/session", "/do/sign-in", "/do/set-up", "/do/needs-setup", "/do/setup-link", "/do/theme"],
    ),
];

/// The table. Reading needs the role viewer, changing anything operator; actions ask again for themselves.
pub fn required(method: &Method, path: &str) -> Access {
    let name = if method == Method::HEAD { "GET" } else { method.as_str() };
    let public = PUBLIC
        .iter()
        .filter(|(public, _)| *public == name)
        .flat_map(|(_, paths)| *paths)
        .any(|public| path == *public || public.ends_with('/') && path.starts_with(public));
    if public {
        return Access::Public;
    }
    match (method, path) {
        // Everyone may end their own session.
        (&Method::DELETE, "/api/session") | (&Method::POST, "/do/sign-out") => Access::Role(Role::Viewer),
        (_, "/metrics") => Access::Role(Role::Admin),
        // With a worker's token one can pretend to be the console; with a cluster of foreign machines, make the console call any address.
        (_, path) if path.starts_with("/api/workers/") && path.ends_with("/token") => {
            Access::Role(Role::Admin)
        }
        // With a host's token one can speak for it.
        (&Method::POST, "/api/hosts") => Access::Role(Role::Admin),
        (&Method::DELETE, path) if path.starts_with("/api/hosts/") => Access::Role(Role::Admin),
        (&Method::POST, path) if path.starts_with("/api/hosts/") && path.ends_with("/token") => {
            Access::Role(Role::Admin)
        }
        (&Method::POST, "/api/clusters") => Access::Role(Role::Admin),
        (&Method::DELETE, path) if path.starts_with("/api/clusters/") => Access::Role(Role::Admin),
        // A ticket is for reading.
        (&Method::POST, "/api/stream-tickets") => Access::Role(Role::Viewer),
        // Reading through a server function is still reading.
        (&Method::POST, "/do/open" | "/do/graph" | "/do/trend") => Access::Role(Role::Viewer),
        (&Method::POST, "/do/events" | "/do/events-now" | "/do/event-statistics") => {
            Access::Role(Role::Viewer)
        }
        _ if method.is_safe() => Access::Role(Role::Viewer),
        _ => Access::Role(Role::Operator),
    }
}

/// Finds the user, refuses what the table refuses.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if !origin::same_site(&method, request.headers()) {
        let detail = "This request comes from another site and was refused.".to_owned();
        return ApiError::Forbidden { detail }.into_response();
    }
    let access = match path.as_str() {
        "/metrics" if app.config().metrics_public && method.is_safe() => Access::Public,
        path => required(&method, path),
    };
    let style: CookieStyle = app.config().cookie_style;
    let ticket = tickets::bearer(&app, request.uri());
    let who = match style.token(request.headers()) {
        _ if ticket.is_some() => ticket.flatten(),
        Some(token) => match session::find(&app, token, now()).await {
            Ok(who) => who,
            Err(_) if access == Access::Public && path.starts_with("/assets/") => None,
            Err(error) => return internal(&error).into_response(),
        },
        None => None,
    };
    if let Access::Role(role) = access {
        let refused = match &who {
            None => Some(ApiError::Unauthorized),
            Some(who) => who.need(role).err(),
        };
        if let Some(error) = refused {
            return match wants_page(&request) && error == ApiError::Unauthorized {
                true => Redirect::to(&sign_in_address(&app, &request)).into_response(),
                false => error.into_response(),
            };
        }
    }
    if let Some(who) = who {
        request.extensions_mut().insert::<Who>(who);
    }
    next.run(request).await
}

fn wants_page(request: &Request) -> bool {
    let accept =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && (request.method().is_safe() || request.uri().path().starts_with("/do/"))
}

/// Where to sign in, and to come back from there. Only paths of this console: `next` never leads elsewhere.
fn sign_in_address(app: &App, request: &Request) -> String {
    let path = match request.method().is_safe() {
        true => request.uri().path_and_query().map_or("/", |path| path.as_str()),
        false => "/",
    };
    if path == "/" || app.setup().is_open() {
        return "/sign-in".to_owned();
    }
    let next: String = path
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("/sign-in?next={next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_does_not_name_needs_a_session() {
        assert_eq!(required(&Method::GET, "/"), Access::Role(Role::Viewer));
        assert_eq!(required(&Method::GET, "/api/state"), Access::Role(Role::Viewer));
        assert_eq!(required(&Method::GET, "/sign-in-elsewhere"), Access::Role(Role::Viewer));
        assert_eq!(required(&Method::POST, "/api/workers"), Access::Role(Role::Operator));
        assert_eq!(required(&Method::DELETE, "/api/anything/new"), Access::Role(Role::Operator));
        assert_eq!(required(&Method::POST, "/sign-in"), Access::Role(Role::Operator));
        assert_eq!(required(&Method::HEAD, "/healthz"), Access::Public);
        assert_eq!(required(&Method::GET, "/assets/muster.css"), Access::Public);
        assert_eq!(required(&Method::GET, "/assets"), Access::Role(Role::Viewer));
        assert_eq!(required(&Method::GET, "/metrics"), Access::Role(Role::Admin));
        assert_eq!(required(&Method::GET, "/api/workers/1/token"), Access::Role(Role::Admin));
        assert_eq!(required(&Method::POST, "/api/clusters"), Access::Role(Role::Admin));
        assert_eq!(required(&Method::DELETE, "/api/clusters/1"), Access::Role(Role::Admin));
        assert_eq!(required(&Method::GET, "/api/clusters"), Access::Role(Role::Viewer));
    }

    #[test]
    fn hosts_are_read_by_viewers_run_by_operators_and_made_by_administrators() {
        use Role::*;
        for (method, path, role) in [
            (Method::GET, "/api/hosts", Viewer),
            (Method::GET, "/api/hosts/1", Viewer),
            (Method::POST, "/api/hosts", Admin),
            (Method::DELETE, "/api/hosts/1", Admin),
            (Method::POST, "/api/hosts/1/refresh", Operator),
            (Method::POST, "/api/hosts/1/token", Admin),
            (Method::DELETE, "/api/hosts/1/token", Admin),
            (Method::GET, "/api/hosts/1/commands", Viewer),
            (Method::GET, "/api/commands", Viewer),
            (Method::GET, "/api/commands/1", Viewer),
            (Method::POST, "/api/commands", Operator),
            (Method::POST, "/api/commands/1/cancel", Operator),
            (Method::GET, "/api/commands/1/output", Viewer),
            (Method::GET, "/api/watch", Viewer),
            (Method::GET, "/api/agents", Viewer),
            (Method::POST, "/api/agent", Operator),
        ] {
            assert_eq!(required(&method, path), Access::Role(role), "{method} {path}");
        }
        // Its own check is the token of a host.
        assert_eq!(required(&Method::GET, "/api/agent"), Access::Public);
    }
}
