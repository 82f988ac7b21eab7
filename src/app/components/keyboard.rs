//! When a key is ours, and when it belongs to what has the focus.

use leptos::prelude::*;

/// Whether keys are text where the focus is.
pub fn typing() -> bool {
    document().active_element().is_some_and(|element| match element.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => true,
        "INPUT" => !matches!(
            element.get_attribute("type").as_deref(),
            Some("checkbox" | "radio" | "button" | "submit" | "file")
        ),
        _ => false,
    })
}

/// Whether a dialog is open: the page behind it hears no keys.
pub fn in_dialog() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}
