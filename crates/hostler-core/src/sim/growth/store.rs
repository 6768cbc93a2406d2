//! The rows, shared by all managers, and the transactions that change them.
//! What a transaction is called with may be outdated, so each looks at its rows
//! again.

use std::collections::BTreeMap;

use super::stage::Stage;
use crate::id::{JobId, NodeId, WorkloadId};
use crate::node::Scheduling;
use crate::placement::Unit;
use crate::runner::demand::Failures;
use crate::runner::job::{Job, JobItem, JobKind};
use crate::runner::sweep::Suspects;
use crate::runner::{RunnerId, RunnerPool};
use crate::{Labels, Resources, Timestamp};

/// A node's row.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) runner: RunnerId,
    pub(super) capacity: Resources,
    pub(super) slots: u32,
    pub(super) labels: Labels,
    pub(super) scheduling: Scheduling,
    pub(super) last_heard: Timestamp,
    pub(super) idle_since: Timestamp,
}

/// Work that people want.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) unit: Unit,
    /// Since when it has had no seat.
    pub(super) since: Timestamp,
    pub(super) seat: Option<NodeId>,
}

/// What is kept of a pool.
#[derive(Clone, Debug)]
pub(super) struct PoolRow {
    pub(super) pool: RunnerPool,
    /// How often it was changed: a decision made before the last change is void.
    pub(super) turn: u64,
    pub(super) failures: Failures,
    pub(super) scaled_at: Option<Timestamp>,
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) pools: Vec<PoolRow>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) works: BTreeMap<WorkloadId, Work>,
    pub(super) suspects: Suspects,
    last_id: u64,
}

impl Store {
    pub(super) fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Which pool a name means.
    pub(super) fn pool_place(&self, item: &JobItem) -> usize {
        let found = self.pools.iter().position(|row| row.pool.name == item.pool);
        found.unwrap_or_default()
    }

    /// Runners that jobs asked for and that are not known to be gone.
    pub(super) fn runners(&self) -> impl Iterator<Item = (&Job, usize, &JobItem)> {
        let adds = self.jobs.values().filter(|job| job.kind == JobKind::Add);
        let items = adds.flat_map(|job| {
            let numbered = job.items.iter().enumerate();
            numbered.map(move |(index, item)| (job, index, item))
        });
        items.filter(|(_, _, item)| item.gone_at.is_none())
    }

    /// The removal of a runner that is not done.
    pub(super) fn removal(&self, id: &RunnerId) -> Option<(&Job, &JobItem)> {
        let removals = self.jobs.values().filter(|job| job.kind == JobKind::Remove);
        let mut items = removals.flat_map(|job| job.items.iter().map(move |item| (job, item)));
        items.find(|(_, item)| item.id == *id && item.gone_at.is_none())
    }

    /// Whether a runner is being given back, with no way back.
    pub(super) fn is_final(&self, id: &RunnerId) -> bool {
        let removal = self.removal(id);
        removal.is_some_and(|(job, item)| job.force || item.drained_at.is_some())
    }

    /// The node of a runner.
    pub(super) fn node_of(&self, id: &RunnerId) -> Option<(NodeId, &Node)> {
        let mut nodes = self.nodes.iter();
        let found = nodes.find(|(_, node)| node.runner == *id);
        found.map(|(id, node)| (*id, node))
    }

    /// The work seated on a node.
    pub(super) fn seated(&self, node: NodeId) -> impl Iterator<Item = &Work> {
        let here = move |work: &&Work| work.seat == Some(node);
        self.works.values().filter(here)
    }

    /// Registers a node, unless its machine is being given back.
    pub(super) fn node_register(&mut self, stage: &Stage, id: &RunnerId, pool: usize) -> NodeId {
        let number = self.id();
        let node = NodeId::from_parts(number, [0; 10]);
        let terms = &self.pools[pool].pool;
        let row = Node {
            runner: id.clone(),
            capacity: terms.shape,
            slots: terms.slots,
            labels: terms.selector.clone(),
            scheduling: Scheduling::Open,
            last_heard: stage.wall(),
            idle_since: stage.wall(),
        };
        self.nodes.insert(node, row);
        node
    }

    /// Gives work a seat if there is room for it in this transaction.
    pub(super) fn work_seat(&mut self, work: WorkloadId, node: NodeId) -> bool {
        let Some(row) = self.nodes.get(&node) else {
            return false;
        };
        let taken = self
            .seated(node)
            .fold((Resources::default(), 0), |(sum, number), work| {
                (sum.plus(work.unit.resources), number + 1)
            });
        let room = row.capacity.minus(taken.0);
        let has_slot = taken.1 < row.slots;
        let Some(work) = self.works.get_mut(&work).filter(|work| work.seat.is_none()) else {
            return false;
        };
        let fits = has_slot && work.unit.resources.fits(room);
        if fits {
            work.seat = Some(node);
        }
        fits
    }

    /// Work ends.
    pub(super) fn work_end(&mut self, work: WorkloadId, now: Timestamp) {
        let seat = self.works.remove(&work).and_then(|work| work.seat);
        if let Some(node) = seat {
            let is_empty = self.seated(node).next().is_none();
            if let Some(row) = self.nodes.get_mut(&node).filter(|_| is_empty) {
                row.idle_since = now;
            }
        }
    }

    /// Takes the seats of a node's work back.
    pub(super) fn node_clear(&mut self, node: NodeId, now: Timestamp) {
        for work in self
            .works
            .values_mut()
            .filter(|work| work.seat == Some(node))
        {
            work.seat = None;
            work.since = now;
        }
        if let Some(row) = self.nodes.get_mut(&node) {
            row.idle_since = now;
        }
    }

    /// Lets a node go; with `force` its work loses its seats, without it only
    /// an empty node goes.
    pub(super) fn node_unregister(&mut self, node: NodeId, force: bool, now: Timestamp) -> bool {
        let is_empty = self.seated(node).next().is_none();
        if !is_empty && !force {
            return false;
        }
        self.node_clear(node, now);
        self.nodes.remove(&node).is_some()
    }

    /// Changes a job, if it is there.
    pub(super) fn job_change(&mut self, id: JobId, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.jobs.get_mut(&id) {
            change(job);
            job.revision += 1;
        }
    }
}
