//! The scheduler once more, as plainly as it can be said: every question is
//! answered by looking at every unit on every node. It shares no code with the
//! scheduler but the types that rules are written in.

use std::collections::BTreeMap;

use super::{Affinity, Overcommits, Place, Policy, Unit};
use crate::id::{NodeId, WorkloadId};
use crate::{Labels, Resources};

/// A node and everything on it.
struct Stall {
    place: Place,
    units: BTreeMap<WorkloadId, Unit>,
    unclaimed: Vec<Resources>,
    turn: u64,
}

/// All nodes.
pub(super) struct Oracle {
    policy: Policy,
    overcommits: Overcommits,
    stalls: BTreeMap<NodeId, Stall>,
    turns: u64,
}

fn has_all(labels: &Labels, wanted: &Labels) -> bool {
    wanted
        .iter()
        .all(|pair| labels.iter().any(|held| held == pair))
}

impl Oracle {
    pub(super) fn new(policy: Policy, overcommits: Overcommits) -> Self {
        Self {
            policy,
            overcommits,
            stalls: BTreeMap::new(),
            turns: 0,
        }
    }

    pub(super) fn node_put(&mut self, place: Place) {
        let empty = Stall {
            place: place.clone(),
            units: BTreeMap::new(),
            unclaimed: Vec::new(),
            turn: 0,
        };
        let stall = self.stalls.entry(place.id).or_insert(empty);
        stall.place = place;
    }

    pub(super) fn node_drop(&mut self, node: NodeId) {
        self.stalls.remove(&node);
    }

    pub(super) fn unit_seat(&mut self, unit: &Unit, node: NodeId) {
        let Some(stall) = self.stalls.get_mut(&node) else {
            return;
        };
        if !stall.units.contains_key(&unit.id) {
            self.turns += 1;
            stall.turn = self.turns;
            stall.units.insert(unit.id, unit.clone());
        }
    }

    pub(super) fn unit_unseat(&mut self, unit: &Unit, node: NodeId) {
        if let Some(stall) = self.stalls.get_mut(&node) {
            stall.units.remove(&unit.id);
        }
    }

    pub(super) fn room_take(&mut self, node: NodeId, resources: Resources) {
        if let Some(stall) = self.stalls.get_mut(&node) {
            stall.unclaimed.push(resources);
        }
    }

    pub(super) fn room_clear(&mut self, node: NodeId) {
        if let Some(stall) = self.stalls.get_mut(&node) {
            stall.unclaimed.clear();
        }
    }

    pub(super) fn place(&self, unit: &Unit) -> Option<NodeId> {
        let possible = self.stalls.values().filter(|stall| self.can(unit, stall));
        let best = possible.min_by_key(|stall| (self.wish(unit, stall), stall.place.id));
        best.map(|stall| stall.place.id)
    }

    fn promise(&self, stall: &Stall) -> [u64; 4] {
        let pool = stall.place.labels.get("pool").cloned().unwrap_or_default();
        let overcommit = self.overcommits.get(&pool).copied().unwrap_or_default();
        let has = stall.place.capacity;
        let cpu = has.cpu.as_millis() * u64::from(overcommit.cpu_percent) / 100;
        let memory = has.memory.get() * u64::from(overcommit.memory_percent) / 100;
        let disk = stall.place.disk.get();
        [cpu, memory, stall.place.slots.into(), disk]
    }

    fn can(&self, unit: &Unit, stall: &Stall) -> bool {
        let [cpu, memory, slots, disk] = self.promise(stall);
        let [used_cpu, used_memory, used_slots, used_disk] = used(stall);
        let fits = |need: u64, used: u64, has: u64| need == 0 || used + need <= has;
        let room = fits(unit.resources.cpu.as_millis(), used_cpu, cpu)
            && fits(unit.resources.memory.get(), used_memory, memory)
            && fits(unit.disk.get(), used_disk, disk)
            && used_slots < slots;
        let near = |rule: &&Affinity| rule.required && !self.is_near(unit, rule, stall);
        let far = |rule: &&Affinity| {
            rule.required
                && self.number(unit, &rule.labels, rule.topology.as_deref(), stall) > Some(0)
        };
        stall.place.open
            && has_all(&stall.place.labels, &unit.rules.node_labels)
            && !unit.rules.affinity.iter().any(|rule| near(&rule))
            && !unit.rules.anti_affinity.iter().any(|rule| far(&rule))
            && room
    }

