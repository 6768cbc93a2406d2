//! The contract of the runner manager, row by row, over the fake provider.
//! Rows that need a cluster are tested with the provider for clusters.

mod adding;
mod deaths;
mod edges;
mod jobs;
mod logs;
mod pools;
mod removing;
mod showing;
mod support;
