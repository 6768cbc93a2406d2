//! What the pass remembers between its runs. After a restart everything counts
//! from the first look on: later than the truth, never sooner.

use std::collections::{BTreeMap, BTreeSet};

use hostler_core::Timestamp;
use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::runner::PoolName;
use hostler_core::runner::sweep::Suspects;

/// What the pass remembers.
#[derive(Default)]
pub(super) struct Memory {
    /// Since when work has had no seat.
    waiting: BTreeMap<WorkloadId, Timestamp>,
    /// Since when nothing is on a node.
    idle: BTreeMap<NodeId, Timestamp>,
    /// Machines that no job knows of.
    pub(super) suspects: Suspects,
    /// Why pools did nothing when they were last looked at: told once.
    pub(super) held_back: BTreeMap<PoolName, &'static str>,
    /// Why some work is helped by no pool: told once.
    pub(super) unmet: BTreeSet<&'static str>,
}

impl Memory {
    /// Since when each of those that wait now has waited.
    pub(super) fn waits(&mut self, now: Timestamp, ids: &BTreeSet<WorkloadId>) {
        keep(&mut self.waiting, now, ids);
    }

    /// Since when each of those that are idle now has been.
    pub(super) fn idles(&mut self, now: Timestamp, ids: &BTreeSet<NodeId>) {
        keep(&mut self.idle, now, ids);
    }

    pub(super) fn waiting_since(&self, id: WorkloadId, now: Timestamp) -> Timestamp {
        self.waiting.get(&id).copied().unwrap_or(now)
    }

    pub(super) fn idle_since(&self, id: NodeId, now: Timestamp) -> Timestamp {
        self.idle.get(&id).copied().unwrap_or(now)
    }
}

fn keep<T: Ord + Copy>(since: &mut BTreeMap<T, Timestamp>, now: Timestamp, ids: &BTreeSet<T>) {
    since.retain(|id, _| ids.contains(id));
    for id in ids {
        since.entry(*id).or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_interrupted_counts_anew() {
        let (node, at) = (NodeId::from_parts(1, [0; 10]), Timestamp::from_ms);
        let mut memory = Memory::default();
        memory.idles(at(1), &BTreeSet::from([node]));
        memory.idles(at(2), &BTreeSet::from([node]));
        assert_eq!(memory.idle_since(node, at(3)), at(1));
        memory.idles(at(4), &BTreeSet::new());
        memory.idles(at(5), &BTreeSet::from([node]));
        assert_eq!(memory.idle_since(node, at(6)), at(5));
    }
}
