//! How often one user may ask for one list.

use super::{App, auth::Who, metrics::METRICS};
use crate::{app::error::ApiError, model::UserId};
use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many requests at once …
const BURST: f64 = 30.0;
/// … and one more each time this has passed: 30 a minute.
const ONE_MORE: Duration = Duration::from_secs(2);
/// Users and endpoints remembered. Those who have not asked for a minute are forgotten first: they may ask again all the same.
const MOST: usize = 10_000;

/// The endpoints that answer with whole lists. A new list is added here.
const LISTS: &[&str] = &[
    "/api/state",
    "/api/workers",
    "/api/nets",
    "/api/hosts",
    "/api/clusters",
    "/api/projects",
    "/api/labs",
    "/api/builds",
    "/api/commands",
    "/api/users",
    "/api/tokens",
    "/api/events/history",
    "/api/events/statistics",
    "/api/events/export",
    "/api/audit",
];

/// Whether asking for this path is limited.
pub fn is_limited(path: &str) -> bool {
    LISTS.contains(&path)
}

/// A token bucket for each user and endpoint.
#[derive(Default)]
pub struct ListLimit(Mutex<HashMap<(UserId, &'static str), Bucket>>);

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn filled(self, now: Instant) -> f64 {
        let more = now.saturating_duration_since(self.at).as_secs_f64() / ONE_MORE.as_secs_f64();
        (self.tokens + more).min(BURST)
    }
}

impl ListLimit {
    /// Lets the request pass, or says when the next one may.
    fn take(&self, user: UserId, list: &'static str, now: Instant) -> Result<(), ApiError> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&(user, list)) {
            buckets.retain(|_, bucket| bucket.filled(now) < BURST);
            if buckets.len() >= MOST {
                return Err(ApiError::TooMany { retry_after_s: ONE_MORE.as_secs() });
            }
        }
        let bucket = buckets.entry((user, list)).or_insert(Bucket { tokens: BURST, at: now });
        *bucket = Bucket { tokens: bucket.filled(now), at: now };
        if bucket.tokens < 1.0 {
            let wait = ONE_MORE.mul_f64(1.0 - bucket.tokens);
            return Err(ApiError::TooMany { retry_after_s: wait.as_secs_f64().ceil() as u64 });
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

/// Answers 429 with `Retry-After` to who asks for a list too often. Runs after the guard has found the user.
pub async fn lists(State(app): State<App>, request: Request, next: Next) -> Response {
    let list = LISTS.iter().find(|list| **list == request.uri().path());
    if request.method() == Method::GET
        && let (Some(list), Some(who)) = (list, request.extensions().get::<Who>())
        && let Err(error) = app.list_limit().take(who.user_id, list, Instant::now())
    {
        METRICS.list_refused();
        return error.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn the_thirty_first_request_in_a_minute_waits_and_others_do_not() {
        let (limit, start) = (ListLimit::default(), Instant::now());
        for _ in 0..30 {
            assert_eq!(limit.take(user(1), LISTS[0], start), Ok(()));
        }
        let refused = Err(ApiError::TooMany { retry_after_s: 2 });
        assert_eq!(limit.take(user(1), LISTS[0], start), refused);
        assert_eq!(limit.take(user(1), LISTS[1], start), Ok(()), "another list");
        assert_eq!(limit.take(user(2), LISTS[0], start), Ok(()), "another user");
        assert_eq!(limit.take(user(1), LISTS[0], start + ONE_MORE), Ok(()), "after Retry-After");
        assert_eq!(limit.take(user(1), LISTS[0], start + ONE_MORE), refused);
    }

    #[test]
    fn in_the_minute_after_a_burst_thirty_more_pass_however_many_are_asked() {
        let (limit, start) = (ListLimit::default(), Instant::now());
        let asked =
            |tenth: u64| limit.take(user(1), LISTS[0], start + Duration::from_millis(tenth * 100)).is_ok();
        assert_eq!((0..30).filter(|_| asked(0)).count(), 30);
        assert_eq!((1..=605).filter(|tenth| asked(*tenth)).count(), 30);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_idle_make_room() {
        let (limit, start) = (ListLimit::default(), Instant::now());
        for n in 0..MOST as u128 {
            assert_eq!(limit.take(user(n), LISTS[0], start), Ok(()));
        }
        assert!(limit.take(user(u128::MAX), LISTS[0], start).is_err(), "all are in use");
        assert_eq!(limit.take(user(u128::MAX), LISTS[0], start + 2 * ONE_MORE), Ok(()));
        assert_eq!(limit.0.lock().unwrap().len(), 1);
    }
}
