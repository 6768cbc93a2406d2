//! What heartbeats said that is not as it should be: entries that a node
//! should drop, and seated work that its ledger no longer lists. Kept in
//! memory only, because every heartbeat says it again until it is put right.
//!
//! A heartbeat is answered without calling anybody; the pass looks at the
//! store again before it sends an order, so a remark that is out of date by
//! then does nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hostler_core::Generation;
use hostler_core::id::{NodeId, WorkloadId};

/// One remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// The node holds it and should not: order it gone, at this generation.
    Retire(Generation),
    /// It was seen there at this generation, and the node's ledger does not list
    /// it any more, or only by an older order.
    Missing(Generation),
}

/// The remarks that nobody has looked into yet.
#[derive(Debug, Default)]
pub(crate) struct Strays(Mutex<BTreeMap<(NodeId, WorkloadId), Stray>>);

impl Strays {
    /// Adds remarks about one node; says whether there were any.
    pub(crate) fn note(&self, node: NodeId, remarks: Vec<(WorkloadId, Stray)>) -> bool {
        let any = !remarks.is_empty();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(remarks.into_iter().map(|(id, stray)| ((node, id), stray)));
        any
    }

    /// Takes all remarks, to be looked into now.
    pub(crate) fn take(&self) -> Vec<(NodeId, WorkloadId, Stray)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *all);
        let flat = |((node, id), stray)| (node, id, stray);
        taken.into_iter().map(flat).collect()
    }
}
