//! SIGTERM while a thousand clients listen.

use crate::harness::{Server, until};
use crate::replica::Follower;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_do_not_hold_up_the_shutdown_and_come_back_spread_out() {
    let mut server = Server::start(&[]).await;
    let clients: Vec<Follower> = (0..CLIENTS).map(|_| Follower::start(&server.url, &server.cookie)).collect();
    let all = |is_so: &dyn Fn(&Follower) -> bool| clients.iter().all(is_so);
    until("all are connected", async || all(&|client| client.seen().connected)).await;
    assert_eq!(server.metric("muster_stream_clients").await as usize, CLIENTS);

    let (stopped, took) = (Instant::now(), server.terminate().await);
    println!("SIGTERM with {CLIENTS} open streams: gone after {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    server.restart().await;
    until("all have heard of it", async || all(&|client| client.seen().shutdowns == 1)).await;
    until("all are back", async || all(&|client| client.seen().connected && client.seen().streams.len() > 1))
        .await;

    let mut back: Vec<Duration> =
        clients.iter().map(|client| client.seen().streams[1].duration_since(stopped)).collect();
    back.sort_unstable();
    let window = Duration::from_millis(100);
    let most = back
        .iter()
        .map(|from| back.partition_point(|at| *at < *from + window) - back.partition_point(|at| at < from))
        .max()
        .unwrap();
    println!(
        "comebacks: first after {:?}, last after {:?}, at most {most} within {window:?}",
        back[0],
        back[CLIENTS - 1]
    );
    assert!(most <= CLIENTS / 10, "{most} came back within {window:?}");
    for client in &clients {
        let seen = client.seen();
        assert_eq!((&seen.wrong, seen.inits), (&Vec::new(), 1), "they resume");
    }
}
