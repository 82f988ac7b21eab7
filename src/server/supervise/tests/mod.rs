//! Supervision against workers that behave, that do not, and that die.

pub mod fixtures;
