//! The suite: what a cluster answers, row by row, and what happens in it.
//!
//! Cases of [`api`] run against the simulated cluster, and against a real one
//! as well when `HOSTLER_TEST_KUBECONFIG` names its kubeconfig. All others
//! need to break things, and run against the simulated one alone.

mod growth;
mod support;
