//! The transactions that take in what nodes say.

use std::time::Duration;

use super::super::Entry;
use super::{Moment, Store};
use crate::id::{NodeId, WorkloadId};
use crate::node::{Beat, lease_grant};
use crate::workload::{
    Claim, Seen, SeenState, Word, WorkloadFacts, claim, is_missing, seen_merge, wants_forgotten,
};
use crate::{Generation, Timestamp};

/// What came of a heartbeat.
#[derive(Debug)]
pub(in super::super) enum Heard {
    /// No such node is registered.
    Unknown,
    /// Older than one that was heard; not answered.
    Stale,
    /// Written down, and to be answered.
    News {
        /// The span to keep to.
        fence_after: Option<Duration>,
        /// What the node should drop.
        retire: Vec<(WorkloadId, Generation)>,
        /// Tombstones that the node may forget.
        forget: Vec<(WorkloadId, Generation)>,
    },
}

impl Store {
    /// Takes in a heartbeat; `kept` is the span the node says it keeps to.
    pub(in super::super) fn heartbeat(
        &mut self,
        (id, beat): (NodeId, Beat),
        kept: Option<Duration>,
        ledger: &[Entry],
        at: Moment,
    ) -> Heard {
        let others = self.nodes.len().saturating_sub(1);
        let Some(node) = self.nodes.get_mut(&id) else {
            return Heard::Unknown;
        };
        if !beat.is_news_after(node.beat) {
            return Heard::Stale;
        }
        let grant = lease_grant(at.now, others, kept, &at.timing);
        node.beat = Some(beat);
        node.facts.last_heard = Some(at.now);
        node.facts.lease_until = grant.until;
        self.ledger(id, ledger, at.now, grant.fence_after)
    }

    fn ledger(
        &mut self,
        node: NodeId,
        ledger: &[Entry],
        now: Timestamp,
        fence_after: Option<Duration>,
    ) -> Heard {
        self.missed(node, ledger);
        let (mut retire, mut forget) = (Vec::new(), Vec::new());
        for entry in ledger {
            let id = entry.workload;
            let absent = entry.state == SeenState::Absent;
            let facts = self.workloads.get(&id).map(|row| row.facts);
            if absent && wants_forgotten(node, facts.as_ref()) {
                forget.push((id, entry.generation));
                continue;
            }
            match self.claimed(node, entry, facts.as_ref(), now) {
                Claim::Seated => self.seen(node, *entry, Word::Heartbeat),
                Claim::Retire(generation) => retire.push((id, generation)),
                Claim::Unclaimed => (),
            }
        }
        Heard::News {
            fence_after,
            retire,
            forget,
        }
    }

    /// What was seen of a workload that is missing holds no more: it is ordered
    /// again, at a new generation.
    fn missed(&mut self, node: NodeId, ledger: &[Entry]) {
        for row in self.workloads.values_mut() {
            let listed = |entry: &&Entry| entry.workload == row.facts.id;
            let listed = ledger.iter().find(listed).map(|entry| entry.generation);
            if row.facts.seat == Some(node) && is_missing(&row.facts, listed) {
                row.facts.generation = row.facts.generation.next();
            }
        }
    }

    fn claimed(
        &mut self,
        node: NodeId,
        entry: &Entry,
        facts: Option<&WorkloadFacts>,
        now: Timestamp,
    ) -> Claim {
        let grave = self.tombstones.get_mut(&entry.workload);
        let buried = grave.map(|grave| {
            grave.needed_at = grave.needed_at.max(now);
            grave.generation
        });
        claim(node, entry.generation, facts, buried)
    }

    /// Keeps a word about a workload, if it is of the node that has the seat.
    pub(in super::super) fn seen(&mut self, node: NodeId, entry: Entry, word: Word) {
        let row = self.workloads.get_mut(&entry.workload);
        if let Some(row) = row.filter(|row| row.facts.seat == Some(node)) {
            let said = Seen {
                generation: entry.generation,
                state: entry.state,
            };
            row.facts.seen = Some(seen_merge(row.facts.seen, said, word));
        }
    }
}
