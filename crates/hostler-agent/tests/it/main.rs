//! The agent as its node meets it: the real program, over a real nats-server,
//! with real services. The tests play the node.

// Helpers of tests may fail like the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
#[cfg(feature = "wasm")]
mod function;
mod lease;
mod link;
mod program;
mod refusal;
#[cfg(feature = "js")]
mod script;
mod server;
mod service;
mod stop;
