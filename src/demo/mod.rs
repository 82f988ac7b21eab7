//! The console without a server (feature `csr`): the whole interface on a fleet that is simulated in the page.
//!
//! What lives here is a small server inside the page: [`fetch`] puts itself in the place of the browser's `fetch`, [`doors`] answers the
//! same addresses that the real server does, and everything above them (the replica, the guards, the server functions) is the product as it
//! is. Behind the doors: [`fleet`] (transactions, positions, streams), [`machines`] (workers that run nets), [`actions`], [`groups`] and [`deletion`] (what an
//! operator can do), [`builds`] and [`versions`], [`labs`] (there are none), [`trouble`] (what goes wrong by itself) and [`opening`] (what
//! there is at first).
//!
//! May use `model`, `sync`, `petri` and the pure half of `worker`. Must not be used by anything: only the demo's page calls [`start`].
//! Nothing is kept: closing the page ends the fleet.

mod actions;
mod builds;
mod deletion;
mod doors;
mod events;
mod fetch;
mod fleet;
mod forms;
mod groups;
mod labs;
mod machines;
mod opening;
mod trouble;
mod versions;

use fleet::Demo;

/// Symbols for `components::Icon`: on a real page the server puts them there.
const SPRITE: &str = include_str!("../../public/icons.svg");

/// Starts the fleet and shows the console on it.
pub fn start() {
    crate::app::live::page::tell_of_panics();
    crate::app::live::page::show_theme(doors::theme());
    let demo = Demo::new();
    opening::furnish(&demo);
    machines::turn(&demo);
    trouble::begin(&demo);
    builds::begin(&demo);
    fetch::install(demo);
    show_sprite();
    leptos::mount::mount_to_body(crate::app::App);
}

fn show_sprite() {
    let document = leptos::prelude::document();
    let (Some(body), Ok(symbols)) = (document.body(), document.create_element("div")) else { return };
    _ = symbols.set_attribute("hidden", "");
    symbols.set_inner_html(SPRITE);
    _ = body.append_child(&symbols);
}
