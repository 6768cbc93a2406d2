//! People bring work, in bursts, and some day it is done. The scheduler seats
//! it: decided on what was read a moment before, and done in a transaction.

use std::time::Duration;

use super::Event;
use super::look::{HEARTBEAT, fleet, project, silent_since};
use super::stage::Note;
use super::world::World;
use super::{MINUTE, SECOND};
use crate::id::{NodeId, WorkloadId};
use crate::node::Timing;
use crate::placement::{Affinity, Rules, Unit};
use crate::{Bytes, Labels, Resources};

use super::store::Work;

impl World {
    /// A burst of work.
    pub(super) fn bring(&mut self) {
        if self.stage.calm {
            return;
        }
        let number = self.stage.rng.within(1, 9);
        let (pool, is_far) = (self.stage.rng.chance(25), self.stage.rng.chance(20));
        for _ in 0..number {
            self.bring_one(pool, is_far);
        }
        // A lull now and then, in which machines become idle and go.
        let longest = if self.stage.rng.chance(30) { 40 } else { 5 };
        self.stage
            .after(20 * SECOND, longest * MINUTE, Event::Bring);
    }

    fn bring_one(&mut self, in_a_pool: bool, is_far: bool) {
        let Some(project) = project() else { return };
        let id = WorkloadId::from_parts(self.store.id(), [0; 10]);
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        let mut rules = Rules::default();
        if in_a_pool {
            let pool = self.stage.rng.place(self.store.pools.len());
            rules.node_labels = self.store.pools[pool].pool.selector.clone();
        }
        if is_far {
            rules.anti_affinity.push(Affinity {
                labels: labels.clone(),
                topology: None,
                required: true,
            });
        }
        let unit = Unit {
            id,
            project,
            resources: Resources::of(self.stage.rng.within(1, 10) * 200, 256),
            disk: Bytes::default(),
            labels,
            rules,
        };
        let since = self.stage.wall();
        let work = Work {
            unit,
            since,
            seat: None,
        };
        self.store.works.insert(id, work);
        self.stage.note(Note::Brought(id));
        self.stage.after(MINUTE, 40 * MINUTE, Event::Done(id));
    }

    /// Work is done: while faults last, all of it ends some day.
    pub(super) fn done(&mut self, work: WorkloadId) {
        if !self.stage.calm {
            self.store.work_end(work, self.stage.wall());
            self.stage.note(Note::Done(work));
        }
    }

    /// Work of lost nodes loses its seat; all without one is given one, a
    /// moment later.
    pub(super) fn place(&mut self) {
        self.lost();
        self.stage.after(3 * SECOND, 6 * SECOND, Event::Place);
        let waiting = self.store.works.values().filter(|work| work.seat.is_none());
        let units: Vec<Unit> = waiting.map(|work| work.unit.clone()).collect();
        if units.is_empty() {
            return;
        }
        let mut fleet = fleet(&self.store, self.stage.wall());
        for unit in units {
            if let Ok(node) = fleet.place(&unit) {
                fleet.unit_seat(&unit, node);
                self.stage.after(1, 5 * SECOND, Event::Seat(unit.id, node));
            }
        }
    }

    pub(super) fn seat(&mut self, work: WorkloadId, node: NodeId) {
        let given = self.store.work_seat(work, node);
        self.stage.note(Note::Seat(work, node, given));
    }

    fn lost(&mut self) {
        let now = self.stage.wall();
        let lease = Timing::of(Duration::from_millis(HEARTBEAT)).lease;
        let nodes = self.store.nodes.iter();
        let lost =
            nodes.filter(|(_, node)| silent_since(node, now).is_some_and(|at| now >= at + lease));
        let lost: Vec<NodeId> = lost.map(|(id, _)| *id).collect();
        for node in lost {
            if self.store.seated(node).next().is_some() {
                self.store.node_clear(node, now);
            }
            let runner = self.store.nodes[&node].runner.clone();
            if !self.store.runners().any(|(_, _, item)| item.id == runner) {
                self.store.node_unregister(node, true, now);
            }
        }
    }
}
