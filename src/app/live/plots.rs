//! What a plot asks of the browser: the row above or below the one that has the focus.

use leptos::{ev, wasm_bindgen::JsCast, web_sys};

/// Gives the focus to the row above (`by` is -1) or below the one that `event` came from.
pub fn focus_row(event: &ev::KeyboardEvent, by: i32) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(row) = target.and_then(|target| target.closest("tr.plot-row").ok().flatten()) else { return };
    let next = if by < 0 { row.previous_element_sibling() } else { row.next_element_sibling() };
    let next = next.filter(|next| next.class_list().contains("plot-row"));
    if let Some(next) = next.and_then(|next| next.dyn_into::<web_sys::HtmlElement>().ok()) {
        _ = next.focus();
    }
}

/// Whether somebody may be looking at the page.
pub fn looked_at() -> bool {
    #[cfg(feature = "browser")]
    {
        !super::browser::hidden()
    }
    #[cfg(not(feature = "browser"))]
    {
        true
    }
}
