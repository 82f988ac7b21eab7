//! Labs, as the interface asks for them and about them.

use crate::{model::Timestamp, worker::protocol::LabResults};
use serde::{Deserialize, Serialize};

/// What a lab has found, and as of when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabReport {
    pub at: Timestamp,
    pub results: LabResults,
}
