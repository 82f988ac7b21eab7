//! Errors as HTTP answers.

use crate::app::error::{ApiError, ErrorBody};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

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

/// An error that is ours: logged whole under a reference, of which the caller is told.
pub fn internal(error: &dyn std::fmt::Display) -> ApiError {
    let reference = uuid::Uuid::now_v7().simple().to_string();
    tracing::error!(%error, %reference, "internal error");
    ApiError::Internal { reference }
}
