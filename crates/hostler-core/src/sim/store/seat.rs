//! The transactions that give and take seats. Each changes the workload, its
//! node's counters and the generation as one, or nothing.

use super::{Moment, Store, Tombstone};
use crate::id::{NodeId, WorkloadId};
use crate::node::Scheduling;
use crate::workload::Step;
use crate::{Generation, Resources, Timestamp};

impl Store {
    /// Seats a workload, if it is as it was when that was decided and, unless
    /// `blind`, if the node has the room now.
    pub(in super::super) fn workload_seat(
        &mut self,
        id: WorkloadId,
        decided: Generation,
        to: NodeId,
        blind: bool,
    ) -> bool {
        let row = self.workloads.get_mut(&id);
        let Some(row) = row.filter(|row| row.facts.generation == decided) else {
            return false;
        };
        let Some(node) = self.nodes.get_mut(&to) else {
            return false;
        };
        let facts = &mut node.facts;
        let taken = facts.reserved.plus(row.spec.resources);
        let fits = taken.fits(facts.capacity) && facts.seated < facts.slots;
        if row.facts.seat.is_some() || facts.scheduling != Scheduling::Open || !(fits || blind) {
            return false;
        }
        facts.reserved = taken;
        facts.seated += 1;
        row.facts.seat = Some(to);
        row.facts.generation = decided.next();
        true
    }

    /// Carries out a step that was decided on `decided`; unless `blind`, only
    /// if it is the step to be taken now. Says whether it did.
    pub(in super::super) fn carry_out(
        &mut self,
        (id, decided): (WorkloadId, Generation),
        step: Step,
        at: Moment,
        blind: bool,
    ) -> bool {
        let row = self.workloads.get(&id);
        let Some(row) = row.filter(|row| row.facts.generation == decided) else {
            return false;
        };
        if !blind && self.step(&row.facts, at) != step {
            return false;
        }
        match step {
            Step::Unseat(_) => self.unseat(id),
            Step::Raise(generation) => self.raise(id, generation),
            Step::Erase => self.erase(id, at.now),
            Step::Nothing | Step::Place | Step::Ensure(..) => return false,
        }
        true
    }

    fn unseat(&mut self, id: WorkloadId) {
        let Some(row) = self.workloads.get_mut(&id) else {
            return;
        };
        let from = row.facts.seat.take();
        row.facts.generation = row.facts.generation.next();
        let resources: Resources = row.spec.resources;
        if let Some(node) = from.and_then(|from| self.nodes.get_mut(&from)) {
            node.facts.reserved = node.facts.reserved.minus(resources);
            node.facts.seated = node.facts.seated.saturating_sub(1);
        }
    }

    fn raise(&mut self, id: WorkloadId, generation: Generation) {
        if let Some(row) = self.workloads.get_mut(&id) {
            row.facts.generation = generation;
        }
    }

    fn erase(&mut self, id: WorkloadId, now: Timestamp) {
        if let Some(row) = self.workloads.remove(&id) {
            let grave = Tombstone {
                generation: row.facts.generation,
                needed_at: now,
            };
            self.tombstones.insert(id, grave);
        }
    }
}
