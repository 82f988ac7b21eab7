//! The audit log: who did what to what, and how it ended. Beside the event log, which tells what became of the fleet.

use super::Timestamp;
use serde::{Deserialize, Serialize};

/// Lines of one page, unless another number is asked for.
pub const LINES_PER_PAGE: u32 = 100;
/// Lines of one page at most.
pub const MOST_LINES: u32 = 500;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct AuditLine {
    pub id: u64,
    /// When the action ended.
    pub at: Timestamp,
    /// The name of who did it, as it was then; `the console` for what it did by itself or on its command line.
    pub actor: String,
    /// A verb: `create worker`, `assign`.
    pub action: String,
    pub target: String,
    /// What was answered. What was refused begins with `refused:`.
    pub outcome: String,
}

impl AuditLine {
    pub fn was_refused(&self) -> bool {
        self.outcome.starts_with("refused:")
    }
}

/// Lines, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct AuditPage {
    pub lines: Vec<AuditLine>,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}
