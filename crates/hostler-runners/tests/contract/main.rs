//! The contract of the runner manager, row by row, over the fake provider.
//! Rows that need a cluster are tested with the provider for clusters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod adding;
mod deaths;
mod edges;
mod jobs;
mod logs;
mod pools;
mod removing;
mod showing;
mod support;
