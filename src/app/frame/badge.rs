//! How the stream to the server stands.

use super::sign_in_again::SignInAgain;
use crate::{app::store::use_store, sync::Status};
use leptos::prelude::*;

/// The seconds from now to `at` on the browser's clock, at least one.
fn seconds_to(at: u64, ticks: u64) -> u64 {
    at.saturating_sub(ticks).div_ceil(1_000).max(1)
}

/// The tone of the badge, what it says, and what of that counts down: the latter must not be read out every second.
fn badge(status: &Status, silent: bool, ticks: u64) -> (&'static str, String, String) {
    let (tone, text) = match status {
        Status::Connecting => ("tone-busy", "connecting".to_owned()),
        Status::Connected if silent => ("tone-warn", "waiting for the server".to_owned()),
        Status::Connected => ("tone-good", "connected".to_owned()),
        Status::Reconnecting { attempt, retry_at } => {
            return (
                "tone-warn",
                "reconnecting".to_owned(),
                format!(" in {} s (try {attempt})", seconds_to(*retry_at, ticks)),
            );
        }
        Status::Disconnected { retry_at } => {
            return (
                "tone-bad",
                "disconnected".to_owned(),
                format!(", next try in {} s", seconds_to(*retry_at, ticks)),
            );
        }
        Status::SignedOut => ("tone-bad", "disconnected, signed out".to_owned()),
        Status::SwitchedOff => ("tone-bad", "disconnected, switched off".to_owned()),
        Status::Offline => ("tone-bad", "disconnected, the browser is offline".to_owned()),
        Status::Error(reason) => ("tone-bad", format!("error, {reason}")),
    };
    (tone, text, String::new())
}

#[component]
pub fn RealtimeBadge() -> impl IntoView {
    let store = use_store();
    let shown = Memo::new(move |_| {
        let silent = super::freshness::silent(store);
        store.link.with(|link| badge(&link.status, silent, store.ticks.get()))
    });
    let tone = Memo::new(move |_| shown.with(|(tone, _, _)| *tone));
    let text = Memo::new(move |_| shown.with(|(_, text, _)| text.clone()));
    let counts = Memo::new(move |_| shown.with(|(_, _, counts)| counts.clone()));
    let again: SignInAgain = expect_context();
    let signed_out = Memo::new(move |_| store.link.with(|link| link.status == Status::SignedOut));
    view! {
        <span
            class=move || format!("realtime needs-script {}", tone.get())
            role="status"
            title=move || shown.with(|(_, text, counts)| format!("Realtime: {text}{counts}"))
        >
            <span class="realtime-dot" aria-hidden="true"></span>
            <span class="realtime-name">"Realtime: "</span>
            <span class="realtime-text">
                {move || text.get()}
                <span aria-hidden="true">{move || counts.get()}</span>
            </span>
        </span>
        {move || {
            signed_out
                .get()
                .then(|| {
                    view! {
                        <button type="button" class="button primary" on:click=move |_| again.ask()>
                            "Sign in"
                        </button>
                    }
                })
        }}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_badge_leaves_green_when_the_server_is_silent() {
        assert_eq!(badge(&Status::Connected, false, 0).0, "tone-good");
        assert_eq!(badge(&Status::Connected, true, 0).0, "tone-warn");
        let waiting = Status::Reconnecting { attempt: 2, retry_at: 4_500 };
        assert_eq!(badge(&waiting, false, 1_000).1, "reconnecting");
        assert_eq!(badge(&waiting, false, 1_000).2, " in 4 s (try 2)");
        assert_eq!(badge(&waiting, false, 9_000).2, " in 1 s (try 2)");
    }
}
