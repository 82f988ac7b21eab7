//! What the worker says when it does not do what it is asked, and the one mapping to HTTP.

use crate::petri::PnmlError;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("the request shows no token, or a wrong one")]
    Unauthorized,
    #[error("no such address: see docs/worker-protocol.md")]
    NoSuchRoute,
    #[error("{0}")]
    BadRequest(String),
    #[error("this net is not loaded here")]
    NotLoaded,
    #[error("the net is dead: no transition is enabled; reset it or inject tokens")]
    Dead,
    #[error("the net is running; stop it first")]
    Running,
    #[error("the net failed inside the worker and is stopped; load it again")]
    Failed,
    #[error("{0}")]
    Overflow(String),
    #[error("the net has no place \"{0}\"")]
    UnknownPlace(String),
    #[error("{0}")]
    BadPnml(PnmlError),
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("this lab is not here")]
    NoLab,
    #[error("this worker holds {0} labs, which is as many as it may; delete one that is not needed")]
    LabLimit(usize),
    #[error("there is another lab with this id: of another net, or with another plan")]
    LabExists,
    #[error("the lab is at work; stop it first")]
    LabActive,
    #[error("the lab failed inside the worker; wipe it to begin anew")]
    LabFailed,
    #[error("{0}")]
    BadPlan(String),
    #[error("the worker is ending")]
    Ending,
    #[error("the worker failed on this request; its log says more")]
    Internal,
}

#[cfg(feature = "ssr")]
mod http {
    use super::Refusal;
    use crate::worker::protocol::WorkerError;
    use axum::Json;
    use axum::http::StatusCode;
    use axum::response::{IntoResponse, Response};

    impl Refusal {
        fn status_and_code(&self) -> (StatusCode, &'static str) {
            match self {
                Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
                Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no_such_route"),
                Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
                Self::NotLoaded => (StatusCode::NOT_FOUND, "not_loaded"),
                Self::Dead => (StatusCode::CONFLICT, "dead"),
                Self::Running => (StatusCode::CONFLICT, "running"),
                Self::Failed => (StatusCode::CONFLICT, "failed"),
                Self::Overflow(_) => (StatusCode::CONFLICT, "overflow"),
                Self::UnknownPlace(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_place"),
                Self::BadPnml(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_pnml"),
                Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
                Self::NoLab => (StatusCode::NOT_FOUND, "no_lab"),
                Self::LabLimit(_) => (StatusCode::CONFLICT, "lab_limit"),
                Self::LabExists => (StatusCode::CONFLICT, "lab_exists"),
                Self::LabActive => (StatusCode::CONFLICT, "lab_active"),
                Self::LabFailed => (StatusCode::CONFLICT, "lab_failed"),
                Self::BadPlan(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_plan"),
                Self::Ending => (StatusCode::SERVICE_UNAVAILABLE, "ending"),
                Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            }
        }
    }

    impl IntoResponse for Refusal {
        fn into_response(self) -> Response {
            let (status, code) = self.status_and_code();
            // The line and column travel beside the sentence, which says only what is wrong.
            let (error, line, column) = match &self {
                Self::BadPnml(e) => (e.kind.to_string(), Some(e.line), Some(e.column)),
                other => (other.to_string(), None, None),
            };
            (status, Json(WorkerError { error, code: code.to_string(), line, column })).into_response()
        }
    }
}
