//! Muster: a live operations console for a fleet of workers that run Petri nets.
//!
//! One crate, three programs: the server (feature `ssr`), the frontend that takes over a server-rendered page (`hydrate`) and a demo
//! without a server (`csr`). Dependencies point one way: [`model`] ← [`sync`], [`petri`] ← (`app`, `server`, `worker`).

pub mod app;
pub mod model;
pub mod petri;
#[cfg(feature = "ssr")]
pub mod server;
pub mod sync;
pub mod worker;
