//! A secret that is told once: it is on the screen until its reader closes it, and nowhere else.

use crate::app::components::Copyable;
use leptos::{html, prelude::*};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub title: String,
    /// What it is, for the button: `token`.
    pub what: &'static str,
    pub secret: String,
    /// What to do with it.
    pub note: &'static str,
}

#[component]
pub fn ToldDialog(told: RwSignal<Option<Told>>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let there = told.with(Option::is_some);
        let Some(dialog) = dialog.get() else { return };
        if there && !dialog.open() {
            _ = dialog.show_modal();
        } else if !there && dialog.open() {
            dialog.close();
        }
    });
    let close = move || told.set(None);
    view! {
        <dialog class="dialog token" node_ref=dialog aria-labelledby="told-title" on:close=move |_| close()>
            {move || {
                told.get().map(|told| {
                    view! {
                        <h2 id="told-title">{told.title}</h2>
                        <p>"It is shown this once; only its hash is kept. " {told.note}</p>
                        <p class="token-line"><Copyable text=told.secret what=told.what/></p>
                        <div class="dialog-actions">
                            <button type="button" class="button primary" on:click=move |_| close()>"I have it"</button>
                        </div>
                    }
                })
            }}
        </dialog>
    }
    .into_any()
}
