//! What the operators decided about events: which matter more than they seem to, and which to be quiet about.
//!
//! The rules are one row that everybody sees, so that a toast, the events page and a webhook judge alike.

use super::{ClusterId, Event, HostId, NetId, ProjectId, Severity, Timestamp, WorkerId};
use serde::{Deserialize, Serialize};

/// Rules of one kind at most: each event is held against all of them.
pub const MOST_RULES: usize = 100;

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub const ALL: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

    pub fn as_str(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        }
    }

    pub fn parse(text: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.as_str() == text)
    }

    /// What an event has that no rule speaks of.
    pub fn of(severity: Severity) -> Priority {
        match severity {
            Severity::Info | Severity::Success => Priority::Low,
            Severity::Warning => Priority::Normal,
            Severity::Error => Priority::High,
        }
    }
}

/// Which events a rule speaks of: those for which all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false)))]
#[serde(default)]
pub struct Matcher {
    /// A type, or the beginning of one and `*`: `worker.*`. Empty: any.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// This severity or a worse one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_id: Option<NetId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<HostId>,
}

impl Matcher {
    pub fn holds(&self, event: &Event) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, has: Option<T>) -> bool {
            wanted.is_none() || wanted == has
        }
        self.holds_for_type(&event.kind)
            && self.severity.is_none_or(|least| event.severity >= least)
            && is(self.cluster_id, event.cluster_id)
            && is(self.project_id, event.project_id)
            && is(self.worker_id, event.worker_id)
            && is(self.net_id, event.net_id)
            && is(self.host_id, event.host_id)
    }

    fn holds_for_type(&self, kind: &str) -> bool {
        match self.kind.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => self.kind.is_empty() || self.kind == kind,
        }
    }
}

/// Events that nobody is to be told of: no toast, no notification, no webhook. The log keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false)))]
pub struct Mute {
    #[serde(flatten)]
    pub matcher: Matcher,
    /// From then on it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, for those who wonder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false)))]
pub struct PriorityRule {
    #[serde(flatten)]
    pub matcher: Matcher,
    pub priority: Priority,
}

/// All rules. There is one such row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct EventRules {
    #[serde(default)]
    pub mutes: Vec<Mute>,
    /// The first that holds decides.
    #[serde(default)]
    pub priorities: Vec<PriorityRule>,
    /// Counts every change of this record.
    #[serde(default)]
    pub revision: u64,
    #[serde(default)]
    pub updated_at: Timestamp,
}

impl EventRules {
    pub fn priority(&self, event: &Event) -> Priority {
        let rule = self.priorities.iter().find(|rule| rule.matcher.holds(event));
        rule.map_or(Priority::of(event.severity), |rule| rule.priority)
    }

    /// Whether nobody is to be told of `event`.
    pub fn mutes(&self, event: &Event, now: Timestamp) -> bool {
        let holds = |mute: &Mute| mute.until.is_none_or(|until| now < until) && mute.matcher.holds(event);
        self.mutes.iter().any(holds)
    }
}
