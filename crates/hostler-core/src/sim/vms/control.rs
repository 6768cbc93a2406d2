//! The control plane: rows and nodes as the store has them, a pass that
//! decides on what it read a moment ago, and what comes from nodes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::machine::{Order, Said};
use super::{VmGuard, VmOptions};
use crate::id::{NodeId, VmId};
use crate::node::{Beat, NodeFacts, Scheduling, Timing, lease_grant};
use crate::vm::{
    DiskOnLoss, VmFacts, VmGoal, VmRoom, VmSeen, VmSize, VmStep, vm_claim, vm_is_later,
    vm_is_missing, vm_next_step, vm_wants_forgotten,
};
use crate::workload::{Claim, SeatView, Word};
use crate::{Bytes, Generation, Labels, Resources, Timestamp};

/// The size of every VM.
pub(super) const SIZE: VmSize = VmSize {
    cpus: 1,
    memory: Bytes::mib(64),
    disk: Bytes::mib(64),
};

/// VMs that a node has room for.
pub(super) const PLACES: u64 = 2;

/// A step that was decided and is not carried out yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Seat(VmId, Generation, NodeId),
    Unseat(VmId, Generation, NodeId, bool),
    Erase(VmId, Generation),
    Send(NodeId, Order),
}

pub(super) struct Control {
    pub(super) rows: BTreeMap<VmId, VmFacts>,
    pub(super) graves: BTreeMap<VmId, Generation>,
    pub(super) nodes: BTreeMap<NodeId, (NodeFacts, Option<Beat>)>,
    timing: Timing,
    /// A row that was lost, whose machine was not adopted yet.
    pub(super) forgotten: Option<VmFacts>,
    pub(super) options: VmOptions,
}

impl Control {
    pub(super) fn new(nodes: &[NodeId], timing: Timing, options: VmOptions) -> Self {
        let node = |id: &NodeId| {
            let facts = NodeFacts {
                id: *id,
                capacity: Resources::of(1_000 * PLACES, 64 * PLACES),
                reserved: Resources::default(),
                slots: 0,
                seated: 0,
                labels: Labels::new(),
                scheduling: Scheduling::Open,
                last_heard: None,
                lease_until: Timestamp::NEVER,
            };
            (*id, (facts, None))
        };
        Self {
            rows: BTreeMap::new(),
            graves: BTreeMap::new(),
            nodes: nodes.iter().map(node).collect(),
            timing,
            forgotten: None,
            options,
        }
    }

    fn room(facts: &VmFacts) -> Resources {
        VmRoom::of(facts.goal, SIZE, Bytes::new(0)).resources
    }

    /// What sits on a node takes, and what is there and was forgotten.
    pub(super) fn reserved(&self, node: NodeId) -> Resources {
        let all = self.rows.values().chain(&self.forgotten);
        let seated = all.filter(|row| row.seat == Some(node));
        seated
            .map(Self::room)
            .fold(Resources::default(), Resources::plus)
    }

    fn has_room(&self, node: NodeId, facts: &VmFacts) -> bool {
        let has = self.nodes.get(&node).map(|(node, _)| node.capacity);
        let takes = self.reserved(node).plus(Self::room(facts));
        has.is_some_and(|has| takes.fits(has))
    }

