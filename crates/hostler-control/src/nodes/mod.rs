//! Speaking to nodes. Only passes come here; a handler never does.
//!
//! Each node has a line of its own: a queue of orders and, while there are
//! any, one task that works on it. So a node which does not answer delays
//! nobody but itself. The task takes what has gathered, reads the node and
//! then the workloads again, decides each order again, and sends a few at a
//! time, each with a deadline. There is at most one order under way for a
//! workload on a node. What nodes answer is written down in batches
//! ([`answers`]). An order that failed is not repeated here: the pass finds
//! the workload as it was.

mod answers;
mod flights;
mod line;
mod order;
mod send;

pub(crate) use answers::{Answer, BATCH, answers, seen_entry};
pub(crate) use flights::{Flight, Flights};
pub(crate) use line::{Line, LineError};
pub(crate) use order::Order;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hostler_core::id::{NodeId, WorkloadId};
use hostler_store::NodeRow;
use tokio::sync::mpsc;

use crate::passes::Passes;
use crate::state::App;

/// Calls to nodes, under way and possible.
pub(crate) struct NodeCalls {
    lines: Mutex<BTreeMap<NodeId, Arc<Line>>>,
    flights: Arc<Flights>,
    answers: mpsc::Sender<Answer>,
    /// How long a node may take to answer.
    deadline: Duration,
}

impl NodeCalls {
    /// Calls that answer in time or not at all. What they bring goes to
    /// `answers`; `passes` look again at what was asked for twice.
    pub(crate) fn new(deadline: Duration, answers: mpsc::Sender<Answer>, passes: Passes) -> Self {
        Self {
            lines: Mutex::new(BTreeMap::new()),
            flights: Arc::new(Flights::new(passes)),
            answers,
            deadline,
        }
    }

    /// Queues an order about a workload for a node, unless one is under way.
    /// The caller does not wait.
    pub(crate) fn order(&self, app: &App, node: NodeId, workload: WorkloadId, order: Order) {
        let Some(flight) = self.flights.begin(node, workload) else {
            return;
        };
        let line = Arc::clone(self.lines().entry(node).or_default());
        if line.push(order, flight) {
            let app = app.clone();
            tokio::spawn(async move { app.calls.work(&app, node, &line).await });
        }
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<NodeId, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no order is under way.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// Forgets the lines to nodes that are gone.
    pub(crate) fn keep_only(&self, nodes: &[NodeRow]) {
        let known = |id: &NodeId| nodes.iter().any(|row| row.facts.id == *id);
        self.lines().retain(|id, _| known(id));
    }
}
