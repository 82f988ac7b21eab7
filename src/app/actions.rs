//! The server functions: what the interface can ask of the server.
//!
//! Every one is also the target of a plain HTML form, so that it works without JavaScript: then the browser is sent back to where it was,
//! and an error comes along in the address (`?__path=&__err=`), to be shown beside its form.

#![expect(clippy::too_many_arguments, reason = "a server function's arguments are the fields of its form")]

#[cfg(feature = "ssr")]
use super::within::Within;
use super::{
    error::ApiError,
    snapshot::{Drawn, Opening, Theme},
};
use crate::model::{Category, ClusterId, Done, NetAction, NetId, Trend, WorkerAction, WorkerId};
#[cfg(any(feature = "ssr", feature = "csr"))]
use crate::model::{
    NetRequest,
    action::{RATE, TOKENS, whole_number_wanted},
};
#[cfg(feature = "ssr")]
use crate::{
    model::{
        Action, NewNet, NewWorker, Options,
        action::{CPUS, MAX_PNML_BYTES, MEMORY_MB},
    },
    server::{
        actions::perform,
        auth,
        context::{app, fail, place, remove_session, set_session, who},
    },
};
use leptos::prelude::*;
use server_fn::codec::{MultipartData, MultipartFormData};

/// What a page is rendered from.
#[server(prefix = "/do", endpoint = "open")]
pub async fn open() -> Result<Opening, ApiError> {
    let who = who().await.map_err(fail)?;
    let snapshot = app().map_err(fail)?.snapshot(&who).await.map_err(fail)?;
    let parts = use_context::<axum::http::request::Parts>();
    let theme = parts.as_ref().map(theme_of).unwrap_or_default();
    let said = parts.as_ref().filter(|parts| parts.method.is_safe()).and_then(said_before);
    let within = parts.as_ref().map(within_of).unwrap_or_default();
    let snapshot = match parts {
        // Rendered for an address. A page that is alive asks with a POST, and gets it all.
        Some(parts) if parts.method.is_safe() => super::first_screen::cut(snapshot, &parts.uri, within),
        _ => snapshot,
    };
    Ok(Opening { snapshot, form_key: uuid::Uuid::new_v4().to_string(), theme, within, said })
}

/// Whether the console still waits for its first administrator.
#[server(prefix = "/do", endpoint = "needs-setup")]
pub async fn needs_setup() -> Result<bool, ApiError> {
    Ok(app().map_err(fail)?.needs_setup())
}

/// What a setup link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupState {
    Good,
    /// The console has its first user.
    Used,
    /// The console waits for its first user, and this is not its link.
    Unknown,
}

/// Whether the setup link with `token` can be used. On its page the answer is also the page's status: 410 or 404 where it cannot.
#[server(prefix = "/do", endpoint = "setup-link")]
pub async fn setup_link(token: String) -> Result<SetupState, ApiError> {
    let app = app().map_err(fail)?;
    let link = match (app.setup().is_open(), app.setup().matches(&token)) {
        (false, _) => SetupState::Used,
        (true, true) => SetupState::Good,
        (true, false) => SetupState::Unknown,
    };
    // Asked by a page that is alive, the answer is the body, and the request went well.
    let page = use_context::<axum::http::request::Parts>().is_some_and(|parts| parts.method.is_safe());
    if let (true, Some(response)) = (page, use_context::<leptos_axum::ResponseOptions>()) {
        match link {
            SetupState::Good => {}
            SetupState::Used => response.set_status(axum::http::StatusCode::GONE),
            SetupState::Unknown => response.set_status(axum::http::StatusCode::NOT_FOUND),
        }
    }
    Ok(link)
}

