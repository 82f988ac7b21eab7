//! The way to each page: a rail at the left, a bar at the bottom of a phone.

use super::trouble::{need_attention, trouble};
use crate::app::{
    components::{Icon, Menu, format::count},
    store::use_store,
};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};

#[component]
pub fn Nav() -> impl IntoView {
    let store = use_store();
    let workers = Memo::new(move |_| store.seen.with(|seen| seen.workers));
    let nets = Memo::new(move |_| store.seen.with(|seen| seen.nets));
    let hosts = Memo::new(move |_| store.summary.with(|summary| summary.hosts.hosts));
    let pipelines = Memo::new(move |_| store.summary.with(|summary| summary.hosts.pipelines_open));
    let trouble = Memo::new(move |_| store.summary.with(trouble));
    let path = use_location().pathname;
    let current = move |wanted: &'static str| {
        path.with(|path| path == wanted || (wanted != "/" && path.starts_with(&format!("{wanted}/"))))
            .then_some("page")
    };
    view! {
        <nav class="nav" aria-label="Pages">
            <A href="/" exact=true attr:class="nav-item" attr:aria-current=move || current("/") attr:title="Overview">
                <Icon name="overview"/>
                <span class="nav-label">"Overview"</span>
                {move || {
                    (trouble.get() > 0)
                        .then(|| {
                            view! {
                                <span class="nav-count tone-bad" title=need_attention(trouble.get())>
                                    <span aria-hidden="true">{count(trouble.get() as u64)}</span>
                                    <span class="visually-hidden">{need_attention(trouble.get())}</span>
                                </span>
                            }
                        })
                }}
            </A>
            <A href="/workers" attr:class="nav-item" attr:aria-current=move || current("/workers") attr:title="Workers">
                <Icon name="worker"/>
                <span class="nav-label">"Workers"</span>
                <span class="nav-count">{move || count(workers.get() as u64)}</span>
            </A>
            <A href="/nets" attr:class="nav-item" attr:aria-current=move || current("/nets") attr:title="Nets">
                <Icon name="net"/>
                <span class="nav-label">"Nets"</span>
                <span class="nav-count">{move || count(nets.get() as u64)}</span>
            </A>
            <A href="/hosts" attr:class="nav-item" attr:aria-current=move || current("/hosts") attr:title="Hosts">
                <Icon name="host"/>
                <span class="nav-label">"Hosts"</span>
                <span class="nav-count">{move || count(hosts.get() as u64)}</span>
            </A>
            <A href="/pipelines" attr:class="nav-item" attr:aria-current=move || current("/pipelines") attr:title="Pipelines">
                <Icon name="pipeline"/>
                <span class="nav-label">"Pipelines"</span>
                {move || (pipelines.get() > 0).then(|| view! { <span class="nav-count tone-busy" title="Not over yet">{count(pipelines.get() as u64)}</span> })}
            </A>
            <A href="/events" attr:class="nav-item" attr:aria-current=move || current("/events") attr:title="Events">
                <Icon name="log"/>
                <span class="nav-label">"Events"</span>
            </A>
            // On a phone there is no room for these: they are behind More.
            <A href="/clusters" attr:class="nav-item nav-wide" attr:aria-current=move || current("/clusters") attr:title="Clusters">
                <Icon name="cluster"/>
                <span class="nav-label">"Clusters"</span>
                <span class="nav-count">{move || count(store.clusters.with(Vec::len) as u64)}</span>
            </A>
            <A href="/projects" attr:class="nav-item nav-wide" attr:aria-current=move || current("/projects") attr:title="Projects">
                <Icon name="project"/>
                <span class="nav-label">"Projects"</span>
                <span class="nav-count">{move || count(store.projects.with(Vec::len) as u64)}</span>
            </A>
            <div class="nav-more">
                <Menu label="More pages" face=view! { <Icon name="more"/> <span class="nav-label">"More"</span> }.into_any()>
                    <A href="/clusters" attr:class="menu-item" attr:aria-current=move || current("/clusters")>"Clusters"</A>
                    <A href="/projects" attr:class="menu-item" attr:aria-current=move || current("/projects")>"Projects"</A>
                    <A href="/settings" attr:class="menu-item" attr:aria-current=move || current("/settings")>"Settings"</A>
                </Menu>
            </div>
        </nav>
    }
    .into_any()
}
