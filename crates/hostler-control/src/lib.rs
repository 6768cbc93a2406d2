//! The control plane: an HTTP API over a store, and passes that make what is
//! stored true.
//!
//! - [`Control::start`]: options in, a running control plane out
//! - `http`: the API; `router` is its table of contents
//! - `passes`: what it does by itself; `workloads` is the heart
//! - `nodes`: speaking to nodes, which only passes do
//! - `artifacts`: files of executables and modules
//! - `logs`: what workloads wrote, read back from JetStream
//! - `vms`: orders for VMs, consoles that are open
//!
//! What must never happen: a handler that calls a node, but to show a person
//! the screen of a VM; something that only memory knows and somebody relies on;
//! a seat given on other grounds than a conditional update in the store; an
//! order sent on facts older than the heartbeat it names.

mod artifacts;
mod control;
mod http;
mod logs;
mod nodes;
mod oidc;
mod options;
mod passes;
mod runners;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vms;

pub use control::{Control, StartError};
pub use hostler_oidc::OidcOptions;
pub use logs::{NatsAuth, NatsOptions};
pub use oidc::{GroupRole, GroupRoleError, SignInOptions};
pub use options::{
    ArtifactLimits, Clock, ControlOptions, MetricsText, NodeNatsOptions, SessionLimits,
    system_clock,
};
pub use runners::RunnerOptions;
