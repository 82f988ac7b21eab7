//! The dialog in which the operator chooses what to be told of.

use super::{Notify, Permission, preferences::Preferences};
use crate::{app::store::use_store, model::Severity};
use leptos::{html, prelude::*};

/// From the loudest to the quietest.
const CHOICES: [(&str, &str, Option<Severity>); 5] = [
    ("info", "everything", Some(Severity::Info)),
    ("success", "successes, warnings and errors", Some(Severity::Success)),
    ("warning", "warnings and errors", Some(Severity::Warning)),
    ("error", "errors", Some(Severity::Error)),
    ("never", "nothing", None),
];

#[component]
pub fn SettingsDialog() -> impl IntoView {
    let (notify, store): (Notify, _) = (expect_context(), use_store());
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if notify.open.get() && !dialog.open() {
            _ = dialog.show_modal();
        } else if !notify.open.get() && dialog.open() {
            dialog.close();
        }
    });
    let choice = move |id: &'static str,
                       of: fn(&Preferences) -> Option<Severity>,
                       set: fn(&mut Preferences, Option<Severity>)| {
        let now = move || notify.preferences.with(of);
        let word = move || {
            CHOICES.iter().find(|(_, _, severity)| *severity == now()).map_or("never", |(word, ..)| *word)
        };
        view! {
            <select
                id=id
                class="select"
                prop:value=word
                on:change=move |event| {
                    let value = event_target_value(&event);
                    if let Some((_, _, severity)) = CHOICES.iter().find(|(word, ..)| *word == value) {
                        let mut preferences = notify.preferences.get_untracked();
                        set(&mut preferences, *severity);
                        notify.choose(store, preferences);
                    }
                }
            >
                {CHOICES
                    .map(|(word, label, severity)| view! { <option value=word selected=move || now() == severity>{label}</option> })
                    .collect_view()}
            </select>
        }
    };
    view! {
        <dialog class="dialog told" node_ref=dialog tabindex="-1" aria-labelledby="told-title" on:close=move |_| notify.open.set(false)>
            {move || {
                notify
                    .open
                    .get()
                    .then(|| {
                        view! {
                            <h2 id="told-title">"What I am told"</h2>
                            <div class="field">
                                <label for="told-toast">"Messages on the page tell of"</label>
                                {choice("told-toast", |all| all.toast, |all, severity| all.toast = severity)}
                                <p class="field-note">"What I do myself is said where I do it, and not again."</p>
                            </div>
                            <div class="field">
                                <label for="told-notification">"While no tab of Muster is seen, the browser tells of"</label>
                                {choice("told-notification", |all| all.notification, |all, severity| all.notification = severity)}
                                <Allowance notify/>
                            </div>
                            <p class="field-note">
                                "Urgent events are told of whatever their severity; muted ones are not. There are no sounds. This is kept in this browser, for your account."
                            </p>
                            <div class="dialog-actions">
                                <button type="button" class="button primary" on:click=move |_| notify.open.set(false)>"Done"</button>
                            </div>
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}

/// Whether the browser lets us, and the button that asks it to.
#[component]
fn Allowance(notify: Notify) -> impl IntoView {
    let ask = move |_| {
        #[cfg(feature = "browser")]
        leptos::task::spawn_local(async move {
            let permission = super::desktop::ask().await;
            _ = notify.permission.try_set(permission);
        });
    };
    move || {
        match notify.permission.get() {
        Permission::Granted => view! { <p class="field-note">"The browser allows it."</p> }.into_any(),
        Permission::NotAsked => view! {
            <p class="field-note">
                "The browser has not been asked yet. "
                <button type="button" class="button" on:click=ask>"Allow notifications"</button>
            </p>
        }
        .into_any(),
        Permission::Denied => view! {
            <p class="field-note tone-warn">"The browser was told not to allow it; its own settings for this page can change that."</p>
        }
        .into_any(),
        Permission::Unavailable => {
            view! { <p class="field-note">"This browser has no notifications for this page; they take HTTPS."</p> }.into_any()
        }
    }
    }
}
