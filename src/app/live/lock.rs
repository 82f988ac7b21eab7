//! A lock that one tab of the browser holds (Web Locks). The browser gives it on when the tab closes or crashes.

use super::browser::{Abort, window};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`; `web-sys` counts it among the unstable ones.
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        granted: &JsValue,
    ) -> Result<js_sys::Promise, JsValue>;
}

pub struct Lock {
    manager: LockManager,
    name: String,
    /// Ends the request that stands in line, or gives back what is held.
    current: Rc<RefCell<Option<Request>>>,
}

struct Request {
    queued: Option<Abort>,
    /// Resolves the promise that holds the lock.
    release: Rc<RefCell<Option<js_sys::Function>>>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Granted,
    /// It was held, and another tab took it.
    Stolen,
}

impl Lock {
    /// `None` where the browser has no locks: an old one, or a page that came over plain http.
    pub fn new(name: String) -> Option<Lock> {
        let manager = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("locks")).ok()?;
        manager.is_object().then(|| Lock { manager: manager.unchecked_into(), name, current: Rc::default() })
    }

    /// Stands in line for it, or takes it at once from whoever has it. Gives back what this tab had of it before.
    pub fn ask(&self, steal: bool, on: impl Fn(Fate) + 'static) {
        self.give_up();
        let options = js_sys::Object::new();
        let set =
            |key: &str, value: &JsValue| _ = js_sys::Reflect::set(&options, &JsValue::from_str(key), value);
        let queued = if steal { None } else { Abort::new() };
        match &queued {
            Some(abort) => set("signal", &abort.signal()),
            None => set("steal", &JsValue::TRUE),
        }
        let release: Rc<RefCell<Option<js_sys::Function>>> = Rc::default();
        let on = Rc::new(on);
        let granted = Closure::once_into_js({
            let (release, on) = (release.clone(), on.clone());
            move |_lock: JsValue| {
                let held = js_sys::Promise::new(&mut |resolve, _| *release.borrow_mut() = Some(resolve));
                on(Fate::Granted);
                held
            }
        });
        let Ok(promise) = self.manager.request(&self.name, &options, &granted) else { return };
        *self.current.borrow_mut() = Some(Request { queued, release: release.clone() });
        leptos::task::spawn_local(async move {
            let ended = wasm_bindgen_futures::JsFuture::from(promise).await;
            // Called off in line, it was never held; given back, it ends well.
            if ended.is_err() && release.borrow_mut().take().is_some() {
                on(Fate::Stolen);
            }
        });
    }

    /// Leaves the line, or gives the lock to the next.
    pub fn give_up(&self) {
        let Some(request) = self.current.borrow_mut().take() else { return };
        let release = request.release.borrow_mut().take();
        match release {
            Some(release) => _ = release.call0(&JsValue::UNDEFINED),
            None => request.queued.iter().for_each(Abort::abort),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.give_up();
    }
}
