//! From what was listed to a snapshot: a pure, total function. What is listed
//! twice for one runner is shown once; what ended because it was asked to is
//! shown no longer.

mod death;
mod facts;
#[cfg(test)]
pub(crate) mod fixtures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hostler_core::runner::{Machine, Reason, RunnerFacts, RunnerId};
use hostler_runners::provider::{Host, Snapshot};

use crate::cloud::{Group, Health, Instance, State};
use crate::groups::waiting;
use crate::names::{Claim, tag};

pub(crate) use facts::Eye;

/// All that was listed at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) healths: BTreeMap<String, Health>,
    pub(crate) notices: BTreeSet<String>,
    pub(crate) groups: BTreeMap<String, Group>,
}

impl Listed {
    /// The runner's instances, the one that counts first: one that lives before
    /// one that does not, the latest generation, the eldest.
    pub(crate) fn of_runner(&self, id: &RunnerId) -> Vec<&Instance> {
        let is_its = |one: &&Instance| runner(one).as_ref() == Some(id);
        let mut all: Vec<&Instance> = self.instances.values().filter(is_its).collect();
        all.sort_by(|one, other| rank(one).cmp(&rank(other)));
        all
    }

    /// How many instances a runner had already, the one to be launched next not
    /// counted.
    pub(crate) fn generation(&self, id: &RunnerId) -> u32 {
        let of = |one: &&Instance| Claim::of_tags(&one.tags).map(|claim| claim.generation + 1);
        let all = self.of_runner(id);
        all.iter().filter_map(of).max().unwrap_or(0)
    }
}

fn rank(one: &Instance) -> (bool, std::cmp::Reverse<u32>, hostler_core::Timestamp, &str) {
    let generation = Claim::of_tags(&one.tags).map_or(0, |claim| claim.generation);
    let is_ending = !one.state.lives();
    (
        is_ending,
        std::cmp::Reverse(generation),
        one.launched,
        &one.id,
    )
}

fn runner(one: &Instance) -> Option<RunnerId> {
    one.tags.get(tag::RUNNER)?.parse().ok()
}

/// The snapshot of what was listed.
pub(crate) fn see(listed: &Listed, eye: &Eye, problem: Option<Reason>) -> Snapshot {
    let mut runners: BTreeMap<RunnerId, Arc<RunnerFacts>> = waiting(&listed.groups)
        .into_iter()
        .map(|facts| (facts.id.clone(), Arc::new(facts)))
        .collect();
    let ids: BTreeSet<RunnerId> = listed.instances.values().filter_map(runner).collect();
    for id in ids {
        let counts = listed.of_runner(&id).into_iter().next();
        let shown = counts.and_then(|one| facts::facts(one, listed, eye));
        if let Some(facts) = shown {
            runners.insert(id, Arc::new(facts));
        }
    }
    Snapshot {
        hosts: hosts(listed, eye),
        runners,
        is_synced: true,
        problem,
        ..Snapshot::default()
    }
}

/// Machines that are ours and up, those without a runner included.
fn hosts(listed: &Listed, eye: &Eye) -> Vec<Host> {
    let up = |one: &&Instance| one.state == State::Running;
    let host = |one: &Instance| Host {
        machine: machine(one, listed, eye),
        runners: runner(one).into_iter().collect(),
        program: None,
    };
    listed.instances.values().filter(up).map(host).collect()
}

/// The machine that an instance is.
fn machine(one: &Instance, listed: &Listed, eye: &Eye) -> Machine {
    let is_impaired = eye.checks && listed.healths.get(&one.id) == Some(&Health::Impaired);
    Machine {
        name: one.id.clone(),
        internal_ips: one.ips.clone(),
        is_ready: Some(one.state == State::Running && !is_impaired),
        exists: Some(true),
        is_cordoned: one.tags.contains_key(tag::CLOSED),
    }
}

#[cfg(test)]
mod tests;
