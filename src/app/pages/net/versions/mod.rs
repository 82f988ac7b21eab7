//! The versions of a net: which is loaded, how the build of each stands, what each changed; and giving it another one.

mod change;
mod compare;
mod drawing;

use super::{super::parts::submit, analysis::build_state, tabs::Tab};
use crate::{
    app::{
        actions::ActOnNet,
        build_actions::net_versions,
        components::{Moment, StateBadge, format},
        guard::use_desk,
        store::{Store, use_store},
    },
    model::{
        BuildError, BuildStatus, Net, NetAction, NetBuild, NetId, Role, VersionRow, lifecycle::net_action,
    },
};
use change::ChangeNet;
use compare::Comparison;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use server_fn::ServerFn;
use std::sync::Arc;

/// Versions shown; older ones are a download of the API.
const SHOWN: usize = 100;

#[component]
pub fn Versions(id: NetId, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let store = use_store();
    let query = use_query_map();
    // What a new version, a build that ended or a loading changes of the list.
    let stage = Memo::new({
        let net = net.clone();
        move |_| {
            net.with(|net| {
                (net.version, net.newest().number, net.build.as_ref().map(|build| (build.id, build.status)))
            })
        }
    });
    let rows = Resource::new(move || stage.get(), move |_| net_versions(id));
    let number =
        move |key: &str| query.with(|query| query.get(key)).and_then(|number| number.parse::<u32>().ok());
    let compared = Memo::new(move |_| number("compare"));
    let with = Memo::new(move |_| number("with"));
    let project = net.get_untracked().project_id;
    let change = store.may_in(project, Role::Operator).then({
        let net = net.clone();
        || view! { <ChangeNet id net/> }
    });
    let stands_in_the_way = Memo::new({
        let net = net.clone();
        move |_| {
            net.with(|net| {
                let others = net.newest().number > 1 && store.may_in(net.project_id, Role::Operator);
                (net.is_loaded() && others).then(|| {
                    format!("Version {} is loaded. To load another one, unload the net first.", net.version)
                })
            })
        }
    });
    view! {
        <section class="panel versions" aria-labelledby="versions-title">
            <div class="panel-head">
                <h2 id="versions-title">"Versions"</h2>
                {change}
            </div>
            {move || stands_in_the_way.get().map(|said| view! { <p class="quiet-text">{said}</p> })}
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the versions…"</p> }>
                {move || {
                    let net = net.clone();
                    Suspend::new(async move {
                        match rows.await {
                            Ok(rows) => view! { <List id net rows compared/> }.into_any(),
                            Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        }
                    })
                }}
            </Transition>
        </section>
        {move || compared.get().map(|version| view! { <Comparison id version with/> })}
    }
    .into_any()
}

#[component]
fn List(
    id: NetId,
    net: ArcRwSignal<Arc<Net>>,
    rows: Vec<VersionRow>,
    compared: Memo<Option<u32>>,
) -> impl IntoView {
    let more = rows.len().saturating_sub(SHOWN);
    let readable = rows.iter().map(|row| row.version).filter(|version| !version.size.is_nothing());
    let first = readable.map(|version| version.number).min();
    let line = move |row: VersionRow| {
        let has_before =
            !row.version.size.is_nothing() && first.is_some_and(|first| first < row.version.number);
        view! { <Version id net=net.clone() row has_before compared/> }
    };
    view! {
        <ul class="lines version-list" aria-label="Versions">
            {rows.into_iter().take(SHOWN).map(line).collect_view()}
        </ul>
        {(more > 0)
            .then(|| {
                view! { <p class="quiet-text">{format!("and {} older ones, which the API lists", format::count(more as u64))}</p> }
            })}
    }
    .into_any()
}

