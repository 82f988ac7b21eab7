//! Hosts: the list, and one of them.

mod add;
mod detail;
mod history;
mod pipeline_dialog;
mod row;
mod rows;

pub use detail::HostPage;
#[cfg(feature = "ssr")]
pub use rows::first_screen;

use super::{
    bulk::{BulkDialog, HostBulk},
    parts::kind_label,
};
use crate::{
    app::{
        components::{
            Menu,
            list::{List, ListCount, ListEmpty, ListRows, PickedBar, RowPlace, Toolbar},
        },
        frame::freshness::FreshnessLine,
        store::{Store, use_store},
    },
    model::{CommandKind, HostId},
};
use add::{AddHost, TokenDialog};
use leptos::prelude::*;
use leptos_meta::Title;
use pipeline_dialog::{PipelineAsk, PipelineDialog};
use row::HostRow;
use rows::host_list;
use std::collections::BTreeMap;

#[component]
pub fn HostsPage() -> impl IntoView {
    let store = use_store();
    let list = host_list(store);
    let (bulk, ask) = (HostBulk::new(), PipelineAsk::new());
    let row = move |place: RowPlace<HostId>| view! { <HostRow list place/> }.into_any();
    view! {
        <Title text="Hosts"/>
        <div class="page-head">
            <h1>"Hosts " <span class="quiet-text"><ListCount list/></span></h1>
            <AddHost/>
        </div>
        <Toolbar list label="Filter hosts"/>
        <ListEmpty
            list
            none="No hosts yet. An administrator adds one here, and starts the agent on it with the token shown then."
            no_match="No host matches the filter."
        />
        <div class="hosts-list">
            <ListRows list label="Hosts" picks=store.may_act() row/>
        </div>
        <PickedBar list one="host" many="hosts">
            {move || bulk_menu(store, list, bulk, ask)}
        </PickedBar>
        <BulkDialog bulk=bulk.bulk/>
        <PipelineDialog ask/>
        <TokenDialog/>
        <FreshnessLine/>
    }
    .into_any()
}

/// The commands that any of the chosen hosts offers, the usual ones first, with how many of them do.
fn offers(store: Store, hosts: &[HostId]) -> Vec<(CommandKind, usize)> {
    let mut counts: BTreeMap<CommandKind, usize> = BTreeMap::new();
    for id in hosts {
        let Some(host) = store.host_row(*id) else { continue };
        host.with(|host| {
            host.commands.iter().for_each(|offer| *counts.entry(offer.kind.clone()).or_default() += 1)
        });
    }
    const USUAL: [&str; 3] = ["pull", "switch", "test"];
    let mut kinds: Vec<_> = counts.into_iter().collect();
    kinds.sort_by_key(|(kind, _)| {
        USUAL.iter().position(|usual| *usual == kind.as_str()).unwrap_or(USUAL.len())
    });
    kinds
}

/// What can be done with the chosen hosts; merging and deploying first, when there is something to merge.
fn bulk_menu(store: Store, list: List<HostId>, bulk: HostBulk, ask: PipelineAsk) -> AnyView {
    let mergeable = Memo::new(move |_| {
        store.pull_requests.with(|all| all.iter().find(|one| one.mergeable == Some(true)).cloned())
    });
    let kinds = Memo::new(move |_| {
        list.picked.track();
        offers(store, &list.picks())
    });
    let face = || view! { <span class="menu-face">"Actions"</span> }.into_any();
    view! {
        <Menu label="Actions on the selection" face=face()>
            {move || {
                mergeable.get().map(|merge| {
                    let number = merge.number;
                    view! {
                        <button type="button" class="menu-item" title=merge.title.clone() on:click=move |_| ask.open(list.picks(), Some(merge.clone()))>
                            {format!("Merge & Deploy PR #{number}…")}
                        </button>
                        <hr class="menu-rule"/>
                    }
                })
            }}
            <For each=move || kinds.get() key=|kind| kind.clone() let:offer>
                {
                    let (kind, hosts) = offer;
                    let label = kind_label(&kind);
                    view! {
                        <button type="button" class="menu-item" title=format!("{hosts} of them offer it") on:click=move |_| bulk.run(kind.clone(), list.picks())>
                            {label} "…"
                        </button>
                    }
                }
            </For>
            <button type="button" class="menu-item" on:click=move |_| ask.open(list.picks(), None)>
                "Start a pipeline…"
            </button>
        </Menu>
    }
    .into_any()
}
