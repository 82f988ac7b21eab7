//! Labs.

use crate::{
    model::{Done, Lab, LabAction},
    server::api::{
        labs::{self, act},
        openapi::{Operation, bodies, delete, get, group, post, put},
    },
};

pub fn labs() -> Vec<Operation> {
    let acts = |operation: Operation| {
        operation.ok::<Done>("It is done; the row's history says so.").guarded().reaches_machine()
    };
    let all = vec![
        get("/api/labs", "All labs", labs::list)
            .ok::<Vec<Lab>>("The rows.")
            .position()
            .ids()
            .pages()
            .etag(),
        get("/api/labs/{id}", "A lab", labs::show)
            .ok::<Lab>("The row.")
            .position()
            .answer_header("ETag", "Its `revision`, for `If-Match`.")
            .errors(&[404]),
        get("/api/labs/{id}/results", "What a lab has found", labs::results)
            .says("Of one that works: up to now, if its worker answers. Of others: what was kept. `null`: nothing yet.")
            .ok::<Option<bodies::LabReport>>("The figures, and as of when.")
            .errors(&[404]),
        post("/api/labs", "Make a lab", labs::create)
            .says("A private copy of a net on a worker that is ready, with what is to be tried.")
            .body::<bodies::NewLab>()
            .created::<Done>("It is there.")
            .acts()
            .reaches_machine()
            .errors(&[404, 422]),
        acts(act("/api/labs/{id}/start", "Start a lab", LabAction::Start))
            .says("One that was stopped goes on; one that was lost is made anew."),
        acts(act("/api/labs/{id}/stop", "Stop a lab", LabAction::Stop)),
        acts(act("/api/labs/{id}/wipe", "Forget what a lab counted", LabAction::Wipe)),
        acts(delete("/api/labs/{id}", "Delete a lab", labs::delete))
            .says("At once, with what it has found."),
        post("/api/workers/{id}/labs/refresh", "Ask a worker for its labs", labs::refresh)
            .says("Once in 10 s and worker.")
            .ok::<Done>("The rows are as it says.")
            .errors(&[400, 404, 409, 429, 503])
            .reaches_machine(),
        put("/api/clusters/{id}/lab-sync", "How often workers are asked for their labs", labs::set_sync)
            .body::<bodies::LabSync>()
            .ok::<Done>("The row as it is now.")
            .acts()
            .errors(&[404]),
    ];
    group("Labs", all)
}
