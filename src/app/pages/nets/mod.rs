//! Nets: the list, and the way to add one.

mod add;
mod row;

use super::parts::{Filter, matches_filter, use_filter};
use crate::{
    app::{
        components::{Table, format::count},
        frame::freshness::FreshnessLine,
        store::use_store,
    },
    model::lifecycle::NetWord,
};
use add::AddNet;
use leptos::prelude::*;
use leptos_meta::Title;
use row::NetRow;

const HEADINGS: &[&str] = &["Net", "State", "Worker", "#Size", "#Firings/s", "Actions"];

#[component]
pub fn NetsPage() -> impl IntoView {
    let store = use_store();
    let filter = use_filter();
    let all = Memo::new(move |_| store.nets.with(Vec::len));
    let shown = Memo::new(move |_| {
        let wanted = filter.get();
        let mut ids = store.nets.get();
        if !wanted.is_empty() {
            ids.retain(|id| {
                store.net(*id).is_some_and(|net| {
                    let worker =
                        store.worker_of(&net).map(|worker| worker.name.to_string()).unwrap_or_default();
                    matches_filter(&wanted, &[net.name.as_str(), &NetWord(&net).to_string(), &worker])
                })
            });
        }
        ids
    });
    view! {
        <Title text="Nets"/>
        <div class="page-head">
            <h1>"Nets " <span class="quiet-text">{move || count(all.get() as u64)}</span></h1>
            <Filter label="Filter nets"/>
            <AddNet/>
        </div>
        {move || {
            (all.get() == 0).then(|| view! { <p class="empty">"No nets yet. Add one from a PNML file."</p> })
        }}
        {move || {
            (all.get() > 0 && shown.with(Vec::is_empty)).then(|| view! { <p class="empty">"No net matches the filter."</p> })
        }}
        <div class="table-space" class:no-rows=move || shown.with(Vec::is_empty)>
            <Table label="Nets" headings=HEADINGS>
                <For each=move || shown.get() key=|id| *id let:id>
                    <NetRow id/>
                </For>
            </Table>
        </div>
        <FreshnessLine/>
    }
    .into_any()
}
