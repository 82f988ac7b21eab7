//! The console's user interface: rendered on the server, taken over in the browser.
//!
//! [`shell`] is the document, [`App`] its routes. A page is a folder of [`pages`]; what every page is made of is in [`components`], which
//! knows nothing of the domain; the chrome around a page is [`frame`]; what the operator is told without looking is decided in
//! `notify`. Rows come from the [`store`], which [`live`] feeds, and nowhere else. May use `model`, `sync`, `petri` and the wire types of
//! `worker`; reaches `server` only inside the functions of [`actions`] and its kin.

pub mod account;
pub mod actions;
pub mod admin_actions;
pub mod build_actions;
pub mod components;
pub mod error;
pub mod event_actions;
pub mod events;
pub mod excerpt;
#[cfg(feature = "ssr")]
mod first_screen;
mod frame;
pub mod guard;
pub mod host_actions;
pub mod lab_actions;
pub mod lab_plan;
pub mod labs;
pub mod live;
pub mod log_panel;
mod notify;
mod pages;
#[cfg(feature = "ssr")]
mod said;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod snapshot;
pub mod store;
pub mod webhook_actions;
pub mod within;

#[cfg(feature = "ssr")]
pub use shell::shell;
pub use snapshot::{Me, Opening, Snapshot, Theme};

use frame::Console;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};
use pages::{
    AuditPage, ClusterPage, ClustersPage, EventsPage, HostPage, HostsPage, JoinPage, Kit, LabPage, NetPage,
    NetsPage, NotFound, Overview, PipelinePage, PipelinesPage, ProjectPage, ProjectsPage, SettingsPage,
    SetupPage, SignInPage, TokensPage, UsersPage, WebhooksPage, WorkerPage, WorkersPage,
};

/// Every page is sent whole (`SsrMode::Async`): without JavaScript there is nothing to put late parts in their place.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let mark = frame::trouble::TabMark::new();
    provide_context(mark.clone());
    view! {
        <Title formatter=move |title: String| mark.title(&title)/>
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/setup/:token") view=SetupPage ssr=SsrMode::Async/>
                <Route path=path!("/join/:token") view=JoinPage ssr=SsrMode::Async/>
                <Route path=path!("/kit") view=Kit ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=Console ssr=SsrMode::Async>
                    <Route path=path!("/") view=Overview/>
                    <Route path=path!("/workers") view=WorkersPage/>
                    <Route path=path!("/workers/:id") view=WorkerPage/>
                    <Route path=path!("/nets") view=NetsPage/>
                    <Route path=path!("/nets/:id") view=NetPage/>
                    <Route path=path!("/labs/:id") view=LabPage/>
                    <Route path=path!("/events") view=EventsPage/>
                    <Route path=path!("/hosts") view=HostsPage/>
                    <Route path=path!("/hosts/:id") view=HostPage/>
                    <Route path=path!("/pipelines") view=PipelinesPage/>
                    <Route path=path!("/pipelines/:id") view=PipelinePage/>
                    <Route path=path!("/settings/webhooks") view=WebhooksPage/>
                    <Route path=path!("/clusters") view=ClustersPage/>
                    <Route path=path!("/clusters/:id") view=ClusterPage/>
                    <Route path=path!("/projects") view=ProjectsPage/>
                    <Route path=path!("/projects/:id") view=ProjectPage/>
                    <Route path=path!("/settings") view=SettingsPage/>
                    <Route path=path!("/settings/tokens") view=TokensPage/>
                    <Route path=path!("/settings/users") view=UsersPage/>
                    <Route path=path!("/settings/audit") view=AuditPage/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
