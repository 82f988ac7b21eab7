//! The one error of every action, by whichever door it was asked: server function or REST route.

use crate::model::{Gone, Host, LoadState, Net, Refusal, Timestamp, Worker, action::MAX_PNML_BYTES};
use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use std::sync::Arc;

/// The row as it is now, for a caller whose picture of it was old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Current {
    Worker(Arc<Worker>),
    Net(Arc<Net>),
    Host(Arc<Host>),
}

impl Current {
    pub fn state_revision(&self) -> u64 {
        match self {
            Current::Worker(row) => row.state_revision,
            Current::Net(row) => row.state_revision,
            Current::Host(row) => row.state_revision,
        }
    }
}

/// Why an action was not done. Each variant is one HTTP status and reads as a sentence an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApiError {
    /// 400
    #[error("{detail}")]
    BadRequest { detail: String },
    /// 401
    #[error("You are not signed in. Sign in and try again.")]
    Unauthorized,
    /// 401, at sign-in
    #[error("The email address or the password is wrong.")]
    WrongCredentials,
    /// 401, of an agent
    #[error(
        "The token is unknown or was revoked. Make a new one on the page of its host, and give it to the agent."
    )]
    WrongToken,
    /// 401, of a program
    #[error("This token is unknown, was revoked or has expired. Make a new one in the settings.")]
    BadToken,
    /// 403
    #[error("{detail}")]
    Forbidden { detail: String },
    /// 404. Of an id alone it cannot be told whether it ever was anything's.
    #[error("There is no {what} with this id; it may have been deleted.")]
    Gone { what: String },
    /// 404, while it is still known who deleted it
    #[error("There is no {what} with this id any more: {who}")]
    Deleted { what: String, who: String },
    /// 404
    #[error(
        "There is no version {number} of this net: {}.",
        if *newest == 1 { "it has version 1 alone".to_owned() } else { format!("it has versions 1 to {newest}") }
    )]
    NoVersion { number: u32, newest: u32 },
    /// 404
    #[error("There is nothing at this address of the API. docs/api.md lists what there is.")]
    NoSuchRoute,
    /// 405
    #[error("This address of the API does not take {method} requests.")]
    NoSuchMethod { method: String },
    /// 409: the lifecycle refuses
    #[error("{detail}")]
    Refused { detail: String, code: String, current: Option<Current> },
    /// 409: another row has the name
    #[error("{detail}")]
    Conflict { detail: String },
    /// 412
    #[error("{name} changed since you looked; it is now {state}.{} Review it and try again.", spaced(.who))]
    Stale {
        name: String,
        state: String,
        /// A sentence on who brought it there, where that is known.
        #[serde(default)]
        who: Option<String>,
        current: Current,
    },
    /// 412, of what has no lifecycle
    #[error("The {what} changed since you looked. Look at it again before you change it.")]
    Changed { what: String },
    /// 413
    #[error("The {what} is larger than {limit_mib} MiB, which is the most that is taken.")]
    TooLarge { what: String, limit_mib: usize },
    /// 422
    #[error("The PNML file was not accepted: line {line}, column {column}: {reason}")]
    BadPnml { line: u32, column: u32, reason: String },
    /// 429
    #[error("Too many requests. Try again in {retry_after_s} s.")]
    TooMany { retry_after_s: u64 },
    /// 502: the worker does not answer, or answers nonsense
    #[error("{detail}")]
    WorkerUnavailable { detail: String, current: Option<Current> },
    /// 502: GitHub, or what stands for it, does not answer, or not what it should
    #[error("{detail}")]
    GitHubUnavailable { detail: String },
    /// 504: not known yet how it ended
    #[error("{detail}")]
    Unknown { detail: String, current: Option<Current> },
    /// 503: going down, or the database does not answer
    #[error("{detail}")]
    Unavailable { detail: String },
    /// 500; the detail is in the server's log under this reference
    #[error(
        "Something went wrong in the console (reference {reference}). Nothing was changed. Try again; if it stays, look for the reference in the server's log."
    )]
    Internal { reference: String },
    /// The answer never came, or could not be read. Made in the browser only.
    #[error(
        "The console could not be reached: {detail}. It is not known whether the action was done; look at the state before you try again."
    )]
    Unreachable { detail: String },
}

fn spaced(sentence: &Option<String>) -> String {
    sentence.as_ref().map(|sentence| format!(" {sentence}")).unwrap_or_default()
}

impl ApiError {
    /// The lifecycle's refusal. `who` brought the row to the state that stands in the way, where that is known.
    pub fn refused(
        refusal: &Refusal,
        now: Timestamp,
        who: Option<String>,
        current: Option<Current>,
    ) -> ApiError {
        let who = who.filter(|_| !refusal.is_passing());
        let detail = format!("{}{}", refusal.tell(now), spaced(&who));
        ApiError::Refused { detail, code: refusal.code().to_owned(), current }
    }

    /// Nothing came back. Browsers do not tell why.
    pub fn no_answer() -> ApiError {
        ApiError::Unreachable { detail: "no answer came; the network or the server may be down".to_owned() }
    }

    /// What came back is not what was asked for.
    pub fn unreadable() -> ApiError {
        ApiError::Unreachable {
            detail: "its answer could not be read; something between may have changed it".to_owned(),
        }
    }

    /// A net's file is larger than any may be.
    pub fn pnml_too_large() -> ApiError {
        ApiError::TooLarge { what: "PNML file".to_owned(), limit_mib: MAX_PNML_BYTES >> 20 }
    }

