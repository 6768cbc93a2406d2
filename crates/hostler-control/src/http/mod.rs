//! The HTTP API: who calls, may they, one call, answer.
//!
//! [`router`] is the table of contents. A handler reads and writes the store
//! and wakes passes; it never calls a node, never sleeps, and keeps nothing.
//! Only what shows a person the screen of a VM carries bytes to and from its node.

mod activity;
mod artifacts;
mod audit;
mod auth;
pub(crate) mod error;
mod extract;
mod images;
mod info;
mod join_tokens;
mod layers;
mod openapi;
mod operations;
mod page;
mod projects;
mod router;
mod runners;
mod session;
mod slaves;
mod sse;
mod strict;
mod table;
mod tokens;
mod users;
mod vms;
mod workloads;

pub(crate) use auth::{Guesses, KnownTokens, LoginAttempts};
pub(crate) use error::chain;
pub(crate) use router::api;
#[cfg(test)]
pub(crate) use router::table;
