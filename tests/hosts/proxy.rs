//! A network between agents and the console that breaks when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub struct Proxy {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    /// Connections that it broke.
    pub broken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Passes everything on. The n-th connection breaks once its client has sent `cuts[n]` bytes, wherever in a frame that is; those
    /// after them hold.
    pub async fn start(console: &str, cuts: &'static [u64]) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let console = console.trim_start_matches("http://").to_owned();
        let broken = Arc::new(AtomicUsize::new(0));
        let counted = broken.clone();
        let task = tokio::spawn(async move {
            let mut cuts = cuts.iter().copied();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&console).await else { continue };
                tokio::spawn(pass(client, server, cuts.next(), counted.clone()));
            }
        });
        Proxy { url, broken, task }
    }

    pub fn broken(&self) -> usize {
        self.broken.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, cut: Option<u64>, broken: Arc<AtomicUsize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = async {
        match cut {
            None => _ = copy(&mut from_client, &mut to_server).await,
            Some(bytes) => {
                let sent = copy(&mut (&mut from_client).take(bytes), &mut to_server).await;
                if sent.is_ok_and(|sent| sent == bytes) {
                    broken.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    };
    tokio::select! {
        () = up => {}
        _ = copy(&mut from_server, &mut to_client) => {}
    }
    // Both ends are dropped here; whoever ended it, the other side sees it.
    _ = to_server.shutdown().await;
}