#[component]
fn Version(
    id: NetId,
    net: ArcRwSignal<Arc<Net>>,
    row: VersionRow,
    has_before: bool,
    compared: Memo<Option<u32>>,
) -> impl IntoView {
    let store = use_store();
    let number = row.version.number;
    let size = row.version.size;
    let failed = row.build.as_ref().is_some_and(NetBuild::is_broken);
    // What was found before holds, though building it anew failed.
    let state = row.build.as_ref().map(|build| match build.status {
        BuildStatus::Failed if !failed => BuildStatus::Succeeded,
        status => status,
    });
    let state = Signal::stored(build_state(state, None));
    let why = row.build.and_then(|build| build.error).map(|error| why(&error, failed));
    let place = Memo::new({
        let net = net.clone();
        move |_| {
            net.with(|net| {
                let loaded = net.version == number && net.is_loaded();
                let newest = net.newest().number == number;
                match (loaded, newest) {
                    (true, true) => "loaded, newest",
                    (true, false) => "loaded",
                    (false, true) => "newest",
                    (false, false) => "",
                }
            })
        }
    });
    let loadable = Memo::new({
        let net = net.clone();
        move |_| !failed && may_load(store, &net.get())
    });
    let sizes = match (size.places, size.transitions) {
        (0, 0) => "cannot be read".to_owned(),
        _ => format!(
            "{}, {}, {}",
            format::counted(size.places as usize, "place", "places"),
            format::counted(size.transitions as usize, "transition", "transitions"),
            format::counted(size.arcs as usize, "arc", "arcs"),
        ),
    };
    let here = Tab::Versions.of(id);
    let compare = format!("{here}&compare={number}");
    view! {
        <li class="line version" data-version=number.to_string()>
            <span class="line-name">{format!("Version {number}")}</span>
            {move || {
                let said = place.get();
                (!said.is_empty()).then(|| view! { <span class="chip">{said}</span> })
            }}
            <StateBadge state/>
            <span class="quiet-text">{sizes}</span>
            <span class="quiet-text">
                <Moment at=row.at/>
                {format!(" by {}", row.actor)}
            </span>
            {why.map(|why| view! { <span class="line-error">{why}</span> })}
            <span class="line-actions">
                {move || {
                    let net = net.clone();
                    loadable.get().then(|| view! { <LoadThis id number net/> })
                }}
                {has_before
                    .then(|| {
                        view! {
                            <a
                                class="button"
                                href=move || store.within.get().carry(&compare)
                                aria-current=move || (compared.get() == Some(number)).then_some("true")
                                data-noscroll=""
                            >
                                "Compare"
                            </a>
                        }
                    })}
                <a class="button" href=format!("/api/nets/{id}/versions/{number}/pnml") rel="external" download="">
                    "Download"
                </a>
            </span>
        </li>
    }
    .into_any()
}

/// Why a build failed, and where in the file.
fn why(error: &BuildError, failed: bool) -> String {
    let at = error.at.map(|(line, column)| {
        format!("Line {}, column {}: ", format::count(line.into()), format::count(column.into()))
    });
    let anew = if failed { "" } else { "Building it anew failed: " };
    format!("{anew}{}{}", at.unwrap_or_default(), error.text)
}

/// Whether a version that can be read may be loaded now.
fn may_load(store: Store, net: &Net) -> bool {
    // What became of the newest version is nothing to the others.
    let net = Net { build: None, ..net.clone() };
    let worker = store.worker_of(&net);
    store.may_in(net.project_id, Role::Operator)
        && net_action(&net, worker.as_deref(), NetAction::Load).is_ok()
}

#[component]
fn LoadThis(id: NetId, number: u32, net: ArcRwSignal<Arc<Net>>) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let busy = RwSignal::new(false);
    let revision = Memo::new(move |_| net.with(|net| net.state_revision));
    view! {
        <form class="actions" method="post" action=ActOnNet::url() on:submit=submit(desk, busy)>
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="version" value=number.to_string()/>
            <input type="hidden" name="state_revision" value=move || revision.get().to_string()/>
            <input
                type="hidden"
                name="key"
                value=move || format!("{}-{id}-{}-v{number}", store.form_key.get(), revision.get())
            />
            <button
                class="button"
                name="action"
                value="load"
                aria-disabled=move || busy.get().then_some("true")
            >
                {format!("Load version {number}")}
            </button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_version_says_where_it_is_broken() {
        let error = |at| BuildError { text: "the weight of an arc is 0".to_owned(), at };
        assert_eq!(
            why(&error(Some((1_200, 7))), true),
            "Line 1\u{202f}200, column 7: the weight of an arc is 0"
        );
        assert_eq!(why(&error(None), true), "the weight of an arc is 0");
        assert_eq!(why(&error(None), false), "Building it anew failed: the weight of an arc is 0");
    }
}
