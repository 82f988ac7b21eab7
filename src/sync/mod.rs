//! The sync protocol: how a replica of the fleet follows the server (DESIGN.md section 3).
//!
//! Sans-IO: no sockets, no timers, no clock. Inputs and the time come in, effects come out, so that the browser, the server, the tests
//! and the simulation run the same code. May use [`crate::model`] and nothing else of the crate.

pub mod backoff;
pub mod digest;
pub mod journal;
pub mod message;
pub mod poll;
pub mod position;
pub mod replica;
pub mod scope;
pub mod sse;
pub mod tabs;

pub use message::{Delta, FullState, Message, Sync};
pub use position::{Position, Token};
pub use replica::{Close, Effect, Replica, Status, Unanswered};
pub use scope::Scope;
