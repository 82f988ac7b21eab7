//! Machines that somebody else runs. The console is told where one answers, and connects: it never makes, stops or ends a machine here.
//!
//! The process there needs the worker's id and its token, which `muster token worker` and `GET /api/workers/{id}/token` tell
//! (docs/worker-protocol.md).

use super::{MachineState, ProviderError};
use crate::{
    model::{Machine, Worker},
    server::workers::{CallError, WorkerClient},
};
use futures::{StreamExt, stream};
use reqwest::Url;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// Longer addresses are mistakes.
const LONGEST: usize = 300;
/// A worker that is let go is given this long to unload its nets; what remains it is told at the next connection.
const UNLOAD_WITHIN: Duration = Duration::from_secs(10);
const UNLOADS_AT_ONCE: usize = 8;

/// Why an address is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    #[error("The worker's address is not a URL. It looks like http://192.0.2.7:7070.")]
    NotUrl,
    #[error("The worker's address has more than {LONGEST} characters.")]
    TooLong,
    #[error("The worker's address must begin with http:// or https://.")]
    Scheme,
    #[error(
        "The worker's address must not contain a user name or a password: the console shows its own token."
    )]
    Credentials,
    #[error("The worker's address must end with its path: no ? and no #.")]
    Query,
    #[error(
        "The worker's address cannot be that of a worker: it is link-local, multicast or unspecified. Give the one it listens on."
    )]
    Special,
}

/// An address as the console will call it, without a slash at its end. The worker's token is sent there.
pub fn endpoint(text: &str) -> Result<String, BadEndpoint> {
    if text.len() > LONGEST {
        return Err(BadEndpoint::TooLong);
    }
    let url = Url::parse(text.trim()).map_err(|_| BadEndpoint::NotUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BadEndpoint::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadEndpoint::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BadEndpoint::Query);
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadEndpoint::NotUrl)?;
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if literal.is_ok_and(is_special) {
        return Err(BadEndpoint::Special);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Addresses that are no machine's own. Link-local ones are where clouds answer with the credentials of the console's machine.
fn is_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_link_local()
                || address.is_multicast()
                || address.is_unspecified()
                || address == Ipv4Addr::BROADCAST
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.is_multicast() || address.is_unspecified()
        }
    }
}

#[derive(Clone, Debug)]
pub struct ExternalProvider {
    client: WorkerClient,
}

impl ExternalProvider {
    pub(super) fn new(client: WorkerClient) -> ExternalProvider {
        ExternalProvider { client }
    }

    /// Connects: the machine is taken on once it answers as this worker, with its token.
    pub async fn connect(&self, worker: &Worker) -> Result<Machine, ProviderError> {
        let endpoint = worker.endpoint.as_deref().ok_or(ProviderError::NoEndpoint)?;
        let within = self.client.timing().probe;
        match self.client.health_within(endpoint, worker.id, within).await {
            Ok(health) => Ok(Machine {
                provider_ref: endpoint.to_owned(),
                endpoint: endpoint.to_owned(),
                incarnation: health.incarnation,
                software_version: health.version,
            }),
            Err(CallError::Refused { status: 401, .. }) => {
                Err(ProviderError::WrongToken { endpoint: endpoint.to_owned(), worker: worker.id })
            }
            Err(error) => Err(ProviderError::NotConnected(error)),
        }
    }

    /// Disconnects: the worker is asked to unload what it holds for us. One that does not answer is let go all the same.
    pub async fn disconnect(&self, worker: &Worker) {
        let Some(machine) = worker.machine.as_ref() else { return };
        let unloading = async {
            let health = self.client.health(machine, worker.id).await?;
            stream::iter(health.nets)
                .map(|net| self.client.unload(machine, worker.id, net.id, net.load_id))
                .buffer_unordered(UNLOADS_AT_ONCE)
                .fold(Ok(()), |so_far, one| async move { so_far.and(one) })
                .await
        };
        let why = match tokio::time::timeout(UNLOAD_WITHIN, unloading).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("It took longer than {}.", humantime::format_duration(UNLOAD_WITHIN)),
        };
        tracing::info!(worker = %worker.name, why, "a worker was disconnected without unloading its nets");
    }

    /// Nobody else knows more of such a machine than it says itself: once connected it counts as there, and not answering as unreachable.
    pub fn inspect(&self, worker: &Worker) -> MachineState {
        match &worker.machine {
            Some(machine) => MachineState::Running { machine: machine.clone() },
            None => MachineState::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_plain_http_url() {
        for (given, kept) in [
            ("http://192.0.2.7:7070", "http://192.0.2.7:7070"),
            (" https://worker.example/ ", "https://worker.example"),
            ("http://127.0.0.1:7070/w/12/", "http://127.0.0.1:7070/w/12"),
            ("http://[2001:db8::7]:7070", "http://[2001:db8::7]:7070"),
        ] {
            assert_eq!(endpoint(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn an_address_that_is_something_else_is_refused() {
        for (given, why) in [
            ("worker-7", BadEndpoint::NotUrl),
            ("", BadEndpoint::NotUrl),
            ("http://", BadEndpoint::NotUrl),
            ("ftp://192.0.2.7", BadEndpoint::Scheme),
            ("file:///etc/passwd", BadEndpoint::Scheme),
            ("http://ada:secret@192.0.2.7", BadEndpoint::Credentials),
            ("http://192.0.2.7/?token=1", BadEndpoint::Query),
            ("http://192.0.2.7/#here", BadEndpoint::Query),
            ("http://169.254.169.254/latest", BadEndpoint::Special),
            // The same address, written in other ways that a URL allows.
            ("http://2852039166/", BadEndpoint::Special),
            ("http://[::ffff:169.254.169.254]/", BadEndpoint::Special),
            ("http://0.0.0.0:7070", BadEndpoint::Special),
            ("http://[fe80::1]:7070", BadEndpoint::Special),
        ] {
            assert_eq!(endpoint(given), Err(why), "{given}");
        }
        assert_eq!(endpoint(&format!("http://{}", "a".repeat(LONGEST))), Err(BadEndpoint::TooLong));
    }
}
