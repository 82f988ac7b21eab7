//! One-off requests to the REST API with the session's cookie. Only the browser makes them; elsewhere they answer that they could not.

use crate::app::error::ApiError;
use serde::de::DeserializeOwned;

/// `GET url`, its JSON.
#[cfg(feature = "browser")]
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, ApiError> {
    use gloo_net::http::Request;
    let unreachable = |error: gloo_net::Error| ApiError::Unreachable { detail: error.to_string() };
    let request =
        Request::get(url).header("Accept", "application/json").cache(web_sys::RequestCache::NoStore);
    let response = request.send().await.map_err(unreachable)?;
    match response.status() {
        200 => response.json().await.map_err(unreachable),
        401 => Err(ApiError::Unauthorized),
        404 => Err(ApiError::Gone { what: what_is_at(url).to_owned() }),
        429 => {
            let retry_after = response.headers().get("retry-after").and_then(|value| value.parse().ok());
            Err(ApiError::TooMany { retry_after_s: retry_after.unwrap_or(1) })
        }
        status => Err(ApiError::Unreachable { detail: format!("it answered with status {status}") }),
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
    } else {
        "resource"
    }
}
