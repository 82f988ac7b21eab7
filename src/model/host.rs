//! A host: a machine that runs our agent, which dials in, reports, and runs the commands that its owner allowed.

use super::{AgentId, CommandId, CommandKind, HostId, Name, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// An agent says something at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// A host that is online and whose last heartbeat is older than this is stale: connected, as far as the socket knows, and not heard.
pub const STALE_AFTER: Duration = Duration::from_secs(15);

/// `#rrggbb`: the colour by which its owner tells a host apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ThemeColor(pub [u8; 3]);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a colour. Write it as # and six hexadecimal digits: #7aa2f7.")]
pub struct NotAColor(String);

impl FromStr for ThemeColor {
    type Err = NotAColor;
    fn from_str(text: &str) -> Result<ThemeColor, NotAColor> {
        let wrong = || NotAColor(text.chars().take(40).collect());
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.is_ascii())
            .ok_or_else(wrong)?;
        let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte(0), byte(2), byte(4)) {
            (Some(red), Some(green), Some(blue)) if !digits.contains('+') => {
                Ok(ThemeColor([red, green, blue]))
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for ThemeColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl TryFrom<String> for ThemeColor {
    type Error = NotAColor;
    fn try_from(text: String) -> Result<ThemeColor, NotAColor> {
        text.parse()
    }
}

impl From<ThemeColor> for String {
    fn from(color: ThemeColor) -> String {
        color.to_string()
    }
}

/// How one aspect of a host stands against what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CompartmentStatus {
    Ok,
    /// It works, and is not what it should be.
    Outdated,
    /// Finding out failed, or what was found is broken.
    Error,
    /// Never reported, or what was believed does not hold any more.
    #[default]
    Unknown,
    /// A command is changing it, or a report on it is awaited. It has a deadline.
    Working,
}

impl CompartmentStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            CompartmentStatus::Ok => "ok",
            CompartmentStatus::Outdated => "outdated",
            CompartmentStatus::Error => "error",
            CompartmentStatus::Unknown => "unknown",
            CompartmentStatus::Working => "working",
        }
    }
}

/// One of the three aspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CompartmentKind {
    /// The checked out commit against its remote.
    Git,
    /// The lock file against the one expected.
    Lock,
    /// What is deployed against what is checked out.
    System,
}

impl CompartmentKind {
    pub const ALL: [CompartmentKind; 3] =
        [CompartmentKind::Git, CompartmentKind::Lock, CompartmentKind::System];

