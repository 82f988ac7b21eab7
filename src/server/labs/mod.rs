//! Labs on workers.

use super::{App, auth::Who};
use crate::{
    app::{error::ApiError, labs::LabReport},
    model::LabId,
};

/// What a lab has found, as far as the console knows; `None`: nothing yet.
pub async fn results(_app: &App, _who: &Who, _lab: LabId) -> Result<Option<LabReport>, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}
