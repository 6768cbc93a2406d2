//! A pass: look at everything, ask the core, plan to do what it says.

use std::ops::RangeInclusive;

use super::super::stage::Stage;
use super::super::store::{Moment, Row, Store};
use super::super::trace::Note;
use super::super::{Event, HEARTBEAT};
use super::{Act, Control};
use crate::operation::{OperationState, OperationStep};
use crate::placement::{Fleet, Overcommits, Place, Policy, Rules, Unit};
use crate::workload::Step;
use crate::{Bytes, Labels};

/// Between two passes, in milliseconds.
const PASS: RangeInclusive<u64> = 350..=650;

impl Control {
    /// Looks at everything, and plans to do what is decided.
    pub(in crate::sim) fn pass(&self, stage: &mut Stage, store: &mut Store) {
        let at = self.moment(stage);
        let mut waiting = Vec::new();
        for row in store.workloads.values() {
            let step = store.step(&row.facts, at);
            if step == Step::Nothing {
                continue;
            }
            let (id, generation) = (row.facts.id, row.facts.generation);
            if step == Step::Place {
                waiting.push(*row);
                continue;
            }
            stage.note(Note::Decided(self.at, id, generation, step));
            match step {
                Step::Ensure(node, goal) => {
                    let beat = store.nodes.get(&node).and_then(|node| node.beat);
                    let order = Act::Order(id, generation, node, goal, beat, row.spec);
                    self.soon(stage, order);
                }
                other => self.soon(stage, Act::Step(id, generation, other)),
            }
        }
        self.place(stage, store, &waiting);
        store.tombstones_prune();
        self.operations(stage, store);
        let (control, life) = (self.at, self.life);
        stage.after(*PASS.start(), *PASS.end(), Event::Pass { control, life });
    }

    fn place(&self, stage: &mut Stage, store: &Store, waiting: &[Row]) {
        if waiting.is_empty() {
            return;
        }
        let mut fleet = self.fleet(store, self.moment(stage));
        for row in waiting {
            let unit = self.unit(row);
            if let Ok(node) = fleet.place(&unit) {
                fleet.unit_seat(&unit, node);
                self.soon(stage, Act::Seat(row.facts.id, row.facts.generation, node));
            }
        }
    }

    fn fleet(&self, store: &Store, at: Moment) -> Fleet {
        let mut fleet = Fleet::new(Policy::LeastLoaded, Overcommits::new());
        for node in store.nodes.values() {
            fleet.node_put(Place {
                id: node.facts.id,
                capacity: node.facts.capacity,
                slots: node.facts.slots,
                disk: Bytes::default(),
                labels: Labels::new(),
                open: node.facts.takes_seats(at.now, &at.timing),
            });
        }
        for row in store.workloads.values() {
            if let Some(seat) = row.facts.seat {
                fleet.unit_seat(&self.unit(row), seat);
            }
        }
        fleet
    }

    fn unit(&self, row: &Row) -> Unit {
        Unit {
            id: row.facts.id,
            project: self.project.clone(),
            resources: row.spec.resources,
            disk: Bytes::default(),
            labels: Labels::new(),
            rules: Rules::default(),
        }
    }

    fn operations(&self, stage: &mut Stage, store: &mut Store) {
        let now = self.now(stage);
        let until = now + HEARTBEAT * 3;
        for at in 0..store.operations.len() {
            let Some((number, step)) = store.operation_claim(at, self.at, now, until) else {
                continue;
            };
            let note = Note::Operation(self.at, store.operations[at].node, step.clone());
            stage.note(note);
            match step {
                OperationStep::Do(action) | OperationStep::Undo(action) => {
                    self.soon(stage, Act::Perform(at, number, action));
                }
                OperationStep::Wait => (),
                OperationStep::Finish(end) => store.operation_end(at, number, end),
                OperationStep::Stuck(_) => {
                    store.operation_end(at, number, OperationState::Stuck);
                }
            }
        }
    }
}
