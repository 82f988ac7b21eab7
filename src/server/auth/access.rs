//! Which requests need what: one table, and the middleware that asks it. What it does not name is denied.

use super::{CookieStyle, Who, origin, session, token};
use crate::{
    app::error::ApiError,
    model::Role,
    server::{App, api::error::internal, clock::now, events::tickets, storage::StorageError},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Somebody who is signed in, whatever their roles: what is answered is what their scope holds, or their own.
    SignedIn,
    /// At least this role in the whole fleet or in a project: the handler asks for it in the project it is about.
    Somewhere(Role),
    /// At least this role in the whole fleet.
    Fleet(Role),
}

/// Pages and routes that need no session.
const PUBLIC: &[(&str, &[&str])] = &[
    (
        "GET",
        &["/sign-in", "/setup/", "/join/", "/assets/", "/favicon.ico", "/robots.txt", "/healthz", "/readyz"],
    ),
    // Let in by the token of a host, which the route itself asks for.
    ("GET", &["/api/agent"]),
    (
        "POST",
        &[
            "/api/session",
            "/do/sign-in",
            "/do/set-up",
            "/do/needs-setup",
            "/do/setup-link",
            "/do/theme",
            "/do/invitation",
            "/do/join",
        ],
    ),
];

/// Parts of the API, with all below them, that show everybody who is signed in what their scope holds. Of all others, reading needs a role
/// in the whole fleet.
const SCOPED: &[&str] = &[
    "/api/session",
    "/api/state",
    "/api/sync",
    "/api/watch",
    "/api/clusters",
    "/api/projects",
    "/api/workers",
    "/api/nets",
    "/api/events",
    "/api/v1/events",
    "/api/labs",
    "/api/builds",
    "/api/tokens",
    "/api/openapi.json",
    "/api/docs",
];

/// Server functions that read, and what one does with one's own: whoever is signed in may ask.
const OWN: &[&str] = &[
    "/do/open",
    "/do/graph",
    "/do/trend",
    "/do/events",
    "/do/events-now",
    "/do/event-statistics",
    "/do/lab-results",
    "/do/lab-names",
    "/do/net-names",
    "/do/sign-out",
    "/do/list-members",
    "/do/list-tokens",
    "/do/create-token",
    "/do/revoke-token",
    "/do/change-password",
    "/api/account/password",
    "/api/stream-tickets",
    "/api/tokens",
];

/// Server functions that change what belongs to a project.
const OF_PROJECTS: &[(&str, Role)] = &[
    ("/do/net", Role::Operator),
    ("/do/create-net", Role::Operator),
    ("/do/move-net", Role::Operator),
    ("/do/create-lab", Role::Operator),
    ("/do/lab", Role::Operator),
    ("/do/refresh-labs", Role::Operator),
    ("/do/acknowledge", Role::Operator),
    ("/do/set-member", Role::Admin),
    ("/do/remove-member", Role::Admin),
];

