//! The first start: nobody can sign in, so a link that the server prints creates the administrator.

use std::sync::Mutex;
use subtle::ConstantTimeEq;

/// The token of the one-time setup link, while there is no user.
#[derive(Default)]
pub struct Setup(Mutex<Option<String>>);

impl Setup {
    /// Draws a token.
    pub fn open() -> (Setup, String) {
        let token = super::session::random_token();
        (Setup(Mutex::new(Some(token.clone()))), token)
    }

    pub fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    pub fn matches(&self, token: &str) -> bool {
        self.lock().as_ref().is_some_and(|open| open.as_bytes().ct_eq(token.as_bytes()).into())
    }

    /// Closes it; `false` if it was closed already.
    pub fn spend(&self, token: &str) -> bool {
        self.matches(token) && self.lock().take().is_some()
    }

    /// There is a user by another way.
    pub fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
