//! Connections as the console accepts them: none is held open for a client that takes nothing.

use super::metrics::METRICS;
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use socket2::SockRef;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::Sleep,
};

/// A client that takes nothing for this long while something waits for it is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that wait in the kernel unsent for one connection. More would hide a slow client from its queue, where frames can be merged or
/// replaced by an `init`, and would arrive late.
const UNSENT: u32 = 128 << 10;

/// Accepts connections that end by themselves when their client takes nothing.
pub struct Impatient {
    pub listener: TcpListener,
    pub patience: Duration,
}

impl Listener for Impatient {
    type Io = Connection<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection<TcpStream>, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = tune(&stream, self.patience) {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
        (Connection { stream, patience: self.patience, deadline: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Listener::local_addr(&self.listener)
    }
}

/// The other end of a connection, as the kernel says: behind a proxy, that is the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Impatient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Impatient>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

fn tune(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    // A frame is a whole message: nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    #[cfg(target_os = "linux")]
    {
        // A machine that vanished acknowledges nothing: its connection ends as well, though the kernel still takes our bytes.
        socket.set_tcp_user_timeout(Some(patience))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, patience, UNSENT);
    Ok(())
}

/// A connection whose writes fail once none has made progress for a while.
pub struct Connection<S> {
    stream: S,
    patience: Duration,
    /// Runs while a write waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    fn waited<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let patience = self.patience;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if deadline.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.deadline = None;
        METRICS.pruned();
        tracing::info!(?patience, "a client took nothing for too long; its connection is closed");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.waited(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.waited(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (patience, slow) = (Duration::from_millis(400), Duration::from_millis(100));
        let (stream, mut client) = tokio::io::duplex(8);
        let mut connection = Connection { stream, patience, deadline: None };
        connection.write_all(b"12345678").await.unwrap();
        let began = tokio::time::Instant::now();
        let reads = tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(slow).await;
                client.read_u8().await.unwrap();
            }
            client
        });
        // Five bytes find room, one each time something is read: together longer than the patience.
        let error = connection.write_all(b"abcdef").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= 5 * slow + patience, "{:?}", began.elapsed());
        drop(reads.await.unwrap());
    }
}
