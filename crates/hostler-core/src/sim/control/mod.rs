//! A control plane. It keeps nothing that matters: a pass looks at the store,
//! asks the core, and a moment later does what the answer was, by which time
//! everything may have changed. It may stop for a while at any point, or die.

mod hear;
mod pass;

use super::network::{Body, End};
use super::stage::Stage;
use super::store::{Moment, Store};
use super::trace::Note;
use super::{Beat, Event, Guard, Spec};
use crate::id::{NodeId, WorkloadId};
use crate::operation::Action;
use crate::workload::{NodeGoal, Step};
use crate::{Generation, Name, Timestamp};

/// One thing a control plane is about to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Give a workload this seat.
    Seat(WorkloadId, Generation, NodeId),
    /// Say to a node what should be there.
    Order(WorkloadId, Generation, NodeId, NodeGoal, Option<Beat>, Spec),
    /// Carry a step out in a transaction.
    Step(WorkloadId, Generation, Step),
    /// Carry out an operation's action, then write so.
    Perform(usize, u64, Action),
    /// Write that an operation's action was carried out.
    Record(usize, u64, Action),
}

/// A control plane.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) at: usize,
    pub(super) up: bool,
    /// Raised whenever it dies: what it was about to do dies with it.
    pub(super) life: u32,
    /// Until when it stands still, as a paused machine does.
    pub(super) stalled_until: u64,
    /// How far its wall clock is ahead, in milliseconds.
    skew: i64,
    project: Name,
}

impl Control {
    pub(super) fn new(at: usize, skew: i64, project: Name) -> Self {
        Self {
            at,
            up: true,
            life: 0,
            stalled_until: 0,
            skew,
            project,
        }
    }

    fn now(&self, stage: &Stage) -> Timestamp {
        stage.wall(self.skew)
    }

    fn moment(&self, stage: &Stage) -> Moment {
        Moment {
            now: self.now(stage),
            timing: stage.timing,
        }
    }

    /// Lets a moment pass between look and deed; while things go wrong it may
    /// be a long one.
    fn soon(&self, stage: &mut Stage, act: Act) {
        let (control, life) = (self.at, self.life);
        let act = Event::Act { control, life, act };
        if !stage.calm && stage.rng.chance(12) {
            stage.after(800, 8_000, act);
        } else if stage.rng.chance(20) {
            stage.after(40, 800, act);
        } else {
            stage.after(1, 40, act);
        }
    }

    /// Does what was planned a moment ago.
    pub(super) fn act(&self, stage: &mut Stage, store: &mut Store, act: Act) {
        match act {
            Act::Seat(id, decided, node) => {
                let blind = !stage.guards(Guard::ConditionalSeat);
                let given = store.workload_seat(id, decided, node, blind);
                stage.note(Note::Seat(self.at, id, node, given));
            }
            Act::Order(workload, generation, node, goal, beat, spec) => {
                let order = Body::Order {
                    workload,
                    generation,
                    goal,
                    beat,
                    spec,
                };
                self.send(stage, store, node, order);
            }
            Act::Step(id, decided, step) => {
                let blind = !stage.guards(Guard::SecondLook);
                let at = self.moment(stage);
                let done = store.carry_out((id, decided), step, at, blind);
                stage.note(Note::Carried(self.at, id, step, done));
            }
            Act::Perform(at, number, action) => {
                if store.operation_perform(at, number, action) {
                    self.soon(stage, Act::Record(at, number, action));
                }
            }
            Act::Record(at, number, action) => store.operation_record(at, number, action),
        }
    }

    fn send(&self, stage: &mut Stage, store: &Store, node: NodeId, body: Body) {
        if let Some(node) = store.nodes.get(&node) {
            stage.send(End::Control(self.at), End::Machine(node.machine), body);
        }
    }
}
