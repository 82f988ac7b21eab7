//! A list that is not in the stream: fetched when it is shown and after each change, with the time of that.

use crate::{
    app::{components::TimeOfDay, error::ApiError, store::use_store},
    model::Timestamp,
};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

pub struct Fetched<T: Send + Sync + 'static> {
    pub rows: Resource<Result<Vec<T>, ApiError>>,
    round: RwSignal<u32>,
    at: RwSignal<Timestamp>,
    now: RwSignal<Timestamp>,
}

impl<T: Send + Sync + 'static> Clone for Fetched<T> {
    fn clone(&self) -> Fetched<T> {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Fetched<T> {}

impl<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static> Fetched<T> {
    pub fn new<F>(fetch: impl Fn() -> F + Send + Sync + 'static) -> Fetched<T>
    where
        F: Future<Output = Result<Vec<T>, ApiError>> + Send + 'static,
    {
        let now = use_store().now;
        let round = RwSignal::new(0);
        let at = RwSignal::new(now.get_untracked());
        Fetched { rows: Resource::new_blocking(move || round.get(), move |_| fetch()), round, at, now }
    }
}

impl<T: Send + Sync + 'static> Fetched<T> {
    /// Fetches it anew, unless it is not shown any more.
    pub fn again(self) {
        if let Some(now) = self.now.try_get_untracked() {
            _ = self.at.try_set(now);
            _ = self.round.try_update(|round| *round += 1);
        }
    }
}

/// Of when the list is.
#[component]
pub fn FetchedAt<T: Send + Sync + 'static>(list: Fetched<T>) -> impl IntoView {
    view! {
        <p class="freshness">
            "as of "
            <TimeOfDay at=Signal::derive(move || list.at.get())/>
            " · "
            <button type="button" class="link needs-script" on:click=move |_| list.again()>
                "Fetch it again"
            </button>
        </p>
    }
    .into_any()
}
