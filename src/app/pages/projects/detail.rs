//! One project: its state with the reasons, its quotas, its nets, who is a member, what happened to it.

use super::{
    super::{
        events::Timeline,
        not_found::GoneRow,
        parts::{DeleteGroup, GroupLinks, HealthBadge, NetLines, Reasons, project_health},
        settings::Members,
    },
    edit::Edit,
    nets_of, parts_of,
    quota::QuotaUse,
    row_of,
};
use crate::{
    app::{
        admin_actions::DeleteProject,
        components::{Ago, Copyable, ShareBar},
        frame::freshness::FreshnessLine,
        guard::use_desk,
        store::{FIRST, use_store},
        within::Within,
    },
    model::{EntityRef, NetId, ProjectId},
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{
    components::A,
    hooks::{use_navigate, use_params_map},
};
use server_fn::ServerFn;

#[component]
pub fn ProjectPage() -> impl IntoView {
    let store = use_store();
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params.with(|params| params.get("id")).and_then(|id| id.parse::<ProjectId>().ok())
    });
    let here = Memo::new(move |_| {
        id.get().filter(|id| store.projects.with(|rows| rows.iter().any(|row| row.id == *id)))
    });
    move || match here.get() {
        Some(id) => view! { <Detail id/> }.into_any(),
        None => view! { <GoneRow what="project" list="/projects" list_name="projects"/> }.into_any(),
    }
}

#[component]
fn Detail(id: ProjectId) -> impl IntoView {
    let (store, desk, navigate) = (use_store(), use_desk(), use_navigate());
    let row = row_of(store, id);
    let first = row.get_untracked()?;
    let name =
        Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.name.to_string()).unwrap_or_default()));
    let health = project_health(store, id);
    let within = Within { cluster: None, project: Some(id) };
    let nets = Memo::new(move |_| {
        let group = store.groups.with(|groups| groups.project(id));
        // Those in trouble first.
        let others = group.first_nets.iter().filter(|net| !group.failed_nets.contains(net));
        group.failed_nets.iter().chain(others).take(FIRST).copied().collect::<Vec<NetId>>()
    });
    let on_delete = Callback::new(move |event: SubmitEvent| {
        let Ok(ask) = DeleteProject::from_event(&event) else { return };
        event.prevent_default();
        let navigate = navigate.clone();
        spawn_local(async move {
            if desk.delete_project(ask).await {
                navigate(&store.within.get_untracked().carry("/projects"), Default::default());
            }
        });
    });
    Some(
        view! {
        <Title text=move || name.get()/>
        <p class="trail">
            <A href="/projects">"Projects"</A>
        </p>
        <div class="page-head" data-project=move || name.get()>
            <h1>{move || name.get()}</h1>
            <HealthBadge health/>
            {store.may_administer().then(|| view! {
                <Edit id row/>
                <DeleteGroup id=id.to_string() what="project" action=DeleteProject::url() on_submit=on_delete/>
            })}
        </div>
        <Reasons health/>
        <div class="columns">
            <section class="panel" aria-labelledby="project-nets">
                <h2 id="project-nets">"Nets"</h2>
                <ShareBar parts=parts_of(store, id)/>
                <NetLines ids=nets with_worker=true/>
                <p class="lines-more">
                    "In the list: " <GroupLinks list="/nets" within label=nets_of(store, id)/>
                </p>
            </section>
            <section class="panel" aria-labelledby="project-about">
                <h2 id="project-about">"Details"</h2>
                <QuotaUse id row/>
                <dl class="facts">
                    <dt>"Id"</dt>
                    <dd>
                        <Copyable text=id.to_string() what="id"/>
                    </dd>
                    <dt>"Created"</dt>
                    <dd>
                        <Ago at=first.created_at/>
                        " ago"
                    </dd>
                </dl>
            </section>
        </div>
        <div class="below columns">
            <Members project=id/>
            <Timeline resource=EntityRef::Project(id) id="project-events"/>
        </div>
        <FreshnessLine/>
        }
        .into_any(),
    )
}
