//! The runner manager: machines asked for and given back through a provider,
//! behind one HTTP API.
//!
//! - [`provider`]: what a provider is, the fake one and the local one
//! - [`jobs`]: where jobs are written down
//! - [`fleet`]: the fleet that the machines join, where there is one
//! - [`manager`]: adds, removes, and looks after what was added
//! - [`http`]: the API over a manager; who may call is a layer apart
//! - [`config`]: environment variables, `.env` and `runners.toml`

pub mod clock;
pub mod config;
pub mod fleet;
pub mod http;
pub mod jobs;
pub mod manager;
pub mod provider;
