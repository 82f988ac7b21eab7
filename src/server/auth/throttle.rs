//! Slows down who guesses passwords, and leaves whom they guess alone: wrong passwords count for where they come from, and only very many of
//! them for the account.

use crate::{app::error::ApiError, model::Timestamp, server::socket::Peer};
use axum::http::HeaderMap;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So many wrong passwords for one account from one place …
const FAILURES: usize = 5;
/// … or so many from all places together …
const FAILURES_OF_ALL: usize = 50;
/// … within this time, and it must wait.
const WINDOW: Duration = Duration::from_secs(60);
/// Accounts and places remembered; beyond them, all wait until the window has passed. Guessing many accounts is guessing, too.
const MOST: usize = 10_000;

/// Where a password comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Address(IpAddr),
    /// Somebody who is signed in already, or a connection whose other end is not known.
    Inside,
}

impl Place {
    /// The other end of the connection. What comes from this machine itself comes through a proxy, if that says for whom: what it adds is the
    /// last in the list. From elsewhere the header is what anybody wrote.
    pub fn of(peer: Option<Peer>, headers: &HeaderMap) -> Place {
        let Some(Peer(peer)) = peer else { return Place::Inside };
        let peer = peer.ip().to_canonical();
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let last = last.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
        let told = last.and_then(|address| address.trim().parse::<IpAddr>().ok());
        match told.filter(|_| peer.is_loopback()).unwrap_or(peer).to_canonical() {
            // Whoever has one of these has all that begin alike.
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Place::Address(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
            address @ IpAddr::V4(_) => Place::Address(address),
        }
    }
}

#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, Vec<(Timestamp, Place)>>>,
}

impl Throttle {
    pub fn check(&self, place: Place, email: &str, now: Timestamp) -> Result<(), ApiError> {
        let mut failures = self.lock();
        failures.retain(|_, of_account| {
            of_account.retain(|(time, _)| now.since(*time) < WINDOW);
            !of_account.is_empty()
        });
        let full = failures.values().map(Vec::len).sum::<usize>() >= MOST;
        let Some(of_account) = failures.get(email) else {
            return match full {
                true => Err(ApiError::TooMany { retry_after_s: WINDOW.as_secs() }),
                false => Ok(()),
            };
        };
        let times = || of_account.iter().map(|(time, _)| *time);
        let here: Vec<Timestamp> =
            of_account.iter().filter(|(_, from)| *from == place).map(|(time, _)| *time).collect();
        // The oldest of the last so many: when it is forgotten, there is one try again.
        let waits_for = match (here.len() >= FAILURES, of_account.len() >= FAILURES_OF_ALL) {
            (true, _) => here.get(here.len() - FAILURES).copied(),
            (false, true) => times().nth(of_account.len() - FAILURES_OF_ALL),
            (false, false) => return Ok(()),
        };
        let wait = WINDOW.saturating_sub(now.since(waits_for.unwrap_or(now))).as_secs() + 1;
        Err(ApiError::TooMany { retry_after_s: wait })
    }

    pub fn failed(&self, place: Place, email: &str, now: Timestamp) {
        self.lock().entry(email.to_owned()).or_default().push((now, place));
    }

    /// The right password: what was wrong from the same place was a slip. What came from elsewhere still counts.
    pub fn succeeded(&self, place: Place, email: &str) {
        if let Some(of_account) = self.lock().get_mut(email) {
            of_account.retain(|(_, from)| *from != place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<(Timestamp, Place)>>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Place {
        Place::of(Some(Peer(format!("{address}:7").parse().unwrap())), &HeaderMap::new())
    }

    #[test]
    fn the_sixth_try_within_a_minute_waits_and_keeps_nobody_out_who_is_elsewhere() {
        let (throttle, there, here) = (Throttle::default(), from("192.0.2.1"), from("192.0.2.2"));
        for second in 0..5 {
            assert!(throttle.check(there, "a@b", Timestamp(second * 1000)).is_ok());
            throttle.failed(there, "a@b", Timestamp(second * 1000));
        }
        let waits = Err(ApiError::TooMany { retry_after_s: 51 });
        assert_eq!(throttle.check(there, "a@b", Timestamp(10_000)), waits);
        assert!(throttle.check(here, "a@b", Timestamp(10_000)).is_ok(), "the right one, from elsewhere");
        throttle.succeeded(here, "a@b");
        assert_eq!(throttle.check(there, "a@b", Timestamp(10_000)), waits, "and who guesses still waits");
        assert!(throttle.check(there, "c@d", Timestamp(10_000)).is_ok(), "others do not wait");
        assert!(throttle.check(there, "a@b", Timestamp(61_000)).is_ok(), "the window passed");
    }

    #[test]
    fn many_places_together_wait_as_well() {
        let throttle = Throttle::default();
        for n in 0..50 {
            let place = from(&format!("192.0.2.{n}"));
            assert!(throttle.check(place, "a@b", Timestamp(n)).is_ok(), "{n}");
            throttle.failed(place, "a@b", Timestamp(n));
        }
        assert!(throttle.check(from("192.0.2.99"), "a@b", Timestamp(60)).is_err());
        assert!(throttle.check(from("192.0.2.99"), "c@d", Timestamp(60)).is_ok());
    }

    #[test]
    fn a_proxy_on_this_machine_is_believed_and_nobody_else() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        let of = |peer: &str| Place::of(Some(Peer(peer.parse().unwrap())), &headers);
        let address = |text: &str| Place::Address(text.parse().unwrap());
        assert_eq!(of("127.0.0.1:7"), address("198.51.100.7"), "what the proxy itself saw");
        assert_eq!(of("[::ffff:127.0.0.1]:7"), address("198.51.100.7"));
        assert_eq!(of("192.0.2.1:7"), address("192.0.2.1"));
        let alone = Place::of(Some(Peer("[2001:db8::1:2]:7".parse().unwrap())), &HeaderMap::new());
        assert_eq!(alone, address("2001:db8::"), "a whole network is one place");
    }
}
