//! Projects: all that the user sees with their state and what they use of their quotas, and one of them.

mod create;
mod detail;
mod edit;
mod move_net;
mod quota;

pub use detail::ProjectPage;
pub use move_net::ProjectOfNet;

use super::parts::{GroupLinks, HealthBadge, Reasons, project_health};
use crate::{
    app::{
        components::{Part, ShareBar, Tone, format},
        frame::freshness::FreshnessLine,
        store::{Store, use_store},
        within::Within,
    },
    model::{Project, ProjectId},
};
use create::CreateProject;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use quota::QuotaUse;
use std::sync::Arc;

#[component]
pub fn ProjectsPage() -> impl IntoView {
    let store = use_store();
    let all =
        Memo::new(move |_| store.projects.with(|rows| rows.iter().map(|row| row.id).collect::<Vec<_>>()));
    view! {
        <Title text="Projects"/>
        <div class="page-head">
            <h1>"Projects " <span class="quiet-text">{move || format::count(all.with(Vec::len) as u64)}</span></h1>
            <CreateProject/>
        </div>
        {move || all.with(Vec::is_empty).then(|| view! { <p class="empty">"There is no project that you are a member of. An administrator can add you to one."</p> })}
        <ul class="groups">
            <For each=move || all.get() key=|id| *id let:id>
                <ProjectCard id/>
            </For>
        </ul>
        <FreshnessLine/>
    }
    .into_any()
}

/// The row now, and as long as there is one.
fn row_of(store: Store, id: ProjectId) -> Memo<Option<Arc<Project>>> {
    Memo::new(move |_| store.projects.with(|rows| rows.iter().find(|row| row.id == id).cloned()))
}

/// What a project's nets are, as parts of all.
fn parts_of(store: Store, id: ProjectId) -> Memo<Vec<Part>> {
    Memo::new(move |_| {
        let group = store.groups.with(|groups| groups.project(id));
        let idle = group.nets_loaded.saturating_sub(group.nets_running + group.nets_dead);
        let part = |tone, count, word| Part { tone, count, word };
        vec![
            part(Tone::Good, group.nets_running, "running"),
            part(Tone::Busy, idle, "idle"),
            part(Tone::Warn, group.nets_dead, "dead"),
            part(Tone::Bad, group.nets_failed, "with a load error"),
            part(Tone::Quiet, group.nets.saturating_sub(group.nets_loaded + group.nets_failed), "unloaded"),
        ]
    })
}

/// `14 nets`, of a project.
fn nets_of(store: Store, id: ProjectId) -> Signal<String> {
    let count = Memo::new(move |_| store.groups.with(|groups| groups.project(id).nets));
    Signal::derive(move || format::counted(count.get(), "net", "nets"))
}

#[component]
fn ProjectCard(id: ProjectId) -> impl IntoView {
    let store = use_store();
    let row = row_of(store, id);
    let name =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.name.to_string()).unwrap_or_default()));
    let health = project_health(store, id);
    let within = Within { cluster: None, project: Some(id) };
    view! {
        <li class="group panel" data-project=move || name.get()>
            <div class="group-head">
                <h2>
                    <A href=format!("/projects/{id}")>{move || name.get()}</A>
                </h2>
                <HealthBadge health/>
            </div>
            <Reasons health/>
            <ShareBar parts=parts_of(store, id)/>
            <QuotaUse id row/>
            <p class="group-foot quiet-text">
                <GroupLinks list="/nets" within label=nets_of(store, id)/>
            </p>
        </li>
    }
    .into_any()
}
