//! A place that scrolls over more than is in the page, and what is measured of it. By the style object: the content security policy forbids
//! `style` attributes, not this.

use web_sys::HtmlElement;

/// How a scroller stands, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stand {
    /// Scrolled down so far.
    pub top: f64,
    /// What is seen of it.
    pub height: f64,
    pub width: f64,
}

pub fn stand(element: &HtmlElement) -> Stand {
    Stand {
        top: f64::from(element.scroll_top()),
        height: f64::from(element.client_height()),
        width: f64::from(element.client_width()),
    }
}

pub fn scroll_to(element: &HtmlElement, top: f64) {
    element.set_scroll_top(top.round().clamp(0.0, f64::from(i32::MAX)) as i32);
}

/// Moves what is in the page to where it belongs.
pub fn place_at(element: &HtmlElement, top: f64) {
    _ = element.style().set_property("transform", &format!("translateY({top}px)"));
}

/// The width of one of `characters` in `ruler`.
pub fn character_width(ruler: &HtmlElement, characters: usize) -> f64 {
    ruler.get_bounding_client_rect().width() / characters.max(1) as f64
}

/// Tells the whole page how high something fixed to its foot is, so that nothing lies under it.
pub fn keep_foot_free(height: f64) {
    use wasm_bindgen::JsCast;
    let root = super::browser::window().document().and_then(|document| document.document_element());
    if let Some(root) = root.and_then(|root| root.dyn_into::<HtmlElement>().ok()) {
        _ = root.style().set_property("--foot", &format!("{}px", height.round()));
    }
}

/// The height of the window.
pub fn window_height() -> f64 {
    super::browser::window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(800.0)
}
