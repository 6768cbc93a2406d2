//! An API server in memory that answers as Kubernetes does, with the parts
//! behind it that a runner manager meets: scheduler, autoscaler, `DaemonSet`
//! controller, kubelets, node controller, garbage collector.
//!
//! Start one with [`Cluster::start`]; give its kubeconfig to the program under
//! test; break it with [`Cluster::fault`]; wait for a condition with
//! [`Cluster::wait_until`]. Its clock is stepped by the test or runs at a
//! chosen speed ([`Pace`]), so ten minutes of autoscaling take no time.
//!
//! What it answers was observed on a real control plane; the suite beside it
//! runs the same cases against either. It never ships.

#![allow(clippy::similar_names, reason = "Kubernetes' own words are alike")]

mod access;
mod admission;
mod api;
mod catalog;
mod clock;
mod cluster;
mod control;
mod fault;
mod json;
mod options;
mod quantity;
mod record;
mod refusal;
mod selector;
mod store;
mod view;
mod world;

pub use clock::Pace;
pub use cluster::{Cluster, Waited};
pub use fault::{Broken, Effect, Fault, FaultId};
pub use options::{Options, Pool, Timings};
pub use view::View;
