//! One-off requests to the REST API with the session's cookie. Only the browser makes them; elsewhere they answer that they could not.

use crate::app::error::ApiError;
use serde::de::DeserializeOwned;

/// The browser's own words for it are for programmers.
#[cfg(feature = "browser")]
fn unreachable(error: gloo_net::Error) -> ApiError {
    match error {
        gloo_net::Error::JsError(_) => ApiError::no_answer(),
        _ => ApiError::unreadable(),
    }
}

/// `GET url`, its JSON.
#[cfg(feature = "browser")]
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, ApiError> {
    use gloo_net::http::Request;
    let request =
        Request::get(url).header("Accept", "application/json").cache(web_sys::RequestCache::NoStore);
    let response = request.send().await.map_err(unreachable)?;
    heard_of(&response);
    match response.status() {
        200 => response.json().await.map_err(unreachable),
        404 => Err(deleted(url, &response).await.unwrap_or_else(|| refusal(url, &response))),
        _ => Err(refusal(url, &response)),
    }
}

/// Who deleted what is not there, if the answer says so.
#[cfg(feature = "browser")]
async fn deleted(url: &str, response: &gloo_net::http::Response) -> Option<ApiError> {
    let body: serde_json::Value = response.json().await.ok()?;
    let who = body.get("who")?.as_str()?.to_owned();
    Some(ApiError::Deleted { what: what_is_at(url).to_owned(), who })
}

/// The ETag under which an answer was last had.
#[cfg(feature = "browser")]
pub type Tag = std::cell::RefCell<Option<String>>;

/// Asks whether what is at `url` changed since the answer with `tag`. The rows themselves are of no interest: where the server is, is.
#[cfg(feature = "browser")]
pub async fn revalidate(url: &str, tag: &Tag) -> Result<(), ApiError> {
    use gloo_net::http::Request;
    let mut request =
        Request::get(url).header("Accept", "application/json").cache(web_sys::RequestCache::NoStore);
    if let Some(tag) = &*tag.borrow() {
        request = request.header("If-None-Match", tag);
    }
    let response = request.send().await.map_err(unreachable)?;
    heard_of(&response);
    match response.status() {
        200 => {
            *tag.borrow_mut() = response.headers().get("etag");
            // Read to its end, so that the connection can be used again.
            _ = response.binary().await;
            Ok(())
        }
        304 => Ok(()),
        _ => Err(refusal(url, &response)),
    }
}

/// Opens a session; the address of who is signed in now.
#[cfg(feature = "browser")]
pub async fn sign_in(email: &str, password: &str) -> Result<String, ApiError> {
    use gloo_net::http::Request;
    #[derive(serde::Deserialize)]
    struct Me {
        email: String,
    }
    let credentials = serde_json::json!({ "email": email, "password": password });
    let request = Request::post("/api/session").json(&credentials).map_err(unreachable)?;
    let response = request.send().await.map_err(unreachable)?;
    match response.status() {
        200 => Ok(response.json::<Me>().await.map_err(unreachable)?.email),
        401 => Err(ApiError::WrongCredentials),
        _ => Err(refusal("/api/session", &response)),
    }
}

/// Ends the session. One that has ended already is no error.
#[cfg(feature = "browser")]
pub async fn sign_out() -> Result<(), ApiError> {
    use gloo_net::http::Request;
    let response = Request::delete("/api/session").send().await.map_err(unreachable)?;
    match response.status() {
        200..300 | 401 => Ok(()),
        _ => Err(refusal("/api/session", &response)),
    }
}

/// Every answer that shows rows says where the server was: the replica hears of it.
#[cfg(feature = "browser")]
fn heard_of(response: &gloo_net::http::Response) {
    if let Some(position) = response.headers().get("x-muster-position") {
        super::driver::Driver::heard_of(&crate::sync::Token(position));
    }
}

#[cfg(feature = "browser")]
fn refusal(url: &str, response: &gloo_net::http::Response) -> ApiError {
    match response.status() {
        401 => ApiError::Unauthorized,
        404 => ApiError::Gone { what: what_is_at(url).to_owned() },
        409 => {
            ApiError::Conflict { detail: "The server has no answer that goes with what is shown.".to_owned() }
        }
        429 => {
            let retry_after = response.headers().get("retry-after").and_then(|value| value.parse().ok());
            ApiError::TooMany { retry_after_s: retry_after.unwrap_or(1) }
        }
        status => ApiError::Unreachable { detail: format!("it answered with status {status}") },
    }
}

#[cfg(not(feature = "browser"))]
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, ApiError> {
    Err(ApiError::Unreachable { detail: format!("{} can only be asked by a browser", what_is_at(url)) })
}

fn what_is_at(url: &str) -> &'static str {
    if url.starts_with("/api/workers/") {
        "worker"
    } else if url.starts_with("/api/nets/") {
        "net"
    } else if url.starts_with("/api/hosts/") {
        "host"
    } else if url.starts_with("/api/commands/") {
        "command"
    } else if url.starts_with("/api/clusters/") {
        "cluster"
    } else if url.starts_with("/api/projects/") {
        "project"
    } else if url.starts_with("/api/labs/") {
        "lab"
    } else if url.starts_with("/api/pipelines/") {
        "pipeline"
    } else {
        "resource"
    }
}