    /// The HTTP status of this error.
    pub fn status(&self) -> u16 {
        match self {
            ApiError::BadRequest { .. } => 400,
            ApiError::Unauthorized
            | ApiError::WrongCredentials
            | ApiError::WrongToken
            | ApiError::BadToken => 401,
            ApiError::Forbidden { .. } => 403,
            ApiError::Gone { .. }
            | ApiError::Deleted { .. }
            | ApiError::NoVersion { .. }
            | ApiError::NoSuchRoute => 404,
            ApiError::NoSuchMethod { .. } => 405,
            ApiError::Refused { .. } | ApiError::Conflict { .. } => 409,
            ApiError::Stale { .. } | ApiError::Changed { .. } => 412,
            ApiError::TooLarge { .. } => 413,
            ApiError::BadPnml { .. } => 422,
            ApiError::TooMany { .. } => 429,
            ApiError::Internal { .. } => 500,
            ApiError::WorkerUnavailable { .. } | ApiError::GitHubUnavailable { .. } => 502,
            ApiError::Unavailable { .. } => 503,
            ApiError::Unknown { .. } | ApiError::Unreachable { .. } => 504,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &str {
        match self {
            ApiError::BadRequest { .. } => "bad_request",
            ApiError::Unauthorized => "unauthorized",
            ApiError::WrongCredentials => "wrong_credentials",
            ApiError::WrongToken | ApiError::BadToken => "wrong_token",
            ApiError::Forbidden { .. } => "forbidden",
            ApiError::Gone { .. } | ApiError::Deleted { .. } => "gone",
            ApiError::NoVersion { .. } => "no_such_version",
            ApiError::NoSuchRoute => "no_such_route",
            ApiError::NoSuchMethod { .. } => "no_such_method",
            ApiError::Refused { code, .. } => code,
            ApiError::Conflict { .. } => "conflict",
            ApiError::Stale { .. } | ApiError::Changed { .. } => "stale",
            ApiError::TooLarge { .. } => "too_large",
            ApiError::BadPnml { .. } => "bad_pnml",
            ApiError::TooMany { .. } => "too_many_requests",
            ApiError::Internal { .. } => "internal",
            ApiError::WorkerUnavailable { .. } => "worker_unavailable",
            ApiError::GitHubUnavailable { .. } => "github_unavailable",
            ApiError::Unavailable { .. } => "unavailable",
            ApiError::Unknown { .. } => "unknown_outcome",
            ApiError::Unreachable { .. } => "unreachable",
        }
    }

    /// The row as it is now, where the error says so.
    pub fn current(&self) -> Option<&Current> {
        match self {
            ApiError::Stale { current, .. } => Some(current),
            ApiError::Refused { current, .. }
            | ApiError::WorkerUnavailable { current, .. }
            | ApiError::Unknown { current, .. } => current.as_ref(),
            _ => None,
        }
    }
}

/// An error as the REST API writes it (DESIGN.md section 5).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct ErrorBody<'a> {
    /// The HTTP status in words.
    pub error: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// A stable word for programs.
    pub code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_load_state: Option<LoadState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<&'a Current>,
    /// A sentence on who brought it there, where the error is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl<'a> From<&'a ApiError> for ErrorBody<'a> {
    fn from(error: &'a ApiError) -> ErrorBody<'a> {
        let current = error.current();
        let (line, column) = match error {
            ApiError::BadPnml { line, column, .. } => (Some(*line), Some(*column)),
            _ => (None, None),
        };
        ErrorBody {
            error: match error.status() {
                400 => "bad request",
                401 => "not signed in",
                403 => "forbidden",
                404 => "not found",
                405 => "method not allowed",
                409 => "conflict",
                412 => "precondition failed",
                413 => "too large",
                422 => "unprocessable",
                429 => "too many requests",
                502 if matches!(error, ApiError::GitHubUnavailable { .. }) => "GitHub unavailable",
                502 => "worker unavailable",
                503 => "unavailable",
                504 => "outcome unknown",
                _ => "internal error",
            },
            detail: error.to_string(),
            code: error.code(),
            worker_status: current
                .and_then(|row| if let Current::Worker(row) = row { Some(row.status.word()) } else { None }),
            net_load_state: current
                .and_then(|row| if let Current::Net(row) = row { Some(row.load_state) } else { None }),
            state_revision: current.map(Current::state_revision),
            current,
            who: match error {
                ApiError::Deleted { who, .. } => Some(who),
                ApiError::Stale { who, .. } => who.as_deref(),
                _ => None,
            },
            line,
            column,
            retry_after_s: if let ApiError::TooMany { retry_after_s } = error {
                Some(*retry_after_s)
            } else {
                None
            },
        }
    }
}

impl From<Gone> for ApiError {
    fn from(gone: Gone) -> ApiError {
        ApiError::Gone { what: gone.0.to_owned() }
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> ApiError {
        let bad = |detail: String| {
            let error = ApiError::BadRequest { detail };
            // Made outside of any server function of ours: the status is set here, or it would be 500.
            #[cfg(feature = "ssr")]
            let error = crate::server::context::fail(error);
            error
        };
        match error {
            ServerFnErrorErr::MissingArg(field) => bad(format!("The field {field} is missing.")),
            // What serde says of it are words of our source.
            ServerFnErrorErr::Args(_) => {
                bad("The request could not be read: a field is missing, or is not what it should be."
                    .to_owned())
            }
            // What the browser says of it are words for programmers: "TypeError: Failed to fetch".
            ServerFnErrorErr::Request(_) => ApiError::no_answer(),
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::Response(_) => ApiError::unreadable(),
            other => ApiError::Unreachable { detail: other.to_string() },
        }
    }
}
