//! Tokens of hosts: the agent shows one, the console keeps its hash.

use crate::{
    model::HostId,
    server::storage::{
        StorageError,
        hosts::{self, TokenHash},
    },
};
use axum::http::{HeaderMap, header};
use rand::RngCore;
use sha2::{Digest, Sha256};
use sqlx::SqlitePool;

/// Every token begins so: whoever finds one in a log knows what it is.
const PREFIX: &str = "mh_";

/// A new token, and what is kept of it.
pub fn new() -> (String, TokenHash) {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("{PREFIX}{digits}");
    let hash = hash(&token);
    (token, hash)
}

/// The hash of the token in `Authorization: Bearer`.
pub fn shown(headers: &HeaderMap) -> Option<TokenHash> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| hash(token.trim()))
}

/// The host that a token speaks for now.
pub async fn host(pool: &SqlitePool, hash: &TokenHash) -> Result<Option<HostId>, StorageError> {
    hosts::of_token(pool, hash).await
}

fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_whatever_the_case_of_the_scheme() {
        let (token, hash) = new();
        assert_eq!(token.len(), 3 + 64);
        let said =
            |value: &str| shown(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]));
        assert_eq!(said(&format!("bearer {token}")), Some(hash));
        assert_ne!(said("Bearer mh_0"), Some(hash));
        assert_eq!(said(&token), None);
        assert_eq!(shown(&HeaderMap::new()), None);
    }
}
