//! Where a pointer is within what listens to it.

use leptos::web_sys;

/// A place within an element, and how large that is; pixels of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Where `event` happened within the element that listens to it.
#[cfg(feature = "browser")]
pub fn spot(event: &web_sys::MouseEvent) -> Option<Spot> {
    use wasm_bindgen::JsCast;
    let element = event.current_target()?.dyn_into::<web_sys::Element>().ok()?;
    let space = element.get_bounding_client_rect();
    Some(Spot {
        x: f64::from(event.client_x()) - space.left(),
        y: f64::from(event.client_y()) - space.top(),
        width: space.width(),
        height: space.height(),
    })
}

/// The middle of `element`.
#[cfg(feature = "browser")]
pub fn middle(element: &web_sys::Element) -> Option<Spot> {
    let space = element.get_bounding_client_rect();
    let (width, height) = (space.width(), space.height());
    Some(Spot { x: width / 2.0, y: height / 2.0, width, height })
}

/// Everything of this pointer goes to the listening element until it is lifted, so that a drag selects nothing.
#[cfg(feature = "browser")]
pub fn capture(event: &web_sys::PointerEvent) {
    use wasm_bindgen::JsCast;
    let element = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if let Some(element) = element {
        _ = element.set_pointer_capture(event.pointer_id());
    }
}

/// `(pointer, is the only button or finger that counts)`.
#[cfg(feature = "browser")]
pub fn pointer(event: &web_sys::PointerEvent) -> (i32, bool) {
    (event.pointer_id(), event.button() <= 0)
}

#[cfg(not(feature = "browser"))]
mod elsewhere {
    use super::{Spot, web_sys};

    pub fn spot(_: &web_sys::MouseEvent) -> Option<Spot> {
        None
    }
    pub fn middle(_: &web_sys::Element) -> Option<Spot> {
        None
    }
    pub fn capture(_: &web_sys::PointerEvent) {}
    pub fn pointer(_: &web_sys::PointerEvent) -> (i32, bool) {
        (0, false)
    }
}
#[cfg(not(feature = "browser"))]
pub use elsewhere::{capture, middle, pointer, spot};
