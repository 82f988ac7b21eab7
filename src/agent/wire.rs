//! The connection to a console: dialling, and frames. It knows the protocol's types and nothing of what they mean, so that a process may
//! hold thousands of them.

use super::protocol::{FromAgent, MAX_FRAME, Output, ToAgent};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        error::CapacityError,
        http::{HeaderValue, StatusCode, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};

/// Where a console listens for agents.
const PATH: &str = "api/agent";
/// Name resolution, TCP, TLS and the upgrade together.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// A frame that the network does not take for so long is not taken at all.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// Small, for a process that holds many connections: what a console says is short.
const READ_BUFFER: usize = 4 << 10;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The console's address for agents, made from the address that people know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not the address of a console: {why}. Write it as https://console.example.")]
pub struct NotAnAddress {
    url: String,
    why: &'static str,
}

impl Address {
    /// From `https://console.example`, `http://`, `wss://` or `ws://`, with or without a path below which the console is.
    pub fn of_console(url: &str) -> Result<Address, NotAnAddress> {
        let wrong = |why| NotAnAddress { url: url.chars().take(200).collect(), why };
        let parsed = reqwest::Url::parse(url.trim()).map_err(|_| wrong("it cannot be read"))?;
        let scheme = match parsed.scheme() {
            "https" | "wss" => "wss",
            "http" | "ws" => "ws",
            _ => return Err(wrong("it must begin with https://, http://, wss:// or ws://")),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("it must hold no name and no password"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(wrong("it must hold no ? and no #"));
        }
        let host = parsed.host_str().ok_or_else(|| wrong("it names no machine"))?;
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let below = parsed.path().trim_end_matches('/');
        Ok(Address(format!("{scheme}://{host}{port}{below}/{PATH}")))
    }

    /// What is sent can be read on the way.
    pub fn is_open_to_listeners(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("ws://") else { return false };
        !["127.", "localhost:", "localhost/", "[::1]"].iter().any(|here| rest.starts_with(here))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing that trying again would change.
    #[error("the console refuses this token ({0})")]
    Refused(StatusCode),
    #[error("the console answered {0} instead of a connection")]
    Answered(StatusCode),
    #[error("the token holds characters that no token has")]
    Token,
    #[error("no connection within {} s", CONNECT_WITHIN.as_secs())]
    TimedOut,
    #[error("{0}")]
    Failed(#[from] Box<tungstenite::Error>),
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the console closed the connection")]
    Closed,
    #[error("the console sent a frame of more than {} KiB", MAX_FRAME >> 10)]
    Oversized,
    #[error("the console sent what is not of this protocol: {0}")]
    Malformed(String),
    #[error("nothing could be sent for {} s", SEND_WITHIN.as_secs())]
    Stuck,
    #[error("the connection broke: {0}")]
    Failed(#[from] Box<tungstenite::Error>),
}

/// What came in.
#[derive(Debug)]
pub enum Heard {
    Said(ToAgent),
    /// A ping or a pong: somebody is there.
    Alive,
}

/// Dials. `token` is the host's token. The first thing to send is [`FromAgent::Register`].
pub async fn connect(address: &Address, token: &str) -> Result<(Sender, Receiver), ConnectError> {
    let failed = |error: tungstenite::Error| ConnectError::from(Box::new(error));
    let mut request = address.as_str().into_client_request().map_err(failed)?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ConnectError::Token)?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_FRAME));
    let dialled = connect_async_with_config(request, Some(config), true);
    match tokio::time::timeout(CONNECT_WITHIN, dialled).await {
        Err(_) => Err(ConnectError::TimedOut),
        Ok(Err(tungstenite::Error::Http(answer))) => Err(match answer.status() {
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => ConnectError::Refused(status),
            status => ConnectError::Answered(status),
        }),
        Ok(Err(error)) => Err(failed(error)),
        Ok(Ok((socket, _))) => {
            let (sender, receiver) = socket.split();
            Ok((Sender(sender), Receiver(receiver)))
        }
    }
}

/// The way to the console.
pub struct Sender(SplitSink<Socket, Message>);

impl Sender {
    pub async fn send(&mut self, message: &FromAgent) -> Result<(), Broken> {
        let json = serde_json::to_string(message).map_err(|error| Broken::Malformed(error.to_string()))?;
        self.frame(Message::text(json)).await
    }

    pub async fn output(&mut self, output: &Output<'_>) -> Result<(), Broken> {
        self.frame(Message::Binary(output.frame().into())).await
    }

    /// The console answers it, so that a silent connection is a dead one.
    pub async fn ping(&mut self) -> Result<(), Broken> {
        self.frame(Message::Ping(Default::default())).await
    }

    /// Says that the connection ends.
    pub async fn close(&mut self) -> Result<(), Broken> {
        self.frame(Message::Close(None)).await
    }

    async fn frame(&mut self, message: Message) -> Result<(), Broken> {
        match tokio::time::timeout(SEND_WITHIN, self.0.send(message)).await {
            Err(_) => Err(Broken::Stuck),
            Ok(sent) => sent.map_err(broken),
        }
    }
}

/// The way from the console.
pub struct Receiver(SplitStream<Socket>);

impl Receiver {
    /// The next thing heard. After an error the connection is over. Cancel safe.
    pub async fn next(&mut self) -> Result<Heard, Broken> {
        match self.0.next().await {
            None | Some(Ok(Message::Close(_))) => Err(Broken::Closed),
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text)
                .map(Heard::Said)
                .map_err(|error| Broken::Malformed(error.to_string())),
            Some(Ok(Message::Binary(_))) => Err(Broken::Malformed("a binary frame".to_owned())),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Heard::Alive),
            Some(Err(error)) => Err(broken(error)),
        }
    }
}

fn broken(error: tungstenite::Error) -> Broken {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => Broken::Closed,
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => Broken::Oversized,
        tungstenite::Error::Utf8(text) => Broken::Malformed(text),
        other => Broken::Failed(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_agents_is_made_from_the_one_that_people_know() {
        let of = |url| Address::of_console(url).map(|address| address.0);
        assert_eq!(of("https://muster.example").unwrap(), "wss://muster.example/api/agent");
        assert_eq!(of("http://127.0.0.1:8080/").unwrap(), "ws://127.0.0.1:8080/api/agent");
        assert_eq!(of("wss://[::1]:1/ops/").unwrap(), "wss://[::1]:1/ops/api/agent");
        for wrong in ["muster.example", "ftp://a", "https://me:secret@a", "https://a?b", "https://a#b", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(Address::of_console("http://muster.example").unwrap().is_open_to_listeners());
        assert!(!Address::of_console("http://localhost:1").unwrap().is_open_to_listeners());
        assert!(!Address::of_console("https://muster.example").unwrap().is_open_to_listeners());
    }

    #[tokio::test]
    async fn what_does_not_speak_tls_is_an_error_and_no_panic() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let answer = async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut hello = [0; 64];
            socket.read_exact(&mut hello).await.unwrap();
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        };
        let address = Address::of_console(&address).unwrap();
        let (connected, ()) = tokio::join!(connect(&address, "a token"), answer);
        assert!(matches!(connected.err(), Some(ConnectError::Failed(_))));
    }
}
