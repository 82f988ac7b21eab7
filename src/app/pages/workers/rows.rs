//! What a worker says of itself to the list of workers.

use crate::{
    app::{
        components::list::{Column, Facet, Facts, FirstScreen, List, Offer, PAGE, SortKey, Source},
        store::{Store, Touched},
    },
    model::{EntityRef, Worker, WorkerId},
};

const fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, figure: false, sorts: true, optional: true }
}

pub const OFFER: Offer = Offer {
    name: "workers",
    columns: &[
        Column { sorts: false, optional: false, ..column("open", "") },
        Column { optional: false, ..column("name", "Worker") },
        Column { optional: false, ..column("status", "Status") },
        Column { figure: true, ..column("since", "Since") },
        column("place", "Region"),
        column("nets", "Nets"),
        column("labs", "Labs"),
        Column { sorts: false, ..column("cpu", "CPU") },
        Column { figure: true, sorts: false, ..column("memory", "Memory") },
        Column { sorts: false, optional: false, ..column("actions", "Actions") },
    ],
    facets: &[
        Facet { key: "status", label: "Status" },
        Facet { key: "cluster", label: "Cluster" },
        Facet { key: "provider", label: "Provider" },
        Facet { key: "kind", label: "Kind" },
    ],
    searches: true,
    whole: PAGE,
    sorted_by: "name",
};

struct Rows(Store);

impl Source<WorkerId> for Rows {
    fn keys(&self) -> Vec<WorkerId> {
        use leptos::prelude::GetUntracked;
        self.0.workers.get_untracked()
    }

    fn facts(&self, id: WorkerId, by: &str) -> Option<Facts> {
        use leptos::prelude::GetUntracked;
        let row = self.row(id).filter(|row| self.0.within.get_untracked().has_worker(row))?;
        let cluster = self.0.cluster_name_now(row.cluster_id);
        let name = row.name.as_str().to_lowercase();
        let mut text = format!("{name} {} {} {}", row.status, row.category.as_str(), cluster.to_lowercase());
        if let Some(region) = &row.region {
            text.push(' ');
            text.push_str(&region.to_lowercase());
        }
        let sort = self.key(&row, by);
        let facets = [row.status.word(), &cluster, row.provider.as_str(), row.category.as_str()];
        Some(Facts { name, text, facets: facets.map(str::to_owned).to_vec(), sort })
    }

    fn sort_key(&self, id: WorkerId, by: &str) -> SortKey {
        use leptos::prelude::WithUntracked;
        let row = self.0.worker_row(id);
        row.map_or(SortKey::None, |row| row.with_untracked(|row| self.key(row, by)))
    }

    fn first_screen(&self) -> Option<FirstScreen> {
        use leptos::prelude::With;
        self.0.part.with(|part| part.as_ref().and_then(|part| part.first_screen(OFFER.name)))
    }
}

impl Rows {
    fn row(&self, id: WorkerId) -> Option<std::sync::Arc<Worker>> {
        use leptos::prelude::GetUntracked;
        self.0.worker_row(id).map(|row| row.get_untracked())
    }

    fn key(&self, row: &Worker, by: &str) -> SortKey {
        match by {
            "status" => SortKey::Text(row.status.to_string()),
            // The youngest state first, as ages read.
            "since" => SortKey::Number(u64::MAX - row.status_since.0),
            "place" => {
                let cluster = self.0.cluster_name_now(row.cluster_id);
                let region = row.region.as_deref().unwrap_or_default();
                SortKey::Text(format!("{cluster} {region}").to_lowercase())
            }
            "nets" => SortKey::Number(self.0.count_nets_on(row.id) as u64),
            // Those that work come first of those that have any.
            "labs" => SortKey::Number(
                row.labs.map_or(0, |labs| (u64::from(labs.active) << 32) + u64::from(labs.total)),
            ),
            _ => SortKey::Text(row.name.as_str().to_lowercase()),
        }
    }
}

/// What the address with `query` shows of the list, and what it is called.
#[cfg(feature = "ssr")]
pub fn first_screen(store: Store, query: &leptos_router::params::ParamsMap) -> (String, FirstScreen) {
    (OFFER.name.to_owned(), FirstScreen::of(&OFFER, &Rows(store), query))
}

/// The list of all workers, kept up to date while the current owner lives.
pub fn worker_list(store: Store) -> List<WorkerId> {
    use leptos::prelude::GetUntracked;
    let list = List::new(&OFFER, Rows(store));
    store.on_look(move || list.refill());
    store.watch(move |touched| match touched {
        Touched::All => list.refill(),
        Touched::Rows(rows) if rows.iter().any(|row| matches!(row, EntityRef::Cluster(_))) => list.refill(),
        Touched::Rows(rows) => {
            let by_nets =
                list.choice.try_get_untracked().is_some_and(|choice| choice.sort(&OFFER).by == "nets");
            if by_nets && rows.iter().any(|row| matches!(row, EntityRef::Net(_))) {
                return list.refill();
            }
            let workers = rows.iter().filter_map(|row| match row {
                EntityRef::Worker(id) => Some(*id),
                _ => None,
            });
            list.follow(&workers.collect::<Vec<_>>());
        }
    });
    list
}
