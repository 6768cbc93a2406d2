//! The control plane through its router and its passes, on both databases.

mod access;
mod activity;
mod artifacts;
mod guesses;
mod input;
mod lifecycle;
mod lists;
mod logs;
mod moves;
mod node_nats;
mod operations;
mod runners;
mod server;
mod vms;
mod workloads;
