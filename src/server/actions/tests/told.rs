//! What is written down of who may do what: in the event log, for whom it is to be seen there, and in the audit log.

use super::{
    access::{OTHER, OURS, THEIRS, console, id_of},
    harness::*,
};
use crate::{model::ProjectId, server::supervise::tests::fixtures::*};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

/// Types and sentences of what `caller` finds in the log, newest first.
async fn found(console: &Console, caller: &str, query: &str) -> Vec<(String, String)> {
    let answer = console.ask(caller, Method::GET, &format!("/api/events/history?{query}"), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{caller} {query}: {}", answer.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = answer.body["events"].as_array().unwrap();
    events.iter().map(|event| (text(&event["type"]), text(&event["text"]))).collect()
}

async fn done(console: &Console, method: Method, path: &str, body: Value) -> Value {
    let answer = console.ask("fa", method, path, &body.to_string()).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.body
}

#[tokio::test]
async fn changes_of_users_members_tokens_webhooks_and_rules_are_in_the_log() {
    let console = console().await;
    let (post, patch) = (Method::POST, Method::PATCH);
    let new = json!({"email": "nina@example.org", "name": "Nina", "role": "viewer"});
    let nina =
        done(&console, post.clone(), "/api/users", new).await["user"]["id"].as_str().unwrap().to_owned();
    let user = format!("/api/users/{nina}");
    done(&console, patch.clone(), &user, json!({"role": "operator"})).await;
    done(&console, patch.clone(), &user, json!({"disabled": true})).await;
    done(&console, patch, &user, json!({})).await;
    let member = format!("/api/projects/{PROJECT}/members/{nina}");
    done(&console, Method::PUT, &member, json!({"role": "viewer"})).await;
    done(&console, Method::DELETE, &member, json!({})).await;
    done(&console, Method::DELETE, &user, json!({})).await;
    let token = done(&console, post.clone(), "/api/tokens", json!({"name": "ci"})).await;
    let token = format!("/api/tokens/{}", token["token"]["id"].as_str().unwrap());
    done(&console, Method::DELETE, &token, json!({})).await;
    // Once revoked, it cannot be again.
    done(&console, Method::DELETE, &token, json!({})).await;
    let plan = json!({"name": "pager", "url": "https://example.org/hook?secret"});
    let hook = done(&console, post, "/api/webhooks", plan.clone()).await["id"].as_str().unwrap().to_owned();
    done(&console, Method::PUT, &format!("/api/webhooks/{hook}"), plan).await;
    done(&console, Method::DELETE, &format!("/api/webhooks/{hook}"), json!({})).await;
    let mute = json!({"mutes": [{"type": "net.*"}]});
    done(&console, Method::PUT, "/api/events/rules", mute).await;
    let types = "type=user.*,member.*,token.*,webhook.*,rules.updated&limit=14";
    let mut all = found(&console, "fv", types).await;
    all.reverse();
    let wanted = [
        ("user.created", "User Nina was invited, with viewer in the whole fleet"),
        ("user.updated", "User Nina has operator in the whole fleet now"),
        ("user.updated", "User Nina was disabled"),
        ("member.updated", "Nina is viewer in project plant now"),
        ("member.removed", "Nina is no member of project plant any more"),
        ("user.deleted", "User Nina was deleted"),
        ("token.created", "The token ci of user fa was made"),
        ("token.revoked", "The token ci of user fa was revoked"),
        ("webhook.created", "Webhook pager was added"),
        ("webhook.updated", "Webhook pager was changed, and is on"),
        ("webhook.deleted", "Webhook pager was deleted"),
        ("rules.updated", "The rules for events were changed: 1 mute, 0 priorities"),
    ];
    // Before them, the members that the console began with.
    let all: Vec<(&str, &str)> = all.iter().map(|(kind, text)| (kind.as_str(), text.as_str())).collect();
    assert_eq!(all[all.len() - wanted.len()..], wanted);
    // Members see what is of their project and the rules, and nothing of who else is let in.
    let seen = found(&console, "pv", types).await;
    assert!(seen.iter().any(|(kind, _)| kind == "member.removed"), "{seen:?}");
    assert!(seen.iter().all(|(kind, _)| kind.starts_with("member.") || kind == "rules.updated"), "{seen:?}");
    let elsewhere = found(&console, "oo", types).await;
    assert!(elsewhere.iter().all(|(_, text)| !text.contains("plant")), "{elsewhere:?}");
}

#[tokio::test]
async fn operators_of_a_project_acknowledge_its_events_and_no_others() {
    let console = console().await;
    let id = async |caller: &str, query: &str| {
        let page = console.ask(caller, Method::GET, &format!("/api/events/history?{query}"), "").await;
        page.body["events"][0]["id"].as_u64().unwrap()
    };
    let of_net = id("po", &format!("net_id={}", net_id(OURS))).await;
    let of_worker = id("po", &format!("worker_id={WORKER}&type=worker.*")).await;
    for (caller, event, status) in [
        ("pv", of_net, 403),
        ("oo", of_net, 404),
        ("po", of_worker, 403),
        ("po", of_net, 200),
        ("fo", of_worker, 200),
    ] {
        let body = json!({"ids": [event]}).to_string();
        let answer = console.ask(caller, Method::POST, "/api/events/acknowledge", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{caller} {event}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_net_that_moves_leaves_an_entry_where_it_was_and_does_not_say_where_it_went() {
    let console = console().await;
    let path = format!("/api/nets/{}/move", net_id(OURS));
    done(&console, Method::POST, &path, json!({"project_id": OTHER})).await;
    let of = |project: ProjectId| format!("project_id={project}&type=net.updated");
    let left = found(&console, "po", &of(PROJECT)).await;
    assert_eq!(
        left,
        [("net.updated".to_owned(), format!("Net {} was moved out of project plant", "net-51"))]
    );
    let page = console.ask("po", Method::GET, "/api/events/history?type=net.updated", "").await;
    assert!(!page.text.contains(&OTHER.to_string()) && !page.text.contains("secret"), "{}", page.text);
    let came = found(&console, "oo", &of(OTHER)).await;
    assert_eq!(came.len(), 1, "{came:?}");
    assert!(came[0].1.ends_with("was moved to project secret"), "{came:?}");
    assert_eq!(found(&console, "oo", &of(PROJECT)).await, []);
    assert_ne!(net_id(OURS), net_id(THEIRS));
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page() {
    let console = console().await;
    for n in 0..5 {
        done(&console, Method::POST, "/api/tokens", json!({"name": format!("t{n}")})).await;
    }
    let refused = console.ask("po", Method::POST, "/api/tokens", &json!({"name": ""}).to_string()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let get = async |query: &str| console.ask("fa", Method::GET, &format!("/api/audit?{query}"), "").await;
    let first = get("limit=3").await.body;
    assert!(first["lines"][0]["outcome"].as_str().unwrap().starts_with("refused: "), "{first}");
    assert_eq!(first["lines"][1]["target"], "t4");
    assert_eq!(
        (&first["lines"][1]["actor"], &first["lines"][1]["action"]),
        (&json!("fa"), &json!("create token"))
    );
    let second = get(&format!("limit=3&cursor={}", first["next"])).await.body;
    assert_eq!(second["lines"][0]["target"], "t2");
    let last = get("cursor=1").await.body;
    assert_eq!(last, json!({"lines": []}));
    for wrong in ["limit=0", "limit=501", "limit=x", "cursor=-1", "cursor=0"] {
        assert_eq!(get(wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(console.ask("fo", Method::GET, "/api/audit", "").await.status, StatusCode::FORBIDDEN);
    // What was written for nobody in particular names nobody's id.
    let whole = get("").await;
    assert!(whole.body.get("next").is_none(), "{}", whole.text);
    assert!(!whole.text.contains(&id_of(13)));
}

#[tokio::test]
async fn a_cluster_of_other_machines_is_connected_once_one_was_reached() {
    let console = console().await;
    let new = json!({"name": "racks", "provider": "external"});
    let made = done(&console, Method::POST, "/api/clusters", new).await;
    assert_eq!(made["cluster"]["name"], "racks", "the answer has the row: {made}");
    assert_eq!(made["cluster"]["connection"], "unknown");
    let id = made["cluster"]["id"].as_str().unwrap();
    let kinds = async || -> Vec<String> {
        let kinds = found(&console, "fv", &format!("cluster_id={id}&type=cluster.*")).await;
        kinds.into_iter().map(|(kind, _)| kind).collect()
    };
    assert_eq!(kinds().await, ["cluster.status.updated"], "it was added, and nothing more");
    let figures = console.ask("fa", Method::GET, "/metrics", "").await.text;
    assert!(figures.contains("muster_cluster_connected{cluster=\"racks\"} 0"), "{figures}");
    let local =
        done(&console, Method::POST, "/api/clusters", json!({"name": "here", "provider": "local"})).await;
    assert_eq!(local["cluster"]["connection"], "connected");
}
