//! What the operator is told of without looking: messages on the page, and notifications of the browser while no tab of it is seen.
//!
//! [`preferences`] is what each user chose, [`judge`] decides of each event, [`desktop`] hands over to the browser, [`settings`] is the
//! dialog. The rules that hold for everybody (mutes, priorities) are a row of the fleet.

#[cfg(feature = "browser")]
mod desktop;
mod judge;
mod preferences;
mod settings;

pub use judge::{Told, judge};
pub use settings::SettingsDialog;

use super::store::Store;
use crate::model::{Event, Priority};
use leptos::prelude::*;
use preferences::Preferences;
use std::sync::Arc;

/// What the browser lets us do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "browser"), expect(dead_code, reason = "only a browser can be asked"))]
pub enum Permission {
    /// It knows no notifications, or not on this page.
    #[default]
    Unavailable,
    NotAsked,
    Granted,
    Denied,
}

#[derive(Clone, Copy)]
pub struct Notify {
    pub preferences: RwSignal<Preferences>,
    pub permission: RwSignal<Permission>,
    open: RwSignal<bool>,
    /// Events that wait to be told by the browser, together where there are many.
    #[cfg(feature = "browser")]
    waiting: StoredValue<Vec<Arc<Event>>>,
}

impl Notify {
    pub fn new() -> Notify {
        Notify {
            preferences: RwSignal::default(),
            permission: RwSignal::default(),
            open: RwSignal::new(false),
            #[cfg(feature = "browser")]
            waiting: StoredValue::new(Vec::new()),
        }
    }

    pub fn open_settings(self) {
        self.open.set(true);
    }

    /// Takes up what the user chose, here and in the other tabs, once the page is alive.
    #[cfg_attr(not(feature = "browser"), expect(unused_variables))]
    pub fn follow(self, store: Store) {
        #[cfg(feature = "browser")]
        Effect::new(move |_| {
            use crate::app::live::browser::{Listener, window};
            let Some(email) = store.me.with(|me| me.as_ref().map(|me| me.email.clone())) else { return };
            let read = {
                let email = email.clone();
                move || {
                    if let Some(preferences) = preferences::remembered(&email) {
                        _ = self.preferences.try_set(preferences);
                    }
                    _ = self.permission.try_set(desktop::permission());
                }
            };
            read();
            let kept = send_wrapper::SendWrapper::new(Listener::on(window(), "storage", read));
            on_cleanup(move || drop(kept));
        });
    }

    fn choose(self, store: Store, preferences: Preferences) {
        self.preferences.set(preferences);
        #[cfg(feature = "browser")]
        if let Some(email) = store.me.with_untracked(|me| me.as_ref().map(|me| me.email.clone())) {
            preferences::remember(&email, preferences);
        }
        #[cfg(not(feature = "browser"))]
        let _ = store;
    }

    /// What to do about an event that has just happened.
    pub fn judge(self, store: Store, event: &Event) -> Told {
        let now = store.now.get_untracked();
        let me = store.me.with_untracked(|me| me.as_ref().map(|me| me.user_id));
        let preferences = self.preferences.get_untracked();
        store.rules.with_untracked(|rules| judge(event, rules.as_deref(), now, me, preferences))
    }

    /// Has the browser tell of an event, if nobody sees the page.
    #[cfg_attr(not(feature = "browser"), expect(unused_variables))]
    pub fn tell_by_browser(self, store: Store, event: &Arc<Event>) {
        #[cfg(feature = "browser")]
        desktop::tell(self, store, event.clone());
    }
}

/// The sentence, with its priority where a rule gave it another than its severity does.
pub fn sentence(store: Store, event: &Event) -> String {
    let usual = Priority::of(event.severity);
    let priority =
        store.rules.with_untracked(|rules| rules.as_ref().map_or(usual, |rules| rules.priority(event)));
    if priority == usual {
        event.text.clone()
    } else {
        format!("{} ({} priority)", event.text, priority.as_str())
    }
}