    /// What a pass decides now.
    pub(super) fn look(&self, now: Timestamp) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for row in self.rows.values() {
            let seat = row.seat.and_then(|node| self.nodes.get(&node));
            let view = seat.map(|(node, _)| SeatView::of(node, now, &self.timing));
            let mut asked = *row;
            if self.options.without == Some(VmGuard::KeepDisk) {
                asked.disk_on_loss = DiskOnLoss::Fresh;
            }
            match vm_next_step(&asked, view) {
                VmStep::Place => deeds.extend(self.choice(row, now)),
                VmStep::Ensure(node) => deeds.extend(self.order(row, node)),
                VmStep::Unseat(node) => {
                    let lost = view.is_some_and(|view| view.lost);
                    deeds.push(Deed::Unseat(row.id, row.generation, node, lost));
                }
                VmStep::Erase => deeds.push(Deed::Erase(row.id, row.generation)),
                // Rows never come from older copies here.
                VmStep::Nothing | VmStep::Raise(_) => {}
            }
        }
        deeds
    }

    fn choice(&self, row: &VmFacts, now: Timestamp) -> Option<Deed> {
        let open = self
            .nodes
            .values()
            .filter(|(node, _)| node.takes_seats(now, &self.timing));
        let mut fit = open.filter(|(node, _)| self.has_room(node.id, row));
        fit.next()
            .map(|(node, _)| Deed::Seat(row.id, row.generation, node.id))
    }

    fn order(&self, row: &VmFacts, node: NodeId) -> Option<Deed> {
        let (_, beat) = self.nodes.get(&node)?;
        let order = Order {
            vm: row.id,
            generation: row.generation,
            goal: row.goal,
            beat: *beat,
            on_node_loss: row.on_node_loss,
        };
        Some(Deed::Send(node, order))
    }

    /// Carries a deed out in its transaction; an order, if it is one.
    pub(super) fn carry_out(&mut self, deed: Deed, now: Timestamp) -> Option<(NodeId, Order)> {
        match deed {
            Deed::Seat(vm, generation, node) => self.seat(vm, generation, node),
            Deed::Unseat(vm, generation, node, lost) => {
                let still = self
                    .nodes
                    .get(&node)
                    .is_some_and(|(node, _)| node.lease_until <= now);
                let trusts = self.options.without == Some(VmGuard::SecondLook);
                if !lost || still || trusts {
                    self.unseat(vm, generation, node);
                }
            }
            Deed::Erase(vm, generation) => {
                let same = |row: &VmFacts| row.generation == generation && row.seat.is_none();
                if self.rows.get(&vm).is_some_and(same) {
                    self.rows.remove(&vm);
                    self.graves.insert(vm, generation);
                }
            }
            Deed::Send(node, order) => return Some((node, order)),
        }
        None
    }

    fn seat(&mut self, vm: VmId, generation: Generation, node: NodeId) {
        let Some(row) = self.rows.get(&vm).copied() else {
            return;
        };
        let fits = self.has_room(node, &row);
        let trusts = self.options.without == Some(VmGuard::ConditionalSeat);
        if row.generation == generation && row.seat.is_none() && (fits || trusts) {
            let seated = VmFacts {
                seat: Some(node),
                generation: generation.next(),
                seen: None,
                is_disk_lost: false,
                ..row
            };
            self.rows.insert(vm, seated);
        }
    }

    fn unseat(&mut self, vm: VmId, generation: Generation, node: NodeId) {
        let Some(row) = self.rows.get_mut(&vm) else {
            return;
        };
        if row.generation == generation && row.seat == Some(node) {
            row.seat = None;
            row.generation = generation.next();
            row.is_disk_lost = row.goal != VmGoal::Gone;
        }
    }

    /// A heartbeat; the span it is answered with, and orders that follow.
    pub(super) fn hear(
        &mut self,
        node: NodeId,
        (beat, span, said): (Beat, Option<Duration>, &[Said]),
        now: Timestamp,
    ) -> Option<(Option<Duration>, Vec<Order>)> {
        let others = self.nodes.len().saturating_sub(1);
        let grant = lease_grant(now, others, span, &self.timing);
        let (facts, held) = self.nodes.get_mut(&node)?;
        if !beat.is_news_after(*held) {
            return None;
        }
        *held = Some(beat);
        facts.last_heard = Some(now);
        facts.lease_until = grant.until;
        let mut orders = Vec::new();
        for word in said {
            self.note(node, *word, Word::Heartbeat);
            orders.extend(self.stray(node, *word, beat));
        }
        let missing = self
            .rows
            .values()
            .filter(|row| row.seat == Some(node))
            .filter(|row| {
                let listed = said.iter().find(|(vm, ..)| *vm == row.id);
                vm_is_missing(row, listed.map(|(_, generation, _)| *generation))
            });
        let missing: Vec<VmFacts> = missing.copied().collect();
        for row in missing {
            if let Some(Deed::Send(_, order)) = self.order(&row, node) {
                orders.push(order);
            }
        }
        Some((grant.fence_after, orders))
    }

    /// What the node should drop of what it says it holds.
    fn stray(&self, node: NodeId, (vm, generation, state): Said, beat: Beat) -> Option<Order> {
        let row = self.rows.get(&vm);
        let absent = state == crate::vm::VmSeenState::Absent;
        if absent && vm_wants_forgotten(node, row) {
            return None;
        }
        match vm_claim(node, generation, row, self.graves.get(&vm).copied()) {
            Claim::Retire(generation) => Some(Order {
                vm,
                generation,
                goal: VmGoal::Gone,
                beat: Some(beat),
                on_node_loss: crate::workload::OnNodeLoss::Wait,
            }),
            Claim::Seated | Claim::Unclaimed => None,
        }
    }

    /// A node's word about a VM that sits there.
    pub(super) fn note(&mut self, node: NodeId, (vm, generation, state): Said, word: Word) {
        let said = VmSeen { generation, state };
        let here = |row: &&mut VmFacts| row.seat == Some(node) && generation >= row.generation;
        if let Some(row) = self.rows.get_mut(&vm).filter(here)
            && vm_is_later(row.seen, said, word)
        {
            row.seen = Some(said);
        }
    }
}
