//! Petri nets: reading them, running them, drawing them.
//!
//! What lives here: the net itself ([`net`]), reading and writing PNML ([`pnml`]), markings ([`marking`]), the engine that
//! fires transitions ([`engine`]) and the account of what changed ([`watch`]), stepping back
//! ([`history`]) and running again ([`recording`]), what a net can do ([`analysis`], kept as a [`report`]), experiments on it ([`lab`]), what a new version changed ([`diff`]), the layout ([`layout`]) and the drawing sent to browsers ([`graph`]), the nets
//! we ship ([`samples`]) and nets of any size ([`generate`]).
//!
//! What may come in: bytes, seeds and limits, as values. What must not: files, sockets, clocks, threads and global
//! state. Everything here compiles for wasm32, because the browser draws and the demo runs nets with it.

pub mod analysis;
pub mod diff;
pub mod engine;
pub mod generate;
pub mod graph;
pub mod history;
pub mod lab;
pub mod layout;
pub mod marking;
pub mod net;
pub mod outcome;
mod plan;
pub mod pnml;
pub mod recording;
pub mod report;
pub mod samples;
mod state;
pub mod watch;

#[cfg(test)]
mod tests;

pub use engine::{Engine, FireError, InjectError, RunEnd, RunOutcome, Step};
pub use graph::NetGraph;
pub use history::TakenBack;
pub use marking::Marking;
pub use net::{NetBuilder, PetriNet, Place, PlaceIx, Transition, TransitionIx};
pub use pnml::{Limits, PnmlError, PnmlErrorKind};
pub use recording::{Recording, ReplayError};
pub use report::NetReport;
pub use watch::Changes;
