//! An action in flight.

use super::{OperationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
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
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(rename = "Operation_{A}"))]
pub struct Operation<A> {
    pub id: OperationId,
    pub action: A,
    pub actor: Actor,
    pub since: Timestamp,
    pub deadline: Timestamp,
    /// It has not begun: until it does, it can be undone.
    #[serde(default = "none::<Box<Waiting<A>>>", skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Box<Waiting<A>>>,
}

/// An operation that leaves time to think again. The record says so, so that it outlives the console that took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(rename = "Waiting_{A}"))]
pub struct Waiting<A> {
    /// When it begins.
    pub until: Timestamp,
    /// What it would give up: that goes on meanwhile, and is in flight again after an undo.
    #[serde(default = "none::<Operation<A>>", skip_serializing_if = "Option::is_none")]
    pub gives_up: Option<Operation<A>>,
}

/// Without it serde would ask for `A: Default`.
fn none<T>() -> Option<T> {
    None
}

impl<A> Operation<A> {
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether `id` is this operation, or goes on beneath it while it waits.
    pub fn carries(&self, id: OperationId) -> bool {
        self.id == id || self.given_up().is_some_and(|beneath| beneath.id == id)
    }

    /// What goes on while it waits, and would be given up.
    pub fn given_up(&self) -> Option<&Operation<A>> {
        self.waiting.as_ref().and_then(|waiting| waiting.gives_up.as_ref())
    }

    /// What is left in flight once the operation `id` has ended: nothing, if it was this one.
    pub fn without(self, id: OperationId) -> Option<Operation<A>> {
        if self.id == id {
            return None;
        }
        let waiting = self.waiting.map(|waiting| {
            let gives_up = waiting.gives_up.filter(|beneath| beneath.id != id);
            Box::new(Waiting { gives_up, ..*waiting })
        });
        Some(Operation { waiting, ..self })
    }
}

/// The last action on a row that was done: who did what, when. For whoever finds the row in another state than expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(rename = "LastAction_{A}"))]
pub struct LastAction<A> {
    pub action: A,
    pub actor: Actor,
    pub at: Timestamp,
}
