//! The event log, the streams of typed events, and webhooks.

use crate::{
    model::{Done, EventPage, EventRules, EventStatistics, Severity, StatisticsBy, Webhook, WebhookTested},
    server::{
        api::{
            events,
            openapi::{Operation, bodies, delete, get, group, post, put},
            webhooks,
        },
        events::tickets::Issued,
        sse::typed,
    },
};
use uuid::Uuid;

/// What the log can be asked for.
fn filtered(operation: Operation) -> Operation {
    operation
        .query::<bodies::Moment>("since", "From then on: RFC 3339, or milliseconds since 1970.")
        .query::<bodies::Moment>("until", "Before then.")
        .query::<bodies::EventTypes>(
            "type",
            "A type, or the beginning of one and `*`: `worker.*`. Several with commas between.",
        )
        .query::<Severity>(
            "severity",
            "Of exactly this severity. Several with commas between: `warning,error`.",
        )
        .query::<bodies::Resource>(
            "resource",
            "The id of what it is about, whatever that is, or with its kind before it: `worker:…`.",
        )
        .query::<Uuid>("cluster_id", "Of this cluster.")
        .query::<Uuid>("project_id", "Of this project.")
        .query::<Uuid>("worker_id", "Of this worker.")
        .query::<Uuid>("net_id", "Of this net.")
        .query::<Uuid>("host_id", "Of this host.")
        .query::<String>("q", "Words that the sentence must hold, each by its beginning.")
        .query::<bool>("acknowledged", "Only those that somebody acknowledged, or nobody.")
        .errors(&[400])
}

fn stream(operation: Operation) -> Operation {
    operation
        .query::<String>("since", "Where to go on from: an `id` that was seen, or a time.")
        .query::<Uuid>("cluster_id", "Only what is of this cluster.")
        .query::<Uuid>("project_id", "Only what is of this project.")
        .query::<Uuid>("worker_id", "Only what is of this worker.")
        .query::<Uuid>("net_id", "Only what is of this net.")
        .query::<String>("region", "Only what is of workers of this region.")
        .query::<String>("resource_type", "Only of this kind of resource: `worker`, `net`, `host` …")
        .query::<String>("ticket", "A ticket, for an `EventSource` that can send no header.")
        .header::<String>("Last-Event-ID", "The last `id` that was seen: what came after it follows.")
        .events("The stream.")
        .errors(&[400, 503])
}

pub fn events() -> Vec<Operation> {
    let all = vec![
        filtered(
            get("/api/events/history", "Search the event log", events::history)
                .says("The newest first.")
                .query::<String>("cursor", "The `next` of the page before.")
                .query::<bodies::Limit>("limit", "Events of one page.")
                .ok::<EventPage>("A page."),
        ),
        filtered(
            get("/api/events/statistics", "Count events", events::statistics)
                .query::<StatisticsBy>("by", "What they are counted by.")
                .ok::<EventStatistics>("The counts."),
        ),
        filtered(
            get("/api/events/export", "Export events", events::export)
                .query::<bodies::ExportFormat>("format", "JSON lines where it is absent.")
                .text("application/jsonl", "The events, the newest first.")
                .also("text/csv"),
        ),
        post("/api/events/acknowledge", "Acknowledge events", events::acknowledge)
            .body::<bodies::Acknowledge>()
            .ok::<Done>("They are acknowledged, by whoever was first.")
            .acts()
            .errors(&[404]),
        get("/api/events/rules", "The rules for events", events::rules)
            .ok::<EventRules>("Priorities and mutes.")
            .answer_header("ETag", "Their `revision`, for `If-Match`."),
        put("/api/events/rules", "Change the rules for events", events::set_rules)
            .body::<bodies::NewEventRules>()
            .ok::<Done>("They hold from now on.")
            .guarded(),
        stream(
            get("/api/events", "The stream of typed events", typed::events)
                .says("docs/events.md has the names. With `unnamed` the messages have no names.")
                .query::<String>("unnamed", "Messages without names, as an old dashboard wants them."),
        ),
        stream(get("/api/events/stream", "The same, for dashboards of the first kind", typed::relay)),
        stream(
            get("/api/v1/events/stream", "The same, where nets are workloads", typed::workloads)
                .query::<Uuid>("workload_id", "The same as `net_id`.")
                .query::<String>("token", "The same as `ticket`."),
        ),
        post("/api/stream-tickets", "A ticket for a stream", events::ticket)
            .says("Good once, for 60 s.")
            .ok::<Issued>("The ticket.")
            .errors(&[429]),
    ];
    group("Events", all)
}

pub fn webhooks() -> Vec<Operation> {
    group(
        "Webhooks",
        vec![
            get("/api/webhooks", "All webhooks", webhooks::list).ok::<Vec<Webhook>>("The rows."),
            post("/api/webhooks", "Add a webhook", webhooks::create)
                .body::<bodies::NewWebhook>()
                .created::<webhooks::Created>("It is there. Its secret is told this once.")
                .errors(&[400, 409]),
            get("/api/webhooks/{id}", "A webhook", webhooks::show)
                .ok::<Webhook>("The row.")
                .errors(&[400, 404]),
            put("/api/webhooks/{id}", "Change a webhook", webhooks::change)
                .body::<bodies::NewWebhook>()
                .ok::<Webhook>("The row as it is now.")
                .errors(&[400, 404]),
            delete("/api/webhooks/{id}", "Delete a webhook", webhooks::delete)
                .no_content("Its receiver is told of nothing any more.")
                .errors(&[400, 404]),
            post("/api/webhooks/{id}/test", "Test a webhook", webhooks::test)
                .says("Sends a message of type `webhook.test`.")
                .ok::<WebhookTested>("Whether it was taken.")
                .errors(&[400, 404]),
        ],
    )
}
