//! The table of the API: every operation once, with its handler and what the document says of it. The router and `/api/openapi.json` are
//! both made from it, so neither can have what the other has not.
//!
//! A file is a part of the product; an operation is a few lines there:
//!
//! ```ignore
//! post("/api/labs/{id}/stop", "Stop an experiment", labs::stop)
//!     .body::<bodies::StopLab>()       // what goes in; a type with `schemars::JsonSchema`
//!     .ok::<Done>("It is stopped.")    // what comes out
//!     .guarded(),                      // `If-Match`, `Idempotency-Key`, and the errors that come with them
//! ```
//!
//! `{id}` in a path is an id; anything else is declared with `.path::<T>(…)`. Who may is asked of [`crate::server::auth::access`], and
//! 401, 403, 429 and 500 are added where they can come.

mod console;
mod events;
mod fleet;
mod hosts;
mod labs;
mod people;

use super::openapi::Operation;

/// Every operation, in the order of the document.
pub fn operations() -> Vec<Operation> {
    [console::session(), fleet::clusters(), fleet::projects(), fleet::workers(), fleet::nets(), labs::labs()]
        .into_iter()
        .chain([hosts::hosts(), hosts::commands(), hosts::pipelines(), hosts::pull_requests()])
        .chain([events::events(), events::webhooks(), people::users(), people::members(), people::tokens()])
        .chain([console::state(), console::transfer(), console::health(), console::document()])
        .flatten()
        .collect()
}