#[server(prefix = "/do", endpoint = "create-worker")]
pub async fn create_worker(
    name: String,
    cluster_id: ClusterId,
    category: Category,
    cpus: String,
    memory_mb: String,
    #[server(default)] endpoint: Option<String>,
    /// Also ask for its machine at once.
    #[server(default)]
    provision: bool,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let cpus = whole_number("cpus", &CPUS, &cpus).map_err(fail)?;
    let memory_mb = whole_number("memory_mb", &MEMORY_MB, &memory_mb).map_err(fail)?;
    let action = Action::CreateWorker(NewWorker { name, cluster_id, category, cpus, memory_mb, endpoint });
    let mut done =
        perform(&app, &who, action, Options { if_match: None, key: key.clone() }).await.map_err(fail)?;
    if let Some(worker) = done.worker.as_ref().filter(|_| provision) {
        let action = Action::Worker { id: worker.id, action: WorkerAction::Provision };
        let key = key.map(|key| format!("{key}-provision"));
        done = perform(&app, &who, action, Options { if_match: None, key }).await.map_err(fail)?;
    }
    tell_next_page(&done);
    Ok(done)
}

#[server(prefix = "/do", endpoint = "worker")]
pub async fn act_on_worker(
    id: WorkerId,
    action: WorkerAction,
    #[server(default)] state_revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    use crate::model::lifecycle::Verb;
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let options =
        Options { if_match: state_revision, key: key.map(|key| format!("{key}-{}", action.verb())) };
    let done = perform(&app, &who, Action::Worker { id, action }, options).await.map_err(fail)?;
    tell_next_page(&done);
    Ok(done)
}

/// The arguments that `action` needs must be there; the others are ignored, so that one form can hold several buttons.
#[server(prefix = "/do", endpoint = "net")]
pub async fn act_on_net(
    id: NetId,
    action: NetAction,
    #[server(default)] worker_id: Option<String>,
    #[server(default)] rate: Option<String>,
    #[server(default)] place: Option<String>,
    #[server(default)] tokens: Option<String>,
    /// Of the net, to be loaded; the newest where none is named.
    #[server(default)]
    version: Option<u32>,
    #[server(default)] state_revision: Option<u64>,
    #[server(default)] key: Option<String>,
) -> Result<Done, ApiError> {
    use crate::model::lifecycle::Verb;
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let request = net_request(action, worker_id, rate, place, tokens, version).map_err(fail)?;
    let options =
        Options { if_match: state_revision, key: key.map(|key| format!("{key}-{}", action.verb())) };
    let done = perform(&app, &who, Action::Net { id, request }, options).await.map_err(fail)?;
    tell_next_page(&done);
    Ok(done)
}

/// What a form's fields ask for.
#[cfg(any(feature = "ssr", feature = "csr"))]
pub fn net_request(
    action: NetAction,
    worker_id: Option<String>,
    rate: Option<String>,
    place: Option<String>,
    tokens: Option<String>,
    version: Option<u32>,
) -> Result<NetRequest, ApiError> {
    Ok(match action {
        NetAction::Assign => {
            let worker_id = worker_id.and_then(|text| text.trim().parse().ok());
            let detail = "Choose the worker to assign the net to.".to_owned();
            NetRequest::Assign { worker_id: worker_id.ok_or(ApiError::BadRequest { detail })? }
        }
        NetAction::Run => {
            NetRequest::Run { rate: whole_number("rate", &RATE, &rate.unwrap_or_default())? as u32 }
        }
        NetAction::Inject => {
            let tokens = whole_number("tokens", &TOKENS, &tokens.unwrap_or_default())?;
            let place = place.filter(|place| !place.is_empty());
            let place =
                place.ok_or(ApiError::BadRequest { detail: "Choose a place to inject into.".to_owned() })?;
            NetRequest::Inject { place, tokens }
        }
        NetAction::Unassign => NetRequest::Unassign,
        NetAction::Load => NetRequest::Load { version },
        NetAction::Unload => NetRequest::Unload,
        NetAction::Step => NetRequest::Step,
        NetAction::Stop => NetRequest::Stop,
        NetAction::Reset => NetRequest::Reset,
        NetAction::Delete => NetRequest::Delete,
        NetAction::UndoDelete => NetRequest::UndoDelete,
    })
}

