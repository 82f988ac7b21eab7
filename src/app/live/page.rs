//! What the page as a whole is told: its theme.

use crate::app::snapshot::Theme;

/// Shows the page in `theme` and keeps the choice.
#[cfg(feature = "browser")]
pub fn show_theme(theme: Theme) {
    use wasm_bindgen::JsCast;
    let Some(document) = super::browser::window().document() else { return };
    if let Some(root) = document.document_element() {
        _ = match theme {
            Theme::System => root.remove_attribute("data-theme"),
            Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.as_str()),
        };
    }
    if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
        _ = document.set_cookie(&theme.cookie());
    }
}

#[cfg(not(feature = "browser"))]
pub fn show_theme(_theme: Theme) {}
