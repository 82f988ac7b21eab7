//! What a stream tells the proxies on its way.

use crate::harness::{Server, within};
use futures::StreamExt;
use reqwest::Method;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_has_a_reason_to_hold_a_stream_back() {
    let server = Server::start(&[]).await;
    let net = server.get_json("/api/nets").await[0]["id"].as_str().unwrap().to_owned();
    for path in ["/api/sync".to_owned(), format!("/api/watch?net={net}")] {
        let request = server.request(Method::GET, &path).header("accept-encoding", "gzip, br, zstd, deflate");
        let answer = within(&path, request.send()).await.unwrap();
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "text/event-stream", "{path}");
        assert_eq!(headers["cache-control"], "no-store, no-transform", "{path}");
        assert_eq!(headers["x-accel-buffering"], "no", "{path}");
        for absent in ["content-encoding", "content-length"] {
            assert!(!headers.contains_key(absent), "{path}: {absent}");
        }
        let first = within("the first bytes", answer.bytes_stream().next()).await.unwrap().unwrap();
        assert!(first.starts_with(b"retry: "), "{path}: {first:?}");
    }
    let state = server.request(Method::GET, "/api/state").header("accept-encoding", "gzip").send();
    let state = within("the state", state).await.unwrap();
    assert_eq!(state.headers()["content-encoding"], "gzip", "what is not a stream is compressed");
}
