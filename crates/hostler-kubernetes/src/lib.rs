//! Runners on Kubernetes: one placeholder pod each, which makes the cluster's
//! autoscaler bring a node, keeps it, and keeps others off it.
//!
//! - [`settings`]: what it is configured with
//! - [`connect`]: the way to the API server
//! - `api`: names, placeholders, and what answers mean
//! - `watch`: small copies of what the cluster holds, kept up by watches
//! - `seen`: from those copies to a snapshot, as one pure function
//! - `provider`: the few calls that change something
//! - `book`: jobs in `ConfigMaps`
//! - `lease`: one manager of several leads
//! - `doctor`: what is missing, and how to mend it
//!
//! Reading never calls the API server: it is answered from the copies. What
//! must never happen: an answer that did not come makes a runner look worse.

mod api;
mod book;
pub mod connect;
mod doctor;
mod lease;
mod provider;
mod seen;
pub mod settings;
mod start;
mod watch;

pub use api::names;
pub use api::placeholder::placeholder;
pub use connect::ConnectError;
pub use provider::Kubernetes;
pub use settings::{Settings, SettingsError};
pub use start::{Started, start};
