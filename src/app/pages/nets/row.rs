//! A net in the list.

use super::super::parts::{AssignForm, BuildBadge, NetBadge, NetButtons};
use crate::{
    app::{
        components::{
            format,
            list::{List, PickBox, RowPlace},
        },
        live::glow::glow,
        store::use_store,
    },
    model::{NetAction, NetId, RunState},
};
use leptos::prelude::*;
use leptos_router::components::A;

/// With more workers than this a row does not offer them all.
const MOST_OFFERED: usize = 100;

#[component]
pub fn NetRow(list: List<NetId>, place: RowPlace<NetId>) -> impl IntoView {
    let store = use_store();
    let RowPlace { key: id, index } = place;
    let net = store.net_row(id)?;
    let row = net.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let glows = glow(net.clone());
    let picked = Memo::new(move |_| list.picked.with(|picked| picked.contains(&id)));
    let project = Memo::new({
        let net = net.clone();
        move |_| {
            let project = net.with(|net| net.project_id);
            store
                .projects
                .with(|rows| rows.iter().find(|row| row.id == project).map(|row| row.name.to_string()))
        }
    });
    let at = Memo::new({
        let net = net.clone();
        move |_| store.worker_of(&net.get()).map(|worker| (worker.id, worker.name.to_string()))
    });
    let error = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.load_error.clone())
    });
    let built = net.clone();
    let running = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.run_state == RunState::Running)
    });
    // A choice of so many in every row would be longer than the list; the net's own page has it.
    let many = Memo::new(move |_| store.summary.with(|all| all.workers) > MOST_OFFERED);
    let figures = store.net_figures(id);
    let rate = Memo::new(move |_| {
        let rate = figures.with(|dated| dated.as_ref().map(|dated| format::rate(dated.value.rate)));
        if running.get() { rate } else { None }
    });
    let size = row.size.to_string();
    Some(
        view! {
        <tbody
            class="entry"
            class:glow=move || glows.get()
            class:picked=move || picked.get()
            role="rowgroup"
            data-key=id.to_string()
            data-net=name.clone()
        >
            <tr role="row" tabindex="-1" aria-rowindex=move || index.get().to_string()>
                {store.may_act_on_nets().then(|| view! { <td class="cell-pick" role="cell"><PickBox list key=id name=name.clone()/></td> })}
                <th class="cell-name" scope="row" role="rowheader">
                    <A href=format!("/nets/{id}")>{shown_name}</A>
                </th>
                <td class="cell-status" role="cell" data-label="State">
                    <NetBadge net=net.clone()/>
                    {move || error.get().map(|error| view! { <span class="cell-reason" title=error.clone()>{error.clone()}</span> })}
                </td>
                <td class="cell-worker" role="cell" data-label="Worker">
                    {move || match at.get() {
                        Some((id, name)) => view! { <A href=format!("/workers/{id}")>{name}</A> }.into_any(),
                        None if many.get() => {
                            let assign = store.may_act().then(|| view! { " · " <A href=format!("/nets/{id}")>"Assign…"</A> });
                            view! { <span class="quiet-text">"not assigned" {assign}</span> }.into_any()
                        }
                        None => view! { <AssignForm net=net.clone()/> <span class="quiet-text not-assigned">"not assigned"</span> }.into_any(),
                    }}
                </td>
                <td class="cell-project" role="cell" data-label="Project">
                    {move || project.get()}
                </td>
                <td class="figure cell-size" role="cell" data-label="Size" title=size>
                    {format::count((row.size.places + row.size.transitions).into())}
                    <span class="quiet-text">" nodes"</span>
                </td>
                <td class="cell-build" role="cell" data-label="Build">
                    <BuildBadge net=built/>
                </td>
                <td class="figure cell-rate" role="cell" data-label="Firings/s">
                    {move || rate.get().unwrap_or_else(|| "—".to_owned())}
                </td>
                <td class="cell-actions" role="cell">
                    <Actions id lean=list.alive.get_untracked()/>
                </td>
            </tr>
        </tbody>
        }
        .into_any(),
    )
}

#[component]
fn Actions(id: NetId, lean: bool) -> impl IntoView {
    let net = use_store().net_row(id)?;
    Some(
        view! { <NetButtons net among=&[NetAction::Load, NetAction::Unload, NetAction::Unassign, NetAction::Delete] lean/> },
    )
}
