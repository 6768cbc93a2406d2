//! The fake world: runners, the machines they are on, and what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::runner::{Machine, Program, Reason, ReasonCode, Request, RunnerFacts, RunnerId};

use super::faults::{Call, Faults};
use crate::provider::{Host, Order, Snapshot};

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) runners: BTreeMap<RunnerId, RunnerFacts>,
    pub(super) machines: Vec<String>,
    pub(super) limits: BTreeMap<String, usize>,
    pub(super) faults: Faults,
    pub(super) calls: Vec<Call>,
    pub(super) problem: Option<Reason>,
    pub(super) ends_slowly: bool,
    /// How long a runner may not be shown; zero: each is shown at once.
    pub(super) lag: Duration,
    pub(super) hidden: BTreeSet<RunnerId>,
}

impl World {
    pub(super) fn create(&mut self, order: &Order, now: Timestamp) {
        if self.runners.contains_key(&order.id) {
            return;
        }
        let (id, pool) = (order.id.clone(), order.pool.name.clone());
        let mut facts = RunnerFacts::waiting(id.clone(), pool.clone(), Some(order.mark), now);
        let is_in = |one: &&RunnerFacts| one.pool == pool;
        let count = self.runners.values().filter(is_in).count();
        if self
            .limits
            .get(pool.as_str())
            .is_some_and(|most| count >= *most)
        {
            let text = "1 max node group size reached";
            facts
                .reasons
                .push(Reason::new(ReasonCode::MaxNodesReached, text));
        }
        self.runners.insert(id.clone(), facts);
        if !self.lag.is_zero() {
            self.hidden.insert(id.clone());
        }
        if let Some(machine) = &order.machine {
            self.place(&id, machine);
        }
    }

    pub(super) fn place(&mut self, id: &RunnerId, node: &str) {
        let last = node.bytes().fold(7_u8, u8::wrapping_add);
        if let Some(facts) = self.runners.get_mut(id) {
            facts.request = Request::Placed;
            facts.machine = Some(Machine {
                name: node.to_owned(),
                internal_ips: vec![format!("10.128.0.{last}")],
                is_ready: Some(true),
                exists: Some(true),
                is_cordoned: false,
            });
        }
    }

    pub(super) fn run(&mut self, id: &RunnerId) {
        if let Some(facts) = self.runners.get_mut(id) {
            facts.program = Program {
                name: Some(id.as_str().replace(RunnerId::PREFIX, "daytona-runner-")),
                is_running: true,
                is_ready: true,
                failing_since: None,
            };
        }
    }

    pub(super) fn cordon(&mut self, id: &RunnerId, closed: bool) {
        let runner = self.runners.get_mut(id);
        if let Some(machine) = runner.and_then(|facts| facts.machine.as_mut()) {
            machine.is_cordoned = closed;
        }
    }

    pub(super) fn release(&mut self, id: &RunnerId) {
        if !self.ends_slowly {
            self.runners.remove(id);
        } else if let Some(facts) = self.runners.get_mut(id) {
            facts.is_terminating = true;
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let shared = |(id, facts): (&RunnerId, &RunnerFacts)| (id.clone(), Arc::new(facts.clone()));
        let is_shown = |(id, _): &(&RunnerId, &RunnerFacts)| !self.hidden.contains(*id);
        let shown = self.runners.iter().filter(is_shown);
        Snapshot {
            runners: shown.map(shared).collect(),
            hosts: self.hosts(),
            is_synced: true,
            problem: self.problem.clone(),
            ..Snapshot::default()
        }
    }

    fn hosts(&self) -> Vec<Host> {
        let managed = self.runners.values().filter_map(|facts| {
            let program = facts.program.name.clone();
            let runners = vec![facts.id.clone()];
            let machine = facts.machine.clone()?;
            Some(Host {
                machine,
                runners,
                program,
            })
        });
        let mut hosts: Vec<Host> = managed.collect();
        for name in &self.machines {
            if !hosts.iter().any(|host| host.machine.name == *name) {
                let name = name.clone();
                hosts.push(Host {
                    machine: Machine {
                        name,
                        ..Machine::default()
                    },
                    runners: Vec::new(),
                    program: None,
                });
            }
        }
        hosts
    }
}
