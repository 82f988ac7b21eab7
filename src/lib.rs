//! Muster: a live operations console for a fleet of workers that run Petri nets.
//!
//! One crate, three programs: the server (feature `ssr`), the frontend that takes over a server-rendered page (`hydrate`) and a demo
//! without a server (`csr`). Dependencies point one way: [`model`] ← [`sync`], [`petri`] ← (`app`, `server`, `worker`).

#![recursion_limit = "256"]

#[cfg(feature = "ssr")]
pub mod agent;
pub mod app;
#[cfg(feature = "csr")]
pub mod demo;
#[cfg(feature = "ssr")]
mod descriptors;
pub mod model;
#[cfg(feature = "ssr")]
pub mod netcheck;
pub mod petri;
#[cfg(feature = "ssr")]
pub mod process;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(all(feature = "ssr", any(test, debug_assertions)))]
pub mod sim;
#[cfg(feature = "ssr")]
pub mod swarm;
pub mod sync;
pub mod worker;

/// Takes over the page that the server rendered. Called once, by the script in the page's head.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    app::live::page::tell_of_panics();
    if app::live::page::sent_for_another_address() {
        _ = leptos::prelude::location().reload();
        return;
    }
    app::live::strings::hand_over();
    leptos::mount::hydrate_body(app::App);
}
