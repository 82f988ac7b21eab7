//! Clusters, projects, workers and nets.

use crate::{
    model::{Build, Cluster, Done, Net, NetId, NetRequest, Project, Trend, VersionRow, Worker, WorkerAction},
    petri::{graph::NetGraph, report::BuildReport},
    server::api::{
        builds, clusters, history, nets,
        openapi::{Operation, bodies, delete, get, group, patch, post, put},
        projects, rows,
        workers::{self, act},
    },
};

pub fn clusters() -> Vec<Operation> {
    group(
        "Clusters",
        vec![
            get("/api/clusters", "All clusters", rows::clusters)
                .ok::<Vec<Cluster>>("The rows.")
                .position()
                .ids()
                .pages()
                .etag(),
            post("/api/clusters", "Create a cluster", clusters::create)
                .body::<bodies::NewCluster>()
                .created::<Done>("It is there.")
                .acts(),
            get("/api/clusters/{id}", "A cluster", clusters::show)
                .ok::<Cluster>("The row.")
                .position()
                .answer_header("ETag", "Its `revision`, for `If-Match`.")
                .errors(&[404]),
            patch("/api/clusters/{id}", "Rename a cluster", clusters::rename)
                .body::<bodies::Renamed>()
                .ok::<Done>("The row as it is now.")
                .guarded(),
            delete("/api/clusters/{id}", "Delete an empty cluster", clusters::delete)
                .ok::<Done>("It is gone.")
                .acts()
                .errors(&[404]),
        ],
    )
}

pub fn projects() -> Vec<Operation> {
    group(
        "Projects",
        vec![
            get("/api/projects", "All projects", rows::projects)
                .ok::<Vec<Project>>("The rows.")
                .position()
                .ids()
                .pages()
                .etag(),
            get("/api/projects/{id}", "A project", projects::show)
                .ok::<Project>("The row.")
                .position()
                .answer_header("ETag", "Its `revision`, for `If-Match`.")
                .errors(&[404]),
            post("/api/projects", "Create a project", projects::create)
                .body::<bodies::NewProject>()
                .created::<Done>("It is there.")
                .acts(),
            patch("/api/projects/{id}", "Change a project", projects::edit)
                .body::<bodies::EditProject>()
                .ok::<Done>("The row as it is now.")
                .guarded(),
            delete("/api/projects/{id}", "Delete an empty project", projects::delete)
                .ok::<Done>("It is gone.")
                .acts()
                .errors(&[404]),
        ],
    )
}

pub fn workers() -> Vec<Operation> {
    let all = vec![
        get("/api/workers", "All workers", workers::list)
            .ok::<Vec<Worker>>("The rows.")
            .position()
            .ids()
            .pages()
            .etag(),
        get("/api/workers/{id}", "A worker", workers::show)
            .ok::<Worker>("The row.")
            .position()
            .answer_header("ETag", "Its `state_revision`, for `If-Match`.")
            .errors(&[404]),
        post("/api/workers", "Create a worker", workers::create)
            .says("A record only: `provision` starts its machine.")
            .body::<bodies::NewWorker>()
            .created::<Done>("It is there.")
            .acts()
            .errors(&[404]),
        get("/api/workers/{id}/token", "The token of an external worker", workers::token)
            .says("What its process is started with. Who asked is in the audit log.")
            .ok::<workers::Token>("The token.")
            .errors(&[404, 409]),
        get("/api/workers/{id}/history", "A worker's last hour", history::show)
            .says("CPU, memory and firings per second; `null` where it was not heard.")
            .ok::<Trend>("The figures.")
            .errors(&[404]),
        act("/api/workers/{id}/provision", "Start a worker's machine", WorkerAction::Provision),
        act("/api/workers/{id}/start", "Start a stopped worker", WorkerAction::Start),
        act("/api/workers/{id}/stop", "Stop a persistent worker", WorkerAction::Stop),
        act("/api/workers/{id}/destroy", "Destroy a worker's machine", WorkerAction::Destroy),
        act("/api/workers/{id}/refresh", "Check a worker", WorkerAction::Refresh),
        act("/api/workers/{id}/undo-delete", "Take a worker's deletion back", WorkerAction::UndoDelete),
        delete("/api/workers/{id}", "Delete a worker", workers::delete)
            .says("In 10 s, with its machine; its nets are unassigned. Until then it can be taken back.")
            .ok::<Done>("The row as it is now: its operation waits.")
            .guarded()
            .reaches_machine(),
    ];
    group("Workers", all)
}

