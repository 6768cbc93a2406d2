//! From rows and a list of machines to the facts of a decision. Nothing is
//! decided here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cloud::{CALL, LAG};
use super::stage::Stage;
use super::store::{Node, Store};
use super::{GrowthGuard, SECOND};
use crate::id::NodeId;
use crate::node::{Scheduling, Timing};
use crate::placement::{Fleet, Overcommits, Place, Policy};
use crate::runner::demand::{
    DemandFacts, Life, Machine, NodeSight, PoolFacts, Queued, Removal, Sight, Terms, life,
};
use crate::runner::job::JobItem;
use crate::runner::sweep::Listed;
use crate::runner::{
    Machine as Host, Membership, Program, ReasonCode, Request, RunnerFacts, RunnerId, RunnerStatus,
    StatusRules, Verdict, runner_status,
};
use crate::{Bytes, Name, Timestamp};

/// Between two heartbeats.
pub(super) const HEARTBEAT: u64 = 15 * SECOND;

/// After its answer was heard, a machine is in the list so much later.
pub(super) const UNLISTED: Duration = Duration::from_millis(LAG + CALL);

/// What the provider's list showed, if it was ever heard.
pub(super) type Shown = BTreeMap<RunnerId, Listed>;

/// What a look rests on.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) store: &'a Store,
    pub(super) shown: &'a Shown,
    pub(super) now: Timestamp,
    /// Whether the list was heard just now.
    pub(super) is_synced: bool,
}

/// The fleet as the scheduler sees it.
pub(super) fn fleet(store: &Store, now: Timestamp) -> Fleet {
    let mut fleet = Fleet::new(Policy::BinPack, Overcommits::new());
    for (id, node) in &store.nodes {
        fleet.node_put(Place {
            id: *id,
            capacity: node.capacity,
            slots: node.slots,
            disk: Bytes::default(),
            labels: node.labels.clone(),
            open: node.scheduling == Scheduling::Open && silent_since(node, now).is_none(),
        });
    }
    for work in store.works.values() {
        if let Some(seat) = work.seat {
            fleet.unit_seat(&work.unit, seat);
        }
    }
    fleet
}

/// Since when a node has been offline, if it is.
pub(super) fn silent_since(node: &Node, now: Timestamp) -> Option<Timestamp> {
    let offline = Timing::of(Duration::from_millis(HEARTBEAT)).offline_after;
    (now.since(node.last_heard) >= offline).then_some(node.last_heard)
}

/// What placement refuses, and how much is or will be seated on each node.
fn queue(store: &Store, now: Timestamp) -> (Vec<Queued>, BTreeMap<NodeId, u32>) {
    let mut fleet = fleet(store, now);
    let mut loads: BTreeMap<NodeId, u32> = BTreeMap::new();
    let mut queued = Vec::new();
    for work in store.works.values() {
        let seat = match work.seat {
            Some(node) => Ok(node),
            None => fleet.place(&work.unit),
        };
        match seat {
            Ok(node) => {
                fleet.unit_seat(&work.unit, node);
                *loads.entry(node).or_default() += 1;
            }
            Err(refusal) => queued.push(Queued::of(&work.unit, &refusal, work.since)),
        }
    }
    (queued, loads)
}

impl Look<'_> {
    /// The facts of the decision.
    pub(super) fn facts(&self, stage: &Stage) -> DemandFacts {
        let (queued, loads) = queue(self.store, self.now);
        let rows = self.store.pools.iter().enumerate();
        let pools = rows.map(|(at, row)| PoolFacts {
            terms: terms(stage, Terms::of(&row.pool, self.now)),
            machines: self.machines(at, &loads),
            failures: row.failures,
            scaled_at: row.scaled_at,
        });
        DemandFacts {
            pools: pools.collect(),
            queued,
            patience: Duration::from_secs(10),
            now: self.now,
        }
    }

    fn machines(&self, pool: usize, loads: &BTreeMap<NodeId, u32>) -> Vec<Machine> {
        let runners = self.store.runners();
        let here = runners.filter(|(_, _, item)| self.store.pool_place(item) == pool);
        let machine = |(job, _, item): (&crate::runner::job::Job, usize, &JobItem)| Machine {
            id: item.id.clone(),
            life: self.life(item, pool, loads),
            asked_at: item.asked_at.unwrap_or(job.requested_at),
            joined_at: item.ready_at,
        };
        here.map(machine).collect()
    }

    fn life(&self, item: &JobItem, pool: usize, loads: &BTreeMap<NodeId, u32>) -> Life {
        let store = self.store;
        let removal = store.removal(&item.id).map(|_| {
            if store.is_final(&item.id) {
                Removal::Final
            } else {
                Removal::Begun
            }
        });
        let node = store.node_of(&item.id).map(|(id, node)| NodeSight {
            silent_since: silent_since(node, self.now),
            scheduling: node.scheduling,
            seated: loads.get(&id).copied().unwrap_or_default(),
            idle_since: node.idle_since,
        });
        let code = item.reason.as_ref().map(|reason| reason.code);
        let refused = code.is_some_and(ReasonCode::says_no_capacity);
        let failed = self
            .verdict(item, pool)
            .is_some_and(|(_, verdict)| verdict.status == RunnerStatus::Failed);
        life(&Sight {
            removal,
            has_failed: refused || failed,
            is_missing: self.is_missing(item),
            node,
        })
    }

    /// Whether a runner that was asked for is surely not there.
    pub(super) fn is_missing(&self, item: &JobItem) -> bool {
        let listed = self.shown.get(&item.id);
        let asked = item.asked_at.is_some_and(|at| self.now >= at + UNLISTED);
        self.is_synced && asked && listed.is_none_or(|one| one.is_terminating)
    }

    /// The provider's facts about a runner, and what follows from them.
    pub(super) fn verdict(&self, item: &JobItem, pool: usize) -> Option<(RunnerFacts, Verdict)> {
        let listed = self.shown.get(&item.id)?;
        let joined = self.store.node_of(&item.id).is_some();
        let created = item.asked_at.unwrap_or(self.now);
        let facts = RunnerFacts {
            request: Request::Placed,
            machine: Some(Host {
                name: item.id.to_string(),
                exists: Some(true),
                ..Host::default()
            }),
            program: Program {
                name: Some("node".to_owned()),
                is_running: joined,
                is_ready: joined,
                failing_since: None,
            },
            is_terminating: listed.is_terminating,
            ..RunnerFacts::waiting(item.id.clone(), item.pool.clone(), listed.mark, created)
        };
        let membership = if joined {
            Membership::Registered
        } else {
            Membership::Awaited
        };
        let rules = StatusRules {
            register_within: self.store.pools[pool].pool.boot_within,
            ..StatusRules::default()
        };
        let verdict = runner_status(&facts, membership, &rules, self.now);
        Some((facts, verdict))
    }
}

/// The terms without the guards that are taken out.
fn terms(stage: &Stage, mut terms: Terms) -> Terms {
    if !stage.guards(GrowthGuard::RunawayBound) {
        (terms.max, terms.in_flight) = (u32::MAX, u32::MAX);
    }
    if !stage.guards(GrowthGuard::Floor) {
        terms.min = 0;
    }
    if !stage.guards(GrowthGuard::BootTime) {
        terms.boot_within = Duration::from_mins(10);
    }
    terms
}

/// The project of everything here.
pub(super) fn project() -> Option<Name> {
    "default".parse().ok()
}
