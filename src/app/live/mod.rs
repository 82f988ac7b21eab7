//! The browser's I/O around [`crate::sync::Replica`]: the one feed of the [`Store`](super::store::Store), and every timer and browser
//! handle there is. Views must not touch any of these, or they would render differently on the two sides.

pub mod address;
#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "browser")]
pub mod canvas;
#[cfg(feature = "browser")]
mod channel;
#[cfg(feature = "browser")]
mod driver;
pub mod files;
pub mod focus;
pub mod frames;
pub mod glow;
pub mod http;
#[cfg(feature = "browser")]
mod lock;
#[cfg(feature = "browser")]
pub mod nearing;
pub mod output;
pub mod page;
pub mod plots;
pub mod pointer;
pub mod poll;
#[cfg(feature = "browser")]
pub mod scroller;
pub mod session;
#[cfg(feature = "browser")]
mod shared;
#[cfg(feature = "browser")]
mod stream;
#[cfg(feature = "browser")]
pub mod strings;
pub mod viewport;
pub mod watch;

use super::{actions, error::ApiError, snapshot::Opening};
use leptos::prelude::*;

/// What the page is rendered from. Blocking: the page is sent when the snapshot is there, and the browser finds it in the page.
pub fn fleet_resource() -> Resource<Result<Opening, ApiError>> {
    Resource::new_blocking(|| (), |()| actions::open())
}

/// Follows the server from `opening` on, feeding `store`, until the current owner ends. Does nothing while rendering on the server.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn follow(store: super::store::Store, opening: Opening) {
    #[cfg(feature = "browser")]
    Effect::new(move |started: Option<()>| {
        if started.is_none() {
            driver::Driver::start(store, &opening);
        }
    });
}

/// The event of the window after signing in again in place.
#[cfg(feature = "browser")]
pub const SIGNED_IN: &str = "muster-signed-in";

/// Whether this tab is the one of all that holds the stream, and speaks for them.
#[cfg(feature = "browser")]
pub fn leads() -> bool {
    driver::Driver::current().is_some_and(|driver| driver.shared().is_none_or(|shared| shared.leads()))
}

/// Tries the stream at once: the operator pressed "Retry now".
pub fn retry_now() {
    #[cfg(feature = "browser")]
    driver::Driver::retry_now();
}
