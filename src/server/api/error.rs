//! Errors as HTTP answers.

use crate::app::error::{ApiError, ErrorBody};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What the framework says of a request is a line.
const LONGEST_REFUSAL: usize = 4 << 10;

/// A console that goes down is back about so soon.
const UNAVAILABLE_FOR_S: u64 = 2;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(ErrorBody::from(&self))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let retry_after_s = match self {
            ApiError::TooMany { retry_after_s } => Some(retry_after_s),
            ApiError::Unavailable { .. } => Some(UNAVAILABLE_FOR_S),
            _ => None,
        };
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A refusal that none of our handlers wrote (a parameter that the framework could not read, a body that is too long) as one of ours.
pub async fn in_our_form(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_plain = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    if !status.is_client_error() || !is_plain {
        return response;
    }
    let said = axum::body::to_bytes(response.into_body(), LONGEST_REFUSAL).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let detail = format!("The request could not be read: {}.", said.trim().trim_end_matches('.'));
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::TooLarge { what: "request".to_owned(), limit_mib: super::LARGEST_BODY >> 20 }
        }
        _ => ApiError::BadRequest { detail },
    }
    .into_response()
}

/// An error that is ours: logged whole under a reference, of which the caller is told.
pub fn internal(error: &dyn std::fmt::Display) -> ApiError {
    let reference = uuid::Uuid::now_v7().simple().to_string();
    tracing::error!(%error, %reference, "internal error");
    ApiError::Internal { reference }
}
