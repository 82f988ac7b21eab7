//! The worker process: it loads nets, runs them and says how they are.
//!
//! What lives here: [`protocol`], the wire types and the contract with the console; and the
//! process itself (on the server's side; the demo without a server uses `hosted`): `hosted` (one loaded net: what it does, told the time), `pace` (how many firings are due), `cell` (a
//! hosted net shared between threads and watchers), `scheduler` (the threads), `nets` (all of them), `hub` (what is
//! told on `/events`), `labs` (experiments beside the nets), `metrics`, `idempotency`, and `http`;
//! [`embedded`] is a worker without a process of its own, for a process that is many. What may come in: anything from a console that knows the
//! token. What must not: the console's own types of state, storage, and trust in the files it is sent.

pub mod protocol;

#[cfg(feature = "ssr")]
mod cell;
#[cfg(feature = "ssr")]
mod config;
#[cfg(feature = "ssr")]
pub mod embedded;
#[cfg(any(feature = "ssr", feature = "csr"))]
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "the demo needs no seed and survives no panic"))]
pub(crate) mod hosted;
#[cfg(feature = "ssr")]
mod http;
#[cfg(feature = "ssr")]
mod hub;
#[cfg(feature = "ssr")]
mod idempotency;
#[cfg(feature = "ssr")]
mod labs;
#[cfg(feature = "ssr")]
mod metrics;
#[cfg(feature = "ssr")]
mod nets;
#[cfg(any(feature = "ssr", feature = "csr"))]
mod pace;
#[cfg(feature = "ssr")]
mod presence;
#[cfg(feature = "ssr")]
mod process;
#[cfg(any(feature = "ssr", feature = "csr"))]
#[cfg_attr(
    not(feature = "ssr"),
    expect(dead_code, reason = "the demo has no HTTP between console and worker")
)]
pub(crate) mod refusal;
#[cfg(feature = "ssr")]
mod scheduler;

#[cfg(feature = "ssr")]
pub use config::{Args, Config, Error};
#[cfg(feature = "ssr")]
pub use process::{run, serve};
