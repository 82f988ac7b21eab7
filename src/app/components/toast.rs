//! Short messages at the edge of the page. One place for all of them; errors stay until they are dismissed.

use super::{Icon, Tone};
use leptos::prelude::*;
use std::time::Duration;

/// How long one that is not an error stays.
const SHOWN: Duration = Duration::from_secs(6);
/// More than this and the oldest go.
const MOST: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    id: u64,
    tone: Tone,
    text: String,
}

#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

impl Toasts {
    pub fn new() -> Toasts {
        Toasts { shown: RwSignal::new(Vec::new()), next: StoredValue::new(0) }
    }

    pub fn success(&self, text: impl Into<String>) {
        self.push(Tone::Good, text.into());
    }

    pub fn warning(&self, text: impl Into<String>) {
        self.push(Tone::Warn, text.into());
    }

    pub fn error(&self, text: impl Into<String>) {
        self.push(Tone::Bad, text.into());
    }

    fn push(&self, tone: Tone, text: String) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        self.shown.update(|shown| {
            shown.retain(|toast| toast.text != text);
            shown.push(Toast { id, tone, text });
            if shown.len() > MOST {
                shown.remove(0);
            }
        });
        if tone != Tone::Bad {
            let toasts = *self;
            set_timeout(move || toasts.dismiss(id), SHOWN);
        }
    }

    fn dismiss(&self, id: u64) {
        // The page may be gone by the time a toast is due.
        _ = self.shown.try_update(|shown| shown.retain(|toast| toast.id != id));
    }
}

impl Default for Toasts {
    fn default() -> Toasts {
        Toasts::new()
    }
}

pub fn use_toasts() -> Toasts {
    expect_context()
}

#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
            <For each=move || toasts.shown.get() key=|toast| toast.id let:toast>
                <div class=format!("toast tone-{}", toast.tone.class())>
                    <p>{toast.text.clone()}</p>
                    <button
                        type="button"
                        class="button quiet"
                        aria-label="Dismiss"
                        on:click=move |_| toasts.dismiss(toast.id)
                    >
                        <Icon name="close"/>
                    </button>
                </div>
            </For>
        </div>
    }
    .into_any()
}
