//! A node as the scheduler sees it: what may be promised there, what is.

use super::policy::{Overcommit, Overcommits, Policy};
use super::rules::Unit;
use super::score::Rank;
use crate::id::{NodeId, WorkloadId};
use crate::{Bytes, Labels, Resources};

/// A node to place units on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: NodeId,
    /// What the machine has, before overcommit.
    pub capacity: Resources,
    /// How many units it may hold at once.
    pub slots: u32,
    /// Its room for the disks of VMs, which is never overbooked.
    pub disk: Bytes,
    /// What rules know it by; `pool` also selects its overcommit.
    pub labels: Labels,
    /// Whether it takes new units now
    /// ([`crate::node::NodeFacts::takes_seats`]).
    pub open: bool,
}

/// Resources, slots and disk, which are given and taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) resources: Resources,
    pub(super) slots: u32,
    pub(super) disk: Bytes,
}

impl Room {
    /// The room of one unit without a disk.
    pub(super) const fn unit(resources: Resources) -> Self {
        Self {
            resources,
            slots: 1,
            disk: Bytes::new(0),
        }
    }

    /// The room of this unit.
    pub(super) const fn of(unit: &Unit) -> Self {
        Self {
            disk: unit.disk,
            ..Self::unit(unit.resources)
        }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            resources: self.resources.plus(other.resources),
            slots: self.slots.saturating_add(other.slots),
            disk: Bytes::new(self.disk.get().saturating_add(other.disk.get())),
        }
    }

    pub(super) const fn minus(self, other: Self) -> Self {
        Self {
            resources: self.resources.minus(other.resources),
            slots: self.slots.saturating_sub(other.slots),
            disk: Bytes::new(self.disk.get().saturating_sub(other.disk.get())),
        }
    }

    pub(super) const fn fits(self, room: Self) -> bool {
        self.slots <= room.slots
            && self.disk.get() <= room.disk.get()
            && self.resources.fits(room.resources)
    }

    /// The larger of each amount.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            resources: Resources {
                cpu: self.resources.cpu.max(other.resources.cpu),
                memory: self.resources.memory.max(other.resources.memory),
            },
            slots: self.slots.max(other.slots),
            disk: self.disk.max(other.disk),
        }
    }
}

/// A unit on its node, as it was when it was seated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) unit: WorkloadId,
    pub(super) room: Room,
    /// The kind it is counted under.
    pub(super) kind: usize,
}

/// A node and all that is promised of it.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) place: Place,
    /// What may be promised.
    pub(super) promise: Room,
    /// What units were given.
    pub(super) seated: Room,
    /// What work that is not seated takes up.
    pub(super) unclaimed: Room,
    /// The number of the fleet's last seating that came here.
    pub(super) turn: u64,
    /// What is seated here, ascending by id.
    pub(super) seats: Vec<Seat>,
    /// Its domain in each topology but the first (see `yard`).
    pub(super) domains: Vec<Option<usize>>,
}

/// A load of one, in the millionths that loads are counted in.
pub(super) const FULL: u32 = 1_000_000;

impl Host {
    pub(super) fn new(place: Place, overcommits: &Overcommits) -> Self {
        let mut host = Self {
            place,
            promise: Room::default(),
            seated: Room::default(),
            unclaimed: Room::default(),
            turn: 0,
            seats: Vec::new(),
            domains: Vec::new(),
        };
        host.promise_renew(overcommits);
        host
    }

    /// To be called whenever the place has changed.
    pub(super) fn promise_renew(&mut self, overcommits: &Overcommits) {
        let overcommit = Overcommit::of(overcommits, &self.place.labels);
        self.promise = Room {
            resources: overcommit.promise(self.place.capacity),
            slots: self.place.slots,
            disk: self.place.disk,
        };
    }

    /// Gives a unit a seat, the fleet's `turn`th, unless it has one here.
    pub(super) fn seat(&mut self, seat: Seat, turn: u64) -> bool {
        let place = self
            .seats
            .binary_search_by_key(&seat.unit, |held| held.unit);
        if let Err(place) = place {
            self.seats.insert(place, seat);
            self.seated = self.seated.plus(seat.room);
            self.turn = turn;
        }
        place.is_err()
    }

    /// Takes a unit's seat away, if it has one here.
    pub(super) fn unseat(&mut self, unit: WorkloadId) -> Option<Seat> {
        let place = self
            .seats
            .binary_search_by_key(&unit, |held| held.unit)
            .ok()?;
        let seat = self.seats.remove(place);
        self.seated = self.seated.minus(seat.room);
        Some(seat)
    }

    pub(super) fn free(&self) -> Room {
        self.promise.minus(self.seated).minus(self.unclaimed)
    }

    /// The scarcest of processor, memory, slots and disk, in millionths.
    pub(super) fn load(&self) -> u32 {
        let used = self.seated.plus(self.unclaimed);
        let (has, takes) = (self.promise.resources, used.resources);
        share(takes.cpu.as_millis(), has.cpu.as_millis())
            .max(share(takes.memory.get(), has.memory.get()))
            .max(share(used.slots.into(), self.promise.slots.into()))
            .max(share(used.disk.get(), self.promise.disk.get()))
    }

    /// What the policy compares: the fields it does not use stay zero.
    pub(super) fn rank(&self, policy: Policy) -> Rank {
        let zero = Rank::default();
        match policy {
            Policy::LeastLoaded | Policy::Sticky => Rank {
                load: self.load(),
                ..zero
            },
            Policy::RoundRobin => Rank {
                turn: self.turn,
                ..zero
            },
            Policy::BinPack => Rank {
                spare: FULL.saturating_sub(self.load()),
                ..zero
            },
        }
    }
}

fn share(used: u64, has: u64) -> u32 {
    let millionths = u128::from(used) * u128::from(FULL);
    let share = millionths.checked_div(has.into());
    let none = if used == 0 { 0 } else { FULL };
    share.map_or(none, |share| u32::try_from(share).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_that_of_the_scarcest() {
        let check = |seated, slots, expected| {
            let place = Place {
                id: NodeId::from_parts(1, [0; 10]),
                capacity: Resources::of(1_000, 1_000),
                slots: 10,
                disk: Bytes::mib(100),
                labels: Labels::new(),
                open: true,
            };
            let mut host = Host::new(place, &Overcommits::new());
            host.seated = Room {
                resources: seated,
                slots,
                disk: Bytes::mib(20),
            };
            assert_eq!(host.load(), expected);
        };
        check(Resources::of(500, 250), 1, FULL / 2);
        check(Resources::of(100, 250), 1, FULL / 4);
        check(Resources::of(100, 250), 9, FULL / 10 * 9);
        check(Resources::of(2_000, 0), 1, FULL * 2);
        check(Resources::of(100, 0), 1, FULL / 5);
    }

    #[test]
    fn what_has_nothing_is_full_as_soon_as_it_is_used() {
        assert_eq!(share(0, 0), 0);
        assert_eq!(share(1, 0), FULL);
        assert_eq!(share(u64::MAX, 1), u32::MAX);
    }
}
