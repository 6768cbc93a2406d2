//! What is said between programs: bodies, subjects, frames, conversions and
//! typed clients. No decision, no storage, no server.
//!
//! - [`rest`]: the control plane's HTTP API
//! - [`node_api`]: what the control plane says to a node, and a heartbeat
//! - [`nats`]: the `$NEX` control API, events, logs, and its cryptography
//! - [`agent`]: between a node and the agent in a slot
//! - [`convert`]: wire to core and back
//! - [`client`]: typed HTTP clients

pub mod agent;
#[cfg(feature = "client")]
pub mod client;
pub mod convert;
pub mod nats;
pub mod node_api;
pub mod rest;
