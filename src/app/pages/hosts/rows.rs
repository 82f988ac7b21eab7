//! What a host says of itself to the list of hosts.

use super::super::parts::host_states::presence_state;
use crate::{
    app::{
        components::list::{Column, Facet, Facts, FirstScreen, List, Offer, PAGE, SortKey, Source},
        store::{Store, Touched},
    },
    model::{CompartmentKind, CompartmentStatus, EntityRef, Host, HostId},
};
use leptos::prelude::*;
use std::{collections::HashMap, sync::Arc};

const fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, figure: false, sorts: true, optional: true }
}

pub const OFFER: Offer = Offer {
    name: "hosts",
    columns: &[
        Column { optional: false, ..column("name", "Host") },
        Column { optional: false, ..column("presence", "Status") },
        Column { figure: true, sorts: false, ..column("seen", "Seen") },
        column("compartments", "State"),
        Column { sorts: false, ..column("command", "Command") },
        Column { sorts: false, ..column("hostcpu", "CPU") },
        Column { sorts: false, ..column("ram", "Memory") },
        Column { figure: true, sorts: false, ..column("load", "Load") },
        column("generation", "Generation"),
        column("agent", "Agent"),
        Column { sorts: false, optional: false, ..column("actions", "Actions") },
    ],
    facets: &[
        Facet { key: "presence", label: "Status" },
        Facet { key: "type", label: "Type" },
        Facet { key: "state", label: "State" },
        Facet { key: "agent", label: "Agent" },
    ],
    searches: true,
    whole: PAGE,
    sorted_by: "name",
};

struct Rows(Store);

/// What is worst among the compartments.
fn worst(host: &Host) -> CompartmentStatus {
    const WORST_FIRST: [CompartmentStatus; 4] = [
        CompartmentStatus::Error,
        CompartmentStatus::Outdated,
        CompartmentStatus::Working,
        CompartmentStatus::Unknown,
    ];
    let has = |status: &CompartmentStatus| {
        CompartmentKind::ALL.iter().any(|kind| host.compartments.get(*kind).status == *status)
    };
    WORST_FIRST.into_iter().find(has).unwrap_or(CompartmentStatus::Ok)
}

impl Source<HostId> for Rows {
    fn keys(&self) -> Vec<HostId> {
        self.0.hosts.get_untracked()
    }

    fn facts(&self, id: HostId, by: &str) -> Option<Facts> {
        let row = self.row(id)?;
        let name = row.name.as_str().to_lowercase();
        let mut text = format!("{name} {}", self.word(&row));
        let more = [&row.hostname, &row.host_type, &row.os, &row.generation];
        for word in more.into_iter().flatten().chain(row.agent.as_ref().map(|agent| &agent.version)) {
            text.push(' ');
            text.push_str(&word.to_lowercase());
        }
        let agent = match &row.agent {
            None => "never seen",
            Some(agent) if agent.outdated => "outdated",
            Some(_) => "current",
        };
        let kind = row.host_type.as_deref().unwrap_or("unknown");
        let facets =
            [self.word(&row).as_str(), kind, worst(&row).as_str(), agent].map(str::to_owned).to_vec();
        Some(Facts { name, text, facets, sort: self.key(&row, by) })
    }

    fn sort_key(&self, id: HostId, by: &str) -> SortKey {
        self.row(id).map_or(SortKey::None, |row| self.key(&row, by))
    }

    fn first_screen(&self) -> Option<FirstScreen> {
        self.0.part.with(|part| part.as_ref().and_then(|part| part.first_screen(OFFER.name)))
    }
}

impl Rows {
    fn row(&self, id: HostId) -> Option<Arc<Host>> {
        self.0.host_row(id).map(|row| row.get_untracked())
    }

    fn word(&self, row: &Host) -> String {
        presence_word(self.0, row)
    }

    fn key(&self, row: &Host, by: &str) -> SortKey {
        let text = |text: Option<&str>| text.map_or(SortKey::None, |text| SortKey::Text(text.to_lowercase()));
        match by {
            "presence" => SortKey::Text(self.word(row)),
            "compartments" => SortKey::Number(match worst(row) {
                CompartmentStatus::Error => 0,
                CompartmentStatus::Outdated => 1,
                CompartmentStatus::Working => 2,
                CompartmentStatus::Unknown => 3,
                CompartmentStatus::Ok => 4,
            }),
            "generation" => text(row.generation.as_deref()),
            "agent" => text(row.agent.as_ref().map(|agent| agent.version.as_str())),
            _ => SortKey::Text(row.name.as_str().to_lowercase()),
        }
    }
}

/// The word for a host now; not tracked.
fn presence_word(store: Store, row: &Host) -> String {
    let presence = row.presence(store.host_heard_now(row), store.now.get_untracked());
    presence_state(row, presence).word
}

/// What the address with `query` shows of the list, and what it is called.
#[cfg(feature = "ssr")]
pub fn first_screen(store: Store, query: &leptos_router::params::ParamsMap) -> (String, FirstScreen) {
    (OFFER.name.to_owned(), FirstScreen::of(&OFFER, &Rows(store), query))
}

/// The list of all hosts, kept up to date while the current owner lives. A host becomes stale because time passes, and nothing tells of
/// that: the clock does.
pub fn host_list(store: Store) -> List<HostId> {
    let list = List::new(&OFFER, Rows(store));
    store.watch(move |touched| match touched {
        Touched::All => list.refill(),
        Touched::Rows(rows) => {
            let hosts = rows.iter().filter_map(|row| match row {
                EntityRef::Host(id) => Some(*id),
                _ => None,
            });
            list.follow(&hosts.collect::<Vec<_>>());
        }
    });
    Effect::new(move |before: Option<HashMap<HostId, String>>| {
        store.now.track();
        let rows = store.hosts.with_untracked(|ids| {
            let rows = ids.iter().filter_map(|id| Some((*id, store.host_row(*id)?.get_untracked())));
            rows.map(|(id, row)| (id, presence_word(store, &row))).collect::<HashMap<_, _>>()
        });
        if let Some(before) = before {
            let others = rows.iter().filter(|(id, word)| before.get(id) != Some(word)).map(|(id, _)| *id);
            list.follow(&others.collect::<Vec<_>>());
        }
        rows
    });
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Agent, AgentId, Change, Fleet, HostCause, HostMetrics, HostTelemetry, Name, Timestamp,
    };
    use uuid::Uuid;

    #[test]
    fn a_host_is_stale_by_the_clock_and_current_by_its_figures() {
        let owner = Owner::new();
        owner.set();
        let (store, mut fleet) = (Store::new(), Fleet::default());
        let id = HostId(Uuid::from_u128(1));
        let mut host = Host::unseen(id, Name::new("a").unwrap());
        host.online = true;
        host.agent = Some(Agent { id: AgentId(Uuid::from_u128(2)), version: "1".into(), outdated: true });
        host.compartments.git.status = CompartmentStatus::Ok;
        host.compartments.lock.status = CompartmentStatus::Outdated;
        fleet.apply(&Change::HostPut { cause: HostCause::Added, host: Arc::new(host) });
        store.replace(&fleet);
        let facets = || Rows(store).facts(id, "name").unwrap().facets;
        store.now.set(Timestamp(20_000));
        assert_eq!(facets(), ["stale", "unknown", "outdated", "outdated"]);
        _ = store.host_figures(id);
        store.host_telemetry_arrived(&[HostTelemetry {
            host_id: id,
            at: Timestamp(19_000),
            metrics: HostMetrics::default(),
        }]);
        assert_eq!(facets()[0], "online");
    }
}