/// Server functions of administrators of the fleet.
const OF_ADMINS: &[&str] = &[
    "/do/audit",
    "/do/list-users",
    "/do/create-user",
    "/do/edit-user",
    "/do/invite-again",
    "/do/delete-user",
    "/do/event-rules",
    "/do/lab-sync",
    "/do/webhooks",
    "/do/create-webhook",
    "/do/switch-webhook",
    "/do/test-webhook",
    "/do/delete-webhook",
];

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The table. What is not named takes a role in the whole fleet: viewer to read, operator to change; actions ask again for themselves.
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
    let below = |root| is_below(path, root);
    match path {
        "/metrics" => Access::Fleet(Role::Admin),
        // With a worker's token one can pretend to be the console; with a host's, speak for it.
        _ if below("/api/workers") && path.ends_with("/token") => Access::Fleet(Role::Admin),
        // A webhook tells of the whole fleet, to whom its owner likes.
        _ if below("/api/users")
            || below("/api/audit")
            || below("/api/webhooks")
            || below("/api/export")
            || below("/api/import") =>
        {
            Access::Fleet(Role::Admin)
        }
        _ if method.is_safe() => match path {
            _ if SCOPED.iter().any(|root| below(root)) => Access::SignedIn,
            _ if below("/api") || below("/do") => Access::Fleet(Role::Viewer),
            // A page shows what its server functions may.
            _ => Access::SignedIn,
        },
        "/api/hosts" => Access::Fleet(Role::Admin),
        // It asks a worker for what belongs to projects.
        _ if below("/api/workers") && path.ends_with("/labs/refresh") => Access::Somewhere(Role::Operator),
        _ if below("/api/hosts") && (method == Method::DELETE || path.ends_with("/token")) => {
            Access::Fleet(Role::Admin)
        }
        // With a cluster of foreign machines, one can make the console call any address.
        _ if below("/api/clusters") => Access::Fleet(Role::Admin),
        // Everyone may end their own session.
        "/api/session" => Access::SignedIn,
        _ if OWN.contains(&path) || below("/api/tokens") => Access::SignedIn,
        // A project's administrators see to its members; the project itself is the fleet's.
        _ if below("/api/projects") && path.contains("/members") => Access::Somewhere(Role::Admin),
        _ if below("/api/projects") => Access::Fleet(Role::Admin),
        // One set of rules for everybody.
        "/api/events/rules" => Access::Fleet(Role::Admin),
        _ if below("/api/nets") || below("/api/labs") || below("/api/events") => {
            Access::Somewhere(Role::Operator)
        }
        _ if OF_ADMINS.contains(&path) => Access::Fleet(Role::Admin),
        _ => match OF_PROJECTS.iter().find(|(name, _)| *name == path) {
            Some((_, role)) => Access::Somewhere(*role),
            None => Access::Fleet(Role::Operator),
        },
    }
}

/// Finds the user, refuses what the table refuses.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // No page of another site can send a token: it knows none, and the browser adds none by itself.
    let bears = token::shown(request.headers()).is_some();
    if !bears && !origin::same_site(&method, request.headers()) {
        let detail = "This request comes from another site and was refused.".to_owned();
        return ApiError::Forbidden { detail }.into_response();
    }
    let access = match path.as_str() {
        "/metrics" if app.config().metrics_public && method.is_safe() => Access::Public,
        path => required(&method, path),
    };
    let found = match tickets::bearer(&app, request.uri()) {
        Some(Some(holder)) => find_again(&app, &holder).await,
        Some(None) => Ok(None),
        None => find(&app, request.headers()).await,
    };
    let who = match found {
        Ok(who) => who,
        Err(_) if access == Access::Public && path.starts_with("/assets/") => None,
        Err(error) => return internal(&error).into_response(),
    };
    let refused = match (&access, &who) {
        (Access::Public, _) => None,
        (_, None) if bears => Some(ApiError::BadToken),
        (_, None) => Some(ApiError::Unauthorized),
        (Access::SignedIn, Some(_)) => None,
        (Access::Somewhere(role), Some(who)) => who.need_somewhere(*role).err(),
        (Access::Fleet(role), Some(who)) => who.need(*role).err(),
    };
    if let Some(error) = refused {
        return match wants_page(&request) && error == ApiError::Unauthorized {
            true => Redirect::to(&sign_in_address(&app, &request)).into_response(),
            false => error.into_response(),
        };
    }
    if let Some(who) = who {
        request.extensions_mut().insert::<Who>(who);
    }
    next.run(request).await
}

/// The bearer of a ticket as they are now: that their session or token ended is known to the database first.
async fn find_again(app: &App, holder: &Who) -> Result<Option<Who>, StorageError> {
    match holder.token {
        Some(_) => {
            let bearer = token::find_hashed(app.store().pool(), holder.session, now()).await?;
            Ok(bearer.map(Who::of_bearer))
        }
        None => session::find_hashed(app, holder.session, now()).await,
    }
}

