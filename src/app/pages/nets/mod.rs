//! Nets: the list, and the way to add one.

mod add;
mod row;
mod rows;

pub use add::{PnmlError, PnmlFields, wrong_at};
#[cfg(feature = "ssr")]
pub use rows::first_screen;

use super::bulk::{BulkDialog, NetBulk};
use crate::{
    app::{
        components::list::{ListCount, ListEmpty, ListRows, PickedBar, RowPlace, Toolbar},
        frame::freshness::FreshnessLine,
        store::use_store,
    },
    model::NetId,
};
use add::AddNet;
use leptos::prelude::*;
use leptos_meta::Title;
use row::NetRow;
use rows::net_list;

#[component]
pub fn NetsPage() -> impl IntoView {
    let store = use_store();
    let list = net_list(store);
    let bulk = NetBulk::new(list);
    let row = move |place: RowPlace<NetId>| view! { <NetRow list place/> }.into_any();
    view! {
        <Title text="Nets"/>
        <div class="page-head">
            <h1>"Nets " <span class="quiet-text"><ListCount list/></span></h1>
            <AddNet/>
        </div>
        <Toolbar list label="Filter nets"/>
        <ListEmpty
            list
            none="No nets yet. Add one from a PNML file."
            no_match="No net matches the filter."
        />
        <ListRows list label="Nets" picks=store.may_act_on_nets() row/>
        <PickedBar list one="net" many="nets">
            {move || bulk.buttons()}
        </PickedBar>
        <BulkDialog bulk=bulk.bulk/>
        <FreshnessLine/>
    }
    .into_any()
}
