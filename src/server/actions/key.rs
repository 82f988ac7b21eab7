//! Idempotency keys of actions.

use crate::{
    app::error::ApiError,
    model::{Action, Done, Options},
    server::{
        App,
        api::error::internal,
        auth::Who,
        storage::idempotency::{self, Key, Known},
    },
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Longer keys are not keys.
const LONGEST: usize = 200;
/// How long a repeated request waits for the first one's answer.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The key in `options`, bound to what it is used for.
pub fn of(who: &Who, action: &Action, options: &Options) -> Result<Option<Key>, ApiError> {
    let Some(key) = &options.key else { return Ok(None) };
    if key.is_empty() || key.len() > LONGEST || key.chars().any(char::is_control) {
        return Err(ApiError::BadRequest {
            detail: format!("The idempotency key must have 1 to {LONGEST} printable characters."),
        });
    }
    // The action whole, also a net's content: the same key for anything else is a mistake worth telling.
    let request = Sha256::digest(format!("{action:?}")).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(Key { user: who.user_id, key: key.clone(), request }))
}

/// What a first transaction found.
pub enum Begun<T> {
    New(T),
    /// The key was used before.
    Repeated(Known),
}

/// The first answer to a key that was used before; waits for it while the action is under way.
pub async fn first_answer(app: &App, key: &Key, mut known: Known) -> Result<Done, ApiError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match known {
            Known::Answered(json) => {
                return serde_json::from_str::<Result<Done, ApiError>>(&json)
                    .map_err(|error| internal(&error))?;
            }
            Known::Reused => {
                let detail =
                    "This idempotency key was used for another request. Use a new key for each action."
                        .to_owned();
                return Err(ApiError::Conflict { detail });
            }
            Known::New | Known::UnderWay => {}
        }
        if tokio::time::Instant::now() >= deadline {
            let detail =
                "The same request is still under way. Look at the state before you try again.".to_owned();
            return Err(ApiError::Unknown { detail, current: None });
        }
        tokio::time::sleep(LOOK_EVERY).await;
        known = idempotency::known(app.store().pool(), key).await.map_err(|error| internal(&error))?;
    }
}

/// An answer as it is kept.
pub fn answer(outcome: &Result<Done, ApiError>) -> String {
    serde_json::to_string(outcome).expect("answers are plain data: no map keys, no failing serialiser")
}
