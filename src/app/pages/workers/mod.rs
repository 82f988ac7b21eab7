//! Workers: the list, and one of them.

mod create;
mod detail;
mod row;
mod trend;

pub use detail::WorkerPage;

use crate::app::{
    components::{Table, format::count},
    frame::freshness::FreshnessLine,
    live::poll::poll_while_shown,
    store::use_store,
};
use create::CreateWorker;
use leptos::prelude::*;
use leptos_meta::Title;
use row::WorkerRow;

use super::parts::{Filter, matches_filter, use_filter};

const HEADINGS: &[&str] = &["", "Worker", "Status", "Since", "Region", "Nets", "CPU", "#Memory", "Actions"];

#[component]
pub fn WorkersPage() -> impl IntoView {
    let store = use_store();
    poll_while_shown();
    let filter = use_filter();
    let all = Memo::new(move |_| store.workers.with(Vec::len));
    let shown = Memo::new(move |_| {
        let wanted = filter.get();
        let mut ids = store.workers.get();
        if !wanted.is_empty() {
            ids.retain(|id| {
                store.worker(*id).is_some_and(|worker| {
                    matches_filter(
                        &wanted,
                        &[worker.name.as_str(), &worker.status.to_string(), worker.category.as_str()],
                    )
                })
            });
        }
        ids
    });
    view! {
        <Title text="Workers"/>
        <div class="page-head">
            <h1>"Workers " <span class="quiet-text">{move || count(all.get() as u64)}</span></h1>
            <Filter label="Filter workers"/>
            <CreateWorker/>
        </div>
        {move || {
            (all.get() == 0)
                .then(|| {
                    view! {
                        <p class="empty">"No workers yet. Create one, then provision it: its machine starts and can load nets."</p>
                    }
                })
        }}
        {move || {
            (all.get() > 0 && shown.with(Vec::is_empty))
                .then(|| view! { <p class="empty">"No worker matches the filter."</p> })
        }}
        <div class="table-space" class:no-rows=move || shown.with(Vec::is_empty)>
            <Table label="Workers" headings=HEADINGS>
                <For each=move || shown.get() key=|id| *id let:id>
                    <WorkerRow id/>
                </For>
            </Table>
        </div>
        <FreshnessLine refreshed=true/>
    }
    .into_any()
}
