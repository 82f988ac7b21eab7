//! The choice of what is looked at, in the top bar: one cluster, one project, or all. It narrows every page.
//!
//! Each choice is a link, so that it works without JavaScript and can be opened beside the present one. The address carries the choice
//! ([`keep_in_address`]) and a cookie remembers it for addresses that do not say.

use crate::{
    app::{
        components::Menu,
        live::address,
        store::{Store, use_store},
        within::Within,
    },
    model::{ClusterId, ProjectId},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_location, use_navigate},
};

/// More than this are chosen from on their own page.
const OFFERED: usize = 40;

/// What a menu offers: the choice, its name, and whether it is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Offer {
    within: Within,
    name: String,
    chosen: bool,
}

#[component]
pub fn Switcher() -> impl IntoView {
    let store = use_store();
    let within = store.within;
    let clusters = Memo::new(move |_| {
        store.clusters.with(|rows| rows.iter().map(|row| (row.id, row.name.to_string())).collect::<Vec<_>>())
    });
    let projects = Memo::new(move |_| {
        store.projects.with(|rows| rows.iter().map(|row| (row.id, row.name.to_string())).collect::<Vec<_>>())
    });
    let cluster = Memo::new(move |_| clusters.with(|rows| name_of(within.get().cluster, rows)));
    let project = Memo::new(move |_| projects.with(|rows| name_of(within.get().project, rows)));
    let of_clusters = Memo::new(move |_| {
        let now = within.get();
        clusters
            .with(|rows| offers(now.cluster, rows, |cluster: Option<ClusterId>| Within { cluster, ..now }))
    });
    let of_projects = Memo::new(move |_| {
        let now = within.get();
        projects
            .with(|rows| offers(now.project, rows, |project: Option<ProjectId>| Within { project, ..now }))
    });
    // On a phone there is no room for a choice that is none.
    let one = Memo::new(move |_| {
        within.get().is_all() && clusters.with(Vec::len) <= 1 && projects.with(Vec::len) <= 1
    });
    view! {
        <div class="switcher" class:one=move || one.get() role="group" aria-label="Show only">
            <Switch what="cluster" now=cluster offers=of_clusters page="/clusters" all_of="All clusters, with their state"/>
            <Switch what="project" now=project offers=of_projects page="/projects" all_of="All projects, with their state"/>
        </div>
    }
    .into_any()
}

/// `all`, a name, or that there is no such row.
fn name_of<I: Copy + PartialEq>(chosen: Option<I>, rows: &[(I, String)]) -> String {
    let Some(id) = chosen else { return "all".to_owned() };
    let row = rows.iter().find(|(row, _)| *row == id);
    row.map_or_else(|| "gone".to_owned(), |(_, name)| name.clone())
}

fn offers<I: Copy + PartialEq>(
    chosen: Option<I>,
    rows: &[(I, String)],
    choose: impl Fn(Option<I>) -> Within,
) -> Vec<Offer> {
    let all = Offer { within: choose(None), name: "all".to_owned(), chosen: chosen.is_none() };
    let each = rows.iter().take(OFFERED).map(|(id, name)| Offer {
        within: choose(Some(*id)),
        name: name.clone(),
        chosen: chosen == Some(*id),
    });
    std::iter::once(all).chain(each).collect()
}

#[component]
fn Switch(
    what: &'static str,
    now: Memo<String>,
    offers: Memo<Vec<Offer>>,
    page: &'static str,
    all_of: &'static str,
) -> impl IntoView {
    let location = use_location();
    let named = Signal::derive(move || format!("{what}: {}", now.get()));
    let face = view! {
        <span class="switch-what">{what}": "</span>
        <span class="switch-name">{move || now.get()}</span>
        <span class="switch-mark" aria-hidden="true">"▾"</span>
    }
    .into_any();
    let is_chosen = Memo::new(move |_| offers.with(|offers| offers.first().is_some_and(|all| !all.chosen)));
    view! {
        <div class="switch" class:chosen=move || is_chosen.get()>
            <Menu label=what named face>
                <For each=move || offers.get() key=|offer| offer.clone() let:offer>
                    {
                        let within = offer.within;
                        // The page stays; only what it shows is narrowed.
                        let href = move || {
                            let query = location.search.with(|search| within.write_out(&without_page(search)));
                            format!("{}?{query}", location.pathname.get())
                        };
                        view! {
                            <a class="menu-item" href=href aria-current=offer.chosen.then_some("true")>
                                {offer.name}
                            </a>
                        }
                    }
                </For>
                <div class="switch-all">
                    <A href=page attr:class="menu-item">{all_of}</A>
                </div>
            </Menu>
        </div>
    }
    .into_any()
}

/// The third page of all is not the third page of some.
fn without_page(search: &str) -> String {
    let pairs = search.trim_start_matches('?').split('&').filter(|pair| !pair.starts_with("page="));
    pairs.collect::<Vec<_>>().join("&")
}

/// Says so where what is looked at does not exist any more, and offers all.
#[component]
pub fn WithinNotice() -> impl IntoView {
    let store = use_store();
    let pathname = use_location().pathname;
    let gone = Memo::new(move |_| {
        let within = store.within.get();
        let cluster =
            within.cluster.filter(|id| store.clusters.with(|rows| rows.iter().all(|row| row.id != *id)));
        let project =
            within.project.filter(|id| store.projects.with(|rows| rows.iter().all(|row| row.id != *id)));
        let rest = Within {
            cluster: within.cluster.filter(|_| cluster.is_none()),
            project: within.project.filter(|_| project.is_none()),
        };
        let what = match (cluster, project) {
            (None, None) => return None,
            (Some(_), None) => "cluster",
            (None, Some(_)) => "project",
            (Some(_), Some(_)) => "cluster and the project",
        };
        Some((what, rest))
    });
    move || {
        gone.get().map(|(what, rest)| {
            view! {
                <p class="notice tone-warn" role="status">
                    {format!("The {what} that you chose to see does not exist any more, or is not yours to see, so nothing of it is listed. ")}
                    <a href=move || format!("{}?{}", pathname.get(), rest.write_out(""))>"Show all"</a>
                </p>
            }
            .into_any()
        })
    }
}

/// Follows the address: what it says is looked at. The first one, where it says nothing, is given what was chosen on an earlier visit; from
/// then on every link carries the choice, so that going back finds it as it was.
pub fn keep_in_address(store: Store) {
    let (location, navigate) = (use_location(), use_navigate());
    address::note_history(use_navigate());
    address::carry_in_links(move |href| store.within.get_untracked().carry(href));
    Effect::new(move |first: Option<()>| {
        let (pathname, search) = (location.pathname.get(), location.search.get());
        let search = search.trim_start_matches('?');
        let before = store.within.get_untracked();
        let unsaid = if first.is_none() { before } else { Within::default() };
        let now = Within::read(search, unsaid);
        if now != before {
            store.look_within(now);
            address::remember(now);
        }
        let wanted = now.write(search);
        if wanted != search {
            let (mark, hash) = (if wanted.is_empty() { "" } else { "?" }, location.hash.get_untracked());
            let path = format!("{pathname}{mark}{wanted}{hash}");
            navigate(&path, NavigateOptions { replace: true, scroll: false, ..Default::default() });
        }
    });
}
