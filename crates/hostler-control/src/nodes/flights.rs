//! Which orders are under way: one at a time for each workload on a node.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hostler_core::id::{NodeId, WorkloadId};

use crate::passes::Passes;

type Key = (NodeId, WorkloadId);

/// The orders under way; `true` where another was asked for meanwhile.
pub(crate) struct Flights {
    flying: Mutex<BTreeMap<Key, bool>>,
    passes: Passes,
}

/// An order under way. It is over when this is dropped, whatever became of it;
/// if another was asked for meanwhile, the passes look again.
pub(crate) struct Flight {
    key: Key,
    flights: Arc<Flights>,
}

impl Flights {
    pub(crate) const fn new(passes: Passes) -> Self {
        Self {
            flying: Mutex::new(BTreeMap::new()),
            passes,
        }
    }

    /// The right to send an order, unless one is under way.
    pub(crate) fn begin(self: &Arc<Self>, node: NodeId, workload: WorkloadId) -> Option<Flight> {
        let key = (node, workload);
        let mut flying = self.lock();
        if let Some(again) = flying.get_mut(&key) {
            *again = true;
            return None;
        }
        flying.insert(key, false);
        Some(Flight {
            key,
            flights: Arc::clone(self),
        })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, bool>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// The node that the order is for.
    pub(crate) const fn node(&self) -> NodeId {
        self.key.0
    }

    /// The workload that the order is about.
    pub(crate) const fn workload(&self) -> WorkloadId {
        self.key.1
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let again = self.flights.lock().remove(&self.key);
        if again.unwrap_or_default() {
            self.flights.passes.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_at_a_time_for_a_workload_on_a_node() {
        let flights = Arc::new(Flights::new(Passes::default()));
        let node = |number| NodeId::from_parts(number, [0; 10]);
        let workload = WorkloadId::from_parts(1, [0; 10]);
        let first = flights.begin(node(1), workload);
        assert!(first.is_some());
        assert!(flights.begin(node(1), workload).is_none());
        assert!(flights.begin(node(2), workload).is_some());
        drop(first);
        assert!(flights.begin(node(1), workload).is_some());
        assert!(flights.is_empty());
    }
}
