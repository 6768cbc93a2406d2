//! The runner manager: machines asked for and given back through a provider,
//! behind one HTTP API.
//!
//! - [`provider`]: what a provider is, the fake one and the local one
//! - [`jobs`]: where jobs are written down

pub mod jobs;
pub mod provider;
