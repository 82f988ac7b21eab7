//! What the address says besides which page it is: links carry it along, and it is remembered for the next visit.

use crate::app::within::Within;
use leptos_router::NavigateOptions;

/// Lets every link to a page of the console lead to where `carry` says, while the current owner lives: it is asked when the link is
/// followed, so that no page has to think of it.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn carry_in_links(carry: impl Fn(&str) -> String + Clone + 'static) {
    #[cfg(feature = "browser")]
    browser::carry_in_links(carry);
}

/// Lets the router know where going forward led. It takes a link to what it believes to be the present page for no move, and does not note
/// the page that the browser's Forward led to (leptos_router 0.8): the page would change and its address stay. Told anew, in place, it knows.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn note_history(navigate: impl Fn(&str, NavigateOptions) + Clone + 'static) {
    #[cfg(feature = "browser")]
    browser::note_history(navigate);
}

/// Keeps the choice for the next visit.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn remember(within: Within) {
    #[cfg(feature = "browser")]
    browser::remember(within);
}

#[cfg(feature = "browser")]
mod browser {
    use super::Within;
    use crate::app::live::browser::window;
    use leptos::{
        ev,
        prelude::{Effect, StoredValue, WithValue, on_cleanup, set_timeout, window_event_listener},
    };
    use leptos_router::NavigateOptions;
    use std::time::Duration;
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::Element;

    pub fn carry_in_links(carry: impl Fn(&str) -> String + Clone + 'static) {
        Effect::new(move |_| {
            let carry = carry.clone();
            let heard = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
                let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
                let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
                if let Some(link) = link {
                    carry_along(&link, &carry);
                }
            });
            // In the capture phase: before the router reads where the link leads.
            _ = window().add_event_listener_with_callback_and_bool(
                "click",
                heard.as_ref().unchecked_ref(),
                true,
            );
            let heard = StoredValue::new_local(heard);
            on_cleanup(move || {
                heard.with_value(|heard| {
                    _ = window().remove_event_listener_with_callback_and_bool(
                        "click",
                        heard.as_ref().unchecked_ref(),
                        true,
                    );
                });
            });
        });
    }

    fn carry_along(link: &Element, carry: &impl Fn(&str) -> String) {
        let Some(href) = link.get_attribute("href") else { return };
        let of_ours = href.starts_with('/') && !href.starts_with("//") && !href.starts_with("/api/");
        if !of_ours || link.has_attribute("download") {
            return;
        }
        let led = carry(&href);
        if led == href {
            return;
        }
        _ = link.set_attribute("href", &led);
        // It is for this click only: by the next one something else may have been chosen.
        let link = link.clone();
        let back = move || {
            if link.get_attribute("href").as_deref() == Some(&led) {
                _ = link.set_attribute("href", &href);
            }
        };
        set_timeout(back, Duration::ZERO);
    }

    pub fn note_history(navigate: impl Fn(&str, NavigateOptions) + Clone + 'static) {
        Effect::new(move |_| {
            let navigate = navigate.clone();
            let heard = window_event_listener(ev::popstate, move |_| {
                let at = window().location();
                let parts = (at.pathname(), at.search(), at.hash());
                if let (Ok(path), Ok(search), Ok(hash)) = parts {
                    let here = format!("{path}{search}{hash}");
                    let in_place = NavigateOptions {
                        resolve: false,
                        replace: true,
                        scroll: false,
                        ..Default::default()
                    };
                    navigate(&here, in_place);
                }
            });
            on_cleanup(move || heard.remove());
        });
    }

    pub fn remember(within: Within) {
        let document = window().document().and_then(|it| it.dyn_into::<web_sys::HtmlDocument>().ok());
        if let Some(document) = document {
            _ = document.set_cookie(&within.cookie());
        }
    }
}
