//! One delivery.

use super::{
    address::{Guarded, Policy},
    sign::Secret,
};
use crate::model::Timestamp;
use reqwest::{Client, StatusCode, header, redirect};
use std::{sync::Arc, time::Duration};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A receiver is to write down what it gets and to work on it afterwards.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What is sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// The same for each attempt, so that a receiver knows what it has already.
    pub id: String,
    pub body: Vec<u8>,
}

/// A delivery that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// In a sentence without a full stop.
    pub reason: String,
    /// The receiver wants to be left alone for so long.
    pub pause: Option<Duration>,
    /// The receiver wants nothing any more (410).
    pub for_good: bool,
}

impl NotTaken {
    fn because(reason: impl Into<String>) -> NotTaken {
        NotTaken { reason: reason.into(), pause: None, for_good: false }
    }
}

/// The one client by which the console calls addresses that people gave it. It follows no redirect, uses no proxy, and calls what its policy allows.
#[derive(Clone, Debug)]
pub struct Outbound {
    http: Client,
    policy: Policy,
}

impl Outbound {
    pub fn new(policy: Policy) -> Result<Outbound, reqwest::Error> {
        let http = Client::builder()
            .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Guarded(policy)))
            .build()?;
        Ok(Outbound { http, policy })
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Posts `message` to `url`; whether the receiver took it. What it answers beside its status is not read.
    pub async fn deliver(
        &self,
        url: &str,
        secret: &Secret,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        // Once more: the policy may be stricter than when the webhook was made.
        let url = self.policy.check(url).map_err(|bad| NotTaken::because(bad.to_string()))?;
        let at = now.0 / 1000;
        let answer = self
            .http
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", secret.signature(&message.id, at, &message.body))
            .body(message.body.clone())
            .send()
            .await
            .map_err(|error| NotTaken::because(cause(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let seconds =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let pause = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
        let reason = match status {
            _ if status.is_redirection() => {
                format!(
                    "it answered {status}, a redirect, and those are not followed: give the address where it leads"
                )
            }
            StatusCode::GONE => "it answered 410: it wants nothing any more".to_owned(),
            _ => format!("it answered {status}"),
        };
        Err(NotTaken { reason, pause, for_good: status == StatusCode::GONE })
    }
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match error {
        _ if error.is_timeout() => format!("it did not answer within {} s", ANSWER_WITHIN.as_secs()),
        _ if error.is_connect() => format!("it cannot be reached: {cause}"),
        _ => cause.to_string(),
    }
}