/// A whole number from a form's field.
#[cfg(any(feature = "ssr", feature = "csr"))]
pub fn whole_number(
    field: &str,
    bounds: &std::ops::RangeInclusive<u64>,
    given: &str,
) -> Result<u64, ApiError> {
    let given = given.trim();
    let number = given.parse().ok().filter(|number| bounds.contains(number));
    let given = if given.is_empty() { "empty" } else { given };
    number.ok_or_else(|| ApiError::BadRequest { detail: whole_number_wanted(field, bounds, given) })
}

/// A form with `name`, `project_id`, `key`, and the net as `file` or, where that is empty, as `text`; with `keep_broken` it is recorded
/// although it cannot be read.
#[server(prefix = "/do", endpoint = "create-net", input = MultipartFormData)]
pub async fn create_net(data: MultipartData) -> Result<Done, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    let (net, key) = read_net(data).await.map_err(fail)?;
    let done =
        perform(&app, &who, Action::CreateNet(net), Options { if_match: None, key }).await.map_err(fail)?;
    // A page that is alive decides for itself where to go: it may have more files to send.
    if let (Some(net), true) = (&done.net, from_plain_form()) {
        leptos_axum::redirect(&format!("/nets/{}", net.id));
    }
    Ok(done)
}

/// A page that is alive says what was done by itself.
#[cfg(feature = "ssr")]
pub(super) fn tell_next_page(done: &Done) {
    if from_plain_form() {
        send_cookie(&super::said::cookie(&done.message));
    }
}

/// What the form came to that led to this page; told once.
#[cfg(feature = "ssr")]
fn said_before(parts: &axum::http::request::Parts) -> Option<String> {
    let cookies = parts.headers.get_all(axum::http::header::COOKIE);
    let said = cookies.iter().filter_map(|value| value.to_str().ok()).find_map(super::said::in_cookies)?;
    send_cookie(&super::said::told());
    Some(said)
}

#[cfg(feature = "ssr")]
fn send_cookie(cookie: &str) {
    if let (Some(response), Ok(value)) =
        (use_context::<leptos_axum::ResponseOptions>(), axum::http::HeaderValue::from_str(cookie))
    {
        response.append_header(axum::http::header::SET_COOKIE, value);
    }
}

