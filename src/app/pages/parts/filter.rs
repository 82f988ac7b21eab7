//! The filter of a list; it lives in the address, so that a link leads to the same rows.

use leptos::{ev, html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
};

/// What the address says is wanted.
pub fn use_filter() -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get("q")).unwrap_or_default().trim().to_lowercase())
}

/// Whether every word of `wanted` is in one of `texts`.
pub fn matches_filter(wanted: &str, texts: &[&str]) -> bool {
    wanted.split_whitespace().all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
}

#[component]
pub fn Filter(label: &'static str) -> impl IntoView {
    let query = use_query_map();
    let (navigate, location) = (use_navigate(), use_location());
    let input = NodeRef::<html::Input>::new();
    let now = query.with_untracked(|query| query.get("q")).unwrap_or_default();
    let on_input = move |event: ev::Event| {
        let mut query = query.get_untracked();
        query.remove("q");
        let text = event_target_value(&event);
        if !text.is_empty() {
            query.insert("q", text);
        }
        let path = format!("{}{}", location.pathname.get_untracked(), query.to_query_string());
        navigate(&path, NavigateOptions { replace: true, scroll: false, ..Default::default() });
    };
    let slash = window_event_listener_on_mount(move |event: ev::KeyboardEvent| {
        let typing = leptos::prelude::document()
            .active_element()
            .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
        if event.key() == "/"
            && !typing
            && !event.ctrl_key()
            && !event.meta_key()
            && !event.alt_key()
            && let Some(input) = input.get_untracked()
        {
            event.prevent_default();
            _ = input.focus();
            input.select();
        }
    });
    slash();
    view! {
        <form class="filter" method="get" role="search" on:submit=|event| event.prevent_default()>
            <input
                node_ref=input
                type="search"
                name="q"
                class="input"
                placeholder="Filter…"
                aria-label=label
                title="Press / to filter"
                value=now
                on:input=on_input
            />
        </form>
    }
    .into_any()
}

/// Listens for keys on the window while the current owner lives; only in a browser.
fn window_event_listener_on_mount(on: impl Fn(ev::KeyboardEvent) + Clone + 'static) -> impl FnOnce() {
    move || {
        Effect::new(move |_| {
            let handle = window_event_listener(ev::keydown, on.clone());
            on_cleanup(move || handle.remove());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::matches_filter;

    #[test]
    fn every_word_must_be_somewhere() {
        assert!(matches_filter("", &["a"]));
        assert!(matches_filter("eu read", &["worker-EU-17", "ready"]));
        assert!(!matches_filter("eu error", &["worker-eu-17", "ready"]));
    }
}
