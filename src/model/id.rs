//! Identifiers. One type each, so that a net's id can never be handed in where a worker's is wanted.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A provider account or region that holds workers.
    ClusterId,
    /// A group of nets that users are members of.
    ProjectId,
    /// A machine that runs nets.
    WorkerId,
    /// A Petri net.
    NetId,
    /// A machine that runs our agent.
    HostId,
    /// A command that a host's agent runs.
    CommandId,
    /// Commands over several hosts, stage after stage.
    PipelineId,
    /// One installation of the agent: what tells an agent that comes back from another one with the same token.
    AgentId,
    /// A request for a fresh report. The report that answers it names it.
    RefreshId,
    /// An action in flight. The worker uses it as its idempotency key.
    OperationId,
    /// One version of a net read and analysed.
    BuildId,
    /// An experiment that lives on a worker.
    LabId,
    /// An address that is told of events.
    WebhookId,
    /// A person or integration that can sign in.
    UserId,
    /// A token that lets a program in: of a user, or of a service, which has no user.
    TokenId,
    /// One loading of a net on a worker. A net found on a worker under another load id is not the one we loaded.
    LoadId,
    /// One life of a worker's process. A new incarnation has forgotten every net.
    Incarnation,
}

/// The number of an entry in the event log: 1, 2, 3 … without gaps over the life of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct EventId(pub u64);

impl FromStr for EventId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
