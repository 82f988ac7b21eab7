//! Versions of nets and their builds.

use super::{App, auth::Who};
use crate::{
    app::error::ApiError,
    model::{NetId, VersionRow},
    petri::report::BuildReport,
};

/// The versions of a net, newest first, each with how its build stands.
pub async fn versions(_app: &App, _who: &Who, _net: NetId) -> Result<Vec<VersionRow>, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}

/// What the build of a version found; of the newest version where none is named. `None`: that version was never built.
pub async fn report(
    _app: &App,
    _who: &Who,
    _net: NetId,
    _version: Option<u32>,
) -> Result<Option<BuildReport>, ApiError> {
    Err(ApiError::Unavailable { detail: "Not yet.".to_owned() })
}