pub fn nets() -> Vec<Operation> {
    let acts = |operation: Operation| {
        operation
            .ok::<Done>("It is done, or goes on: the row's `operation` says so.")
            .guarded()
            .reaches_machine()
    };
    let all = vec![
        get("/api/nets", "All nets", nets::list).ok::<Vec<Net>>("The rows.").position().ids().pages().etag(),
        get("/api/nets/{id}", "A net", nets::show)
            .ok::<Net>("The row.")
            .position()
            .answer_header("ETag", "Its `state_revision`, for `If-Match`.")
            .errors(&[404]),
        get("/api/nets/{id}/graph", "The drawing of a net", nets::graph)
            .says("Positions, arcs, initial marking.")
            .ok::<NetGraph>("The drawing.")
            .etag()
            .errors(&[404]),
        get("/api/nets/{id}/definition", "The PNML file of a net", nets::definition)
            .text("application/xml", "The very file that was added.")
            .errors(&[404]),
        put("/api/nets/{id}/definition", "Change a net", nets::change)
            .says("Makes a new version. It is in force at once unless the net is on a worker; there it is as it was until it is unloaded or loaded anew.")
            .body::<bodies::ChangedNet>()
            .or_form::<bodies::ChangedNetForm>()
            .ok::<Done>("The row as it is now.")
            .guarded()
            .errors(&[413, 422]),
        get("/api/nets/{id}/versions", "The versions of a net", nets::versions)
            .says("Newest first, each with how its build stands.")
            .ok::<Vec<VersionRow>>("The versions.")
            .errors(&[404]),
        get("/api/nets/{id}/versions/{n}/pnml", "The PNML file of a version", nets::version)
            .path::<bodies::Version>("n", "The number of the version.")
            .text("application/xml", "The very file that was added.")
            .errors(&[400, 404]),
        get("/api/nets/{id}/report", "What a build found", nets::report)
            .says("Verdicts, invariants and structure; places and transitions are numbered from 0 in the order of the file. `report` is `null` unless the version was built.")
            .query::<bodies::Version>("version", "A version of the net. Absent: the newest.")
            .ok::<Option<BuildReport>>("What it found; `null` where the version was never built.")
            .errors(&[400, 404]),
        post("/api/nets/{id}/build", "Build a net anew", nets::build)
            .says("The newest version, though it was built before.")
            .ok::<Done>("It is queued.")
            .acts()
            .errors(&[404]),
        get("/api/builds", "Builds", builds::list)
            .says("Newest first: those of a net, or those that are not over and the last hundred of the others.")
            .query::<NetId>("net_id", "Only the builds of this net, all that there ever were.")
            .ok::<Vec<Build>>("The rows.")
            .position()
            .ids()
            .pages()
            .etag()
            .errors(&[404]),
        get("/api/builds/{id}", "A build", builds::show)
            .ok::<Build>("The row.")
            .position()
            .answer_header("ETag", "Its `revision`.")
            .errors(&[404]),
        post("/api/nets", "Add a net", nets::create)
            .says("JSON, or a form with the file.")
            .body::<bodies::NewNet>()
            .or_form::<bodies::NewNetForm>()
            .created::<Done>("It is there.")
            .acts()
            .errors(&[404, 413, 422]),
        acts(
            post("/api/nets/{id}/assign", "Assign a net to a worker", nets::assign).body::<bodies::Assign>(),
        ),
        acts(
            post("/api/nets/{id}/move", "Move a net to another project", nets::move_to)
                .body::<bodies::MoveNet>(),
        ),
        acts(nets::plain("/api/nets/{id}/unassign", "Unassign a net", NetRequest::Unassign)),
        acts(
            post("/api/nets/{id}/load", "Load a net on its worker", nets::load)
                .says("The newest version, or the one that is named. A version whose build failed is refused.")
                .body::<bodies::Load>(),
        ),
        acts(nets::plain("/api/nets/{id}/unload", "Unload a net", NetRequest::Unload)),
        acts(post("/api/nets/{id}/run", "Run a net", nets::run).body::<bodies::Run>()),
        acts(nets::plain("/api/nets/{id}/stop", "Stop a net", NetRequest::Stop)),
        acts(nets::plain("/api/nets/{id}/step", "Fire one transition", NetRequest::Step)),
        acts(nets::plain("/api/nets/{id}/reset", "Go back to the initial marking", NetRequest::Reset)),
        acts(post("/api/nets/{id}/inject", "Add tokens to a place", nets::inject).body::<bodies::Inject>()),
        acts(nets::plain("/api/nets/{id}/undo-delete", "Take a net's deletion back", NetRequest::UndoDelete)),
        acts(
            delete("/api/nets/{id}", "Delete a net", nets::delete)
                .says("In 10 s; it must not be loaded. Until then it can be taken back."),
        ),
    ];
    group("Nets", all)
}
