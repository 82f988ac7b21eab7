//! Hosts, their commands, pipelines and pull requests.

use crate::{
    model::{Command, CommandStatus, Done, Host, Pipeline, Repository, lifecycle::PipelineAction},
    server::api::{
        commands, hosts as doors,
        openapi::{Operation, bodies, delete, get, group, post},
        pipelines as pipeline, pull_requests as requests,
    },
};

pub fn hosts() -> Vec<Operation> {
    let all = vec![
        get("/api/hosts", "All hosts", doors::list).ok::<Vec<Host>>("The rows.").position().ids().pages().etag(),
        get("/api/hosts/{id}", "A host", doors::show)
            .ok::<Host>("The row.")
            .position()
            .answer_header("ETag", "Its `state_revision`, for `If-Match`.")
            .errors(&[404]),
        post("/api/hosts", "Add a host", doors::create)
            .says("The answer has its `token`, this once: a repetition with the same `Idempotency-Key` answers without it.")
            .body::<bodies::NewHost>()
            .created::<Done>("It is there, with its token.")
            .acts(),
        delete("/api/hosts/{id}", "Delete a host", doors::delete)
            .says("Its agent is told to stop, its commands end.")
            .ok::<Done>("It is gone.")
            .guarded(),
        post("/api/hosts/{id}/token", "Make a new token for a host", doors::issue_token)
            .says("The agent with the old one is cut off.")
            .ok::<Done>("The new token.")
            .guarded(),
        delete("/api/hosts/{id}/token", "Revoke a host's token", doors::revoke_token)
            .says("The agent with it is cut off.")
            .ok::<Done>("No agent can speak for it now.")
            .guarded(),
        post("/api/hosts/{id}/refresh", "Ask a host for a report", doors::refresh)
            .says("Waits for it 10 s at most; then 504 with the last known row.")
            .ok::<doors::Refreshed>("The row after the report.")
            .guarded()
            .reaches_machine(),
        get("/api/hosts/{id}/commands", "The commands of a host", commands::of_host)
            .says("The newest first, in pages of 50.")
            .query::<uuid::Uuid>("cursor", "The last `next`.")
            .query::<CommandStatus>("status", "Only those.")
            .query::<bodies::Kind>("kind", "Only those.")
            .ok::<commands::History>("A page.")
            .errors(&[404]),
    ];
    group("Hosts", all)
}

pub fn commands() -> Vec<Operation> {
    let all = vec![
        get("/api/commands", "Commands", commands::list)
            .says("Those that are not over and the newest 200 of the others.")
            .query::<uuid::Uuid>("host_id", "Only those of this host.")
            .query::<CommandStatus>("status", "Only those.")
            .ok::<Vec<Command>>("The rows.")
            .position()
            .ids()
            .pages()
            .etag(),
        get("/api/commands/{id}", "A command", commands::show)
            .ok::<Command>("The row.")
            .position()
            .answer_header("ETag", "Its `revision`.")
            .errors(&[404]),
        post("/api/commands", "Run a command on hosts", commands::run)
            .body::<bodies::NewCommands>()
            .created::<Done>("They are queued.")
            .acts()
            .errors(&[404]),
        post("/api/commands/{id}/cancel", "Cancel a command", commands::cancel)
            .says("At once while it waits, by its agent once it was sent.")
            .ok::<Done>("It is over, or will be.")
            .acts()
            .errors(&[404]),
        get("/api/commands/{id}/output", "The output of a command", commands::output)
            .says("The very bytes, from an offset to what is stored now.")
            .query::<u64>("offset", "Where to begin; 0 where it is absent.")
            .query::<String>("download", "As a file to keep.")
            .text("text/plain", "The bytes. Gaps are left out.")
            .answer_header("X-Muster-Next-Offset", "The `offset` of the next request.")
            .answer_header("X-Muster-Is-Over", "Whether nothing can follow.")
            .answer_header("X-Muster-Gaps", "`offset+size` of the first 50 gaps, with commas between.")
            .answer_header("X-Muster-Gap-Bytes", "How many bytes are missing in all.")
            .errors(&[404]),
    ];
    group("Commands", all)
}

pub fn pipelines() -> Vec<Operation> {
    let all = vec![
        get("/api/pipelines", "Pipelines", pipeline::list)
            .says("Those that go on and the newest of the others; newest first.")
            .ok::<Vec<Pipeline>>("The rows.")
            .position()
            .ids()
            .pages()
            .etag(),
        get("/api/pipelines/{id}", "A pipeline", pipeline::show).ok::<Pipeline>("The row.").errors(&[404]),
        post("/api/pipelines", "Start a pipeline", pipeline::start)
            .says("The same commands on several hosts, in stages.")
            .body::<bodies::NewPipeline>()
            .created::<Done>("It runs.")
            .acts()
            .errors(&[404]),
        pipeline::act("/api/pipelines/{id}/pause", "Pause a pipeline", PipelineAction::Pause),
        pipeline::act("/api/pipelines/{id}/resume", "Go on with a pipeline", PipelineAction::Resume),
        pipeline::act("/api/pipelines/{id}/cancel", "Cancel a pipeline", PipelineAction::Cancel),
    ];
    group("Pipelines", all)
}

pub fn pull_requests() -> Vec<Operation> {
    let all = vec![
        get("/api/pull-requests", "Open pull requests", requests::list)
            .says("As GitHub said at `checked_at`.")
            .ok::<requests::Listed>("The rows, and how old they are."),
        post("/api/pull-request/merge", "Merge a pull request", requests::merge)
            .body::<bodies::Merge>()
            .ok::<Done>("It is merged.")
            .acts()
            .errors(&[404, 502, 504]),
        get("/api/repository", "What the hosts should be", requests::repository)
            .ok::<Option<Repository>>("`null` where no repository is configured, or before the first look."),
    ];
    group("Pull requests", all)
}
