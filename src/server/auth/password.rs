//! Passwords: argon2id, off the request threads.

use crate::app::error::ApiError;
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use std::sync::OnceLock;
use tokio::sync::Semaphore;

/// Shorter ones are guessed.
pub const SHORTEST: usize = 10;
/// Longer ones only cost time.
const LONGEST: usize = 1_000;

/// Each hash takes 19 MiB and a core: not more than this many at a time, however many sign-ins come.
static HASHING: Semaphore = Semaphore::const_new(2);

pub async fn hash(password: String) -> Result<String, ApiError> {
    let chars = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&chars) {
        return Err(ApiError::BadRequest {
            detail: format!("The password has {chars} characters. Use {SHORTEST} to {LONGEST}."),
        });
    }
    blocking(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).ok()
    })
    .await
    .flatten()
    .ok_or_else(|| ApiError::Unavailable {
        detail: "The password could not be hashed. Try again.".to_owned(),
    })
}

/// Whether the password is the one that was hashed. Without a hash it takes as long and says no, so that an answer's time does not tell
/// which addresses exist.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    static NOBODY: OnceLock<String> = OnceLock::new();
    if password.len() > 4 * LONGEST {
        return false;
    }
    blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| {
            NOBODY
                .get_or_init(|| {
                    let salt = SaltString::generate(&mut OsRng);
                    Argon2::default()
                        .hash_password(b"nobody", &salt)
                        .map(|hash| hash.to_string())
                        .unwrap_or_default()
                })
                .clone()
        });
        let right = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        right && known
    })
    .await
    .unwrap_or(false)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _permit = HASHING.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_against_its_hash_only() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse".to_owned(), Some(hash.clone())).await);
        assert!(!verify("correct horsf".to_owned(), Some(hash)).await);
        assert!(!verify("nobody".to_owned(), None).await);
    }

    #[tokio::test]
    async fn a_short_password_is_refused_with_the_bound() {
        assert!(hash("short".to_owned()).await.unwrap_err().to_string().contains("Use 10 to"));
    }
}
