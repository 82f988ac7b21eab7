//! A command on a host, as a state machine: every state that is not the end has an exit that needs nobody's good will.
//!
//! ```text
//! queued ──dispatched──▶ queued, dispatched ──started──▶ running ──▶ succeeded | failed | cancelled | timed_out
//!    │ cancelled, expired       │ agent refuses, forgot,     │ agent forgot, gone too long, overdue
//!    ▼                          ▼ gone too long, overdue     ▼
//! cancelled | timed_out       failed | queued | lost        lost
//! ```

use super::{Actor, CommandId, HostId, PipelineId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A command that waits for its host longer than this is given up.
pub const QUEUED_FOR: Duration = Duration::from_secs(24 * 3600);
/// A host that is away longer than this has lost the command it was running.
pub const LOST_AFTER: Duration = Duration::from_secs(10 * 60);
/// A command that was sent and not confirmed as started after this is given up, if its agent is there all the while.
pub const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// What the agent should have ended by itself is given up this long after its time.
pub const OVERDUE_AFTER: Duration = Duration::from_secs(60);
/// A report that confirms what a command did is awaited this long.
pub const POST_CHECK_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How many ended commands the snapshot holds.
pub const COMMANDS_IN_SNAPSHOT: usize = 200;

/// The name of a command in an agent's own configuration: lower-case letters, digits, `-` and `_`, 1 to 40 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct CommandKind(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the name of a command. Use 1 to 40 lower-case letters, digits, - and _, a letter first."
)]
pub struct NotAKind(String);

impl CommandKind {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommandKind {
    type Err = NotAKind;
    fn from_str(text: &str) -> Result<CommandKind, NotAKind> {
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        match first && rest && text.len() <= 40 {
            true => Ok(CommandKind(text.to_owned())),
            false => Err(NotAKind(text.chars().take(60).collect())),
        }
    }
}

impl TryFrom<String> for CommandKind {
    type Error = NotAKind;
    fn try_from(text: String) -> Result<CommandKind, NotAKind> {
        text.parse()
    }
}

impl From<CommandKind> for String {
    fn from(kind: CommandKind) -> String {
        kind.0
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    /// Nobody will ever know: the agent forgot it or never came back.
    Lost,
}

impl CommandStatus {
    pub const ALL: [CommandStatus; 7] = [
        CommandStatus::Queued,
        CommandStatus::Running,
        CommandStatus::Succeeded,
        CommandStatus::Failed,
        CommandStatus::Cancelled,
        CommandStatus::TimedOut,
        CommandStatus::Lost,
    ];

    pub fn is_over(self) -> bool {
        !matches!(self, CommandStatus::Queued | CommandStatus::Running)
    }

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            CommandStatus::Queued => "queued",
            CommandStatus::Running => "running",
            CommandStatus::Succeeded => "succeeded",
            CommandStatus::Failed => "failed",
            CommandStatus::Cancelled => "cancelled",
            CommandStatus::TimedOut => "timed_out",
            CommandStatus::Lost => "lost",
        }
    }
}

/// As the console shows it.
impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == CommandStatus::TimedOut { "timed out" } else { self.word() })
    }
}

/// How a command ended, as its agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It ended by itself: 0 is success.
    Exited {
        code: i32,
    },
    /// A signal ended it that nobody here sent.
    Signalled {
        signal: i32,
    },
    Cancelled,
    TimedOut,
    /// It could not be started, or what ran it is gone: the reason comes beside it.
    Failed,
}

/// What a command was meant to bring about, looked at again on a report newer than its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "post_check", rename_all = "snake_case")]
pub enum PostCheck {
    Awaited {
        until: Timestamp,
    },
    Passed,
    /// It ended well, and the host is not as it should be.
    Failed {
        message: String,
    },
    /// No report came.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct CancelRequest {
    pub actor: Actor,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Command {
    pub id: CommandId,
    pub host_id: HostId,
    pub kind: CommandKind,
    pub actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<PipelineId>,
    pub status: CommandStatus,
    /// A sentence on why it ended so, without a final full stop, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub queued_at: Timestamp,
    /// Given up then, if it is still waiting for its host.
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When its agent ends it at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelRequest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_check: Option<PostCheck>,
    /// Bytes that it wrote, once it has ended.
    #[serde(default)]
    pub output_bytes: u64,
    pub revision: u64,
}

/// What can happen to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The console is about to send it to its host.
    Dispatched,
    /// Its agent runs it, and will end it after `timeout`.
    Started {
        timeout: Duration,
    },
    /// Its agent does not run it, and says why.
    Refused {
        reason: String,
    },
    Finished {
        outcome: Outcome,
        reason: Option<String>,
        output_bytes: u64,
    },
    /// Somebody asks for its end.
    Cancel {
        by: Actor,
    },
    /// Its agent came back, and has never heard of it or does not know what became of it.
    Forgotten {
        may_have_run: bool,
    },
    /// Time passed. `agent_gone_since`: since when its host is offline, if it is.
    Tick {
        agent_gone_since: Option<Timestamp>,
    },
    /// Its host was deleted.
    HostDeleted,
}

