//! Workers: the list, and one of them.

mod create;
mod detail;
mod row;
mod rows;
mod trend;

pub use detail::WorkerPage;
#[cfg(feature = "ssr")]
pub use rows::first_screen;

use super::bulk::{BulkDialog, WorkerBulk};
use crate::{
    app::{
        components::list::{ListCount, ListEmpty, ListRows, PickedBar, RowPlace, Toolbar},
        frame::freshness::FreshnessLine,
        live::poll::poll_while_shown,
        store::use_store,
    },
    model::WorkerId,
};
use create::CreateWorker;
use leptos::prelude::*;
use leptos_meta::Title;
use row::WorkerRow;
use rows::worker_list;

#[component]
pub fn WorkersPage() -> impl IntoView {
    let store = use_store();
    poll_while_shown();
    let list = worker_list(store);
    let bulk = WorkerBulk::new(list);
    let row = move |place: RowPlace<WorkerId>| view! { <WorkerRow list place/> }.into_any();
    view! {
        <Title text="Workers"/>
        <div class="page-head">
            <h1>"Workers " <span class="quiet-text"><ListCount list/></span></h1>
            <CreateWorker/>
        </div>
        <Toolbar list label="Filter workers"/>
        {move || {
            store
                .within
                .with(|within| within.project.is_some())
                .then(|| view! { <p class="quiet-text">"Workers belong to no project: the choice of one does not narrow this list."</p> })
        }}
        <ListEmpty
            list
            none="No workers yet. Create one, then provision it: its machine starts and can load nets."
            no_match="No worker matches the filter."
        />
        <ListRows list label="Workers" picks=store.may_act() row/>
        <PickedBar list one="worker" many="workers">
            {move || bulk.buttons()}
        </PickedBar>
        <BulkDialog bulk=bulk.bulk/>
        <FreshnessLine refreshed=true/>
    }
    .into_any()
}
