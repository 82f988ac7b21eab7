//! A client that reads nothing while ten thousand changes pass.

use crate::harness::{RING, Server, until, within};
use crate::replica::Follower;
use futures::future::join_all;
use muster::sync::{Effect, Message, Replica, sse::Parser};
use serde_json::json;
use socket2::{Domain, Socket, Type};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CHANGES: u64 = 10_000;
const READERS: usize = 8;
/// Requests under way at once, each on a net of its own.
const WRITERS: usize = 16;
/// What one such client may cost, by design: the queue's 4 MiB, once more that as the write being made of them, and the allocator's slack.
const MOST_KIB: u64 = 16 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_costs_a_bounded_amount_and_delays_nobody() {
    let server = Server::start(&[]).await;
    let worker = server.create_worker("w").await;
    server.post(&format!("/api/workers/{worker}/provision"), json!({})).await;
    let project = server.get_json("/api/projects").await[0]["id"].clone();
    let new_net = async |n| {
        let body = json!({ "name": format!("net {n}"), "project_id": project, "pnml": RING });
        server.post("/api/nets", body).await["net"]["id"].as_str().unwrap().to_owned()
    };
    let nets = join_all((0..WRITERS).map(new_net)).await;
    let readers: Vec<Follower> = (0..READERS).map(|_| Follower::start(&server.url, &server.cookie)).collect();
    until("all are connected", async || readers.iter().all(|reader| reader.seen().connected)).await;

    // Once without it: what is normal, and a process that has grown to its usual size.
    let (without, _) = pass(&server, &worker, &nets, &readers).await;
    let at = readers[0].seen().position.clone().unwrap();
    let mut replica = Replica::from_snapshot(server.state().await, Default::default(), 0);
    assert_eq!(replica.tick(0, 0.5), [Effect::Connect]);
    let mut idle = deaf_client(&server, &at).await;
    until("its stream", async || server.metric("muster_stream_clients").await as usize == READERS + 1).await;

    let before = server.memory().0;
    let (with, highest) = pass(&server, &worker, &nets, &readers).await;
    println!("p99 of {READERS} readers: {} ms without it, {} ms with it", without.0, with.0);
    println!("{CHANGES} changes: {:?} without it, {:?} with it", without.1, with.1);
    println!("server: {before} KiB before, at most {highest} KiB, {} KiB after", server.memory().0);
    assert!(highest.saturating_sub(before) < MOST_KIB, "{before} KiB grew to {highest} KiB");
    // Beside the run without it, with room for what else a shared machine does.
    assert!(with.0 <= without.0 * 2 + 50, "{} ms became {} ms", without.0, with.0);
    assert_eq!(server.metric("muster_stream_resyncs_total{reason=\"overflow\"}").await, 1.0);
    assert!(server.metric("muster_stream_queue_frames_max").await <= 1_000.0);

    // It reads again: what was on its way, then one `init`, and it is right.
    let truth = server.state().await;
    let (mut parser, mut events, mut inits) = (Parser::default(), Vec::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    within("the replica to be right", async {
        while replica.version() != Some(truth.version) {
            let read = idle.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the stream has not ended");
            parser.push(&buffer[..read], &mut events);
            for event in events.drain(..) {
                if let Some(message) = Message::parse(&event.event, &event.data) {
                    let message = message.unwrap();
                    inits += usize::from(matches!(message, Message::Init(_)));
                    replica.on_message(message, 0);
                }
            }
        }
    })
    .await;
    assert_eq!(inits, 1);
    assert_eq!(*replica.fleet(), truth.state);
    for reader in &readers {
        until("every reader to be there", async || reader.seen().version == Some(truth.version)).await;
        let seen = reader.seen();
        assert_eq!((&seen.wrong, seen.inits), (&Vec::new(), 1));
    }
}

/// The changes pass. 99th percentile of the milliseconds to the readers and the time it took; the most memory the server had, KiB.
async fn pass(
    server: &Server,
    worker: &str,
    nets: &[String],
    readers: &[Follower],
) -> ((u64, Duration), u64) {
    for reader in readers {
        reader.seen().latencies.clear();
    }
    let began = Instant::now();
    let (target, highest) =
        (server.metric("muster_journal_version").await as u64 + CHANGES, AtomicU64::new(0));
    let version = || readers[0].seen().version.unwrap_or(0);
    join_all(nets.iter().map(async |net| {
        while version() < target {
            server.post(&format!("/api/nets/{net}/assign"), json!({ "worker_id": worker })).await;
            server.post(&format!("/api/nets/{net}/unassign"), json!({})).await;
            highest.fetch_max(server.memory().0, Relaxed);
        }
    }))
    .await;
    let took = began.elapsed();
    let last = server.metric("muster_journal_version").await as u64;
    until("the last change", async || readers.iter().all(|reader| reader.seen().version >= Some(last))).await;
    let mut latencies: Vec<u64> = readers.iter().flat_map(|reader| reader.seen().latencies.clone()).collect();
    latencies.sort_unstable();
    ((latencies[latencies.len() * 99 / 100], took), highest.into_inner())
}

/// A stream from `since` whose client has asked, has room for next to nothing, and does not read.
async fn deaf_client(server: &Server, since: &str) -> tokio::net::TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let host = server.url.trim_start_matches("http://");
    socket.connect(&host.parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut stream = tokio::net::TcpStream::from_std(socket.into()).unwrap();
    let request =
        format!("GET /api/sync?since={since} HTTP/1.0\r\nHost: {host}\r\nCookie: {}\r\n\r\n", server.cookie);
    stream.write_all(request.as_bytes()).await.unwrap();
    // The head of the answer, so that what follows is the stream alone.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the head", stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&head));
    stream
}
