//! The control plane through its router and its passes, on both databases.

mod access;
mod access_table;
mod activity;
mod artifacts;
mod audit;
mod guesses;
mod input;
mod lifecycle;
mod lists;
mod logs;
mod moves;
mod node_nats;
mod oidc;
mod operations;
mod projects;
mod runners;
mod server;
mod users;
mod vms;
mod workloads;
