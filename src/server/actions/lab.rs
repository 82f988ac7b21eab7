//! What can be done to labs.

use crate::{
    app::error::ApiError,
    model::{ClusterId, Done, LabAction, LabId, NewLab, WorkerId},
    server::{App, auth::Who, storage::idempotency::Key},
};

pub async fn create(_app: &App, _who: &Who, _new: NewLab, _key: Option<Key>) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}

pub async fn act(
    _app: &App,
    _who: &Who,
    _id: LabId,
    _action: LabAction,
    _key: Option<Key>,
) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}

/// Asks a worker for its labs now.
pub async fn refresh(_app: &App, _who: &Who, _worker: WorkerId) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}

pub async fn set_sync(
    _app: &App,
    _who: &Who,
    _cluster: ClusterId,
    _minutes: Option<u32>,
    _key: Option<Key>,
) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}