    pub fn as_str(self) -> &'static str {
        match self {
            CompartmentKind::Git => "git",
            CompartmentKind::Lock => "lock",
            CompartmentKind::System => "system",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            CompartmentKind::Git => "Git",
            CompartmentKind::Lock => "Lock",
            CompartmentKind::System => "System",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Compartment {
    pub status: CompartmentStatus,
    /// A sentence without a final full stop: `3 commits behind origin/main`.
    pub message: String,
    /// When the host found out; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// While `working`: when it is given up and becomes `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_until: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Compartments {
    pub git: Compartment,
    pub lock: Compartment,
    pub system: Compartment,
}

impl Compartments {
    pub fn get(&self, kind: CompartmentKind) -> &Compartment {
        match kind {
            CompartmentKind::Git => &self.git,
            CompartmentKind::Lock => &self.lock,
            CompartmentKind::System => &self.system,
        }
    }

    pub fn get_mut(&mut self, kind: CompartmentKind) -> &mut Compartment {
        match kind {
            CompartmentKind::Git => &mut self.git,
            CompartmentKind::Lock => &mut self.lock,
            CompartmentKind::System => &mut self.system,
        }
    }
}

/// A command that a host's owner allows, as its agent offers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct CommandOffer {
    pub kind: CommandKind,
    /// The agent ends it after this many seconds.
    pub timeout_s: u64,
    /// What it changes: these compartments are looked at again once it has ended well.
    #[serde(default)]
    pub checks: Vec<CompartmentKind>,
}

/// The agent that spoke for this host last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Agent {
    pub id: AgentId,
    pub version: String,
    /// It is of another version than the console.
    pub outdated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Host {
    pub id: HostId,
    /// Given by the operator, one of its kind in the fleet.
    pub name: Name,
    /// What the machine calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// `nixos`, `macos`, whatever its owner wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme_color: Option<ThemeColor>,
    /// An agent of it is connected.
    pub online: bool,
    /// Since when it is online, or is not.
    pub online_since: Timestamp,
    /// When it was last heard before it went offline; while it is online its telemetry says it. `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// `None`: no agent ever came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// What is deployed, as its system names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// The commit that is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_head: Option<String>,
    /// SHA-256 of its lock file, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_hash: Option<String>,
    #[serde(default)]
    pub compartments: Compartments,
    /// What may be run on it.
    #[serde(default)]
    pub commands: Vec<CommandOffer>,
    /// The command that was sent to it and has not ended. Kept by the [`Draft`](super::Draft) that changes the command, and by nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_command: Option<CommandId>,
    /// Its token is revoked: no agent can speak for it until a new one is made.
    #[serde(default)]
    pub revoked: bool,
    /// Counts every change of this record.
    pub revision: u64,
    /// Counts changes of what decides whether an action is permitted.
    pub state_revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Host {
    /// A host as it begins: a name and a token that nobody has used.
    pub fn unseen(id: HostId, name: Name) -> Host {
        Host {
            id,
            name,
            hostname: None,
            host_type: None,
            os: None,
            theme_color: None,
            online: false,
            online_since: Timestamp::default(),
            last_seen: None,
            agent: None,
            generation: None,
            git_head: None,
            lock_hash: None,
            compartments: Compartments::default(),
            commands: Vec::new(),
            pending_command: None,
            revoked: false,
            revision: 0,
            state_revision: 0,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    pub fn offer(&self, kind: &CommandKind) -> Option<&CommandOffer> {
        self.commands.iter().find(|offer| offer.kind == *kind)
    }

    /// Online, stale or offline, given when it was last heard.
    pub fn presence(&self, heard: Option<Timestamp>, now: Timestamp) -> Presence {
        let heard = heard.unwrap_or(self.online_since).max(self.online_since);
        match self.online {
            false => Presence::Offline,
            true if now.since(heard) > STALE_AFTER => Presence::Stale,
            true => Presence::Online,
        }
    }

    /// The lock compartment of a host whose lock file has the hash `found`, where `expected` is the one it should have.
    pub fn lock_against(
        found: Option<&str>,
        expected: Option<&str>,
        checked_at: Option<Timestamp>,
    ) -> Compartment {
        let (status, message) = match (found, expected) {
            (None, _) => (CompartmentStatus::Unknown, "No lock file was reported".to_owned()),
            (Some(_), None) => {
                (CompartmentStatus::Unknown, "It is not known which lock file is expected".to_owned())
            }
            (Some(found), Some(expected)) if found == expected => {
                (CompartmentStatus::Ok, format!("The lock file is the one expected ({})", short(found)))
            }
            (Some(found), Some(expected)) => (
                CompartmentStatus::Outdated,
                format!("The lock file is {}, expected is {}", short(found), short(expected)),
            ),
        };
        Compartment { status, message, checked_at, working_until: None }
    }

    /// Whether `self` and `before` differ in what decides which actions are permitted.
    pub(super) fn state_differs(&self, before: &Host) -> bool {
        (self.online, self.revoked, self.pending_command, &self.commands, self.agent.is_some())
            != (
                before.online,
                before.revoked,
                before.pending_command,
                &before.commands,
                before.agent.is_some(),
            )
    }
}

/// Whether a host can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    Online,
    /// Connected, and not heard for three heartbeats.
    Stale,
    Offline,
}

impl Presence {
    pub fn word(self) -> &'static str {
        match self {
            Presence::Online => "online",
            Presence::Stale => "stale",
            Presence::Offline => "offline",
        }
    }
}

/// The first digits of a hash, enough for people to compare.
pub fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

/// What a host says of itself every [`HEARTBEAT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct HostMetrics {
    /// Percent of all cores together, 0 to 100.
    pub cpu_percent: f32,
    /// Bytes.
    pub ram_used: u64,
    pub ram_total: u64,
    pub swap_used: u64,
    pub swap_total: u64,
    /// Of the file system that holds its root.
    pub disk_used: u64,
    pub disk_total: u64,
    /// The load averages over 1, 5 and 15 minutes.
    pub load: [f32; 3],
    /// Seconds since it booted.
    pub uptime_s: u64,
    pub reboot_needed: bool,
}

/// The latest figures of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct HostTelemetry {
    pub host_id: HostId,
    /// When the console received them: the host was last seen then.
    pub at: Timestamp,
    pub metrics: HostMetrics,
}

/// What the hosts should be, as the server read it from their repository's remote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Repository {
    pub url: String,
    pub branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// SHA-256 of the lock file at `head`, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_hash: Option<String>,
    /// When the remote was last read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// Why the remote could not be read since: the figures above are as old as `checked_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub revision: u64,
}

/// An open pull request of the hosts' repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct PullRequest {
    pub number: u64,
    pub title: String,
    pub url: String,
    /// The commit that merging is about; another one now means that somebody pushed.
    pub head_sha: String,
    /// `None`: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mergeable: Option<bool>,
    pub checks: Checks,
    pub revision: u64,
    pub updated_at: Timestamp,
}

/// How the checks of a pull request stand, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    None,
    Pending,
    Passing,
    Failing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_colour_is_six_digits_and_nothing_else() {
        assert_eq!("#7aA2f7".parse::<ThemeColor>().unwrap().to_string(), "#7aa2f7");
        for wrong in ["", "#", "7aa2f7", "#7aa2f", "#7aa2f77", "#+1+2+3", "red", "#7aa2fé", "#gggggg"] {
            assert!(wrong.parse::<ThemeColor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_is_connected_and_not_heard_is_stale() {
        let mut host = Host::unseen(HostId(Uuid::from_u128(1)), Name::new("a").unwrap());
        assert_eq!(host.presence(None, Timestamp(0)), Presence::Offline);
        (host.online, host.online_since) = (true, Timestamp(100_000));
        assert_eq!(host.presence(None, Timestamp(115_000)), Presence::Online);
        assert_eq!(host.presence(Some(Timestamp(90_000)), Timestamp(115_001)), Presence::Stale);
        assert_eq!(host.presence(Some(Timestamp(101_000)), Timestamp(115_001)), Presence::Online);
    }

    #[test]
    fn the_lock_file_is_compared_and_what_is_not_known_is_said() {
        let of = |found, expected| Host::lock_against(found, expected, None).status;
        assert_eq!(of(Some("a"), Some("a")), CompartmentStatus::Ok);
        assert_eq!(of(Some("a"), Some("b")), CompartmentStatus::Outdated);
        assert_eq!(of(None, Some("b")), CompartmentStatus::Unknown);
        assert_eq!(of(Some("a"), None), CompartmentStatus::Unknown);
    }
}
