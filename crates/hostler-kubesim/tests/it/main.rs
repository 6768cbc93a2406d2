//! The suite: what a cluster answers, row by row, and what happens in it.
//!
//! Cases of [`api`] run against the simulated cluster, and then, when
//! `HOSTLER_TEST_KUBECONFIG` names the kubeconfig of an admin, against that
//! real one too. All others break things or step time, which only the
//! simulated one allows.

#![allow(clippy::similar_names, reason = "Kubernetes' own words are alike")]

mod api;
mod faults;
mod growth;
mod kubectl;
mod losses;
mod support;
mod target;
