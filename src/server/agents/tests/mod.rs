//! The gateway, the dispatcher and the API of hosts against an agent that the test plays, over a real socket.

mod agent;
mod api;
mod commands;
mod connections;
mod output;
