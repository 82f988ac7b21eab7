//! How often lists may be asked for, and who may read the console's figures.

use crate::harness::{Server, until};
use crate::replica::Follower;
use reqwest::{Method, StatusCode};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_for_thirty_requests_a_minute_and_say_when_to_come_back() {
    let server = Server::start(&[]).await;
    for path in ["/api/workers", "/api/nets?ids=", "/api/clusters", "/api/projects", "/api/state"] {
        let mut passed = 0;
        let refused = loop {
            let answer = server.get(path).await;
            if answer.status() != StatusCode::OK {
                break answer;
            }
            passed += 1;
            assert!(passed <= 32, "{path} is not limited");
        };
        // One more is there each 2 s, however long these took.
        assert!(passed >= 30, "{path}: {passed}");
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=2).contains(&wait), "{wait}");
    }
    let id = server.get("/api/nets/nonsense").await;
    assert_eq!(id.status(), StatusCode::BAD_REQUEST, "single rows are not limited");
    assert!(server.metric("muster_lists_refused_total").await >= 5.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_for_administrators_unless_they_are_made_public() {
    let server = Server::start(&[]).await;
    let anybody =
        |server: &Server| server.http.request(Method::GET, format!("{}/metrics", server.url)).send();
    assert_eq!(anybody(&server).await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let follower = Follower::start(&server.url, &server.cookie);
    until("a stream", async || follower.seen().connected).await;
    server.create_worker("w").await;
    until("its delta", async || !follower.seen().latencies.is_empty()).await;
    let version = follower.seen().version.unwrap() as f64;
    assert_eq!(server.metric("muster_stream_clients").await, 1.0);
    assert_eq!(server.metric("muster_journal_version").await, version);
    assert_eq!(server.metric("muster_stream_resyncs_total{reason=\"new\"}").await, 1.0);
    assert!(server.metric("muster_delta_lag_seconds_count").await >= 1.0);
    assert!(server.metric("muster_stream_frames_sent_total").await >= 1.0);
    assert!(server.metric("muster_stream_bytes_sent_total").await >= 500.0);

    let public = Server::start(&["--metrics-public"]).await;
    let answer = anybody(&public).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text().await.unwrap().contains("# TYPE muster_delta_lag_seconds histogram"));
}
