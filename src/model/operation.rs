//! An action in flight.

use super::{OperationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// The console itself: supervision, start-up, trimming.
    System,
    User {
        id: UserId,
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::System => f.write_str("the console"),
            Actor::User { name, .. } => f.write_str(name),
        }
    }
}

/// An action in flight on an entity; `A` is the kind of action that entity knows. It ends as succeeded, failed, or at its deadline as unknown, which a refresh settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation<A> {
    pub id: OperationId,
    pub action: A,
    pub actor: Actor,
    pub since: Timestamp,
    pub deadline: Timestamp,
}
