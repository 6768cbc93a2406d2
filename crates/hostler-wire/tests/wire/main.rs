//! The wire as others see it: bytes against files, the original's own cases,
//! hostile input, a real server for the tokens, a real socket for the clients.

// All of this is tests; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "client")]
mod client;
mod golden;
mod properties;
mod protocol;
mod server;
mod support;
mod tokens;
