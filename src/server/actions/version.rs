//! New versions of nets, and building them anew.

use crate::{
    app::error::ApiError,
    model::{ChangedNet, Done, NetId},
    server::{App, auth::Who, storage::idempotency::Key},
};

pub async fn change(
    _app: &App,
    _who: &Who,
    _id: NetId,
    _changed: ChangedNet,
    _if_match: Option<u64>,
    _key: Option<Key>,
) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}

pub async fn build(_app: &App, _who: &Who, _id: NetId, _key: Option<Key>) -> Result<Done, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}
