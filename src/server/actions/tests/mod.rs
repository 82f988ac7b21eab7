//! Actions through both doors: the real router, the real store, a worker that does as it is told.

pub mod harness;
mod input;
mod table;
mod together;
mod undo;
