//! The server: everything between the domain and the sockets.
//!
//! [`storage`] keeps the fleet, [`sse`] shows it, [`actions`] changes it, [`api`] and the server functions of [`crate::app`] are the doors,
//! [`auth`] says who may pass. [`providers`] make machines, [`workers`] talks to them, [`supervise`] compares every record with reality. [`agents`] holds the connections
//! of hosts and sends them their commands.
//! [`serve`] puts them together.

mod access_cli;
pub mod actions;
pub mod agents;
pub mod api;
mod app;
pub mod assets;
pub mod auth;
pub mod builds;
pub mod clock;
mod config;
pub mod context;
pub mod events;
pub mod github;
mod graphs;
pub mod labs;
mod limit;
pub mod metrics;
mod pages;
pub mod pipelines;
pub mod providers;
mod remotes;
pub mod repository;
mod samples;
mod security;
mod serve;
mod socket;
pub mod sse;
pub mod storage;
pub mod supervise;
pub mod transfer;
mod turns;
mod webhooks;
pub mod workers;

pub use access_cli::{AccessError, TokenArgs, UserArgs, token, user};
pub use app::App;
pub use config::Args;
pub use serve::{ServeError, serve};
pub use transfer::command::{ExportArgs, ImportArgs, export, import};
