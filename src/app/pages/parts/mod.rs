//! Pieces of the domain that several pages show: states, actions, the little lists of nets.

mod act_host;
mod act_net;
mod act_worker;
mod event_list;
mod group;
mod health;
pub mod host;
pub mod host_states;
mod net_lines;
mod states;
mod verdicts;

pub use act_host::{HostButtons, kind_label};
pub use act_net::{AssignForm, NetButtons, NetHidden, permitted_at_rest, submit};
pub use act_worker::WorkerButtons;
pub use event_list::EventList;
pub use group::{DeleteGroup, GroupLinks};
pub use health::{HealthBadge, Reasons, cluster_health, project_health};
pub use net_lines::NetLines;
pub use states::{BuildBadge, Finding, NetBadge, WorkerBadge};
pub use verdicts::{Row, VerdictTable, extent, verdicts};

use crate::{
    app::components::use_clock,
    model::{Operation, lifecycle},
};
use leptos::prelude::*;
use serde::Serialize;

/// The word an action has on the wire.
pub fn wire(action: impl Serialize) -> String {
    match serde_json::to_value(action) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// An action in flight: `Stopping 3 s`.
#[component]
pub fn InFlight<A: lifecycle::Verb + Send + Sync + 'static>(operation: Operation<A>) -> impl IntoView {
    let clock = use_clock();
    let by = format!("asked for by {}", operation.actor);
    view! {
        <span class="in-flight" title=by>
            {move || lifecycle::in_progress(&operation, clock.now.get())}
        </span>
    }
    .into_any()
}
