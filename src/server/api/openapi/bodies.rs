//! Bodies and parameters as the document describes them. Handlers read them field by field (`super::super::fields`), to say what is wrong
//! with one; the tests with schemathesis hold the two against each other.

// They are described, never made.
#![allow(dead_code)]

use crate::model::{
    HostId, ProjectId, Role, WorkerId,
    action::{CPUS, MAX_PNML_BYTES, MEMORY_MB, RATE, TOKENS},
    audit::MOST_LINES,
    lab::SYNC_MINUTES,
    name::MAX_NAME_CHARS,
    pipeline,
    rules::MOST_RULES,
};
use crate::server::api::nets::VERSIONS;
use crate::{
    petri::{
        lab::experiment::{MAX_FIRINGS, MAX_RUNS},
        net::MAX_COUNT,
    },
    server::labs::plan,
};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// Rows of one page.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Limit(#[schemars(range(min = 1, max = 1_000))] u32);

/// The number of a line.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Count(#[schemars(range(min = 1, max = i64::MAX))] u64);

/// Lines of one page.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct AuditLimit(#[schemars(range(min = 1, max = MOST_LINES))] u32);

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct IfNoneMatch(#[schemars(regex(pattern = r#"^"[0-9A-Za-z-]{1,100}"$"#))] String);

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct IfMatch(#[schemars(regex(pattern = r#"^"[0-9]{1,18}"$"#))] String);

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct IdempotencyKey(#[schemars(regex(pattern = "^[!-~]{1,200}$"))] String);

/// A name: surrounding blanks are cut off, control characters and invisible ones are refused.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct NewName(
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = r"^[!-~]([ -~]*[!-~])?$"))] String,
);

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    email: String,
    password: String,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewProvider {
    /// Processes on the console's own machine.
    Local,
    /// Machines that somebody else runs.
    External,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCluster {
    name: NewName,
    provider: NewProvider,
    region: Option<NewName>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorker {
    name: NewName,
    cluster_id: crate::model::ClusterId,
    category: crate::model::Category,
    #[schemars(range(min = *CPUS.start(), max = *CPUS.end()))]
    cpus: u16,
    /// Mebibytes.
    #[schemars(range(min = *MEMORY_MB.start(), max = *MEMORY_MB.end()))]
    memory_mb: u32,
    /// Where it answers, `http://192.0.2.7:7070`: needed in an external cluster, and in no other.
    endpoint: Option<String>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNet {
    /// Empty or absent: the name in the file.
    name: Option<String>,
    project_id: ProjectId,
    /// The PNML file as text.
    #[schemars(length(max = MAX_PNML_BYTES))]
    pnml: String,
    /// Keep the file also if it cannot be read: its build fails with line and column, and it cannot be loaded.
    keep_broken: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedNet {
    /// The PNML file as text.
    #[schemars(length(max = MAX_PNML_BYTES))]
    pnml: String,
    /// Keep the file also if it cannot be read: its build fails with line and column, and it cannot be loaded.
    keep_broken: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedNetForm {
    /// The PNML file.
    #[schemars(length(min = 1), extend("contentMediaType" = "application/xml"))]
    pnml: String,
    /// As in JSON.
    #[serde(default)]
    keep_broken: bool,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// A version of the net. Absent: the newest.
    #[schemars(range(min = *VERSIONS.start(), max = *VERSIONS.end()))]
    version: Option<u32>,
}

/// The number of a version.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Version(#[schemars(range(min = *VERSIONS.start(), max = *VERSIONS.end()))] u32);

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNetForm {
    /// Empty or absent: the name in the file.
    #[serde(default)]
    name: String,
    project_id: ProjectId,
    /// The PNML file.
    #[schemars(length(min = 1), extend("contentMediaType" = "application/xml"))]
    pnml: String,
    /// As in JSON.
    #[serde(default)]
    keep_broken: bool,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    worker_id: WorkerId,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Firings per second; 0 is as fast as possible.
    #[schemars(range(min = *RATE.start(), max = *RATE.end()))]
    rate: u32,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// The place, by its id in the file.
    place: String,
    #[schemars(range(min = *TOKENS.start(), max = *TOKENS.end()))]
    tokens: u64,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLab {
    /// The net that it gets a copy of; that one need not be loaded.
    net_id: crate::model::NetId,
    /// Absent: the one in force.
    #[schemars(range(min = 1))]
    version: Option<u32>,
    /// Absent: the worker that the net is assigned to.
    worker_id: Option<WorkerId>,
    name: NewName,
    /// Places and transitions by their ids in the file.
    plan: NewLabPlan,
    /// Start it at once. Absent: `false`.
    start: Option<bool>,
}

/// What is to be tried.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewLabPlan {
    /// Many independent runs, and what they say on the average.
    MonteCarlo {
        #[schemars(range(min = 1, max = MAX_RUNS))]
        runs: u64,
        /// Firings of a run at most.
        #[schemars(range(min = 1, max = MAX_FIRINGS))]
        firings: u64,
        /// Decides every choice: the same net, plan and seed give the same figures.
        #[schemars(range(min = 0, max = MAX_COUNT))]
        seed: u64,
        /// Absent: each run goes to its limit.
        goal: Option<NewLabGoal>,
        /// Firings at the start of a run that the averages leave out; fewer than `firings`.
        #[serde(default)]
        warm_up: u64,
        /// By transition: how often it fires a unit of time while it is enabled. Absent or empty: no rates.
        #[serde(default)]
        rates: BTreeMap<String, NewRate>,
        /// Units of time of a run at most; with rates only.
        time: Option<NewRate>,
    },
    /// The whole state space, as far as the budget goes.
    Explore {
        #[schemars(range(min = *plan::SECONDS.start(), max = *plan::SECONDS.end()))]
        seconds: u32,
        /// Mebibytes.
        #[schemars(range(min = *plan::MEMORY_MB.start(), max = *plan::MEMORY_MB.end()))]
        memory_mb: u32,
    },
}

/// When a run is at its goal.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewLabGoal {
    Tokens {
        place: String,
        #[schemars(range(min = 1, max = MAX_COUNT))]
        at_least: u64,
    },
    /// Nothing is enabled.
    Deadlock,
}

/// Above zero.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct NewRate(#[schemars(extend("exclusiveMinimum" = 0))] f64);

/// What a lab has found, and as of when.
#[derive(JsonSchema)]
pub struct LabReport {
    at: crate::model::Timestamp,
    results: LabFound,
}

#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "it is only described, never made")]
pub enum LabFound {
    /// Averages over the finished runs, each `{runs, mean, interval}`; by transition and by place in the order of the file.
    MonteCarlo { results: BTreeMap<String, serde_json::Value> },
    /// The same as in the report of a build; `null` while it is explored.
    Explore { report: Option<crate::petri::NetReport> },
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabSync {
    /// Minutes between two times; `null` or absent: 30.
    #[schemars(range(min = *SYNC_MINUTES.start(), max = *SYNC_MINUTES.end()))]
    minutes: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHost {
    name: NewName,
}

/// The name of a command in an agent's own configuration.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Kind(#[schemars(regex(pattern = "^[a-z][a-z0-9_-]{0,39}$"))] String);

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommands {
    /// A command is queued for all of them or, if one refuses, for none.
    #[schemars(length(min = 1))]
    host_ids: Vec<HostId>,
    kind: Kind,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPipeline {
    /// What it is for. Absent: the stages.
    title: Option<String>,
    #[schemars(length(min = 1, max = *pipeline::HOSTS.end()), extend("uniqueItems" = true))]
    host_ids: Vec<HostId>,
    /// The commands, in this order on each host.
    #[schemars(length(min = *pipeline::STAGES.start(), max = *pipeline::STAGES.end()))]
    stages: Vec<Kind>,
    /// Hosts worked on at once; 5 where it is absent.
    #[schemars(range(min = 1, max = *pipeline::HOSTS.end()))]
    concurrency: Option<u32>,
    /// So many of the first hosts must succeed before the others begin; 0 where it is absent, and at most as many as there are hosts.
    #[schemars(range(min = 0, max = *pipeline::HOSTS.end()))]
    canary: Option<u32>,
    /// Nothing new begins once so many hosts failed; 1 where it is absent.
    #[schemars(range(min = 1, max = *pipeline::HOSTS.end()))]
    stop_after_failures: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    #[schemars(length(min = 1, max = *pipeline::HOSTS.end()), extend("uniqueItems" = true))]
    host_ids: Vec<HostId>,
    /// `pull`, `switch` where it is absent.
    #[schemars(length(min = *pipeline::STAGES.start(), max = *pipeline::STAGES.end()))]
    stages: Option<Vec<Kind>>,
    #[schemars(range(min = 1, max = *pipeline::HOSTS.end()))]
    concurrency: Option<u32>,
    #[schemars(range(min = 0, max = *pipeline::HOSTS.end()))]
    canary: Option<u32>,
    #[schemars(range(min = 1, max = *pipeline::HOSTS.end()))]
    stop_after_failures: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The pull request.
    #[schemars(range(min = 1, max = u32::MAX))]
    number: u32,
    /// It is merged only if its head is still this commit.
    head_sha: String,
    /// Then start a pipeline.
    deploy: Option<Deploy>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    name: NewName,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuotas {
    /// Nets that may be in the project.
    nets: Option<u32>,
    /// Workers that its nets may be assigned to.
    workers: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    name: NewName,
    quotas: Option<NewQuotas>,
}

/// What is absent stays; a quota that is `null` is taken away.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditProject {
    name: Option<NewName>,
    quotas: Option<NewQuotas>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveNet {
    project_id: ProjectId,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    email: String,
    /// Absent: made from the address.
    name: Option<String>,
    /// In the whole fleet. Absent or `null`: none, for somebody who is to see some projects only.
    role: Option<Role>,
}

/// What is absent stays; a role that is `null` is taken away.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditUser {
    name: Option<String>,
    role: Option<Role>,
    disabled: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    current: String,
    new: String,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The address of somebody who is a user already.
    email: String,
    role: Role,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRole {
    role: Role,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoles {
    fleet: Option<Role>,
    projects: Option<BTreeMap<ProjectId, Role>>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    name: NewName,
    /// The most it may do. Absent: whatever its owner may.
    roles: Option<NewRoles>,
    /// For a service, which has no owner; administrators make them, and name its roles.
    service: Option<bool>,
    /// Absent: until it is revoked.
    #[schemars(range(min = 1, max = 3_650))]
    expires_in_days: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    #[schemars(length(min = 1, max = 500))]
    ids: Vec<u64>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    name: NewName,
    /// `https`, of the public internet.
    url: String,
    /// Absent: every event.
    matcher: Option<crate::model::Matcher>,
    /// Absent: `low`, which is every event.
    priority: Option<crate::model::Priority>,
    /// Absent: `true`.
    enabled: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEventRules {
    /// Absent: none.
    #[serde(default)]
    #[schemars(length(max = MOST_RULES))]
    mutes: Vec<crate::model::Mute>,
    /// The first that holds decides. Absent: none.
    #[serde(default)]
    #[schemars(length(max = MOST_RULES))]
    priorities: Vec<crate::model::PriorityRule>,
    /// As they were read; passed over.
    revision: Option<u64>,
    /// As it was read; passed over.
    updated_at: Option<crate::model::Timestamp>,
}

/// A point in time: RFC 3339, or milliseconds since 1970 UTC.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Moment(
    #[schemars(regex(pattern = r"^([0-9]{1,15}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z)$"))] String,
);

/// An id, alone or with its kind before it.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Resource(
    #[schemars(regex(
        pattern = r"^((cluster|project|worker|net|host):)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
    ))]
    String,
);

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct EventTypes(#[schemars(regex(pattern = r"^[a-z._]{1,60}\*?(,[a-z._]{1,60}\*?)*$"))] String);

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Jsonl,
    Csv,
}
