//! What must hold: after every event, and in the end. It looks at everything
//! at once, as nobody in the fleet can.

use super::Invariant;
use super::machine::{Agent, Machine};
use super::store::Row;
use super::world::World;
use crate::node::{Availability, availability};
use crate::workload::{Goal, NodeGoal, WorkloadStatus, status};
use crate::{Resources, Timestamp};

impl World {
    /// Checks what must hold after every event.
    pub(super) fn check(&mut self) {
        let found = self
            .check_instances()
            .or_else(|| self.check_ledgers())
            .or_else(|| self.check_wishes())
            .or_else(|| self.check_capacity());
        if let Some((invariant, text)) = found {
            self.stage.violate(invariant, || text);
        }
    }

    fn living(&self) -> impl Iterator<Item = (&Machine, &Agent)> {
        let machines = self.machines.iter();
        let agents = machines.flat_map(|machine| machine.agents.iter().map(move |a| (machine, a)));
        agents.filter(|(_, agent)| agent.exit.is_none())
    }

    /// I1, and of I5 that nothing runs of what was erased.
    fn check_instances(&self) -> Option<(Invariant, String)> {
        for (machine, agent) in self.living() {
            let id = agent.workload;
            if let Some((other, _)) = self
                .living()
                .find(|(_, other)| other.workload == id && other.number != agent.number)
            {
                let text = format!("{id:?} runs on machines {} and {}", machine.at, other.at);
                return Some((Invariant::OneInstance, text));
            }
            if !self.store.workloads.contains_key(&id) {
                let text = format!("{id:?} was erased and runs on machine {}", machine.at);
                return Some((Invariant::NothingLeft, text));
            }
        }
        None
    }

    /// Of I5 that no node holds what nobody would tell it to drop. A machine
    /// that is no node any more drops it by itself when it joins again.
    fn check_ledgers(&self) -> Option<(Invariant, String)> {
        let joined = |machine: &&Machine| {
            let node = machine.disk.node;
            node.is_some_and(|node| self.store.nodes.contains_key(&node))
        };
        for machine in self.machines.iter().filter(joined) {
            for (id, record) in &machine.disk.ledger {
                let known =
                    self.store.workloads.contains_key(id) || self.store.tombstones.contains_key(id);
                if record.goal == NodeGoal::Running && !known {
                    let text = format!("machine {} holds {id:?}, which nobody knows", machine.at);
                    return Some((Invariant::NothingLeft, text));
                }
            }
        }
        None
    }

    /// I2.
    fn check_wishes(&self) -> Option<(Invariant, String)> {
        let kept = |wish: &&super::user::Wish| !wish.deleted;
        for wish in self.user.wishes.iter().filter(kept) {
            if let Some(id) = wish.id.filter(|id| !self.store.workloads.contains_key(id)) {
                return Some((Invariant::NothingForgotten, format!("{id:?} is forgotten")));
            }
        }
        let mut keys: Vec<u32> = self.store.workloads.values().map(|row| row.key).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).find(|pair| pair[0] == pair[1])?;
        let text = format!("the key {} made two workloads", twice[0]);
        Some((Invariant::NothingForgotten, text))
    }

    /// I3, for promises and for processes.
    fn check_capacity(&self) -> Option<(Invariant, String)> {
        let plus = |sum: Resources, more: Resources| sum.plus(more);
        for node in self.store.nodes.values() {
            let facts = &node.facts;
            let rows = self.store.workloads.values();
            let seated = rows.filter(|row| row.facts.seat == Some(facts.id));
            let sum = seated
                .map(|row| row.spec.resources)
                .fold(Resources::default(), plus);
            if sum != facts.reserved || !sum.fits(facts.capacity) {
                let text = format!("{sum:?} is seated on {facts:?}");
                return Some((Invariant::Capacity, text));
            }
        }
        for machine in &self.machines {
            let living = machine.agents.iter().filter(|agent| agent.exit.is_none());
            let records = living.filter_map(|agent| machine.disk.ledger.get(&agent.workload));
            let sum = records
                .map(|record| record.spec.resources)
                .fold(Resources::default(), plus);
            if !sum.fits(machine.capacity) {
                let text = format!("{sum:?} runs on machine {}", machine.at);
                return Some((Invariant::Capacity, text));
            }
        }
        None
    }

    /// Whether everything is as wanted; if not, what is not.
    pub(super) fn settled(&self) -> Result<(), String> {
        let now = self.stage.wall(0);
        if let Some(live) = self.store.operations.iter().find(|o| o.ended.is_none()) {
            return Err(format!("{live:?} has not ended"));
        }
        for row in self.store.workloads.values() {
            self.settled_row(row, now)?;
        }
        for machine in &self.machines {
            self.settled_machine(machine)?;
        }
        Ok(())
    }

    fn settled_row(&self, row: &Row, now: Timestamp) -> Result<(), String> {
        let facts = &row.facts;
        let node = facts.seat.and_then(|seat| self.store.nodes.get(&seat));
        let heard = |at| availability(at, now, &self.stage.timing);
        let seat: Option<Availability> = node.map(|node| heard(node.facts.last_heard));
        let status = status(facts, seat);
        let process = |(machine, agent): &(&Machine, &Agent)| {
            agent.workload == facts.id
                && agent.generation == facts.generation
                && machine.disk.node == facts.seat
        };
        let runs = self.living().any(|living| process(&living));
        let fine = match (facts.goal, status) {
            (Goal::Running, WorkloadStatus::Running) => runs,
            (Goal::Running, WorkloadStatus::Queued) => !self.has_room(row, now),
            (Goal::Running, WorkloadStatus::Failed | WorkloadStatus::Stopped)
            | (Goal::Stopped, WorkloadStatus::Stopped) => !runs,
            _ => false,
        };
        if fine {
            Ok(())
        } else {
            Err(format!("{facts:?} is {status:?}, running: {runs}"))
        }
    }

    fn has_room(&self, row: &Row, now: Timestamp) -> bool {
        self.store.nodes.values().any(|node| {
            let taken = node.facts.reserved.plus(row.spec.resources);
            node.facts.takes_seats(now, &self.stage.timing) && taken.fits(node.facts.capacity)
        })
    }

    /// I5: no ledger holds what is not seated there, except as a tombstone.
    fn settled_machine(&self, machine: &Machine) -> Result<(), String> {
        for (id, record) in &machine.disk.ledger {
            let row = self.store.workloads.get(id);
            let seated = row.is_some_and(|row| row.facts.seat == machine.disk.node);
            if record.goal == NodeGoal::Running && !seated {
                return Err(format!("machine {} holds {id:?} {record:?}", machine.at));
            }
        }
        let known = machine
            .disk
            .node
            .is_some_and(|id| self.store.nodes.contains_key(&id));
        let left = machine.agents.iter().find(|agent| agent.exit.is_some());
        match (known, left) {
            (true, None) => Ok(()),
            (_, left) => Err(format!("machine {}: known: {known}, {left:?}", machine.at)),
        }
    }
}
