//! What comes in as a body.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::worker::refusal::Refusal;

pub type Body = Result<Bytes, BytesRejection>;

/// The body, of which at most `limit` bytes were taken.
pub fn received(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(limit),
        _ => Refusal::BadRequest(format!("the body did not arrive: {}", rejection.body_text())),
    })
}

pub fn json<T: DeserializeOwned>(body: Body, limit: usize) -> Result<T, Refusal> {
    serde_json::from_slice(&received(body, limit)?)
        .map_err(|e| Refusal::BadRequest(format!("the body is not what this command takes: {e}")))
}
