//! The agent protocol on the wire (docs/agent-protocol.md): what `muster agent` and the console say to each other over the WebSocket
//! `GET /api/agent`, which the agent opens with its host's token as bearer.
//!
//! Text frames are JSON, [`FromAgent`] one way and [`ToAgent`] the other. Binary frames carry output, from the agent only: [`Output`].

use crate::model::{
    AgentId, CommandId, CommandKind, CommandOffer, CompartmentStatus, HostId, HostMetrics, Outcome,
    RefreshId, ThemeColor,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of this protocol. Another one is refused, with a sentence.
pub const PROTOCOL: u32 = 1;
/// A frame may have this many bytes, either way.
pub const MAX_FRAME: usize = 256 << 10;
/// Output of one frame at most.
pub const MAX_OUTPUT: usize = 64 << 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// First on every connection.
    Register(Register),
    /// Every [`HEARTBEAT`](crate::model::host::HEARTBEAT).
    Heartbeat { metrics: HostMetrics },
    /// What was found out: after connecting, when asked, after a command, and on a long interval.
    Report(Report),
    /// It runs; the agent ends it after `timeout_s`.
    Started { command_id: CommandId, timeout_s: u64 },
    /// It does not run: a name the agent does not know, another one running, a program that is not there.
    Refused { command_id: CommandId, reason: String },
    /// So many bytes of output, from this offset on, were not kept.
    Gap { command_id: CommandId, offset: u64, size: u64 },
    /// It ended, after all output of it was sent. Said again after each connecting until [`ToAgent::Settled`].
    Finished {
        command_id: CommandId,
        #[serde(flatten)]
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Bytes written in all, those in gaps included.
        output_bytes: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    pub protocol: u32,
    /// Kept in the agent's state directory. Another agent with the same token is refused while this one is connected; the same one takes
    /// the place of a connection of its own that broke without the server noticing.
    pub agent_id: AgentId,
    pub hostname: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_type: Option<String>,
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme_color: Option<ThemeColor>,
    pub agent_version: String,
    pub commands: Vec<CommandOffer>,
    /// The commands that it holds: running, or ended and not settled. Any other that the console believes to be there was never begun
    /// or is lost.
    pub holds: Vec<Held>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    pub command_id: CommandId,
    /// It was begun and nobody knows what became of it: the machine went down under it.
    #[serde(default)]
    pub interrupted: bool,
}

/// What a host is like. Each part is as old as it says, so that what was found while there was no connection is not shown as new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_id: Option<RefreshId>,
    /// The command after whose end this was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CommandId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Found>,
    /// The commit that is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_head: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Found>,
    /// What is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<FoundLock>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub status: CompartmentStatus,
    /// A sentence without a final full stop.
    pub message: String,
    /// Milliseconds since it was found out.
    pub age_ms: u64,
}

/// The console compares it with the one expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundLock {
    /// SHA-256 of the lock file, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub age_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// The answer to `register`.
    Welcome { host_id: HostId, console_version: String },
    /// Run the command of this name in the agent's own configuration. Saying it again for one that it holds does nothing.
    Run { command_id: CommandId, kind: CommandKind },
    /// SIGTERM to its process group, SIGKILL after 5 s. For one that it does not hold it does nothing.
    Cancel { command_id: CommandId },
    /// All output before `offset` is stored: the agent may let go of it.
    Stored { command_id: CommandId, offset: u64 },
    /// Its end is stored: the agent may forget it.
    Settled { command_id: CommandId },
    /// Find everything out now, and report.
    Refresh { refresh_id: RefreshId },
    /// The connection ends.
    Goodbye { why: Goodbye, detail: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goodbye {
    /// The token is good no more: the agent says so and stops.
    Revoked,
    /// Another agent speaks for this host: try again in a while.
    Taken,
    /// Another version of this protocol: the agent says so and stops.
    Protocol,
    /// What the agent sent could not be read: it comes back.
    Malformed,
    /// The console goes down, or a newer connection of the same agent took over: come back.
    Closing,
}

/// A piece of output: sixteen bytes of command id, eight of offset, most significant first, then the bytes as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    pub command_id: CommandId,
    /// Bytes that the command wrote before these, standard output and standard error in one.
    pub offset: u64,
    pub bytes: &'a [u8],
}

impl<'a> Output<'a> {
    pub fn parse(frame: &'a [u8]) -> Option<Output<'a>> {
        let (id, rest) = frame.split_first_chunk::<16>()?;
        let (offset, bytes) = rest.split_first_chunk::<8>()?;
        let fits = !bytes.is_empty() && bytes.len() <= MAX_OUTPUT;
        let output = Output {
            command_id: CommandId(Uuid::from_bytes(*id)),
            offset: u64::from_be_bytes(*offset),
            bytes,
        };
        (fits && output.offset.checked_add(bytes.len() as u64).is_some()).then_some(output)
    }

    pub fn frame(&self) -> Vec<u8> {
        [self.command_id.0.as_bytes().as_slice(), &self.offset.to_be_bytes(), self.bytes].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_survives_the_wire_and_what_is_no_frame_is_refused() {
        let output = Output { command_id: CommandId(Uuid::from_u128(7)), offset: 300, bytes: b"\xffline\n" };
        assert_eq!(Output::parse(&output.frame()), Some(output.clone()));
        assert_eq!(Output::parse(&output.frame()[..24]), None, "no bytes");
        assert_eq!(Output::parse(b"short"), None);
        let long = vec![0; MAX_OUTPUT + 1];
        assert_eq!(Output::parse(&Output { bytes: &long, ..output.clone() }.frame()), None);
        assert_eq!(Output::parse(&Output { offset: u64::MAX, ..output }.frame()), None);
    }

    #[test]
    fn an_outcome_lies_flat_in_its_message() {
        let finished = FromAgent::Finished {
            command_id: CommandId(Uuid::from_u128(7)),
            outcome: Outcome::Exited { code: 3 },
            reason: None,
            output_bytes: 9,
        };
        let json = serde_json::to_value(&finished).unwrap();
        assert_eq!((&json["outcome"], &json["code"]), (&"exited".into(), &3.into()));
        assert_eq!(serde_json::from_value::<FromAgent>(json).unwrap(), finished);
    }
}
