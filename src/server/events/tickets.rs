//! Tickets for streams: what stands for a session in the address of an `EventSource`, which cannot send a header.
//!
//! An address ends in logs and histories. Hence a ticket is good for one stream, for a minute, and only on the routes of [`is_for`].

use crate::{
    app::error::ApiError,
    model::Timestamp,
    server::{
        App,
        auth::{SessionHash, Who},
        clock::Clock,
    },
};
use axum::http::Uri;
use rand::RngCore;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long a ticket can be used.
pub const GOOD_FOR: Duration = Duration::from_secs(60);
/// Tickets not yet used: of one session, and of all together.
const MOST_OF_ONE: usize = 100;
const MOST: usize = 20_000;

/// The tickets that were given out and not used.
pub struct Tickets {
    clock: Clock,
    /// By the hash: who reads the memory of this process cannot use them.
    open: Mutex<HashMap<SessionHash, Ticket>>,
}

struct Ticket {
    who: Who,
    /// Cancelled when the session ends, or its user may not see the same any more.
    session: CancellationToken,
    until: Timestamp,
}

/// A ticket as its bearer gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "StreamTicket")]
pub struct Issued {
    pub ticket: String,
    /// From then on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Default for Tickets {
    fn default() -> Tickets {
        Tickets::new(Clock::default())
    }
}

impl Tickets {
    pub fn new(clock: Clock) -> Tickets {
        Tickets { clock, open: Mutex::default() }
    }

    /// A ticket for one stream of `who`, whose session's streams end with `session`.
    pub fn issue(&self, who: &Who, session: CancellationToken) -> Result<Issued, ApiError> {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let ticket: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = self.clock.now();
        let expires_at = now.plus(GOOD_FOR);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, ticket| now < ticket.until && !ticket.session.is_cancelled());
        let of_one = open.values().filter(|ticket| ticket.who.session == who.session).count();
        if of_one >= MOST_OF_ONE || open.len() >= MOST {
            return Err(ApiError::TooMany { retry_after_s: GOOD_FOR.as_secs() });
        }
        open.insert(hash(&ticket), Ticket { who: who.clone(), session, until: expires_at });
        Ok(Issued { ticket, expires_at })
    }

    /// Whose ticket it is. It is spent with that.
    pub fn redeem(&self, ticket: &str) -> Option<Who> {
        let found = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(ticket))?;
        (self.clock.now() < found.until && !found.session.is_cancelled()).then_some(found.who)
    }
}

fn hash(ticket: &str) -> SessionHash {
    Sha256::digest(ticket.as_bytes()).into()
}

/// Who a request with a ticket in its address is from: `None` if there is no ticket, or this address takes none.
pub fn bearer(app: &App, uri: &Uri) -> Option<Option<Who>> {
    if !is_for(uri.path()) {
        return None;
    }
    let ticket = uri.query()?.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        // Seed 004 calls it a token. What it takes is a ticket all the same.
        let named = name == "ticket" || name == "token" && uri.path() == "/api/v1/events/stream";
        named.then_some(value)
    })?;
    Some(app.tickets().redeem(ticket))
}

/// The streams that an `EventSource` of somebody else's opens.
fn is_for(path: &str) -> bool {
    matches!(path, "/api/events" | "/api/events/stream" | "/api/v1/events/stream")
}
