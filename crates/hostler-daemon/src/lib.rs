//! What every long-running program of this house does the same: start, say
//! what it logs, keep its secrets, end on a signal, look after children.
//!
//! Order of a start: [`telemetry::start`] first, then configuration is read
//! and checked as a whole ([`config::Mistakes`]; exit status 64 lists them
//! all), then files and ports are opened, then [`signals::stop_token`] is
//! waited on. Nothing here knows what the program is for.

pub mod backoff;
pub mod child;
pub mod config;
pub mod port;
pub mod process;
pub mod secret;
pub mod serve;
pub mod signals;
pub mod telemetry;
