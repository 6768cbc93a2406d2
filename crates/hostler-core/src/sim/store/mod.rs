//! The SQL store, shared by all control planes: rows, and transactions that
//! change them as one. What a transaction is called with may be outdated, so
//! each looks at its rows again.

mod heartbeat;
mod operation;
mod seat;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use heartbeat::Heard;
pub(super) use operation::Operation;

use super::{Beat, Spec};
use crate::id::{NodeId, WorkloadId};
use crate::node::{NodeFacts, Scheduling, Timing};
use crate::operation::OperationKind;
use crate::workload::{Goal, SeatView, Step, WorkloadFacts, burial_over, next_step};
use crate::{Generation, Labels, Resources, Timestamp};

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    /// A workload, under an idempotency key.
    Create(u32, Spec),
    /// Another goal for a workload.
    Want(WorkloadId, Goal),
    /// An operation on a node.
    Operate(OperationKind, NodeId),
    /// That an operation be called off.
    Cancel(usize),
    /// That a node take seats again.
    Open(NodeId),
    /// That a node be forgotten: its machine is off and will not come back.
    Off(NodeId),
}

/// How long tombstones are kept at least: longer than something is under way
/// or held up by a program that stands still.
const KEEP: Duration = Duration::from_secs(30);

/// A time as a control plane's clock shows it, and the spans that count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) timing: Timing,
}

/// A workload's row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) facts: WorkloadFacts,
    pub(super) spec: Spec,
    pub(super) key: u32,
}

/// A node's row.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) facts: NodeFacts,
    pub(super) beat: Option<Beat>,
    /// Its address: the machine that joined as this node.
    pub(super) machine: usize,
    /// Whether its identity went with the disk, so that it never comes back.
    pub(super) abandoned: bool,
}

/// What a workload leaves when its row is erased.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tombstone {
    pub(super) generation: Generation,
    pub(super) needed_at: Timestamp,
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) workloads: BTreeMap<WorkloadId, Row>,
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) tombstones: BTreeMap<WorkloadId, Tombstone>,
    pub(super) operations: Vec<Operation>,
    keys: BTreeMap<u32, WorkloadId>,
    ids: u64,
}

impl Store {
    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// Makes a workload, or finds the one made with the same key before.
    pub(super) fn workload_insert(&mut self, key: u32, spec: Spec) -> WorkloadId {
        if let Some(made) = self.keys.get(&key) {
            return *made;
        }
        let id = WorkloadId::from_parts(self.id(), [0; 10]);
        let facts = WorkloadFacts {
            id,
            goal: Goal::Running,
            generation: Generation::FIRST,
            seat: None,
            seen: None,
            on_node_loss: spec.on_node_loss,
        };
        self.keys.insert(key, id);
        self.workloads.insert(id, Row { facts, spec, key });
        id
    }

    /// Writes another goal; what is to be gone stays so.
    pub(super) fn workload_want(&mut self, id: WorkloadId, goal: Goal) {
        let Some(row) = self.workloads.get_mut(&id) else {
            return;
        };
        if row.facts.goal != Goal::Gone && row.facts.goal != goal {
            row.facts.goal = goal;
            row.facts.generation = row.facts.generation.next();
        }
    }

    /// The next step for a workload.
    pub(super) fn step(&self, facts: &WorkloadFacts, at: Moment) -> Step {
        let node = facts.seat.and_then(|seat| self.nodes.get(&seat));
        let view = node.map(|node| SeatView::of(&node.facts, at.now, &at.timing));
        next_step(facts, view)
    }

    /// Registers a machine.
    pub(super) fn node_register(&mut self, capacity: Resources, machine: usize) -> NodeId {
        let id = NodeId::from_parts(self.id(), [0; 10]);
        let facts = NodeFacts {
            id,
            capacity,
            reserved: Resources::default(),
            slots: 16,
            seated: 0,
            labels: Labels::new(),
            scheduling: Scheduling::Open,
            last_heard: None,
            lease_until: Timestamp::from_ms(0),
        };
        let node = Node {
            facts,
            beat: None,
            machine,
            abandoned: false,
        };
        self.nodes.insert(id, node);
        id
    }

    /// Forgets a node on which nothing is seated; says whether it is gone.
    pub(super) fn node_unregister(&mut self, id: NodeId) -> bool {
        let node = self.nodes.get(&id);
        let gone = node.is_none_or(|node| node.facts.may_leave(false).is_ok());
        if gone {
            self.nodes.remove(&id);
        }
        gone
    }

    /// Forgets a node on a person's word that its machine is off.
    pub(super) fn node_forget(&mut self, id: NodeId) {
        let node = self.nodes.get(&id);
        if node.is_some_and(|node| node.facts.may_leave(true).is_ok()) {
            self.nodes.remove(&id);
        }
    }

    /// Sets whether a node takes seats.
    pub(super) fn node_schedule(&mut self, id: NodeId, scheduling: Scheduling) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.facts.scheduling = scheduling;
        }
    }

    /// Drops tombstones that no node can need.
    pub(super) fn tombstones_prune(&mut self) {
        let heard = self.nodes.values().map(|node| node.facts.last_heard);
        self.tombstones
            .retain(|_, grave| !burial_over(grave.needed_at, heard.clone(), KEEP));
    }
}