/// Who asks. A token is asked alone: what it may not do, a cookie beside it does not make up for.
async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Who>, StorageError> {
    let at = now();
    if let Some(secret) = token::shown(headers) {
        let bearer = token::find(app.store().pool(), secret, at).await?;
        return Ok(bearer.map(Who::of_bearer));
    }
    let style: CookieStyle = app.config().cookie_style;
    match style.token(headers) {
        Some(token) => session::find(app, token, at).await,
        None => Ok(None),
    }
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
    use Access::{Fleet, Public, SignedIn, Somewhere};
    use Role::{Admin, Operator, Viewer};

    #[test]
    fn what_the_table_does_not_name_takes_a_role_in_the_whole_fleet() {
        for (method, path, access) in [
            (Method::GET, "/", SignedIn),
            (Method::GET, "/sign-in-elsewhere", SignedIn),
            (Method::GET, "/api/anything/new", Fleet(Viewer)),
            (Method::GET, "/api", Fleet(Viewer)),
            (Method::GET, "/api/netsandmore", Fleet(Viewer)),
            (Method::DELETE, "/api/anything/new", Fleet(Operator)),
            (Method::POST, "/do/anything-new", Fleet(Operator)),
            (Method::POST, "/do/nets", Fleet(Operator)),
            (Method::POST, "/sign-in", Fleet(Operator)),
            (Method::POST, "/api/agent", Fleet(Operator)),
            (Method::GET, "/api/agents", Fleet(Viewer)),
            (Method::GET, "/assets", SignedIn),
            (Method::HEAD, "/healthz", Public),
            (Method::GET, "/assets/muster.css", Public),
            (Method::GET, "/join/0", Public),
            (Method::POST, "/join/0", Fleet(Operator)),
            // Its own check is the token of a host.
            (Method::GET, "/api/agent", Public),
        ] {
            assert_eq!(required(&method, path), access, "{method} {path}");
        }
    }

    #[test]
    fn reading_hosts_needs_the_fleet_and_reading_nets_the_scope() {
        for path in [
            "/api/hosts",
            "/api/hosts/1",
            "/api/commands",
            "/api/commands/1/output",
            "/api/pipelines",
            "/api/pull-requests",
            "/api/repository",
        ] {
            assert_eq!(required(&Method::GET, path), Fleet(Viewer), "{path}");
        }
        for path in [
            "/api/state",
            "/api/nets",
            "/api/nets/1/graph",
            "/api/watch",
            "/api/projects/1/members",
            "/api/events/history",
        ] {
            assert_eq!(required(&Method::GET, path), SignedIn, "{path}");
        }
        for path in ["/metrics", "/api/audit", "/api/users", "/api/workers/1/token"] {
            assert_eq!(required(&Method::GET, path), Fleet(Admin), "{path}");
        }
    }

    #[test]
    fn changing_asks_for_the_role_where_it_is_about() {
        for (method, path, access) in [
            (Method::POST, "/api/workers", Fleet(Operator)),
            (Method::POST, "/api/clusters", Fleet(Admin)),
            (Method::PATCH, "/api/clusters/1", Fleet(Admin)),
            (Method::DELETE, "/api/clusters/1", Fleet(Admin)),
            (Method::POST, "/api/hosts", Fleet(Admin)),
            (Method::DELETE, "/api/hosts/1", Fleet(Admin)),
            (Method::POST, "/api/hosts/1/refresh", Fleet(Operator)),
            (Method::POST, "/api/hosts/1/token", Fleet(Admin)),
            (Method::POST, "/api/commands", Fleet(Operator)),
            (Method::POST, "/api/users", Fleet(Admin)),
            (Method::POST, "/api/projects", Fleet(Admin)),
            (Method::PUT, "/api/projects/1/members/2", Somewhere(Admin)),
            (Method::POST, "/api/nets", Somewhere(Operator)),
            (Method::POST, "/api/nets/1/load", Somewhere(Operator)),
            (Method::POST, "/api/labs", Somewhere(Operator)),
            (Method::DELETE, "/api/labs/1", Somewhere(Operator)),
            (Method::POST, "/api/workers/1/labs/refresh", Somewhere(Operator)),
            (Method::PUT, "/api/clusters/1/lab-sync", Fleet(Admin)),
            (Method::POST, "/api/tokens", SignedIn),
            (Method::DELETE, "/api/session", SignedIn),
        ] {
            assert_eq!(required(&method, path), access, "{method} {path}");
        }
    }
}