/// Whether the browser itself sent the form, and will show what is answered.
#[cfg(feature = "ssr")]
pub(super) fn from_plain_form() -> bool {
    use axum::http::{header, request::Parts};
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// A form that brings a net's file.
#[cfg(feature = "ssr")]
pub(super) struct NetForm {
    pub pnml: Vec<u8>,
    pub keep_broken: bool,
    pub key: Option<String>,
    /// The other fields, trimmed.
    words: std::collections::HashMap<String, String>,
}

#[cfg(feature = "ssr")]
impl NetForm {
    pub async fn read(data: MultipartData) -> Result<NetForm, ApiError> {
        let unreadable = |detail: String| NetForm::unreadable(&detail);
        let mut form = data.into_inner().ok_or_else(|| unreadable("it is empty".to_owned()))?;
        let mut words = std::collections::HashMap::new();
        let (mut file, mut text) = (Vec::new(), Vec::new());
        while let Some(mut field) = form.next_field().await.map_err(|error| unreadable(error.to_string()))? {
            let name = field.name().unwrap_or_default().to_owned();
            let mut bytes = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|error| unreadable(error.to_string()))? {
                if bytes.len() + chunk.len() > MAX_PNML_BYTES {
                    return Err(ApiError::pnml_too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            match name.as_str() {
                "file" => file = bytes,
                "text" => text = bytes,
                "id" | "name" | "project_id" | "key" | "keep_broken" | "state_revision" => {
                    _ = words.insert(name, String::from_utf8_lossy(&bytes).trim().to_owned());
                }
                _ => {}
            }
        }
        let pnml = if file.is_empty() { text } else { file };
        if pnml.iter().all(u8::is_ascii_whitespace) {
            return Err(ApiError::BadRequest { detail: "Choose a PNML file or paste one.".to_owned() });
        }
        let keep_broken =
            words.get("keep_broken").is_some_and(|word| matches!(word.as_str(), "true" | "on" | "1"));
        let key = words.get("key").filter(|key| !key.is_empty()).cloned();
        Ok(NetForm { pnml, keep_broken, key, words })
    }

    pub fn word(&self, field: &str) -> &str {
        self.words.get(field).map_or("", String::as_str)
    }

    pub fn unreadable(detail: &str) -> ApiError {
        ApiError::BadRequest { detail: format!("The form could not be read: {detail}") }
    }
}

#[cfg(feature = "ssr")]
async fn read_net(data: MultipartData) -> Result<(NewNet, Option<String>), ApiError> {
    let form = NetForm::read(data).await?;
    let project_id =
        form.word("project_id").parse().map_err(|_| NetForm::unreadable("no project is chosen"))?;
    let name = form.word("name").to_owned();
    Ok((NewNet { name, project_id, pnml: form.pnml, keep_broken: form.keep_broken }, form.key))
}

#[server(prefix = "/do", endpoint = "sign-in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), ApiError> {
    let signed_in =
        auth::sign_in(&app().map_err(fail)?, place(), email.trim(), &password).await.map_err(fail)?;
    set_session(&signed_in);
    leptos_axum::redirect(local_path(&next));
    Ok(())
}

#[server(prefix = "/do", endpoint = "set-up")]
pub async fn set_up(
    token: String,
    #[server(default)] name: String,
    email: String,
    password: String,
) -> Result<(), ApiError> {
    let email = email.trim();
    // Without a name, what stands before the @ of the address has to do.
    let name = Some(name.trim()).filter(|name| !name.is_empty()).or(email.split('@').next()).unwrap_or(email);
    let signed_in =
        auth::set_up(&app().map_err(fail)?, &token, name, email, &password).await.map_err(fail)?;
    set_session(&signed_in);
    leptos_axum::redirect("/");
    Ok(())
}

#[server(prefix = "/do", endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), ApiError> {
    if let Ok(who) = who().await {
        auth::sign_out(&app().map_err(fail)?, &who).await.map_err(fail)?;
    }
    remove_session();
    leptos_axum::redirect("/sign-in");
    Ok(())
}

#[server(prefix = "/do", endpoint = "theme")]
pub async fn set_theme(theme: Theme) -> Result<(), ApiError> {
    send_cookie(&theme.cookie());
    Ok(())
}

/// The drawing of a net, and its marking now.
#[server(prefix = "/do", endpoint = "graph")]
pub async fn net_graph(id: NetId) -> Result<Drawn, ApiError> {
    let (app, who) = (app().map_err(fail)?, who().await.map_err(fail)?);
    app.drawn(&who, id).await.map_err(fail)
}

/// A worker's figures over the last hour.
#[server(prefix = "/do", endpoint = "trend")]
pub async fn worker_trend(id: WorkerId) -> Result<Trend, ApiError> {
    who().await.map_err(fail)?;
    app().map_err(fail)?.trend(id).map_err(fail)
}

/// The theme that the request's cookies name.
#[cfg(feature = "ssr")]
pub fn theme_of(parts: &axum::http::request::Parts) -> Theme {
    let cookies = parts.headers.get_all(axum::http::header::COOKIE);
    let named = cookies.iter().filter_map(|value| value.to_str().ok()).map(Theme::in_cookies);
    named.into_iter().find(|theme| *theme != Theme::System).unwrap_or_default()
}

/// The part of the fleet that the address names, or that was chosen before. One that is named is remembered from now on.
#[cfg(feature = "ssr")]
fn within_of(parts: &axum::http::request::Parts) -> Within {
    let cookies = parts.headers.get_all(axum::http::header::COOKIE).iter();
    let remembered = cookies.filter_map(|value| value.to_str().ok()).map(Within::in_cookies);
    let remembered = remembered.into_iter().find(|within| !within.is_all()).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let within = Within::read(query, remembered);
    if Within::is_said(query) && within != remembered {
        send_cookie(&within.cookie());
    }
    within
}

/// `next` if it is a path of this console, else the front page: a link to the sign-in page must not lead elsewhere.
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic());
    if local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn sign_in_leads_to_local_paths_only() {
        assert_eq!(local_path("/nets?q=a"), "/nets?q=a");
        for elsewhere in
            ["", "nets", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/\t/evil"]
        {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
