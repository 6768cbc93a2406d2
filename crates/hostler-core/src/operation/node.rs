//! Draining a node, and removing it from the fleet.
//!
//! ```text
//!  was-… ─▶ draining ─▶ (wait until nothing movable is seated) ─▶ closed
//!                                                    remove only: ─▶ unregistered
//!  called off: put-back, as it was before
//! ```
//!
//! Once a node is unregistered there is nothing to put back: a cancel that
//! comes later finds it done.

use super::{
    Action, NodeWorld, OperationFacts, OperationKind, OperationState, OperationStep as Step,
};
use crate::Timestamp;
use crate::node::Scheduling;

/// The next step of an operation on a node, at `now`.
pub fn next_step(facts: &OperationFacts<'_>, world: &NodeWorld, now: Timestamp) -> Step {
    let Some(scheduling) = world.scheduling else {
        return without_node(facts);
    };
    let was = facts
        .steps_done
        .iter()
        .find_map(|word| Action::remembered(word));
    if facts.cancel_asked {
        return call_off(facts, was);
    }
    if was.is_none() {
        return Step::Do(Action::Remember(scheduling));
    }
    for action in [Action::Drain, Action::Close, Action::Unregister] {
        if !facts.did(action.word()) {
            return forward(facts, world, action, now);
        }
    }
    Step::Finish(OperationState::Done)
}

/// Somebody else unregistered it, or this operation did and its word was lost.
fn without_node(facts: &OperationFacts<'_>) -> Step {
    match (facts.kind, facts.cancel_asked) {
        (OperationKind::NodeRemove, _) | (OperationKind::NodeDrain, false) => {
            Step::Finish(OperationState::Done)
        }
        (OperationKind::NodeDrain, true) => Step::Finish(OperationState::Undone),
    }
}

fn call_off(facts: &OperationFacts<'_>, was: Option<Scheduling>) -> Step {
    match was {
        Some(was) if !facts.did(Action::PutBack(was).word()) => Step::Undo(Action::PutBack(was)),
        _ => Step::Finish(OperationState::Undone),
    }
}

fn forward(facts: &OperationFacts<'_>, world: &NodeWorld, action: Action, now: Timestamp) -> Step {
    let late = now >= facts.deadline;
    let draining = Some(Scheduling::Draining);
    match (action, facts.kind) {
        (Action::Close, _) if world.movable > 0 && late => Step::Stuck(format!(
            "workloads that could not be moved away before the deadline: {}",
            world.movable
        )),
        (Action::Close, _) if world.movable > 0 && world.scheduling != draining => {
            Step::Do(Action::Drain)
        }
        (Action::Close, _) if world.movable > 0 => Step::Wait,
        (Action::Unregister, OperationKind::NodeDrain) => Step::Finish(OperationState::Done),
        (Action::Unregister, _) if world.movable + world.staying > 0 => Step::Stuck(format!(
            "workloads that do not move, to be stopped or deleted first: {}",
            world.movable + world.staying
        )),
        _ => Step::Do(action),
    }
}