impl Command {
    pub fn queued(
        id: CommandId,
        host_id: HostId,
        kind: CommandKind,
        actor: Actor,
        now: Timestamp,
    ) -> Command {
        Command {
            id,
            host_id,
            kind,
            actor,
            pipeline_id: None,
            status: CommandStatus::Queued,
            reason: None,
            queued_at: now,
            expires_at: now.plus(QUEUED_FOR),
            dispatched_at: None,
            started_at: None,
            deadline: None,
            finished_at: None,
            exit_code: None,
            cancel: None,
            post_check: None,
            output_bytes: 0,
            revision: 0,
        }
    }

    /// Whether its host holds it: it was sent and has not ended. A host holds one at a time.
    pub fn is_pending(&self) -> bool {
        !self.status.is_over() && self.dispatched_at.is_some()
    }

    /// The command after `happening`, or `None` where it changes nothing: what is over stays as it ended, whoever comes late.
    pub fn after(&self, happening: &Happening, now: Timestamp) -> Option<Command> {
        use CommandStatus::*;
        if self.status.is_over() {
            return None;
        }
        let over = |status, reason: Option<String>| {
            Some(Command { status, reason, finished_at: Some(now), deadline: None, ..self.clone() })
        };
        let because = |text: &str| Some(text.to_owned());
        match happening {
            Happening::Dispatched if self.status == Queued && self.dispatched_at.is_none() => {
                Some(Command { dispatched_at: Some(now), ..self.clone() })
            }
            Happening::Dispatched => None,
            Happening::Started { timeout } if self.status == Queued => Some(Command {
                status: Running,
                dispatched_at: self.dispatched_at.or(Some(now)),
                started_at: Some(now),
                deadline: Some(now.plus(*timeout)),
                ..self.clone()
            }),
            Happening::Started { .. } => None,
            Happening::Refused { reason } => over(Failed, Some(reason.clone())),
            Happening::Finished { outcome, reason, output_bytes } => {
                let (status, exit_code, said) = match *outcome {
                    Outcome::Exited { code: 0 } => (Succeeded, Some(0), None),
                    Outcome::Exited { code } => {
                        (Failed, Some(code), Some(format!("It ended with exit code {code}")))
                    }
                    Outcome::Signalled { signal } => {
                        (Failed, None, Some(format!("It was ended by signal {signal}")))
                    }
                    Outcome::Cancelled => (Cancelled, None, None),
                    Outcome::TimedOut => (TimedOut, None, because("It took longer than its host allows")),
                    Outcome::Failed => (Failed, None, because("Its host could not run it")),
                };
                let ended = over(status, reason.clone().or(said))?;
                Some(Command { exit_code, output_bytes: *output_bytes, ..ended })
            }
            Happening::Cancel { by } if self.dispatched_at.is_none() => {
                over(Cancelled, Some(format!("{by} cancelled it before it was sent")))
            }
            Happening::Cancel { .. } if self.cancel.is_some() => None,
            Happening::Cancel { by } => {
                Some(Command { cancel: Some(CancelRequest { actor: by.clone(), at: now }), ..self.clone() })
            }
            // What it never got can be sent again, unless it is not wanted any more.
            Happening::Forgotten { may_have_run: false } if self.status == Queued => match &self.cancel {
                Some(cancel) => {
                    over(Cancelled, Some(format!("{} cancelled it before it began", cancel.actor)))
                }
                None if self.dispatched_at.is_some() => Some(Command { dispatched_at: None, ..self.clone() }),
                None => None,
            },
            Happening::Forgotten { .. } if self.dispatched_at.is_none() => None,
            Happening::Forgotten { .. } => over(Lost, because("Its agent came back and knows nothing of it")),
            Happening::Tick { agent_gone_since } => self.after_waiting(*agent_gone_since, now, over),
            Happening::HostDeleted if self.dispatched_at.is_none() => {
                over(Cancelled, because("Its host was deleted"))
            }
            Happening::HostDeleted => over(Lost, because("Its host was deleted")),
        }
    }

    fn after_waiting(
        &self,
        agent_gone_since: Option<Timestamp>,
        now: Timestamp,
        over: impl Fn(CommandStatus, Option<String>) -> Option<Command>,
    ) -> Option<Command> {
        let because = |text: &str| Some(text.to_owned());
        let Some(dispatched_at) = self.dispatched_at else {
            let expired = now >= self.expires_at;
            return expired
                .then(|| over(CommandStatus::TimedOut, because("Its host did not take it in time")))
                .flatten();
        };
        if let Some(gone) = agent_gone_since {
            let lost = now.since(gone.max(dispatched_at)) >= LOST_AFTER;
            return lost.then(|| over(CommandStatus::Lost, because("Its agent did not come back"))).flatten();
        }
        let late = match self.deadline {
            Some(deadline) => now >= deadline.plus(OVERDUE_AFTER),
            None => now.since(dispatched_at) >= STARTS_WITHIN,
        };
        late.then(|| {
            over(CommandStatus::Lost, because("Its agent is there and does not say what became of it"))
        })
        .flatten()
    }
}
