//! What the API says of requests it cannot read.

use super::harness::*;
use crate::{
    model::{WorkerStatus, action::MAX_PNML_BYTES},
    server::supervise::tests::fixtures::*,
};
use axum::http::{Method, StatusCode};
use serde_json::json;

const EMPTY: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="p"/></net></pnml>"#;
const ONE_PLACE: &str = r#"<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml"><net id="n" type="http://www.pnml.org/version-2009/grammar/ptnet"><page id="p"><place id="a"/></page></net></pnml>"#;

async fn console() -> Console {
    Console::with(health([held(1)]), worker(WorkerStatus::Ready), vec![], vec![net(1)]).await
}

#[tokio::test]
async fn a_wrong_value_is_named_with_its_field_and_its_bounds() {
    let console = console().await;
    let worker = |field: &str, value: serde_json::Value| {
        let mut body =
            json!({"name": "w2", "cluster_id": CLUSTER, "category": "ephemeral", "cpus": 1, "memory_mb": 64});
        body[field] = value;
        body.to_string()
    };
    let (workers, net) = ("/api/workers".to_owned(), format!("/api/nets/{}", net_id(1)));
    for (path, body, said) in [
        (&workers, worker("cpus", json!(-1)), "cpus must be a whole number from 1 to 256; it is -1."),
        (&workers, worker("cpus", json!(70000)), "cpus must be a whole number from 1 to 256; it is 70000."),
        (
            &workers,
            worker("memory_mb", json!("much")),
            "memory_mb must be a whole number from 16 to 1048576; it is \"much\".",
        ),
        (
            &workers,
            worker("category", json!("eternal")),
            "category must be ephemeral or persistent; it is \"eternal\".",
        ),
        (&workers, worker("cluster_id", json!(1)), "cluster_id must be the id of a cluster; it is 1."),
        (&workers, worker("name", json!(null)), "The body has no field \"name\"."),
        (&workers, "[]".to_owned(), "The body must be a JSON object; it is a list."),
        (
            &format!("{net}/run"),
            json!({"rate": -3}).to_string(),
            "rate must be a whole number from 0 to 10000000; it is -3.",
        ),
        (
            &format!("{net}/inject"),
            json!({"place": "p", "tokens": 0}).to_string(),
            "tokens must be a whole number from 1 to 9007199254740992; it is 0.",
        ),
    ] {
        let answer = console.ask(ANA, Method::POST, path, &body).await;
        assert_eq!((answer.status, answer.detail()), (StatusCode::BAD_REQUEST, said), "{body}");
    }
    // The same of a form.
    let form = format!("name=w2&cluster_id={CLUSTER}&category=ephemeral&cpus=-1&memory_mb=64");
    let answer = console.ask(ANA, Method::POST, "/do/create-worker", &form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.detail(), "cpus must be a whole number from 1 to 256; it is -1.");
    let answer = console.ask(ANA, Method::POST, "/do/worker", "id=7&action=explode").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert!(!answer.detail().contains("variant") && !answer.detail().contains("expected"), "{}", answer.text);
    console.close().await;
}

#[tokio::test]
async fn what_is_not_there_answers_in_json() {
    let console = console().await;
    for (method, path, status, code) in [
        (Method::GET, "/api/nothing", StatusCode::NOT_FOUND, "no_such_route"),
        (Method::POST, "/api/workers/a/b/c", StatusCode::NOT_FOUND, "no_such_route"),
        (Method::PUT, "/api/workers", StatusCode::METHOD_NOT_ALLOWED, "no_such_method"),
    ] {
        let answer = console.ask(ANA, method, path, "").await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (status, Some(code)),
            "{path}: {}",
            answer.text
        );
    }
    console.close().await;
}

#[tokio::test]
async fn names_that_read_the_same_are_the_same() {
    let console = console().await;
    let worker = |name: &str| {
        json!({"name": name, "cluster_id": CLUSTER, "category": "ephemeral", "cpus": 1, "memory_mb": 64})
            .to_string()
    };
    let answer = console.ask(ANA, Method::POST, "/api/workers", &worker("dup")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let answer = console.ask(ANA, Method::POST, "/api/workers", &worker("DUP")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(
        answer.detail().starts_with("There is a worker named dup in cluster local already;"),
        "{}",
        answer.text
    );

    let net = |name: &str, pnml: &str| json!({"name": name, "project_id": PROJECT, "pnml": pnml}).to_string();
    let answer = console.ask(ANA, Method::POST, "/api/nets", &net("NET-1", ONE_PLACE)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.detail().contains("named net-1 in project plant"), "{}", answer.text);
    let answer = console.ask(ANA, Method::POST, "/api/nets", &net("empty", EMPTY)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert!(answer.detail().starts_with("The net is empty: it has no places"), "{}", answer.text);
    console.close().await;
}

#[tokio::test]
async fn one_limit_and_one_sentence_for_a_file_that_is_too_large() {
    const SAID: &str = "The PNML file is larger than 16 MiB, which is the most that is taken.";
    let console = console().await;
    let large = "x".repeat(MAX_PNML_BYTES + 1);
    let form = |field: &str, content: &str| {
        let part = |name: &str, text: &str| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let project = PROJECT.to_string();
        [part("name", "n"), part("project_id", &project), part(field, content), "--edge--\r\n".to_owned()]
            .concat()
    };
    let multipart = [("content-type", "multipart/form-data; boundary=edge")];
    let vast = "x".repeat(3 * MAX_PNML_BYTES);
    let as_json = json!({"name": "n", "project_id": PROJECT, "pnml": large}).to_string();
    for (what, path, body, headers) in [
        ("JSON", "/api/nets", as_json, &[][..]),
        ("a form", "/api/nets", form("pnml", &large), &multipart[..]),
        ("a form larger than any body", "/api/nets", form("pnml", &vast), &multipart[..]),
        ("the page's form", "/do/create-net", form("file", &large), &multipart[..]),
    ] {
        let answer = console.ask_with(ANA, Method::POST, path, &body, headers).await;
        let shown: String = answer.text.chars().take(300).collect();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{what}: {shown}");
        let detail = match path.starts_with("/do/") {
            // A server function's error is the error itself.
            true => answer.body["limit_mib"].to_string(),
            false => answer.detail().to_owned(),
        };
        assert!(detail == SAID || detail == "16", "{what}: {shown}");
    }
    console.close().await;
}
