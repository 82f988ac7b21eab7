//! The session cookie.

use axum::http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// Whether the browser reaches the console over https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieStyle {
    /// `__Host-` and `Secure`.
    Https,
    /// A plain name: for http on loopback, where not every browser takes `Secure`.
    Loopback,
}

impl CookieStyle {
    fn name(self) -> &'static str {
        match self {
            CookieStyle::Https => "__Host-muster",
            CookieStyle::Loopback => "muster",
        }
    }

    /// The session token in a request.
    pub fn token(self, headers: &HeaderMap) -> Option<&str> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.name())
            .map(|(_, value)| value)
    }
}

/// `Set-Cookie` for a new session. `token` is hexadecimal, so the header is always valid.
pub fn session_cookie(style: CookieStyle, token: &str, lifetime: Duration) -> HeaderValue {
    header_of(style, token, lifetime.as_secs())
}

/// `Set-Cookie` that removes it.
pub fn session_cookie_removed(style: CookieStyle) -> HeaderValue {
    header_of(style, "", 0)
}

fn header_of(style: CookieStyle, token: &str, max_age: u64) -> HeaderValue {
    let secure = if style == CookieStyle::Https { "; Secure" } else { "" };
    let text = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}", style.name());
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("muster=; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark; muster=abc"));
        assert_eq!(CookieStyle::Loopback.token(&headers), Some("abc"));
        assert_eq!(CookieStyle::Https.token(&headers), None);
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        let cookie = session_cookie(CookieStyle::Https, "abc", Duration::from_secs(60));
        assert_eq!(cookie, "__Host-muster=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
    }
}
