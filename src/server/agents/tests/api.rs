//! The routes of hosts and commands.

use super::agent::*;
use crate::{
    agent::protocol::{Found, FromAgent, Report, ToAgent},
    model::{CompartmentStatus, Outcome},
    server::actions::tests::harness::*,
};
use axum::http::{Method, StatusCode};

#[tokio::test]
async fn a_refresh_answers_with_a_report_newer_than_the_request() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    let path = format!("/api/hosts/{}/refresh", stage.host);
    let (answer, ()) = tokio::join!(stage.console.ask(ANA, Method::POST, &path, ""), async {
        let ToAgent::Refresh { refresh_id } = agent.hears().await else { panic!("a refresh is asked for") };
        let git = Found { status: CompartmentStatus::Outdated, message: "3 behind".to_owned(), age_ms: 0 };
        let generation = Some("abc1234".to_owned());
        let refresh_id = Some(refresh_id);
        agent
            .says(FromAgent::Report(Report { refresh_id, git: Some(git), generation, ..Report::default() }))
            .await;
    });
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    // Seed 003's words.
    assert_eq!(answer.body["online"], true);
    assert_eq!(answer.body["generation"], "abc1234");
    assert_eq!(answer.body["agent_version"], "0.0.1");
    assert_eq!(answer.body["host_id"], stage.host.to_string());
    assert_eq!(answer.body["agent_outdated"], true);
    assert_eq!(answer.body["update_status"]["git"]["status"], "outdated");
    assert!(answer.body["update_status"]["git"]["checked_at"].is_u64());
    assert!(answer.body["pending_pr"].is_null());
    assert_eq!(answer.body["host"]["compartments"]["git"]["message"], "3 behind");
}

#[tokio::test]
async fn a_refresh_that_is_not_answered_says_what_was_known_last() {
    let stage = Stage::new().await;
    let path = format!("/api/hosts/{}/refresh", stage.host);
    let new = stage.console.ask(ANA, Method::POST, &path, "").await;
    assert_eq!((new.status, new.body["code"].as_str()), (StatusCode::CONFLICT, Some("host_state")));
    let _agent = stage.agent(vec![]).await;
    let silent = stage.console.ask(ANA, Method::POST, &path, "").await;
    assert_eq!(silent.status, StatusCode::GATEWAY_TIMEOUT, "{}", silent.text);
    assert_eq!(silent.body["current"]["id"], stage.host.to_string());
    assert_eq!(silent.body["current"]["online"], true);
}

#[tokio::test]
async fn an_empty_list_of_hosts_never_means_all_and_one_refusal_refuses_all() {
    let stage = Stage::new().await;
    let _agent = stage.agent(vec![]).await;
    let run = async |hosts: &str, kind: &str| {
        let body = format!(r#"{{"host_ids":[{hosts}],"kind":"{kind}"}}"#);
        stage.console.ask(ANA, Method::POST, "/api/commands", &body).await
    };
    let empty = run("", "test").await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert!(empty.detail().contains("never means all"), "{}", empty.detail());
    let new = stage.console.ask(EVA, Method::POST, "/api/hosts", r#"{"name":"beta"}"#).await;
    let (alpha, beta) = (format!("\"{}\"", stage.host), new.body["host"]["id"].to_string());
    let mixed = run(&format!("{alpha},{beta}"), "test").await;
    assert_eq!(mixed.status, StatusCode::CONFLICT, "{}", mixed.text);
    assert!(mixed.detail().contains("beta"), "{}", mixed.detail());
    let unknown = run(&format!("{alpha},{beta}"), "format-disk").await;
    assert!(unknown.detail().contains("alpha") && unknown.detail().contains("beta"), "{}", unknown.detail());
    assert_eq!(stage.console.fleet().commands().len(), 0);
    assert_eq!(run(&alpha, "No Kind").await.status, StatusCode::BAD_REQUEST);
    let twice = run(&format!("{alpha},{alpha}"), "test").await;
    assert_eq!(twice.body["commands"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_history_of_a_host_comes_in_pages_and_by_status_and_kind() {
    let stage = Stage::new().await;
    let mut agent = stage.agent(vec![]).await;
    for n in 0..55 {
        let command = stage.run(if n % 2 == 0 { "test" } else { "pull" }).await;
        assert_eq!(agent.hears_run().await, command);
        agent.ends(command, Outcome::Exited { code: n % 2 }, 0).await;
        agent.hears_settled(command).await;
    }
    let get = async |query: String| {
        let path = format!("/api/hosts/{}/commands{query}", stage.host);
        let answer = stage.console.ask(ANA, Method::GET, &path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let ids: Vec<String> =
            answer.body["commands"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
        (ids, answer.body["next"].clone())
    };
    let (first, next) = get(String::new()).await;
    let (second, end) = get(format!("?cursor={}", next.as_str().unwrap())).await;
    assert_eq!((first.len(), second.len(), end.is_null()), (50, 5, true));
    let all: Vec<_> = first.iter().chain(&second).collect();
    assert!(all.is_sorted_by(|a, b| a > b), "newest first, none twice");
    assert_eq!(get("?kind=pull".to_owned()).await.0.len(), 27);
    assert_eq!(get("?status=succeeded&kind=test".to_owned()).await.0.len(), 28);
    assert_eq!(get("?status=succeeded&kind=pull".to_owned()).await.0.len(), 0);
    let listed = stage.console.ask(ANA, Method::GET, "/api/commands?status=failed", "").await;
    assert_eq!(listed.body.as_array().unwrap().len(), 27);
    let wrong = stage.console.ask(ANA, Method::GET, "/api/commands?status=done", "").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn figures_say_how_many_agents_and_commands_there_are() {
    let stage = Stage::new().await;
    let _agent = stage.agent(vec![]).await;
    stage.run("test").await;
    let text = stage.console.ask(EVA, Method::GET, "/metrics", "").await.text;
    for line in
        ["muster_agents 1\n", "muster_commands{status=\"queued\"} 1\n", "muster_command_output_bytes_total "]
    {
        assert!(text.contains(line), "{line}");
    }
}
