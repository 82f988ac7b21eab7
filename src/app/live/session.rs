//! Signing in and out, and the switch for real-time: what holds for every tab of the browser at once.

use crate::app::error::ApiError;
use serde::{Deserialize, Serialize};

/// What tabs tell each other of the session, whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionNote {
    SignedOut,
    SignedIn { email: String },
}

/// Signs in again without leaving the page; every tab goes on.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub async fn sign_in_again(email: String, password: String) -> Result<(), ApiError> {
    #[cfg(feature = "browser")]
    {
        let email = super::http::sign_in(&email, &password).await?;
        super::driver::Driver::signed_in_here(&email);
    }
    Ok(())
}

/// Ends the session; every tab forgets what it showed.
pub async fn sign_out() -> Result<(), ApiError> {
    #[cfg(feature = "browser")]
    {
        super::http::sign_out().await?;
        super::driver::Driver::signed_out_here();
    }
    Ok(())
}

/// Switches real-time on or off, for every tab, and keeps the choice.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn set_realtime(on: bool) {
    #[cfg(feature = "browser")]
    browser::set_realtime(on);
}

#[cfg(feature = "browser")]
pub mod browser {
    use super::SessionNote;
    use crate::app::live::{
        browser::{Listener, monotonic, window},
        channel::Channel,
        driver::Driver,
    };
    use std::rc::Rc;

    const CHANNEL: &str = "muster-session";
    const SETTING: &str = "muster-realtime";

    /// Whether the operator wants real-time: yes, unless it was switched off.
    pub fn wants_realtime() -> bool {
        let storage = window().local_storage().ok().flatten();
        storage.and_then(|storage| storage.get_item(SETTING).ok().flatten()).as_deref() != Some("off")
    }

    pub fn set_realtime(on: bool) {
        if let Ok(Some(storage)) = window().local_storage() {
            _ = if on { storage.remove_item(SETTING) } else { storage.set_item(SETTING, "off") };
        }
        if let Some(driver) = Driver::current() {
            driver.switch(on);
        }
    }

    impl Driver {
        /// Listens for what other tabs say of the session, and tells them who is signed in here.
        pub(in crate::app::live) fn share_session(self: &Rc<Self>) {
            let driver = Rc::downgrade(self);
            let channel = Channel::open(CHANNEL, move |note: SessionNote, _| {
                let Some(driver) = driver.upgrade() else { return };
                match note {
                    SessionNote::SignedOut => driver.wipe(),
                    SessionNote::SignedIn { email } => driver.signed_in(&email),
                }
            });
            if let Some(channel) = &channel {
                channel.post(&SessionNote::SignedIn { email: self.email.clone() }, &[]);
            }
            *self.session.borrow_mut() = channel;
            let driver = Rc::downgrade(self);
            self.listeners.borrow_mut().push(Listener::on(window(), "storage", move || {
                if let Some(driver) = driver.upgrade() {
                    driver.switch(wants_realtime());
                }
            }));
        }

        pub(in crate::app::live) fn signed_in_here(email: &str) {
            let Some(driver) = Driver::current() else { return };
            if let Some(channel) = &*driver.session.borrow() {
                channel.post(&SessionNote::SignedIn { email: email.to_owned() }, &[]);
            }
            driver.signed_in(email);
        }

        pub(in crate::app::live) fn signed_out_here() {
            let Some(driver) = Driver::current() else { return };
            if let Some(channel) = &*driver.session.borrow() {
                channel.post(&SessionNote::SignedOut, &[]);
            }
            driver.wipe();
        }

        fn signed_in(self: &Rc<Self>, email: &str) {
            use crate::sync::Status;
            if email != self.email {
                // Another user: nothing of this page is theirs.
                self.store.wipe();
                Driver::stop();
                _ = window().location().reload();
                return;
            }
            if *self.replica.borrow().status() != Status::SignedOut {
                return;
            }
            if !wants_realtime() {
                let effects = self.replica.borrow_mut().switch_off();
                self.run(effects);
            } else if self.shared().is_none_or(|shared| shared.leads()) {
                let effects = self.replica.borrow_mut().reconnect(monotonic());
                self.run(effects);
            }
            if let Ok(event) = web_sys::Event::new(super::super::SIGNED_IN) {
                _ = window().dispatch_event(&event);
            }
        }

        /// Nothing that the user saw stays, on the page or in memory.
        fn wipe(&self) {
            self.store.wipe();
            Driver::stop();
            _ = window().location().replace("/sign-in");
        }

        pub(in crate::app::live) fn switch(self: &Rc<Self>, on: bool) {
            use leptos::prelude::*;
            if self.store.realtime.get_untracked() == on {
                return;
            }
            self.store.realtime.set(on);
            if on {
                self.share();
                let effects = self.replica.borrow_mut().reconnect(monotonic());
                self.run(effects);
            } else {
                if let Some(shared) = self.shared.borrow_mut().take() {
                    shared.close();
                }
                let effects = self.replica.borrow_mut().switch_off();
                self.run(effects);
            }
        }
    }
}
