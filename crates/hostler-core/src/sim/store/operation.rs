//! The transactions of operations. Each made under a claim looks whether the
//! claim's number is still the operation's.

use super::Store;
use crate::Timestamp;
use crate::id::NodeId;
use crate::node::Scheduling;
use crate::operation::{
    Action, NodeWorld, OperationFacts, OperationKind, OperationState, OperationStep, WorkLease,
    may_work, next_step,
};

/// An operation's row.
#[derive(Debug)]
pub(in super::super) struct Operation {
    pub(in super::super) node: NodeId,
    pub(in super::super) ended: Option<OperationState>,
    kind: OperationKind,
    steps: Vec<String>,
    cancel: bool,
    deadline: Timestamp,
    lease: Option<WorkLease<usize>>,
    number: u64,
}

impl Store {
    /// Begins an operation, unless one on that node is under way.
    pub(in super::super) fn operation_insert(
        &mut self,
        kind: OperationKind,
        node: NodeId,
        deadline: Timestamp,
    ) {
        let mut live = self.operations.iter().filter(|other| other.ended.is_none());
        if self.nodes.contains_key(&node) && live.all(|other| other.node != node) {
            self.operations.push(Operation {
                node,
                ended: None,
                kind,
                steps: Vec::new(),
                cancel: false,
                deadline,
                lease: None,
                number: 0,
            });
        }
    }

    /// Asks for an operation to be called off.
    pub(in super::super) fn operation_cancel(&mut self, at: usize) {
        if let Some(operation) = self.operations.get_mut(at) {
            operation.cancel = true;
        }
    }

    /// Claims an operation until `until` and says what is to be done, with the
    /// number of the claim; `None` when it is another's or has ended.
    pub(in super::super) fn operation_claim(
        &mut self,
        at: usize,
        me: usize,
        now: Timestamp,
        until: Timestamp,
    ) -> Option<(u64, OperationStep)> {
        let operation = self.operations.get_mut(at)?;
        if operation.ended.is_some() || !may_work(operation.lease.as_ref(), &me, now) {
            return None;
        }
        operation.number += 1;
        operation.lease = Some(WorkLease { holder: me, until });
        let number = operation.number;
        Some((number, self.operation_step(at, now)?))
    }

    fn operation_step(&self, at: usize, now: Timestamp) -> Option<OperationStep> {
        let operation = self.operations.get(at)?;
        let facts = OperationFacts {
            kind: operation.kind,
            steps_done: &operation.steps,
            cancel_asked: operation.cancel,
            deadline: operation.deadline,
        };
        Some(next_step(&facts, &self.node_world(operation.node), now))
    }

    fn node_world(&self, node: NodeId) -> NodeWorld {
        let seated = self.workloads.values().map(|row| &row.facts);
        let seated = seated.filter(|facts| facts.seat == Some(node));
        let (mut movable, mut staying) = (0, 0);
        for facts in seated {
            *(if facts.leaves_when_drained() {
                &mut movable
            } else {
                &mut staying
            }) += 1;
        }
        let scheduling = self.nodes.get(&node).map(|node| node.facts.scheduling);
        NodeWorld {
            scheduling,
            movable,
            staying,
        }
    }

    /// Carries an action out under a claim; says whether it did.
    pub(in super::super) fn operation_perform(
        &mut self,
        at: usize,
        number: u64,
        action: Action,
    ) -> bool {
        let Some(node) = self.operation_held(at, number).map(|held| held.node) else {
            return false;
        };
        match action {
            Action::Remember(_) => (),
            Action::Drain => self.node_schedule(node, Scheduling::Draining),
            Action::Close => self.node_schedule(node, Scheduling::Closed),
            Action::PutBack(was) => self.node_schedule(node, was),
            Action::Unregister => return self.node_unregister(node),
        }
        true
    }

    /// Writes under a claim that an action was carried out.
    pub(in super::super) fn operation_record(&mut self, at: usize, number: u64, action: Action) {
        if let Some(operation) = self.operation_held(at, number) {
            operation.steps.push(action.word().to_owned());
        }
    }

    /// Writes under a claim how an operation ended.
    pub(in super::super) fn operation_end(&mut self, at: usize, number: u64, end: OperationState) {
        if let Some(operation) = self.operation_held(at, number) {
            operation.ended = Some(end);
        }
    }

    fn operation_held(&mut self, at: usize, number: u64) -> Option<&mut Operation> {
        let operation = self.operations.get_mut(at);
        operation.filter(|held| held.number == number && held.ended.is_none())
    }
}
