//! How events are put: severity, priority, time, and what they lead to.

use crate::{
    app::{
        components::{Glyph, State, Tone},
        store::Store,
    },
    model::{Actor, ClusterId, Event, HostId, NetId, Priority, ProjectId, Severity, WorkerId},
};
use leptos::prelude::*;

/// Shape, colour and word.
pub fn severity_state(severity: Severity) -> State {
    match severity {
        Severity::Info => State::new(Glyph::Ring, Tone::Quiet, "info"),
        Severity::Success => State::new(Glyph::Check, Tone::Good, "success"),
        Severity::Warning => State::new(Glyph::Triangle, Tone::Warn, "warning"),
        Severity::Error => State::new(Glyph::Cross, Tone::Bad, "error"),
    }
}

pub fn tone(severity: Severity) -> Tone {
    severity_state(severity).tone
}

pub fn priority_tone(priority: Priority) -> Tone {
    match priority {
        Priority::Low | Priority::Normal => Tone::Quiet,
        Priority::High => Tone::Warn,
        Priority::Urgent => Tone::Bad,
    }
}

/// Who did it; what the console does of its own accord is its own.
pub fn actor_words(actor: &Actor) -> String {
    match actor {
        Actor::System => "Muster".to_owned(),
        Actor::User { name, .. } => name.clone(),
    }
}

/// Something that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `worker`, `net` …
    pub kind: &'static str,
    pub id: String,
    /// What it is called, where it is there to be asked.
    pub name: Option<String>,
    /// Its page, while it exists.
    pub href: Option<String>,
}

impl About {
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("a {} that is gone", self.kind),
        }
    }
}

/// What the event is about, the nearest first; tracked.
pub fn about(store: Store, event: &Event) -> Vec<About> {
    // While only the first screen is here, a row that is not may well exist.
    let part = store.part.with(Option::is_some);
    let made = |kind, id: String, name: Option<String>, href: String| {
        let there = name.is_some() || part;
        let name = name.or_else(|| part.then(|| format!("its {kind}")));
        About { kind, id, name, href: there.then_some(href) }
    };
    let net = |id: NetId| {
        let name = store.net(id).map(|row| row.name.to_string());
        made("net", id.to_string(), name, format!("/nets/{id}"))
    };
    let worker = |id: WorkerId| {
        let name = store.worker(id).map(|row| row.name.to_string());
        made("worker", id.to_string(), name, format!("/workers/{id}"))
    };
    let host = |id: HostId| {
        let name = store.host(id).map(|row| row.name.to_string());
        made("host", id.to_string(), name, format!("/hosts/{id}"))
    };
    let cluster = |id: ClusterId| {
        let name = store.cluster_name(id);
        let href = format!("/workers?cluster={}", leptos_router::location::Url::escape(&name));
        made("cluster", id.to_string(), Some(name).filter(|name| !name.is_empty()), href)
    };
    let project = |id: ProjectId| {
        let name =
            store.projects.with(|rows| rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()));
        let href = format!(
            "/nets?project={}",
            leptos_router::location::Url::escape(name.as_deref().unwrap_or_default())
        );
        made("project", id.to_string(), name, href)
    };
    let near = [event.net_id.map(net), event.worker_id.map(worker), event.host_id.map(host)];
    let far = [event.project_id.map(project), event.cluster_id.map(cluster)];
    near.into_iter().chain(far).flatten().collect()
}
