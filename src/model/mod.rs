//! The domain: what a fleet is, what may happen to it, and in which words that is refused.
//!
//! Everything here is pure. No I/O, no clock, no randomness, no async: time and fresh ids come in as arguments, so the server, the
//! browser, the tests and the simulation all run the very same rules. Depends on nothing else in the crate.
//!
//! Start with [`lifecycle`] (states and permitted actions), then [`change`] (how a fleet changes) and [`fleet`] (the whole state).

pub mod action;
pub mod audit;
pub mod build;
pub mod change;
pub mod cluster;
pub mod command;
pub mod definition;
pub mod draft;
pub mod event;
pub mod event_query;
pub mod fleet;
pub mod health;
pub mod history;
pub mod host;
#[cfg(test)]
mod host_properties;
pub mod id;
pub mod lab;
pub mod lifecycle;
pub mod name;
pub mod net;
pub mod operation;
pub mod pipeline;
pub mod project;
#[cfg(test)]
mod properties;
pub mod quota;
pub mod rules;
pub mod telemetry;
pub mod time;
pub mod user;
pub mod webhook;
pub mod worker;

pub use action::{
    Action, ChangedNet, Done, NetRequest, NewCluster, NewLab, NewNet, NewProject, NewWorker, Options,
};
pub use audit::{AuditLine, AuditPage};
pub use build::{Build, BuildError, BuildPhase, BuildStatus, BuildSummary, NetBuild};
pub use change::{BuildCause, Change, CommandCause, HostCause, NetCause, WorkerCause};
pub use cluster::{Cluster, Connection};
pub use command::{Command, CommandKind, CommandStatus, Happening, Outcome, PostCheck};
pub use definition::{DefinitionHash, NetSize};
pub use draft::{Draft, Gone};
pub use event::{Acknowledged, Event, Severity};
pub use event_query::{Bucket, EventPage, EventQuery, EventStatistics, StatisticsBy};
pub use fleet::{EntityRef, Fleet};
pub use history::{History, Sample, Series, Trend};
pub use host::{
    Agent, CommandOffer, Compartment, CompartmentKind, CompartmentStatus, Compartments, Host, HostMetrics,
    HostTelemetry, Presence, PullRequest, Repository, ThemeColor,
};
pub use id::{
    AgentId, BuildId, ClusterId, CommandId, EventId, HostId, Incarnation, LabId, LoadId, NetId, OperationId,
    PipelineId, ProjectId, RefreshId, TokenId, UserId, WebhookId, WorkerId,
};
pub use lab::{Lab, LabAction, LabCounts, LabEntry, LabGoal, LabPlan, LabProgress, LabState, Positive};
pub use lifecycle::{HostAction, NetAction, Refusal, WorkerAction};
pub use name::{Name, NameError};
pub use net::{LoadState, Net, NetVersion, RunState, VersionRow};
pub use operation::{Actor, LastAction, Operation, Waiting};
pub use pipeline::{Cell, Lane, Pipeline, PipelineStatus, Plan};
pub use project::{Project, Quotas};
pub use quota::QuotaReached;
pub use rules::{EventRules, Matcher, Mute, Priority, PriorityRule};
pub use telemetry::{LabFigures, NetMetrics, Telemetry, WorkerMetrics};
pub use time::Timestamp;
pub use user::{
    Invited, Issued, Member, NewToken, NewUser, Role, Roles, TokenRow, TokenStatus, UserEdit, UserRow,
    UserStatus,
};
pub use webhook::{Webhook, WebhookPlan, WebhookTested, WebhookTrouble};
pub use worker::{Category, ErrorDetail, Machine, Provider, Worker, WorkerStatus};