/// Where it is, in words with numbers.
pub fn progress(facts: &OperationFacts<'_>, world: &NodeWorld) -> String {
    let NodeWorld {
        movable, staying, ..
    } = world;
    if facts.cancel_asked {
        "being called off".to_owned()
    } else if facts.did(Action::Close.word()) {
        format!("workloads to be moved: none; staying: {staying}")
    } else {
        format!("workloads to be moved: {movable}; staying: {staying}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Timestamp = Timestamp::from_ms(1_000);

    /// One node and one operation on it. Work moves away by itself while the
    /// node drains, one workload each time the worker waits.
    #[derive(Clone, Debug, PartialEq)]
    struct World {
        node: NodeWorld,
        steps: Vec<String>,
        cancel: bool,
    }

    impl World {
        fn of(scheduling: Scheduling, movable: u32) -> Self {
            let node = NodeWorld {
                scheduling: Some(scheduling),
                movable,
                staying: 0,
            };
            Self {
                node,
                steps: Vec::new(),
                cancel: false,
            }
        }

        fn next(&self, kind: OperationKind) -> Step {
            let facts = OperationFacts {
                kind,
                steps_done: &self.steps,
                cancel_asked: self.cancel,
                deadline: DEADLINE,
            };
            next_step(&facts, &self.node, Timestamp::from_ms(0))
        }

        fn perform(&mut self, action: Action) {
            match action {
                Action::Remember(_) => (),
                Action::Drain => self.node.scheduling = Some(Scheduling::Draining),
                Action::Close => self.node.scheduling = Some(Scheduling::Closed),
                Action::Unregister => self.node.scheduling = None,
                Action::PutBack(was) => self.node.scheduling = Some(was),
            }
        }

        /// Goes on to the end, doing each action `times`; the worker dies
        /// after each action it has done, before writing so, `deaths` times.
        fn finish(&mut self, kind: OperationKind, times: u32, deaths: u32) -> OperationState {
            let mut deaths = deaths;
            for _ in 0..100 {
                match self.next(kind) {
                    Step::Do(action) | Step::Undo(action) => {
                        (0..times).for_each(|_| self.perform(action));
                        if deaths > 0 {
                            deaths -= 1;
                        } else {
                            self.steps.push(action.word().to_owned());
                        }
                    }
                    Step::Wait => self.node.movable -= 1,
                    Step::Finish(state) => return state,
                    Step::Stuck(why) => panic!("{kind}: {why}"),
                }
            }
            panic!("{kind} does not end: {self:?}")
        }

        /// The world before each step on the way to the end, and at the end.
        fn history(kind: OperationKind, start: &Self) -> Vec<Self> {
            let mut world = start.clone();
            let mut history = vec![world.clone()];
            loop {
                match world.next(kind) {
                    Step::Do(action) => {
                        world.perform(action);
                        history.push(world.clone());
                        world.steps.push(action.word().to_owned());
                    }
                    Step::Wait => world.node.movable -= 1,
                    _ => return history,
                }
                history.push(world.clone());
            }
        }
    }

    fn ended(kind: OperationKind) -> Option<Scheduling> {
        match kind {
            OperationKind::NodeDrain => Some(Scheduling::Closed),
            OperationKind::NodeRemove => None,
        }
    }

    #[test]
    fn an_operation_whose_worker_dies_after_every_step_goes_on_to_the_same_end() {
        for kind in OperationKind::ALL {
            for world in World::history(kind, &World::of(Scheduling::Open, 2)) {
                for deaths in 0..3 {
                    let mut world = world.clone();
                    assert_eq!(world.finish(kind, 1, deaths), OperationState::Done);
                    assert_eq!(world.node.scheduling, ended(kind));
                    assert_eq!(world.node.movable, 0);
                }
            }
        }
    }

    #[test]
    fn every_step_done_twice_ends_the_same() {
        for kind in OperationKind::ALL {
            let mut once = World::of(Scheduling::Open, 2);
            let mut twice = once.clone();
            assert_eq!(once.finish(kind, 1, 0), twice.finish(kind, 2, 0));
            assert_eq!(once, twice);
        }
    }

    #[test]
    fn called_off_at_any_step_leaves_the_node_as_it_was() {
        for kind in OperationKind::ALL {
            for was in [Scheduling::Open, Scheduling::Closed] {
                for world in World::history(kind, &World::of(was, 2)) {
                    let gone = world.node.scheduling.is_none();
                    let mut world = World {
                        cancel: true,
                        ..world
                    };
                    let state = world.finish(kind, 2, 1);
                    let expected = if gone {
                        (OperationState::Done, None)
                    } else {
                        (OperationState::Undone, Some(was))
                    };
                    assert_eq!((state, world.node.scheduling), expected, "{kind} {was:?}");
                }
            }
        }
    }

    #[track_caller]
    fn check(kind: OperationKind, movable: u32, staying: u32, now: i64, expected: &Step) {
        let steps = ["was-open", "draining"].map(str::to_owned);
        let closed = ["was-open", "draining", "closed"].map(str::to_owned);
        let facts = OperationFacts {
            kind,
            steps_done: if movable > 0 { &steps } else { &closed },
            cancel_asked: false,
            deadline: DEADLINE,
        };
        let world = NodeWorld {
            scheduling: Some(Scheduling::Draining),
            movable,
            staying,
        };
        let step = next_step(&facts, &world, Timestamp::from_ms(now));
        assert_eq!(step, *expected);
    }

    #[test]
    fn work_that_does_not_move_in_time_needs_a_person() {
        let stuck = "workloads that could not be moved away before the deadline: 2";
        check(OperationKind::NodeDrain, 2, 1, 999, &Step::Wait);
        check(
            OperationKind::NodeDrain,
            2,
            1,
            1_000,
            &Step::Stuck(stuck.to_owned()),
        );
    }

    #[test]
    fn a_node_opened_by_hand_in_the_middle_is_set_draining_again() {
        let steps = ["was-open", "draining"].map(str::to_owned);
        let facts = OperationFacts {
            kind: OperationKind::NodeDrain,
            steps_done: &steps,
            cancel_asked: false,
            deadline: DEADLINE,
        };
        let world = World::of(Scheduling::Open, 1).node;
        let step = next_step(&facts, &world, Timestamp::from_ms(0));
        assert_eq!(step, Step::Do(Action::Drain));
    }

    #[test]
    fn what_stays_holds_up_a_removal_and_no_drain() {
        let done = Step::Finish(OperationState::Done);
        let stuck = "workloads that do not move, to be stopped or deleted first: 1";
        check(OperationKind::NodeDrain, 0, 1, 0, &done);
        check(
            OperationKind::NodeRemove,
            0,
            0,
            0,
            &Step::Do(Action::Unregister),
        );
        check(
            OperationKind::NodeRemove,
            0,
            1,
            0,
            &Step::Stuck(stuck.to_owned()),
        );
    }
}
