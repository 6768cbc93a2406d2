//! The fleet as the scheduler keeps it.
//!
//! It mirrors what the store holds: whoever loads it puts the nodes first,
//! then seats the units on them in the order in which they were seated, then
//! takes the room of unclaimed work. From then on each change is told once.
//! It refuses nothing it is told: what the store says is so, is so, and a node
//! with more on it than it may promise has no room.

use std::collections::BTreeMap;

use super::aisles::Aisles;
use super::host::{Host, Place, Room, Seat};
use super::limits::Limits;
use super::plan::Plan;
use super::policy::{Overcommits, Policy};
use super::refusal::Refusal;
use super::rules::Unit;
use super::sight::Sight;
use super::tally::Tally;
use super::yard::Yard;
use crate::id::NodeId;
use crate::{Bytes, Cpu, Resources};

/// A plan, and how much processor, memory and disk are needed.
type Needs = (usize, Cpu, Bytes, Bytes);

/// Nodes, what is seated on them, and where the next unit goes.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub(super) policy: Policy,
    overcommits: Overcommits,
    pub(super) limits: Limits,
    pub(super) yard: Yard,
    pub(super) tally: Tally,
    pub(super) plans: Vec<Plan>,
    pub(super) aisles: Aisles,
    /// Refusals since the change of this number, by plan and needs.
    pub(super) refused: (u64, BTreeMap<Needs, Refusal>),
    /// How many seatings there have been.
    turns: u64,
    seats: usize,
}

impl Fleet {
    /// A fleet without nodes.
    pub fn new(policy: Policy, overcommits: Overcommits) -> Self {
        Self::with_limits(policy, overcommits, Limits::default())
    }

    pub(super) fn with_limits(policy: Policy, overcommits: Overcommits, limits: Limits) -> Self {
        Self {
            policy,
            overcommits,
            limits,
            yard: Yard::new(limits.coarse),
            tally: Tally::default(),
            plans: Vec::new(),
            aisles: Aisles::new(limits.aisles),
            refused: (0, BTreeMap::new()),
            turns: 0,
            seats: 0,
        }
    }

    /// The policy by which nodes are compared.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Takes in a node, or what has changed about it; its seats stay.
    pub fn node_put(&mut self, place: Place) {
        let coarse = self.yard.coarse_count();
        match self.yard.find(place.id) {
            None => self.yard.insert(Host::new(place, &self.overcommits)),
            Some(at) => self.node_renew(at, place),
        }
        if self.yard.coarse_count() != coarse {
            self.plans_forget();
        }
    }

    fn node_renew(&mut self, at: usize, place: Place) {
        let known = self.yard.host(at).map(|host| &host.place);
        if known == Some(&place) {
            return;
        }
        if known.is_some_and(|known| known.labels != place.labels) {
            self.node_relabel(at, &place);
        }
        if let Some(host) = self.yard.host_mut(at) {
            host.place = place;
            host.promise_renew(&self.overcommits);
        }
    }

    /// Its seats leave the domains of the old labels and enter those of the
    /// new ones.
    fn node_relabel(&mut self, at: usize, place: &Place) {
        let seats = self.yard.host(at).map(|host| host.seats.clone());
        let seats = seats.unwrap_or_default();
        for seat in &seats {
            self.tally.subtract(seat.kind, at, &mut self.yard);
        }
        self.yard.relabel(at, place.labels.clone());
        for seat in &seats {
            self.tally.add(seat.kind, at, &mut self.yard);
        }
    }

    /// Lets a node go, with all that is seated there.
    pub fn node_drop(&mut self, node: NodeId) {
        let Some(at) = self.yard.find(node) else {
            return;
        };
        let host = self.yard.host_mut(at);
        for seat in host
            .map(|host| std::mem::take(&mut host.seats))
            .unwrap_or_default()
        {
            self.tally.subtract(seat.kind, at, &mut self.yard);
            self.seats -= 1;
        }
        self.yard.remove(at);
    }

    /// Notes that a unit has its seat on a node; on a node that is not here,
    /// nothing is noted. Seating it there again changes nothing.
    pub fn unit_seat(&mut self, unit: &Unit, node: NodeId) {
        let Some(at) = self.yard.find(node) else {
            return;
        };
        let seat = Seat {
            unit: unit.id,
            room: Room::of(unit),
            kind: self.tally.kind_of(&unit.project, &unit.labels),
        };
        let turn = self.turns + 1;
        let host = self.yard.host_mut(at);
        if host.is_some_and(|host| host.seat(seat, turn)) {
            self.turns = turn;
            self.seats += 1;
            self.tally.add(seat.kind, at, &mut self.yard);
        }
    }

    /// Notes that a unit has its seat on a node no longer, and gives back what
    /// it took when it was seated.
    pub fn unit_unseat(&mut self, unit: &Unit, node: NodeId) {
        let Some(at) = self.yard.find(node) else {
            return;
        };
        let host = self.yard.host_mut(at);
        if let Some(seat) = host.and_then(|host| host.unseat(unit.id)) {
            self.seats -= 1;
            self.tally.subtract(seat.kind, at, &mut self.yard);
        }
    }

    /// Takes room, and a slot, on a node for work found there that nobody has
    /// claimed. To be called once for each such work.
    pub fn room_take(&mut self, node: NodeId, resources: Resources) {
        let at = self.yard.find(node);
        if let Some(host) = at.and_then(|at| self.yard.host_mut(at)) {
            host.unclaimed = host.unclaimed.plus(Room::unit(resources));
        }
    }

    /// Takes room on a node for what takes no slot and is not a unit here.
    pub fn room_hold(&mut self, node: NodeId, resources: Resources, disk: Bytes) {
        let at = self.yard.find(node);
        if let Some(host) = at.and_then(|at| self.yard.host_mut(at)) {
            host.unclaimed = host.unclaimed.plus(Room {
                resources,
                slots: 0,
                disk,
            });
        }
    }

    /// Gives back all the room that was taken on a node for what is no unit.
    pub fn room_clear(&mut self, node: NodeId) {
        let at = self.yard.find(node);
        if let Some(host) = at.and_then(|at| self.yard.host_mut(at)) {
            host.unclaimed = Room::default();
        }
    }

    pub(super) fn sight(&self) -> Sight<'_> {
        Sight {
            yard: &self.yard,
            tally: &self.tally,
            policy: self.policy,
        }
    }

    /// Forgets how to search; it is worked out again when asked.
    fn plans_forget(&mut self) {
        self.plans.clear();
        self.refused.1.clear();
        self.aisles = Aisles::new(self.limits.aisles);
        self.tally.plans_forget();
    }

    /// How much is kept that is derived from units.
    pub(super) fn kept(&self) -> usize {
        self.tally.len() + self.plans.len() + self.yard.domain_count()
    }

    /// Counts everything anew once more is kept of what has been than of what
    /// is: kinds, censuses and domains are never forgotten one by one.
    pub(super) fn tidy(&mut self) {
        if self.kept() > 4 * (self.seats + self.yard.len()) + self.limits.past {
            self.recount();
        }
    }

    fn recount(&mut self) {
        self.plans_forget();
        self.yard.topologies_forget();
        let old = std::mem::take(&mut self.tally);
        for at in 0..self.yard.span() {
            let seats = self.yard.host(at).map(|host| host.seats.clone());
            let mut seats = seats.unwrap_or_default();
            for seat in &mut seats {
                seat.kind = self.tally.kind_from(&old, seat.kind);
                self.tally.add(seat.kind, at, &mut self.yard);
            }
            if let Some(host) = self.yard.host_mut(at) {
                host.seats = seats;
            }
        }
    }
}
