//! All that a provider sees at one moment. Snapshots are made by providers,
//! shared by pointer, and never changed: whoever answers a request reads one.

use std::collections::BTreeMap;
use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::runner::{Machine, Reason, RunnerFacts, RunnerId};

/// What a provider sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its runners by id.
    pub runners: BTreeMap<RunnerId, Arc<RunnerFacts>>,
    /// Machines that suit a pool, those with a runner on them included.
    pub hosts: Vec<Host>,
    /// Whether everything was listed once: only then is missing the same as gone.
    pub is_synced: bool,
    /// What hinders it from seeing at present. What it saw before still stands.
    pub problem: Option<Reason>,
    /// Rights it lacks and can do without, in words: what it says less exactly.
    pub lacks: Vec<String>,
    /// Since when it sees nothing new, while there is a problem.
    pub stale_since: Option<Timestamp>,
}

/// A machine that suits a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The machine.
    pub machine: Machine,
    /// The runners on it: none when nobody manages it, more than one by mistake.
    pub runners: Vec<RunnerId>,
    /// The runner program on it.
    pub program: Option<String>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, such as `pods: create`.
    pub name: String,
    /// What is wrong, if something is.
    pub problem: Option<Reason>,
    /// Whether nothing works without it; else something works less well.
    pub is_needed: bool,
}
