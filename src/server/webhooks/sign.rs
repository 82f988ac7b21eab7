//! How a receiver knows that a delivery is ours: the signature of the Standard Webhooks specification, which libraries in many languages
//! verify (<https://www.standardwebhooks.com>).

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a secret is told as.
const PREFIX: &str = "whsec_";

/// The secret that a webhook shares with its receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    pub fn draw() -> Secret {
        let mut bytes = [0; 32];
        rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
        Secret(bytes)
    }

    pub fn of_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As it is told to who sets up the receiver.
    pub fn told(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(self.0))
    }

    /// The header `webhook-signature` for a message. `at` is in seconds since 1970, as in `webhook-timestamp`.
    pub fn signature(&self, id: &str, at: u64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{at}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        // 32 bytes, and what Python's hmac makes of them.
        let secret = Secret::of_bytes(*b"0123456789abcdef0123456789abcdef");
        assert_eq!(secret.told(), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        let signature = secret.signature("evt_42", 1_700_000_000, br#"{"type":"worker.deleted"}"#);
        assert_eq!(signature, "v1,ZPfg6HBVqmailF3W0lM4o5HmGoEEbvbNyyJIPo1bfhI=");
        assert_ne!(signature, secret.signature("evt_43", 1_700_000_000, br#"{"type":"worker.deleted"}"#));
    }
}
