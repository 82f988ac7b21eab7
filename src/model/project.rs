//! A project: a group of nets, and the unit of membership.

use super::{Name, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub name: Name,
    /// Counts every change of this record.
    pub revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
