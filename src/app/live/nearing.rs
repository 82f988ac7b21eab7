//! Whether something is about to be seen, or was left above: for lists that grow as they are read.

use super::browser::{Listener, window};
use leptos::{html, prelude::*};
use send_wrapper::SendWrapper;
use std::rc::Rc;
use web_sys::HtmlElement;

/// Calls `on` now and at every scroll at which `element` is less than a screen below what is seen, while the current owner lives.
pub fn when_near(element: NodeRef<html::Div>, on: impl Fn() + 'static) {
    let on = Rc::new(on);
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let element: HtmlElement = element.into();
        let look = {
            let on = on.clone();
            move || {
                let top = element.get_bounding_client_rect().top();
                if element.is_connected() && top < 2.0 * super::scroller::window_height() {
                    on();
                }
            }
        };
        look();
        let look = Rc::new(look);
        let listen = |event| {
            let look = look.clone();
            Listener::on(window(), event, move || look())
        };
        let kept = SendWrapper::new([listen("scroll"), listen("resize")]);
        on_cleanup(move || drop(kept));
    });
}

/// Whether the beginning of `element` was scrolled out of sight, above.
pub fn begins_above(element: &HtmlElement) -> bool {
    // What is below the top bar and the heads of the columns still counts as the beginning.
    element.get_bounding_client_rect().top() < 0.0
}

/// Scrolls so that `element` begins below the top bar.
pub fn to_beginning(element: &HtmlElement) {
    const BAR: f64 = 64.0;
    window().scroll_by_with_x_and_y(0.0, element.get_bounding_client_rect().top() - BAR);
}
