//! One look at everything the decision rests on. The turns of the pools are
//! read first: whatever changes after that makes the decision void.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hostler_core::Timestamp;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::node::Scheduling;
use hostler_core::runner::demand::{DemandFacts, PoolFacts, Queued, Terms};
use hostler_core::runner::job::Job;
use hostler_core::runner::member::CLUSTER_NODE;
use hostler_core::runner::{PoolName, RunnerId};
use hostler_core::workload::Goal;
use hostler_runners::fleet::{Member, Members};
use hostler_runners::provider::Snapshot;
use hostler_store::{NodeRow, PoolRow, StoreError, WorkloadRow};

use super::memory::Memory;
use crate::passes::fleet::{PAGE, load_fleet, unit_of};
use crate::runners::Runners;
use crate::state::App;

/// All that was seen.
pub(super) struct Look {
    pub(super) now: Timestamp,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) jobs: Vec<Job>,
    pub(super) nodes: BTreeMap<RunnerId, NodeRow>,
    pub(super) idle_since: BTreeMap<NodeId, Timestamp>,
    /// How much is seated on a node, or will be as placement is now.
    pub(super) loads: BTreeMap<NodeId, u32>,
    /// Nodes that may be runners' machines, and are not known to be.
    pub(super) strangers: Vec<NodeRow>,
    pools: Vec<PoolRow>,
    queued: Vec<Queued>,
}

impl Look {
    /// Reads everything.
    pub(super) async fn take(
        app: &App,
        runners: &Runners,
        memory: &mut Memory,
    ) -> Result<Self, StoreError> {
        let now = app.now();
        let pools = app.store.runner_pool_list().await?;
        let snapshot = runners.options.provider.snapshots().borrow().clone();
        let jobs = app.store.runner_job_list().await?;
        let nodes = app.store.node_list().await?;
        let loads = nodes.iter().map(|row| (row.facts.id, row.facts.seated));
        let mut strangers = nodes.clone();
        strangers.retain(|row| row.runner.is_none() && row.labels.contains_key(CLUSTER_NODE));
        let mut look = Self {
            now,
            snapshot,
            jobs,
            loads: loads.collect(),
            nodes: nodes
                .into_iter()
                .filter_map(|row| Some((row.runner.clone()?, row)))
                .collect(),
            strangers,
            idle_since: BTreeMap::new(),
            pools,
            queued: Vec::new(),
        };
        look.queue(app, memory).await?;
        look.rest(memory);
        Ok(look)
    }

    /// What placement refuses: the whole fleet is read only if work waits.
    async fn queue(&mut self, app: &App, memory: &mut Memory) -> Result<(), StoreError> {
        let rows = unseated(app).await?;
        let ids: BTreeSet<WorkloadId> = rows.iter().map(|row| row.facts.id).collect();
        memory.waits(self.now, &ids);
        if rows.is_empty() {
            return Ok(());
        }
        let mut fleet = load_fleet(app).await?.fleet;
        for row in &rows {
            let unit = unit_of(row);
            match fleet.place(&unit) {
                Ok(node) => {
                    fleet.unit_seat(&unit, node);
                    *self.loads.entry(node).or_default() += 1;
                }
                Err(refusal) => {
                    let since = memory.waiting_since(unit.id, self.now);
                    self.queued.push(Queued::of(&unit, &refusal, since));
                }
            }
        }
        Ok(())
    }

    /// Notes which runners' nodes have nothing to do.
    fn rest(&mut self, memory: &mut Memory) {
        let ids = self.nodes.values().map(|row| row.facts.id);
        let is_idle = |id: &NodeId| self.loads.get(id).copied().unwrap_or_default() == 0;
        let idle: BTreeSet<NodeId> = ids.filter(is_idle).collect();
        memory.idles(self.now, &idle);
        let since = |id: &NodeId| (*id, memory.idle_since(*id, self.now));
        self.idle_since = idle.iter().map(since).collect();
    }

    /// The facts of the decision.
    pub(super) fn facts(&self, app: &App, runners: &Runners) -> DemandFacts {
        let pools = runners.options.pools.iter().map(|pool| {
            let row = self.row(&pool.name);
            PoolFacts {
                terms: Terms::of(pool, self.now),
                machines: self.machines(app, runners, &row),
                failures: row.failures,
                scaled_at: row.scaled_at,
            }
        });
        DemandFacts {
            pools: pools.collect(),
            queued: self.queued.clone(),
            patience: runners.options.patience,
            now: self.now,
        }
    }

    /// What is kept of a pool.
    pub(super) fn row(&self, name: &PoolName) -> PoolRow {
        let found = self.pools.iter().find(|row| row.name == *name).cloned();
        found.unwrap_or_else(|| PoolRow {
            name: name.clone(),
            turn: 0,
            failures: hostler_core::runner::demand::Failures::default(),
            scaled_at: None,
        })
    }

    /// The nodes that are runners' machines and were heard. Calls that the
    /// control plane did not order count as work, too.
    pub(super) fn members(&self) -> Members {
        let heard = self.nodes.iter();
        let heard = heard.filter(|(_, row)| row.facts.last_heard.is_some());
        let member = |(id, row): (&RunnerId, &NodeRow)| {
            let member = Member {
                load: row.facts.seated,
                is_open: row.facts.scheduling == Scheduling::Open,
            };
            (id.clone(), member)
        };
        Members {
            are_awaited: true,
            nodes: heard.map(member).collect(),
        }
    }
}

/// Work that is to run and has no seat, the oldest first.
async fn unseated(app: &App) -> Result<Vec<WorkloadRow>, StoreError> {
    let mut rows: Vec<WorkloadRow> = Vec::new();
    let mut after: Option<WorkloadId> = None;
    loop {
        let page = app.store.workload_unsettled(after, PAGE).await?;
        let full = page.len() as u64 == PAGE;
        after = page.last().map(|row| row.facts.id);
        let waits = |row: &WorkloadRow| row.facts.goal == Goal::Running && row.facts.seat.is_none();
        rows.extend(page.into_iter().filter(waits));
        if !full {
            return Ok(rows);
        }
    }
}
