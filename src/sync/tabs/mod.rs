//! One stream per browser: which tab holds it, and what the others do with what it passes on.
//!
//! A lock of the browser names the leader; notes between the tabs carry its stream. Every tab has a [`Replica`](super::Replica) of its
//! own: for a follower, "connect" is [`Note::Join`], and what the leader sends is its stream. [`election`] decides who leads, [`note`] is
//! what travels between tabs, [`recent`] and [`board`] are what a leader keeps for those that join. Sans-IO like the rest of `sync`.

mod board;
mod election;
mod note;
mod recent;

pub use board::Board;
pub use election::{Order, Tabs};
pub use note::{Note, Reign, Stands, TabId, name};
pub use recent::{CatchUp, Frame, Recent};
