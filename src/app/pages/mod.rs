//! The pages, a folder each; [`parts`] are pieces of the domain that several pages show.

mod bulk;
mod clusters;
pub(super) mod events;
pub(super) mod hosts;
mod join;
#[cfg(debug_assertions)]
mod kit;
mod labs;
mod net;
pub(super) mod nets;
mod not_found;
pub(super) mod overview;
mod parts;
mod pipelines;
mod projects;
mod settings;
mod setup;
mod sign_in;
mod webhooks;
pub(super) mod workers;

pub use clusters::{ClusterPage, ClustersPage};
pub use events::EventsPage;
pub use hosts::{HostPage, HostsPage};
pub use join::JoinPage;
#[cfg(debug_assertions)]
pub use kit::Kit;
pub use labs::LabPage;
pub use net::NetPage;
pub use nets::NetsPage;
pub use not_found::NotFound;
/// There is no design kit in what is deployed.
#[cfg(not(debug_assertions))]
pub use not_found::NotFound as Kit;
pub use overview::Overview;
pub use pipelines::{PipelinePage, PipelinesPage};
pub use projects::{ProjectPage, ProjectsPage};
pub use settings::{AuditPage, SettingsPage, TokensPage, UsersPage};
pub use setup::SetupPage;
pub use sign_in::SignInPage;
pub use webhooks::WebhooksPage;
pub use workers::{WorkerPage, WorkersPage};

#[cfg(feature = "browser")]
pub(super) use events::about;
pub(super) use events::tone;
pub(super) use parts::host_states::{command_state, command_took};
