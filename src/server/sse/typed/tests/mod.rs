//! The streams over a real socket: what a client gets, from its first event to its last, through cuts and restarts.

mod client;
mod resuming;
mod streams;
mod tickets;
mod vocabularies;
