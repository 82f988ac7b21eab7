//! What a net says of itself to the list of nets.

use super::super::parts::Finding;
use crate::{
    app::{
        components::list::{Column, Facet, Facts, FirstScreen, List, Offer, PAGE, SortKey, Source},
        store::{Store, Touched},
    },
    model::{EntityRef, Net, NetId, lifecycle::NetWord},
};
use leptos::prelude::GetUntracked;
use std::{collections::HashSet, sync::Arc};

const fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, figure: false, sorts: true, optional: true }
}

pub const OFFER: Offer = Offer {
    name: "nets",
    columns: &[
        Column { optional: false, ..column("name", "Net") },
        Column { optional: false, ..column("status", "State") },
        Column { optional: false, ..column("worker", "Worker") },
        column("project", "Project"),
        Column { figure: true, ..column("size", "Size") },
        column("build", "Build"),
        Column { figure: true, sorts: false, ..column("rate", "Firings/s") },
        Column { sorts: false, optional: false, ..column("actions", "Actions") },
    ],
    facets: &[
        Facet { key: "load", label: "Load state" },
        Facet { key: "run", label: "Run state" },
        Facet { key: "build", label: "Build" },
        Facet { key: "worker", label: "Worker" },
        Facet { key: "project", label: "Project" },
    ],
    searches: true,
    whole: PAGE,
    sorted_by: "name",
};

/// The value of the facet for nets that are on no worker.
const NOWHERE: &str = "not assigned";

struct Rows(Store);

impl Source<NetId> for Rows {
    fn keys(&self) -> Vec<NetId> {
        self.0.nets.get_untracked()
    }

    fn facts(&self, id: NetId, by: &str) -> Option<Facts> {
        let row = self.row(id).filter(|row| self.0.within.get_untracked().has_net(row))?;
        let (worker, project) = (self.worker(&row), self.0.project_name_now(row.project_id));
        let name = row.name.as_str().to_lowercase();
        let build = Finding::of(&row).word();
        let text =
            format!("{name} {} {} {} {build}", NetWord(&row), worker.to_lowercase(), project.to_lowercase());
        let sort = self.key(&row, by);
        let run = if row.is_loaded() { row.run_state.as_str() } else { "not loaded" };
        let facets = [row.load_state.as_str(), run, build, &worker, &project];
        Some(Facts { name, text, facets: facets.map(str::to_owned).to_vec(), sort })
    }

    fn sort_key(&self, id: NetId, by: &str) -> SortKey {
        self.row(id).map_or(SortKey::None, |row| self.key(&row, by))
    }

    fn first_screen(&self) -> Option<FirstScreen> {
        use leptos::prelude::With;
        self.0.part.with(|part| part.as_ref().and_then(|part| part.first_screen(OFFER.name)))
    }
}

impl Rows {
    fn row(&self, id: NetId) -> Option<Arc<Net>> {
        self.0.net_row(id).map(|row| row.get_untracked())
    }

    fn worker(&self, net: &Net) -> String {
        let worker = net.worker_id.and_then(|id| self.0.worker_row(id));
        worker.map_or(NOWHERE.to_owned(), |worker| worker.get_untracked().name.to_string())
    }

    fn key(&self, row: &Net, by: &str) -> SortKey {
        match by {
            "status" => SortKey::Text(NetWord(row).to_string()),
            "build" => SortKey::Text(Finding::of(row).word().to_owned()),
            "worker" if row.worker_id.is_none() => SortKey::None,
            "worker" => SortKey::Text(self.worker(row).to_lowercase()),
            "project" => SortKey::Text(self.0.project_name_now(row.project_id).to_lowercase()),
            "size" => SortKey::Number(u64::from(row.size.places) + u64::from(row.size.transitions)),
            _ => SortKey::Text(row.name.as_str().to_lowercase()),
        }
    }
}

/// What the address with `query` shows of the list, and what it is called.
#[cfg(feature = "ssr")]
pub fn first_screen(store: Store, query: &leptos_router::params::ParamsMap) -> (String, FirstScreen) {
    (OFFER.name.to_owned(), FirstScreen::of(&OFFER, &Rows(store), query))
}

/// The list of all nets, kept up to date while the current owner lives.
pub fn net_list(store: Store) -> List<NetId> {
    let list = List::new(&OFFER, Rows(store));
    store.on_look(move || list.refill());
    store.watch(move |touched| match touched {
        Touched::All => list.refill(),
        Touched::Rows(rows) if rows.iter().any(|row| matches!(row, EntityRef::Project(_))) => list.refill(),
        Touched::Rows(rows) => {
            let mut nets = HashSet::new();
            for row in rows {
                match row {
                    EntityRef::Net(id) => _ = nets.insert(*id),
                    // Its name stands in the rows of its nets.
                    EntityRef::Worker(id) => nets.extend(store.nets_on_now(*id)),
                    _ => {}
                }
            }
            list.follow(&nets.into_iter().collect::<Vec<_>>());
        }
    });
    list
}