    fn is_near(&self, unit: &Unit, rule: &Affinity, stall: &Stall) -> bool {
        let anywhere = |other: &Stall| {
            other
                .units
                .values()
                .any(|held| alike(unit, &rule.labels, held))
        };
        let first = has_all(&unit.labels, &rule.labels) && !self.stalls.values().any(anywhere);
        match self.number(unit, &rule.labels, rule.topology.as_deref(), stall) {
            None => false,
            Some(0) => first,
            Some(_) => true,
        }
    }

    /// How many units that a rule means are in the place of `stall`; `None`
    /// if it is in no place.
    fn number(
        &self,
        unit: &Unit,
        labels: &Labels,
        topology: Option<&str>,
        stall: &Stall,
    ) -> Option<usize> {
        let place_of = |stall: &Stall| match topology {
            None => Some(stall.place.id.to_string()),
            Some(label) => stall.place.labels.get(label).cloned(),
        };
        let here = place_of(stall)?;
        let same = self
            .stalls
            .values()
            .filter(|other| place_of(other).as_ref() == Some(&here));
        let units = same.flat_map(|stall| stall.units.values());
        Some(units.filter(|held| alike(unit, labels, held)).count())
    }

    /// Smaller is better: preferences not met, crowd, stranger, then the
    /// policy's figure.
    fn wish(&self, unit: &Unit, stall: &Stall) -> (usize, u64, bool, u64) {
        let number = |labels: &Labels, topology: &Option<String>| {
            self.number(unit, labels, topology.as_deref(), stall)
        };
        let lacks = |rule: &&Affinity| {
            !rule.required && number(&rule.labels, &rule.topology).unwrap_or(0) == 0
        };
        let hurts = |rule: &&Affinity| {
            !rule.required && number(&rule.labels, &rule.topology).unwrap_or(0) > 0
        };
        let unmet = unit.rules.affinity.iter().filter(lacks).count()
            + unit.rules.anti_affinity.iter().filter(hurts).count();
        let crowd = unit.rules.spread.as_ref().map_or(0, |spread| {
            number(&spread.labels, &spread.topology)
                .map_or(u64::from(u32::MAX), |crowd| crowd as u64)
        });
        let home = stall
            .units
            .values()
            .any(|held| held.project == unit.project);
        let (stranger, figure) = match self.policy {
            Policy::LeastLoaded => (false, self.load(stall)),
            Policy::RoundRobin => (false, stall.turn),
            Policy::Sticky => (!home, self.load(stall)),
            Policy::BinPack => (false, 1_000_000_u64.saturating_sub(self.load(stall))),
        };
        (unmet, crowd, stranger, figure)
    }

    fn load(&self, stall: &Stall) -> u64 {
        let (has, takes) = (self.promise(stall), used(stall));
        let share = |used: u64, has: u64| match (used, has) {
            (0, 0) => 0,
            (_, 0) => 1_000_000,
            (used, has) => u64::try_from(u128::from(used) * 1_000_000 / u128::from(has)).unwrap(),
        };
        let shares = takes.into_iter().zip(has);
        shares.map(|(used, has)| share(used, has)).max().unwrap()
    }
}

fn alike(unit: &Unit, labels: &Labels, held: &Unit) -> bool {
    held.project == unit.project && has_all(&held.labels, labels)
}

fn used(stall: &Stall) -> [u64; 4] {
    let seated = stall.units.values().map(|unit| unit.resources);
    let all: Vec<Resources> = seated.chain(stall.unclaimed.iter().copied()).collect();
    let cpu = all.iter().map(|used| used.cpu.as_millis()).sum();
    let memory = all.iter().map(|used| used.memory.get()).sum();
    let disk = stall.units.values().map(|unit| unit.disk.get()).sum();
    [cpu, memory, all.len() as u64, disk]
}
