//! Notifications of the browser: asked for on a click, shown by one tab of all, and only while that is hidden.

use super::{Notify, Permission, sentence};
use crate::{
    app::{
        live::browser::{hidden, window},
        pages::about,
        store::Store,
    },
    model::Event,
};
use gloo_timers::callback::Timeout;
use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::*;
use std::{cell::RefCell, sync::Arc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};

/// What happens within this many milliseconds is told together where it is much.
const TOGETHER_MS: u32 = 1_000;
/// More than this at once are one notification.
const SINGLY: usize = 3;

#[wasm_bindgen]
extern "C" {
    /// <https://notifications.spec.whatwg.org/#api>
    #[derive(Clone)]
    type Notification;

    #[wasm_bindgen(constructor, catch)]
    fn new(title: &str, options: &Object) -> Result<Notification, JsValue>;

    #[wasm_bindgen(static_method_of = Notification, getter)]
    fn permission() -> String;

    #[wasm_bindgen(static_method_of = Notification, catch, js_name = requestPermission)]
    fn request_permission() -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, setter)]
    fn set_onclick(this: &Notification, on: &Function);

    #[wasm_bindgen(method)]
    fn close(this: &Notification);
}

thread_local! {
    /// Collects what is told together.
    static SOON: RefCell<Option<Timeout>> = const { RefCell::new(None) };
}

fn available() -> bool {
    Reflect::has(&window(), &JsValue::from_str("Notification")).unwrap_or(false)
        && window().is_secure_context()
}

pub fn permission() -> Permission {
    if !available() {
        return Permission::Unavailable;
    }
    match Notification::permission().as_str() {
        "granted" => Permission::Granted,
        "denied" => Permission::Denied,
        _ => Permission::NotAsked,
    }
}

/// Asks the user; only ever called on a click.
pub async fn ask() -> Permission {
    if available()
        && let Ok(asked) = Notification::request_permission()
    {
        // Whatever it resolves to, the browser's word is `permission`.
        _ = wasm_bindgen_futures::JsFuture::from(asked).await;
    }
    permission()
}

pub fn tell(notify: Notify, store: Store, event: Arc<Event>) {
    if !hidden() || !crate::app::live::leads() || permission() != Permission::Granted {
        return;
    }
    notify.waiting.update_value(|waiting| waiting.push(event));
    SOON.with_borrow_mut(|soon| {
        soon.get_or_insert_with(|| Timeout::new(TOGETHER_MS, move || show_waiting(notify, store)));
    });
}

fn show_waiting(notify: Notify, store: Store) {
    SOON.with_borrow_mut(|soon| _ = soon.take());
    let events = notify.waiting.try_update_value(std::mem::take).unwrap_or_default();
    // Somebody looks by now.
    if !hidden() || events.is_empty() {
        return;
    }
    if events.len() > SINGLY {
        let lines: Vec<String> =
            events.iter().rev().take(SINGLY).map(|event| sentence(store, event)).collect();
        let title = format!("{} events in the fleet", events.len());
        let newest = events.last().map_or(0, |event| event.id.0);
        return show(&title, &lines.join("\n"), &format!("muster-events-{newest}"), "/events".to_owned());
    }
    for event in events {
        let href = untrack(|| about(store, &event)).first().and_then(|about| about.href.clone());
        let title = format!("Muster: {}", event.severity.as_str());
        // A tag is shown once, however many tabs show it.
        let tag = format!("muster-event-{}", event.id);
        show(&title, &sentence(store, &event), &tag, href.unwrap_or_else(|| "/events".to_owned()));
    }
}

fn show(title: &str, body: &str, tag: &str, href: String) {
    let options = Object::new();
    for (key, value) in [("body", body), ("tag", tag), ("icon", "/favicon.ico")] {
        _ = Reflect::set(&options, &JsValue::from_str(key), &JsValue::from_str(value));
    }
    // Some browsers allow them from service workers only; then there are none.
    let Ok(notification) = Notification::new(title, &options) else { return };
    let clicked = notification.clone();
    let on_click = Closure::once_into_js(move || {
        _ = window().focus();
        clicked.close();
        open(&href);
    });
    notification.set_onclick(on_click.unchecked_ref());
}

/// Goes to a page of the console as a click on a link does, without loading it anew.
fn open(href: &str) {
    let Some(document) = window().document() else { return };
    let (Some(body), Ok(link)) = (document.body(), document.create_element("a")) else { return };
    let Ok(link) = link.dyn_into::<web_sys::HtmlElement>() else { return };
    _ = link.set_attribute("href", href);
    link.set_hidden(true);
    if body.append_child(&link).is_ok() {
        link.click();
        link.remove();
    }
}
