//! What the pages of clusters and of projects have in common.

use crate::app::{components::SecondStep, store::use_store, within::Within};
use leptos::{ev::SubmitEvent, prelude::*};

/// To the list of what is in it, with nothing else in it; and the choice to see only this everywhere.
#[component]
pub fn GroupLinks(
    /// The list's path.
    list: &'static str,
    /// Looking at this group only.
    within: Within,
    #[prop(into)] label: Signal<String>,
) -> impl IntoView {
    view! {
        <a href=format!("{list}?{}", within.write(""))>{move || label.get()}</a>
    }
    .into_any()
}

/// Deletes what the page is about. Whether it may be is asked when it is pressed: the answer says what stands in the way.
#[component]
pub fn DeleteGroup(
    #[prop(into)] id: String,
    /// `cluster`
    what: &'static str,
    action: &'static str,
    on_submit: Callback<SubmitEvent>,
) -> impl IntoView {
    let store = use_store();
    view! {
        <form class="actions" method="post" action=action on:submit=move |event| on_submit.run(event)>
            <input type="hidden" name="id" value=id.clone()/>
            <SecondStep
                label="Delete"
                name="key"
                value=format!("{}-{id}", store.form_key.get_untracked())
                loss=format!("Only an empty {what} is deleted. It cannot be undone.")
            >
                <button class="button danger">"Delete"</button>
            </SecondStep>
        </form>
    }
    .into_any()
}
