//! The runner manager on Kubernetes, whole: its HTTP API in front, an API
//! server behind.
//!
//! Cases that break things or need time run against the simulated cluster.
//! Those of [`anywhere`] run against the cluster of `HOSTLER_TEST_KUBECONFIG`
//! too, when that is set.

// What tests share fails like a test.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::assigning_clones)]

mod anywhere;
mod deployed;
mod doctor;
mod edges;
mod faults;
mod jobs;
mod leading;
mod losses;
mod pods;
mod programs;
mod removing;
mod rights;
mod showing;
mod support;
