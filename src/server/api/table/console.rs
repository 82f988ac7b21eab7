//! Signing in, the whole state and its streams, the console itself.

use crate::{
    app::Me,
    model::Done,
    server::{
        agents,
        api::{
            health,
            openapi::{Operation, bodies, delete, get, group, page, post},
            session, state, transfer,
        },
        sse,
        transfer::file::{self, FleetFile},
    },
    sync::FullState,
};

pub fn session() -> Vec<Operation> {
    group(
        "Session",
        vec![
            post("/api/session", "Sign in", session::sign_in)
                .says("The answer sets the session cookie, which every other request carries.")
                .body::<bodies::SignIn>()
                .ok::<Me>("Who is signed in now.")
                .answer_header("Set-Cookie", "The session.")
                .errors(&[400, 401, 429]),
            get("/api/session", "Who is signed in", session::show).ok::<Me>("Who is signed in."),
            delete("/api/session", "Sign out", session::sign_out)
                .says("Open streams of the session end.")
                .no_content("The session is over.")
                .answer_header("Set-Cookie", "Removes the session."),
        ],
    )
}

pub fn state() -> Vec<Operation> {
    group(
        "State and streams",
        vec![
            get("/api/state", "The whole state with its position", state::full_state)
                .query::<u64>("at_least", "Waits up to 2 s for this version.")
                .query::<String>("since", "A position: 409 if the state does not continue it.")
                .ok::<FullState>("Everything that you may see.")
                .etag()
                .errors(&[400, 409, 503]),
            get("/api/sync", "The stream of changes", sse::sync::sync)
                .says("Server-sent events: `connected`, `init`, `delta`, `sync`, `telemetry`, `shutdown`. docs/sync.md says what the stream guarantees.")
                .query::<String>("since", "The position to go on from. `Last-Event-ID` beats it.")
                .header::<String>("Last-Event-ID", "The last `id` that was seen.")
                .events("The stream.")
                .errors(&[400, 503]),
            get("/api/watch", "The stream of a net or of a command's output", sse::watch::watch)
                .says("`net`, `command`, or both must be given.")
                .query::<uuid::Uuid>("net", "The net whose marking and firings are wanted.")
                .query::<String>("command", "The command whose output is wanted, and from which offset: `<id>:<offset>`.")
                .events("The stream.")
                .errors(&[400, 404]),
            get("/api/agent", "The connection of an agent", agents::gateway::connect)
                .says("A WebSocket, let in by the token of a host (docs/agent-protocol.md).")
                .answer(101, "The connection.", None)
                .errors(&[400, 401, 429, 503]),
        ],
    )
}

pub fn health() -> Vec<Operation> {
    group(
        "The console itself",
        vec![
            get("/healthz", "Whether the process answers", health::alive).text("text/plain", "It does."),
            get("/readyz", "Whether the database answers", health::ready)
                .text("text/plain", "It does, and the console is not going down.")
                .answer(503, "It does not, or the console is going down.", Some(health::TEXT)),
            get("/metrics", "Figures for Prometheus", health::figures)
                .says("The text format 0.0.4. Public where the console was started with --metrics-public.")
                .text("text/plain", "The figures."),
        ],
    )
}

pub fn transfer() -> Vec<Operation> {
    group(
        "The whole fleet as a file",
        vec![
            get("/api/export", "Export the fleet", transfer::export)
                .says("Clusters, projects, workers' records, nets with their definitions, rules for events. Sorted: the same fleet is the same bytes.")
                .ok::<FleetFile>("The file."),
            post("/api/import", "Import a fleet", transfer::import)
                .says("Into a console that has nothing but what it begins with; whole, or not at all. Workers arrive as `pending`, nets unloaded.")
                .body::<FleetFile>()
                .ok::<Done>("It is imported.")
                .errors(&[409, 413, 503])
                .largest_body(file::MAX_BYTES),
        ],
    )
}

pub fn document() -> Vec<Operation> {
    group(
        "The console itself",
        vec![
            get("/api/openapi.json", "This document", page::document)
                .says("OpenAPI 3.1.")
                .ok::<serde_json::Map<String, serde_json::Value>>("The document.")
                .etag(),
            get("/api/docs", "This document to be read", page::show).text("text/html", "A page."),
        ],
    )
}
