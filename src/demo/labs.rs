//! Labs: no worker of the demo holds one. What a form for one asks about a net is answered all the same.

use super::{
    actions::bad,
    doors::{Answer, Call, drawn, ok},
    fleet::Demo,
    forms::arguments,
};
use crate::app::{
    error::ApiError,
    lab_actions::{ActOnLab, CreateLab, LabNames, LabResults, NetNames, RefreshLabs, SetLabSync},
    lab_plan::NodeNames,
};
use server_fn::ServerFn;

/// The answer of a server function of labs; `None` where the path is none of them.
pub fn answer(demo: &Demo, call: &Call) -> Result<Option<Answer>, ApiError> {
    let path = call.path.as_str();
    if path == NetNames::PATH {
        let NetNames { id } = arguments(call)?;
        Ok(Some(ok(&NodeNames::of(drawn(demo, id)?.graph))))
    } else if [LabNames::PATH, LabResults::PATH].contains(&path) {
        Err(ApiError::Gone { what: "lab".to_owned() })
    } else if [CreateLab::PATH, ActOnLab::PATH, RefreshLabs::PATH, SetLabSync::PATH].contains(&path) {
        Err(bad("The workers of the demo hold no labs."))
    } else {
        Ok(None)
    }
}
