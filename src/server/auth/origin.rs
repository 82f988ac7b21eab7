//! Requests that change something must come from our own pages.

use axum::http::{HeaderMap, Method, header};

/// Whether an unsafe request may pass. A browser says where a request comes from; what says nothing is not a browser, and carries no
/// cookie by accident.
pub fn same_site(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    match (text(header::ORIGIN.as_str()), text(header::HOST.as_str())) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        same_site(&Method::POST, &headers)
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        assert!(of(&[("sec-fetch-site", "same-origin")]));
        assert!(!of(&[("sec-fetch-site", "cross-site")]));
        assert!(!of(&[("sec-fetch-site", "same-site")]));
        assert!(of(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(!of(&[("origin", "http://evil.example"), ("host", "127.0.0.1:3000")]));
        assert!(!of(&[("origin", "null"), ("host", "127.0.0.1:3000")]));
        assert!(of(&[]), "curl and scripts send neither");
        assert!(same_site(
            &Method::GET,
            &[("sec-fetch-site".parse().unwrap(), "cross-site".parse().unwrap())].into_iter().collect()
        ));
    }
}
