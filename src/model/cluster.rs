//! A cluster: one provider account or region.

use super::{ClusterId, Name, Provider, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether the provider behind a cluster answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Nothing in it was ever reached.
    Unknown,
    Connected,
    Disconnected,
}

impl Connection {
    /// Of a new cluster. Processes of the console's own machine need nothing that could be away; other machines are to be reached first.
    pub fn at_first(provider: Provider) -> Connection {
        match provider {
            Provider::Local => Connection::Connected,
            Provider::Fly | Provider::Ec2 | Provider::External => Connection::Unknown,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Connection::Unknown => "unknown",
            Connection::Connected => "connected",
            Connection::Disconnected => "disconnected",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Cluster {
    pub id: ClusterId,
    pub name: Name,
    pub provider: Provider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub connection: Connection,
    /// Minutes between two times that its workers are asked for their labs; `None`: [`SYNC_EVERY`](super::lab::SYNC_EVERY).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab_sync_minutes: Option<u32>,
    /// Counts every change of this record.
    pub revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
