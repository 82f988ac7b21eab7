//! A net in the list.

use super::super::parts::{AssignForm, NetBadge, NetButtons};
use crate::{
    app::{components::format, live::glow::glow, store::use_store},
    model::{NetAction, NetId, RunState},
};
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn NetRow(id: NetId) -> impl IntoView {
    let store = use_store();
    let net = store.net_row(id)?;
    let row = net.get_untracked();
    let name = row.name.to_string();
    let shown_name = name.clone();
    let glows = glow(net.clone());
    let at = Memo::new({
        let net = net.clone();
        move |_| store.worker_of(&net.get()).map(|worker| (worker.id, worker.name.to_string()))
    });
    let error = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.load_error.clone())
    });
    let running = Memo::new({
        let net = net.clone();
        move |_| net.with(|net| net.run_state == RunState::Running)
    });
    let figures = store.net_figures(id);
    let rate = Memo::new(move |_| {
        let rate = figures.with(|dated| dated.as_ref().map(|dated| format::rate(dated.value.rate)));
        if running.get() { rate } else { None }
    });
    let size =
        format!("{} places, {} transitions, {} arcs", row.size.places, row.size.transitions, row.size.arcs);
    Some(
        view! {
        <tbody class="entry" class:glow=move || glows.get() role="rowgroup" data-net=name.clone()>
            <tr role="row">
                <th class="cell-name" scope="row" role="rowheader">
                    <A href=format!("/nets/{id}")>{shown_name}</A>
                </th>
                <td class="cell-status" role="cell" data-label="State">
                    <NetBadge net=net.clone()/>
                    {move || error.get().map(|error| view! { <span class="cell-reason" title=error.clone()>{error.clone()}</span> })}
                </td>
                <td role="cell" data-label="Worker">
                    {move || match at.get() {
                        Some((id, name)) => view! { <A href=format!("/workers/{id}")>{name}</A> }.into_any(),
                        None => view! { <AssignForm net=net.clone()/> <span class="quiet-text not-assigned">"not assigned"</span> }.into_any(),
                    }}
                </td>
                <td class="figure cell-size" role="cell" data-label="Size" title=size>
                    {format::count((row.size.places + row.size.transitions).into())}
                    <span class="quiet-text">" nodes"</span>
                </td>
                <td class="figure cell-rate" role="cell" data-label="Firings/s">
                    {move || rate.get().unwrap_or_else(|| "—".to_owned())}
                </td>
                <td class="cell-actions" role="cell">
                    <Actions id/>
                </td>
            </tr>
        </tbody>
        }
        .into_any(),
    )
}

#[component]
fn Actions(id: NetId) -> impl IntoView {
    let net = use_store().net_row(id)?;
    Some(
        view! { <NetButtons net among=&[NetAction::Load, NetAction::Unload, NetAction::Unassign, NetAction::Delete]/> },
    )
}
