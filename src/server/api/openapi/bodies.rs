//! Bodies and parameters as the document describes them. Handlers read them field by field (`super::super::fields`), to say what is wrong
//! with one; the tests with schemathesis hold the two against each other.

// They are described, never made.
#![allow(dead_code)]

use crate::model::{
    HostId, ProjectId, Role, WorkerId,
    action::{CPUS, MAX_PNML_BYTES, MEMORY_MB, RATE, TOKENS},
    audit::MOST_LINES,
    name::MAX_NAME_CHARS,
    pipeline,
    rules::MOST_RULES,
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
}

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
