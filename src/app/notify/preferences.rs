//! What each user chose to be told of. Kept in this browser, for each user that signs in here by itself; another browser asks anew.

use crate::model::Severity;
use serde::{Deserialize, Serialize};

/// The least severity that is told of, each; `None` is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    pub toast: Option<Severity>,
    /// Takes the browser's permission as well.
    pub notification: Option<Severity>,
}

impl Default for Preferences {
    fn default() -> Preferences {
        Preferences { toast: Some(Severity::Warning), notification: Some(Severity::Error) }
    }
}

/// Where the choice of the user with this address is kept.
#[cfg(any(feature = "browser", test))]
fn key_of(email: &str) -> String {
    format!("muster-told-{email}")
}

/// What is not understood any more was not chosen.
#[cfg(feature = "browser")]
pub fn remembered(email: &str) -> Option<Preferences> {
    let storage = crate::app::live::browser::window().local_storage().ok()??;
    serde_json::from_str(&storage.get_item(&key_of(email)).ok()??).ok()
}

/// Where the browser keeps nothing it holds for this page.
#[cfg(feature = "browser")]
pub fn remember(email: &str, preferences: Preferences) {
    if let (Ok(Some(storage)), Ok(text)) =
        (crate::app::live::browser::window().local_storage(), serde_json::to_string(&preferences))
    {
        _ = storage.set_item(&key_of(email), &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_of_a_browser_has_their_own() {
        assert_ne!(key_of("a@b.c"), key_of("b@b.c"));
    }

    #[test]
    fn a_choice_is_kept_as_it_was() {
        for chosen in
            [Preferences::default(), Preferences { toast: None, notification: Some(Severity::Info) }]
        {
            let text = serde_json::to_string(&chosen).unwrap();
            assert_eq!(serde_json::from_str::<Preferences>(&text).unwrap(), chosen);
        }
        assert!(serde_json::from_str::<Preferences>("{\"toast\":\"loud\"}").is_err());
    }
}
