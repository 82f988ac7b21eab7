//! What a form that was sent without JavaScript came to, told on the page that is shown next. The answer to such a form only says where to
//! go, so the words travel in a cookie that is good for one page.

use leptos_router::location::Url;

const COOKIE: &str = "muster_said";
/// Longer than a browser takes to go where it is sent, in seconds.
const SECONDS: u32 = 15;

/// A `Set-Cookie` value that brings `message` to the next page.
pub fn cookie(message: &str) -> String {
    format!("{COOKIE}={}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax", Url::escape(message))
}

/// A `Set-Cookie` value for the page that has told it.
pub fn told() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}

/// The message in a `Cookie` header.
pub fn in_cookies(header: &str) -> Option<String> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, said) = pairs.into_iter().find(|(name, said)| *name == COOKIE && !said.is_empty())?;
    Some(Url::unescape(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_arrives_as_it_was() {
        let message = "Deleting “a;b=c, d” in 10 s. Until then it can be undone.";
        let set = cookie(message);
        let (pair, _) = set.split_once(';').unwrap_or_default();
        assert!(pair.is_ascii() && !pair.contains([' ', ',', '"']), "{pair}");
        assert_eq!(in_cookies(&format!("muster_theme=dark; {pair}")).as_deref(), Some(message));
        assert_eq!(in_cookies("muster_said="), None);
    }
}
