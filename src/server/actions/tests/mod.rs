//! Actions through both doors: the real router, the real store, a worker that does as it is told.

mod access;
pub mod harness;
mod input;
mod pipelines;
mod table;
mod together;
mod told;
mod undo;
